//! Counter-based random numbers, one independent stream for each purpose.
//!
//! A stream is the ChaCha12 key stream whose key is (seed, purpose) and whose stream number is an index: an account, a
//! bar, a block, whatever the caller counts. Nobody's draws depend on how many numbers somebody else took, so two runs that
//! differ in one policy see the same market and the same other agents (common random numbers).

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

/// What the draws are for. The numbers are part of the output format: they never change meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u64)]
pub enum Purpose {
    /// The diffusion part of generated prices, and the path inside bars and between knots.
    Price = 1,
    /// Jumps of generated prices.
    Jumps = 2,
    /// Switches between calm and stressed regimes.
    Regime = 3,
    /// Demand for gas.
    Gas = 4,
    /// Depth of the venue.
    Depth = 5,
    /// The accounts that exist at the start.
    Population = 6,
    /// Decisions of borrowers.
    Borrowers = 7,
    /// Decisions of keepers.
    Keepers = 8,
    /// Decisions of arbitrageurs.
    Arbitrageurs = 9,
    /// Decisions of the venue's liquidity providers.
    Providers = 10,
    /// Decisions of backstop depositors.
    Depositors = 11,
    /// Decisions of noise traders.
    NoiseTraders = 12,
    /// Decisions of the adversary.
    Adversary = 13,
    /// Order and loss of transactions in block building.
    BlockBuilding = 14,
    /// The chain's own randomness (prevrandao).
    Chain = 15,
    /// Resampling in statistics.
    Statistics = 16,
    /// Inputs of fuzzing campaigns.
    Fuzzing = 17,
}

/// A reproducible stream of random numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    generator: ChaCha12Rng,
}

