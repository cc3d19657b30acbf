//! What agents ask Aave and send to it, and what is read of it.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_agents::{Prices, Venue};
use breakwater_bindings::SimToken;
use breakwater_evm::{Chain, MemoryChain};

use super::abi::{Oracle, Pool, RAY, ScaledToken, VARIABLE_RATE};
use crate::error::{During, SimError};
use crate::reading::Reading;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, WAD, from_base, to_base};

/// Gas of a liquidation with its sale, for the keepers' decisions, until one has been seen.
pub const LIQUIDATION_GAS: u64 = 400_000;

/// Gas of one that reverts because another was first: Aave adds interest before it looks at the position.
pub const REVERT_GAS: u64 = 170_000;

/// A market of two reserves: one is the collateral, the other is lent.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// The pool.
    pub pool: Address,
    /// The market's oracle.
    pub oracle: Address,
    /// The collateral token.
    pub collateral: Address,
    /// The debt token that is lent.
    pub asset: Address,
    /// The receipts for the collateral, which hold it.
    pub collateral_receipts: Address,
    /// The receipts for what is lent, which hold what of it is not lent.
    pub asset_receipts: Address,
    /// Where debts at a variable rate are kept.
    pub debts: Address,
}

impl Market {
    fn ask<C: SolCall>(
        &self,
        chain: &mut MemoryChain,
        to: Address,
        call: &C,
    ) -> Result<C::Return, SimError> {
        chain.call_sol(Address::ZERO, to, call).during("ask Aave")
    }

    /// What a liquidation of all that Aave allows would repay and seize now; nothing if Aave refuses. It has no view that
    /// tells, so `liquidator`, who has the capital, tries, and the trial is forgotten.
    ///
    /// # Errors
    /// [`SimError::Engine`].
    pub fn quote(
        &self,
        chain: &mut MemoryChain,
        liquidator: Address,
        account: Address,
    ) -> Result<(f64, f64), SimError> {
        let call = Pool::liquidationCallCall {
            collateralAsset: self.collateral,
            debtAsset: self.asset,
            user: account,
            debtToCover: U256::MAX,
            receiveAToken: false,
        };
        let tried = chain.view(liquidator, self.pool, call.abi_encode().into())?;
        let granted = tried
            .logs
            .iter()
            .filter(|log| log.address == self.pool)
            .find_map(|log| Pool::LiquidationCall::decode_log(log).ok());
        Ok(granted.map_or((0.0, 0.0), |event| {
            (
                from_base(event.debtToCover, DEBT_UNIT),
                from_base(event.liquidatedCollateralAmount, COLLATERAL_UNIT),
            )
        }))
    }

    /// An account's health factor; `f64::MAX` without debt.
    ///
    /// # Errors
    /// [`SimError::Call`].
    pub fn health(&self, chain: &mut MemoryChain, user: Address) -> Result<f64, SimError> {
        let health = self
            .ask(chain, self.pool, &Pool::getUserAccountDataCall { user })?
            .healthFactor;
        Ok(if health == U256::MAX {
            f64::MAX
        } else {
            from_base(health, WAD)
        })
    }

    /// The collateral in debt tokens, as Aave's oracle has both.
    ///
    /// # Errors
    /// [`SimError::Call`].
    pub fn price(&self, chain: &mut MemoryChain) -> Result<f64, SimError> {
        let mut price = |asset| {
            self.ask(chain, self.oracle, &Oracle::getAssetPriceCall { asset })
                .map(f64::from)
        };
        Ok(price(self.collateral)? / price(self.asset)?)
    }

    /// Reads the chain. Aave has neither slow price nor confirming price, breaker or bucket: they are 0.
    ///
    /// # Errors
    /// [`SimError::Call`].
    pub fn read(&self, chain: &mut MemoryChain, venue: Venue) -> Result<Reading, SimError> {
        let fast = self.price(chain)?;
        let index = self.ask(
            chain,
            self.pool,
            &Pool::getReserveNormalizedVariableDebtCall { asset: self.asset },
        )?;
        let debt = self.ask(chain, self.debts, &ScaledToken::totalSupplyCall {})?;
        let claims = self.ask(chain, self.asset_receipts, &ScaledToken::totalSupplyCall {})?;
        let held = SimToken::balanceOfCall {
            owner: self.asset_receipts,
        };
        let cash = self.ask(chain, self.asset, &held)?;
        Ok(Reading {
            prices: Prices {
                fast,
                slow: 0.0,
                confirm: 0.0,
            },
            venue,
            breaker_level: 0,
            bucket: (0.0, 0.0),
            debt_index: from_base(index, f64::from(RAY)) / DEBT_UNIT,
            debt: from_base(debt, DEBT_UNIT),
            lender_assets: from_base(claims, DEBT_UNIT),
            cash: from_base(cash, DEBT_UNIT),
        })
    }

    /// Adds collateral to an account: where to send what.
    pub fn top_up_call(&self, owner: Address, collateral: f64) -> (Address, Bytes) {
        let call = Pool::supplyCall {
            asset: self.collateral,
            amount: to_base(collateral, COLLATERAL_UNIT),
            onBehalfOf: owner,
            referralCode: 0,
        };
        (self.pool, call.abi_encode().into())
    }

    /// Repays a part of an account's debt: where to send what.
    pub fn repay_call(&self, owner: Address, debt: f64) -> (Address, Bytes) {
        let call = Pool::repayCall {
            asset: self.asset,
            amount: to_base(debt, DEBT_UNIT),
            interestRateMode: VARIABLE_RATE,
            onBehalfOf: owner,
        };
        (self.pool, call.abi_encode().into())
    }
}
