//! JSON-RPC over WebSocket, both ways.

use std::io;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::sleep};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

use super::{
    fault::{self, Decision, Fault},
    proxy::Shared,
};

/// Passes messages on until either side ends.
pub(super) async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut client = accept_async(stream).await.map_err(io::Error::other)?;
    let upstream = shared.upstream.replacen("http", "ws", 1);
    let (mut node, _) = connect_async(upstream).await.map_err(io::Error::other)?;
    // The request whose answer closes the connection, or is cut in half.
    let mut swallow: Option<Value> = None;
    let mut truncate: Option<Value> = None;
    loop {
        tokio::select! {
            message = client.next() => {
                let Some(Ok(message)) = message else { return Ok(()) };
                let Message::Text(text) = &message else {
                    node.send(message).await.map_err(io::Error::other)?;
                    continue;
                };
                let request: Value = serde_json::from_str(text).unwrap_or(Value::Null);
                let id = &request["id"];
                let reply = match shared.decide(&request) {
                    Decision::Reply(answer) => Some(answer.to_string()),
                    Decision::Fault(Fault::Hang) => continue,
                    Decision::Fault(Fault::Drop) => return Ok(()),
                    Decision::Fault(Fault::RateLimit) => Some(fault::error(id, -32005, "slow down").to_string()),
                    Decision::Fault(Fault::ServerError) => Some(fault::error(id, -32603, "internal error").to_string()),
                    Decision::Fault(Fault::Garbage) => Some("<html>we are back soon</html>".to_owned()),
                    Decision::Fault(Fault::SwallowAnswer) => {
                        swallow = Some(id.clone());
                        None
                    }
                    Decision::Fault(Fault::Truncate) => {
                        truncate = Some(id.clone());
                        None
                    }
                    Decision::Fault(Fault::Slow(delay)) => {
                        sleep(delay).await;
                        None
                    }
                    Decision::Forward | Decision::Fault(_) => None,
                };
                match reply {
                    Some(reply) => client.send(Message::text(reply)).await.map_err(io::Error::other)?,
                    None => node.send(message).await.map_err(io::Error::other)?,
                }
            }
            message = node.next() => {
                let Some(Ok(message)) = message else { return Ok(()) };
                if let Message::Text(text) = &message {
                    let answer: Value = serde_json::from_str(text).unwrap_or(Value::Null);
                    if answer["method"] == "eth_subscription" && shared.holds_pushes() {
                        continue;
                    }
                    if swallow.is_some() && swallow.as_ref() == answer.get("id") {
                        return Ok(());
                    }
                    if truncate.is_some() && truncate.as_ref() == answer.get("id") {
                        truncate = None;
                        let half: String = text.chars().take(text.chars().count() / 2).collect();
                        client.send(Message::text(half)).await.map_err(io::Error::other)?;
                        continue;
                    }
                }
                client.send(message).await.map_err(io::Error::other)?;
            }
        }
    }
}
