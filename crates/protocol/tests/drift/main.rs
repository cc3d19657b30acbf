//! 10,000 random operations that succeed on a real pool, with reorgs, and after each block no wei of difference between it and its mirror.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    non_snake_case
)]

mod compare;
mod governance;
mod operations;
mod positions;
mod random;
mod world;

use std::fmt;

use alloy_primitives::{Address, Log};
use breakwater_evm::{Chain, MemoryChain, Snapshot};
use breakwater_protocol::{BlockRef, Mirror, MirrorError};

use compare::{Compared, compare};
use operations::{OPERATIONS, Tally, operate};
use random::Random;
use world::{FEEDS, FIRST_PRICES, Place};

const RUN: u64 = 10_000;

/// Blocks between two comparisons of everything.
const FULL_COMPARISON: u64 = 3;

/// A block that may be gone back to.
struct Past {
    block: BlockRef,
    snapshot: Snapshot,
    prices: [f64; FEEDS],
    /// How much of the policy's history is of it and before.
    history: usize,
}

/// A chain, its mirror, and what happened to them.
pub struct Run {
    chain: MemoryChain,
    place: Place,
    mirror: Mirror,
    random: Random,
    past: Vec<Past>,
    prices: [f64; FEEDS],
    /// Canonical logs of the damped policy with their timestamps: what a keeper would ask a node for.
    history: Vec<(u64, Log)>,
    branch: u64,
    tally: Tally,
    compared: Compared,
    operations: u64,
    blocks: u64,
    reorgs: Vec<u64>,
    policies_described: u64,
    snapshots: u64,
}

#[test]
fn mirror_equals_the_pool_over_ten_thousand_operations_with_reorgs() {
    println!("{}", run());
}

/// The whole run; panics at the first wei of difference. The keeper's benchmark tells of it too.
pub fn run() -> Run {
    let mut run = Run::begin(0x5eed);
    let mut operations = 0;
    while operations < RUN {
        operations += run.block();
        if run.random.chance(2) {
            run.reorganise();
        }
        if run.random.chance(1) {
            run.restart();
        }
    }
    run.everything();
    run.operations = operations;
    run.report();
    run
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} operations succeeded in {} blocks; {} reorgs, {} blocks undone, at most {} at once; \
             {} accounts and {} liquidations asked for compared",
            self.operations,
            self.blocks,
            self.reorgs.len(),
            self.reorgs.iter().sum::<u64>(),
            self.reorgs.iter().max().unwrap_or(&0),
            self.compared.accounts,
            self.compared.requests,
        )
    }
}

impl Run {
    fn begin(seed: u64) -> Self {
        let (mut chain, place) = world::build();
        let (before, first, logs) = place.deployment.clone();
        let mut mirror = Mirror::new(place.description, before).unwrap();
        let changes = mirror.apply_block(&first, &logs).unwrap();
        assert!(changes.configuration && mirror.policy_known());
        chain.end_block();
        let past = Past {
            block: first,
            snapshot: chain.snapshot(),
            prices: FIRST_PRICES,
            history: 0,
        };
        Self {
            chain,
            place,
            mirror,
            random: Random::seeded(seed),
            past: vec![past],
            prices: FIRST_PRICES,
            history: Vec::new(),
            branch: 0,
            tally: Tally::default(),
            compared: Compared::default(),
            operations: 0,
            blocks: 0,
            reorgs: Vec::new(),
            policies_described: 0,
            snapshots: 0,
        }
    }

