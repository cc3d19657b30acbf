//! A pool's books: `contracts/lending/PoolAccounting.sol`.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use super::interest::interest_up;
use super::rate::{RateCurve, rate_of};
use super::shares::debt_to_assets_up;

/// Where a pool's books end.
const MAX_BOOKS: u128 = (1 << 104) - 1;

/// A market as its pool stores it. Base units of the debt token, or shares of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// What lenders are owed at `last_accrual`.
    pub lender_assets: u128,
    /// Lenders' shares.
    pub supply_shares: u128,
    /// What borrowers owe at `last_accrual`.
    pub total_debt: u128,
    /// Borrowers' shares of it.
    pub debt_shares: u128,
    /// Unix seconds.
    pub last_accrual: u64,
    /// ln(rate at target per second), scaled by 1e12.
    pub log_rate_at_target: i64,
    /// Percent of interest that goes to reserves.
    pub reserve_factor: u8,
}

/// A market's totals with interest accrued: what the pool's `marketState()` answers. Base units of the debt token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketState {
    /// What lenders are owed.
    pub lender_assets: u128,
    /// Lenders' shares in existence.
    pub supply_shares: u128,
    /// What borrowers owe.
    pub total_debt: u128,
    /// Debt shares in existence.
    pub debt_shares: u128,
    /// The debt token held.
    pub cash: u128,
    /// cash + total debt - lender assets, or 0.
    pub reserves: u128,
    /// WAD per second.
    pub rate_at_target: U256,
}

impl Market {
    /// The market with interest accrued to `timestamp` (Unix seconds); as it is for a time before the last accrual.
    #[must_use]
    pub fn accrued(mut self, curve: &RateCurve, timestamp: u64) -> Self {
        let elapsed = timestamp.saturating_sub(self.last_accrual);
        if elapsed == 0 {
            return self;
        }
        let (rate, log_rate) = curve.average(self.utilisation(), self.log_rate_at_target, elapsed);
        self.last_accrual = timestamp;
        self.log_rate_at_target = log_rate;
        if self.total_debt == 0 {
            return self;
        }
        // Interest saturates where the books end, as in the contract.
        let room = MAX_BOOKS.saturating_sub(self.total_debt.max(self.lender_assets));
        let interest = interest_up(self.total_debt, rate, elapsed);
        let interest = u128::try_from(interest).unwrap_or(room).min(room);
        self.total_debt += interest;
        // Below 2^104 · 50.
        let to_reserves = (interest * u128::from(self.reserve_factor)).div_ceil(100);
        self.lender_assets += interest.saturating_sub(to_reserves);
        self
    }

    /// Debt over lenders' assets, WAD, at most 1.
    #[must_use]
    pub fn utilisation(&self) -> u64 {
        const WAD: u64 = 1_000_000_000_000_000_000;
        if self.total_debt >= self.lender_assets {
            return if self.total_debt == 0 { 0 } else { WAD };
        }
        let product = U256::from(self.total_debt) * U256::from(WAD);
        (product / U256::from(self.lender_assets)).to::<u64>()
    }

    /// What `shares` of debt owe, base units, rounded up.
    #[must_use]
    pub fn owed(&self, shares: u128) -> U256 {
        debt_to_assets_up(shares, self.total_debt, self.debt_shares)
    }

    /// With what the pool holds: `marketState()`'s answer, if this is accrued.
    #[must_use]
    pub fn state(&self, cash: u128) -> MarketState {
        MarketState {
            lender_assets: self.lender_assets,
            supply_shares: self.supply_shares,
            total_debt: self.total_debt,
            debt_shares: self.debt_shares,
            cash,
            reserves: (cash.saturating_add(self.total_debt)).saturating_sub(self.lender_assets),
            rate_at_target: rate_of(self.log_rate_at_target),
        }
    }
}
