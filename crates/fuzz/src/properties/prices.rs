//! Properties of oracle and breaker, from the feeds' answers and the times of what was seen, which are kept apart from theirs.

use alloy_primitives::{I256, U256};

use super::{Property, Violation, require};
use crate::sample::Sample;
use crate::world::{ANSWER_BOUNDS, COLLATERALS, FIRST_ANSWERS, HEARTBEAT, World};

/// Seconds for which a jump is not confirmed.
const CONFIRMATION: u64 = 300;

/// Seconds that a pause of the default breaker lasts, and from the start of one to the next.
const PAUSE: u64 = 180;
const PAUSE_AND_REST: u64 = 5 * PAUSE;

/// What a feed answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// 8 decimals.
    pub answer: I256,
    /// Its date.
    pub updated_at: u64,
}

impl Feed {
    /// The price scaled by 1e36, or nothing if it must not be believed.
    fn price(&self, of_answer: U256, now: u64) -> Option<U256> {
        let (least, most) = ANSWER_BOUNDS;
        let answer = u64::try_from(self.answer).ok()?;
        let fresh =
            self.updated_at != 0 && self.updated_at <= now && now - self.updated_at <= HEARTBEAT;
        let believed = fresh && answer > least && answer < most;
        believed.then(|| U256::from(answer) * of_answer)
    }
}

/// What was seen of prices and breaker since the sequence began.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The feeds as they were last set.
    pub feeds: [Feed; COLLATERALS],
    /// The price of one unit of an answer.
    of_answer: [U256; COLLATERALS],
    recorded: [U256; COLLATERALS],
    range: [(U256, U256); COLLATERALS],
    jumped_at: [Option<u64>; COLLATERALS],
    paused_at: Option<u64>,
    halted: bool,
}

impl Watch {
    /// At the start of a sequence.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let of_answer = std::array::from_fn(|id| world.plan.price_of_answer(id));
        let prices: [U256; COLLATERALS] =
            std::array::from_fn(|id| U256::from(FIRST_ANSWERS[id]) * of_answer[id]);
        Self {
            feeds: std::array::from_fn(|id| Feed {
                answer: I256::from_raw(U256::from(FIRST_ANSWERS[id])),
                updated_at: world.block.timestamp,
            }),
            of_answer,
            recorded: prices,
            range: prices.map(|price| (price, price)),
            jumped_at: [None; COLLATERALS],
            paused_at: None,
            halted: false,
        }
    }

    /// O1, O2, O3 and B1.
    pub fn check(&mut self, now: &Sample) -> Result<(), Violation> {
        for id in 0..COLLATERALS {
            self.oracle(id, now)?;
        }
        self.breaker(now)
    }

    fn oracle(&mut self, id: usize, now: &Sample) -> Result<(), Violation> {
        let collateral = &now.view.collaterals[id];
        let (prices, last) = (&collateral.prices, collateral.lastPrice);
        let feed = self.feeds[id].price(self.of_answer[id], now.timestamp);
        match feed {
            Some(price) => require(
                prices.fast == price && prices.status != 2,
                Property::O1,
                || format!("collateral {id}: {price} is read as {prices:?}"),
            )?,
            None => require(prices.status != 0, Property::O1, || {
                format!("collateral {id}: {:?} is believed", self.feeds[id])
            })?,
        }
        if last != self.recorded[id] {
            if moved(self.recorded[id], last) {
                self.jumped_at[id] = Some(now.timestamp);
            }
            self.recorded[id] = last;
            let range = &mut self.range[id];
            *range = (range.0.min(last), range.1.max(last));
        }
        let pending =
            self.jumped_at[id].is_some_and(|jumped| now.timestamp < jumped + CONFIRMATION);
        let jumps = moved(last, prices.fast);
        require(
            prices.status != 0 || !(pending || jumps),
            Property::O2,
            || format!("collateral {id}: {} after {last} is Ok", prices.fast),
        )?;
        let (least, most) = self.range[id];
        let within = prices.slow >= least && prices.slow <= most;
        require(prices.status == 2 || within, Property::O3, || {
            format!("collateral {id}: slow {} of {least} to {most}", prices.slow)
        })
    }

    fn breaker(&mut self, now: &Sample) -> Result<(), Violation> {
        self.halted |= now.view.breaker == 3;
        if now.view.breaker != 2 || self.halted {
            return Ok(());
        }
        match self.paused_at {
            Some(began) if now.timestamp < began + PAUSE_AND_REST => {
                require(now.timestamp < began + PAUSE, Property::B1, || {
                    format!("paused at {began}, still or again at {}", now.timestamp)
                })
            }
            _ => {
                self.paused_at = Some(now.timestamp);
                Ok(())
            }
        }
    }
}

/// Whether a price moved by more than a tenth.
fn moved(from: U256, to: U256) -> bool {
    from.abs_diff(to) * U256::from(10) > from
}
