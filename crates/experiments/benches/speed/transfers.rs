//! Transfers by agents who look at their balance, decide, and bid for a place: the loop, and the engine alone on what it executed.

use std::path::Path;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolCall;
use breakwater_bindings::OpenZeppelinToken::transferCall;
use breakwater_evm::{Chain, MemoryChain, Rules, Snapshot, Transaction};
use breakwater_market::{Purpose, Stream};

use crate::bare::{Comparison, compare};
use crate::clock::thread_time;
use crate::figure::{Figure, median, per_second, ratio};
use crate::peers::{block, give, somebody, token};

const AGENTS: u64 = 1_000;
const BLOCKS: u64 = 25;
/// About what a block of 36 million gas holds.
const TRANSFERS_A_BLOCK: usize = 900;
const ROUNDS: usize = 15;
/// Balances are OpenZeppelin's first variable, a mapping.
const BALANCES: [u8; 32] = [0; 32];

struct Agent {
    address: Address,
    /// Where its balance is, hashed once.
    balance: U256,
}

/// A transfer that waits for a block.
struct Wish {
    tip: f64,
    from: usize,
    to: usize,
    amount: U256,
}

struct Market {
    start: Snapshot,
    token: Address,
    agents: Vec<Agent>,
}

/// What is counted of all blocks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    transfers: u64,
    reverted: u64,
    gas: u64,
    volume: U256,
}

impl Market {
    fn new() -> Self {
        let mut chain = MemoryChain::new(Rules::default());
        chain.begin_block(block(1));
        let token = token(&mut chain);
        let agents: Vec<Agent> = (0..AGENTS)
            .map(|number| {
                let address = somebody(number);
                give(
                    &mut chain,
                    token,
                    address,
                    U256::from(10).pow(U256::from(24)),
                );
                let preimage = [address.into_word().0, BALANCES].concat();
                Agent {
                    address,
                    balance: keccak256(preimage).into(),
                }
            })
            .collect();
        chain.end_block();
        Self {
            start: chain.snapshot(),
            token,
            agents,
        }
    }

    /// Agents send a share of what they have to somebody; who bids most comes first.
    fn run(&self, chain: &mut MemoryChain) -> Tally {
        let mut tally = Tally::default();
        let mut wishes: Vec<Wish> = Vec::with_capacity(TRANSFERS_A_BLOCK);
        let mut calldata = [0; 68];
        calldata[..4].copy_from_slice(&transferCall::SELECTOR);
        for number in 2..2 + BLOCKS {
            chain.begin_block(block(number));
            let mut draws = Stream::new(1, Purpose::NoiseTraders, number);
            wishes.clear();
            for _ in 0..TRANSFERS_A_BLOCK {
                let from = draws.below(AGENTS) as usize;
                let balance = chain
                    .storage(self.token, self.agents[from].balance)
                    .unwrap();
                wishes.push(Wish {
                    tip: draws.uniform(),
                    from,
                    to: draws.below(AGENTS) as usize,
                    amount: balance >> 4,
                });
            }
            wishes.sort_by(|a, b| b.tip.total_cmp(&a.tip));
            for wish in &wishes {
                calldata[16..36].copy_from_slice(self.agents[wish.to].address.as_slice());
                calldata[36..].copy_from_slice(&wish.amount.to_be_bytes::<32>());
                let execution = chain
                    .execute(&Transaction {
                        gas_limit: 100_000,
                        ..Transaction::call(
                            self.agents[wish.from].address,
                            self.token,
                            calldata.to_vec(),
                        )
                    })
                    .unwrap();
                tally.transfers += 1;
                tally.gas += execution.gas_used;
                match execution.logs.first() {
                    Some(log) => {
                        tally.volume += U256::from_be_bytes(B256::from_slice(&log.data.data).0)
                    }
                    None => tally.reverted += 1,
                }
            }
            chain.end_block();
        }
        tally
    }
}

/// The engine on the agents' transfers against bare revm.
pub fn engine(program: &Path) -> Comparison {
    let market = Market::new();
    let mut chain = market.start.chain();
    chain.record();
    let tally = market.run(&mut chain);
    assert_eq!(tally.reverted, 0);
    compare(program, &chain.take_recording())
}

/// The whole loop against the engine alone, and against bare revm.
pub fn agents(engine: &Comparison) -> Vec<Figure> {
    let market = Market::new();
    let mut recorded = market.start.chain();
    recorded.record();
    let expected = market.run(&mut recorded);
    let recording = recorded.take_recording();
    let samples: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let mut chain = market.start.chain();
            let (whole, tally) = thread_time(|| market.run(&mut chain));
            assert_eq!(tally, expected);
            (whole, thread_time(|| recording.replay().unwrap()).0)
        })
        .collect();
    let whole = median(samples.iter().map(|sample| sample.0));
    let alone = median(samples.iter().map(|sample| sample.1));
    let speed = |time| per_second(engine.transactions, time);
    vec![
        Figure::at_least(
            "agents' transfers / the engine alone",
            0.9,
            ratio(alone, whole),
            format!("{} / {} a second", speed(whole), speed(alone)),
        ),
        Figure::at_least(
            "agents' transfers / bare revm (4 × verbs-rs)",
            1.26,
            ratio(engine.bare, whole),
            format!("{} / {} a second", speed(whole), speed(engine.bare)),
        ),
    ]
}
