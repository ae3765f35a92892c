//! The door for scripts and browsers: HTTP, with results in the formats of [`report`].

pub(crate) mod body;
mod catalog;
mod explorer;
mod openapi;
mod posted;
mod routes;
mod sql;
pub(crate) mod structures;
mod training;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use serde_json::{Value, json};

use crate::door::{Door, Visit};
use crate::error::{Kind, Refusal};
use routes::{ROUTES, Route};

/// What answers to HTTP.
pub fn router(door: Door) -> Router {
    let mut router = Router::new();
    for route in &ROUTES {
        let door = door.clone();
        let filter = if route.method == Method::POST { MethodFilter::POST } else { MethodFilter::GET };
        router = router.route(route.axum_path, on(filter, move |request| visited(door.clone(), route, request)));
    }
    let lost = |status: StatusCode, message: &'static str| async move {
        let mut response = refused(&Refusal::new(Kind::Missing, message));
        *response.status_mut() = status;
        response
    };
    router
        .method_not_allowed_fallback(move || lost(StatusCode::METHOD_NOT_ALLOWED, "this page takes another method"))
        .fallback(move || lost(StatusCode::NOT_FOUND, "there is no such page; GET /openapi.json lists those that are"))
}

/// A request that was let in, with the visit to write down.
pub(crate) struct Asked {
    pub door: Door,
    pub request: Request,
    pub visit: Visit,
}

async fn visited(door: Door, route: &'static Route, request: Request) -> Response {
    let visit = door.begin("http", &format!("{} {}", route.method, request.uri().path()));
    let admitted = door.check_host(host(&request), request.headers());
    let admitted = if route.open { admitted } else { admitted.and_then(|()| door.check_token(request.headers())) };
    let mut response = match admitted {
        Ok(()) => (route.answer)(Asked { door, request, visit }).await,
        Err(refusal) => end(visit, &refusal),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The host that a request names, with its port.
pub(crate) fn host(request: &Request) -> Option<&str> {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    host.or_else(|| request.uri().authority().map(|authority| authority.as_str()))
}

/// Ends a visit with a refusal.
fn end(visit: Visit, refusal: &Refusal) -> Response {
    visit.end(Some(refusal.kind));
    refused(refusal)
}

fn refused(refusal: &Refusal) -> Response {
    let error = json!({ "error": { "kind": refusal.kind.word(), "message": refusal.message } });
    with_headers(refusal.kind, of_json(refusal.kind.status(), &error))
}

/// Headers of a refusal.
pub(crate) fn with_headers(kind: Kind, mut response: Response) -> Response {
    match kind {
        Kind::Unknown => {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Kind::Busy => {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}

fn of_json(status: StatusCode, value: &Value) -> Response {
    let mut response = of_text("application/json", format!("{value}\n"));
    *response.status_mut() = status;
    response
}

/// A type of content without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

pub(crate) fn of_text(kind: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
