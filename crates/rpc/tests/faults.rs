//! The follower before nodes that die, hang, limit, lie and fall behind: never a gap, a duplicate or a wrong order.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use alloy::providers::Provider;
use alloy_primitives::B256;
use breakwater_rpc::{
    Client, connect,
    testing::{Fault, Proxy},
};
use common::{Chain, Following, LOGGER, bounded, endpoints, faults, proxied, two};
use serde_json::json;

/// Mines and reorganises while `proxies` fail in turn; the mirror must agree at the end of each round.
async fn follow_through(chain: &Chain, client: &Client, proxies: &[&Proxy], faults: &[Fault]) {
    let mut following = Following::start(client, 1);
    for (round, fault) in faults.iter().enumerate() {
        let round = round as u64;
        let proxy = proxies[round as usize % proxies.len()];
        chain.log(LOGGER, round).await;
        chain.mine(3).await;
        proxy.set(Some(fault.clone()));
        chain.log(LOGGER, 100 + round).await;
        chain.mine(2).await;
        chain.reorg(4, &[(200 + round, 0), (300 + round, 3)]).await;
        if proxies.len() == 1 {
            // The fault has been met.
            let before = client.health().endpoints[0].failures;
            bounded("a failure", async {
                while client.health().endpoints[0].failures == before {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await;
            proxy.set(None);
        }
        following.agree(chain).await;
        proxy.set(None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_through_the_faults_of_a_lone_endpoint() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    follow_through(&chain, &client, &[&proxy], &faults()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_through_the_faults_of_one_of_two_endpoints() {
    let chain = Chain::start().await;
    let (first, second, client) = two(&chain).await;
    follow_through(&chain, &client, &[&first, &second], &faults()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_through_the_faults_of_a_websocket() {
    let chain = Chain::start().await;
    let first = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let second = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client = connect(&endpoints([first.websocket_endpoint(), second.endpoint()]))
        .await
        .unwrap();
    let mut following = Following::start(&client, 1);
    bounded("a pushed header", async {
        while client.health().pushed_headers == 0 {
            chain.mine(1).await;
            following.agree(&chain).await;
        }
    })
    .await;
    follow_through(&chain, &client, &[&first, &second], &faults()).await;
    following.agree(&chain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_a_node_whose_head_stands_still() {
    for websocket in [false, true] {
        let chain = Chain::start().await;
        let (first, second, _) = two(&chain).await;
        let preferred = if websocket {
            first.websocket_endpoint()
        } else {
            first.endpoint()
        };
        let client = connect(&endpoints([preferred, second.endpoint()]))
            .await
            .unwrap();
        let mut following = Following::start(&client, 1);
        chain.mine(3).await;
        following.agree(&chain).await;
        first.freeze().await.unwrap();
        for block in 0..5 {
            chain.log(LOGGER, block).await;
            chain.mine(1).await;
            following.agree(&chain).await;
        }
        let health = client.health();
        let reason = health.endpoints[0].last_failure.clone().unwrap_or_default();
        assert!(reason.contains("stale head"), "{health:?}");
        first.thaw();
        chain.log(LOGGER, 9).await;
        chain.mine(1).await;
        following.agree(&chain).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_head_of_a_lone_node_tells_nothing_twice() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.log(LOGGER, 1).await;
    chain.mine(2).await;
    following.agree(&chain).await;
    // The head moves, is told, and goes back to a block told long ago.
    let old = chain
        .node
        .raw_request::<_, serde_json::Value>("eth_getBlockByNumber".into(), json!(["0x1", false]));
    let old = old.await.unwrap();
    chain.mine(3).await;
    following.agree(&chain).await;
    proxy.set_method("eth_getBlockByNumber", Some(Fault::Answer(old)));
    following.agree_with_frozen(&proxy).await;
    proxy.set_method("eth_getBlockByNumber", None);
    chain.log(LOGGER, 2).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    assert!(following.mirror.rewinds.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_not_told() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.log(LOGGER, 1).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    let logs: serde_json::Value = chain
        .node
        .raw_request("eth_getLogs".into(), json!([{ "fromBlock": "0x1" }]))
        .await
        .unwrap();
    let header: serde_json::Value = chain
        .node
        .raw_request("eth_getBlockByNumber".into(), json!(["latest", false]))
        .await
        .unwrap();
    let forged = |field: &str, value: &str| {
        let mut forged = header.clone();
        forged[field] = json!(value);
        Fault::Answer(forged)
    };
    let lies = [
        // Another block's logs; none where the bloom has some; the same one twice; a header with another time, parent, hash.
        ("eth_getLogs", Fault::Answer(logs.clone())),
        ("eth_getLogs", Fault::Answer(json!([]))),
        ("eth_getLogs", Fault::Answer(json!([logs[0], logs[0]]))),
        ("eth_getLogs", Fault::Error(-32000, "unknown block".into())),
        ("eth_getBlockByNumber", forged("timestamp", "0x1")),
        (
            "eth_getBlockByNumber",
            forged("parentHash", &B256::with_last_byte(1).to_string()),
        ),
        (
            "eth_getBlockByNumber",
            forged("hash", &B256::with_last_byte(1).to_string()),
        ),
        ("eth_getBlockByNumber", forged("number", "0xffff")),
        ("eth_getBlockByNumber", Fault::Answer(json!(null))),
        ("eth_getBlockByHash", Fault::Answer(json!(null))),
        ("eth_getBlockByHash", Fault::Answer(header.clone())),
    ];
    for (topic, (method, lie)) in lies.into_iter().enumerate() {
        let _ = proxy.take_counts();
        proxy.next(method, lie.clone());
        chain.log(LOGGER, 10 + topic as u64).await;
        chain.mine(2).await;
        following.agree(&chain).await;
        bounded("the lie to have been told", async {
            while !proxy.take_counts().contains_key(method) {
                chain.mine(2).await;
                following.agree(&chain).await;
            }
        })
        .await;
    }
    assert!(following.mirror.rewinds.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_came_too_late_are_told_after_all() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.mine(1).await;
    following.agree(&chain).await;
    // A node that knows the block and, for as long as it is asked, not yet its logs.
    chain.log(LOGGER, 1).await;
    proxy.set_method("eth_getLogs", Some(Fault::Answer(json!([]))));
    chain.mine(1).await;
    let head = chain.head().await;
    following
        .until("the block without its log", |mirror| {
            mirror.tip() == Some(head)
        })
        .await;
    assert!(following.mirror.logs.is_empty());
    proxy.set_method("eth_getLogs", None);
    for _ in 0..20 {
        chain.mine(1).await;
        let head = chain.head().await;
        following
            .until("the next block", |mirror| mirror.tip() == Some(head))
            .await;
    }
    following.agree(&chain).await;
    assert_eq!(following.mirror.rewinds.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_and_comes_back_is_followed_again() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.log(LOGGER, 1).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    proxy.set(Some(Fault::Drop));
    proxy.disconnect();
    chain.log(LOGGER, 2).await;
    // Away for longer than can be undone.
    chain.mine(200).await;
    proxy.set(None);
    following.agree(&chain).await;
    assert!(following.mirror.ranges > 0);
}
