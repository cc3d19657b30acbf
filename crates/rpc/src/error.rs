//! What can go wrong between us and a node, told apart by what to do about it.

use std::time::Duration;

use alloy::{
    rpc::json_rpc::{ErrorPayload, RpcError as AlloyError},
    transports::{TransportError, TransportErrorKind},
};
use alloy_primitives::Bytes;
use breakwater_bindings::describe_revert;

/// A request that brought no usable answer, after every attempt that was allowed. Endpoints are named without credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// No connection, or one that broke: the node may be down. A transaction may or may not have been sent.
    #[error("{endpoint} is unreachable: {reason}")]
    Unreachable {
        /// The last one asked.
        endpoint: String,
        /// The transport's words, without the URL.
        reason: String,
    },
    /// Connected, and silent for too long. A transaction may or may not have been sent.
    #[error("{endpoint} did not answer {method} within {after:?}")]
    Timeout {
        /// The last one asked.
        endpoint: String,
        /// The request.
        method: String,
        /// The limit that passed.
        after: Duration,
    },
    /// The node asks for fewer requests (HTTP 429, JSON-RPC -32005). Nothing was executed.
    #[error("{endpoint} limits the rate of {method}: {message}")]
    RateLimited {
        /// The last one asked.
        endpoint: String,
        /// The request.
        method: String,
        /// The node's words, cut to 200 characters.
        message: String,
    },
    /// An answer that is no JSON-RPC, or not of the type that the method has, or contradicts itself.
    #[error("{endpoint} gave a malformed answer to {method}: {reason}")]
    Malformed {
        /// The last one asked.
        endpoint: String,
        /// The request.
        method: String,
        /// What was expected and what came, cut to 200 characters.
        reason: String,
    },
    /// The node serves another chain.
    #[error("{endpoint} serves chain {found}, expected {expected}")]
    WrongChain {
        /// Which one.
        endpoint: String,
        /// The chain of the configuration.
        expected: u64,
        /// What it answered.
        found: u64,
    },
    /// The EVM reverted the call.
    #[error("reverted: {}", describe_revert(.data).unwrap_or_else(|| .data.to_string()))]
    Reverted {
        /// The revert's data, empty if there was none.
        data: Bytes,
    },
    /// Any other error that the node answers with: its own judgement of our request.
    #[error("{endpoint} refused {method}: {message} (code {code})")]
    Refused {
        /// Which one.
        endpoint: String,
        /// The request.
        method: String,
        /// JSON-RPC error code.
        code: i64,
        /// The node's words, cut to 200 characters.
        message: String,
    },
}

impl RpcError {
    /// A short name of the variant, for counters.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Timeout { .. } => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Malformed { .. } => "malformed",
            Self::WrongChain { .. } => "wrong_chain",
            Self::Reverted { .. } => "reverted",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether asking again later can bring an answer without anything being changed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::RateLimited { .. }
                | Self::Malformed { .. }
        )
    }

    /// Whether a range of logs was refused for its size: ask for a shorter one. Nodes have no common code for it, so this
    /// goes by what geth, erigon, nethermind, reth and the large providers say.
    #[must_use]
    pub fn is_range_too_large(&self) -> bool {
        match self {
            Self::Refused { message, .. } | Self::RateLimited { message, .. } => {
                is_range_message(message)
            }
            _ => false,
        }
    }

    /// Reads what a [provider](crate::Client::provider) over this crate's transport failed with.
    #[must_use]
    pub fn from_transport(method: &str, error: TransportError) -> Self {
        let unknown = || "the provider".to_owned();
        match error {
            AlloyError::Transport(TransportErrorKind::Custom(cause)) => {
                match cause.downcast::<Self>() {
                    Ok(known) => *known,
                    Err(cause) => Self::Unreachable {
                        endpoint: unknown(),
                        reason: shorten(&cause.to_string()),
                    },
                }
            }
            AlloyError::ErrorResp(payload) => Self::from_payload(unknown(), method, &payload),
            AlloyError::Transport(other) => Self::Unreachable {
                endpoint: unknown(),
                reason: shorten(&other.to_string()),
            },
            other => Self::Malformed {
                endpoint: unknown(),
                method: method.to_owned(),
                reason: shorten(&other.to_string()),
            },
        }
    }

    /// Reads an error that a node answered `method` with.
    pub(crate) fn from_payload(endpoint: String, method: &str, payload: &ErrorPayload) -> Self {
        let message = shorten(&payload.message);
        if let Some(data) = revert_data(method, payload) {
            return Self::Reverted { data };
        }
        if is_rate_limit(method, payload) {
            return Self::RateLimited {
                endpoint,
                method: method.to_owned(),
                message,
            };
        }
        Self::Refused {
            endpoint,
            method: method.to_owned(),
            code: payload.code,
            message,
        }
    }
}

