//! The figures as a table: what each is called, what it means, how it is written.

mod backstop;

use std::fmt::Write as _;

use super::number::{NOT_APPLICABLE, compact, escape, fixed, percent};
use crate::metrics::Figures;

pub use backstop::BACKSTOP_FIGURES;

/// Which end of a figure is the better one for those who use the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    Lower,
    /// Neither: a figure that explains others.
    Neither,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Percent,
    Multiple,
    BasisPoints,
    Amount,
    Count,
    Price,
    /// A correlation.
    Correlation,
    Minutes,
    Hours,
}

/// A row of the table.
#[derive(Debug)]
pub struct Figure {
    /// Its key in `summary.json`.
    pub key: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    unit: Unit,
    better: Better,
    value: fn(&Figures) -> Option<f64>,
}

impl Figure {
    /// The value; `None` where it does not apply.
    #[must_use]
    pub fn value(&self, figures: &Figures) -> Option<f64> {
        (self.value)(figures)
    }

    /// Whether those who use the protocol want it low.
    #[must_use]
    pub fn lower_is_better(&self) -> bool {
        self.better == Better::Lower
    }

    /// What a value is multiplied by on an axis, and the unit there.
    pub(super) const fn axis(&self) -> (f64, &'static str) {
        match self.unit {
            Unit::Percent => (100.0, "%"),
            Unit::Multiple => (1.0, "\u{d7}"),
            Unit::BasisPoints => (1.0, "bp"),
            Unit::Amount | Unit::Count | Unit::Price | Unit::Correlation => (1.0, ""),
            Unit::Minutes => (1.0, "min"),
            Unit::Hours => (1.0, "h"),
        }
    }

    /// A value, written with its unit.
    #[must_use]
    pub fn write(&self, value: f64) -> String {
        self.unit.write(value)
    }

    /// The figure of this key.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        all(true).find(|figure| figure.key == key)
    }

    /// The value, written with its unit; "n/a" where it does not apply.
    #[must_use]
    pub fn format(&self, figures: &Figures) -> String {
        (self.value)(figures)
            .map_or_else(|| NOT_APPLICABLE.to_owned(), |value| self.unit.write(value))
    }

    /// A relative change in words; of a correlation, which may be of either sign, the difference.
    fn change(&self, from: &Figures, to: &Figures) -> String {
        match (self.unit, self.value(from), self.value(to)) {
            (Unit::Correlation, Some(from), Some(to)) => difference(from, to),
            (_, from, to) => change(from, to),
        }
    }

    /// The least value if lower is better and the policies differ.
    fn best(&self, policies: &[(&str, &Figures)]) -> Option<String> {
        let written =
            |figures: &Figures| (self.value)(figures).map(|value| (value, self.unit.write(value)));
        let values: Vec<_> = policies
            .iter()
            .filter_map(|(_, figures)| written(figures))
            .collect();
        let differ = values.windows(2).any(|pair| pair[0].1 != pair[1].1);
        let least = values.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        (self.better == Better::Lower && differ)
            .then_some(least)
            .flatten()
            .map(|(_, text)| text)
    }
}

impl Unit {
    fn write(self, value: f64) -> String {
        match self {
            Self::Percent => percent(value),
            Self::Multiple => format!("{}\u{d7}", fixed(value, 3)),
            Self::BasisPoints => format!("{} bp", fixed(value, 2)),
            Self::Amount => compact(value),
            Self::Count => fixed(value, 0),
            Self::Price | Self::Correlation => fixed(value, 2),
            Self::Minutes => format!("{} min", fixed(value, 1)),
            Self::Hours => format!("{} h", fixed(value, 1)),
        }
    }
}

/// Shortens the table below.
const fn figure(
    key: &'static str,
    name: &'static str,
    unit: Unit,
    better: Better,
    value: fn(&Figures) -> Option<f64>,
    meaning: &'static str,
) -> Figure {
    Figure {
        key,
        name,
        meaning,
        unit,
        better,
        value,
    }
}

