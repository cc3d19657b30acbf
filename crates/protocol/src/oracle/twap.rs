//! Fast, slow and confirming price: `TwapOracle.sol` without a quote feed, and `OracleCall.readFeed`.

use alloy_primitives::U256;

use super::window::Observation;
use crate::price::{PriceStatus, Reading};

/// What a feed's `latestRoundData` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// In the feed's decimals, as a word: a negative answer is beyond every bound.
    pub answer: U256,
    /// Unix seconds.
    pub updated_at: U256,
}

/// What an oracle stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records {
    /// The last record. Its mark is for how many seconds after it the price counts as an unconfirmed jump.
    pub latest: Observation,
    /// Where the slow price is known from.
    pub checkpoint: Observation,
}

/// A `TwapOracle` without a quote feed: what its deployment fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwapOracle {
    /// Seconds; an older answer counts as missing.
    pub heartbeat: U256,
    /// In the feed's decimals; an answer at or below it counts as missing.
    pub min_answer: U256,
    /// In the feed's decimals; an answer at or above it counts as missing.
    pub max_answer: U256,
    /// Seconds over which the slow price is averaged.
    pub window: u64,
    /// Basis points; a move by more is a jump.
    pub step: u128,
    /// Seconds after the last record for which the slow price may stand in.
    pub stand_in_limit: u64,
    /// Unix seconds.
    pub deployed_at: u64,
    /// Prices scaled by 1e36 in one stored unit; a power of ten.
    pub unit: U256,
    /// An answer of 1 as a price scaled by 1e36: `OracleScale.exponentOf` as a power of ten.
    pub answer_unit: U256,
}

impl TwapOracle {
    /// What `peek()` and `lastPrice()` answer at `timestamp` (Unix seconds, not before the last record), the venue answering
    /// `average` (0 for nothing).
    #[must_use]
    pub fn peek(&self, records: &Records, round: &Round, average: U256, timestamp: u64) -> Reading {
        let latest = &records.latest;
        let time = timestamp - self.deployed_at;
        let price = self.price(round, timestamp);
        let gap = time - latest.time;
        let mut reading = Reading {
            cumulative: U256::from(latest.cumulative_at(time)) * self.unit,
            last: U256::from(latest.price) * self.unit,
            status: PriceStatus::Down,
            ..Reading::default()
        };
        if price.is_none() && gap > self.stand_in_limit {
            return reading;
        }
        let slow = latest.mean(&records.checkpoint, time, self.window);
        let jumped = |price: u128| price.abs_diff(latest.price) * 10_000 > latest.price * self.step;
        let settled =
            price.is_some_and(|price| !jumped(price) && gap >= latest.mark && time >= self.window);
        reading.status = if settled {
            PriceStatus::Ok
        } else {
            PriceStatus::Degraded
        };
        reading.fast = U256::from(price.unwrap_or(slow)) * self.unit;
        reading.slow = U256::from(slow) * self.unit;
        reading.confirm = if average.is_zero() {
            reading.slow
        } else {
            average
        };
        reading
    }

