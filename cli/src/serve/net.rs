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
    pub(crate) local: UnixListener,
    /// Whose processes may use the local one.
    pub(crate) owner: u32,
}

/// Serves until `stop` is ready, then lets every request that has begun come to its end.
pub(crate) async fn serve(doors: Doors, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits::CONNECTIONS));
    // One of its own: a crowd at the network's door does not lock the owner out.
    let local_room = Arc::new(Semaphore::new(limits::CONNECTIONS / 8));
    let mut stop = std::pin::pin!(stop);
    let owner = doors.owner;
    loop {
        let next = async {
            tokio::select! {
                (permit, taken) = admitted(&room, doors.tcp.accept()) => {
                    taken.map(|(stream, from)| {
                        let _ = stream.set_nodelay(true);
                        Taken::Tcp(stream, from.ip(), permit)
                    })
                }
                (permit, taken) = admitted(&local_room, doors.local.accept()) => {
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
            Ok(Taken::Local(stream, _))
                if stream.peer_cred().map(|c| c.uid()).ok() != Some(owner) =>
            {
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
