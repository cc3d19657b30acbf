//! The rows of the tables, each from a sweep's excerpt.

use breakwater_experiments::sweep::summary::{CellSummary, SweepSummary};

use super::numbers::{
    bad_debt, beyond_chance, change, compared, difference, interval, mean, minus, tail,
};

/// The finding, a row a scenario.
pub fn headline(cell: &CellSummary) -> String {
    let overshoot = |policy| format!("{:.2}", 100.0 * mean(cell, policy, "overshoot"));
    let debts = |policy| {
        format!(
            "{} / {}",
            bad_debt(mean(cell, policy, "bad_debt_bp")),
            bad_debt(tail(cell, policy))
        )
    };
    [
        format!("`{}`", cell.scenario),
        overshoot("rigid"),
        overshoot("target-health"),
        overshoot("damped"),
        change(cell, "rigid", "damped", "overshoot"),
        change(cell, "target-health", "damped", "overshoot"),
        change(cell, "rigid", "damped", "liquidated_volume"),
        debts("rigid"),
        debts("target-health"),
        debts("damped"),
        format!(
            "{:.2}",
            mean(cell, "damped", "blocks_to_solvency") / mean(cell, "rigid", "blocks_to_solvency")
        ),
    ]
    .join(" | ")
}

/// With a backstop of a tenth of collateral and without, a row a scenario.
pub fn backstop(cell: &CellSummary) -> String {
    let percent = |policy, figure, digits: usize| {
        let found = cell.means[policy].get(figure);
        found.map_or_else(
            || "none".to_owned(),
            |found| minus(100.0 * found.value, digits),
        )
    };
    let overshoot = |policy| percent(policy, "overshoot", 2);
    let debt = |policy| bad_debt(mean(cell, policy, "bad_debt_bp"));
    let below = |policy| mean(cell, policy, "blocks_to_solvency");
    let hours = cell.means["damped-10"].get("exit_wait_hours");
    [
        format!("`{}`", cell.scenario),
        ["rigid", "rigid-10", "target-health-10", "damped-10"]
            .map(overshoot)
            .join(", "),
        change(cell, "rigid", "damped-10", "overshoot"),
        change(cell, "rigid-10", "damped-10", "overshoot"),
        change(cell, "target-health-10", "damped-10", "overshoot"),
        ["rigid", "damped", "rigid-10", "damped-10"]
            .map(debt)
            .join(", "),
        match below("damped-10") / below("rigid") {
            ratio if ratio.is_nan() => "not defined".to_owned(),
            ratio => minus(ratio, 2),
        },
        format!(
            "{} ({})",
            percent("damped-10", "depositor_return", 1),
            percent("damped-10", "depositor_drawdown", 1)
        ),
        hours.map_or_else(|| "nobody left".to_owned(), |hours| minus(hours.value, 1)),
    ]
    .join(" | ")
}

/// In its own market, a row a cell.
pub fn illiquid(cell: &CellSummary) -> String {
    let policies = ["rigid", "target-health", "damped"];
    let overshoot = |policy| format!("{:.1}", 100.0 * mean(cell, policy, "overshoot"));
    let debt = |policy| bad_debt(mean(cell, policy, "bad_debt_bp"));
    let half_life = match cell.recovery_half_life {
        0.0 => "never".to_owned(),
        seconds => format!("{} min", seconds / 60.0),
    };
    let absolute = &compared(cell, "rigid", "damped")["bad_debt_bp"].mean;
    [
        format!("`{}`", cell.scenario),
        format!("{}, {}, {half_life}", cell.depth, cell.pass_through),
        policies.map(overshoot).join(", "),
        change(cell, "rigid", "damped", "overshoot"),
        change(cell, "target-health", "damped", "overshoot"),
        change(cell, "rigid", "damped", "liquidated_volume"),
        policies.map(debt).join(", "),
        interval(absolute, 1.0, 1),
    ]
    .join(" | ")
}

