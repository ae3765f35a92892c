//! The server: one store for a group, by Flight SQL for programs, by HTTP for scripts and browsers, with OPTIMADE for clients of
//! databases, and by MCP for assistants.
//!
//! Every door asks the [`Gate`], which plans one statement that only reads, checks the plan, and runs it at one snapshot within
//! bounds of time, memory and number. No door plans or prints by itself: a statement goes the way of [`sql::Session`], and a result
//! is written by [`report`].

mod catalog;
mod connections;
mod crystals;
mod door;
mod error;
mod flight;
mod gate;
#[cfg(test)]
mod hostile;
mod http;
mod mcp;
mod optimade;
mod parameters;
#[cfg(test)]
#[path = "../../tests/common/skip.rs"]
mod skip;
mod start;
#[cfg(test)]
mod stored;
#[cfg(test)]
mod testing;
mod tls;
mod token;
mod words;

pub use door::{Door, StoredQuery};
pub use error::{Kind, Refusal, ServeError};
pub use flight::router as flight_router;
pub use gate::{Allowed, Answer, Gate, Limits, Planned, Question};
pub use http::router as http_router;
pub use mcp::mcp;
pub use start::{Listening, Options, runtime, serve};
pub use tls::Tls;
pub use token::Token;
pub use words::{count, size, time};
