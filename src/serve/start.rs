//! The server as it is started and ended.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::door::{Door, StoredQuery};
use crate::error::ServeError;
use crate::gate::{Allowed, Gate, Limits};
use crate::token::Token;
use crate::{flight_router, http_router};
use store::Store;

/// How long answers that are under way may still take when the server ends.
const GRACE: Duration = Duration::from_secs(10);

/// Stack of a thread, bytes: plans are walked by functions that call themselves, as deep as a statement may be.
const STACK: usize = 128 << 20;

/// The threads of a server.
///
/// # Errors
/// What the system says where it gives none.
pub fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where Flight SQL is spoken.
    pub flight: Option<SocketAddr>,
    /// Where HTTP is spoken.
    pub http: Option<SocketAddr>,
    /// The file with the token.
    pub token: Option<PathBuf>,
    /// What is bounded.
    pub limits: Limits,
    /// What is allowed beyond cheap queries.
    pub allowed: Allowed,
    /// Queries that are run by name.
    pub queries: Vec<StoredQuery>,
    /// Whether each request is written to standard error, a line of JSON each.
    pub logs: bool,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// The address of Flight SQL.
    pub flight: Option<SocketAddr>,
    /// The address of HTTP.
    pub http: Option<SocketAddr>,
}

/// Serves a store, on the threads of [`runtime`], until `end`: then nothing new is taken, and answers under way have ten seconds. `ready` is told when it listens.
///
/// # Errors
/// Addresses beyond this machine, a token that others may read, an address that is taken, a store that cannot be read.
pub async fn serve(
    store: &Store,
    options: Options,
    ready: impl FnOnce(Listening),
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let addresses = [options.flight, options.http];
    addresses.iter().flatten().try_for_each(check_exposure)?;
    let token = options.token.as_deref().map(Token::from_file).transpose()?;
    let gate = Gate::open(store, options.limits, options.allowed).await?;
    let door = Door::new(gate, token, true, options.queries, options.logs);
    let (flight, http) = (listen(options.flight).await?, listen(options.http).await?);
    let address = |listener: &Option<TcpListener>| listener.as_ref().and_then(|l| l.local_addr().ok());
    ready(Listening { flight: address(&flight), http: address(&http) });
    let end = end.shared();
    let doors = futures::future::try_join(
        run(flight, flight_router(door.clone()), end.clone()),
        run(http, http_router(door), end.clone()),
    );
    let grace = async {
        end.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        done = doors => done.map(|_| ()),
        () = grace => Ok(()),
    }
}

/// # Errors
/// An address that other machines reach: what is said there is said in the open, token and all.
fn check_exposure(address: &SocketAddr) -> Result<(), ServeError> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(ServeError::Usage(format!(
        "{address} is reached from other machines, and this server does not encrypt what it sends: listen to 127.0.0.1 with \
         --token-file, and put a proxy that speaks TLS before it, or have people come by ssh -L"
    )))
}

async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, ServeError> {
    let Some(address) = address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|source| ServeError::Net { what: format!("listening to {address}"), source })
}

async fn run(
    listener: Option<TcpListener>,
    router: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let Some(listener) = listener else { return Ok(()) };
    // Answers are often shorter than a packet, and not to be waited with.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let done = axum::serve(listener, router).with_graceful_shutdown(end).await;
    done.map_err(|source| ServeError::Net { what: "serving".into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_encrypted_stays_on_this_machine() {
        for address in ["127.0.0.1:0", "[::1]:7700", "127.9.9.9:1"] {
            check_exposure(&address.parse().unwrap()).unwrap();
        }
        for address in ["0.0.0.0:7700", "[::]:7700", "192.168.0.7:7700"] {
            let error = check_exposure(&address.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains("ssh -L") && error.contains("--token-file"), "{error}");
        }
    }
}