/// Every figure, in the order of the table.
pub static FIGURES: [Figure; 32] = [
    figure(
        "overshoot",
        "Overshoot",
        Unit::Percent,
        Better::Lower,
        |f| Some(f.overshoot),
        "How far the reference price fell at most below the price of the same world in which liquidations move no price.",
    ),
    figure(
        "drawdown_amplification",
        "Drawdown amplification",
        Unit::Multiple,
        Better::Lower,
        |f| f.drawdown_amplification,
        "The fall from the start to the lowest reference price, as a multiple of that fall in the counterfactual. 1 means that liquidations added nothing; not applicable where the counterfactual falls by less than 1%.",
    ),
    figure(
        "lowest_reference_price",
        "Lowest reference price",
        Unit::Price,
        Better::Neither,
        |f| Some(f.lowest_reference_price),
        "The lowest reference price of the run, in debt tokens.",
    ),
    figure(
        "lowest_venue_price",
        "Lowest venue price",
        Unit::Price,
        Better::Neither,
        |f| Some(f.lowest_venue_price),
        "The lowest price at the end of a block on the venue where keepers sell, in debt tokens.",
    ),
    figure(
        "venue_low_against_counterfactual",
        "Venue low against counterfactual low",
        Unit::Percent,
        Better::Neither,
        |f| Some(f.venue_low_against_counterfactual),
        "The venue's lowest price over the counterfactual's lowest reference price, less 1.",
    ),
    figure(
        "liquidated_volume",
        "Liquidated volume",
        Unit::Percent,
        Better::Lower,
        |f| f.liquidated_volume,
        "Debt repaid in liquidations and settlements, as a share of all debt at the start.",
    ),
    figure(
        "liquidation_amplification",
        "Liquidation amplification",
        Unit::Multiple,
        Better::Lower,
        |f| f.liquidation_amplification,
        "Liquidated volume as a multiple of the counterfactual's; not applicable where that is less than a thousandth of all debt.",
    ),
    figure(
        "liquidations",
        "Liquidations",
        Unit::Count,
        Better::Neither,
        |f| Some(f.liquidations as f64),
        "Successful liquidation calls, without settlements.",
    ),
    figure(
        "settlements",
        "Settlements",
        Unit::Count,
        Better::Neither,
        |f| Some(f.settlements as f64),
        "Positions closed at a loss to the pool because their collateral no longer covered their debt.",
    ),
    figure(
        "liquidated_accounts",
        "Accounts liquidated",
        Unit::Count,
        Better::Neither,
        |f| Some(f.liquidated_accounts as f64),
        "Accounts of which some collateral was taken, in however many calls.",
    ),
    figure(
        "keeper_concentration",
        "Keepers' concentration",
        Unit::Percent,
        Better::Neither,
        |f| f.keeper_concentration,
        "The Herfindahl index of the keepers' shares of all debt repaid: 100% where one keeper does everything, 1/n where n keepers do the same.",
    ),
    figure(
        "hard_zone_share",
        "Share in the hard zone",
        Unit::Percent,
        Better::Neither,
        |f| f.hard_zone_share,
        "Debt repaid in liquidations that began at or below the hard health factor, where nothing dampens, over all debt repaid in liquidations.",
    ),
    figure(
        "mean_wait_minutes",
        "Wait for liquidation",
        Unit::Minutes,
        Better::Neither,
        |f| f.mean_wait_minutes,
        "How long debt waited from the end of the block in which its account's health factor at the fast price came to be below 1 until it was repaid in a liquidation or settlement: the mean over debt repaid.",
    ),
    figure(
        "wait_by_size",
        "Wait by size",
        Unit::Correlation,
        Better::Neither,
        |f| f.wait_by_size,
        "The rank correlation of what accounts owed before their first liquidation and how long they had waited for it: \u{2212}1 where who owes more always goes first, 1 where last, 0 where size does not matter. Not applicable with fewer than ten accounts.",
    ),
    figure(
        "bonus_spread",
        "Spread of the bonus",
        Unit::Percent,
        Better::Neither,
        |f| f.bonus_spread,
        "The standard deviation of the liquidation bonus over debt repaid in liquidations: how unlike borrowers pay.",
    ),
    figure(
        "toxic_volume",
        "Toxic volume",
        Unit::Amount,
        Better::Lower,
        |f| Some(f.toxic_volume),
        "Debt repaid in calls that left the account with a lower health factor than before, or lenders with a loss, in debt tokens. A backstop's absorptions are not in it.",
    ),
    figure(
        "bad_debt_bp",
        "Bad debt at the end",
        Unit::BasisPoints,
        Better::Lower,
        |f| f.bad_debt_bp,
        "Losses written off plus debt not covered by collateral in the last block, in hundredths of a percent of all debt at the start.",
    ),
    figure(
        "bad_debt_max_bp",
        "Bad debt at its worst",
        Unit::BasisPoints,
        Better::Lower,
        |f| f.bad_debt_max_bp,
        "The greatest value of the same sum over all blocks.",
    ),
    figure(
        "lender_loss",
        "Lenders' loss",
        Unit::Amount,
        Better::Lower,
        |f| Some(f.lender_loss),
        "The part of the losses written off that lenders bore, in debt tokens.",
    ),
    figure(
        "borrower_cost",
        "Borrowers' cost",
        Unit::Amount,
        Better::Lower,
        |f| Some(f.borrower_cost),
        "Collateral seized, at the reference price, less the debt it repaid, in debt tokens. The rebound that borrowers missed is not in it.",
    ),
    figure(
        "rebound_forgone",
        "Rebound forgone",
        Unit::Amount,
        Better::Neither,
        |f| Some(f.rebound_forgone),
        "What the collateral that was taken from borrowers has gained in price by the end of the run, in debt tokens; negative where they were spared a further fall.",
    ),
    figure(
        "blocks_to_solvency",
        "Blocks with HF < 1",
        Unit::Count,
        Better::Lower,
        |f| Some(f.blocks_to_solvency as f64),
        "Blocks at whose end any account had a health factor below 1 at the reference price.",
    ),
    figure(
        "blocks_with_insolvency",
        "Blocks with insolvency",
        Unit::Count,
        Better::Lower,
        |f| Some(f.blocks_with_insolvency as f64),
        "Blocks at whose end any account owed more than its collateral was worth.",
    ),
    figure(
        "keeper_profit",
        "Keepers' profit",
        Unit::Amount,
        Better::Neither,
        |f| Some(f.keeper_profit),
        "What all keepers together earned, net of gas, in debt tokens.",
    ),
    figure(
        "adversary_profit",
        "Adversary's profit",
        Unit::Amount,
        Better::Lower,
        |f| Some(f.adversary_profit),
        "What the scenario's adversary earned, net of gas, in debt tokens; 0 without one.",
    ),
    figure(
        "fully_utilised_minutes",
        "Minutes at full utilisation",
        Unit::Minutes,
        Better::Lower,
        |f| Some(f.fully_utilised_minutes),
        "Minutes in which all that lenders are owed was lent out, so that none of them could leave.",
    ),
    figure(
        "oracle_error",
        "Oracle error",
        Unit::Percent,
        Better::Neither,
        |f| f.oracle_error,
        "How far the fast price was from the reference price, up or down, as a mean over blocks that have a fast price.",
    ),
    figure(
        "oracle_error_max",
        "Oracle error at its worst",
        Unit::Percent,
        Better::Neither,
        |f| f.oracle_error_max,
        "The greatest distance of the fast price from the reference price over all blocks.",
    ),
    figure(
        "breaker_false_minutes",
        "Breaker without need",
        Unit::Minutes,
        Better::Lower,
        |f| Some(f.breaker_false_minutes),
        "Minutes in which the breaker refused new debt although the reference price did not fall by 5% within the hour that followed.",
    ),
    figure(
        "breaker_missed_minutes",
        "Breaker missing",
        Unit::Minutes,
        Better::Lower,
        |f| Some(f.breaker_missed_minutes),
        "Minutes in which the breaker let new debt in although the reference price fell by 5% within the hour that followed; Aave has no breaker.",
    ),
    figure(
        "reverted_share",
        "Reverted transactions",
        Unit::Percent,
        Better::Lower,
        |f| f.reverted_share,
        "Simulated transactions that were included and reverted, over all included.",
    ),
    figure(
        "transactions",
        "Transactions",
        Unit::Count,
        Better::Neither,
        |f| Some(f.transactions as f64),
        "Simulated transactions that were included, reverted ones too.",
    ),
];

