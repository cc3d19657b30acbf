//! What a pool's views answer, from the mirror.

use alloy_primitives::{Address, U256};

use super::{Mirror, Settings};
use crate::accrual::MarketState;
use crate::collateral::{Collateral, CollateralState};
use crate::index::{DebtAtFall, Distance};
use crate::math::ArithmeticError;
use crate::moment::{AccountHealth, Moment, health};
use crate::policy::{BreakerLevel, LiquidationRequest, Refusal};
use crate::price::{PriceStatus, Reading};

/// Why a view has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Not every listed collateral has a reading.
    #[error("collateral {collateral_id} has no reading: {listed} are listed")]
    MissingReading {
        /// The first without one.
        collateral_id: u64,
        /// How many are listed.
        listed: usize,
    },
    /// The moment is before the market's last accrual.
    #[error("the market was accrued at {last_accrual}, after {timestamp}")]
    Past {
        /// The moment, Unix seconds.
        timestamp: u64,
        /// The last accrual, Unix seconds.
        last_accrual: u64,
    },
    /// The pool asks another policy than the mirrored one.
    #[error("the pool's policy is {actual}, the mirrored one {mirrored}: describe it first")]
    PolicyUnknown {
        /// The pool's.
        actual: Address,
        /// The mirrored one.
        mirrored: Address,
    },
    /// The pool itself refuses: it asks no policy.
    #[error("the pool refuses: {0}")]
    Refused(Refusal),
    /// The contracts revert.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
}

impl Mirror {
    /// `marketState()` at `timestamp` (Unix seconds); as stored for a time before the last accrual.
    ///
    /// Cash, and reserves with it, leave out what was sent to the pool without calling it; see [`Mirror::correct_cash`].
    #[must_use]
    pub fn market_state_at(&self, timestamp: u64) -> MarketState {
        let cash = u128::try_from(self.state.cash).unwrap_or(0);
        self.state
            .market
            .accrued(&self.curve, timestamp)
            .state(cash)
    }

    /// `debtOf(account)` at `timestamp` (Unix seconds), base units, rounded up.
    #[must_use]
    pub fn debt_of(&self, account: &Address, timestamp: u64) -> U256 {
        let market = self.state.market.accrued(&self.curve, timestamp);
        market.owed(self.debt_shares_of(account))
    }

    /// `debtSharesOf(account)`.
    #[must_use]
    pub fn debt_shares_of(&self, account: &Address) -> u128 {
        let number = self.state.accounts.find(account);
        number.map_or(0, |number| self.state.accounts.position(number).debt_shares)
    }

    /// `collateralOf(account, collateralId)`, base units.
    #[must_use]
    pub fn collateral_of(&self, account: &Address, collateral_id: u64) -> u128 {
        let Ok(id) = u8::try_from(collateral_id) else {
            return 0;
        };
        let number = self.state.accounts.find(account);
        number
            .filter(|_| id < 16)
            .map_or(0, |number| self.state.accounts.amount(number, id))
    }

    /// `collateralBitmap(account)`.
    #[must_use]
    pub fn collateral_bitmap(&self, account: &Address) -> u16 {
        let number = self.state.accounts.find(account);
        number.map_or(0, |number| self.state.accounts.position(number).bitmap)
    }

    /// `collateralState(id)` at `timestamp` (Unix seconds); `None` for what is not listed.
    #[must_use]
    pub fn collateral_state(&self, collateral_id: u64, timestamp: u64) -> Option<CollateralState> {
        let id = usize::try_from(collateral_id).ok()?;
        Some(self.state.collaterals.get(id)?.state(timestamp))
    }

    /// The listed collaterals, in order of their numbers.
    #[must_use]
    pub fn collaterals(&self) -> &[Collateral] {
        &self.state.collaterals
    }

