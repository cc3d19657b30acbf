//! T10, conservation, to the wei: what a run must satisfy at its end whatever happened in it, and every swap when it is made.

mod aave;
mod backstop;
mod venue;

use std::fmt::Display;

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{ILendingPool, SimToken};
use breakwater_evm::Chain;

use crate::actors::{Role, address};
use crate::error::{During, SimError};
use crate::setup::FLIGHTY_PROVIDERS;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT};
use crate::world::World;

impl World<'_> {
    /// Adds everything up.
    ///
    /// # Errors
    /// [`SimError::Conservation`] for the first sum that is wrong.
    pub(crate) fn audit(&mut self) -> Result<(), SimError> {
        self.check_tokens()?;
        match self.addresses.aave {
            Some(market) => {
                self.check_aave_books(&market)?;
                self.check_aave_mirror(&market)?;
            }
            None => {
                self.check_books()?;
                self.check_mirror()?;
            }
        }
        self.check_venue()?;
        self.check_backstop()
    }

    fn ask_contract<C: SolCall>(&mut self, to: Address, call: &C) -> Result<C::Return, SimError> {
        self.chain
            .call_sol(self.addresses.operator, to, call)
            .during("audit")
    }

    fn balance_of(&mut self, token: Address, owner: Address) -> Result<U256, SimError> {
        self.ask_contract(token, &SimToken::balanceOfCall { owner })
    }

    /// Everybody who can hold a token.
    fn holders(&self) -> Vec<Address> {
        let seed = self.seed;
        let numbered = |role, count| (0..count).map(move |number| address(seed, role, number));
        let addresses = &self.addresses;
        let mut holders = addresses.accounts.clone();
        holders.extend(numbered(Role::Keeper, self.parameters.keepers.count));
        holders.extend(numbered(Role::Provider, FLIGHTY_PROVIDERS + 1));
        for role in [
            Role::Arbitrageur,
            Role::Lender,
            Role::Noise,
            Role::Adversary,
        ] {
            holders.extend(numbered(role, 1));
        }
        holders.extend([
            addresses.operator,
            self.venue.pool(),
            self.venue.router(),
            addresses.pool,
            addresses.liquidator,
            addresses.deleverager,
        ]);
        holders.extend(addresses.shadow);
        if let Some(market) = &addresses.aave {
            holders.extend([market.collateral_receipts, market.asset_receipts]);
        }
        holders.extend(self.backstop_holders());
        holders
    }

    /// Every token that exists is held by somebody we know.
    fn check_tokens(&mut self) -> Result<(), SimError> {
        for (name, token) in [
            ("collateral", self.addresses.collateral),
            ("debt tokens", self.addresses.asset),
        ] {
            let mut held = U256::ZERO;
            for owner in self.holders() {
                held += self.balance_of(token, owner)?;
            }
            let supply = self.ask_contract(token, &SimToken::totalSupplyCall {})?;
            equal(&format!("all {name} held"), held, supply)?;
        }
        Ok(())
    }

    /// Lenders' claims = cash + debt − reserves, what is held covers what is owed, and positions add up to the totals.
    fn check_books(&mut self) -> Result<(), SimError> {
        let pool = self.addresses.pool;
        let market = self.ask_contract(pool, &ILendingPool::marketStateCall {})?;
        equal(
            "lenders' claims",
            market.lenderAssets,
            market.cash + market.totalDebt - market.reserves,
        )?;
        let cash = self.balance_of(self.addresses.asset, pool)?;
        equal("cash in the pool", cash, market.cash)?;
        let positions = self.mirror.exact();
        let shares = positions.iter().map(|position| position.debt_shares);
        let shares = shares.fold(U256::ZERO, |sum, each| sum + each);
        let posted = positions.iter().map(|position| position.collateral);
        let posted = posted.fold(U256::ZERO, |sum, each| sum + each);
        equal("debt shares of all positions", shares, market.debtShares)?;
        let state = self.ask_contract(
            pool,
            &ILendingPool::collateralStateCall {
                collateralId: U256::ZERO,
            },
        )?;
        equal("collateral of all positions", posted, state.total)?;
        let held = self.balance_of(self.addresses.collateral, pool)?;
        equal("collateral in the pool", held, state.total)
    }

    /// The mirror, built from events, is what the pool says of every account.
    fn check_mirror(&mut self) -> Result<(), SimError> {
        let pool = self.addresses.pool;
        for number in 0..self.addresses.accounts.len() {
            let account = self.addresses.accounts[number];
            let shares = self.ask_contract(pool, &ILendingPool::debtSharesOfCall { account })?;
            let collateral = self.ask_contract(
                pool,
                &ILendingPool::collateralOfCall {
                    account,
                    collateralId: U256::ZERO,
                },
            )?;
            let mirrored = &self.mirror.exact()[number];
            let (of_shares, of_collateral) = (mirrored.debt_shares, mirrored.collateral);
            equal(
                &format!("the mirror's debt shares of account {number}"),
                of_shares,
                shares,
            )?;
            equal(
                &format!("the mirror's collateral of account {number}"),
                of_collateral,
                collateral,
            )?;
        }
        Ok(())
    }

    /// The venue holds at least its reserves at full range; that their product never falls is checked of every swap.
    fn check_venue(&mut self) -> Result<(), SimError> {
        let venue = self.venue.state(&self.chain)?;
        let pool = self.venue.pool();
        for (name, token, unit, reserve) in [
            (
                "collateral",
                self.addresses.collateral,
                COLLATERAL_UNIT,
                venue.collateral_reserve(),
            ),
            (
                "debt tokens",
                self.addresses.asset,
                DEBT_UNIT,
                venue.liquidity * venue.sqrt_price,
            ),
        ] {
            let balance = f64::from(self.balance_of(token, pool)?) / unit;
            // The range ends at ticks ±887,220, not at zero and infinity.
            if balance < reserve * (1.0 - 1e-9) {
                return Err(wrong(
                    &format!("the venue's balance of {name}"),
                    balance,
                    format!("at least {reserve}"),
                ));
            }
        }
        Ok(())
    }
}

fn equal(what: &str, found: U256, expected: U256) -> Result<(), SimError> {
    if found == expected {
        Ok(())
    } else {
        Err(wrong(what, found, expected))
    }
}

fn wrong(what: &str, found: impl Display, expected: impl Display) -> SimError {
    SimError::Conservation {
        what: what.to_owned(),
        found: found.to_string(),
        expected: expected.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;