impl Stream {
    /// The stream of `seed`, `purpose` and `index`, at its beginning.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        // The key is unused entropy plus a domain; ChaCha needs no random key for its blocks to be independent.
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
        key[16..].copy_from_slice(b"breakwater/draws");
        let mut generator = ChaCha12Rng::from_seed(key);
        generator.set_stream(index);
        Self { generator }
    }

    /// How many 32-bit words were taken: all there is to save in a checkpoint besides the three arguments of
    /// [`new`](Self::new).
    pub fn position(&self) -> u64 {
        // A stream is 2^68 words long; no run takes 2^64 of them.
        u64::try_from(self.generator.get_word_pos()).unwrap_or(u64::MAX)
    }

    /// Goes to a position that [`position`](Self::position) returned.
    pub fn seek(&mut self, position: u64) {
        self.generator.set_word_pos(u128::from(position));
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in [0, 1), on a lattice of 2^53 points.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in (0, 1]: for logarithms.
    pub fn uniform_above_zero(&mut self) -> f64 {
        1.0 - self.uniform()
    }

    /// Uniform integer in `0..bound`, without bias; 0 if `bound` is 0.
    ///
    /// Lemire, "Fast random integer generation in an interval" (2019): the high word of a 128-bit product, with the few
    /// products whose low word would favour some results thrown away.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let reject_below = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            if product as u64 >= reject_below {
                return (product >> 64) as u64;
            }
        }
    }

    /// True with the given probability (never if it is 0 or less, always if it is 1 or more). Takes one draw either way.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Standard normal: mean 0, standard deviation 1.
    ///
    /// Box and Muller (1958). The second of their pair is not kept, so that the state is a position and nothing else.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform_above_zero().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Exponential with the given mean (so the rate is 1 / mean), in the mean's unit.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.uniform_above_zero().ln()
    }

    /// Poisson count with the given mean; 0 for a mean of 0 or less. Meant for means up to some thousands: its time grows
    /// with the mean.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        // A sum of independent Poisson counts is Poisson: parts small enough that exp(-part) is far from underflow.
        const PART: f64 = 32.0;
        let mut count = 0;
        let mut remaining = mean;
        while remaining > 0.0 {
            let part = remaining.min(PART);
            count += self.small_poisson(part);
            remaining -= part;
        }
        count
    }

    /// Inversion of the distribution function: one uniform draw for each count.
    fn small_poisson(&mut self, mean: f64) -> u64 {
        let draw = self.uniform();
        let mut probability = (-mean).exp();
        let mut cumulative = probability;
        let mut count = 0u64;
        // Once terms vanish against the sum the remaining probability is below the lattice of `draw`.
        while draw >= cumulative && probability > f64::EPSILON * f64::EPSILON {
            count += 1;
            probability *= mean / count as f64;
            cumulative += probability;
        }
        count
    }

    /// Puts a slice into random order, every order being equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        const N: usize = 200_000;
        let draws: Vec<f64> = (0..N).map(|_| draw()).collect();
        let mean = draws.iter().sum::<f64>() / N as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64;
        (mean, variance)
    }

    #[test]
    fn same_arguments_give_the_same_numbers() {
        let mut a = Stream::new(7, Purpose::Price, 3);
        let mut b = Stream::new(7, Purpose::Price, 3);
        assert!((0..1000).all(|_| a.bits() == b.bits()));
    }

    #[test]
    fn seed_purpose_and_index_each_change_the_numbers() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).bits();
        let numbers = [
            first(7, Purpose::Price, 3),
            first(8, Purpose::Price, 3),
            first(7, Purpose::Gas, 3),
            first(7, Purpose::Price, 4),
            first(7, Purpose::Price, u64::MAX),
        ];
        for (i, a) in numbers.iter().enumerate() {
            assert!(numbers[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn first_words_are_pinned() {
        // Changing these changes every published result.
        let mut stream = Stream::new(1, Purpose::Price, 0);
        assert_eq!(
            [stream.bits(), stream.bits(), stream.bits()],
            [
                0x2dbc_55eb_12ef_0cc9,
                0xb49d_77ab_04c0_6971,
                0x3275_bb9c_85d7_4218
            ]
        );
    }

    #[test]
    fn seek_returns_to_a_saved_position() {
        let mut stream = Stream::new(1, Purpose::Keepers, 0);
        for _ in 0..37 {
            stream.normal();
        }
        let saved = stream.position();
        let expected: Vec<u64> = (0..50).map(|_| stream.bits()).collect();
        let mut resumed = Stream::new(1, Purpose::Keepers, 0);
        resumed.seek(saved);
        let found: Vec<u64> = (0..50).map(|_| resumed.bits()).collect();
        assert_eq!(expected, found);
    }

    #[test]
    fn uniform_has_the_moments_of_its_law() {
        let mut stream = Stream::new(1, Purpose::Price, 0);
        let (mean, variance) = moments(|| stream.uniform());
        assert!((mean - 0.5).abs() < 0.003, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.001, "{variance}");
    }

    #[test]
    fn normal_has_the_moments_of_its_law() {
        let mut stream = Stream::new(2, Purpose::Price, 0);
        let (mean, variance) = moments(|| stream.normal());
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
        let beyond = (0..200_000).filter(|_| stream.normal() > 1.96).count() as f64 / 200_000.0;
        assert!((beyond - 0.025).abs() < 0.0015, "{beyond}");
    }

    #[test]
    fn exponential_has_the_moments_of_its_law() {
        let mut stream = Stream::new(3, Purpose::Price, 0);
        let (mean, variance) = moments(|| stream.exponential(5.0));
        assert!((mean - 5.0).abs() < 0.06, "{mean}");
        assert!((variance - 25.0).abs() < 0.8, "{variance}");
    }

    #[test]
    fn poisson_has_mean_equal_to_variance() {
        for expected in [0.002, 0.7, 90.0] {
            let mut stream = Stream::new(4, Purpose::Jumps, 0);
            let (mean, variance) = moments(|| stream.poisson(expected) as f64);
            let tolerance = 0.03 * expected + 0.0005;
            assert!((mean - expected).abs() < tolerance, "{mean} {expected}");
            assert!(
                (variance - expected).abs() < tolerance,
                "{variance} {expected}"
            );
        }
        assert_eq!(Stream::new(4, Purpose::Jumps, 0).poisson(0.0), 0);
    }

    #[test]
    fn below_is_even_and_within_bound() {
        let mut stream = Stream::new(5, Purpose::Price, 0);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        assert!(
            counts.iter().all(|c| (9_600..10_400).contains(c)),
            "{counts:?}"
        );
        assert_eq!(stream.below(1), 0);
        assert_eq!(stream.below(0), 0);
        assert!(stream.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Stream::new(6, Purpose::Population, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
