//! The figures of a backstop, from its own rows.

use breakwater_sim::trace::{BackstopRow, BlockRow, Trace};
use serde::{Deserialize, Serialize};

use super::{ratio, sum};

/// What a backstop did and what its depositors have of it. Shares and ratios are plain (0.1 is 10%), amounts are whole debt
/// tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackstopFigures {
    /// Absorptions and settlements with the backstop's money.
    pub absorptions: u64,
    /// Debt that the backstop repaid, over D₀; n/a without debt.
    pub absorbed_volume: Option<f64>,
    /// What it spent, over deposits.
    pub capital_used: Option<f64>,
    /// What is left for absorptions in the last block, over deposits.
    pub capital_left: Option<f64>,
    /// What depositors earned, unsold collateral at the reference price of the last block.
    pub depositor_profit: f64,
    /// The same over deposits.
    pub depositor_return: Option<f64>,
    /// The greatest fall of what a deposited token is worth below its highest: [`depositor_drawdown`].
    pub depositor_drawdown: f64,
    /// What depositors paid below the reference price of the block, their tenth for who calls not counted.
    pub discount_earned: f64,
    /// Premium.
    pub premium: f64,
    /// Unsold collateral in the last block at the reference price, over deposits.
    pub inventory_left: Option<f64>,
    /// Mean hours for which absorbed collateral was held, to the last block where it is not sold; n/a if there was none.
    pub holding_hours: Option<f64>,
    /// Depositors who asked to leave.
    pub exits: u64,
    /// Depositors who came.
    pub entries: u64,
    /// Mean hours from asking to leaving; n/a if nobody asked.
    pub exit_wait_hours: Option<f64>,
    /// The longest of them; n/a if nobody asked.
    pub longest_exit_wait_hours: Option<f64>,
    /// Absorbed collateral that fleeing depositors took in kind and sold on the venue, a share; n/a if none was absorbed.
    pub dumped_share: Option<f64>,
    /// What who triggers absorptions earned, net of gas.
    pub caller_profit: f64,
    /// What who buys inventory earned, net of gas.
    pub buyer_profit: f64,
}

impl BackstopFigures {
    /// The figures; `None` for a world without a backstop.
    #[must_use]
    pub fn compute(trace: &Trace) -> Option<Self> {
        let rows = &trace.backstop[..];
        let last = rows.last()?;
        let block = trace.blocks.last()?;
        let over_deposits = |amount: f64| ratio(amount, last.deposits);
        let hours = |seconds: f64| seconds / 3_600.0;
        let asked = last.exits as f64;
        Some(Self {
            absorptions: trace.absorptions.len() as u64,
            absorbed_volume: ratio(last.absorbed, trace.blocks.first()?.debt),
            capital_used: over_deposits(last.absorbed),
            capital_left: over_deposits(last.assets),
            depositor_profit: last.depositor_profit,
            depositor_return: over_deposits(last.depositor_profit),
            depositor_drawdown: depositor_drawdown(rows),
            discount_earned: last.discount,
            premium: last.premium,
            inventory_left: over_deposits(last.inventory * block.reference_price),
            holding_hours: ratio(holding_seconds(rows, &trace.blocks), last.received).map(hours),
            exits: last.exits,
            entries: last.entries,
            exit_wait_hours: ratio(last.exit_wait as f64, asked).map(hours),
            longest_exit_wait_hours: (last.exits > 0).then(|| hours(last.longest_exit_wait as f64)),
            dumped_share: ratio(last.dumped, last.received),
            caller_profit: last.caller_profit,
            buyer_profit: last.buyer_profit,
        })
    }
}

/// The greatest fall of what a deposited token is worth below its highest, as a share of that. Its worth is a chain of each block's
/// profit over what depositors had in it at the block's start, so that who comes later takes no part in what was before him.
#[must_use]
pub fn depositor_drawdown(rows: &[BackstopRow]) -> f64 {
    let (mut worth, mut highest, mut deepest) = (1.0_f64, 1.0_f64, 0.0_f64);
    for pair in rows.windows(2) {
        let [before, after] = pair else { continue };
        let held = held(before);
        if held > 0.0 {
            let earned = (after.depositor_profit - before.depositor_profit) / held;
            worth *= (1.0 + earned).max(0.0);
        }
        highest = highest.max(worth);
        deepest = deepest.max(1.0 - worth / highest);
    }
    deepest
}

/// What active depositors have at the reference price, in the backstop or in kind: all deposits and what they earned, less what was
/// taken out in debt tokens. Gas is paid from elsewhere.
fn held(row: &BackstopRow) -> f64 {
    row.deposits - row.entering + row.depositor_profit + row.depositor_gas
        - row.claimed_assets
        - row.dump_proceeds
}

/// Collateral in the inventory times the seconds for which it was there.
#[must_use]
pub fn holding_seconds(rows: &[BackstopRow], blocks: &[BlockRow]) -> f64 {
    let until_next = blocks
        .windows(2)
        .map(|pair| pair[1].timestamp.saturating_sub(pair[0].timestamp) as f64);
    sum(rows
        .iter()
        .zip(until_next)
        .map(|(row, seconds)| row.inventory * seconds))
}
