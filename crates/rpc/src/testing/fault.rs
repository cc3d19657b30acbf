//! What the proxy does to a request.

use std::time::Duration;

use serde_json::{Value, json};

/// What happens to a request instead of a plain answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Never answered; the connection stays open.
    Hang,
    /// The connection is closed before the node sees the request.
    Drop,
    /// The node gets the request and acts on it, but its answer is lost with the connection.
    SwallowAnswer,
    /// HTTP 429; over WebSocket the error -32005.
    RateLimit,
    /// HTTP 500; over WebSocket the error -32603.
    ServerError,
    /// A page of HTML.
    Garbage,
    /// The first half of the node's answer.
    Truncate,
    /// The node's answer, that much later.
    Slow(Duration),
    /// This result.
    Answer(Value),
    /// This JSON-RPC error.
    Error(i64, String),
    /// `eth_getLogs` over more blocks than this is refused.
    MaxRange(u64),
}

/// What to do with a request, after all settings.
#[derive(Debug)]
pub(super) enum Decision {
    Forward,
    Reply(Value),
    Fault(Fault),
}

/// The answer of a node that does not have the requested head yet: it stands still at `frozen`, a block's JSON.
pub(super) fn stale_answer(frozen: &Value, method: &str, params: &Value) -> Option<Value> {
    let height = |value: &Value| u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok();
    match method {
        "eth_blockNumber" => Some(frozen["number"].clone()),
        "eth_getBlockByNumber" => match params[0].as_str()? {
            "latest" | "pending" | "safe" | "finalized" => Some(frozen.clone()),
            _ => (height(&params[0])? > height(&frozen["number"])?).then_some(Value::Null),
        },
        _ => None,
    }
}

/// Whether a range of logs is longer than `limit` blocks.
pub(super) fn exceeds(limit: u64, params: &Value) -> bool {
    let height = |name: &str| {
        let value = params[0][name].as_str()?;
        u64::from_str_radix(value.strip_prefix("0x")?, 16).ok()
    };
    match (height("fromBlock"), height("toBlock")) {
        (Some(from), Some(to)) => to.saturating_sub(from) + 1 > limit,
        _ => false,
    }
}

pub(super) fn result(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

pub(super) fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}
