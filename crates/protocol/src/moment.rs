//! A market at one moment: accrued, with prices and ramps applied; and what positions are worth in it.
//!
//! `contracts/lending/PoolPositions.sol`, where the formulas stand.

use alloy_primitives::U256;

use crate::accrual::Market;
use crate::collateral::Collateral;
use crate::math::{ArithmeticError, WAD, add, mul_div_down, value_down};
use crate::mirror::{AccountId, Accounts, Position};
use crate::price::{PriceStatus, Reading, confirmed};

/// An account's health: what the pool's `accountHealth(account)` answers. WAD ratios, values in base units of the debt token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountHealth {
    /// Rounded up.
    pub debt: U256,
    /// C_F, at the fast prices; what has no price is left out.
    pub collateral_value: U256,
    /// The debt that new risk may reach; 0 unless every price is `Ok`.
    pub borrow_limit: U256,
    /// HF at the fast prices; [`U256::MAX`] without debt.
    pub health_fast: U256,
    /// HF at the confirmed prices.
    pub health_confirmed: U256,
    /// HF_hard.
    pub health_hard: U256,
    /// Whether a held collateral has no usable price.
    pub price_down: bool,
}

/// A market at one moment. It is of the mirror that made it, as that was then: make a new one after every block.
#[derive(Clone, Debug)]
pub struct Moment {
    timestamp: u64,
    market: Market,
    share_price: Option<f64>,
    collaterals: Vec<Priced>,
}

/// Base units of the debt token by which rounding may move one collateral's part of the comparison Σ c p < s r.
pub(crate) const SLOP: f64 = 8.0;

/// What floating-point evaluation may be off by, relatively: some 2^-50 an operation.
pub(crate) const MARGIN: f64 = 1e-12;

/// A collateral at that moment.
#[derive(Clone, Debug)]
pub(crate) struct Priced {
    pub reading: Reading,
    /// F, or the bound in its place.
    pub fast: U256,
    /// P_e. Where it is no number, whatever reads it reverts.
    confirmed: Result<U256, ArithmeticError>,
    /// LT, WAD.
    pub threshold: U256,
    /// Borrow LTV, WAD.
    borrow_ltv: U256,
    /// HF_hard, WAD.
    hard: U256,
    /// F LT, in base units of the debt token per base unit.
    pub weight: f64,
}

/// What a position is worth; not yet divided by its debt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Valuation {
    pub collateral_value: U256,
    pub weighted_fast: U256,
    pub weighted_confirmed: U256,
    pub health_hard: U256,
    pub down: bool,
    /// What the collaterals without a price are worth at their bound.
    pub down_bound: U256,
}

impl Moment {
    /// `readings` holds one for each collateral.
    pub(crate) fn new(
        timestamp: u64,
        market: Market,
        collaterals: &[Collateral],
        readings: &[Reading],
    ) -> Self {
        let collaterals = collaterals
            .iter()
            .zip(readings)
            .map(|(collateral, reading)| Priced::new(collateral, reading, timestamp))
            .collect();
        Self {
            timestamp,
            market,
            share_price: share_price(&market),
            collaterals,
        }
    }

    /// Unix seconds.
    #[must_use]
    pub const fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// With interest accrued to this moment.
    #[must_use]
    pub const fn market(&self) -> &Market {
        &self.market
    }

    /// The reading of a collateral that this moment was made with.
    #[must_use]
    pub fn reading(&self, collateral_id: u64) -> Option<&Reading> {
        let id = usize::try_from(collateral_id).ok()?;
        Some(&self.collaterals.get(id)?.reading)
    }

    pub(crate) fn priced(&self, id: u8) -> Option<&Priced> {
        self.collaterals.get(usize::from(id))
    }

    pub(crate) fn collateral_count(&self) -> usize {
        self.collaterals.len()
    }

    /// Debt per debt share; `None` without debt.
    pub(crate) const fn share_price(&self) -> Option<f64> {
        self.share_price
    }

    /// This moment with F `fall` basis points lower, of one collateral or of all.
    pub(crate) fn fallen(&self, fall: u32, only: Option<u8>) -> Self {
        let mut moment = self.clone();
        let rest = U256::from(10_000_u32.saturating_sub(fall));
        for (id, priced) in (0_u8..).zip(&mut moment.collaterals) {
            if only.is_some_and(|only| only != id) {
                continue;
            }
            // A factor of at most 1: it fits.
            if let Ok(fast) = mul_div_down(priced.fast, rest, U256::from(10_000)) {
                priced.fast = fast;
                priced.weight = weight(fast, priced.threshold);
            }
        }
        moment
    }

