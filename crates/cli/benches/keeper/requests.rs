//! What following costs a node: requests a block, counted by a proxy before it.

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{ILendingPool, SimToken};
use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS, tokens};
use breakwater_rpc::testing::Proxy;
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use crate::figure::Figure;
use crate::harness::{Setup, World, borrower};
use crate::running::Running;

const ASKED: f64 = 3.0;

/// Blocks come at this pace by the wall clock, and their times too.
const PACE: Duration = Duration::from_secs(2);

const WARM_UP: usize = 6;
const BLOCKS: usize = 48;

/// Wei per gas that every transaction of the market may pay.
const FEE: u128 = 100_000_000_000;

/// Accounts opened in one block.
const AT_ONCE: u64 = 20;

pub fn measure() -> Vec<Figure> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let world = World::start().await;
        world
            .provider
            .anvil_set_block_timestamp_interval(PACE.as_secs())
            .await
            .unwrap();
        let mut figures = Vec::new();
        let mut opened = 0;
        for accounts in [1, 100, 1_000] {
            open(&world, opened, accounts).await;
            opened = accounts;
            figures.extend(follow(&world, accounts).await);
        }
        figures
    })
}

/// Opens healthy positions until there are `to`.
async fn open(world: &World, from: u64, to: u64) {
    let (pool, token) = (world.pool(), world.market.collateral().token);
    let price = world.market.feed_price().await.unwrap();
    for first in (from..to).step_by(AT_ONCE as usize) {
        // A feed that is silent for long is not believed.
        world.act(world.market.set_feed(price)).await;
        let mut last = None;
        for number in first..(first + AT_ONCE).min(to) {
            let owner = borrower(number);
            world.market.adopt(owner).await.unwrap();
            let calls = [
                (
                    token,
                    SimToken::mintCall {
                        to: owner,
                        amount: tokens(20, COLLATERAL_DECIMALS),
                    }
                    .abi_encode(),
                ),
                (
                    token,
                    SimToken::approveCall {
                        spender: pool,
                        amount: U256::MAX,
                    }
                    .abi_encode(),
                ),
                (pool, supply(owner, tokens(10, COLLATERAL_DECIMALS))),
                (
                    pool,
                    ILendingPool::borrowCall {
                        assets: tokens(5_000 + number, DEBT_DECIMALS),
                        account: owner,
                        receiver: owner,
                    }
                    .abi_encode(),
                ),
            ];
            for (to, data) in calls {
                last = Some(send(world, owner, to, data).await);
            }
        }
        world.mine().await;
        if let Some(last) = last {
            let receipt = world.provider.get_transaction_receipt(last).await.unwrap();
            assert!(receipt.unwrap().status(), "the pool takes no position");
        }
    }
}

fn supply(account: Address, amount: U256) -> Vec<u8> {
    ILendingPool::supplyCollateralCall {
        collateralId: U256::ZERO,
        amount,
        account,
        data: Bytes::new(),
    }
    .abi_encode()
}

/// Gives the node a transaction for its next block.
async fn send(world: &World, from: Address, to: Address, data: Vec<u8>) -> alloy_primitives::B256 {
    let request = TransactionRequest::default()
        .with_from(from)
        .with_to(to)
        .with_input(data)
        .with_gas_limit(700_000)
        .with_max_priority_fee_per_gas(1)
        .with_max_fee_per_gas(FEE);
    *world
        .provider
        .send_transaction(request)
        .await
        .unwrap()
        .tx_hash()
}

/// What was asked for while a block was the head.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    /// To follow the chain and to plan.
    requests: u32,
    /// To compare what is known with the node: logs told a while ago, accounts.
    audits: u32,
    /// By the sender, which looks at its account now and then.
    sender: u32,
}

/// One keeper by HTTP and one by WebSocket, in whose every block an event of the pool is.
async fn follow(world: &World, accounts: u64) -> Vec<Figure> {
    let upstream = world.anvil.endpoint();
    let proxies = [
        Proxy::start(&upstream).await.unwrap(),
        Proxy::start(&upstream).await.unwrap(),
    ];
    let urls = [
        format!("http://{}", proxies[0].address()),
        format!("ws://{}", proxies[1].address()),
    ];
    let mut keepers = Vec::new();
    for (place, url) in (5..).zip(urls) {
        let setup = Setup {
            name: format!("keeper-{place}-{accounts}"),
            urls: vec![url],
            ..Setup::alone(place)
        };
        keepers.push(Running::start(world, &setup, PACE, None).await);
    }
    let owner = borrower(0);
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut counted: [Vec<Asked>; 2] = Default::default();
    for proxy in &proxies {
        proxy.record();
    }
    for block in 0..=WARM_UP + BLOCKS {
        ticks.tick().await;
        for (proxy, counted) in proxies.iter().zip(&mut counted) {
            let asked = count(&proxy.take_recorded());
            // What was asked since the first tick belongs to no block of ours.
            if block > WARM_UP {
                counted.push(asked);
            }
        }
        send(world, owner, world.pool(), supply(owner, U256::from(1))).await;
        world.mine().await;
    }
    let head = world.head().await;
    for mut keeper in keepers {
        keeper.planned_on(head).await;
        let mirrored = keeper.wait(|_| true).await.mirror;
        assert!(mirrored.accounts >= accounts && mirrored.drift.is_zero());
        keeper.stop().await;
    }
    ["HTTP", "WebSocket"]
        .into_iter()
        .zip(counted)
        .map(|(transport, counted)| {
            let mean = |of: fn(&Asked) -> u32| {
                counted.iter().map(|asked| f64::from(of(asked))).sum::<f64>() / counted.len() as f64
            };
            let requests = mean(|asked| asked.requests);
            let (audits, sender) = (mean(|asked| asked.audits), mean(|asked| asked.sender));
            let most = counted.iter().map(|asked| asked.requests).max().unwrap();
            let over = counted.iter().filter(|asked| f64::from(asked.requests) > ASKED).count();
            Figure {
                name: format!("RPC requests a block, {transport}, accounts: {accounts}"),
                asked: format!("≤ {ASKED}"),
                reached: format!("mean {requests:.2}, max {most}"),
                met: Some(f64::from(most) <= ASKED),
                conditions: format!(
                    "{} blocks {PACE:?} apart, an event of the pool in each; {over} of them over {ASKED}; audits {audits:.2} and the sender {sender:.2} a block more",
                    counted.len()
                ),
            }
        })
        .collect()
}

/// Sorts requests by what they are for.
fn count(requests: &[Value]) -> Asked {
    let mut asked = Asked::default();
    for request in requests {
        let params = &request["params"];
        let kind = match request["method"].as_str().unwrap_or_default() {
            "eth_getTransactionCount" | "eth_getBalance" => &mut asked.sender,
            // A reading is of the next block, and overrides the block; accounts are compared at the block itself.
            "eth_call" if params.get(3).is_none() => &mut asked.audits,
            // A block's logs are asked for by its hash, those told a while ago by their heights.
            "eth_getLogs" if params[0].get("blockHash").is_none() => &mut asked.audits,
            // The block up to which those are compared.
            "eth_getBlockByNumber" if params[0] != "latest" => &mut asked.audits,
            _ => &mut asked.requests,
        };
        *kind += 1;
    }
    asked
}