    /// What owner and guardian have set.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.state.settings
    }

    /// How many accounts ever owed or held anything.
    #[must_use]
    pub fn account_count(&self) -> usize {
        self.state.accounts.len()
    }

    /// All accounts that ever owed or held anything.
    pub fn accounts(&self) -> impl Iterator<Item = Address> + '_ {
        self.state.accounts.all().map(|(_, address, _)| address)
    }

    /// The market at `timestamp` (Unix seconds) with `readings`, one for each listed collateral in order.
    ///
    /// # Errors
    /// [`ViewError::MissingReading`], [`ViewError::Past`].
    pub fn moment(&self, readings: &[Reading], timestamp: u64) -> Result<Moment, ViewError> {
        let (listed, market) = (self.state.collaterals.len(), &self.state.market);
        if readings.len() < listed {
            return Err(ViewError::MissingReading {
                collateral_id: readings.len() as u64,
                listed,
            });
        }
        if timestamp < market.last_accrual {
            return Err(ViewError::Past {
                timestamp,
                last_accrual: market.last_accrual,
            });
        }
        let market = market.accrued(&self.curve, timestamp);
        Ok(Moment::new(
            timestamp,
            market,
            &self.state.collaterals,
            readings,
        ))
    }

    /// `accountHealth(account)`.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the view reverts.
    pub fn account_health(
        &self,
        account: &Address,
        moment: &Moment,
    ) -> Result<AccountHealth, ArithmeticError> {
        let accounts = &self.state.accounts;
        let Some(number) = accounts.find(account) else {
            return Ok(AccountHealth {
                health_fast: U256::MAX,
                health_confirmed: U256::MAX,
                ..AccountHealth::default()
            });
        };
        let valuation = moment.valuation(accounts, number)?;
        let debt = moment.market().owed(accounts.position(number).debt_shares);
        Ok(AccountHealth {
            debt,
            collateral_value: valuation.collateral_value,
            borrow_limit: moment.borrow_limit(accounts, number)?,
            health_fast: health(valuation.weighted_fast, debt)?,
            health_confirmed: health(valuation.weighted_confirmed, debt)?,
            health_hard: valuation.health_hard,
            price_down: valuation.down,
        })
    }

    /// The request that `quoteLiquidation(account, collateralId, asked)` puts to the policy, the breaker being at `breaker`.
    ///
    /// # Errors
    /// [`ViewError::Refused`] where the pool asks no policy; [`ViewError::PolicyUnknown`]; [`ViewError::Arithmetic`] where the
    /// view reverts.
    pub fn request(
        &self,
        account: &Address,
        collateral_id: u64,
        asked: U256,
        moment: &Moment,
        breaker: BreakerLevel,
    ) -> Result<LiquidationRequest, ViewError> {
        if !self.policy_known() {
            return Err(ViewError::PolicyUnknown {
                actual: self.state.settings.policy,
                mirrored: self.state.mirrored.address,
            });
        }
        let refused = |refusal| Err(ViewError::Refused(refusal));
        let accounts = &self.state.accounts;
        let id = u8::try_from(collateral_id).unwrap_or(u8::MAX);
        let held = accounts.find(account).filter(|number| {
            let position = accounts.position(*number);
            position.debt_shares != 0 && id < 16 && position.holds(id)
        });
        let (Some(number), Some(priced), Some(collateral)) = (
            held,
            moment.priced(id),
            self.state.collaterals.get(usize::from(id)),
        ) else {
            return refused(Refusal::NotHeld);
        };
        let valuation = moment.valuation(accounts, number)?;
        // A price of 0 buys nothing: what is worthless is settled, not liquidated.
        if priced.reading.status == PriceStatus::Down || priced.fast.is_zero() {
            return refused(Refusal::PriceDown);
        }
        let debt = moment.market().owed(accounts.position(number).debt_shares);
        let health_fast = health(valuation.weighted_fast, debt)?;
        if health_fast >= crate::math::WAD {
            return refused(Refusal::Healthy);
        }
        // Where another collateral has no price, only what is in the hard zone even at that collateral's bound.
        if valuation.down && health_fast > valuation.health_hard {
            return refused(Refusal::PriceDown);
        }
        let confirms = self.state.mirrored.needs_confirmation;
        Ok(LiquidationRequest {
            account: *account,
            collateral_id,
            asked: asked.min(debt),
            debt,
            collateral: U256::from(accounts.amount(number, id)),
            price: priced.fast,
            // A policy that does not ask for confirmation is not told.
            price_cumulative: if confirms {
                priced.reading.cumulative
            } else {
                U256::ZERO
            },
            collateral_value: valuation.collateral_value,
            health_fast,
            health_confirmed: if confirms {
                health(valuation.weighted_confirmed, debt)?
            } else {
                health_fast
            },
            health_hard: valuation.health_hard,
            liquidation_threshold: priced.threshold,
            max_bonus: collateral.max_bonus_wad(),
            total_collateral: U256::from(collateral.total),
            min_debt: U256::from(self.state.settings.min_debt),
            oracle: collateral.oracle,
            breaker,
        })
    }

    /// Exactly the accounts with HF_F < 1, in no particular order. An account whose views revert is none.
    ///
    /// O(log n + k) for accounts with one collateral; with several, what their bounds let through is evaluated too.
    pub fn candidates(&mut self, moment: &Moment) -> Vec<Address> {
        let accounts = &self.state.accounts;
        let below = self.state.index.candidates(moment, accounts);
        below
            .into_iter()
            .map(|number| accounts.address(number))
            .collect()
    }

    /// For each of `falls` (basis points, ascending): how many accounts, with how much debt, are below HF_F = 1 once the
    /// fast price of one collateral, or of all, has fallen that far. Takes time in proportion to what falls at the last.
    #[must_use]
    pub fn debt_falling(
        &self,
        moment: &Moment,
        collateral_id: Option<u64>,
        falls: &[u32],
    ) -> Vec<DebtAtFall> {
        let only = collateral_id.map(|id| u8::try_from(id).unwrap_or(u8::MAX));
        let accounts = &self.state.accounts;
        self.state.index.debt_falling(moment, accounts, only, falls)
    }

    /// The `count` accounts nearest to HF_F = 1 or farthest below it, the lowest health factor first.
    #[must_use]
    pub fn nearest(&self, moment: &Moment, count: usize) -> Vec<Distance> {
        let accounts = &self.state.accounts;
        self.state.index.nearest(moment, accounts, count)
    }
}
