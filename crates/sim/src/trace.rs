//! What a simulation records: one row a block, one row a liquidation. Every figure that is reported is computed from
//! these rows alone.

mod backstop;

use serde::{Deserialize, Serialize};

pub use backstop::{AbsorptionRow, BackstopRow};

/// Upper edges of the health-factor histogram's bins; the last bin has no upper edge. Accounts without debt are in no bin.
pub const HEALTH_BIN_EDGES: [f64; 11] = [
    0.90, 0.95, 0.97, 1.00, 1.02, 1.05, 1.10, 1.20, 1.50, 2.00, 3.00,
];

/// The number of bins of the health-factor histogram.
pub const HEALTH_BINS: usize = HEALTH_BIN_EDGES.len() + 1;

/// The world's name in `BlockRow::policy` and `LiquidationRow::policy` when liquidators sell at the reference price
/// without impact: the counterfactual.
pub const COUNTERFACTUAL: &str = "counterfactual";

/// The state of the world at the end of a block. Prices in debt tokens per whole collateral token, amounts in whole debt
/// tokens unless named otherwise, base fee in gwei.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockRow {
    /// The policy's name (`rigid`, `target-health`, `damped`, `aave-v3`, or [`COUNTERFACTUAL`]).
    pub policy: String,
    /// Blocks since the start; the first is 0, the state before anything happens.
    pub block: u64,
    /// Unix seconds.
    pub timestamp: u64,
    /// The price of the outside world before any pass-through: the input path.
    pub exogenous_price: f64,
    /// P, the reference price after pass-through.
    pub reference_price: f64,
    /// The venue's own price.
    pub venue_price: f64,
    /// F, as the pool's oracle reports it.
    pub fast_price: f64,
    /// L; 0 under Aave, which has none.
    pub slow_price: f64,
    /// V; 0 under Aave, which has none.
    pub confirm_price: f64,
    /// Base fee of the block, gwei.
    pub base_fee_gwei: f64,
    /// Gas used by the simulated transactions.
    pub gas_used: u64,
    /// Gas taken by the rest of the network.
    pub background_gas: u64,
    /// Simulated transactions that were included, reverted ones too.
    pub transactions: u64,
    /// Of these, reverted.
    pub reverted: u64,
    /// Transactions still waiting in the mempool at the block's end.
    pub waiting: u64,
    /// Transactions dropped (replaced, expired, or priced out).
    pub dropped: u64,
    /// Circuit breaker level, 0 to 3; 0 under Aave, which has none.
    pub breaker_level: u8,
    /// Volume bucket's level; 0 where the policy has none.
    pub bucket_level: f64,
    /// Volume bucket's capacity; 0 where the policy has none.
    pub bucket_capacity: f64,
    /// Accounts with debt.
    pub accounts: u64,
    /// Accounts with a health factor below 1 at the reference price.
    pub unhealthy: u64,
    /// Accounts whose debt exceeds their collateral at the reference price.
    pub insolvent: u64,
    /// Σ (D − C·P)⁺ over accounts at the reference price.
    pub shortfall: f64,
    /// Cumulative losses written off (reserves' share and lenders' share together).
    pub written_off: f64,
    /// Of these, borne by lenders.
    pub lender_loss: f64,
    /// All debt.
    pub debt: f64,
    /// All collateral posted, whole collateral tokens.
    pub collateral: f64,
    /// What lenders are owed.
    pub lender_assets: f64,
    /// Debt asset held by the pool.
    pub cash: f64,
    /// Debt over lenders' assets.
    pub utilisation: f64,
    /// Cumulative keeper profit net of gas, over all keepers.
    pub keeper_profit: f64,
    /// Cumulative arbitrage profit net of gas, marked at the reference price.
    pub arbitrage_profit: f64,
    /// Cumulative profit of the adversary net of gas, what it is short marked at the reference price; 0 without one.
    pub adversary_profit: f64,
    /// The venue's active liquidity over that at the start.
    pub venue_liquidity: f64,
    /// Accounts with debt in each health-factor bin, at the reference price.
    pub health_histogram: [u32; HEALTH_BINS],
}

/// One successful liquidation or settlement. Units as in [`BlockRow`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiquidationRow {
    /// The policy's name.
    pub policy: String,
    /// The block it happened in.
    pub block: u64,
    /// Its place among the block's simulated transactions.
    pub index: u64,
    /// The keeper's number.
    pub keeper: u32,
    /// The account's number in the population.
    pub account: u32,
    /// Whether it was a settlement of an insolvent position.
    pub settlement: bool,
    /// Debt repaid.
    pub repaid: f64,
    /// Collateral seized, whole collateral tokens.
    pub seized: f64,
    /// Debt written off in the same call.
    pub written_off: f64,
    /// The bonus the policy granted, as a ratio; 0 for a settlement.
    pub bonus: f64,
    /// What the account owed before, without the interest of this block.
    pub debt: f64,
    /// Seconds since the account's health factor at F, at the ends of blocks, came to be below 1; 0 if in this block.
    pub waited: u64,
    /// The health factor at F before; infinite values do not occur.
    pub health_before: f64,
    /// The health factor at F after; `f64::MAX` if no debt is left.
    pub health_after: f64,
    /// HF_hard of the account; 0 under Aave, which has none.
    pub health_hard: f64,
    /// F at the time.
    pub fast_price: f64,
    /// The reference price at the time.
    pub reference_price: f64,
    /// The venue's price before the sale.
    pub venue_price_before: f64,
    /// The venue's price after the sale.
    pub venue_price_after: f64,
    /// Gas used by the whole transaction.
    pub gas_used: u64,
    /// Price paid for gas, gwei.
    pub gas_price_gwei: f64,
    /// The keeper's profit net of gas.
    pub profit: f64,
}

/// Everything that one world recorded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// One row a block, in order.
    pub blocks: Vec<BlockRow>,
    /// In order of execution.
    pub liquidations: Vec<LiquidationRow>,
    /// One row a block, in order, where there is a backstop.
    pub backstop: Vec<BackstopRow>,
    /// In order of execution.
    pub absorptions: Vec<AbsorptionRow>,
}
