//! Prices, venue, gas, blocks and time, and what anybody may record.

use alloy_primitives::{Address, I256, U256};

use super::{Effect, Plan, Planned, Scene, answer, at, collateral};
use crate::action::{Action, Kind, Size};
use crate::encode::{BlockAt, Call, int, uint};
use crate::properties::prices::Feed;
use crate::world::{ANSWER_BOUNDS, COLLATERALS, FIRST_ANSWERS, HEARTBEAT, STRANGER};

/// Seconds of an epoch and of a rotation of 64.
const EPOCH: u64 = 60;
const ROTATION: u64 = 64 * EPOCH;

impl Scene<'_> {
    pub(super) fn market(&mut self, action: &Action) -> Plan {
        let id = collateral(action.id);
        let place = &self.world.place;
        match action.kind {
            Kind::Donate => {
                let token = match action.choice % 3 {
                    0 => place.asset,
                    _ => place.tokens[id],
                };
                let possible = self.world.plan.dollars(1_000);
                let most = possible.max(U256::from(u64::MAX));
                let amount = action.size.of(possible).min(most);
                let arguments = [place.pool.into(), uint(amount)];
                let from = self.actor(at(action.who));
                Planned {
                    effect: Effect::Donated,
                    ..Call::new(from, token, "transfer(address,uint256)", arguments).into()
                }
                .into()
            }
            Kind::Price => self.price(action, id),
            Kind::Squeeze => self.squeeze(action),
            Kind::BreakFeed => self.break_feed(action, id),
            Kind::Venue => self.venue(action),
            Kind::Gas => {
                let fees = [
                    0,
                    1,
                    1_000_000_000,
                    8_000_000_000,
                    20_000_000_001,
                    200_000_000_000,
                    5_000_000_000_000,
                    u64::MAX,
                ];
                let base_fee = fees[usize::from(action.choice) % fees.len()];
                self.after(12, 1, Some(base_fee)).into()
            }
            Kind::Block => self.after(12, 1, None).into(),
            Kind::Late => self
                .after(12 * (2 + u64::from(action.choice % 16)), 1, None)
                .into(),
            Kind::Time => self.time(action),
            Kind::Update => {
                let name = if action.choice.is_multiple_of(2) {
                    "update()"
                } else {
                    "updateForLiquidation()"
                };
                Call::new(STRANGER, place.oracles[id], name, Vec::new()).into()
            }
            Kind::RecordDepth => {
                let arguments = [place.pool.into(), uint(U256::from(id))];
                Call::new(
                    STRANGER,
                    self.damped(action.choice),
                    "recordDepth(address,uint256)",
                    arguments,
                )
                .into()
            }
            _ => Call::new(
                STRANGER,
                place.breaker,
                "poke(address)",
                [place.pool.into()],
            )
            .into(),
        }
    }

    /// One of the policies that have buckets.
    fn damped(&self, choice: u8) -> Address {
        let known = &self.world.place.policies;
        let damped = known
            .iter()
            .filter(|policy| self.world.damped_at(**policy).is_some());
        let damped: Vec<_> = damped.collect();
        let index = usize::from(choice) % damped.len().max(1);
        damped.get(index).map_or(Address::ZERO, |policy| **policy)
    }

    pub(super) fn after(&self, seconds: u64, blocks: u64, base_fee: Option<u64>) -> BlockAt {
        BlockAt {
            timestamp: self.block.timestamp + seconds,
            number: self.block.number + blocks,
            base_fee: base_fee.unwrap_or(self.block.base_fee),
        }
    }

    fn time(&self, action: &Action) -> Plan {
        let now = self.block.timestamp;
        let until = |period: u64| period - now % period;
        let shift = u64::from(action.choice >> 6);
        let seconds = match action.choice % 12 {
            0 | 1 => until(EPOCH) + shift,
            2 => (until(EPOCH) - 1).max(1),
            3 => until(ROTATION) + shift,
            4 => (until(ROTATION) - 1).max(1),
            5 => 60 * (5 + shift),
            6 => 20 * 60 + shift,
            7 => 30 * 60 + shift,
            8 => HEARTBEAT + shift,
            9 => 4 * 3_600 + shift,
            10 => 86_400 * (1 + 3 * shift),
            _ => 86_400 * 30 * (1 + shift),
        };
        let block = self.after(seconds, (seconds / 12).max(1), None);
        // Three in four times the feeds have gone on reporting.
        let reports = (action.choice & 48 != 0).then(|| {
            self.feeds.iter().enumerate().map(|(id, feed)| {
                let feed = Feed {
                    updated_at: block.timestamp,
                    ..*feed
                };
                self.set_feed(id, feed)
            })
        });
        Plan {
            block: Some(block),
            calls: reports.into_iter().flatten().collect(),
        }
    }

    fn set_feed(&self, id: usize, feed: Feed) -> Planned {
        let arguments = [int(feed.answer), uint(U256::from(feed.updated_at))];
        let to = self.world.place.feeds[id];
        Planned {
            effect: Effect::Feed(id, feed),
            ..Call::new(STRANGER, to, "set(int256,uint256)", arguments).into()
        }
    }

    fn set_venue(&self, tick: i32, liquidity: u128) -> Planned {
        let tick = tick.clamp(-887_272, 887_272);
        let arguments = [
            int(I256::try_from(i64::from(tick)).unwrap_or_default()),
            uint(U256::from(liquidity)),
        ];
        Planned {
            effect: Effect::Venue(tick, liquidity),
            ..Call::new(
                STRANGER,
                self.world.place.venue,
                "set(int24,uint128)",
                arguments,
            )
            .into()
        }
    }

    /// What a feed answers, held to what it may answer: broken feeds answer anything.
    pub(super) fn believable(&self, id: usize) -> U256 {
        let (least, most) = ANSWER_BOUNDS;
        let answer = U256::try_from(self.feeds[id].answer).unwrap_or(U256::from(FIRST_ANSWERS[id]));
        answer.clamp(U256::from(least + 1), U256::from(most - 1))
    }

    /// A feed's report now, and the venue with it if it is the first collateral's and `follows`.
    fn report(&self, id: usize, price: U256, follows: bool) -> Vec<Planned> {
        self.report_at(self.block.timestamp, id, price, follows)
    }

    /// The same at another time.
    pub(super) fn report_at(
        &self,
        time: u64,
        id: usize,
        price: U256,
        follows: bool,
    ) -> Vec<Planned> {
        let (least, most) = ANSWER_BOUNDS;
        let price = price.clamp(U256::from(least + 1), U256::from(most - 1));
        let feed = Feed {
            answer: answer(price),
            updated_at: time,
        };
        let mut calls = vec![self.set_feed(id, feed)];
        if id == 0 && follows {
            calls.push(self.set_venue(self.tick_of(price), self.venue.1.max(1)));
        }
        calls
    }

    fn price(&self, action: &Action, id: usize) -> Plan {
        let current = self.believable(id);
        let first = U256::from(FIRST_ANSWERS[id]);
        let share = match action.size {
            Size::Share(share) => U256::from(share),
            _ => U256::from(u16::MAX / 2),
        };
        let whole = U256::from(u16::MAX);
        let price = match action.choice % 4 {
            // half to one and a half of the first
            0 => first / U256::from(2) + first * share / whole,
            // two percent up or down
            1 => {
                current * U256::from(98) / U256::from(100)
                    + current * share / whole / U256::from(25)
            }
            2 => first,
            _ => match action.size {
                Size::Near(units) if units < 0 => {
                    current.saturating_sub(U256::from(units.unsigned_abs()))
                }
                Size::Near(units) => current + U256::from(units.unsigned_abs()),
                _ => current * share / whole + U256::ONE,
            },
        };
        Plan {
            block: None,
            calls: self.report(id, price, action.choice & 16 == 0),
        }
    }

    /// To a health factor of exactly 1, but for a few units of the answer, to the edge of the hard zone, to one
    /// between 0.85 and 1.02, or to a twentieth.
    fn squeeze(&self, action: &Action) -> Plan {
        let now = self.now;
        let index = now.first(at(action.to), |index| !now.health[index].debt.is_zero());
        let (health, account) = (&now.health[index], now.account(index));
        if health.debt.is_zero() || health.health_fast.is_zero() || health.price_down {
            return Plan::default();
        }
        let wad = breakwater_protocol::math::WAD;
        let target = match action.size {
            Size::Share(share) => {
                wad * U256::from(85) / U256::from(100)
                    + wad * U256::from(17) / U256::from(100) * U256::from(share)
                        / U256::from(u16::MAX)
            }
            // the edge of the hard zone
            Size::Units(_) | Size::Power(_) => health.health_hard,
            // deep insolvency
            Size::Max => wad / U256::from(20),
            Size::Near(_) => wad,
        };
        let shift = match action.size {
            Size::Near(units) => units,
            Size::Units(units) => (units % 3) as i16 - 1,
            _ => 0,
        };
        let mut calls = Vec::new();
        for id in (0..COLLATERALS).filter(|id| !account.collateral[*id].is_zero()) {
            let current = self.believable(id);
            let Some(product) = current.checked_mul(target) else {
                continue;
            };
            let price = (product + health.health_fast - U256::ONE) / health.health_fast;
            let moved = U256::from(shift.unsigned_abs());
            let price = if shift < 0 {
                price.saturating_sub(moved)
            } else {
                price + moved
            };
            calls.extend(self.report(id, price, !action.choice.is_multiple_of(4)));
        }
        Plan { block: None, calls }
    }

    fn break_feed(&self, action: &Action, id: usize) -> Plan {
        let (now, feed) = (self.block.timestamp, self.feeds[id]);
        let (least, most) = ANSWER_BOUNDS;
        let number = |value: u64| answer(U256::from(value));
        let feed = match action.choice % 10 {
            0 => Feed {
                answer: I256::ZERO,
                updated_at: now,
            },
            1 => Feed {
                answer: I256::MINUS_ONE,
                updated_at: now,
            },
            2 => Feed {
                updated_at: now - HEARTBEAT,
                ..feed
            },
            3 => Feed {
                updated_at: now - HEARTBEAT - 1,
                ..feed
            },
            4 => Feed {
                updated_at: now + 1,
                ..feed
            },
            5 => Feed {
                answer: number(least),
                updated_at: now,
            },
            6 => Feed {
                answer: number(most),
                updated_at: now,
            },
            7 => Feed {
                answer: I256::MAX,
                updated_at: now,
            },
            8 => Feed {
                updated_at: 0,
                ..feed
            },
            _ => Feed {
                answer: I256::MIN,
                updated_at: now,
            },
        };
        Plan::from(self.set_feed(id, feed))
    }

    fn venue(&self, action: &Action) -> Plan {
        let price = self.believable(0);
        let (tick, liquidity) = self.venue;
        let usual = self.world.plan.liquidity;
        let share = match action.size {
            Size::Share(share) => i32::from(share % 4_000) - 2_000,
            _ => 0,
        };
        let (tick, liquidity) = match action.choice % 8 {
            0 | 1 => (self.tick_of(price) + share, liquidity.max(1)),
            2 => (self.tick_of(price), usual),
            3 => (tick, usual / 100),
            4 => (tick, usual * 1_000),
            5 => (tick, 0),
            6 => (tick, u128::MAX),
            _ => (tick, 1),
        };
        Plan::from(self.set_venue(tick, liquidity))
    }

    /// The tick at which the first collateral is worth an answer of its feed. Only ever an input: rounding is no matter.
    fn tick_of(&self, price: U256) -> i32 {
        let price = f64::from(price) * self.world.plan.venue_scale();
        (price.ln() / 1.0001_f64.ln()).round() as i32
    }
}

impl From<BlockAt> for Plan {
    fn from(block: BlockAt) -> Self {
        Self {
            block: Some(block),
            calls: Vec::new(),
        }
    }
}
