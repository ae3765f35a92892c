//! Connections at a door, so many at a time. A client that does not begin, does not end the head of its request, or does not take what it
//! is sent is cut off: what it would hold is others'.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep};

/// Most connections at a time; the next one waits until another ends.
const MOST: usize = 1024;

/// How long a client may take to say what it wants.
const TO_ASK: Duration = Duration::from_secs(30);

/// After so long a silence a client of HTTP/2 is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(60);

/// Most requests of a connection of HTTP/2 at a time; what a page or a pool of clients asks at once has room.
const STREAMS: u32 = 100;

/// Bytes that show the protocol: the first ones of HTTP/2. No request that is answered is shorter.
const PREFACE: usize = 24;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// To begin, and for the head of a request.
    ask: Duration,
    /// To take some of what it is sent.
    take: Duration,
}

impl Patience {
    /// Where an answer may take so long.
    pub fn within(timeout: Duration) -> Self {
        Self { ask: TO_ASK.min(timeout), take: timeout }
    }
}

/// Answers to connections until `end`, and then to requests that are under way.
pub(crate) async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    patience: Patience,
    end: impl Future<Output = ()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.ask);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(SILENCE).keep_alive_timeout(patience.ask);
    builder.http2().max_concurrent_streams(STREAMS);
    let (places, open) = (Arc::new(Semaphore::new(MOST)), GracefulShutdown::new());
    let mut end = pin!(end);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await.0, place)
        };
        let (stream, place) = tokio::select! {
            () = &mut end => break,
            next = next => next,
        };
        let (stream, service) = (Prompt::new(stream, patience), TowerToHyperService::new(router.clone()));
        let connection = open.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            // A client may break off.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

/// A stream that fails where its client does not begin, or takes nothing of what it is sent.
struct Prompt<S> {
    stream: S,
    patience: Patience,
    /// Bytes that came.
    came: usize,
    begin: Pin<Box<Sleep>>,
    /// Since something waits to be sent.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Prompt<S> {
    fn new(stream: S, patience: Patience) -> Self {
        Self { stream, patience, came: 0, begin: Box::pin(sleep(patience.ask)), stuck: None }
    }

    /// What came of sending, until it has been waited for too long.
    fn sent<T>(&mut self, cx: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stuck = None;
            return sent;
        }
        let take = self.patience.take;
        ready!(self.stuck.get_or_insert_with(|| Box::pin(sleep(take))).as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        self.came += into.filled().len() - before;
        if read.is_pending() && self.came < PREFACE {
            ready!(self.begin.as_mut().poll(cx));
            return Poll::Ready(Err(ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.sent(cx, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.sent(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(cx);
        self.sent(cx, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.sent(cx, sent)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::time::Instant;

    use axum::body::Body;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// A door with this patience, behind which there is more than a connection holds.
    async fn door(patience: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let long = || async { Body::from(vec![b'x'; 64 << 20]) };
        let router = Router::new().route("/", get(|| async { "here" })).route("/long", get(long));
        tokio::spawn(serve(listener, router, Patience::within(patience), std::future::pending()));
        at
    }

    /// How long a client that sends these pieces, half a second between them, is listened to; at most ten seconds.
    fn kept(at: SocketAddr, pieces: &[&str]) -> Duration {
        let mut stream = TcpStream::connect(at).unwrap();
        let began = Instant::now();
        for piece in pieces {
            // What is cut off cannot be written to.
            let _ = stream.write_all(piece.as_bytes());
            std::thread::sleep(Duration::from_millis(500));
        }
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        began.elapsed()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_does_not_say_what_he_wants_is_cut_off() {
        let at = door(Duration::from_secs(1)).await;
        const LINES: [&str; 6] =
            ["GET / HTTP/1.1\r\n", "Host: localhost\r\n", "A: b\r\n", "C: d\r\n", "E: f\r\n", "G: h\r\n"];
        let slow: [&[&str]; 6] = [
            &[],
            &["G"],
            &["PRI * HTTP"],
            &["GET / HTTP/1.1\r\nHost: localhost\r\nA: b"],
            &LINES,
            // The first is answered, and the next one does not come.
            &["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        ];
        let kept = slow.map(|pieces| tokio::task::spawn_blocking(move || kept(at, pieces)));
        for (kept, pieces) in futures::future::join_all(kept).await.into_iter().zip(slow) {
            let kept = kept.unwrap();
            assert!(kept > Duration::from_millis(900) && kept < Duration::from_secs(6), "{pieces:?}: {kept:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_has_so_many_requests_at_a_time() {
        let at = door(Duration::from_secs(5)).await;
        let settings = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
            let mut head = [0; 9];
            stream.read_exact(&mut head).unwrap();
            // The first frame that a server sends is that of its settings, six bytes each.
            assert_eq!(head[3], 4, "{head:?}");
            let mut settings = vec![0; usize::from(head[2])];
            stream.read_exact(&mut settings).unwrap();
            settings
        });
        let settings = settings.await.unwrap();
        let most = settings.chunks(6).find(|setting| setting[..2] == [0, 3]).map(|setting| setting[2..].to_vec());
        assert_eq!(most, Some(STREAMS.to_be_bytes().to_vec()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_takes_nothing_is_cut_off_and_who_is_slow_is_not() {
        let at = door(Duration::from_secs(1)).await;
        let read = move |pause: Duration, pauses: usize| {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.write_all(b"GET /long HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            let (mut bytes, mut piece) = (0, vec![0; 1 << 20]);
            for _ in 0..pauses {
                std::thread::sleep(pause);
                bytes += stream.read(&mut piece).unwrap_or_default();
            }
            while let Ok(more @ 1..) = stream.read(&mut piece) {
                bytes += more;
            }
            bytes
        };
        let (idle, slow) = tokio::join!(
            tokio::task::spawn_blocking(move || read(Duration::from_secs(4), 1)),
            tokio::task::spawn_blocking(move || read(Duration::from_millis(200), 20)),
        );
        let (idle, slow) = (idle.unwrap(), slow.unwrap());
        assert!(idle < 64 << 20 && slow > 64 << 20, "{idle} and {slow} bytes");
    }
}
