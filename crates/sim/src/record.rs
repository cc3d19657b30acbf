//! The row of a block.

use crate::WorldKind;
use crate::trace::{BlockRow, COUNTERFACTUAL, HEALTH_BIN_EDGES, HEALTH_BINS};
use crate::units::{DEBT_UNIT, from_base};
use crate::world::{BlockCounts, World};

/// What the positions look like at one price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Census {
    accounts: u64,
    unhealthy: u64,
    insolvent: u64,
    shortfall: f64,
    collateral: f64,
    histogram: [u32; HEALTH_BINS],
}

impl Census {
    fn count(&mut self, collateral: f64, debt: f64, price: f64, threshold: f64) {
        self.collateral += collateral;
        if debt <= 0.0 {
            return;
        }
        self.accounts += 1;
        let value = collateral * price;
        let health = value * threshold / debt;
        self.unhealthy += u64::from(health < 1.0);
        self.insolvent += u64::from(debt > value);
        self.shortfall += (debt - value).max(0.0);
        self.histogram[HEALTH_BIN_EDGES.partition_point(|edge| *edge <= health)] += 1;
    }
}

impl World<'_> {
    /// The world's name in rows.
    pub(crate) fn name(&self) -> String {
        match self.kind {
            WorldKind::Policy(policy) => policy.name(),
            WorldKind::Counterfactual => COUNTERFACTUAL,
        }
        .to_owned()
    }

    pub(crate) fn row(&self, block: u64, counts: &BlockCounts, base_fee_gwei: f64) -> BlockRow {
        let reading = &self.reading;
        let reference_price = self.reference();
        let mut census = Census::default();
        for position in self.mirror.index().positions() {
            let debt = position.debt_shares * reading.debt_index;
            census.count(
                position.collateral,
                debt,
                reference_price,
                self.habits.threshold,
            );
        }
        let lender_loss = from_base(self.mirror.written_off.1, DEBT_UNIT);
        BlockRow {
            policy: self.name(),
            block,
            timestamp: self.timestamp(block),
            exogenous_price: self.input.prices[block as usize],
            reference_price,
            venue_price: reading.venue.price(),
            fast_price: reading.prices.fast,
            slow_price: reading.prices.slow,
            confirm_price: reading.prices.confirm,
            base_fee_gwei,
            gas_used: counts.gas_used,
            background_gas: counts.background_gas,
            transactions: counts.transactions,
            reverted: counts.reverted,
            waiting: self.mempool.len() as u64,
            dropped: counts.dropped,
            breaker_level: reading.breaker_level,
            bucket_level: reading.bucket.0,
            bucket_capacity: reading.bucket.1,
            accounts: census.accounts,
            unhealthy: census.unhealthy,
            insolvent: census.insolvent,
            shortfall: census.shortfall,
            written_off: from_base(self.mirror.written_off.0, DEBT_UNIT) + lender_loss,
            lender_loss,
            debt: reading.debt,
            collateral: census.collateral,
            lender_assets: reading.lender_assets,
            cash: reading.cash,
            utilisation: if reading.lender_assets > 0.0 {
                reading.debt / reading.lender_assets
            } else {
                0.0
            },
            keeper_profit: self.totals.keeper_profit,
            arbitrage_profit: self.totals.arbitrage_profit,
            adversary_profit: self.totals.adversary_cash
                - self.totals.adversary_short * reference_price,
            venue_liquidity: reading.venue.liquidity / self.liquidity,
            health_histogram: census.histogram,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_positions_by_health() {
        let mut census = Census::default();
        // At 100 and LT 0.8, one collateral carries 80: health 0.9524, 1.0, 0.727 and insolvent, none.
        for debt in [84.0, 80.0, 110.0, 0.0] {
            census.count(1.0, debt, 100.0, 0.8);
        }
        assert_eq!(
            (census.accounts, census.unhealthy, census.insolvent),
            (3, 2, 1)
        );
        assert_eq!((census.shortfall, census.collateral), (10.0, 4.0));
        // Bins: below 0.90; 0.95 to 0.97; 1.00 to 1.02.
        assert_eq!(census.histogram[0], 1);
        assert_eq!(census.histogram[2], 1);
        assert_eq!(census.histogram[4], 1);
    }
}
