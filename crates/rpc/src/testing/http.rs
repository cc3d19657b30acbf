//! As much of HTTP/1.1 as a JSON-RPC client speaks, written by hand so that it can be broken at every byte.

use std::io;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use super::{
    fault::{Decision, Fault},
    proxy::Shared,
};

const MAX_HEAD: usize = 64 << 10;

/// Answers requests until the connection ends.
pub(super) async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(body) = read_request(&mut stream, &mut buffer).await? {
        let request: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        match shared.decide(&request) {
            Decision::Forward => respond(&mut stream, 200, &shared.forward(body).await?).await?,
            Decision::Reply(answer) => respond(&mut stream, 200, &answer.to_string()).await?,
            Decision::Fault(fault) => match fault {
                Fault::Hang => {
                    // Until the client gives up.
                    while stream.read(&mut [0; 1024]).await? > 0 {}
                    return Ok(());
                }
                Fault::Drop => return Ok(()),
                Fault::SwallowAnswer => {
                    shared.forward(body).await?;
                    return Ok(());
                }
                Fault::RateLimit => {
                    respond(
                        &mut stream,
                        429,
                        &json!({ "message": "slow down" }).to_string(),
                    )
                    .await?
                }
                Fault::ServerError => respond(&mut stream, 500, "internal error").await?,
                Fault::Garbage => {
                    respond(&mut stream, 200, "<html>we are back soon</html>").await?
                }
                Fault::Truncate => {
                    let answer = shared.forward(body).await?;
                    let head = head(200, answer.len());
                    stream.write_all(head.as_bytes()).await?;
                    stream
                        .write_all(&answer.as_bytes()[..answer.len() / 2])
                        .await?;
                    return stream.shutdown().await;
                }
                Fault::Slow(delay) => {
                    sleep(delay).await;
                    respond(&mut stream, 200, &shared.forward(body).await?).await?;
                }
                Fault::Answer(_) | Fault::Error(..) | Fault::MaxRange(_) => {
                    respond(&mut stream, 500, "decided as a reply").await?;
                }
            },
        }
    }
    Ok(())
}

async fn respond(stream: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    stream
        .write_all(head(status, body.len()).as_bytes())
        .await?;
    stream.write_all(body.as_bytes()).await
}

fn head(status: u16, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// The next request's body; `None` at the connection's end.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<String>> {
    let bad = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if buffer.len() > MAX_HEAD {
            return Err(bad("a head without end"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length:")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    let length = length.ok_or_else(|| bad("no content-length"))?;
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let body = String::from_utf8_lossy(&buffer[end..end + length]).into_owned();
    buffer.drain(..end + length);
    Ok(Some(body))
}
