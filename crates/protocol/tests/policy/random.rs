//! Reproducible random numbers.

use alloy_primitives::U256;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream `stream` of `seed`.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Between `low` and `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "{low} > {high}");
        match (high - low).checked_add(1) {
            Some(count) => low + self.next() % count,
            None => self.next(),
        }
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.range(0, 99) < percent
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.range(0, from.len() as u64 - 1) as usize]
    }

    /// A share of `value` between `low` and `high` thousandths, in steps of 1e-12.
    pub fn share(&mut self, value: U256, low: u64, high: u64) -> U256 {
        let steps = 1_000_000_000;
        value * U256::from(self.range(low * steps, high * steps)) / U256::from(1_000 * steps)
    }

    /// Evenly over the orders of magnitude between 10^`low` and 10^`high`.
    pub fn magnitude(&mut self, low: u64, high: u64) -> U256 {
        let exponent = self.range(low, high - 1);
        let mantissa = self.range(1_000_000, 9_999_999);
        U256::from(mantissa) * U256::from(10).pow(U256::from(exponent)) / U256::from(1_000_000)
    }

    /// Any bits, with any number of leading zeros.
    pub fn word(&mut self) -> U256 {
        let word = U256::from_limbs([self.next(), self.next(), self.next(), self.next()]);
        word >> self.range(0, 255) as usize
    }
}
