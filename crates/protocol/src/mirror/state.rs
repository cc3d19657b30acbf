//! A pool's state, and the changes to it that can be undone.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use super::accounts::{AccountId, Accounts, Position};
use super::description::MirroredPolicy;
use super::error::LogError;
use super::journal::Undo;
use crate::accrual::Market;
use crate::collateral::Collateral;
use crate::index::Index;
use crate::policy::{PolicyState, Write};

/// The most collaterals that a pool lists.
pub(crate) const MAX_COLLATERALS: usize = 16;

/// What a pool's owner and guardian set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// When the pool was deployed, Unix seconds; 0 before.
    pub deployed_at: u64,
    /// The most that lenders may be owed, base units of the debt token.
    pub supply_cap: u128,
    /// The most that borrowers may owe, base units of the debt token.
    pub borrow_cap: u128,
    /// The smallest debt that may be opened, base units.
    pub min_debt: u128,
    /// What settling a worthless position pays, base units.
    pub settlement_stipend: u128,
    /// Whether the guardian stopped new risk.
    pub new_risk_frozen: bool,
    /// May freeze new risk.
    pub guardian: Address,
    /// The policy that the pool asks.
    pub policy: Address,
}

/// Everything that events say.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub market: Market,
    /// What the pool's own calls brought in less what they paid out.
    pub cash: i128,
    pub settings: Settings,
    pub collaterals: Vec<Collateral>,
    pub accounts: Accounts,
    /// The policy that is mirrored.
    pub mirrored: MirroredPolicy,
    /// What it stores for the pool.
    pub policy: PolicyState,
    pub index: Index,
    /// The changes since it was last taken.
    pub undo: Vec<Undo>,
}

impl State {
    /// Before the deployment.
    pub fn new(mirrored: MirroredPolicy) -> Self {
        Self {
            market: Market::default(),
            cash: 0,
            settings: Settings::default(),
            collaterals: Vec::new(),
            accounts: Accounts::default(),
            mirrored,
            policy: PolicyState::default(),
            index: Index::default(),
            undo: Vec::new(),
        }
    }

    pub fn account(&mut self, address: Address) -> Result<AccountId, LogError> {
        let (number, new) = self
            .accounts
            .intern(address)
            .ok_or(LogError::Contradiction {
                what: "more accounts than can be numbered",
            })?;
        if new {
            self.undo.push(Undo::NewAccount);
        }
        Ok(number)
    }

    pub fn set_market(&mut self, market: Market) {
        self.undo.push(Undo::Market(Box::new(self.market)));
        self.market = market;
        self.index.share_price_moved(&market, &self.accounts);
    }

    pub fn set_cash(&mut self, cash: i128) {
        self.undo.push(Undo::Cash(self.cash));
        self.cash = cash;
    }

    pub fn change_settings(&mut self, change: impl FnOnce(&mut Settings)) {
        self.undo
            .push(Undo::Settings(Box::new(self.settings.clone())));
        change(&mut self.settings);
    }

    pub fn list(&mut self, collateral: Collateral) {
        self.undo.push(Undo::NewCollateral);
        self.collaterals.push(collateral);
    }

    pub fn change_collateral(
        &mut self,
        id: u8,
        change: impl FnOnce(&mut Collateral),
    ) -> Result<(), LogError> {
        let collateral = self.collateral_mut(id)?;
        let before = Box::new(collateral.clone());
        change(collateral);
        self.undo.push(Undo::Collateral(id, before));
        Ok(())
    }

    pub fn set_total(&mut self, id: u8, total: u128) -> Result<(), LogError> {
        let collateral = self.collateral_mut(id)?;
        let before = std::mem::replace(&mut collateral.total, total);
        self.undo.push(Undo::Total(id, before));
        Ok(())
    }

    pub fn total(&self, id: u8) -> Result<u128, LogError> {
        self.collaterals
            .get(usize::from(id))
            .map(|collateral| collateral.total)
            .ok_or(UNLISTED)
    }

