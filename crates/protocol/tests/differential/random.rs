//! Random numbers that reach every order of magnitude.

use alloy_primitives::U256;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream `stream` of the campaign's seed.
    pub fn new(stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(crate::seed());
        generator.set_stream(stream);
        Self(generator)
    }

    /// Between `low` and `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        let span = u128::from(high - low) + 1;
        low + (u128::from(self.0.next_u64()) % span) as u64
    }

    /// Evenly over the orders of magnitude from 10^`low` up to 10^`high`.
    pub fn magnitude(&mut self, low: u32, high: u32) -> U256 {
        let exponent = self.range(u64::from(low), u64::from(high) - 1);
        let digits = U256::from(self.range(1_000_000_000, 9_999_999_999));
        digits * U256::from(10).pow(U256::from(exponent)) / U256::from(1_000_000_000_u64)
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.range(1, count) == 1
    }
}
