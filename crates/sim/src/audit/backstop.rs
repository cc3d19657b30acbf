//! The backstop's books: what events say came in and went out is what it holds, to the unit, and depositors' claims are covered.

use alloy_primitives::{Address, U256};
use breakwater_bindings::BackstopPool;

use super::{equal, wrong};
use crate::actors::{Role, address};
use crate::error::SimError;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, from_base, to_base};
use crate::world::World;

/// Shares that nobody owns: the contract's constant.
const LOCKED_SHARES: u64 = 1_000_000;

impl World<'_> {
    /// Those around the backstop who can hold a token.
    pub(super) fn backstop_holders(&self) -> Vec<Address> {
        let Some(addresses) = self.addresses.backstop else {
            return Vec::new();
        };
        let depositors = self.backstop.as_ref().map_or(0, |own| own.depositors());
        let mut holders = vec![
            addresses.pool,
            addresses.steward,
            addresses.buyer,
            address(self.seed, Role::Absorber, 0),
            address(self.seed, Role::Buyer, 0),
        ];
        holders.extend((0..depositors).map(|number| address(self.seed, Role::Depositor, number)));
        holders
    }

    /// Cash and inventory against the ledger, and claims against both.
    pub(super) fn check_backstop(&mut self) -> Result<(), SimError> {
        let Some(backstop) = &self.backstop else {
            return Ok(());
        };
        let (ledger, depositors) = (*backstop.ledger(), backstop.depositors());
        let (least_shares, peak) = (backstop.least_shares(), backstop.peak());
        let Some(addresses) = self.addresses.backstop else {
            return Ok(());
        };
        let pool = addresses.pool;
        let collateral_id = U256::ZERO;
        let cash = self.balance_of(self.addresses.asset, pool)?;
        equal("the backstop's cash", cash, ledger.cash())?;
        let held = self.balance_of(self.addresses.collateral, pool)?;
        equal("the backstop's collateral", held, ledger.inventory())?;
        let inventory = self.ask_contract(
            pool,
            &BackstopPool::inventoryOfCall {
                collateralId: collateral_id,
            },
        )?;
        equal("the backstop's inventory", inventory.amount, held)?;

        let state = self.ask_contract(pool, &BackstopPool::backstopStateCall {})?;
        let [mut shares, mut owed, mut entering, mut in_kind] = [U256::ZERO; 4];
        for number in 0..depositors {
            let account = address(self.seed, Role::Depositor, number);
            let one = self.ask_contract(pool, &BackstopPool::backstopAccountCall { account })?;
            shares += one.shares + one.exitShares;
            owed += one.claimable;
            entering += one.entryAssets;
            in_kind += self.ask_contract(
                pool,
                &BackstopPool::collateralOfCall {
                    account,
                    collateralId: collateral_id,
                },
            )?;
        }
        equal("deposits that wait", entering, state.entering)?;
        // What is unowned: less than two units each time an account was brought up to date, now included; the locked shares'
        // part of what was received, sold for at most 2% over the highest price, and of the premium; a share for every deposit
        // that became active.
        let dust = U256::from(2 * (ledger.updates + 2 * u64::from(depositors)));
        let locked = |sum: U256| (sum * U256::from(LOCKED_SHARES)).div_ceil(least_shares);
        let in_kind_dust = locked(ledger.received) + dust;
        let sold = from_base(locked(ledger.received), COLLATERAL_UNIT) * peak * 1.02;
        let cash_dust = locked(ledger.premium) + to_base(sold, DEBT_UNIT) + dust;
        let claims = state.assets + entering + owed;
        within("depositors' claims", claims, cash, cash_dust)?;
        within("depositors' collateral", in_kind, held, in_kind_dust)?;
        let owned = state.shares.saturating_sub(U256::from(LOCKED_SHARES));
        within("depositors' shares", shares, owned, U256::from(depositors))
    }
}

/// `found` is at most `expected`, and less by `slack` at most.
fn within(what: &str, found: U256, expected: U256, slack: U256) -> Result<(), SimError> {
    if found <= expected && expected - found <= slack {
        return Ok(());
    }
    Err(wrong(
        what,
        found,
        format!("{expected} or up to {slack} less"),
    ))
}
