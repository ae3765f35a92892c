//! What is posted: an object of JSON, within the bounds of time and length.

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::essence;
use crate::error::{Kind, Refusal};
use crate::gate::{Gate, refusal};

/// The head of a request, and what its body says.
///
/// # Errors
/// Another type of body, one that is too long or too late or comes with too many others, or one that says something else.
pub(super) async fn read<T: DeserializeOwned>(gate: &Gate, request: Request) -> Result<(Parts, T), Refusal> {
    let (head, body) = request.into_parts();
    check_type(&head.headers)?;
    let limits = gate.limits();
    let body = gate.bodies().counted(body, |refusal| refusal);
    let bytes = match tokio::time::timeout(limits.timeout, axum::body::to_bytes(body, limits.body)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            if let Some(refusal) = refusal(&error) {
                return Err(refusal.clone());
            }
            let message = format!("the request is longer than {} bytes, or broke off", limits.body);
            return Err(Refusal::new(Kind::TooMuch, message));
        }
        Err(_) => return Err(Refusal::new(Kind::Late, "the request did not arrive in time")),
    };
    let said = serde_json::from_slice(&bytes).map_err(|e| Refusal::bad(format!("the request: {e}")))?;
    Ok((head, said))
}

/// # Errors
/// A body that a page of another site could send without asking first, or one that is compressed: how long it is shows too late.
fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Refusal::bad("bodies are taken as they are, and not compressed"));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match essence(kind).eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Refusal::bad("POST a JSON object, and say so: Content-Type: application/json")),
    }
}
