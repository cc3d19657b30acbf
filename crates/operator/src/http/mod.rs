//! `/health`, `/ready`, `/metrics`, `/status.json` and the page, on loopback unless told otherwise.
//!
//! There is no password, and nothing can be changed through it. A web page elsewhere can make the operator's browser ask a
//! loopback address, so requests under a foreign name are refused (DNS rebinding), no other origin may read an answer, and
//! the page runs no script and loads nothing but its own.

mod connections;
mod guard;
mod pages;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::HttpConfig;
use crate::metrics::Latencies;
use crate::redact::Redactor;
use crate::status::Status;
use guard::Hosts;

/// A service that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is not loopback and nobody allowed that.
    #[error(
        "http.listen is {address}, expected a loopback address, or http.allow_non_loopback = true"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; is another keeper running?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// What is served.
#[derive(Clone, Debug)]
pub struct View {
    /// The keeper's latest word. When its sender is dropped, the keeper is taken for dead.
    pub status: watch::Receiver<Status>,
    /// What the keeper measures itself.
    pub latencies: Latencies,
    /// When a head is stale.
    pub max_head_age: Duration,
    /// Hides nodes' credentials in whatever is served.
    pub redactor: Redactor,
}

/// A service that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    hosts: Hosts,
}

impl Server {
    /// Takes the address, so that a port in use is known before anything else starts.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn bind(config: &HttpConfig) -> Result<Self, HttpError> {
        let address = config.listen;
        if !address.ip().is_loopback() && !config.allow_non_loopback {
            return Err(HttpError::NotLoopback { address });
        }
        let failed = |source| HttpError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            hosts: Hosts::new(address.ip(), &config.allowed_hosts),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is cancelled; then ends what is under way, within two seconds.
    pub async fn run(self, view: View, shutdown: CancellationToken) {
        let router = Router::new()
            .route("/", get(pages::page))
            .route("/page.css", get(pages::style))
            .route("/page.js", get(pages::script))
            .route("/health", get(pages::health))
            .route("/ready", get(pages::ready))
            .route("/metrics", get(pages::metrics))
            .route("/status.json", get(pages::status))
            .with_state(view)
            .layer(axum::middleware::from_fn_with_state(
                self.hosts,
                guard::check,
            ));
        connections::serve(self.listener, router, connections::LIMITS, shutdown).await;
    }
}
