//! The pool's positions, kept up to date from its events alone: every event of Breakwater's carries the post-state of what it
//! changed, and Aave's tell the changes.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::{SolEvent, SolEventInterface};
use breakwater_agents::index::{LiquidationIndex, Position};
use breakwater_bindings::{DampedPolicy, ILendingPool};

use crate::aave::{self, Market};
use crate::units::{COLLATERAL_UNIT, from_base};

use ILendingPool::ILendingPoolEvents as Event;

/// A position to the wei.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactPosition {
    /// Base units.
    pub collateral: U256,
    /// Debt shares.
    pub debt_shares: U256,
}

/// A successful liquidation or settlement, as its events tell it. Base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The account's number.
    pub account: u32,
    /// Whether it was a settlement.
    pub settlement: bool,
    /// Debt repaid.
    pub repaid: U256,
    /// Collateral seized.
    pub seized: U256,
    /// The bonus, WAD.
    pub bonus: U256,
    /// Debt written off, from reserves and from lenders.
    pub written_off: (U256, U256),
}

/// Whose events tell of the positions.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// Breakwater's pool and its policy.
    Breakwater {
        /// The pool.
        pool: Address,
        /// The policy.
        policy: Address,
    },
    /// Aave's pool and tokens.
    Aave {
        /// Where they are.
        market: Market,
        /// The bonus of every liquidation, WAD.
        bonus: U256,
    },
}

/// The mirror.
#[derive(Clone, Debug)]
pub struct Mirror {
    source: Source,
    accounts: BTreeMap<Address, u32>,
    exact: Vec<ExactPosition>,
    index: LiquidationIndex,
    flagged: Vec<Option<u64>>,
    /// Written off so far, from reserves and from lenders. Base units.
    pub written_off: (U256, U256),
}

impl Mirror {
    /// An empty mirror for these accounts, numbered in order.
    #[must_use]
    pub fn new(source: Source, accounts: &[Address]) -> Self {
        Self {
            source,
            accounts: accounts
                .iter()
                .zip(0..)
                .map(|(account, number)| (*account, number))
                .collect(),
            exact: vec![ExactPosition::default(); accounts.len()],
            index: LiquidationIndex::new(accounts.len()),
            flagged: vec![None; accounts.len()],
            written_off: (U256::ZERO, U256::ZERO),
        }
    }

    /// The index by liquidation price.
    #[must_use]
    pub const fn index(&self) -> &LiquidationIndex {
        &self.index
    }

    /// The positions to the wei, by account number.
    #[must_use]
    pub fn exact(&self) -> &[ExactPosition] {
        &self.exact
    }

    /// When the account's auction clock was last started.
    #[must_use]
    pub fn flagged(&self, account: u32) -> Option<u64> {
        self.flagged.get(account as usize).copied().flatten()
    }

    /// An account's number.
    #[must_use]
    pub fn number(&self, account: Address) -> Option<u32> {
        self.accounts.get(&account).copied()
    }

    /// Takes one transaction's logs; returns the liquidation or settlement among them, if there was one.
    pub fn apply(&mut self, logs: &[Log]) -> Option<Closed> {
        match self.source {
            Source::Breakwater { pool, policy } => self.apply_breakwater(pool, policy, logs),
            Source::Aave { market, bonus } => aave::events::apply(self, &market, bonus, logs),
        }
    }

    fn apply_breakwater(&mut self, pool: Address, policy: Address, logs: &[Log]) -> Option<Closed> {
        let mut closed: Option<Closed> = None;
        let mut written_off = (U256::ZERO, U256::ZERO);
        let mut removed = U256::ZERO;
        for log in logs {
            if log.address == policy {
                self.apply_flag(pool, log);
            }
            if log.address != pool {
                continue;
            }
            let Ok(event) = Event::decode_log(log) else {
                continue;
            };
            match event.data {
                Event::CollateralSupplied(event) => {
                    self.change(event.account, |position| {
                        position.collateral = event.balanceAfter
                    });
                }
                Event::CollateralWithdrawn(event) => {
                    removed = event.amount;
                    self.change(event.account, |position| {
                        position.collateral = event.balanceAfter
                    });
                }
                Event::Borrowed(event) => {
                    self.change(event.account, |position| {
                        position.debt_shares = event.debtSharesAfter
                    });
                }
                Event::Repaid(event) => {
                    self.change(event.account, |position| {
                        position.debt_shares = event.debtSharesAfter
                    });
                }
                Event::Liquidated(event) => {
                    let account = self.change(event.account, |position| {
                        position.debt_shares = event.debtSharesAfter;
                        position.collateral = event.balanceAfter;
                    });
                    closed = account.map(|account| Closed {
                        account,
                        settlement: false,
                        repaid: event.repaid,
                        seized: event.seized,
                        bonus: event.bonus,
                        written_off: (U256::ZERO, U256::ZERO),
                    });
                }
                Event::BadDebtWrittenOff(event) => {
                    written_off.0 += event.fromReserves;
                    written_off.1 += event.fromLenders;
                }
                Event::Settled(event) => {
                    let account = self.change(event.account, |position| {
                        position.debt_shares = U256::ZERO;
                        position.collateral = U256::ZERO;
                    });
                    closed = account.map(|account| Closed {
                        account,
                        settlement: true,
                        repaid: event.repaid,
                        seized: U256::ZERO,
                        bonus: U256::ZERO,
                        written_off: (U256::ZERO, U256::ZERO),
                    });
                }
                _ => {}
            }
        }
        self.written_off.0 += written_off.0;
        self.written_off.1 += written_off.1;
        closed.map(|closed| Closed {
            written_off,
            seized: if closed.settlement {
                removed
            } else {
                closed.seized
            },
            ..closed
        })
    }

    fn apply_flag(&mut self, pool: Address, log: &Log) {
        let Ok(event) = DampedPolicy::Flagged::decode_log(log) else {
            return;
        };
        let Some(&account) = self.accounts.get(&event.account) else {
            return;
        };
        if event.pool == pool {
            self.flagged[account as usize] = Some(event.since.saturating_to());
        }
    }

    /// Changes a position; the account's number, if it is one of those that are mirrored.
    pub fn change(
        &mut self,
        account: Address,
        change: impl FnOnce(&mut ExactPosition),
    ) -> Option<u32> {
        let number = self.number(account)?;
        let position = &mut self.exact[number as usize];
        change(position);
        self.index.set(
            number,
            Position {
                collateral: from_base(position.collateral, COLLATERAL_UNIT),
                debt_shares: f64::from(position.debt_shares),
            },
        );
        Some(number)
    }
}