    /// The feed's answer in stored units; nothing unless it is strictly between the bounds, dated, not in the future, and at most
    /// a heartbeat old. The constructor has seen to it that it fits.
    fn price(&self, round: &Round, timestamp: u64) -> Option<u128> {
        let now = U256::from(timestamp);
        let believed = round.answer > self.min_answer
            && round.answer < self.max_answer
            && !round.updated_at.is_zero()
            && round.updated_at <= now
            && now - round.updated_at <= self.heartbeat;
        // One of the two units divides the other.
        let price = if self.unit <= self.answer_unit {
            round.answer.saturating_mul(self.answer_unit / self.unit)
        } else {
            round.answer / (self.unit / self.answer_unit)
        };
        believed.then(|| price.saturating_to())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYED: u64 = 1_000_000;
    const HEARTBEAT: u64 = 3_600;
    const WINDOW: u64 = 1_800;

    /// Answers of 8 decimals, stored with 2 digits less.
    fn oracle() -> TwapOracle {
        TwapOracle {
            heartbeat: U256::from(HEARTBEAT),
            min_answer: U256::from(1_000),
            max_answer: U256::from(1_000_000),
            window: WINDOW,
            step: 500,
            stand_in_limit: 2 * WINDOW,
            deployed_at: DEPLOYED,
            unit: U256::from(100),
            answer_unit: U256::ONE,
        }
    }

    /// A price of 2,000 recorded two hours after the deployment, after 1,000.
    fn records() -> Records {
        Records {
            latest: Observation {
                price: 2_000,
                time: 7_200,
                cumulative: 7_200_000,
                mark: 300,
            },
            checkpoint: Observation {
                price: 1_000,
                time: 7_200,
                cumulative: 7_200_000,
                mark: 0,
            },
        }
    }

    fn round(answer: u64, age: u64, now: u64) -> Round {
        Round {
            answer: U256::from(answer),
            updated_at: U256::from(now - age),
        }
    }

    fn at(after: u64) -> u64 {
        DEPLOYED + 7_200 + after
    }

    fn peek(answer: u64, age: u64, after: u64) -> Reading {
        let now = at(after);
        oracle().peek(&records(), &round(answer, age, now), U256::ZERO, now)
    }

    #[test]
    fn a_settled_price_has_its_mean_and_its_integral() {
        let reading = peek(200_000, 0, 450);
        assert_eq!(reading.status, PriceStatus::Ok);
        assert_eq!(reading.fast, U256::from(200_000));
        // A quarter of the window at 2,000, the rest at 1,000.
        assert_eq!(reading.slow, U256::from(125_000));
        assert_eq!(reading.confirm, reading.slow);
        assert_eq!(reading.cumulative, U256::from(810_000_000_u64));
        assert_eq!(reading.last, U256::from(200_000));
        let average = U256::from(777);
        let now = at(450);
        let reading = oracle().peek(&records(), &round(200_000, 0, now), average, now);
        assert_eq!(reading.confirm, average);
    }

    #[test]
    fn a_jump_degrades_until_it_is_confirmed() {
        assert_eq!(peek(200_000, 0, 299).status, PriceStatus::Degraded);
        assert_eq!(peek(200_000, 0, 300).status, PriceStatus::Ok);
        // By exactly the step, and by a unit more.
        for (answer, status) in [
            (210_000, PriceStatus::Ok),
            (210_100, PriceStatus::Degraded),
            (190_000, PriceStatus::Ok),
            (189_900, PriceStatus::Degraded),
        ] {
            assert_eq!(peek(answer, 0, 300).status, status, "{answer}");
        }
    }

    #[test]
    fn the_first_window_is_degraded() {
        let first = Observation {
            price: 2_000,
            ..Observation::default()
        };
        let records = Records {
            latest: first,
            checkpoint: first,
        };
        for (time, status) in [
            (WINDOW - 1, PriceStatus::Degraded),
            (WINDOW, PriceStatus::Ok),
        ] {
            let now = DEPLOYED + time;
            let reading = oracle().peek(&records, &round(200_000, 0, now), U256::ZERO, now);
            assert_eq!(reading.status, status);
        }
    }

    #[test]
    fn the_slow_price_stands_in_for_a_stale_or_silent_feed_and_then_nothing_does() {
        assert_eq!(peek(200_000, HEARTBEAT, 450).status, PriceStatus::Ok);
        let now = at(450);
        let never = Round {
            answer: U256::from(200_000),
            updated_at: U256::ZERO,
        };
        let future = Round {
            updated_at: U256::from(now + 1),
            ..never
        };
        let negative = Round {
            answer: U256::MAX,
            updated_at: U256::from(now),
        };
        for missing in [
            round(200_000, HEARTBEAT + 1, now),
            round(1_000, 0, now),
            round(1_000_000, 0, now),
            never,
            future,
            negative,
        ] {
            let reading = oracle().peek(&records(), &missing, U256::ZERO, now);
            assert_eq!(reading.status, PriceStatus::Degraded, "{missing:?}");
            assert_eq!(reading.fast, reading.slow);
            assert_eq!(reading.slow, U256::from(125_000));
        }
        let limit = 2 * WINDOW;
        let stale = HEARTBEAT + 1;
        assert_eq!(peek(200_000, stale, limit).status, PriceStatus::Degraded);
        let down = peek(200_000, stale, limit + 1);
        let expected = Reading {
            cumulative: U256::from(720_000_000 + 200_000 * (limit + 1)),
            status: PriceStatus::Down,
            last: U256::from(200_000),
            ..Reading::default()
        };
        assert_eq!(down, expected);
        // The venue's average is no price without a feed.
        let now = at(limit + 1);
        let missing = round(200_000, stale, now);
        assert_eq!(
            oracle().peek(&records(), &missing, U256::from(777), now),
            expected
        );
        // An answer ends it.
        assert_eq!(peek(200_000, 0, limit + 1).status, PriceStatus::Ok);
    }

    #[test]
    fn an_answer_may_be_a_multiple_of_the_unit() {
        let oracle = TwapOracle {
            unit: U256::from(10),
            answer_unit: U256::from(1_000),
            ..oracle()
        };
        let now = at(0);
        let reading = oracle.peek(&records(), &round(2_000, 0, now), U256::ZERO, now);
        assert_eq!(reading.fast, U256::from(2_000_000));
    }
}