/// Keepers who sell at any price beside rational ones, a row a scenario.
pub fn dumped(cell: &CellSummary) -> String {
    let policies = ["dumped", "rigid", "damped"];
    let overshoot = policies.map(|policy| minus(100.0 * mean(cell, policy, "overshoot"), 2));
    let debt = policies.map(|policy| bad_debt(mean(cell, policy, "bad_debt_bp")));
    let earned = policies.map(|policy| minus(mean(cell, policy, "keeper_profit") / 1_000.0, 0));
    [
        format!("`{}`", cell.scenario),
        overshoot.join(", "),
        change(cell, "dumped", "rigid", "overshoot"),
        change(cell, "dumped", "damped", "overshoot"),
        debt.join(", "),
        earned.join(", "),
    ]
    .join(" | ")
}

/// After an instant fall, a row a fall.
pub fn shocks(cell: &CellSummary) -> String {
    let policies = ["rigid", "target-health", "damped"];
    let percent = |policies: &[&str], figure, digits: usize| {
        let each = policies.iter().map(|policy| {
            let value = 100.0 * mean(cell, policy, figure);
            format!("{value:.digits$}")
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let thousands = |figure| {
        policies
            .map(|policy| minus(mean(cell, policy, figure) / 1_000.0, 0))
            .join(", ")
    };
    let fall = cell.scenario.rsplit('-').next().unwrap();
    [
        format!("{}%", fall.trim_start_matches('0')),
        percent(
            &["counterfactual", "rigid", "target-health", "damped"],
            "liquidated_volume",
            1,
        ),
        percent(&policies, "overshoot", 2),
        change(cell, "rigid", "damped", "overshoot"),
        policies
            .map(|policy| bad_debt(mean(cell, policy, "bad_debt_bp")))
            .join(", "),
        thousands("borrower_cost"),
        thousands("rebound_forgone"),
    ]
    .join(" | ")
}

/// A margin of the hard zone after an instant fall, a row a fall: none, 2% and 5%.
pub fn margins(cell: &CellSummary) -> String {
    let policies = [
        "damped",
        "hard-margin-of-2-percent",
        "hard-margin-of-5-percent",
    ];
    let overshoot = policies.map(|policy| minus(100.0 * mean(cell, policy, "overshoot"), 2));
    let debt = policies.map(|policy| bad_debt(mean(cell, policy, "bad_debt_bp")));
    let [_, small, large] = policies;
    let more = |policy| difference(cell, "damped", policy, "bad_debt_bp", 1.0, 2);
    let fall = cell.scenario.rsplit('-').next().unwrap();
    [
        format!("{}%", fall.trim_start_matches('0')),
        overshoot.join(", "),
        change(cell, "damped", small, "overshoot"),
        change(cell, "damped", large, "overshoot"),
        debt.join(", "),
        more(small),
        more(large),
    ]
    .join(" | ")
}

/// What a proposer who may choose the seed of turns earns, thousands: a row a choice of his.
pub fn grinder(cell: &CellSummary) -> String {
    let policies = [
        "systematic-turns",
        "seeded-turns",
        "seeded-turns-without-bucket",
    ];
    let earned = policies.map(|policy| minus(mean(cell, policy, "adversary_profit") / 1000.0, 1));
    let choice = cell.scenario.rsplit('-').next().unwrap();
    format!("{choice} | {}", earned.join(" | "))
}

/// What systematic turns do beside the bucket, a row a market: against the damped policy, which has none.
pub fn turns(cell: &CellSummary) -> String {
    let turns = "systematic-turns";
    let change = |figure| change(cell, "damped", turns, figure);
    let difference =
        |figure, scale, digits| difference(cell, "damped", turns, figure, scale, digits);
    [
        format!("`{}`", cell.scenario),
        cell.depth.to_string(),
        change("overshoot"),
        change("liquidated_volume"),
        difference("bad_debt_bp", 1.0, 1),
        change("borrower_cost"),
        change("blocks_to_solvency"),
        difference("keeper_concentration", 100.0, 1),
        difference("reverted_share", 100.0, 1),
    ]
    .join(" | ")
}

/// How they are drawn, and turns where nothing else spreads liquidations but the bucket: overshoot.
pub fn draws(cell: &CellSummary) -> String {
    let drawn = [
        "systematic-turns",
        "seeded-turns",
        "bernoulli-turns",
        "rarer-turns",
    ]
    .map(|policy| change(cell, "damped", policy, "overshoot"));
    let alone = |figure| change(cell, "no-auction", "no-auction-turns", figure);
    [
        format!("`{}`", cell.scenario),
        cell.depth.to_string(),
        drawn.join(" | "),
        alone("overshoot"),
        alone("blocks_to_solvency"),
    ]
    .join(" | ")
}

/// How long positions wait, whom turns make wait, and how unlike borrowers pay; `none` where nobody was liquidated.
pub fn waits(cell: &CellSummary) -> String {
    let level = |policy: &str, figure: &str, scale: f64, digits| {
        let found = cell.means[policy].get(figure);
        found.map_or_else(
            || "none".to_owned(),
            |found| minus(scale * found.value, digits),
        )
    };
    let more_by_turns = |figure: &str, scale, digits| {
        difference(cell, "damped", "systematic-turns", figure, scale, digits)
    };
    let (alone, turns) = ("no-auction", "no-auction-turns");
    let without = difference(cell, alone, turns, "mean_wait_minutes", 1.0, 2);
    [
        format!("`{}`", cell.scenario),
        cell.depth.to_string(),
        ["rigid", "no-auction", "damped"]
            .map(|policy| level(policy, "mean_wait_minutes", 1.0, 1))
            .join(", "),
        more_by_turns("mean_wait_minutes", 1.0, 2),
        without,
        ["rigid", "no-auction", "damped"]
            .map(|policy| level(policy, "wait_by_size", 1.0, 2))
            .join(", "),
        more_by_turns("wait_by_size", 1.0, 3),
        ["no-auction", "damped"]
            .map(|policy| level(policy, "bonus_spread", 100.0, 2))
            .join(", "),
        more_by_turns("bonus_spread", 100.0, 2),
    ]
    .join(" | ")
}

/// Aave v3's pool beside rigid rules, a row a scenario and figure: rigid's, Aave's, and the second less the first.
pub fn aave(summary: &SweepSummary) -> Vec<String> {
    let figures = [
        ("overshoot", "overshoot, %", 100.0, 3),
        ("liquidated_volume", "liquidated volume, %", 100.0, 2),
        ("bad_debt_bp", "bad debt at the end, bp", 1.0, 3),
        ("bad_debt_max_bp", "bad debt at its worst, bp", 1.0, 3),
        ("blocks_to_solvency", "blocks with HF < 1", 1.0, 0),
        ("keeper_profit", "keepers' profit, thousand", 0.001, 0),
    ];
    let rows = summary.cells.iter().flat_map(|cell| {
        figures.map(|(figure, title, scale, digits)| {
            let value = |policy| minus(scale * mean(cell, policy, figure), digits);
            let less = difference(cell, "rigid", "aave-v3", figure, scale, digits);
            format!(
                "`{}` | {title} | {} | {} | {less}",
                cell.scenario,
                value("rigid"),
                value("aave-v3")
            )
        })
    });
    rows.collect()
}

/// What is lost without a mechanism, or gained by one alone: a row a variant, a column a scenario.
pub fn ablations(summary: &SweepSummary) -> Vec<String> {
    variants(summary, &["damped", "plain"])
}

/// What other values of parameters would do, in the same form.
pub fn candidates(summary: &SweepSummary) -> Vec<String> {
    variants(summary, &["damped"])
}

fn variants(summary: &SweepSummary, baselines: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    for against in baselines {
        let comparisons = summary.cells.iter().map(|cell| {
            let mut comparisons = cell.comparisons.iter();
            comparisons.find(|one| one.against == *against).unwrap()
        });
        let comparisons: Vec<_> = comparisons.collect();
        for policy in &summary.policies {
            // The baseline of a comparison is not in it. A policy that is in one is in all, or the columns would slip.
            if !(comparisons.iter()).any(|one| one.differences.contains_key(&policy.name)) {
                continue;
            }
            let own = comparisons.iter().map(|one| &one.differences[&policy.name]);
            let own: Vec<_> = own.collect();
            let overshoot = own.iter().map(|figures| {
                let relative = figures["overshoot"].relative;
                relative.map_or("\u{b7}".to_owned(), |one| beyond_chance(&one, 100.0, 0))
            });
            let debt = own
                .iter()
                .map(|figures| beyond_chance(&figures["bad_debt_bp"].mean, 1.0, 1));
            for (figure, values) in [
                ("overshoot", overshoot.collect::<Vec<_>>()),
                ("bad debt", debt.collect()),
            ] {
                rows.push(format!(
                    "`{}` | {figure} | {}",
                    policy.name,
                    values.join(" | ")
                ));
            }
        }
    }
    rows
}

/// A figure's change by dampening over the grid: a row a scenario and depth, a column a pass-through and recovery. Where nothing passes
/// through there is no overshoot to change.
pub fn grid(figure: &'static str) -> impl Fn(&SweepSummary) -> Vec<String> {
    move |summary| {
        let shown = |cell: &&CellSummary| figure != "overshoot" || cell.pass_through > 0.0;
        let cells: Vec<&CellSummary> = summary.cells.iter().filter(shown).collect();
        let same = |one: &&CellSummary, other: &&CellSummary| {
            one.scenario == other.scenario && one.depth == other.depth
        };
        let rows = cells.chunk_by(same).map(|cells| {
            let changes = cells.iter().map(|cell| match figure {
                "overshoot" => change(cell, "rigid", "damped", figure),
                _ => difference(cell, "rigid", "damped", figure, 1.0, 1),
            });
            let changes: Vec<String> = changes.collect();
            let [first, ..] = cells else { unreachable!() };
            format!(
                "`{}` | {} | {}",
                first.scenario,
                first.depth,
                changes.join(" | ")
            )
        });
        rows.collect()
    }
}

/// In how many of the grid's cells dampening makes a figure less, as good as the same, and more than rigid rules: a row a figure.
pub fn grid_sides(summary: &SweepSummary) -> Vec<String> {
    let figures = [
        ("overshoot", "overshoot"),
        ("liquidated_volume", "liquidated volume"),
        ("bad_debt_bp", "bad debt"),
        ("borrower_cost", "what borrowers pay"),
    ];
    let rows = figures.map(|(figure, name)| {
        let cells = summary.cells.iter();
        let shown = cells.filter(|cell| figure != "overshoot" || cell.pass_through > 0.0);
        let sides: Vec<_> = shown
            .map(|cell| compared(cell, "rigid", "damped")[figure].mean.side())
            .collect();
        let count = |side| sides.iter().filter(|one| **one == side).count();
        format!("{name} | {} | {} | {}", count(-1), count(0), count(1))
    });
    rows.to_vec()
}

/// Sobol indices in percent, a row a scenario and input: first order / total order with its interval, of overshoot and of liquidated volume under
/// rigid rules, under damped ones and of their difference.
pub fn sobol(summary: &SweepSummary) -> Vec<String> {
    let columns = [("rigid", None), ("damped", None), ("damped", Some("rigid"))];
    let figures = ["overshoot", "liquidated_volume"];
    let mut rows = Vec::new();
    for scenario in &summary.scenarios {
        let found = |figure, (policy, against): (&str, Option<&str>)| {
            let mut all = summary.sobol.iter();
            all.find(|one| {
                (&one.scenario, &*one.figure, &*one.policy) == (&scenario.name, figure, policy)
                    && one.against.as_deref() == against
            })
            .unwrap()
        };
        let shown = figures.map(|figure| columns.map(|column| found(figure, column)));
        let shown = shown.as_flattened();
        for (at, input) in shown[0].inputs.iter().enumerate() {
            let cells = shown.iter().map(|one| {
                let (first, total) = (one.inputs[at].first, one.inputs[at].total);
                let first = minus(100.0 * first.unwrap().value, 0);
                format!("{first} / {}", interval(&total.unwrap(), 100.0, 0))
            });
            let cells: Vec<String> = cells.collect();
            rows.push(format!(
                "`{}` | `{}` | {}",
                scenario.name,
                input.key,
                cells.join(" | ")
            ));
        }
    }
    rows
}