    /// A block of one to four operations, none now and then; how many succeeded.
    fn block(&mut self) -> u64 {
        let parent = self.past.last().unwrap().block;
        let seconds = match self.random.below(100) {
            0..=79 => 12,
            80..=94 => 12 * (1 + self.random.below(300)),
            95..=98 => 3_600 * (1 + self.random.below(12)),
            _ => 86_400 * (1 + self.random.below(9)),
        };
        let block = world::block_ref(
            parent.number + 1,
            parent.timestamp + seconds,
            parent.hash,
            self.branch,
        );
        let gwei = if self.random.chance(10) { 400 } else { 20 };
        let environment = world::environment(block.number, block.timestamp, gwei * 1_000_000_000);
        self.chain.begin_block(environment);
        self.move_prices(seconds);
        let operations = if self.random.chance(10) {
            0
        } else {
            1 + self.random.below(4)
        };
        let (mut logs, mut donated) = (Vec::new(), false);
        let before = self.tally.succeeded();
        let readings = world::readings(&mut self.chain, &self.mirror);
        let moment = self.mirror.moment(&readings, block.timestamp).unwrap();
        let mut unhealthy = self.mirror.candidates(&moment);
        unhealthy.sort_unstable();
        for _ in 0..operations {
            let (name, emitted) = operate(
                &mut self.chain,
                &self.place,
                &self.mirror,
                &unhealthy,
                &mut self.random,
                &mut self.tally,
            );
            donated |= name == "donate";
            logs.extend(emitted);
        }
        self.chain.end_block();
        self.blocks += 1;
        self.apply(&block, logs, donated);
        self.past.push(Past {
            block,
            snapshot: self.chain.snapshot(),
            prices: self.prices,
            history: self.history.len(),
        });
        if self.past.len() > 65 {
            self.past.remove(0);
        }
        self.tally.succeeded() - before
    }

    fn apply(&mut self, block: &BlockRef, logs: Vec<Log>, donated: bool) {
        self.refuse_bad_blocks(block, &logs);
        let changes = self.mirror.apply_block(block, &logs).unwrap();
        let damped = self.place.damped;
        let of_policy = logs.into_iter().filter(|log| log.address == damped);
        self.history
            .extend(of_policy.map(|log| (block.timestamp, log)));
        if changes.policy_set.is_some() {
            self.describe();
        }
        if donated {
            let cash = world::balance(&mut self.chain, &self.place);
            self.mirror.correct_cash(cash);
        }
        let accounts: Vec<Address> = changes
            .accounts
            .into_iter()
            .filter(|account| self.place.actors.contains(account))
            .collect();
        self.compare(&accounts);
        if self.blocks.is_multiple_of(FULL_COMPARISON) {
            self.everything();
        }
    }

    /// What a keeper does when the pool's policy is another.
    fn describe(&mut self) {
        let address = self.mirror.settings().policy;
        let policy = world::described(&mut self.chain, address);
        let history = self
            .history
            .iter()
            .map(|(timestamp, log)| (*timestamp, log));
        self.mirror.describe_policy(policy, history).unwrap();
        assert!(self.mirror.policy_known());
        self.policies_described += 1;
    }

    /// Blocks on another parent, and blocks with a log that no pool emits, are refused and change nothing.
    fn refuse_bad_blocks(&mut self, block: &BlockRef, logs: &[Log]) {
        if !self.random.chance(5) {
            return;
        }
        let before = self.mirror.snapshot();
        let mut stranger = *block;
        stranger.parent_hash = block.hash;
        let refused = self.mirror.apply_block(&stranger, logs);
        assert!(matches!(refused, Err(MirrorError::NotNext { .. })));
        let mut bad = logs.to_vec();
        bad.push(Log::empty());
        bad.last_mut().unwrap().address = self.place.pool;
        let refused = self.mirror.apply_block(block, &bad);
        assert!(matches!(refused, Err(MirrorError::Log { .. })));
        assert!(
            self.mirror.snapshot() == before,
            "a refused block left something"
        );
    }

    /// Prices walk, jump and return; a feed is late after a long time, or dead.
    fn move_prices(&mut self, seconds: u64) {
        let noise = if seconds > 3_600 { 0.04 } else { 0.012 };
        for (number, first) in FIRST_PRICES.into_iter().enumerate() {
            let random = &mut self.random;
            let mut price = self.prices[number];
            price *= 1.0 + noise * (2.0 * random.unit() - 1.0);
            price += 0.01 * (first - price);
            match random.below(300) {
                0 => price *= 0.5 + 0.45 * random.unit(),
                1 => price *= 1.0 + 0.3 * random.unit(),
                _ => {}
            }
            self.prices[number] = price.clamp(first * 0.2, first * 3.0);
            let feed = self.place.feeds[number];
            if random.chance(if number == 0 { 90 } else { 60 }) {
                let dead = number == 1 && random.chance(2);
                let answer = if dead { 0.0 } else { self.prices[number] };
                world::report(&mut self.chain, feed, answer);
            }
        }
    }

