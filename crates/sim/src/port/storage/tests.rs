//! Storage says what the contracts say, whatever feed, venue, time and governance do.

#![allow(clippy::unwrap_used)]

use alloy_primitives::{B256, Bytes, I256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{IPriceOracle, SimFeed};
use breakwater_evm::{BlockEnvironment, Transaction};
use breakwater_market::{Purpose, Stream};
use breakwater_protocol::PriceStatus;

use super::*;
use crate::WorldKind;
use crate::actors::{Role, address};
use crate::audit::tests::{input, parameters};
use crate::config::Policy;
use crate::port::contracts;
use crate::setup::{self, Built, FLIGHTY_PROVIDERS};
use crate::units::to_base;

const SEEDS: std::ops::Range<u64> = 1..7;
const STEPS: u64 = 150;

/// How often each thing was met.
#[derive(Debug, Default)]
struct Met {
    ok: u32,
    degraded: u32,
    down: u32,
    /// The slow price stood in for a feed that was silent, stale or wrong.
    stood_in: u32,
    /// The venue confirmed, or had no answer.
    confirmed: u32,
    unconfirmed: u32,
    /// The venue's price was more than 5% from the feed's.
    apart: u32,
    /// The venue was too young, or had less depth than it must.
    young: u32,
    thin: u32,
}

struct Life {
    built: Built,
    seed: u64,
    oracle: Oracle,
    draws: Stream,
    /// Whether the venue's providers have left.
    gone: bool,
    met: Met,
}

impl Life {
    fn begin(seed: u64, met: Met) -> Self {
        let kind = WorldKind::Policy(Policy::Damped);
        let mut built = setup::build(&parameters(), &input(), kind, seed, false).unwrap();
        let oracle = Oracle::new(&mut built.chain, &built.addresses, &built.venue).unwrap();
        Self {
            built,
            seed,
            oracle,
            draws: Stream::new(seed, Purpose::NoiseTraders, 0),
            gone: false,
            met,
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.draws.uniform() * end as f64) as u64
    }

    /// Time goes on, then what stands is read both ways.
    fn pass(&mut self, seconds: u64) {
        let chain = &mut self.built.chain;
        let block = chain.block().clone();
        chain.begin_block(BlockEnvironment {
            number: block.number + 1,
            timestamp: block.timestamp + seconds,
            ..block
        });
        self.compare();
    }

    fn compare(&mut self) {
        let (chain, addresses) = (&mut self.built.chain, &self.built.addresses);
        let asked = contracts::reading(chain, addresses).unwrap();
        let reading = self.oracle.reading(chain).unwrap();
        assert_eq!(reading, asked);
        let depth = contracts::depth(chain, addresses);
        assert_eq!(self.oracle.depth(chain).unwrap(), depth);
        let venue = self.built.venue.pool();
        let balance = contracts::balance(chain, addresses, venue).unwrap();
        let slot = balance_slot(venue);
        assert_eq!(chain.storage(addresses.asset, slot).unwrap(), balance);

        let met = &mut self.met;
        match reading.status {
            PriceStatus::Ok => met.ok += 1,
            PriceStatus::Degraded => met.degraded += 1,
            PriceStatus::Down => met.down += 1,
        }
        let up = reading.status != PriceStatus::Down;
        let answers = reading.confirm != reading.slow;
        met.stood_in += u32::from(up && reading.fast == reading.slow);
        met.confirmed += u32::from(up && answers);
        met.unconfirmed += u32::from(up && !answers);
        let ratio = f64::from(reading.confirm) / f64::from(reading.fast);
        met.apart += u32::from(up && answers && (ratio - 1.0).abs() > 0.05);
        met.young += u32::from(depth.is_zero());
        met.thin += u32::from(!depth.is_zero() && depth < self.oracle.source.min_depth);
    }

    fn send(&mut self, from: Address, to: Address, input: Bytes) -> bool {
        let transaction = Transaction::call(from, to, input);
        self.built.chain.execute(&transaction).unwrap().is_success()
    }

    /// The venue is traded to this price, if it is not there.
    fn trade(&mut self, price: f64) {
        let state = self.built.venue.state(&self.built.chain).unwrap();
        let trader = address(self.seed, Role::Arbitrageur, 0);
        let sell = price < state.price();
        let (to, input) = self
            .built
            .venue
            .trade_call(trader, sell, None, price)
            .unwrap();
        self.send(trader, to, input);
    }

    /// The feed says something, rightly or wrongly dated.
    fn report(&mut self) {
        let now = self.built.chain.block().timestamp;
        let price = 200.0 * (0.8 + 0.4 * self.draws.uniform());
        let answer = I256::from_raw(to_base(price, 1e8));
        let (answer, updated_at) = match self.below(12) {
            0 => (I256::ZERO, now),
            1 => (-answer, now),
            2 => (answer, now + 1),
            3 => (answer, now - now.min(self.below(100_000))),
            4 => (answer, 0),
            5 => (I256::MAX, now),
            _ => (answer, now),
        };
        let call = SimFeed::setCall {
            answer,
            updatedAt: U256::from(updated_at),
        };
        let feed = self.built.addresses.feed;
        let operator = self.built.addresses.operator;
        assert!(self.send(operator, feed, call.abi_encode().into()));
    }

    /// The venue has a ring of this many observations, of which only the latest is written.
    fn forget(&mut self, cardinality: u16) {
        let pool = self.built.venue.pool();
        let state = self.oracle.venue.state(&self.built.chain).unwrap();
        let chain = &mut self.built.chain;
        let latest = U256::from(8 + u32::from(state.observation_index));
        let latest = chain.storage(pool, latest).unwrap();
        chain.set_storage(pool, U256::from(8), latest);
        for index in 1..cardinality {
            // As the pool leaves a place that it has grown to.
            chain.set_storage(pool, U256::from(8 + index), U256::ONE);
        }
        let slot0 = chain.storage(pool, U256::ZERO).unwrap();
        let counters = U256::from((1_u64 << 48) - 1) << 184_usize;
        let cardinality = U256::from(cardinality);
        let own = (cardinality << 200_usize) | (cardinality << 216_usize);
        chain.set_storage(pool, U256::ZERO, (slot0 & !counters) | own);
    }

    fn act(&mut self) {
        match self.below(6) {
            0 | 1 => self.report(),
            2 => {
                let price = 200.0 * (0.8 + 0.4 * self.draws.uniform());
                self.trade(price);
            }
            3 => {
                // All providers leave nearly nothing, or come back.
                let sign = if self.gone { 1.0 } else { -1.0 };
                self.gone = !self.gone;
                for number in 0..=FLIGHTY_PROVIDERS {
                    let provider = address(self.seed, Role::Provider, number);
                    let share = if number == 0 { 0.5 } else { 0.062_5 };
                    let change = sign * 0.9999 * share * self.built.liquidity;
                    let (to, input) = self.built.venue.provide_call(change);
                    assert!(self.send(provider, to, input));
                }
            }
            _ => {
                let oracle = self.built.addresses.oracle;
                let call = IPriceOracle::updateCall {}.abi_encode();
                let operator = self.built.addresses.operator;
                assert!(self.send(operator, oracle, call.into()));
            }
        }
    }
}

#[test]
fn an_oracle_is_read_to_the_wei() {
    let mut met = Met::default();
    let mut orders = [0, 0];
    for seed in SEEDS {
        let mut life = Life::begin(seed, met);
        orders[usize::from(life.built.venue.collateral_is_token0())] += 1;
        life.compare();
        for _ in 0..STEPS {
            for _ in 0..life.below(4) {
                life.act();
                life.compare();
            }
            let seconds = match life.below(20) {
                0 => life.below(40_000),
                1..5 => life.below(1_000),
                _ => 12,
            };
            life.pass(1 + seconds);
        }
        // A trade a second, which a ring of 20 observations forgets before the window has passed.
        life.forget(20);
        life.compare();
        for second in 0..60 {
            life.trade(200.0 + f64::from(second % 7));
            life.pass(1);
        }
        met = life.met;
    }
    assert!(orders.iter().all(|count| *count > 0), "{orders:?}");
    let all = [
        met.ok,
        met.degraded,
        met.down,
        met.stood_in,
        met.confirmed,
        met.unconfirmed,
        met.apart,
        met.young,
        met.thin,
    ];
    assert!(all.iter().all(|count| *count > 10), "{met:?}");
}

#[test]
fn a_level_is_read_as_the_breaker_answers() {
    let mut life = Life::begin(1, Met::default());
    let breaker = Breaker::new(&life.built.addresses);
    let now = life.built.chain.block().timestamp;
    let mut levels = [0; 4];
    for _ in 0..400 {
        // Times of which each may be over.
        let mut timers = U256::ZERO;
        for _ in 0..5 {
            timers = (timers << 32) | U256::from(now - 2 + life.below(5));
        }
        let active = U256::from(u8::from(life.below(4) != 0));
        let calm = U256::from_be_bytes(B256::repeat_byte(7).0) >> 16_usize;
        let (chain, addresses) = (&mut life.built.chain, &life.built.addresses);
        chain.set_storage(breaker.address, breaker.timers, timers);
        chain.set_storage(breaker.address, breaker.conditions, (active << 240) | calm);
        let level = breaker.level(chain).unwrap();
        assert_eq!(level, contracts::level(chain, addresses).unwrap());
        levels[usize::from(u8::from(level))] += 1;
    }
    assert!(levels.iter().all(|count| *count > 10), "{levels:?}");
}
