//! The figures of a backstop.

use super::{Better, Figure, Unit, figure};
use crate::metrics::{BackstopFigures, Figures};

/// Shortens the table below.
fn of(figures: &Figures, value: fn(&BackstopFigures) -> Option<f64>) -> Option<f64> {
    figures.backstop.as_ref().and_then(value)
}

/// The figures of runs in which there is a backstop, in the order of the table; they come after the others.
pub static BACKSTOP_FIGURES: [Figure; 18] = [
    figure(
        "absorptions",
        "Absorptions",
        Unit::Count,
        Better::Neither,
        |f| of(f, |b| Some(b.absorptions as f64)),
        "Positions, or parts of them, that the backstop took over, settlements of insolvent ones included.",
    ),
    figure(
        "absorbed_volume",
        "Absorbed volume",
        Unit::Percent,
        Better::Neither,
        |f| of(f, |b| b.absorbed_volume),
        "Debt that the backstop repaid, as a share of all debt at the start. It is not in the liquidated volume.",
    ),
    figure(
        "capital_used",
        "Backstop capital used",
        Unit::Percent,
        Better::Neither,
        |f| of(f, |b| b.capital_used),
        "Debt that the backstop repaid, as a share of all deposits.",
    ),
    figure(
        "capital_left",
        "Backstop capital left",
        Unit::Percent,
        Better::Neither,
        |f| of(f, |b| b.capital_left),
        "What was left for absorptions in the last block, as a share of all deposits.",
    ),
    figure(
        "depositor_profit",
        "Depositors' profit",
        Unit::Amount,
        Better::Neither,
        |f| of(f, |b| Some(b.depositor_profit)),
        "Premium, proceeds of the release and of what was taken in kind, and unsold collateral at the last reference price, less the debt repaid and gas; in debt tokens.",
    ),
    figure(
        "depositor_return",
        "Depositors' return",
        Unit::Percent,
        Better::Neither,
        |f| of(f, |b| b.depositor_return),
        "Depositors' profit as a share of all deposits, over the run and not a year.",
    ),
    figure(
        "depositor_drawdown",
        "Depositors' drawdown",
        Unit::Percent,
        Better::Lower,
        |f| of(f, |b| Some(b.depositor_drawdown)),
        "The greatest fall of what a deposited token was worth, collateral at the reference price, below its highest.",
    ),
    figure(
        "discount_earned",
        "Discount earned",
        Unit::Amount,
        Better::Neither,
        |f| of(f, |b| Some(b.discount_earned)),
        "What absorbed collateral was worth at the reference price of its block, less what it cost depositors; in debt tokens. Negative where the oracle stood above the market.",
    ),
    figure(
        "premium",
        "Premium",
        Unit::Amount,
        Better::Neither,
        |f| of(f, |b| Some(b.premium)),
        "Depositors' share of interest, in debt tokens.",
    ),
    figure(
        "inventory_left",
        "Inventory left",
        Unit::Percent,
        Better::Lower,
        |f| of(f, |b| b.inventory_left),
        "Unsold collateral in the last block at the reference price, as a share of all deposits.",
    ),
    figure(
        "holding_hours",
        "Hours held",
        Unit::Hours,
        Better::Lower,
        |f| of(f, |b| b.holding_hours),
        "Mean time for which absorbed collateral was in the inventory; what is unsold counts up to the last block.",
    ),
    figure(
        "exits",
        "Depositors who left",
        Unit::Count,
        Better::Neither,
        |f| of(f, |b| Some(b.exits as f64)),
        "Depositors who asked to leave during the run.",
    ),
    figure(
        "entries",
        "Depositors who came",
        Unit::Count,
        Better::Neither,
        |f| of(f, |b| Some(b.entries as f64)),
        "Depositors who came during the run.",
    ),
    figure(
        "exit_wait_hours",
        "Hours to leave",
        Unit::Hours,
        Better::Lower,
        |f| of(f, |b| b.exit_wait_hours),
        "Mean time from asking to leave until a depositor has left; he bears and earns until then.",
    ),
    figure(
        "longest_exit_wait_hours",
        "Most hours to leave",
        Unit::Hours,
        Better::Lower,
        |f| of(f, |b| b.longest_exit_wait_hours),
        "The longest of those times.",
    ),
    figure(
        "dumped_share",
        "Taken in kind and sold",
        Unit::Percent,
        Better::Lower,
        |f| of(f, |b| b.dumped_share),
        "Absorbed collateral that fleeing depositors took in kind and sold on the venue at once, as a share of all.",
    ),
    figure(
        "caller_profit",
        "Caller's profit",
        Unit::Amount,
        Better::Neither,
        |f| of(f, |b| Some(b.caller_profit)),
        "What who triggers absorptions was paid, at the reference price of the block, net of gas; in debt tokens.",
    ),
    figure(
        "buyer_profit",
        "Inventory buyer's profit",
        Unit::Amount,
        Better::Neither,
        |f| of(f, |b| Some(b.buyer_profit)),
        "What who buys released collateral and sells it on the venue earned, net of gas; in debt tokens.",
    ),
];
