//! The pages: one list, of which the router and the description are made.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use crate::optimade;

use super::{Asked, catalog, explorer, of_json, of_text, openapi, sql, structures, training};

/// A page.
pub(super) struct Route {
    pub method: Method,
    /// As it is described.
    pub path: &'static str,
    /// As it is matched.
    pub axum_path: &'static str,
    /// Whether it is shown without a token.
    pub open: bool,
    pub summary: &'static str,
    /// Name, where it stands, type and meaning of each parameter.
    pub parameters: &'static [Parameter],
    /// Types of the answer.
    pub answers: &'static [&'static str],
    pub answer: fn(Asked) -> BoxFuture<'static, Response>,
}

/// A parameter of a page.
pub(super) struct Parameter {
    pub name: &'static str,
    /// `path` or `query`.
    pub place: &'static str,
    /// `string` or `integer`.
    pub kind: &'static str,
    /// Values that it takes, where they are few.
    pub values: &'static [&'static str],
    pub summary: &'static str,
}

const JSON: &[&str] = &["application/json"];

/// All pages.
pub(super) static ROUTES: [Route; 14] = [
    Route {
        method: Method::GET,
        path: "/",
        axum_path: "/",
        open: true,
        summary: "A page to explore the store with.",
        parameters: &[],
        answers: &["text/html"],
        answer: |asked| explorer::answer(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/page/{name}",
        axum_path: "/page/{name}",
        open: true,
        summary: "A file of that page.",
        parameters: &[Parameter {
            name: "name",
            place: "path",
            kind: "string",
            values: explorer::NAMES,
            summary: "Its name.",
        }],
        answers: &explorer::TYPES,
        answer: |asked| explorer::file(asked).boxed(),
    },
    Route {
        method: Method::POST,
        path: "/v1/sql",
        axum_path: "/v1/sql",
        open: false,
        summary: "Run one statement that only reads, at one snapshot. The format is that of `format`, else of Accept.",
        parameters: &[],
        answers: &sql::TYPES,
        answer: |asked| sql::answer(asked).boxed(),
    },
    Route {
        method: Method::POST,
        path: "/v1/funnel",
        axum_path: "/v1/funnel",
        open: false,
        summary: "How many rows each condition of a statement leaves; `steps` is null where it is none on one table alone.",
        parameters: &[],
        answers: JSON,
        answer: |asked| sql::funnel(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/v1/queries",
        axum_path: "/v1/queries",
        open: false,
        summary: "Stored queries: name, what each answers, and its text.",
        parameters: &[],
        answers: JSON,
        answer: |asked| catalog::queries(asked).boxed(),
    },
    Route {
        method: Method::POST,
        path: "/v1/train",
        axum_path: "/v1/train",
        open: false,
        summary: "Fit a network to labels, where the operator of the server allows it: a line for each epoch, the last one for the model.",
        parameters: &[],
        answers: &[training::TYPE],
        answer: |asked| training::answer(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/v1/tables",
        axum_path: "/v1/tables",
        open: false,
        summary: "Tables and views with their columns: type, unit and meaning.",
        parameters: &[],
        answers: JSON,
        answer: |asked| catalog::tables(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/v1/functions",
        axum_path: "/v1/functions",
        open: false,
        summary: "Functions of crystals with their arguments, units and examples.",
        parameters: &[],
        answers: JSON,
        answer: |asked| catalog::functions(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/v1/structures/{id}.{format}",
        axum_path: "/v1/structures/{*file}",
        open: false,
        summary: "A crystal as CIF, POSCAR, JSON of pymatgen, or a page on which it turns.",
        parameters: &[
            Parameter { name: "id", place: "path", kind: "string", values: &[], summary: "Its id." },
            Parameter {
                name: "format",
                place: "path",
                kind: "string",
                values: &["cif", "poscar", "json", "html"],
                summary: "The format.",
            },
            Parameter {
                name: "table",
                place: "query",
                kind: "string",
                values: &[],
                summary: "Its table; tmo where none is named.",
            },
            Parameter { name: "snapshot", place: "query", kind: "integer", values: &[], summary: "An older snapshot." },
        ],
        answers: &["chemical/x-cif", "text/plain", "application/json", "text/html"],
        answer: |asked| structures::answer(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/optimade/{path}",
        axum_path: "/optimade/{*path}",
        open: false,
        summary: "OPTIMADE 1.2: versions; of tmo v1/info, v1/structures and v1/links; of another table TABLE/v1/...",
        parameters: &[Parameter {
            name: "path",
            place: "path",
            kind: "string",
            values: &[],
            summary: "A page of OPTIMADE.",
        }],
        answers: &[optimade::JSON_API, "text/csv"],
        answer: |asked| optimade::answer(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/health",
        axum_path: "/health",
        open: true,
        summary: "Whether the store can be read.",
        parameters: &[],
        answers: JSON,
        answer: |asked| catalog::health(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/version",
        axum_path: "/version",
        open: true,
        summary: "Name and version of the program.",
        parameters: &[],
        answers: JSON,
        answer: |asked| version(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/metrics",
        axum_path: "/metrics",
        open: false,
        summary: "Counters, as Prometheus reads them.",
        parameters: &[],
        answers: &["text/plain"],
        answer: |asked| metrics(asked).boxed(),
    },
    Route {
        method: Method::GET,
        path: "/openapi.json",
        axum_path: "/openapi.json",
        open: true,
        summary: "This description.",
        parameters: &[],
        answers: JSON,
        answer: |asked| describe(asked).boxed(),
    },
];

async fn version(asked: Asked) -> Response {
    asked.visit.end(None);
    of_json(StatusCode::OK, &json!({ "name": "hollandite", "version": env!("CARGO_PKG_VERSION") }))
}

async fn metrics(asked: Asked) -> Response {
    let gate = asked.door.gate();
    let text = gate.counts().text(gate.load());
    asked.visit.end(None);
    of_text("text/plain; version=0.0.4", text)
}

async fn describe(asked: Asked) -> Response {
    asked.visit.end(None);
    of_json(StatusCode::OK, &openapi::description())
}
