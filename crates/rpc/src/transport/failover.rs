//! The nodes of one chain behind one transport: the preferred one that works answers, the next one if it fails.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    task::{Context, Poll},
    time::Duration,
};

use alloy::{
    rpc::json_rpc::{RequestPacket, ResponsePacket, ResponsePayload},
    transports::{TransportError, TransportErrorKind, TransportFut, http::reqwest},
};
use tokio::time::{Instant, sleep, timeout};
use tower::Service;

use super::{
    connection::{Connection, Failure},
    standing::Standing,
};
use crate::{
    Endpoint, Endpoints, RpcError,
    error::shorten,
    health::{Counters, Health},
};

/// Which nodes may answer a request, and how often it is tried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Route {
    /// This one.
    pub node: Option<usize>,
    /// Any other too, after this one failed or while it is left alone.
    pub others: bool,
    /// Once, whatever the configuration says.
    pub once: bool,
}

impl Route {
    /// No other than this one.
    pub(crate) const fn on(node: usize) -> Self {
        Self {
            node: Some(node),
            others: false,
            once: false,
        }
    }

    /// This one before the others.
    pub(crate) const fn first(node: usize) -> Self {
        Self {
            others: true,
            ..Self::on(node)
        }
    }

    pub(crate) const fn once(self) -> Self {
        Self { once: true, ..self }
    }
}

#[derive(Debug)]
pub(super) struct Node {
    pub endpoint: Endpoint,
    pub connection: Connection,
    standing: Mutex<Standing>,
}

impl Node {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transport over several nodes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Failover(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub nodes: Vec<Node>,
    pub limits: Endpoints,
    pub counters: Counters,
    pub next_id: AtomicU64,
}

impl Failover {
    pub(crate) fn new(limits: Endpoints, http: &reqwest::Client) -> Self {
        let now = Instant::now();
        let nodes = limits.urls.iter().map(|endpoint| Node {
            endpoint: endpoint.clone(),
            connection: Connection::new(endpoint, http),
            standing: Mutex::new(Standing::unknown(now)),
        });
        let nodes: Vec<_> = nodes.collect();
        let counters = Counters::new(nodes.iter().map(|node| node.endpoint.to_string()));
        // Far from alloy's own counter, which starts at 0: both number requests on the same WebSocket.
        Self(Arc::new(Inner {
            nodes,
            limits,
            counters,
            next_id: AtomicU64::new(1 << 40),
        }))
    }

    pub(crate) fn health(&self) -> Health {
        self.0.counters.snapshot()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.nodes.len()
    }

    pub(crate) fn is_up(&self, node: usize) -> bool {
        self.0.nodes[node].standing().is_up()
    }

    pub(crate) fn name(&self, node: usize) -> String {
        self.0.nodes[node].endpoint.to_string()
    }

    /// The WebSockets that answer, the preferred first.
    pub(crate) fn pushing(&self) -> Vec<usize> {
        let nodes = self.0.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| node.endpoint.is_websocket() && node.standing().is_up())
            .map(|(index, _)| index)
            .collect()
    }

    /// A node answered, and cannot be believed or used: leaves it alone for a while.
    pub(crate) fn distrust(&self, node: usize, reason: &str) {
        self.strike(node, reason.to_owned(), None, false);
    }

    pub(crate) fn count_error(&self, method: &str, error: &RpcError) {
        self.0.counters.error(&[method.to_owned()], error);
    }

    pub(crate) fn count_pushed(&self) {
        self.0.counters.pushed();
    }

    /// Sends `packet` until a node gives an answer that `read` accepts.
    pub(super) async fn deliver<T>(
        &self,
        packet: RequestPacket,
        route: Route,
        read: impl Fn(ResponsePacket) -> Result<T, String>,
    ) -> Result<(usize, T), RpcError> {
        let methods: Vec<String> = packet.method_names().map(str::to_owned).collect();
        let method = methods.first().map_or("an empty batch", String::as_str);
        let repeatable = methods.iter().all(|method| is_repeatable(method));
        let attempts = if route.once {
            1
        } else {
            self.0.limits.attempts
        };
        let mut tried = Vec::new();
        let mut wait = self.0.limits.backoff;
        for attempt in 1.. {
            let node = match route.node {
                Some(node) if !route.others || attempt == 1 && self.is_up(node) => node,
                _ => self.choose(&tried),
            };
            if tried.contains(&node) {
                sleep(wait).await;
                wait = (wait * 2).min(self.0.limits.backoff_cap);
                tried.clear();
            }
            tried.push(node);
            let failure = match self.attempt_verified(node, packet.clone()).await {
                Ok(answer) => match self.limited(node, method, &answer) {
                    Some(error) => Failure {
                        error,
                        untouched: true,
                        retry_after: None,
                    },
                    None => match read(answer) {
                        Ok(value) => {
                            self.0.counters.served(node);
                            return Ok((node, value));
                        }
                        Err(reason) => {
                            let error = self.malformed(node, method, &reason);
                            Failure {
                                error,
                                untouched: false,
                                retry_after: None,
                            }
                        }
                    },
                },
                Err(failure) => failure,
            };
            self.0.counters.error(&methods, &failure.error);
            if !matches!(failure.error, RpcError::WrongChain { .. }) {
                let verify = matches!(
                    failure.error,
                    RpcError::Unreachable { .. } | RpcError::Timeout { .. }
                );
                self.strike(node, failure.error.to_string(), failure.retry_after, verify);
            }
            if attempt >= attempts || !(repeatable || failure.untouched) {
                return Err(failure.error);
            }
            if let Some(asked) = failure.retry_after {
                wait = wait.max(asked.min(self.0.limits.backoff_cap));
            }
        }
        unreachable!("the last attempt returns")
    }

