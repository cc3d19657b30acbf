//! From a head's arrival to a bid on disk and with the sender, one call on the pending block included.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use std::io::{Read as _, Write as _};

use alloy_primitives::Address;
use breakwater_deploy::local::SLOT;
use support::World;

/// Positions that fall one after the other.
const POSITIONS: u64 = 24;

/// The cumulative counts of the histogram `name`, by upper bound in seconds.
fn histogram(address: std::net::SocketAddr, name: &str) -> Vec<(f64, u64)> {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(&format!("{name}_bucket{{le=\""))?;
            let (bound, count) = rest.split_once("\"} ")?;
            Some((bound.parse().unwrap_or(f64::INFINITY), count.parse().ok()?))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: run it alone"]
async fn header_to_submitted() {
    let world = World::start().await;
    for place in 0..POSITIONS {
        let owner = Address::with_last_byte(0x40 + place as u8);
        world.open_falling_at(owner, 95 - place / 4).await;
    }
    world.record_depth(Address::with_last_byte(0x40)).await;
    let mut keeper = world
        .keeper(5, "state", "[strategy]\ncompetitors = 0\n")
        .await;
    for percent in (88..95).rev() {
        world.fall_to(percent).await;
        for _ in 0..25 {
            world.market.advance(SLOT).await.unwrap();
            keeper.at_head(world.head().await).await;
            tokio::time::sleep(std::time::Duration::from_millis(60)).await;
        }
    }
    let counts = histogram(
        keeper.keeper.http,
        breakwater_operator::metrics::HEAD_TO_SUBMIT,
    );
    let all = counts.last().unwrap().1;
    assert!(all >= 10, "too few bids to measure: {counts:?}");
    let median = counts
        .iter()
        .find(|(_, count)| *count * 2 >= all)
        .unwrap()
        .0;
    println!(
        "header to submitted, one simulation included: p50 at most {} ms of {all} bids; asked for at most 50 ms",
        median * 1e3
    );
    assert!(median <= 0.05, "{counts:?}");
    keeper.stop().await.unwrap();
}