/// The data of a revert: code 3 (geth and its followers), or a message that says so (anvil and nethermind send others).
fn revert_data(method: &str, payload: &ErrorPayload) -> Option<Bytes> {
    if !matches!(
        method,
        "eth_call" | "eth_estimateGas" | "eth_createAccessList"
    ) {
        return None;
    }
    let says_so = payload.code == 3 || payload.message.to_lowercase().contains("revert");
    says_so.then(|| payload.as_revert_data().unwrap_or_default())
}

/// Infura, Alchemy, QuickNode and others use -32005 or 429 for a rate; some use -32005 for a range of logs too, which no
/// waiting shortens, and Besu for a transaction whose gas does not fit into a block, which no waiting shrinks: there the words count.
fn is_rate_limit(method: &str, payload: &ErrorPayload) -> bool {
    let message = payload.message.to_lowercase();
    if is_range_message(&message) {
        return false;
    }
    payload.code == 429
        || (payload.code == -32005 && !method.starts_with("eth_send"))
        || [
            "rate limit",
            "rate exceeded",
            "request count exceeded",
            "slow down",
            "too many requests",
            "exceeded its compute units",
            "request limit",
        ]
        .iter()
        .any(|phrase| message.contains(phrase))
}

fn is_range_message(message: &str) -> bool {
    let message = message.to_lowercase();
    [
        "query returned more than",
        "too many results",
        "too many logs",
        "max results",
        "block range",
        "range is too large",
        "range too large",
        "exceed maximum block range",
        "exceeds the range",
        "response size",
        "logs matched by query exceeds",
        "query timeout",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
}

/// Keeps a node's words from filling our logs.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// No usable chain at start.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing to connect to.
    #[error("no endpoint is configured: give at least one URL")]
    NoEndpoint,
    /// A limit of zero.
    #[error("{what} is zero: give a positive value")]
    ZeroLimit {
        /// Which of the limits.
        what: &'static str,
    },
    /// An endpoint serves another chain: a mistake in the configuration, whatever the others say.
    #[error("{endpoint} serves chain {found}, the configuration says {expected}")]
    WrongChain {
        /// Which one.
        endpoint: String,
        /// The chain of the configuration.
        expected: u64,
        /// What it answered.
        found: u64,
    },
    /// None of them answered; the reasons by endpoint.
    #[error("none of the endpoints answers: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    AllFailed(Vec<RpcError>),
    /// The HTTP client could not be set up (TLS roots, for example).
    #[error("no HTTP client: {0}")]
    HttpClient(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, code: i64, message: &str) -> RpcError {
        let payload = ErrorPayload {
            code,
            message: message.to_owned().into(),
            data: None,
        };
        RpcError::from_payload("node".to_owned(), method, &payload)
    }

    #[test]
    fn tells_a_long_range_from_a_high_rate() {
        // Infura says -32005 to both.
        let range = read(
            "eth_getLogs",
            -32005,
            "query returned more than 10000 results. Try with this block range [0x1, 0x2].",
        );
        assert!(range.is_range_too_large() && range.kind() == "refused");
        let rate = read(
            "eth_getLogs",
            -32005,
            "daily request count exceeded, request rate limited",
        );
        assert!(!rate.is_range_too_large() && rate.kind() == "rate_limited");
        assert_eq!(
            read(
                "eth_call",
                429,
                "Your app has exceeded its compute units per second capacity"
            )
            .kind(),
            "rate_limited"
        );
        assert!(
            read("eth_getLogs", -32602, "exceed maximum block range: 50000").is_range_too_large()
        );
        assert!(read("eth_getLogs", -32602, "Log response size exceeded.").is_range_too_large());
    }

    #[test]
    fn tells_a_transaction_that_is_refused_from_a_high_rate() {
        let send = |code, message| read("eth_sendRawTransaction", code, message).kind();
        // Besu says -32005 to it.
        assert_eq!(
            send(-32005, "Transaction gas limit exceeds block gas limit"),
            "refused"
        );
        for message in [
            "daily request count exceeded, request rate limited",
            "project ID request rate exceeded",
            "slow down",
        ] {
            assert_eq!(send(-32005, message), "rate_limited", "{message}");
        }
        assert_eq!(send(429, "exceeded its capacity"), "rate_limited");
        assert_eq!(
            read("eth_call", -32005, "capacity").kind(),
            "rate_limited",
            "of what is only read, the code says enough"
        );
    }

    #[test]
    fn a_revert_is_one_only_of_a_call() {
        assert_eq!(
            read("eth_call", 3, "execution reverted"),
            RpcError::Reverted { data: Bytes::new() }
        );
        assert_eq!(
            read("eth_getLogs", -32000, "reverted index").kind(),
            "refused"
        );
    }

    #[test]
    fn shortens_at_characters() {
        assert_eq!(shorten(&"é".repeat(300)).chars().count(), 201);
        assert_eq!(shorten("short"), "short");
    }
}
