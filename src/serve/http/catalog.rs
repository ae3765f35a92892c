//! What there is to ask: tables, functions, stored queries; and whether the store can be read.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::{Asked, end, of_json};
use crate::catalog;
use crate::error::{Kind, Refusal};

pub(super) async fn tables(asked: Asked) -> Response {
    match catalog::tables(asked.door.gate()).await {
        Ok((snapshot, tables)) => {
            asked.visit.end(None);
            of_json(StatusCode::OK, &json!({ "snapshot": snapshot, "tables": tables }))
        }
        Err(refusal) => end(asked.visit, &refusal),
    }
}

pub(super) async fn functions(asked: Asked) -> Response {
    match serde_json::to_value(catalog::functions()) {
        Ok(functions) => {
            asked.visit.end(None);
            of_json(StatusCode::OK, &json!({ "functions": functions }))
        }
        Err(error) => end(asked.visit, &Refusal::new(Kind::Fault, error.to_string())),
    }
}

pub(super) async fn queries(asked: Asked) -> Response {
    let queries = json!({ "queries": asked.door.queries() });
    asked.visit.end(None);
    of_json(StatusCode::OK, &queries)
}

/// A look into the catalog, beside the queue: a server that is busy is healthy.
pub(super) async fn health(asked: Asked) -> Response {
    let gate = asked.door.gate();
    let (running, waiting) = gate.load();
    match gate.newest_snapshot() {
        Ok(snapshot) => {
            let seconds = asked.door.age().as_secs();
            asked.visit.end(None);
            let health: Value = json!({ "status": "ok", "snapshot": snapshot, "seconds": seconds, "running": running, "waiting": waiting });
            of_json(StatusCode::OK, &health)
        }
        Err(refusal) => end(asked.visit, &refusal),
    }
}
