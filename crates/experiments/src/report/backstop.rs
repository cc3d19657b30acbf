//! What a depositor of the backstop earns and may lose, in one paragraph computed from the run.

use super::number::{compact, fixed, percent};
use super::{NOT_APPLICABLE, World};
use crate::metrics::BackstopFigures;

/// A further fall after the end, for what depositors could have lost: that of the scenario `persistent-30`.
const FURTHER_FALL: f64 = 0.3;

/// The paragraph; `None` for a run without a backstop. The damped policy's depositors are told of in full, or the first
/// policy's, the others beside them.
pub(super) fn paragraph(policies: &[World<'_>]) -> Option<String> {
    let guarded = || {
        policies
            .iter()
            .filter_map(|world| Some((world, world.figures.backstop.as_ref()?)))
    };
    let (world, figures) = guarded()
        .find(|(world, _)| world.name == "damped")
        .or_else(|| guarded().next())?;
    let mut text = told(world, figures)?;
    let beside: Vec<String> = guarded()
        .filter(|(other, _)| other.name != world.name)
        .map(|(other, figures)| {
            format!(
                "under {} {} ({} absorbed, {} at the worst)",
                other.name,
                share(figures.depositor_return),
                share(figures.capital_used),
                percent(-figures.depositor_drawdown)
            )
        })
        .collect();
    if !beside.is_empty() {
        text.push_str(&format!(
            " The same deposits returned {}.",
            beside.join(" and ")
        ));
    }
    Some(text)
}

fn told(world: &World<'_>, figures: &BackstopFigures) -> Option<String> {
    let last = world.trace.backstop.last()?;
    let price = world.trace.blocks.last()?.reference_price;
    let inventory = last.inventory * price;
    let mut text = format!(
        "Depositors lend the debt asset and agree to take collateral for it, at up to 2% under the oracle\u{2019}s price, instead of letting it be sold into a fall. They earn nine tenths of that discount and a part of the interest, and bear the price of what they took until it is released. In this run, under {}, they had deposited {}, of which {} was spent on debt: collateral worth {} {} at the time than it cost. With a premium of {} and what was sold they ended with {} of their deposits {}, {} below their best at the worst; {} of their deposits was unsold collateral, and absorbed collateral was held for {} on average.",
        world.name,
        compact(last.deposits),
        share(figures.capital_used),
        compact(figures.discount_earned.abs()),
        if figures.discount_earned < 0.0 {
            "less"
        } else {
            "more"
        },
        compact(figures.premium),
        share(figures.depositor_return.map(f64::abs)),
        if figures.depositor_profit < 0.0 {
            "lost"
        } else {
            "earned"
        },
        percent(figures.depositor_drawdown),
        share(figures.inventory_left),
        hours(figures.holding_hours),
    );
    text.push_str(&match figures.exits {
        0 => " None asked to leave.".to_owned(),
        asked => format!(
            " {} of them asked to leave and have to wait {} for it, {} at most, bearing all that is absorbed until then.",
            fixed(asked as f64, 0),
            hours(figures.exit_wait_hours),
            hours(figures.longest_exit_wait_hours)
        ),
    });
    let worse = (last.depositor_profit - FURTHER_FALL * inventory) / last.deposits;
    text.push_str(&format!(
        " What they may lose is the price of collateral: all capital can be spent early in one fall, nobody gets out within a period, and had the price fallen by another {} after the last block, they would have ended at {} of their deposits.",
        percent(FURTHER_FALL),
        percent(worse)
    ));
    Some(text)
}

fn share(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| NOT_APPLICABLE.to_owned(), percent)
}

fn hours(value: Option<f64>) -> String {
    value.map_or_else(
        || NOT_APPLICABLE.to_owned(),
        |value| format!("{} hours", fixed(value, 1)),
    )
}
