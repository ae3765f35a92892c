//! What the tests of several doors need: a store with a crystal, and a server before it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sql::Session;
use store::Store;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::ServeError;
use crate::{Allowed, Limits, Listening, Options, StoredQuery, Tls, serve};

/// Rutile, as a POSCAR.
pub fn rutile() -> String {
    formats::to_poscar(&formats::hosts::host("rutile").unwrap(), "rutile")
}

/// A token.
pub const TOKEN: &str = "a-token-of-the-tests";

/// A self-signed certificate of localhost, valid until 2126, and its key. They were made by
/// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost -keyout key.pem -out
/// certificate.pem -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE`.
pub fn tls() -> Tls {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testing");
    Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

/// What no door lets through: what writes, sets, opens a file, asks a model by its path, takes minutes, or is longer than any memory.
pub const REFUSED: [&str; 16] = [
    "DROP TABLE crystals",
    "SELECT 1; DROP TABLE crystals",
    "COPY crystals TO '{folder}/out.csv'",
    "EXPLAIN ANALYZE COPY crystals TO '{folder}/out.csv'",
    "EXPLAIN ANALYZE INSERT INTO crystals (id) VALUES ('x')",
    "EXPLAIN ANALYZE DELETE FROM crystals",
    "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1 AS a",
    "WITH a AS (SELECT 'x' AS id) INSERT INTO crystals (id) SELECT id FROM a",
    "SET hollandite.model = 'cgcnn'",
    "SET datafusion.runtime.memory_limit = '900G'",
    "SELECT * FROM read_csv('{folder}/token')",
    "SELECT * FROM '{folder}/token'",
    "SELECT predict_ef(structure, '{folder}/token') FROM crystals",
    "EXPLAIN ANALYZE SELECT predict(structure, '../../token') FROM crystals",
    "EXPLAIN ANALYZE SELECT relax(structure) FROM crystals",
    "EXPLAIN ANALYZE SELECT repeat('x', 2000000000)",
];

/// A table `crystals` with rutile in it.
pub async fn fill(store: &Store) {
    let session = Session::open(store, None).await.unwrap();
    let table = format!("CREATE TABLE crystals AS SELECT 'rutile' AS id, structure('{}') AS structure", rutile());
    session.sql(&table).await.unwrap().collect().await.unwrap();
}

/// A table `hosts`: sixty crystals with their densities as labels.
pub async fn fill_labelled(store: &Store) {
    let session = Session::open(store, None).await.unwrap();
    let row = |host: formats::hosts::Host| {
        format!("('{}', structure('{}'))", host.id, formats::to_poscar(&host.structure, "x"))
    };
    let rows: Vec<String> = formats::hosts::embedded().into_iter().take(60).map(row).collect();
    let table = format!(
        "CREATE TABLE hosts AS SELECT id, reduced_formula(structure) AS formula, CAST(NULL AS VARCHAR) AS split, id AS structure_hash, \
         structure, density(structure) AS density FROM (VALUES {}) AS t (id, structure)",
        rows.join(", ")
    );
    session.sql(&table).await.unwrap().collect().await.unwrap();
}

/// Bounds within which tests end soon.
pub fn limits() -> Limits {
    Limits { timeout: Duration::from_secs(20), rows: 20_000, ..Limits::default() }
}

/// A server that listens, before a store of its own.
pub struct Server {
    pub folder: tempfile::TempDir,
    pub store: Store,
    pub at: Listening,
    end: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    /// One with these bounds, with a token or without.
    pub async fn start(limits: Limits, token: bool) -> Self {
        Self::start_as(limits, token, None, Allowed::default()).await
    }

    /// One with a token and a certificate.
    pub async fn start_encrypted(limits: Limits) -> Self {
        Self::start_as(limits, true, Some(tls()), Allowed::default()).await
    }

    /// One without a token that allows more.
    pub async fn start_allowing(limits: Limits, allowed: Allowed) -> Self {
        Self::start_as(limits, false, None, allowed).await
    }

    async fn start_as(limits: Limits, token: bool, tls: Option<Tls>, allowed: Allowed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::init(&folder.path().join("store")).await.unwrap();
        fill(&store).await;
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let token = token.then(|| write_token(folder.path()));
        let queries =
            vec![StoredQuery { name: "all", answers: "What is there?".into(), sql: "SELECT id FROM crystals" }];
        let options = Options { flight: Some(any), http: Some(any), token, tls, limits, allowed, queries, logs: false };
        let ((ready, at), (end, wait)) = (oneshot::channel(), oneshot::channel());
        let of = store.clone();
        let ended = tokio::spawn(async move {
            let ready = |listening| ready.send(listening).unwrap();
            serve(&of, options, ready, async move {
                let _ = wait.await;
            })
            .await
        });
        Self { folder, store, at: at.await.unwrap(), end: Some(end), ended }
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// What ended the server, if not the asking.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.stop_beside().await.1
    }

    /// The same, with the folder of its store, which is there until that is dropped.
    pub async fn stop_beside(mut self) -> (tempfile::TempDir, Result<(), ServeError>) {
        let _ = self.end.take().map(|end| end.send(()));
        (self.folder, self.ended.await.unwrap())
    }

    /// A request over HTTP with these lines of its head, beside Host.
    pub async fn http(&self, method: &str, path: &str, head: &[&str], body: &[u8]) -> Reply {
        let at = self.at.http.unwrap();
        let host = format!("Host: {at}");
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".into()];
        lines.extend(head.iter().map(|line| (*line).to_owned()));
        if !head.iter().any(|line| line.starts_with("Host:")) {
            lines.push(host);
        }
        lines.push(format!("Content-Length: {}", body.len()));
        let mut bytes = format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes();
        bytes.extend_from_slice(body);
        tokio::task::spawn_blocking(move || Reply::to(at, &bytes)).await.unwrap()
    }

    /// What is answered to these very bytes until the connection ends.
    pub async fn raw(&self, bytes: Vec<u8>) -> String {
        let at = self.at.http.unwrap();
        let said = tokio::task::spawn_blocking(move || everything(at, &bytes)).await.unwrap();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// A statement over HTTP.
    pub async fn sql(&self, body: Value) -> Reply {
        self.http("POST", "/v1/sql", &["Content-Type: application/json"], body.to_string().as_bytes()).await
    }
}

fn write_token(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("token");
    std::fs::write(&path, TOKEN).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

/// What was answered over HTTP.
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Reply {
    fn to(at: SocketAddr, request: &[u8]) -> Self {
        let bytes = everything(at, request);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {bytes:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let rest = &bytes[end + 4..];
        let (body, whole) = match head.to_lowercase().contains("transfer-encoding: chunked") {
            true => unchunked(rest),
            false => (rest.to_vec(), true),
        };
        Self { status, head, body, whole }
    }

    /// The value of a line of the head.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

fn everything(at: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // A server that refuses a long body need not read it.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

/// The pieces of a body put together, and whether the last one was there.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        let from = end + 2;
        if size == 0 {
            return (body, true);
        }
        if rest.len() < from + size + 2 {
            break;
        }
        body.extend_from_slice(&rest[from..from + size]);
        rest = &rest[from + size + 2..];
    }
    (body, false)
}
