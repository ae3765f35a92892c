//! The door for programs: Flight SQL, for ADBC and JDBC.
//!
//! A statement is planned and checked when a client asks what it would get, and that very plan is run when the client fetches it: a
//! ticket is a handle of the plan and no text.

mod handles;
mod listing;
mod service;

#[cfg(test)]
mod tests;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::time::timeout;
use tonic::Status;
use tonic::service::Routes;

use crate::door::Door;
use crate::error::{Kind, Refusal};
use service::Service;

/// The one call without a token: it asks for one.
const HANDSHAKE: &str = "/arrow.flight.protocol.FlightService/Handshake";

/// What answers to Flight SQL.
pub fn router(door: Door) -> Router {
    let longest = door.gate().limits().body;
    let service = FlightServiceServer::new(Service::new(door.clone())).max_decoding_message_size(longest);
    Routes::new(service).into_axum_router().layer(from_fn_with_state(door, admitted))
}

async fn admitted(State(door): State<Door>, request: Request, next: Next) -> Response {
    let host = request.uri().authority().map(|authority| authority.as_str());
    let host = host.or_else(|| request.headers().get(header::HOST).and_then(|value| value.to_str().ok()));
    let admitted = door.check_host(host, request.headers());
    let admitted = match request.uri().path() {
        HANDSHAKE => admitted,
        _ => admitted.and_then(|()| door.check_token(request.headers())),
    };
    let path = request.uri().path().to_owned();
    let answered = match admitted {
        // As long for what is asked to arrive as for the answer to begin.
        Ok(()) => {
            let request = request.map(|body| door.gate().bodies().counted(body, status));
            timeout(2 * door.gate().limits().timeout, next.run(request)).await
        }
        Err(refusal) => return refused(&door, &path, refusal),
    };
    answered.unwrap_or_else(|_| refused(&door, &path, Refusal::new(Kind::Late, "the request did not arrive in time")))
}

fn refused(door: &Door, path: &str, refusal: Refusal) -> Response {
    door.begin("flight", path).end(Some(refusal.kind));
    status(refusal).into_http::<tonic::body::Body>().map(Body::new)
}

/// A refusal as gRPC says it.
fn status(refusal: Refusal) -> Status {
    Status::new(refusal.kind.code(), refusal.message)
}
