//! A listed collateral: configuration, ramps and totals. `contracts/lending/PoolPositions.sol` and `PoolViews.sol`.

use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// How long every change of LTV and LT takes, seconds.
const RAMP_DURATION: u64 = 7 * 86_400;

/// One basis point, WAD.
const BASIS_POINT: u64 = 100_000_000_000_000;

/// A collateral as its pool stores it. Ratios in basis points, amounts in base units of the collateral.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collateral {
    /// The ERC-20.
    pub token: Address,
    /// Its price in the debt token.
    pub oracle: Address,
    /// Where the ramp of the borrow LTV begins.
    pub ltv_from: u16,
    /// Where it ends.
    pub ltv_to: u16,
    /// Where the ramp of the liquidation threshold begins.
    pub threshold_from: u16,
    /// Where it ends.
    pub threshold_to: u16,
    /// Unix seconds at which both ramps begin.
    pub ramp_start: u64,
    /// No policy grants a higher bonus.
    pub max_bonus: u16,
    /// σ.
    pub slippage_margin: u16,
    /// δ.
    pub confirmation_band: u16,
    /// Collaterals of different groups are never held by one account.
    pub group: u8,
    /// Whether liquidations may be dampened.
    pub damped: bool,
    /// Whether it may enter no further account.
    pub frozen: bool,
    /// All of it in the pool.
    pub total: u128,
    /// The most that the pool accepts.
    pub cap: u128,
}

/// A collateral at a moment, ramps applied: what the pool's `collateralState(id)` answers. WAD ratios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollateralState {
    /// The ERC-20.
    pub token: Address,
    /// Its price in the debt token.
    pub oracle: Address,
    /// New risk is judged by it.
    pub borrow_ltv: U256,
    /// LT.
    pub liquidation_threshold: U256,
    /// bmax.
    pub max_bonus: U256,
    /// σ.
    pub slippage_margin: U256,
    /// δ.
    pub confirmation_band: U256,
    /// Collaterals of different groups are never held by one account.
    pub group: u8,
    /// Whether liquidations may be dampened.
    pub damped: bool,
    /// Whether it may enter no further account.
    pub frozen: bool,
    /// All of it in the pool, base units.
    pub total: u128,
    /// The most that the pool accepts, base units.
    pub cap: u128,
}

impl Collateral {
    /// The borrow LTV at `timestamp` (Unix seconds), WAD.
    #[must_use]
    pub fn borrow_ltv(&self, timestamp: u64) -> u64 {
        ramped(self.ltv_from, self.ltv_to, self.ramp_start, timestamp)
    }

    /// LT at `timestamp` (Unix seconds), WAD.
    #[must_use]
    pub fn threshold(&self, timestamp: u64) -> u64 {
        ramped(
            self.threshold_from,
            self.threshold_to,
            self.ramp_start,
            timestamp,
        )
    }

    /// HF_hard of this collateral at a threshold (WAD), ⌈LT (1 + bmax)(1 + σ)⌉; 1 where damping is off.
    #[must_use]
    pub fn hard_threshold(&self, threshold: u64) -> U256 {
        if !self.damped {
            return crate::math::WAD;
        }
        // At most 6.6e18 * 7.6e4 * 7.6e4.
        let product = u128::from(threshold)
            * (10_000 + u128::from(self.max_bonus))
            * (10_000 + u128::from(self.slippage_margin));
        U256::from(product.div_ceil(100_000_000))
    }

    /// bmax, WAD.
    #[must_use]
    pub fn max_bonus_wad(&self) -> U256 {
        wad(self.max_bonus)
    }

    /// The collateral at `timestamp` (Unix seconds).
    #[must_use]
    pub fn state(&self, timestamp: u64) -> CollateralState {
        CollateralState {
            token: self.token,
            oracle: self.oracle,
            borrow_ltv: U256::from(self.borrow_ltv(timestamp)),
            liquidation_threshold: U256::from(self.threshold(timestamp)),
            max_bonus: wad(self.max_bonus),
            slippage_margin: wad(self.slippage_margin),
            confirmation_band: wad(self.confirmation_band),
            group: self.group,
            damped: self.damped,
            frozen: self.frozen,
            total: self.total,
            cap: self.cap,
        }
    }

    /// What `rampCollateral` does at `timestamp`: from where the ratios are now, down to whole basis points.
    pub(crate) fn ramp(&mut self, ltv: u16, threshold: u16, timestamp: u64) {
        self.threshold_from = basis_points(self.threshold(timestamp));
        self.ltv_from = basis_points(self.borrow_ltv(timestamp));
        self.ltv_to = ltv;
        self.threshold_to = threshold;
        self.ramp_start = timestamp;
    }

    /// What `freezeCollateral` does.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
        (self.ltv_from, self.ltv_to) = (0, 0);
    }
}

/// Straight from `from` to `to`, WAD, rounded towards `from`.
fn ramped(from: u16, to: u16, start: u64, timestamp: u64) -> u64 {
    let elapsed = timestamp.saturating_sub(start);
    let (from, to) = (u64::from(from) * BASIS_POINT, u64::from(to) * BASIS_POINT);
    if from == to || elapsed >= RAMP_DURATION {
        return to;
    }
    let moved = u128::from(from.abs_diff(to)) * u128::from(elapsed) / u128::from(RAMP_DURATION);
    // At most the distance.
    let moved = moved as u64;
    if to > from {
        from + moved
    } else {
        from - moved
    }
}

fn basis_points(ratio: u64) -> u16 {
    // Between two numbers of basis points.
    (ratio / BASIS_POINT) as u16
}

fn wad(basis_points: u16) -> U256 {
    U256::from(u64::from(basis_points) * BASIS_POINT)
}
