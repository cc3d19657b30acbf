//! The accounts that exist at the start: what they hold and what they owe.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::MarketError;
use crate::table::Table;

/// Unit of the amounts in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// US dollars (the scenario's unit of account).
    Usd,
    /// Whole tokens: collateral in the collateral asset, debt in the debt asset.
    Token,
}

/// What turns dollars into tokens and decides which accounts could exist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Price of a whole collateral token at the start, in dollars.
    pub collateral_price: f64,
    /// Price of a whole debt token at the start, in dollars.
    pub debt_price: f64,
    /// Largest debt over collateral value at which the protocol lets an account borrow, as a fraction above 0 and below 1.
    pub max_ltv: f64,
}

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its name in the file, or group and number.
    pub name: String,
    /// Name of the group that it was generated in; empty for a file.
    pub group: String,
    /// Collateral, in whole tokens.
    pub collateral: f64,
    /// Debt, in whole tokens of the debt asset.
    pub debt: f64,
}

impl Account {
    /// Debt over collateral value at the given prices; infinite if there is debt and no collateral, 0 if there is neither.
    pub fn ltv(&self, terms: &Terms) -> f64 {
        let debt = self.debt * terms.debt_price;
        if debt == 0.0 {
            0.0
        } else {
            debt / (self.collateral * terms.collateral_price)
        }
    }
}

/// Why a row of a file is not an account of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeftOutReason {
    /// Neither collateral nor debt.
    Nothing,
    /// Debt without collateral.
    NoCollateral,
    /// Debt above the collateral's value times the maximum loan-to-value: this protocol would not have lent it.
    AboveMaxLtv,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Line of the file, from 1.
    pub row: u64,
    /// The account's name.
    pub name: String,
    /// Why.
    pub reason: LeftOutReason,
    /// Its collateral, in whole tokens.
    pub collateral: f64,
    /// Its debt, in whole tokens of the debt asset.
    pub debt: f64,
}

/// The accounts of a run, and the rows that are not among them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Accounts {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// What was left out of a file, for the report. Amounts are the file's own, before any rescaling.
    pub left_out: Vec<LeftOut>,
}

impl Accounts {
    /// All collateral, in whole tokens.
    pub fn total_collateral(&self) -> f64 {
        self.accounts.iter().map(|account| account.collateral).sum()
    }

    /// All debt, in whole tokens of the debt asset.
    pub fn total_debt(&self) -> f64 {
        self.accounts.iter().map(|account| account.debt).sum()
    }

    /// Share of all collateral that the largest `count` accounts hold, 0 to 1.
    pub fn largest_share(&self, count: usize) -> f64 {
        let mut sizes: Vec<f64> = self.accounts.iter().map(|a| a.collateral).collect();
        sizes.sort_unstable_by(|a, b| b.total_cmp(a));
        let total: f64 = sizes.iter().sum();
        if total > 0.0 {
            sizes.iter().take(count).sum::<f64>() / total
        } else {
            0.0
        }
    }

    /// Rows left out for one reason: how many, their collateral and their debt (whole tokens).
    pub fn left_out_for(&self, reason: LeftOutReason) -> (usize, f64, f64) {
        self.left_out
            .iter()
            .filter(|row| row.reason == reason)
            .fold((0, 0.0, 0.0), |(count, collateral, debt), row| {
                (count + 1, collateral + row.collateral, debt + row.debt)
            })
    }

    /// Multiplies collateral and debt alike, so that all collateral is `total` and every loan-to-value stays.
    pub(crate) fn rescale(&mut self, total: f64) {
        let factor = total / self.total_collateral();
        for account in &mut self.accounts {
            account.collateral *= factor;
            account.debt *= factor;
        }
    }
}

const NAMES: [&str; 4] = ["account", "user_address", "user", "address"];
const COLLATERAL: [&str; 3] = ["collateral", "collateral_usd", "total_collateral_usd"];
const DEBT: [&str; 3] = ["debt", "debt_usd", "total_debt_usd"];

