//! From a scenario to the series and accounts of a run.

use std::path::PathBuf;

use breakwater_market::{Grid, LeftOutReason};
use breakwater_sim::config::{Account, WorldInput, WorldParameters};

use super::Scenario;
use super::error::ScenarioError;
use super::hash::{hash_input, hash_settings};
use super::preparation::Preparation;
use super::settings::settings;
use crate::report::{LeftOut, Setting};

/// What a caller replaces in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Bars of the collateral's price.
    pub prices: Option<PathBuf>,
    /// Accounts, in dollars where the columns' names end in `_usd`, otherwise in tokens; rescaled to the scenario's
    /// collateral.
    pub accounts: Option<PathBuf>,
    /// Gas prices.
    pub gas: Option<PathBuf>,
    /// Pool reserves.
    pub depth: Option<PathBuf>,
    /// Blocks to simulate.
    pub blocks: Option<u64>,
    /// Seed of all random numbers.
    pub seed: Option<u64>,
}

/// A run, ready for the simulator.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The world's parameters.
    pub parameters: WorldParameters,
    /// Its series and accounts.
    pub input: WorldInput,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Blocks to simulate.
    pub blocks: u64,
    /// Accounts of the file that take no part.
    pub left_out: Vec<LeftOut>,
    /// Every parameter as used.
    pub settings: Vec<Setting>,
    /// What had to be assumed about files that do not cover the window.
    pub notes: Vec<String>,
    /// Keccak-256 of every parameter as used.
    pub configuration_hash: String,
    /// Keccak-256 of the series and accounts.
    pub input_hash: String,
}

impl Scenario {
    /// Reads the files, generates what is generated, and checks that everything fits.
    ///
    /// # Errors
    /// [`ScenarioError`] with the file and the row, or the key, and what was expected.
    pub fn prepare(&self, overrides: &Overrides) -> Result<Prepared, ScenarioError> {
        let blocks = overrides.blocks.unwrap_or(self.file.run.blocks);
        if !(1..=1_000_000).contains(&blocks) {
            let expected = "1 to 1000000".to_owned();
            return Err(ScenarioError::Option {
                option: "--blocks",
                value: blocks.to_string(),
                expected,
            });
        }
        let seed = overrides.seed.unwrap_or(self.file.run.seed);
        let mut preparation = Preparation {
            scenario: self,
            overrides,
            grid: Grid::new(blocks as usize + 1, self.file.network.slot_seconds)?,
            seed,
            settings: settings(&self.source, &self.table, &self.changed),
            notes: Vec::new(),
        };
        preparation.set(
            "run.blocks",
            overrides.blocks.map(|blocks| blocks.to_string()),
        );
        preparation.set("run.seed", overrides.seed.map(|seed| seed.to_string()));
        let (start, mut prices) = preparation.prices()?;
        preparation.shock(&mut prices)?;
        let native_prices = preparation.native_prices(start, &prices)?;
        let gas_gwei = preparation.gas(start)?;
        let accounts = preparation.accounts(prices[0])?;
        let total = accounts.total_collateral();
        let (multiple, depth) = preparation.depth(start, total)?;
        let file = &self.file;
        let mut venue = file.venue.clone();
        venue.depth = multiple;
        let parameters = WorldParameters {
            collateral: file.collateral.clone(),
            venue,
            feed: file.feed.clone(),
            network: file.network.clone(),
            keepers: file.keepers.clone(),
            borrowers: file.borrowers.clone(),
            noise: file.noise.clone(),
            adversary: file.adversary.clone(),
            backstop: file.backstop.clone(),
            lender_assets_over_debt: file.lender_assets_over_debt,
            damped: file.damped.clone(),
        };
        let positions = accounts.accounts.iter();
        let accounts_in = positions
            .map(|account| Account {
                collateral: account.collateral,
                debt: account.debt,
            })
            .collect();
        let input = WorldInput {
            start,
            prices,
            gas_gwei,
            native_prices,
            depth,
            accounts: accounts_in,
        };
        Ok(Prepared {
            configuration_hash: hash_settings(&preparation.settings),
            input_hash: hash_input(&input),
            parameters,
            input,
            seed,
            blocks,
            left_out: accounts.left_out.iter().map(left_out).collect(),
            settings: preparation.settings,
            notes: preparation.notes,
        })
    }
}

fn left_out(row: &breakwater_market::LeftOut) -> LeftOut {
    let reason = match row.reason {
        LeftOutReason::Nothing => "neither collateral nor debt".to_owned(),
        LeftOutReason::NoCollateral => "debt without collateral".to_owned(),
        LeftOutReason::AboveMaxLtv => {
            format!(
                "debt of {:.2} against {:.4} collateral tokens: above the LTV up to which the scenario lends",
                row.debt, row.collateral
            )
        }
    };
    LeftOut {
        row: row.row,
        account: row.name.clone(),
        reason,
    }
}