    /// Goes back 1 to 64 blocks.
    fn reorganise(&mut self) {
        let most = (self.past.len() - 1).min(64) as u64;
        if most == 0 {
            return;
        }
        // Short ones are the common ones, long ones the hard ones.
        let depth = if self.random.chance(50) {
            1 + self.random.below(most.min(3))
        } else {
            1 + self.random.below(most)
        };
        self.past.truncate(self.past.len() - depth as usize);
        let target = self.past.last().unwrap();
        self.chain = target.snapshot.chain();
        self.prices = target.prices;
        self.history.truncate(target.history);
        let block = target.block;
        self.mirror.rewind(block.number, block.hash).unwrap();
        assert_eq!(*self.mirror.head(), block);
        if !self.mirror.policy_known() {
            self.describe();
        }
        self.branch += 1;
        self.reorgs.push(depth);
        self.everything();
    }

    /// From its snapshot, as after a restart: with what undoes its last blocks.
    fn restart(&mut self) {
        let bytes = self.mirror.snapshot();
        self.mirror = Mirror::restore(&bytes, &self.mirror.description()).unwrap();
        assert!(self.mirror.snapshot() == bytes);
        self.snapshots += 1;
    }

    fn compare(&mut self, accounts: &[Address]) {
        compare(
            &mut self.chain,
            &self.place,
            &mut self.mirror,
            accounts,
            &mut self.random,
            &mut self.compared,
        );
    }

    /// All accounts, now and at a later time that no transaction has accrued to.
    fn everything(&mut self) {
        let actors = self.place.actors.clone();
        self.compare(&actors);
        let block = self.chain.block().clone();
        let mut later = self.chain.fork();
        let most = if self.random.chance(50) {
            600
        } else {
            1_000_000
        };
        let seconds = 1 + self.random.below(most);
        later.begin_block(world::environment(
            block.number + 1,
            block.timestamp + seconds,
            block.base_fee,
        ));
        let some = [
            self.random.pick(&actors[..20]),
            self.random.pick(&actors[20..]),
        ];
        compare(
            &mut later,
            &self.place,
            &mut self.mirror,
            &some,
            &mut self.random,
            &mut self.compared,
        );
    }

    fn report(&self) {
        println!(
            "{} restarts from snapshots, {} policies described",
            self.snapshots, self.policies_described
        );
        println!("compared: {:?}", self.compared);
        for (name, _, floor) in OPERATIONS {
            let (tried, succeeded) = self.tally.0.get(name).copied().unwrap_or_default();
            println!("{name:22} {succeeded:5} of {tried:5} succeeded, at least {floor} asked");
        }
        for (name, _, floor) in OPERATIONS {
            let (_, succeeded) = self.tally.0.get(name).copied().unwrap_or_default();
            assert!(succeeded >= floor, "{name}: {succeeded} of {floor}");
        }
        assert!(self.reorgs.len() >= 40 && self.reorgs.iter().any(|depth| *depth >= 50));
        assert!(self.snapshots >= 20 && self.policies_described >= 10);
        let c = &self.compared;
        for (what, count, floor) in [
            ("accounts", c.accounts, 100_000),
            ("below one", c.below_one, 500),
            ("with several collaterals below one", c.several, 100),
            ("with a price down", c.price_down, 100),
            ("requests", c.requests, 500),
            ("grants", c.granted, 200),
            ("refused by the pool", c.refused_by_pool, 1_000),
        ] {
            assert!(count >= floor, "{what}: {count} of {floor}");
        }
    }
}
