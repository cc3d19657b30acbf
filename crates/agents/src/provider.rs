//! Liquidity that leaves when it is needed: providers withdraw as realised volatility rises and come back as it falls.

use std::collections::VecDeque;

use crate::observation::{Action, Bid, Intent, Observation};

/// Gas limit of a mint or burn.
pub const PROVIDE_GAS_LIMIT: u64 = 700_000;

/// A provider comes back once volatility is this share of what made it leave, lest it leave and come back every block.
pub const RETURN_SHARE: f64 = 0.9;

/// Volatility realised over a window: the root of the sum of squared log returns, one price a block.
#[derive(Clone, Debug)]
pub struct RealisedVolatility {
    squares: VecDeque<f64>,
    blocks: usize,
    last: f64,
}

impl RealisedVolatility {
    /// A window of `blocks` returns that starts at `price`.
    #[must_use]
    pub fn new(blocks: usize, price: f64) -> Self {
        Self {
            squares: VecDeque::with_capacity(blocks + 1),
            blocks: blocks.max(1),
            last: price,
        }
    }

    /// Takes the next block's price.
    pub fn push(&mut self, price: f64) {
        let log_return = (price / self.last).ln();
        self.last = price;
        self.squares.push_back(log_return * log_return);
        if self.squares.len() > self.blocks {
            self.squares.pop_front();
        }
    }

    /// The volatility over the window, as a ratio, not annualised.
    #[must_use]
    pub fn value(&self) -> f64 {
        // Summed anew rather than kept running, so that rounding cannot accumulate into a negative sum.
        self.squares.iter().sum::<f64>().sqrt()
    }
}

/// One provider of the venue's liquidity who takes flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Provider {
    /// Its number.
    pub number: u32,
    /// The volatility at which it leaves.
    pub threshold: f64,
    /// Whether its liquidity is, or is on its way, out.
    pub away: bool,
}

impl Provider {
    /// `count` providers whose thresholds are spread evenly over the upper half of `flight_volatility`: they begin to leave
    /// at half of it, and are all gone at it.
    #[must_use]
    pub fn group(count: u32, flight_volatility: f64) -> Vec<Self> {
        (0..count)
            .map(|number| Self {
                number,
                threshold: flight_volatility
                    * 0.5
                    * (1.0 + f64::from(number + 1) / f64::from(count)),
                away: false,
            })
            .collect()
    }

    /// Leaves, comes back, or stays.
    pub fn decide(&mut self, observation: &Observation, volatility: f64) -> Option<Intent> {
        let share = if !self.away && volatility >= self.threshold {
            0.0
        } else if self.away && volatility < self.threshold * RETURN_SHARE {
            1.0
        } else {
            return None;
        };
        self.away = share == 0.0;
        Some(intent(observation, self.number, share))
    }
}

/// Follows a measured depth: brings provider 0, who is then all of the venue, to `share` of the liquidity at the start once
/// it is 2% away from it.
#[must_use]
pub fn follow(observation: &Observation, current: f64, share: f64) -> Option<Intent> {
    ((current / share - 1.0).abs() >= 0.02).then(|| intent(observation, 0, share))
}

fn intent(observation: &Observation, provider: u32, share: f64) -> Intent {
    Intent {
        action: Action::Provide { provider, share },
        bid: Bid::lasting(observation, observation.competitive_tip() * 2.0, 8),
        gas_limit: PROVIDE_GAS_LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::observation;

    #[test]
    fn volatility_is_the_root_of_squared_returns_in_the_window() {
        let mut volatility = RealisedVolatility::new(2, 100.0);
        for price in [200.0, 100.0, 103.0_f64] {
            volatility.push(price);
        }
        let expected = (0.5_f64.ln().powi(2) + 1.03_f64.ln().powi(2)).sqrt();
        assert!((volatility.value() - expected).abs() < 1e-12);
    }

    #[test]
    fn leaves_from_half_to_all_and_returns() {
        let mut group = Provider::group(4, 0.08);
        let gone = |group: &mut Vec<Provider>, volatility: f64| {
            for provider in group.iter_mut() {
                let _ = provider.decide(&observation(100.0), volatility);
            }
            group.iter().filter(|provider| provider.away).count()
        };
        assert_eq!(gone(&mut group, 0.04), 0);
        assert_eq!(gone(&mut group, 0.05), 1);
        assert_eq!(gone(&mut group, 0.08), 4);
        // The last left at 0.08 and returns below 0.072; the one before left at 0.07, returns below 0.063.
        assert_eq!(gone(&mut group, 0.071), 3);
        assert_eq!(gone(&mut group, 0.0), 0);
    }

    #[test]
    fn follows_in_steps_of_two_percent() {
        assert_eq!(follow(&observation(100.0), 1.0, 0.99), None);
        assert!(matches!(
            follow(&observation(100.0), 1.0, 0.9),
            Some(Intent { action: Action::Provide { provider: 0, share }, .. }) if share == 0.9
        ));
    }
}
