//! What is recorded of a backstop.

use serde::{Deserialize, Serialize};

/// The state of a world's backstop at the end of a block; worlds without one have no such rows. Prices in debt tokens per whole
/// collateral token, amounts in whole debt tokens unless named otherwise; what is called a sum is one since the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackstopRow {
    /// The policy's name.
    pub policy: String,
    /// Blocks since the start.
    pub block: u64,
    /// What depositors have left for absorptions.
    pub assets: f64,
    /// Deposits that are not active yet.
    pub entering: f64,
    /// Of the assets, those of depositors who wait to leave.
    pub leaving: f64,
    /// Unsold collateral, whole tokens.
    pub inventory: f64,
    /// Whether the release is open.
    pub sale_open: bool,
    /// The release's price; 0 while it is closed.
    pub sale_price: f64,
    /// What may be bought now, whole collateral tokens.
    pub for_sale: f64,
    /// Deposits, a sum with those of before the start.
    pub deposits: f64,
    /// Debt repaid in absorptions and settlements by the backstop, a sum.
    pub absorbed: f64,
    /// Collateral that depositors received for it, a sum; whole tokens.
    pub received: f64,
    /// What that was worth above its cost at the reference price of its block, a sum.
    pub discount: f64,
    /// Collateral released, a sum; whole tokens.
    pub released: f64,
    /// What it was sold for, a sum.
    pub release_proceeds: f64,
    /// Premium, a sum.
    pub premium: f64,
    /// Debt asset that depositors took, a sum.
    pub claimed_assets: f64,
    /// Collateral that depositors took in kind, a sum; whole tokens.
    pub claimed_collateral: f64,
    /// Of that, sold on the venue, a sum; whole tokens.
    pub dumped: f64,
    /// What that fetched, a sum.
    pub dump_proceeds: f64,
    /// Gas that depositors paid, a sum.
    pub depositor_gas: f64,
    /// What depositors have earned: premium, proceeds and gas, and unsold collateral at the reference price, less what was
    /// absorbed.
    pub depositor_profit: f64,
    /// What who triggers absorptions has earned: rewards and stipends at the reference price of their block, net of gas.
    pub caller_profit: f64,
    /// What who buys inventory has earned, net of gas.
    pub buyer_profit: f64,
    /// Depositors who came, a sum.
    pub entries: u64,
    /// Depositors who asked to leave, a sum without those of before the start.
    pub exits: u64,
    /// Seconds from asking to leave until leaving, a sum over those.
    pub exit_wait: u64,
    /// The longest of these.
    pub longest_exit_wait: u64,
}

/// One absorption, or a settlement with the backstop's money. Units as in [`BackstopRow`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AbsorptionRow {
    /// The policy's name.
    pub policy: String,
    /// The block it happened in.
    pub block: u64,
    /// Its place among the block's simulated transactions.
    pub index: u64,
    /// The account's number in the population.
    pub account: u32,
    /// Whether it was a settlement of an insolvent position.
    pub settlement: bool,
    /// Debt repaid, by the backstop and, in a settlement that it could not pay alone, by who called.
    pub repaid: f64,
    /// Of that, by the backstop.
    pub absorbed: f64,
    /// Collateral that depositors received, whole tokens.
    pub received: f64,
    /// Collateral that who called received, whole tokens.
    pub handed_over: f64,
    /// Debt written off in the same call.
    pub written_off: f64,
    /// The bonus that was granted, as a ratio; 0 for a settlement.
    pub bonus: f64,
    /// The health factor at F before.
    pub health_before: f64,
    /// The health factor at F after; `f64::MAX` if no debt is left.
    pub health_after: f64,
    /// HF_hard of the account.
    pub health_hard: f64,
    /// F at the time.
    pub fast_price: f64,
    /// The reference price at the time.
    pub reference_price: f64,
    /// Gas used by the whole transaction.
    pub gas_used: u64,
    /// Price paid for gas, gwei.
    pub gas_price_gwei: f64,
    /// What who called earned, net of gas.
    pub profit: f64,
}