/// The figures of runs with a backstop or without one, in the order of tables.
pub fn all(with_backstop: bool) -> impl Iterator<Item = &'static Figure> + Clone {
    let more: &[Figure] = if with_backstop {
        &BACKSTOP_FIGURES
    } else {
        &[]
    };
    FIGURES.iter().chain(more)
}

/// The table of all policies, with the damped policy's change against the rigid one where both ran.
pub(super) fn table(policies: &[(&str, &Figures)], counterfactual: &Figures) -> String {
    let named = |wanted: &str| {
        policies
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, figures)| *figures)
    };
    let pair = named("rigid").zip(named("damped"));
    let mut html = String::from(
        "<div class=\"scroll\"><table class=\"figures\"><thead><tr><th scope=\"col\">Figure</th>",
    );
    for (name, _) in policies {
        let _ = write!(
            html,
            "<th scope=\"col\"><svg width=\"22\" height=\"12\" aria-hidden=\"true\"><path class=\"line {name}\" d=\"M0 6H22\"/></svg>{name}</th>"
        );
    }
    html.push_str("<th scope=\"col\">counterfactual</th>");
    if pair.is_some() {
        html.push_str("<th scope=\"col\">damped against rigid</th>");
    }
    html.push_str("</tr></thead><tbody>");
    let guarded = policies.iter().any(|(_, each)| each.backstop.is_some());
    for figure in all(guarded) {
        let best = figure.best(policies);
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><abbr tabindex=\"0\" data-tip=\"{0}\" title=\"{0}\">{1}</abbr></th>",
            escape(figure.meaning),
            figure.name
        );
        for (_, figures) in policies {
            let text = figure.format(figures);
            let mark = if best.as_ref() == Some(&text) {
                " class=\"least\""
            } else {
                ""
            };
            let _ = write!(html, "<td{mark}>{text}</td>");
        }
        let _ = write!(
            html,
            "<td class=\"quiet\">{}</td>",
            figure.format(counterfactual)
        );
        if let Some((rigid, damped)) = pair {
            let _ = write!(html, "<td>{}</td>", figure.change(rigid, damped));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html
}

