//! What a drill found: expectations that were met or not, and what the chain says was earned.

use alloy_primitives::{I256, U256};
use breakwater_operator::status::Profit;

use super::accounts::Sent;

/// Something that had to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: String,
    /// Whether it did.
    pub met: bool,
    /// What was found.
    pub found: String,
}

/// A row of the closing table: a transaction of the keeper, by its receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The transaction.
    pub sent: Sent,
    /// Seconds of the chain's time since the keeper started.
    pub at: u64,
    /// Whose position.
    pub name: String,
    /// The gas in debt tokens, at the feed's price of the block before.
    pub gas: f64,
    /// What it kept of the collateral, at the same price.
    pub kept: f64,
}

/// What a drill found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The keeper's transactions in order.
    pub rows: Vec<Row>,
    /// Everything that had to happen, in order.
    pub checks: Vec<Check>,
    /// Debt tokens on the keeper's account at the end less at the start, base units.
    pub gross: I256,
    /// Collateral tokens on it at the end less at the start, base units.
    pub kept: I256,
    /// Native coins on it at the start less at the end, wei.
    pub spent: U256,
    /// What the keeper says that it earned.
    pub keeper: Profit,
    /// Decimals of the debt and the collateral token.
    pub decimals: (u8, u8),
    /// Their symbols.
    pub symbols: (String, String),
}

impl Report {
    /// Gas of all transactions, debt tokens.
    #[must_use]
    pub fn gas(&self) -> f64 {
        self.rows.iter().map(|row| row.gas).sum()
    }

    /// Before gas, debt tokens.
    #[must_use]
    pub fn earned(&self) -> f64 {
        crate::units::whole_signed(self.gross, self.decimals.0)
    }

    /// What was expected and did not happen.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.met)
    }
}

/// Expectations as they are put down.
#[derive(Debug, Default)]
pub(super) struct Checks(pub Vec<Check>);

impl Checks {
    pub fn expect(&mut self, what: impl Into<String>, met: bool, found: impl Into<String>) {
        self.0.push(Check {
            what: what.into(),
            met,
            found: found.into(),
        });
    }
}
