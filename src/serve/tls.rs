//! Encryption: TLS 1.2 and 1.3, with the operator's certificate and key.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use crystal::Cause;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use crate::error::ServeError;

/// How long a client may take to agree on a key.
const SHAKING: Duration = Duration::from_secs(10);
/// Most clients that are at it at a time.
const MOST: usize = 256;

/// Files of PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, with its issuers after it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Tls {
    /// What agrees with clients on a key, for one of these protocols.
    ///
    /// # Errors
    /// Files that cannot be read, or do not belong together.
    pub(crate) fn acceptor(&self, protocols: &[&str]) -> Result<TlsAcceptor, ServeError> {
        let wrong = |path: &Path, source: Cause| ServeError::Tls { path: path.to_owned(), source };
        let chain = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|e| wrong(&self.certificate, e.into()))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|e| wrong(&self.key, e.into()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|e| wrong(&self.certificate, e.into()))?;
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Connections that are encrypted. Clients agree on their keys side by side: one that says nothing holds up none.
pub(crate) struct Encrypted<L> {
    listener: L,
    acceptor: TlsAcceptor,
    shaking: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl<L> Encrypted<L> {
    pub fn new(listener: L, acceptor: TlsAcceptor) -> Self {
        Self { listener, acceptor, shaking: JoinSet::new() }
    }

    fn begin(&mut self, stream: TcpStream, from: SocketAddr) {
        let acceptor = self.acceptor.clone();
        self.shaking.spawn(async move {
            let stream = tokio::time::timeout(SHAKING, acceptor.accept(stream)).await.ok()?.ok()?;
            Some((stream, from))
        });
    }
}

impl<L: Listener<Io = TcpStream, Addr = SocketAddr>> Listener for Encrypted<L> {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, from) = Listener::accept(&mut self.listener), if self.shaking.len() < MOST => self.begin(stream, from),
                done = self.shaking.join_next(), if !self.shaking.is_empty() => {
                    if let Some(Ok(Some(agreed))) = done {
                        return agreed;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    use super::*;
    use crate::testing::{Server, limits, tls};

    /// What comes over an encrypted connection, and the protocol that was agreed on.
    async fn asked(at: SocketAddr, protocols: &[&str], request: &str) -> std::io::Result<(String, Option<Vec<u8>>)> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(tls().certificate).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config =
            config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = TcpStream::connect(at).await?;
        let mut stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut said = Vec::new();
        if !request.is_empty() {
            let _ = stream.read_to_end(&mut said).await;
        }
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        Ok((String::from_utf8_lossy(&said).into_owned(), agreed))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn both_doors_are_encrypted_and_silent_clients_block_no_other() {
        let server = Server::start_encrypted(limits()).await;
        let (flight, http) = (server.at.flight.unwrap(), server.at.http.unwrap());
        let silent: Vec<_> = futures::future::join_all((0..20).map(|_| TcpStream::connect(http))).await;
        let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
        let (said, agreed) = asked(http, &["http/1.1"], &ask("/health")).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200") && agreed.as_deref() == Some(b"http/1.1"), "{said}");
        let (said, _) = asked(http, &["http/1.1"], &ask("/v1/tables")).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 401"), "{said}");
        let (_, agreed) = asked(flight, &["h2"], "").await.unwrap();
        assert_eq!(agreed.as_deref(), Some(b"h2".as_slice()));
        assert!(asked(flight, &["http/1.1"], "").await.is_err(), "Flight is spoken over h2 alone");
        // Unencrypted clients get no answer.
        let mut open = TcpStream::connect(http).await.unwrap();
        open.write_all(ask("/health").as_bytes()).await.unwrap();
        let mut said = Vec::new();
        let _ = open.read_to_end(&mut said).await;
        assert!(!String::from_utf8_lossy(&said).contains("HTTP"));
        drop(silent);
        server.stop().await.unwrap();
    }

    #[test]
    fn files_that_are_no_pair_are_named() {
        let known = tls();
        for (certificate, key, said) in [
            (&known.certificate, &known.certificate, "certificate.pem"),
            (&known.key, &known.key, "key.pem"),
            (&PathBuf::from("none.pem"), &known.key, "none.pem"),
        ] {
            let tls = Tls { certificate: certificate.clone(), key: key.clone() };
            let error = tls.acceptor(&["h2"]).err().map(|error| error.to_string());
            assert!(error.as_ref().is_some_and(|error| error.contains(said)), "{error:?}");
        }
    }
}