/// A difference of correlations, with its sign.
fn difference(from: f64, to: f64) -> String {
    let sign = if to - from >= 0.005 { "+" } else { "" };
    format!("{sign}{}", fixed(to - from, 2))
}

/// A relative change in words.
pub(super) fn change(from: Option<f64>, to: Option<f64>) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from == to => "same".to_owned(),
        (Some(0.0), Some(_)) => "from 0".to_owned(),
        // A ratio of numbers of unlike sign says nothing.
        (Some(from), Some(to)) if from.signum() == to.signum() || to == 0.0 => {
            let change = to / from - 1.0;
            if change > 9.0 {
                format!("{}\u{d7}", fixed(to / from, 0))
            } else {
                let sign = if change >= 0.0005 { "+" } else { "" };
                format!("{sign}{}%", fixed(change * 100.0, 1))
            }
        }
        _ => NOT_APPLICABLE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_plainly() {
        assert_eq!(change(Some(2.0), Some(1.0)), "\u{2212}50.0%");
        assert_eq!(change(Some(1.0), Some(1.5)), "+50.0%");
        assert_eq!(change(Some(0.0), Some(1.5)), "from 0");
        assert_eq!(change(Some(0.0), Some(0.0)), "same");
        assert_eq!(change(Some(-1.0), Some(1.0)), "n/a");
        assert_eq!(change(Some(1.0), Some(20.0)), "20\u{d7}");
        assert_eq!(change(None, Some(1.0)), "n/a");
        assert_eq!(difference(-0.27, -0.45), "\u{2212}0.18");
        assert_eq!(difference(-0.2, 0.1), "+0.30");
        assert_eq!(difference(0.1, 0.101), "0.00");
    }
}
