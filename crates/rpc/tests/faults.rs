//! The follower before nodes that die, hang, limit, lie and fall behind: never a gap, a duplicate or a wrong order.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use alloy::providers::{Provider, ext::AnvilApi};
use alloy_primitives::B256;
use breakwater_rpc::{
    Client, connect,
    follower::{Ended, FollowError},
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

/// Several steps, in each of which a node is asked at most a few times; a follower that ended asks nothing.
async fn ask_for_a_while(following: &mut Following, proxy: &Proxy) {
    for _ in 0..4 {
        following.agree_with_frozen(proxy).await;
    }
    assert!(!following.task.is_finished());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_far_behind_is_waited_for_and_no_reorganisation() {
    let chain = Chain::start().await;
    let (first, second, client) = two(&chain).await;
    chain.mine(10).await;
    second.freeze().await.unwrap();
    let mut following = Following::start(&client, 1);
    chain.mine(90).await;
    following.agree(&chain).await;
    // Only the one that has none of the last 65 blocks is left.
    first.set(Some(Fault::Drop));
    first.disconnect();
    ask_for_a_while(&mut following, &second).await;
    chain.log(LOGGER, 1).await;
    chain.mine(1).await;
    first.set(None);
    following.agree(&chain).await;
    assert!(following.mirror.rewinds.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_node_far_behind_is_waited_for_until_it_contradicts() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    chain.mine(100).await;
    let mut following = Following::start(&client, 1);
    following.agree(&chain).await;
    chain.node.anvil_rollback(Some(70)).await.unwrap();
    // 30 is before 36, the oldest that is known.
    ask_for_a_while(&mut following, &proxy).await;
    chain.mine(71).await;
    let ended = bounded("the end", &mut following.task).await.unwrap();
    assert!(
        matches!(
            ended,
            Ended::Failed(FollowError::TooDeep { oldest: 36, .. })
        ),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_branch_that_is_ahead_bans_no_honest_one() {
    // Near enough to be told one by one, and so far ahead that ranges would be asked for.
    for ahead in [20, 300] {
        let chain = Chain::start().await;
        let other = Chain::start_with(|anvil| anvil.args(["--timestamp", "1700000000"])).await;
        chain.mine(80).await;
        other.mine(80 + ahead).await;
        let honest = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
        let strange = Proxy::start(&other.anvil.endpoint()).await.unwrap();
        let client = connect(&endpoints([honest.endpoint(), strange.endpoint()]))
            .await
            .unwrap();
        let mut following = Following::start(&client, 1);
        following.agree(&chain).await;
        // No block comes, all are asked, and the newest answer leads nowhere.
        bounded("the other branch to be left alone", async {
            while client.health().endpoints[1].failures == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        for block in 0..3 {
            chain.log(LOGGER, block).await;
            chain.mine(1).await;
            following.agree(&chain).await;
        }
        let health = client.health();
        assert_eq!(health.endpoints[0].failures, 0, "{health:?}");
        let reason = health.endpoints[1].last_failure.clone().unwrap_or_default();
        assert!(reason.contains("another chain"), "{health:?}");
        assert!(following.mirror.rewinds.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_head_has_no_ancestors_is_left_alone() {
    let chain = Chain::start().await;
    let other = Chain::start_with(|anvil| anvil.args(["--timestamp", "1700000000"])).await;
    let (_first, second, client) = two(&chain).await;
    chain.mine(5).await;
    other.mine(25).await;
    let mut following = Following::start(&client, 1);
    following.agree(&chain).await;
    let forged: serde_json::Value = other
        .node
        .raw_request("eth_getBlockByNumber".into(), json!(["latest", false]))
        .await
        .unwrap();
    second.set_method("eth_getBlockByNumber", Some(Fault::Answer(forged)));
    bounded("the forger to be left alone", async {
        while client.health().endpoints[1].failures == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    chain.log(LOGGER, 1).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    let health = client.health();
    assert_eq!(health.endpoints[0].failures, 0, "{health:?}");
    let reason = health.endpoints[1].last_failure.clone().unwrap_or_default();
    assert!(reason.contains("without its ancestors"), "{health:?}");
}
