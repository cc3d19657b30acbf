//! The one way to a chain.

mod call;

use std::{fmt, sync::Arc};

use alloy::{
    network::Ethereum,
    providers::{DynProvider, Provider, RootProvider},
    rpc::client::RpcClient,
};
use futures_util::future::join_all;
use serde::{Serialize, de::DeserializeOwned};

pub use call::{CallReverted, Multicall3, TargetCall};

use crate::{
    ConnectError, Endpoints, RpcError,
    health::Health,
    transport::{Failover, Route, http_client},
};

/// A connected chain. Cheap to clone; the clones share connections, standings and counters.
#[derive(Clone)]
pub struct Client {
    failover: Failover,
    provider: DynProvider<Ethereum>,
    endpoints: Arc<Endpoints>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// Connects to every endpoint at once and checks that each that answers serves the configured chain. One that answers
/// suffices; the others are probed later, and their chain checked then.
///
/// # Errors
/// [`ConnectError`]: no endpoint, a zero limit, one of them serves another chain, or none answers.
pub async fn connect(endpoints: &Endpoints) -> Result<Client, ConnectError> {
    if endpoints.urls.is_empty() {
        return Err(ConnectError::NoEndpoint);
    }
    for (what, zero) in [
        ("request_timeout", endpoints.request_timeout.is_zero()),
        ("attempts", endpoints.attempts == 0),
        ("backoff", endpoints.backoff.is_zero()),
        ("cooldown", endpoints.cooldown.is_zero()),
        ("poll_interval", endpoints.poll_interval.is_zero()),
    ] {
        if zero {
            return Err(ConnectError::ZeroLimit { what });
        }
    }
    let failover = Failover::new(endpoints.clone(), &http_client()?);
    let checks = join_all((0..failover.len()).map(|node| failover.verify(node))).await;
    let reached = checks.iter().any(Result::is_ok);
    let mut failed = Vec::new();
    for error in checks.into_iter().filter_map(Result::err) {
        match error {
            RpcError::WrongChain {
                endpoint,
                expected,
                found,
            } => {
                return Err(ConnectError::WrongChain {
                    endpoint,
                    expected,
                    found,
                });
            }
            other => failed.push(other),
        }
    }
    if !reached {
        return Err(ConnectError::AllFailed(failed));
    }
    let rpc = RpcClient::new(failover.clone(), false).with_poll_interval(endpoints.poll_interval);
    let provider = RootProvider::<Ethereum>::new(rpc).erased();
    Ok(Client {
        failover,
        provider,
        endpoints: Arc::new(endpoints.clone()),
    })
}

impl Client {
    /// The chain that every endpoint was checked for.
    #[must_use]
    pub fn chain_id(&self) -> u64 {
        self.endpoints.chain_id
    }

    /// The limits it was connected with.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// An alloy provider over the same nodes: no fillers, no wallet, no subscriptions. Its errors are read by
    /// [`RpcError::from_transport`]. Reads are repeated on failure; `eth_send*` only if the failure shows that the node
    /// did not take it (connection refused, rate limit).
    #[must_use]
    pub fn provider(&self) -> &DynProvider<Ethereum> {
        &self.provider
    }

    /// What was asked so far, and how it went.
    #[must_use]
    pub fn health(&self) -> Health {
        self.failover.health()
    }

    /// Any method, with its result read as `R`: an answer of another shape counts as malformed and is asked for elsewhere.
    ///
    /// # Errors
    /// [`RpcError`], after every allowed attempt.
    pub async fn request<P, R>(&self, method: &'static str, params: P) -> Result<R, RpcError>
    where
        P: Serialize + Clone + fmt::Debug + Send + Sync + Unpin,
        R: DeserializeOwned,
    {
        self.failover
            .request(method, &params, Route::default())
            .await
            .map(|(_, value)| value)
    }

    pub(crate) fn failover(&self) -> &Failover {
        &self.failover
    }
}
