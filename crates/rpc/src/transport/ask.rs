//! Typed requests, the check of a node's chain, and subscriptions.

use std::{fmt, sync::atomic::Ordering};

use alloy::{
    pubsub::RawSubscription,
    rpc::json_rpc::{Id, Request, RequestPacket, Response, ResponsePacket, ResponsePayload},
    transports::TransportError,
};
use alloy_primitives::{B256, U64};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout};

use super::{
    connection::Failure,
    failover::{Failover, Route},
};
use crate::{RpcError, error::shorten};

impl Failover {
    /// Asks for `method` and reads the result, on any node or one; says which one answered.
    pub(crate) async fn request<P, R>(
        &self,
        method: &'static str,
        params: &P,
        route: Route,
    ) -> Result<(usize, R), RpcError>
    where
        P: Serialize + Clone + fmt::Debug + Send + Sync + Unpin,
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
                .answered(&[method.to_owned()], began.elapsed());
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
        P: Serialize + Clone + fmt::Debug + Send + Sync + Unpin,
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
}
