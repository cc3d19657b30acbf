//! What following costs in requests, measured on chains that mine at an interval.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests that report a measurement"
)]

mod common;

use std::{num::NonZeroUsize, time::Duration};

use alloy::{
    providers::{Provider, RootProvider},
    rpc::client::RpcClient,
    transports::{http::Http, layers::FallbackLayer},
};
use alloy_primitives::U256;
use breakwater_rpc::{
    Client, Endpoint, connect,
    follower::{FollowerConfig, Start},
    testing::Proxy,
};
use common::{Chain, Following, LOGGER, config, endpoints};
use tower::Layer;

const SLOT: Duration = Duration::from_millis(500);
const WARM_UP: u64 = 4;
const BLOCKS: u64 = 16;

/// Follows `BLOCKS` blocks of an interval-mining chain, each with a watched log if `logging`; returns requests a block as
/// the node received them.
async fn cost(name: &str, logging: bool, endpoint: impl Fn(&Proxy) -> Endpoint) -> f64 {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client: Client = connect(&endpoints([endpoint(&proxy)])).await.unwrap();
    let config = FollowerConfig {
        slot: SLOT,
        ..config(Start::Block(1))
    };
    let mut following = Following::with(&client, config, 1);
    let mining = async {
        let mut slots = tokio::time::interval(SLOT);
        for topic in 0.. {
            slots.tick().await;
            if logging {
                chain.log(LOGGER, topic).await;
            }
            chain.mine(1).await;
        }
    };
    let measuring = async {
        let height = |blocks: u64| {
            move |mirror: &common::Mirror| mirror.tip().is_some_and(|tip| tip.number >= blocks)
        };
        following.until("the warm-up", height(WARM_UP)).await;
        let _ = proxy.take_counts();
        let from = following.mirror.tip().unwrap().number;
        following
            .until("the measured blocks", height(from + BLOCKS))
            .await;
        let blocks = following.mirror.tip().unwrap().number - from;
        let counts = proxy.take_counts();
        let each = counts.values().sum::<u64>() as f64 / blocks as f64;
        eprintln!("{name}: {each:.2} requests a block over {blocks} blocks: {counts:?}");
        each
    };
    tokio::select! {
        () = mining => unreachable!(),
        each = measuring => each,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_two_requests_a_block_over_a_websocket() {
    let each = cost(
        "WebSocket, a log in every block",
        true,
        Proxy::websocket_endpoint,
    )
    .await;
    assert!(each <= 2.0, "{each} requests a block");
    let each = cost("WebSocket, no logs", false, Proxy::websocket_endpoint).await;
    assert!(each <= 1.0, "{each} requests a block");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_three_requests_a_block_over_http() {
    let each = cost("HTTP, a log in every block", true, Proxy::endpoint).await;
    assert!(each <= 3.0, "{each} requests a block");
}

/// Why requests do not go through alloy's `FallbackLayer`: it asks as many nodes as are active, every time, and with one
/// active it does not fail over.
#[tokio::test(flavor = "multi_thread")]
async fn one_endpoint_is_asked_where_a_parallel_fallback_asks_two() {
    let chain = Chain::start().await;
    let proxies = [
        Proxy::start(&chain.anvil.endpoint()).await.unwrap(),
        Proxy::start(&chain.anvil.endpoint()).await.unwrap(),
    ];
    let client = connect(&endpoints(proxies.iter().map(Proxy::endpoint)))
        .await
        .unwrap();
    let urls = proxies
        .iter()
        .map(|proxy| proxy.endpoint().to_string().parse().unwrap());
    let layer = FallbackLayer::default().with_active_transport_count(NonZeroUsize::new(2).unwrap());
    let parallel = RpcClient::new(layer.layer(urls.map(Http::new).collect::<Vec<_>>()), false);
    let parallel = RootProvider::<alloy::network::Ethereum>::new(parallel);
    let count = || {
        proxies
            .iter()
            .map(|proxy| proxy.take_counts().values().sum::<u64>())
            .sum::<u64>()
    };
    let _ = count();
    for _ in 0..20 {
        let _: U256 = client.request("eth_blockNumber", ()).await.unwrap();
    }
    let ours = count();
    for _ in 0..20 {
        parallel.get_block_number().await.unwrap();
    }
    let theirs = count();
    eprintln!("20 requests: {ours} sent here, {theirs} by FallbackLayer with 2 active");
    assert_eq!(ours, 20);
    assert!(theirs > ours);
}
