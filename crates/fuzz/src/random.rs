//! Random numbers that belong to one input.

use alloy_primitives::keccak256;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The stream of one input: what it yields depends on the campaign and on the input's number, on nothing else.
#[derive(Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream of input `number` of the campaign named `key`.
    #[must_use]
    pub fn of_input(key: [u8; 32], number: u64) -> Self {
        let seed = keccak256([&key[..], &number.to_be_bytes()].concat());
        Self(ChaCha8Rng::from_seed(seed.0))
    }

    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 0 to `end` - 1; the bias of a remainder does not matter here.
    pub fn below(&mut self, end: u64) -> u64 {
        self.word() % end.max(1)
    }

    /// A place in a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }
}
