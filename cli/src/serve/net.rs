//! Connections: taken up to a limit, with limits of their own, and ended when the server stops.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;
use zhao_http::limits;

use super::extract::Peer;

/// Where connections come from.
pub(crate) struct Doors {
    pub(crate) tcp: TcpListener,
    /// A local one, and whose processes may use it.
    pub(crate) local: Option<(UnixListener, u32)>,
}

/// Serves until `stop` is ready, then lets every request that has begun come to its end.
pub(crate) async fn serve(
    doors: Doors,
    router: Router,
    connections: usize,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(connections));
    // One of its own: a crowd at the network's door does not lock the owner out.
    let local_room = Arc::new(Semaphore::new((connections / 8).max(1)));
    let mut stop = std::pin::pin!(stop);
    let owner = doors.local.as_ref().map(|(_, owner)| *owner);
    loop {
        let next = async {
            tokio::select! {
                (permit, taken) = admitted(&room, doors.tcp.accept()) => {
                    taken.map(|(stream, from)| {
                        let _ = stream.set_nodelay(true);
                        Taken::Tcp(stream, from.ip(), permit)
                    })
                }
                (permit, taken) = admitted(&local_room, locally(doors.local.as_ref())) => {
                    taken.map(|(stream, _)| Taken::Local(stream, permit))
                }
            }
        };
        let taken = tokio::select! {
            () = &mut stop => break,
            taken = next => taken,
        };
        match taken {
            Ok(Taken::Tcp(stream, from, permit)) => {
                spawn(stream, Peer::Tcp(from), &router, &graceful, permit);
            }
            // Anybody may have come before the socket got its mode.
            Ok(Taken::Local(stream, _)) if stream.peer_cred().map(|c| c.uid()).ok() != owner => {
                tracing::warn!("another user tried the local socket");
            }
            Ok(Taken::Local(stream, permit)) => {
                spawn(stream, Peer::Local, &router, &graceful, permit);
            }
            // One that went away again, or no more file descriptors: the others go on.
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::task::yield_now().await;
            }
        }
    }
    drop(doors);
    // A request that began may take as long as its body and its work may.
    let longest = Duration::from_secs(limits::BODY_SECONDS + limits::READ_SECONDS);
    if tokio::time::timeout(longest, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("connections were still open at the end");
    }
}

enum Taken {
    Tcp(
        tokio::net::TcpStream,
        std::net::IpAddr,
        OwnedSemaphorePermit,
    ),
    Local(tokio::net::UnixStream, OwnedSemaphorePermit),
}

/// The next connection at the local door; none ever comes where there is no such door.
async fn locally(
    door: Option<&(UnixListener, u32)>,
) -> std::io::Result<(tokio::net::UnixStream, tokio::net::unix::SocketAddr)> {
    match door {
        Some((door, _)) => door.accept().await,
        None => std::future::pending().await,
    }
}

/// Takes the next connection when there is room for it.
async fn admitted<T>(
    room: &Arc<Semaphore>,
    next: impl Future<Output = T>,
) -> (OwnedSemaphorePermit, T) {
    let permit = room.clone().acquire_owned().await;
    let permit = permit.expect("the semaphore is never closed");
    (permit, next.await)
}

fn spawn<S>(
    stream: S,
    peer: Peer,
    router: &Router,
    graceful: &GracefulShutdown,
    permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let router = router.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits::HEAD_SECONDS))
        .max_headers(limits::HEADERS)
        .max_buf_size(limits::HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        // Broken connections are everyday; what a request did is in its own line.
        let _ = watched.await;
        drop(permit);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    async fn one(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), ask: &[u8]) -> String {
        stream.write_all(ask).await.unwrap();
        let mut bytes = vec![0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// A server with room for two connections, what ends it, and its addresses.
    async fn started() -> (
        tempfile::TempDir,
        std::net::SocketAddr,
        oneshot::Sender<()>,
        tokio::task::JoinHandle<()>,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let path = dir.path().join("s");
        let local = UnixListener::bind(&path).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(&path.metadata().unwrap());
        let (end, ended) = oneshot::channel::<()>();
        let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
        let local = Some((local, owner));
        let doors = Doors { tcp, local };
        let stop = async {
            let _ = ended.await;
        };
        let served = tokio::spawn(serve(doors, router, 2, stop));
        (dir, address, end, served)
    }

    #[tokio::test]
    async fn who_comes_when_all_places_are_taken_waits_for_one() {
        let (dir, address, end, served) = started().await;
        let mut first = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut second = tokio::net::TcpStream::connect(address).await.unwrap();
        assert!(one(&mut first, ASK).await.starts_with("HTTP/1.1 200"));
        assert!(one(&mut second, ASK).await.starts_with("HTTP/1.1 200"));
        // The system takes the third, and nobody answers it; the owner is not kept out by that.
        let mut third = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut owner = tokio::net::UnixStream::connect(dir.path().join("s"))
            .await
            .unwrap();
        let mut waiting = Box::pin(one(&mut third, ASK));
        tokio::select! {
            biased;
            answer = &mut waiting => panic!("answered: {answer}"),
            answer = one(&mut owner, ASK) => assert!(answer.starts_with("HTTP/1.1 200")),
        }
        drop(first);
        assert!(waiting.await.starts_with("HTTP/1.1 200"));
        drop((second, third, owner));
        end.send(()).unwrap();
        served.await.unwrap();
    }

    #[tokio::test]
    async fn heads_that_are_too_long_are_not_read_on() {
        let (_dir, address, _end, _served) = started().await;
        let long = format!(
            "GET / HTTP/1.1\r\nA: {}\r\n\r\n",
            "a".repeat(limits::HEAD_BYTES)
        );
        let many = "A: a\r\n".repeat(limits::HEADERS + 1);
        let many = format!("GET / HTTP/1.1\r\n{many}\r\n");
        let path = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(limits::HEAD_BYTES));
        for ask in [&long, &many, &path] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let answer = one(&mut stream, ask.as_bytes()).await;
            assert!(
                answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"),
                "{answer}"
            );
        }
        for wrong in [
            "\r\n\r\n\0",
            "GET / HTTP/9\r\n\r\n",
            "G\u{1}T / HTTP/1.1\r\n\r\n",
        ] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            let answer = one(&mut stream, wrong.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
    }
}
