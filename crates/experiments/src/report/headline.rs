//! What the run showed, in sentences computed from its figures. A result that went the wrong way is said as plainly as one
//! that went the right way.

use super::number::{fixed, percent};
use crate::metrics::Figures;

/// Differences below this share of the larger value are called none.
const NEGLIGIBLE: f64 = 0.01;

/// A title and what stands under it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    /// One line.
    pub title: String,
    /// Sentences.
    pub sentences: Vec<String>,
}

/// How a figure changed, where lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Lower,
    Same,
    Higher,
}

fn compare(from: f64, to: f64) -> Outcome {
    if (to - from).abs() <= NEGLIGIBLE * from.abs().max(to.abs()) {
        Outcome::Same
    } else if to < from {
        Outcome::Lower
    } else {
        Outcome::Higher
    }
}

/// The headline of a run of these policies.
pub(super) fn headline(policies: &[(&str, &Figures)]) -> Headline {
    let named = |wanted: &str| {
        policies
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, figures)| *figures)
    };
    match (named("damped"), named("rigid"), named("target-health")) {
        (Some(damped), Some(rigid), target) => {
            let mut headline = against(damped, rigid);
            headline
                .sentences
                .extend(target.map(|target| beside_target(damped, target)));
            headline
        }
        (Some(damped), None, Some(target)) => Headline {
            title: "Damped liquidation beside target-health liquidation".to_owned(),
            sentences: vec![beside_target(damped, target)],
        },
        _ => alone(policies),
    }
}

/// Damped against rigid.
fn against(damped: &Figures, rigid: &Figures) -> Headline {
    let overshoot = compare(rigid.overshoot, damped.overshoot);
    let worst = |figures: &Figures| figures.bad_debt_max_bp.unwrap_or(0.0);
    let end = |figures: &Figures| figures.bad_debt_bp.unwrap_or(0.0);
    // More at the end or more on the way is more.
    let bad_debt = match (
        compare(worst(rigid), worst(damped)),
        compare(end(rigid), end(damped)),
    ) {
        (Outcome::Higher, _) | (_, Outcome::Higher) => Outcome::Higher,
        (Outcome::Lower, _) | (_, Outcome::Lower) => Outcome::Lower,
        (Outcome::Same, Outcome::Same) => Outcome::Same,
    };
    let drawdowns = rigid
        .drawdown_amplification
        .zip(damped.drawdown_amplification);
    let lower_low =
        drawdowns.is_some_and(|(before, after)| compare(before, after) == Outcome::Higher);
    let first = match overshoot {
        Outcome::Lower => format!(
            "Dampening took {} off the overshoot",
            less(rigid.overshoot, damped.overshoot)
        ),
        Outcome::Same => "Dampening made no difference to the overshoot".to_owned(),
        Outcome::Higher if rigid.overshoot == 0.0 => format!(
            "Dampening brought an overshoot of {}",
            percent(damped.overshoot)
        ),
        Outcome::Higher => format!(
            "Dampening made the overshoot {} larger",
            more(rigid.overshoot, damped.overshoot)
        ),
    };
    // Contrast joins good news to bad news and the other way round.
    let second = match (overshoot, bad_debt) {
        (Outcome::Lower, Outcome::Higher) if lower_low => {
            ", at the price of more bad debt and a lower low"
        }
        (Outcome::Lower, _) if lower_low => ", at the price of a lower low",
        (Outcome::Lower, Outcome::Higher) => ", at the price of more bad debt",
        (Outcome::Lower, Outcome::Same) => ", without more bad debt",
        (Outcome::Lower, Outcome::Lower) => ", with less bad debt",
        (Outcome::Same, Outcome::Same) => " and none to bad debt",
        (Outcome::Higher, Outcome::Same) => " and changed nothing in bad debt",
        (Outcome::Higher | Outcome::Same, Outcome::Higher) => " and left more bad debt",
        (Outcome::Higher | Outcome::Same, Outcome::Lower) => ", but left less bad debt",
    };
    let title = format!("{first}{second}");
    let mut sentences = vec![format!(
        "Under Aave v3\u{2019}s rules (rigid) liquidations pushed the reference price at most {} below where the same market stood without their impact; under the damped policy at most {}.",
        percent(rigid.overshoot),
        percent(damped.overshoot)
    )];
    if let (Some(before), Some(after)) =
        (rigid.drawdown_amplification, damped.drawdown_amplification)
    {
        sentences.push(if [before, after].iter().all(|multiple| (multiple - 1.0).abs() < 5e-4) {
            "Under both, the lowest price of the run was that of the market without impact: the overshoot came at another time.".to_owned()
        } else {
            format!(
                "From start to low the price fell {} times as far as without impact under rigid rules, and {} times dampened.",
                fixed(before, 3),
                fixed(after, 3)
            )
        });
    }
    if let (Some(before), Some(after)) = (rigid.liquidated_volume, damped.liquidated_volume) {
        sentences.push(format!(
            "Of all debt at the start, {} was liquidated under rigid rules and {} dampened.",
            percent(before),
            percent(after)
        ));
    }
    if let (Some(before), Some(after)) = (rigid.bad_debt_bp, damped.bad_debt_bp) {
        sentences.push(format!(
            "Bad debt ended at {} bp under rigid rules and at {} bp dampened; at its worst it stood at {} and {} bp.",
            fixed(before, 2),
            fixed(after, 2),
            fixed(worst(rigid), 2),
            fixed(worst(damped), 2)
        ));
    }
    sentences.push(format!(
        "Some account stood below a health factor of 1 at the end of {} blocks under rigid rules and of {} dampened.",
        fixed(rigid.blocks_to_solvency as f64, 0),
        fixed(damped.blocks_to_solvency as f64, 0),
    ));
    Headline { title, sentences }
}