    /// The preferred node that works and was not tried yet; if none works, the one whose pause ends first.
    fn choose(&self, tried: &[usize]) -> usize {
        let now = Instant::now();
        let mut waiting = None;
        let mut again = None;
        for (index, node) in self.0.nodes.iter().enumerate() {
            let mut standing = node.standing();
            if standing.is_up() {
                if !tried.contains(&index) {
                    return index;
                }
                again = again.or(Some(index));
                continue;
            }
            if !tried.contains(&index) && waiting.is_none_or(|(until, _)| standing.until() < until)
            {
                waiting = Some((standing.until(), index));
            }
            if standing.take_probe(now) {
                let this = self.clone();
                // Nobody waits for it: a request does not pay for finding out whether a node is back.
                tokio::spawn(async move { this.verify(index).await });
            }
        }
        waiting
            .map(|(_, index)| index)
            .or(again)
            .unwrap_or_else(|| tried.first().copied().unwrap_or_default())
    }

    async fn attempt_verified(
        &self,
        node: usize,
        packet: RequestPacket,
    ) -> Result<ResponsePacket, Failure> {
        if !self.0.nodes[node].standing().is_verified() {
            self.verify(node).await.map_err(|error| Failure {
                error,
                untouched: true,
                retry_after: None,
            })?;
        }
        let answer = self.attempt(node, packet).await?;
        if !self.is_up(node) {
            self.rise(node);
        }
        Ok(answer)
    }

    /// Once, counted and limited in time.
    pub(super) async fn attempt(
        &self,
        node: usize,
        packet: RequestPacket,
    ) -> Result<ResponsePacket, Failure> {
        let methods: Vec<String> = packet.method_names().map(str::to_owned).collect();
        let target = &self.0.nodes[node];
        self.0.counters.sent(node, &methods);
        let began = Instant::now();
        let expected = packet.len();
        match timeout(
            self.0.limits.request_timeout,
            target.connection.send(&target.endpoint, packet),
        )
        .await
        {
            Ok(Ok(answer)) if answer.responses().len() == expected => {
                self.0.counters.answered(&methods, began.elapsed());
                Ok(answer)
            }
            Ok(Ok(answer)) => {
                let method = methods.first().map_or("an empty batch", String::as_str);
                let reason = format!(
                    "{} answers to {expected} requests",
                    answer.responses().len()
                );
                Err(Failure {
                    error: self.malformed(node, method, &reason),
                    untouched: false,
                    retry_after: None,
                })
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => {
                let method = methods.first().map_or("an empty batch", String::as_str);
                Err(Failure {
                    error: self.timed_out(node, method),
                    untouched: false,
                    retry_after: None,
                })
            }
        }
    }

    /// A rate limit inside a JSON-RPC answer.
    fn limited(&self, node: usize, method: &str, answer: &ResponsePacket) -> Option<RpcError> {
        answer.responses().iter().find_map(|response| {
            let ResponsePayload::Failure(payload) = &response.payload else {
                return None;
            };
            let error = RpcError::from_payload(self.name(node), method, payload);
            matches!(error, RpcError::RateLimited { .. }).then_some(error)
        })
    }

    pub(super) fn malformed(&self, node: usize, method: &str, reason: &str) -> RpcError {
        RpcError::Malformed {
            endpoint: self.name(node),
            method: method.to_owned(),
            reason: shorten(reason),
        }
    }

    pub(super) fn timed_out(&self, node: usize, method: &str) -> RpcError {
        RpcError::Timeout {
            endpoint: self.name(node),
            method: method.to_owned(),
            after: self.0.limits.request_timeout,
        }
    }

    pub(super) fn rise(&self, node: usize) {
        let target = &self.0.nodes[node];
        target.standing().rise();
        tracing::info!(endpoint = %target.endpoint, "endpoint answers");
        self.0.counters.up(node);
    }

    pub(super) fn strike(
        &self,
        node: usize,
        reason: String,
        asked: Option<Duration>,
        verify: bool,
    ) {
        let target = &self.0.nodes[node];
        let mut standing = target.standing();
        if standing.is_up() {
            tracing::warn!(endpoint = %target.endpoint, reason, "endpoint failed");
        } else {
            tracing::debug!(endpoint = %target.endpoint, reason, "endpoint still fails");
        }
        standing.strike(Instant::now(), self.0.limits.cooldown, asked, verify);
        drop(standing);
        if verify {
            target.connection.close();
        }
        self.0.counters.failed(node, reason);
    }
}

/// Whether asking twice is the same as asking once. Sends are not repeated here: whether a transaction whose answer was lost
/// was taken is for its sender to find out. Neither are a test node's commands.
fn is_repeatable(method: &str) -> bool {
    let reads = ["eth_", "net_", "web3_", "debug_trace"]
        .iter()
        .any(|prefix| method.starts_with(prefix));
    reads
        && !method.starts_with("eth_send")
        && !method.starts_with("eth_subscribe")
        && !method.contains("ilter")
}

impl Service<RequestPacket> for Failover {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let delivered = this.deliver(packet, Route::default(), Ok).await;
            delivered
                .map(|(_, answer)| answer)
                .map_err(TransportErrorKind::custom)
        })
    }
}
