//! The follower on real chains: live blocks, reorganisations, back-fill, checkpoints.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use breakwater_rpc::{
    follower::{BlockRef, Ended, FollowError, FollowerConfig, Start, Update},
    testing::{Fault, Proxy},
};
use common::{Chain, Following, LOGGER, OTHER_LOGGER, bounded, config, endpoints, proxied};

#[tokio::test(flavor = "multi_thread")]
async fn tells_every_block_and_log_once() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    for block in 0..12_u64 {
        for log in 0..block % 4 {
            chain
                .log(
                    if log == 1 { OTHER_LOGGER } else { LOGGER },
                    block * 10 + log,
                )
                .await;
        }
        chain.mine(1).await;
        following.agree(&chain).await;
    }
    assert_eq!(following.mirror.blocks.len(), 12);
    assert_eq!(following.mirror.logs.len(), 18);
    assert_eq!(following.stop().await, Ended::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_reorganisations_of_1_to_64_blocks() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    for block in 0..70 {
        if block % 3 == 0 {
            chain.log(LOGGER, block).await;
        }
        chain.mine(1).await;
    }
    let mut following = Following::start(&client, 1);
    following.agree(&chain).await;
    // The first replaced block differs by a log; the others' logs move, appear and vanish.
    for (step, depth) in [3, 64, 1, 40, 2, 63, 17, 8, 33, 5, 64, 1, 12]
        .into_iter()
        .enumerate()
    {
        let topic = step as u64;
        let moved = [
            (1_000 + topic, 0),
            (2_000 + topic, topic % depth),
            (3_000 + topic, depth - 1),
        ];
        chain.reorg(depth, &moved).await;
        following.agree(&chain).await;
        assert_eq!(following.mirror.rewinds.len(), step + 1);
        let (from, to) = following.mirror.rewinds[step];
        assert_eq!(
            from - to.number,
            depth,
            "goes back no further than the fork"
        );
        chain.mine(1).await;
        following.agree(&chain).await;
    }
    assert_eq!(following.stop().await, Ended::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deeper_reorganisation_ends_it_with_advice() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    chain.mine(80).await;
    let mut following = Following::start(&client, 1);
    following.agree(&chain).await;
    chain.reorg(66, &[]).await;
    let ended = bounded("the end", &mut following.task).await.unwrap();
    assert!(
        matches!(
            ended,
            Ended::Failed(FollowError::TooDeep {
                last: 80,
                oldest: 16,
                known: 65
            })
        ),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fills_back_in_ranges_that_the_node_allows() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    for block in 0..40 {
        chain.log(LOGGER, block).await;
        chain.log(OTHER_LOGGER, block).await;
        chain.mine(9).await;
    }
    proxy.set_method("eth_getLogs", Some(Fault::MaxRange(50)));
    proxy.next("eth_getLogs", Fault::Hang);
    let mut following = Following::start(&client, 3);
    following.agree(&chain).await;
    assert!(
        following.mirror.ranges >= 6,
        "{} ranges of at most 50 of 294 blocks",
        following.mirror.ranges
    );
    let singles = following
        .mirror
        .blocks
        .iter()
        .rev()
        .take(65)
        .map(|block| block.number);
    assert_eq!(
        singles.collect::<Vec<_>>(),
        (296..=360).rev().collect::<Vec<_>>(),
        "one by one near the head"
    );
    // All of those can be undone.
    chain.reorg(64, &[(7, 3)]).await;
    following.agree(&chain).await;
    assert_eq!(following.mirror.rewinds.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_up_on_logs_that_are_refused_for_good() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    chain.mine(100).await;
    proxy.set_method(
        "eth_getLogs",
        Some(Fault::Error(
            -32000,
            "history has been pruned for this block".into(),
        )),
    );
    let following = Following::start(&client, 1);
    let ended = bounded("the end", following.task).await.unwrap();
    assert!(
        matches!(
            ended,
            Ended::Failed(FollowError::Unavailable { block: 1, .. })
        ),
        "{ended:?}"
    );
}

async fn checkpoint(chain: &Chain, last: u64) -> Start {
    let mut recent = Vec::new();
    for number in (last.saturating_sub(64)..last).rev() {
        recent.push(chain.at(number).await);
    }
    Start::Checkpoint {
        last: chain.at(last).await,
        recent,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resumes_after_a_checkpoint() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    for block in 0..10 {
        chain.log(LOGGER, block).await;
        chain.mine(1).await;
    }
    let start = checkpoint(&chain, 10).await;
    for block in 10..110 {
        chain.log(LOGGER, block).await;
        chain.mine(1).await;
    }
    let mut following = Following::with(&client, config(start), 11);
    following.agree(&chain).await;
    assert_eq!(
        (following.mirror.logs.len(), following.mirror.rewinds.len()),
        (100, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_a_checkpoint_on_a_dead_branch() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    for block in 0..90 {
        chain.log(LOGGER, block).await;
        chain.mine(1).await;
    }
    let start = checkpoint(&chain, 90).await;
    let fork = chain.at(70).await;
    chain.reorg(20, &[(5_000, 2)]).await;
    chain.mine(3).await;
    let mut following = Following::with(&client, config(start), 71);
    following.agree(&chain).await;
    assert_eq!(following.mirror.rewinds, [(0, fork)]);

    // Far behind: the checkpoint's branch is left before ranges are read.
    chain.mine(200).await;
    let start = checkpoint(&chain, 200).await;
    let Start::Checkpoint { last, recent } = start else {
        unreachable!()
    };
    let dead = BlockRef {
        hash: Default::default(),
        ..last
    };
    let start = Start::Checkpoint {
        last: dead,
        recent: recent.clone(),
    };
    let mut following = Following::with(&client, config(start), 200);
    following.agree(&chain).await;
    assert_eq!(following.mirror.rewinds, [(0, recent[0])]);

    let strange = recent
        .iter()
        .map(|block| BlockRef {
            hash: Default::default(),
            ..*block
        })
        .collect();
    let start = Start::Checkpoint {
        last: dead,
        recent: strange,
    };
    let ended = bounded("the end", Following::with(&client, config(start), 200).task)
        .await
        .unwrap();
    assert_eq!(
        ended,
        Ended::Failed(FollowError::TooDeep {
            last: 200,
            oldest: 136,
            known: 65
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_a_stall_once_and_goes_on() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    chain.mine(1).await;
    let config = FollowerConfig {
        stall_after: Duration::from_millis(300),
        ..config(Start::Block(1))
    };
    let mut following = Following::with(&client, config, 1);
    following.agree(&chain).await;
    following
        .until("a stall", |mirror| mirror.stalled == 1)
        .await;
    chain.mine(1).await;
    following.agree(&chain).await;
    assert_eq!(following.mirror.stalled, 1);
    following
        .until("another stall", |mirror| mirror.stalled == 2)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_a_slow_receiver_and_ends_without_one() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    chain.mine(30).await;
    let config = FollowerConfig {
        capacity: 1,
        ..config(Start::Block(1))
    };
    let mut following = Following::with(&client, config, 1);
    bounded("the first", following.updates.recv())
        .await
        .map(|update| following.mirror.apply(update))
        .unwrap();
    following.agree(&chain).await;
    let Following { updates, task, .. } = following;
    drop(updates);
    chain.mine(2).await;
    assert_eq!(
        bounded("the end", task).await.unwrap(),
        Ended::ReceiverClosed
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_a_configuration_without_time() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    let config = FollowerConfig {
        slot: Duration::ZERO,
        ..config(Start::Block(1))
    };
    let ended = bounded("the end", Following::with(&client, config, 1).task)
        .await
        .unwrap();
    assert!(matches!(ended, Ended::Failed(FollowError::Config(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_pushed_heads_and_survives_the_socket() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client = breakwater_rpc::connect(&endpoints([proxy.websocket_endpoint()]))
        .await
        .unwrap();
    let mut following = Following::start(&client, 1);
    for round in 0..4_u64 {
        for block in 0..3 {
            chain.log(LOGGER, round * 3 + block).await;
            chain.mine(1).await;
            following.agree(&chain).await;
        }
        proxy.disconnect();
        // Nobody pushes these.
        chain.log(LOGGER, 100 + round).await;
        chain.mine(2).await;
        chain.reorg(2, &[(200 + round, 0)]).await;
        following.agree(&chain).await;
    }
    assert!(client.health().pushed_headers > 0);
    assert!(matches!(
        bounded("live", async { following.updates.try_recv() }).await,
        Err(_) | Ok(Update::Live { .. })
    ));
}
