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

/// Connections at once; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 64;

/// Bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Fields of a request's head.
const MAX_HEADERS: usize = 64;

/// Time for a request's head to arrive; an idle connection is closed after it too.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Time of a connection, however slowly its client reads; browsers and scrapers open another.
const CONNECTION_TIME: Duration = Duration::from_secs(60);

/// Time for the answer under way when a connection is closed.
const GRACE: Duration = Duration::from_secs(2);

/// Answers by `router` until `shutdown`.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
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
                open.spawn(answer(stream, router.clone(), shutdown.clone(), slot));
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
    shutdown: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = shutdown.cancelled() => None,
        () = sleep(CONNECTION_TIME) => None,
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
