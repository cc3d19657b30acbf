//! The nodes of one chain behind one transport: the preferred one that works answers, the next one if it fails.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use alloy::{
    pubsub::RawSubscription,
    rpc::json_rpc::{Id, Request, RequestPacket, Response, ResponsePacket, ResponsePayload},
    transports::{TransportError, TransportErrorKind, TransportFut, http::reqwest},
};
use alloy_primitives::{B256, U64};
use serde::{Serialize, de::DeserializeOwned};
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
    /// Only this one.
    pub node: Option<usize>,
    /// Once, whatever the configuration says.
    pub once: bool,
}

impl Route {
    pub(crate) const fn on(node: usize) -> Self {
        Self {
            node: Some(node),
            once: false,
        }
    }

    pub(crate) const fn once(self) -> Self {
        Self { once: true, ..self }
    }
}

#[derive(Debug)]
struct Node {
    endpoint: Endpoint,
    connection: Connection,
    standing: Mutex<Standing>,
}

impl Node {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transport over several nodes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Failover(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    nodes: Vec<Node>,
    limits: Endpoints,
    counters: Counters,
    next_id: AtomicU64,
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

    /// Asks for `method` and reads the result, on any node or one; says which one answered.
    pub(crate) async fn request<P, R>(
        &self,
        method: &'static str,
        params: &P,
        route: Route,
    ) -> Result<(usize, R), RpcError>
    where
        P: Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin,
        R: DeserializeOwned,
    {
        let packet = self.packet(method, params)?;
        let (node, answer) = self
            .deliver(packet, route, |answer| {
                let ResponsePacket::Single(response) = answer else {
                    return Err("a batch in answer to a single request".to_owned());
                };
                match response.payload {
                    ResponsePayload::Success(value) => serde_json::from_str::<R>(value.get())
                        .map(Ok)
                        .map_err(|cause| format!("{cause} in {}", value.get())),
                    ResponsePayload::Failure(payload) => Ok(Err(payload)),
                }
            })
            .await?;
        answer.map(|value| (node, value)).map_err(|payload| {
            let error = RpcError::from_payload(self.name(node), method, &payload);
            self.count_error(method, &error);
            error
        })
    }

    /// Checks a node's chain.
    pub(crate) async fn verify(&self, node: usize) -> Result<(), RpcError> {
        let packet = self.packet("eth_chainId", &())?;
        let fail = |failure: Failure| {
            self.strike(node, failure.error.to_string(), failure.retry_after, true);
            failure.error
        };
        let answer = self.attempt(node, packet).await.map_err(fail)?;
        let found = match answer {
            ResponsePacket::Single(Response {
                payload: ResponsePayload::Success(value),
                ..
            }) => serde_json::from_str::<U64>(value.get())
                .map_err(|cause| format!("{cause} in {}", value.get())),
            ResponsePacket::Single(Response {
                payload: ResponsePayload::Failure(payload),
                ..
            }) => {
                let error = RpcError::from_payload(self.name(node), "eth_chainId", &payload);
                self.strike(node, error.to_string(), None, true);
                return Err(error);
            }
            ResponsePacket::Batch(_) => Err("a batch in answer to a single request".to_owned()),
        };
        let found = found.map_err(|reason| {
            let error = self.malformed(node, "eth_chainId", &reason);
            self.strike(node, error.to_string(), None, true);
            error
        })?;
        let expected = self.0.limits.chain_id;
        if found.to::<u64>() != expected {
            let error = RpcError::WrongChain {
                endpoint: self.name(node),
                expected,
                found: found.to(),
            };
            self.strike(node, error.to_string(), None, true);
            return Err(error);
        }
        self.rise(node);
        Ok(())
    }

    /// New heads of a WebSocket node.
    pub(crate) async fn subscribe_heads(&self, node: usize) -> Result<RawSubscription, RpcError> {
        let limit = self.0.limits.request_timeout;
        let target = &self.0.nodes[node];
        let method = "eth_subscribe";
        let open = async {
            let socket = target
                .connection
                .socket(&target.endpoint)
                .await
                .map_err(|failure| failure.error)?;
            let id = Id::Number(self.0.next_id.fetch_add(1, Ordering::Relaxed));
            let request = Request::new(method, id, ("newHeads",))
                .serialize()
                .map_err(|cause| self.malformed(node, method, &cause.to_string()))?;
            self.0.counters.sent(node, &[method.to_owned()]);
            let broken = |cause: TransportError| RpcError::Unreachable {
                endpoint: self.name(node),
                reason: shorten(&cause.to_string()),
            };
            let began = Instant::now();
            let answer = socket.send(request).await.map_err(broken)?;
            self.0
                .counters
                .answered(node, &[method.to_owned()], began.elapsed());
            let alias: B256 = match answer.payload {
                ResponsePayload::Success(value) => serde_json::from_str(value.get())
                    .map_err(|cause| self.malformed(node, method, &cause.to_string()))?,
                ResponsePayload::Failure(payload) => {
                    return Err(RpcError::from_payload(self.name(node), method, &payload));
                }
            };
            socket.get_subscription(alias).await.map_err(broken)
        };
        match timeout(limit, open).await {
            Ok(Ok(subscription)) => Ok(subscription),
            Ok(Err(error)) => {
                self.count_error(method, &error);
                self.strike(node, error.to_string(), None, error.is_transient());
                Err(error)
            }
            Err(_) => {
                let error = self.timed_out(node, method);
                self.count_error(method, &error);
                self.strike(node, error.to_string(), None, true);
                Err(error)
            }
        }
    }

    fn packet<P>(&self, method: &'static str, params: &P) -> Result<RequestPacket, RpcError>
    where
        P: Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin,
    {
        let id = Id::Number(self.0.next_id.fetch_add(1, Ordering::Relaxed));
        let request = Request::new(method, id, params.clone()).serialize();
        Ok(RequestPacket::Single(request.map_err(|cause| {
            RpcError::Malformed {
                endpoint: "nobody was asked".to_owned(),
                method: method.to_owned(),
                reason: cause.to_string(),
            }
        })?))
    }

    /// Sends `packet` until a node gives an answer that `read` accepts.
    async fn deliver<T>(
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
                Some(node) => node,
                None => self.choose(&tried),
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
                        Ok(value) => return Ok((node, value)),
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
    async fn attempt(&self, node: usize, packet: RequestPacket) -> Result<ResponsePacket, Failure> {
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
                self.0.counters.answered(node, &methods, began.elapsed());
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

    fn malformed(&self, node: usize, method: &str, reason: &str) -> RpcError {
        RpcError::Malformed {
            endpoint: self.name(node),
            method: method.to_owned(),
            reason: shorten(reason),
        }
    }

    fn timed_out(&self, node: usize, method: &str) -> RpcError {
        RpcError::Timeout {
            endpoint: self.name(node),
            method: method.to_owned(),
            after: self.0.limits.request_timeout,
        }
    }

    fn rise(&self, node: usize) {
        self.0.nodes[node].standing().rise();
        self.0.counters.up(node);
    }

    fn strike(&self, node: usize, reason: String, asked: Option<Duration>, verify: bool) {
        let target = &self.0.nodes[node];
        tracing::warn!(endpoint = %target.endpoint, reason, "endpoint failed");
        target
            .standing()
            .strike(Instant::now(), self.0.limits.cooldown, asked, verify);
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
