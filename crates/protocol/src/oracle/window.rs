//! A time-weighted average over a fixed window, from two words: `contracts/libraries/OracleWindow.sol`.

use alloy_primitives::U256;

/// A price, when it came, its integral up to then, and the owner's mark, as stored in one word.
///
/// From the lowest bit: price 88, time 32, cumulative 120, mark 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// In the owner's units; of a checkpoint, the mean over the window that ended at its time.
    pub price: u128,
    /// Seconds since the owner's deployment.
    pub time: u64,
    /// The integral of the price up to that time, price · seconds.
    pub cumulative: u128,
    /// The owner's 16 bits.
    pub mark: u64,
}

impl From<U256> for Observation {
    fn from(word: U256) -> Self {
        let bits = |from: usize, count: usize| -> u128 {
            let mask = U256::from((1_u128 << count) - 1);
            ((word >> from) & mask).to()
        };
        Self {
            price: bits(0, 88),
            time: bits(88, 32) as u64,
            cumulative: bits(120, 120),
            mark: bits(240, 16) as u64,
        }
    }
}

impl Observation {
    /// The integral of the price up to `now`, at or after its time.
    #[must_use]
    pub const fn cumulative_at(&self, now: u64) -> u128 {
        self.cumulative + self.price * (now - self.time) as u128
    }

    /// The mean over the `window` seconds that end at `now`, rounded down; this is the last record. It needs, as the contract does,
    /// `checkpoint` at or before this one and less than a window from it, and both at or before `now`: no product exceeds 2^122
    /// then.
    #[must_use]
    pub const fn mean(&self, checkpoint: &Self, now: u64, window: u64) -> u128 {
        let gap = now - self.time;
        if gap >= window {
            return self.price;
        }
        let between = self.cumulative - checkpoint.cumulative;
        let age = now - checkpoint.time;
        let earlier = if age > window {
            // The window begins between the two.
            between * (window - gap) as u128 / (age - gap) as u128
        } else {
            between + checkpoint.price * (window - age) as u128
        };
        (self.price * gap as u128 + earlier) / window as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_four_fields() {
        let word = U256::from(5)
            | (U256::from(7) << 88)
            | (U256::from(11) << 120)
            | (U256::from(65_535) << 240);
        let expected = Observation {
            price: 5,
            time: 7,
            cumulative: 11,
            mark: 65_535,
        };
        assert_eq!(Observation::from(word), expected);
        let full = Observation::from(U256::MAX);
        assert_eq!(
            (full.price, full.cumulative),
            ((1 << 88) - 1, (1 << 120) - 1)
        );
        assert_eq!((full.time, full.mark), (u64::from(u32::MAX), 65_535));
    }

    #[test]
    fn the_mean_is_over_exactly_one_window() {
        // 100 up to second 50, then 200; the mean was 90 over the 100 seconds that ended at second 20.
        let checkpoint = Observation {
            price: 90,
            time: 20,
            cumulative: 2_000,
            mark: 0,
        };
        let latest = Observation {
            price: 200,
            time: 50,
            cumulative: 5_000,
            mark: 0,
        };
        assert_eq!(latest.cumulative_at(60), 7_000);
        // 10 s of 200, 30 s of 100, 60 s of the mean before.
        assert_eq!(
            latest.mean(&checkpoint, 60, 100),
            (2_000 + 3_000 + 5_400) / 100
        );
        // The window begins 10 s after the checkpoint: 80 s of 200, 20 s of 100.
        assert_eq!(latest.mean(&checkpoint, 130, 100), (16_000 + 2_000) / 100);
        assert_eq!(latest.mean(&checkpoint, 150, 100), 200);
    }
}
