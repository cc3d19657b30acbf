//! How long a day with a thousand accounts takes. Timed by hand: `cargo test --release -p breakwater-sim --test speed -- --ignored`.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

mod support;

use std::time::Instant;

use breakwater_sim::WorldKind;
use breakwater_sim::config::Policy;
use support::{accounts, input, parameters, trace};

#[test]
#[ignore = "a measurement, not a check"]
fn a_day_of_a_thousand_accounts() {
    let input = input(7_200, 0.45, accounts(1_000));
    for kind in [
        WorldKind::Policy(Policy::Rigid),
        WorldKind::Policy(Policy::TargetHealth),
        WorldKind::Policy(Policy::Damped),
        WorldKind::Counterfactual,
    ] {
        let started = Instant::now();
        let trace = trace(&parameters(), &input, kind, 1);
        let sum = |f: fn(&breakwater_sim::trace::BlockRow) -> u64| {
            trace.blocks.iter().map(f).sum::<u64>()
        };
        let last = trace.blocks.last().unwrap();
        println!(
            "{kind:?}: {:.1} s, {} transactions, {} reverted, {} dropped, {} liquidations, written off {:.0}, debt {:.0} of {:.0}, keepers {:.0}, breaker {}, gas a liquidation {:.0}",
            started.elapsed().as_secs_f64(),
            sum(|row| row.transactions),
            sum(|row| row.reverted),
            sum(|row| row.dropped),
            trace.liquidations.len(),
            last.written_off,
            last.debt,
            trace.blocks[0].debt,
            last.keeper_profit,
            trace
                .blocks
                .iter()
                .filter(|row| row.breaker_level > 0)
                .count(),
            trace
                .liquidations
                .iter()
                .map(|row| row.gas_used as f64)
                .sum::<f64>()
                / trace.liquidations.len() as f64,
        );
    }
}
