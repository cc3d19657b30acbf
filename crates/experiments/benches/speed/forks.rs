//! Forks of a chain with a hundred thousand accounts.

use std::hint::black_box;

use alloy_primitives::U256;
use breakwater_evm::{Chain, MemoryChain, Rules};

use crate::clock::thread_time;
use crate::figure::{Figure, median};
use crate::peers::{block, somebody, token};

const ACCOUNTS: u64 = 100_000;
const FORKS: u32 = 1_000;
const ROUNDS: usize = 15;

pub fn measure() -> Vec<Figure> {
    let mut chain = MemoryChain::new(Rules::default());
    chain.begin_block(block(1));
    let token = token(&mut chain);
    for number in 0..ACCOUNTS {
        chain.set_balance(somebody(number), U256::from(number + 1));
        chain.set_storage(token, U256::from(number + 1_000), U256::from(number + 1));
    }
    chain.end_block();
    let snapshot = chain.snapshot();
    let samples = (0..ROUNDS).map(|_| {
        thread_time(|| {
            for _ in 0..FORKS {
                black_box(snapshot.chain());
            }
        })
        .0
    });
    let fork = median(samples) / FORKS;
    vec![Figure::at_most(
        "fork of 100,000 accounts, µs",
        5.0,
        fork.as_secs_f64() * 1e6,
        format!("{FORKS} forks, dropped at once"),
    )]
}
