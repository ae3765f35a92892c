//! The server as it is started and ended.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::connections::{self, Patience};
use crate::door::{Door, StoredQuery};
use crate::error::ServeError;
use crate::gate::{Allowed, Gate, Limits};
use crate::tls::{Encrypted, Tls};
use crate::token::Token;
use crate::{flight_router, http_router};
use store::Store;

/// How long answers that are under way may still take when the server ends.
const GRACE: Duration = Duration::from_secs(10);

/// The threads of a server.
///
/// # Errors
/// What the system says where it gives none.
pub fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(store::STACK).build()
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address of Flight SQL.
    pub flight: Option<SocketAddr>,
    /// The address of HTTP.
    pub http: Option<SocketAddr>,
    /// The file with the token.
    pub token: Option<PathBuf>,
    /// The certificate, where what is sent is encrypted.
    pub tls: Option<Tls>,
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

/// Serves a store, on the threads of [`runtime`], until `end`: then nothing new is taken, and answers under way have ten seconds.
/// `ready` is called when it listens.
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
    let (token, tls) = (options.token.is_some(), options.tls.is_some());
    addresses.iter().flatten().try_for_each(|address| check_exposure(address, token, tls))?;
    let token = options.token.as_deref().map(Token::from_file).transpose()?;
    let acceptor = |protocols: &[&str]| options.tls.as_ref().map(|tls| tls.acceptor(protocols)).transpose();
    let (of_flight, of_http) = (acceptor(&["h2"])?, acceptor(&["h2", "http/1.1"])?);
    let patience = Patience::within(options.limits.timeout);
    let gate = Gate::open(store, options.limits, options.allowed).await?;
    // Where a certificate says who answers, and a token who asks, a name that points elsewhere gains nothing.
    let named = token.is_none() || !tls;
    let door = Door::new(gate.clone(), token, named, tls, options.queries, options.logs);
    let (flight, http) = (listen(options.flight).await?, listen(options.http).await?);
    let address = |listener: &Option<TcpListener>| listener.as_ref().and_then(|l| l.local_addr().ok());
    ready(Listening { flight: address(&flight), http: address(&http) });
    let end = end.shared();
    let training = async {
        end.clone().await;
        gate.end_training().await;
    };
    let all = futures::future::join3(
        run(flight, of_flight, flight_router(door.clone()), patience, end.clone()),
        run(http, of_http, http_router(door), patience, end.clone()),
        training,
    );
    let grace = async {
        end.clone().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        _ = all => {}
        () = grace => {}
    }
    Ok(())
}

/// # Errors
/// An address that other machines reach, without a token or encryption.
fn check_exposure(address: &SocketAddr, token: bool, tls: bool) -> Result<(), ServeError> {
    if address.ip().is_loopback() || token && tls {
        return Ok(());
    }
    let missing: Vec<&str> = [("a token (--token-file)", token), ("encryption (--tls-cert, --tls-key)", tls)]
        .into_iter()
        .filter_map(|(what, given)| (!given).then_some(what))
        .collect();
    Err(ServeError::Usage(format!(
        "{address} is reached from other machines, and {} is missing; or listen to 127.0.0.1 and have people come by ssh -L",
        missing.join(" and ")
    )))
}

async fn listen(address: Option<SocketAddr>) -> Result<Option<TcpListener>, ServeError> {
    let Some(address) = address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|source| ServeError::Net { what: format!("listening to {address}"), source })
}

async fn run(
    listener: Option<TcpListener>,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    patience: Patience,
    end: impl Future<Output = ()>,
) {
    let Some(listener) = listener else { return };
    // Answers are often shorter than a packet, and not to be waited with.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    match acceptor {
        Some(acceptor) => connections::serve(Encrypted::new(listener, acceptor), router, patience, end).await,
        None => connections::serve(listener, router, patience, end).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_machines_reach_has_a_token_and_is_encrypted() {
        for address in ["127.0.0.1:0", "[::1]:7700", "127.9.9.9:1"] {
            check_exposure(&address.parse().unwrap(), false, false).unwrap();
        }
        for address in ["0.0.0.0:7700", "[::]:7700", "192.168.0.7:7700"] {
            let refused =
                |token, tls| check_exposure(&address.parse().unwrap(), token, tls).err().map(|e| e.to_string());
            assert_eq!(refused(true, true), None);
            let [neither, token, tls] =
                [(false, false), (true, false), (false, true)].map(|(a, b)| refused(a, b).unwrap());
            assert!(neither.contains("--token-file") && neither.contains("--tls-cert"), "{neither}");
            assert!(!token.contains("--token-file") && token.contains("--tls-cert"), "{token}");
            assert!(tls.contains("--token-file") && !tls.contains("--tls-cert"), "{tls}");
        }
    }
}
