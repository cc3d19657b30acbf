//! The network that the market shares: its base fee moves by EIP-1559, and the rest of the world wants block space too.

/// Cap on the rest of the network's demand, in blocks.
const DEMAND_CAP: f64 = 20.0;

/// Gas of a typical simulated transaction, for telling which tip would just be included.
const TYPICAL_GAS: f64 = 1_000_000.0;

/// EIP-1559's constants: a target of half the limit, and at most an eighth of change a block.
const ELASTICITY_MULTIPLIER: u64 = 2;
const MAX_CHANGE_DENOMINATOR: u128 = 8;

const WEI_PER_GWEI: f64 = 1e9;

/// The fee market of one chain. Demand of the rest of the network for gas at a price of at least p is
/// `target · (going / p)^elasticity`, so that the base fee settles where the scenario's going price is.
#[derive(Clone, Debug)]
pub struct GasMarket {
    limit: u64,
    elasticity: f64,
    base_fee: u64,
    going: f64,
}

impl GasMarket {
    /// A market at rest at `going` gwei.
    #[must_use]
    pub fn new(limit: u64, elasticity: f64, going: f64) -> Self {
        Self {
            limit,
            elasticity,
            base_fee: ((going * WEI_PER_GWEI) as u64).max(1),
            going,
        }
    }

    /// Sets the going price in gwei for the blocks to come.
    pub const fn set_going(&mut self, going: f64) {
        self.going = going;
    }

    /// Base fee of the block being built, in wei.
    #[must_use]
    pub const fn base_fee(&self) -> u64 {
        self.base_fee
    }

    /// Base fee of the block being built, in gwei.
    #[must_use]
    pub fn base_fee_gwei(&self) -> f64 {
        self.base_fee as f64 / WEI_PER_GWEI
    }

    /// Gas that the rest of the network wants at `price` gwei or more.
    #[must_use]
    pub fn demand(&self, price: f64) -> f64 {
        let target = self.target() as f64;
        let cap = DEMAND_CAP * self.limit as f64;
        (target * (self.going / price.max(f64::MIN_POSITIVE)).powf(self.elasticity)).min(cap)
    }

    /// Whether `gas` fits at a tip of `tip` gwei when `used` is taken by simulated transactions with higher tips: bids of
    /// the rest of the network that pay more come first.
    #[must_use]
    pub fn fits(&self, gas: u64, used: u64, tip: f64) -> bool {
        self.demand(self.base_fee_gwei() + tip) + (used + gas) as f64 <= self.limit as f64
    }

    /// The gas that the rest of the network takes of a block of which `used` is taken.
    #[must_use]
    pub fn background(&self, used: u64) -> u64 {
        let room = self.limit.saturating_sub(used);
        (self.demand(self.base_fee_gwei()) as u64).min(room)
    }

    /// The price in gwei at which a typical transaction would just fit: base fee and tip together.
    #[must_use]
    pub fn inclusion_price(&self) -> f64 {
        let room = (self.limit as f64 - TYPICAL_GAS).max(1.0);
        // Inverse of the demand.
        self.going * (self.target() as f64 / room).powf(1.0 / self.elasticity)
    }

    /// Closes a block in which `used` gas was used in all: EIP-1559's update of the base fee.
    pub fn close(&mut self, used: u64) {
        let target = self.target();
        let base = u128::from(self.base_fee);
        let change = |difference: u64| {
            base * u128::from(difference) / u128::from(target) / MAX_CHANGE_DENOMINATOR
        };
        let next = if used > target {
            base + change(used - target).max(1)
        } else {
            base - change(target - used)
        };
        self.base_fee = u64::try_from(next).unwrap_or(u64::MAX).max(1);
    }

    const fn target(&self) -> u64 {
        self.limit / ELASTICITY_MULTIPLIER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_at_the_going_price() {
        let mut market = GasMarket::new(30_000_000, 1.5, 40.0);
        for _ in 0..100 {
            market.close(market.background(0));
        }
        assert!((market.base_fee_gwei() - 40.0).abs() < 0.01);
    }

    #[test]
    fn follows_a_spike_by_an_eighth_a_block() {
        let mut market = GasMarket::new(30_000_000, 1.5, 10.0);
        market.set_going(100.0);
        market.close(market.background(0));
        assert_eq!(market.base_fee(), 11_250_000_000);
        for _ in 0..200 {
            market.close(market.background(0));
        }
        assert!((market.base_fee_gwei() - 100.0).abs() < 0.1);
    }

    #[test]
    fn spike_excludes_low_tips_until_the_base_fee_has_caught_up() {
        let mut market = GasMarket::new(30_000_000, 1.0, 10.0);
        assert!(market.fits(1_000_000, 0, 0.0));
        market.set_going(100.0);
        // Demand at 10 gwei is ten targets, five blocks; at p gwei it leaves a million free from 15·100/29 = 51.7 on.
        assert!(!market.fits(1_000_000, 0, 0.0));
        assert!(!market.fits(1_000_000, 0, 41.0));
        assert!(market.fits(1_000_000, 0, 42.0));
        assert!((market.inclusion_price() - 1_500.0 / 29.0).abs() < 1e-9);
        assert_eq!(market.background(4_000_000), 26_000_000);
    }

    #[test]
    fn empty_and_full_blocks_move_the_fee_as_eip_1559_says() {
        let mut market = GasMarket::new(30_000_000, 1.0, 8.0);
        market.close(0);
        assert_eq!(market.base_fee(), 7_000_000_000);
        market.close(15_000_000);
        assert_eq!(market.base_fee(), 7_000_000_000);
        market.close(30_000_000);
        assert_eq!(market.base_fee(), 7_875_000_000);
        let mut low = GasMarket::new(30_000_000, 1.0, 1e-9);
        low.close(30_000_000);
        assert_eq!(low.base_fee(), 2);
    }
}