    pub(crate) fn valuation(
        &self,
        accounts: &Accounts,
        number: AccountId,
    ) -> Result<Valuation, ArithmeticError> {
        let mut v = Valuation::default();
        for id in accounts.position(number).held() {
            let Some(priced) = self.priced(id) else {
                continue;
            };
            let amount = U256::from(accounts.amount(number, id));
            let value = value_down(amount, priced.fast)?;
            if priced.reading.status == PriceStatus::Down {
                v.down = true;
                v.down_bound = add(v.down_bound, value)?;
            } else {
                v.collateral_value = add(v.collateral_value, value)?;
            }
            let weighted = mul_div_down(value, priced.threshold, WAD)?;
            v.weighted_fast = add(v.weighted_fast, weighted)?;
            let value = value_down(amount, priced.confirmed?)?;
            let weighted = mul_div_down(value, priced.threshold, WAD)?;
            v.weighted_confirmed = add(v.weighted_confirmed, weighted)?;
            v.health_hard = v.health_hard.max(priced.hard);
        }
        Ok(v)
    }

    /// The debt that new risk may reach: Σ ⌊⌊c_i min(F_i, L_i)⌋ LTV_i⌋, 0 unless every price is `Ok`.
    pub(crate) fn borrow_limit(
        &self,
        accounts: &Accounts,
        number: AccountId,
    ) -> Result<U256, ArithmeticError> {
        let mut limit = U256::ZERO;
        for id in accounts.position(number).held() {
            let Some(priced) = self.priced(id) else {
                continue;
            };
            let reading = &priced.reading;
            if reading.status != PriceStatus::Ok {
                return Ok(U256::ZERO);
            }
            let amount = U256::from(accounts.amount(number, id));
            let value = value_down(amount, reading.fast.min(reading.slow))?;
            limit = add(limit, mul_div_down(value, priced.borrow_ltv, WAD)?)?;
        }
        Ok(limit)
    }

    /// Whether HF_F < 1; `None` where the contracts revert.
    pub(crate) fn is_below_one(&self, accounts: &Accounts, number: AccountId) -> Option<bool> {
        let position = accounts.position(number);
        self.clearly_below_one(accounts, number, &position)
            .or_else(|| self.exactly_below_one(accounts, number, &position))
    }

    /// The answer where floating point is enough for it, as it nearly always is: Σ c p < s r makes W < D, since W is rounded
    /// down and D up, and Σ c p >= s r + [`SLOP`] n makes W >= D.
    fn clearly_below_one(
        &self,
        accounts: &Accounts,
        number: AccountId,
        position: &Position,
    ) -> Option<bool> {
        let debt = position.debt_shares as f64 * self.share_price?;
        let (mut weighted, mut slop) = (0.0, 0.0);
        for id in position.held() {
            let priced = self.priced(id)?;
            // Beyond, a value may exceed a word.
            if priced.fast.bit_len() > 128 {
                return None;
            }
            weighted += accounts.amount(number, id) as f64 * priced.weight;
            slop += SLOP;
        }
        if weighted < debt * (1.0 - MARGIN) {
            Some(true)
        } else if weighted > (debt + slop) * (1.0 + MARGIN) {
            Some(false)
        } else {
            None
        }
    }

    fn exactly_below_one(
        &self,
        accounts: &Accounts,
        number: AccountId,
        position: &Position,
    ) -> Option<bool> {
        let debt = self.market.owed(position.debt_shares);
        let mut weighted = U256::ZERO;
        for id in position.held() {
            let priced = self.priced(id)?;
            let amount = U256::from(accounts.amount(number, id));
            let value = value_down(amount, priced.fast).ok()?;
            let part = mul_div_down(value, priced.threshold, WAD).ok()?;
            weighted = weighted.checked_add(part)?;
        }
        // ⌊W WAD / D⌋ < WAD iff W < D.
        Some(weighted < debt)
    }
}

impl Priced {
    fn new(collateral: &Collateral, reading: &Reading, timestamp: u64) -> Self {
        let (fast, confirm) = reading.bounded();
        let threshold = collateral.threshold(timestamp);
        Self {
            reading: *reading,
            fast,
            confirmed: confirmed(fast, confirm, collateral.confirmation_band),
            hard: collateral.hard_threshold(threshold),
            threshold: U256::from(threshold),
            borrow_ltv: U256::from(collateral.borrow_ltv(timestamp)),
            weight: weight(fast, U256::from(threshold)),
        }
    }
}

/// HF, rounded down; without debt, the largest number.
pub(crate) fn health(weighted: U256, debt: U256) -> Result<U256, ArithmeticError> {
    if debt.is_zero() {
        return Ok(U256::MAX);
    }
    mul_div_down(weighted, WAD, debt)
}

/// Debt per debt share; `None` without debt.
pub(crate) fn share_price(market: &Market) -> Option<f64> {
    (market.debt_shares != 0).then(|| market.total_debt as f64 / market.debt_shares as f64)
}

fn weight(fast: U256, threshold: U256) -> f64 {
    f64::from(fast) * f64::from(threshold) / 1e54
}