    fn collateral_mut(&mut self, id: u8) -> Result<&mut Collateral, LogError> {
        self.collaterals.get_mut(usize::from(id)).ok_or(UNLISTED)
    }

    pub fn set_debt(&mut self, number: AccountId, shares: u128) {
        let mut position = self.accounts.position(number);
        position.debt_shares = shares;
        self.set_position(number, position);
    }

    /// Changes the amount of one collateral; the lowest of several takes the inline place when it falls empty.
    pub fn set_amount(&mut self, number: AccountId, id: u8, amount: u128) {
        let mut position = self.accounts.position(number);
        let inline = position.bitmap == 0 || position.primary == id;
        if amount == 0 {
            position.bitmap &= !(1 << id);
        } else {
            position.bitmap |= 1 << id;
        }
        if !inline {
            self.set_further(number, id, amount);
        } else if amount != 0 {
            (position.primary, position.amount) = (id, amount);
        } else if let Some(next) = position.held().next() {
            let promoted = self.accounts.further(number, next);
            self.set_further(number, next, 0);
            (position.primary, position.amount) = (next, promoted);
        } else {
            (position.primary, position.amount) = (0, 0);
        }
        self.set_position(number, position);
    }

    fn set_further(&mut self, number: AccountId, id: u8, amount: u128) {
        let before = self.accounts.further(number, id);
        self.undo.push(Undo::Further(number, id, before));
        self.accounts.set_further(number, id, amount);
    }

    fn set_position(&mut self, number: AccountId, position: Position) {
        let before = self.accounts.position(number);
        self.undo.push(Undo::Position(number, before));
        self.index.moved(number, &before, &position);
        self.accounts.set_position(number, position);
    }

    pub fn write_policy(&mut self, write: Write) {
        let before = self.policy.apply(write);
        self.undo.push(Undo::Policy(Box::new(before)));
    }

    /// Mirrors another policy, which stores `policy`.
    pub fn describe(&mut self, mirrored: MirroredPolicy, policy: PolicyState) {
        let before = (self.mirrored, std::mem::replace(&mut self.policy, policy));
        self.undo.push(Undo::Described(Box::new(before)));
        self.mirrored = mirrored;
    }

    /// Undoes changes, the last first, and tells the accounts that they concern.
    pub fn revert(&mut self, changes: Vec<Undo>, mut touched: impl FnMut(Address)) {
        for change in changes.into_iter().rev() {
            match change {
                Undo::NewAccount => self.accounts.forget_last(),
                Undo::Position(number, before) => {
                    touched(self.accounts.address(number));
                    let now = self.accounts.position(number);
                    self.index.moved(number, &now, &before);
                    self.accounts.set_position(number, before);
                }
                // A position follows or precedes it in every block, and with it the index.
                Undo::Further(number, id, before) => self.accounts.set_further(number, id, before),
                Undo::Market(before) => {
                    self.market = *before;
                    self.index.share_price_moved(&self.market, &self.accounts);
                }
                Undo::Cash(before) => self.cash = before,
                Undo::Settings(before) => self.settings = *before,
                Undo::NewCollateral => {
                    self.collaterals.pop();
                }
                Undo::Collateral(id, before) => {
                    if let Some(collateral) = self.collaterals.get_mut(usize::from(id)) {
                        *collateral = *before;
                    }
                }
                Undo::Total(id, before) => {
                    if let Some(collateral) = self.collaterals.get_mut(usize::from(id)) {
                        collateral.total = before;
                    }
                }
                Undo::Policy(write) => {
                    if let Write::Flag { account, .. } | Write::Account { account, .. } = *write {
                        touched(account);
                    }
                    self.policy.apply(*write);
                }
                Undo::Described(before) => (self.mirrored, self.policy) = *before,
            }
        }
    }
}

const UNLISTED: LogError = LogError::Contradiction {
    what: "a collateral that is not listed",
};
