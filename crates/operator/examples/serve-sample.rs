//! Serves a made-up status, to look at the page: `cargo run -p breakwater-operator --example serve-sample -- [empty|filled|troubled]`.
#![allow(clippy::print_stdout, reason = "a program for people")]

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::time::Duration;

use breakwater_operator::config::HttpConfig;
use breakwater_operator::http::{Server, View};
use breakwater_operator::metrics::Latencies;
use breakwater_operator::redact::Redactor;
use breakwater_operator::status::unix_now;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let status = match std::env::args().nth(1).as_deref() {
        Some("empty") => sample::empty,
        Some("troubled") => sample::troubled,
        _ => sample::filled,
    };
    let (publish, receive) = watch::channel(status(unix_now()));
    let server = Server::bind(&HttpConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        allow_non_loopback: false,
        allowed_hosts: Vec::new(),
    })
    .await?;
    println!("http://{}/", server.address());
    let view = View {
        status: receive,
        latencies: Latencies::new(),
        max_head_age: Duration::from_secs(60),
        redactor: Redactor::default(),
    };
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(server.run(view, shutdown.clone()));
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => { publish.send_replace(status(unix_now())); }
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    shutdown.cancel();
    serving.await?;
    Ok(())
}