/// Reads accounts from a file with a name (`account`, `user_address`, `user` or `address`), collateral (`collateral`,
/// `collateral_usd` or `total_collateral_usd`) and debt (`debt`, `debt_usd` or `total_debt_usd`), all in `unit`. Other
/// columns are not looked at: a health factor in particular is another protocol's.
///
/// # Errors
/// Whatever is wrong, with the file and the row; [`MarketError::NoAccounts`] if no row is left; a `_usd` column read in
/// tokens is [`MarketError::Impossible`].
pub fn read_accounts(path: &Path, unit: Unit, terms: &Terms) -> Result<Accounts, MarketError> {
    from_table(&Table::read(path)?, unit, terms)
}

/// Takes bytes that are already in memory; `file` names them in errors.
///
/// # Errors
/// As [`read_accounts`].
pub fn parse_accounts(
    file: &Path,
    bytes: Vec<u8>,
    unit: Unit,
    terms: &Terms,
) -> Result<Accounts, MarketError> {
    from_table(&Table::parse(file, bytes)?, unit, terms)
}

fn from_table(table: &Table, unit: Unit, terms: &Terms) -> Result<Accounts, MarketError> {
    terms.check()?;
    let name_column = table.column(&NAMES)?;
    let collateral_column = table.column(&COLLATERAL)?;
    let debt_column = table.column(&DEBT)?;
    for column in [collateral_column, debt_column] {
        let name = table.name(column);
        if unit == Unit::Token && name.to_ascii_lowercase().ends_with("_usd") {
            return Err(MarketError::impossible(
                "unit",
                "token",
                format!("usd, since {} has a column {name}", table.file().display()),
            ));
        }
    }
    let (collateral_unit, debt_unit) = match unit {
        Unit::Usd => (terms.collateral_price, terms.debt_price),
        Unit::Token => (1.0, 1.0),
    };
    let mut result = Accounts::default();
    let mut rows_by_name: HashMap<String, u64> = HashMap::new();
    table.visit(|row| {
        let name = row.text(name_column).to_owned();
        if name.is_empty() {
            return Err(row.malformed(name_column, "an account's name"));
        }
        if let Some(&first_row) = rows_by_name.get(&name) {
            return Err(MarketError::DuplicateAccount {
                file: table.file().to_path_buf(),
                row: row.line,
                account: name,
                first_row,
            });
        }
        rows_by_name.insert(name.clone(), row.line);
        let account = Account {
            name,
            group: String::new(),
            collateral: row.amount(collateral_column)? / collateral_unit,
            debt: row.amount(debt_column)? / debt_unit,
        };
        match terms.refuse(&account) {
            None => result.accounts.push(account),
            Some(reason) => result.left_out.push(LeftOut {
                row: row.line,
                name: account.name,
                reason,
                collateral: account.collateral,
                debt: account.debt,
            }),
        }
        Ok(())
    })?;
    if result.accounts.is_empty() {
        return Err(MarketError::NoAccounts {
            file: table.file().to_path_buf(),
            rows: result.left_out.len(),
            max_ltv: terms.max_ltv,
        });
    }
    Ok(result)
}

impl Terms {
    /// Refuses terms that cannot be.
    ///
    /// # Errors
    /// [`MarketError::Impossible`].
    pub fn check(&self) -> Result<(), MarketError> {
        crate::request::check_amount("collateral_price".into(), self.collateral_price)?;
        crate::request::check_amount("debt_price".into(), self.debt_price)?;
        if self.max_ltv > 0.0 && self.max_ltv < 1.0 {
            Ok(())
        } else {
            Err(MarketError::impossible(
                "max_ltv",
                self.max_ltv,
                "a fraction above 0 and below 1",
            ))
        }
    }

    fn refuse(&self, account: &Account) -> Option<LeftOutReason> {
        match (account.collateral == 0.0, account.debt == 0.0) {
            (true, true) => Some(LeftOutReason::Nothing),
            (true, false) => Some(LeftOutReason::NoCollateral),
            (false, true) => None,
            (false, false) => {
                (account.ltv(self) > self.max_ltv).then_some(LeftOutReason::AboveMaxLtv)
            }
        }
    }
}
