//! Random chains through random faults: whatever happens, the updates lead to the canonical logs and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use breakwater_rpc::{
    connect,
    testing::{Fault, Proxy},
};
use common::{Chain, Following, LOGGER, OTHER_LOGGER, endpoints};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}

const METHODS: [&str; 4] = [
    "eth_getLogs",
    "eth_getBlockByNumber",
    "eth_getBlockByHash",
    "eth_chainId",
];

fn fault(random: &mut Random) -> Fault {
    match random.below(9) {
        0 => Fault::Hang,
        1 => Fault::Drop,
        2 => Fault::RateLimit,
        3 => Fault::ServerError,
        4 => Fault::Garbage,
        5 => Fault::Truncate,
        6 => Fault::Slow(Duration::from_millis(random.below(200))),
        7 => Fault::Answer(serde_json::Value::Null),
        _ => Fault::Error(-32000, "unknown block".into()),
    }
}

/// Returns how often each kind of step was taken.
async fn walk(seed: u64, steps: u64) -> [u64; 6] {
    let mut random = Random(seed);
    let chain = Chain::start().await;
    let proxies = [
        Proxy::start(&chain.anvil.endpoint()).await.unwrap(),
        Proxy::start(&chain.anvil.endpoint()).await.unwrap(),
    ];
    let second = if seed.is_multiple_of(2) {
        proxies[1].endpoint()
    } else {
        proxies[1].websocket_endpoint()
    };
    let client = connect(&endpoints([proxies[0].endpoint(), second]))
        .await
        .unwrap();
    chain.mine(70).await;
    let mut following = Following::start(&client, 1);
    let mut taken = [0; 6];
    let mut height = 70;
    for step in 0..steps {
        let proxy = &proxies[random.below(2) as usize];
        let kind = random.below(6);
        taken[kind as usize] += 1;
        match kind {
            0 => {
                let blocks = random.below(5) + 1;
                for block in 0..blocks {
                    for log in 0..random.below(3) {
                        chain
                            .log(
                                if log == 0 { LOGGER } else { OTHER_LOGGER },
                                step * 100 + block * 10 + log,
                            )
                            .await;
                    }
                    chain.mine(1).await;
                }
                height += blocks;
            }
            1 => {
                let depth = random.below(8) + 1;
                chain
                    .reorg(
                        depth,
                        &[(step * 100, 0), (step * 100 + 1, random.below(depth))],
                    )
                    .await;
            }
            2 => {
                // Longer than is told block by block.
                let blocks = random.below(150);
                chain.log(LOGGER, step * 100).await;
                chain.mine(blocks).await;
                height += blocks;
            }
            3 => proxy.next(METHODS[random.below(4) as usize], fault(&mut random)),
            4 => proxy.set(Some(fault(&mut random))),
            _ => {
                proxy.disconnect();
                proxy.freeze().await.unwrap();
            }
        }
        if random.below(3) == 0 {
            for proxy in &proxies {
                proxy.set(None);
                proxy.thaw();
            }
            following.agree(&chain).await;
        }
    }
    for proxy in &proxies {
        proxy.set(None);
        proxy.thaw();
    }
    following.agree(&chain).await;
    assert_eq!(chain.head().await.number, height);
    assert!(!following.mirror.logs.is_empty());
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_always_lead_to_the_canonical_logs() {
    for seed in [1, 2, 3] {
        let taken = walk(seed, 30).await;
        assert!(
            taken.iter().all(|taken| *taken > 0),
            "seed {seed} skips a kind of step: {taken:?}"
        );
    }
}