/// One sentence on damped against target health.
fn beside_target(damped: &Figures, target: &Figures) -> String {
    let overshoot = match compare(target.overshoot, damped.overshoot) {
        Outcome::Lower => format!(
            "{} less overshoot",
            less(target.overshoot, damped.overshoot)
        ),
        Outcome::Same => "the same overshoot".to_owned(),
        Outcome::Higher => format!(
            "{} more overshoot",
            more(target.overshoot, damped.overshoot)
        ),
    };
    let worst = |figures: &Figures| figures.bad_debt_max_bp.unwrap_or(0.0);
    format!(
        "Against Aave v4\u{2019}s rules (target-health) the damped policy had {overshoot} ({} against {}) and {} bp of bad debt at its worst against {} bp.",
        percent(damped.overshoot),
        percent(target.overshoot),
        fixed(worst(damped), 2),
        fixed(worst(target), 2)
    )
}

/// Policies without anything to compare.
fn alone(policies: &[(&str, &Figures)]) -> Headline {
    let sentences = policies
        .iter()
        .map(|(name, figures)| {
            format!(
                "Under the policy `{name}` liquidations pushed the reference price at most {} below where the same market stood without their impact.",
                percent(figures.overshoot)
            )
        })
        .collect();
    let names: Vec<_> = policies.iter().map(|(name, _)| *name).collect();
    Headline {
        title: format!("Liquidation under {}", names.join(" and ")),
        sentences,
    }
}

/// A fall from `from` to `to` as a share of `from`.
fn less(from: f64, to: f64) -> String {
    format!("{}%", fixed((1.0 - to / from) * 100.0, 0))
}

/// A rise from `from` to `to` as a share of `from`.
fn more(from: f64, to: f64) -> String {
    if from == 0.0 {
        percent(to)
    } else {
        format!("{}%", fixed((to / from - 1.0) * 100.0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of which only those in the title differ.
    fn figures(overshoot: f64, drawdown: f64, bad_debt: f64) -> Figures {
        let value = serde_json::json!({
            "overshoot": overshoot, "drawdown_amplification": drawdown, "bad_debt_bp": bad_debt, "bad_debt_max_bp": bad_debt,
            "liquidated_volume": 0.5, "liquidation_amplification": 1.0, "toxic_volume": 0.0, "blocks_to_solvency": 1,
            "keeper_profit": 0.0, "reverted_share": 0.0, "transactions": 1, "blocks_with_insolvency": 0, "liquidations": 1,
            "settlements": 0, "hard_zone_share": 0.0, "mean_wait_minutes": 1.0, "wait_by_size": 0.0, "bonus_spread": 0.0, "borrower_cost": 0.0, "lender_loss": 0.0, "liquidated_accounts": 1,
            "keeper_concentration": 1.0, "rebound_forgone": 0.0, "fully_utilised_minutes": 0.0, "oracle_error": 0.0,
            "oracle_error_max": 0.0, "breaker_false_minutes": 0.0, "breaker_missed_minutes": 0.0,
            "lowest_reference_price": 1.0, "lowest_venue_price": 1.0, "venue_low_against_counterfactual": 0.0,
        });
        serde_json::from_value(value).expect("figures")
    }

    fn title(damped: &Figures) -> String {
        headline(&[("rigid", &figures(0.10, 1.2, 5.0)), ("damped", damped)]).title
    }

    #[test]
    fn good_and_bad_news_stand_in_the_title() {
        assert_eq!(
            title(&figures(0.05, 1.1, 4.0)),
            "Dampening took 50% off the overshoot, with less bad debt"
        );
        assert_eq!(
            title(&figures(0.05, 1.1, 5.0)),
            "Dampening took 50% off the overshoot, without more bad debt"
        );
        assert_eq!(
            title(&figures(0.05, 1.1, 6.0)),
            "Dampening took 50% off the overshoot, at the price of more bad debt"
        );
        assert_eq!(
            title(&figures(0.05, 1.3, 6.0)),
            "Dampening took 50% off the overshoot, at the price of more bad debt and a lower low"
        );
        assert_eq!(
            title(&figures(0.05, 1.3, 4.0)),
            "Dampening took 50% off the overshoot, at the price of a lower low"
        );
        assert_eq!(
            title(&figures(0.10, 1.2, 5.0)),
            "Dampening made no difference to the overshoot and none to bad debt"
        );
        assert_eq!(
            title(&figures(0.12, 1.2, 6.0)),
            "Dampening made the overshoot 20% larger and left more bad debt"
        );
        assert_eq!(
            title(&figures(0.12, 1.2, 4.0)),
            "Dampening made the overshoot 20% larger, but left less bad debt"
        );
        // More on the way, though not at the end, is more.
        let mut worse_on_the_way = figures(0.05, 1.1, 5.0);
        worse_on_the_way.bad_debt_max_bp = Some(9.0);
        assert_eq!(
            title(&worse_on_the_way),
            "Dampening took 50% off the overshoot, at the price of more bad debt"
        );
    }
}
