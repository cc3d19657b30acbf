//! Accepting connections, with bounds on their number, their time and what they send.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Fields of a request's head.
const MAX_HEADERS: usize = 64;

/// Time for the answer under way when a connection is closed.
const GRACE: Duration = Duration::from_secs(2);

/// What all connections together, and each of them, may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at once; more wait in the system's queue.
    connections: usize,
    /// Time for a request's head to arrive; an idle connection is closed after it too.
    head: Duration,
    /// Time of a connection, however slowly its client reads; browsers and scrapers open another.
    connection: Duration,
}

/// The service's.
pub(super) const LIMITS: Limits = Limits {
    connections: 64,
    head: Duration::from_secs(10),
    connection: Duration::from_secs(60),
};

/// Answers by `router` until `shutdown`.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    loop {
        // Ended ones are taken off the list, so that it does not grow with every scrape.
        while open.try_join_next().is_some() {}
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            next = next => next,
            () = shutdown.cancelled() => break,
        };
        match (accepted, slot) {
            (Ok((stream, _)), Ok(slot)) => {
                open.spawn(answer(
                    stream,
                    router.clone(),
                    limits,
                    shutdown.clone(),
                    slot,
                ));
            }
            (Err(error), _) => {
                // Out of file descriptors, say: asking again at once would burn the processor.
                warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(200)).await;
            }
            (Ok(_), Err(_)) => break,
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn answer(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = shutdown.cancelled() => None,
        () = sleep(limits.connection) => None,
    };
    let ended = match ended {
        Some(ended) => Some(ended),
        None => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.ok()
        }
    };
    if let Some(Err(error)) = ended {
        debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const BOUND: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    async fn start(limits: Limits) -> (std::net::SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let router = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(serve(listener, router, limits, shutdown.clone()));
        (address, shutdown)
    }

    async fn connect(address: std::net::SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    async fn rest(stream: &mut TcpStream) -> Vec<u8> {
        let mut text = Vec::new();
        // A connection that is reset has ended as well.
        let _ = timeout(BOUND, stream.read_to_end(&mut text)).await.unwrap();
        text
    }

    #[tokio::test]
    async fn connections_that_say_half_or_nothing_are_closed_and_leave_room() {
        let limits = Limits {
            connections: 2,
            head: Duration::from_secs(2),
            ..LIMITS
        };
        let (address, _shutdown) = start(limits).await;
        let mut half = connect(address, b"GET / HT").await;
        let mut silent = connect(address, b"").await;
        let mut third = connect(address, REQUEST).await;
        let mut line = [0; 12];
        // While both places are taken, it waits.
        assert!(
            timeout(Duration::from_millis(100), third.read(&mut line))
                .await
                .is_err()
        );
        timeout(BOUND, third.read_exact(&mut line))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&line, b"HTTP/1.1 200");
        for stream in [&mut half, &mut silent] {
            assert!(!rest(stream).await.starts_with(b"HTTP/1.1 200"));
        }
    }

    #[tokio::test]
    async fn a_connection_ends_in_its_time_though_it_is_busy() {
        let limits = Limits {
            connection: Duration::from_millis(300),
            ..LIMITS
        };
        let (address, _shutdown) = start(limits).await;
        let mut busy = connect(address, REQUEST).await;
        let ended = timeout(BOUND, async {
            let mut part = [0; 1024];
            while busy.read(&mut part).await.is_ok_and(|read| read > 0) {
                if busy.write_all(REQUEST).await.is_err() {
                    break;
                }
            }
        });
        ended.await.unwrap();
    }
}
