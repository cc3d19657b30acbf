//! One node: an HTTP client, or a WebSocket that is opened when it is needed.

use alloy::{
    pubsub::{PubSubConnect, PubSubFrontend},
    rpc::json_rpc::{RequestPacket, ResponsePacket},
    transports::{
        TransportError,
        http::reqwest::{self, StatusCode, header::RETRY_AFTER},
        ws::WsConnect,
    },
};
use std::time::Duration;
use tokio::sync::Mutex;

use crate::{ConnectError, Endpoint, RpcError, error::shorten};

/// The largest body that is read: ten times the largest answer that a log range should give.
const MAX_BODY: usize = 128 << 20;

/// Why one attempt at one node brought nothing.
#[derive(Debug)]
pub(crate) struct Failure {
    pub error: RpcError,
    /// The request surely did not take effect, so that even a transaction may be sent elsewhere.
    pub untouched: bool,
    /// How long the node asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Failure {
    fn maybe(error: RpcError) -> Self {
        Self {
            error,
            untouched: false,
            retry_after: None,
        }
    }

    fn untouched(error: RpcError) -> Self {
        Self {
            error,
            untouched: true,
            retry_after: None,
        }
    }
}

/// The HTTP client that all nodes share. Proxies of the environment are obeyed, redirects are not: they could lead a signed
/// transaction or a key to another host.
pub(crate) fn http_client() -> Result<reqwest::Client, ConnectError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|cause| ConnectError::HttpClient(cause.without_url().to_string()))
}

#[derive(Debug)]
pub(crate) enum Connection {
    Http(reqwest::Client),
    /// `None` until first used and after a failure.
    WebSocket(Mutex<Option<PubSubFrontend>>),
}

impl Connection {
    pub(crate) fn new(endpoint: &Endpoint, http: &reqwest::Client) -> Self {
        if endpoint.is_websocket() {
            Self::WebSocket(Mutex::new(None))
        } else {
            Self::Http(http.clone())
        }
    }

    /// Sends once. The caller limits the time.
    pub(crate) async fn send(
        &self,
        endpoint: &Endpoint,
        packet: RequestPacket,
    ) -> Result<ResponsePacket, Failure> {
        match self {
            Self::Http(client) => post(client, endpoint, &packet).await,
            Self::WebSocket(_) => {
                let socket = self.socket(endpoint).await?;
                let method = first_method(&packet);
                socket
                    .send_packet(packet)
                    .await
                    .map_err(|cause| Failure::maybe(socket_error(endpoint, &method, cause)))
            }
        }
    }

    /// The open WebSocket, opened now if need be.
    pub(crate) async fn socket(&self, endpoint: &Endpoint) -> Result<PubSubFrontend, Failure> {
        let Self::WebSocket(slot) = self else {
            let reason = "it cannot push: not a WebSocket".to_owned();
            return Err(Failure::untouched(RpcError::Unreachable {
                endpoint: endpoint.to_string(),
                reason,
            }));
        };
        let mut slot = slot.lock().await;
        if let Some(open) = slot.as_ref() {
            return Ok(open.clone());
        }
        // One immediate reconnect by alloy; after that we open a new one, at a time of our choosing.
        let opened = WsConnect::new(endpoint.url().as_str())
            .with_max_retries(1)
            .into_service()
            .await;
        let opened = opened.map_err(|cause| {
            let reason = shorten(&cause.to_string());
            Failure::untouched(RpcError::Unreachable {
                endpoint: endpoint.to_string(),
                reason,
            })
        })?;
        Ok(slot.insert(opened).clone())
    }

    /// Forgets an open WebSocket, which closes once its last request and subscription are gone.
    pub(crate) fn close(&self) {
        // Locked only while somebody opens it, and then there is nothing old to forget.
        if let Self::WebSocket(slot) = self
            && let Ok(mut slot) = slot.try_lock()
        {
            *slot = None;
        }
    }
}

fn first_method(packet: &RequestPacket) -> String {
    packet
        .method_names()
        .next()
        .unwrap_or("an empty batch")
        .to_owned()
}

fn socket_error(endpoint: &Endpoint, method: &str, cause: TransportError) -> RpcError {
    let reason = shorten(&cause.to_string());
    if cause.is_deser_error() {
        RpcError::Malformed {
            endpoint: endpoint.to_string(),
            method: method.to_owned(),
            reason,
        }
    } else {
        RpcError::Unreachable {
            endpoint: endpoint.to_string(),
            reason,
        }
    }
}

/// Not alloy's own HTTP transport: that writes the URL, which may hold a key, into errors and spans.
async fn post(
    client: &reqwest::Client,
    endpoint: &Endpoint,
    packet: &RequestPacket,
) -> Result<ResponsePacket, Failure> {
    let unreachable = |cause: reqwest::Error| {
        let untouched = cause.is_connect() || cause.is_builder();
        let cause = cause.without_url();
        let mut reason = cause.to_string();
        let mut source = std::error::Error::source(&cause);
        while let Some(inner) = source {
            reason = format!("{reason}: {inner}");
            source = inner.source();
        }
        let error = RpcError::Unreachable {
            endpoint: endpoint.to_string(),
            reason: shorten(&reason),
        };
        Failure {
            error,
            untouched,
            retry_after: None,
        }
    };
    let malformed = |reason: String| {
        Failure::maybe(RpcError::Malformed {
            endpoint: endpoint.to_string(),
            method: first_method(packet),
            reason,
        })
    };
    let mut response = client
        .post(endpoint.url().clone())
        .json(packet)
        .send()
        .await
        .map_err(unreachable)?;
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(malformed(format!("more than {MAX_BODY} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let error = RpcError::RateLimited {
            endpoint: endpoint.to_string(),
            method: first_method(packet),
            message: shorten(&format!("HTTP 429: {}", String::from_utf8_lossy(&body))),
        };
        return Err(Failure {
            error,
            untouched: true,
            retry_after,
        });
    }
    match serde_json::from_slice::<ResponsePacket>(&body) {
        // Some nodes put JSON-RPC errors into HTTP errors.
        Ok(answer) if status.is_success() || is_error(&answer) => Ok(answer),
        Err(cause) if status.is_success() => Err(malformed(shorten(&format!(
            "{cause} in {:?}",
            String::from_utf8_lossy(&body)
        )))),
        _ => Err(Failure {
            error: RpcError::Unreachable {
                endpoint: endpoint.to_string(),
                reason: shorten(&format!(
                    "HTTP {status}: {}",
                    String::from_utf8_lossy(&body)
                )),
            },
            untouched: false,
            retry_after,
        }),
    }
}

fn is_error(answer: &ResponsePacket) -> bool {
    matches!(answer, ResponsePacket::Single(response) if response.is_error())
}
