//! Whole worlds: they run, they repeat, and policies share their random numbers.

mod support;

use breakwater_sim::WorldKind;
use breakwater_sim::config::Policy;
use support::{accounts, input, parameters, trace};

#[test]
fn a_crash_liquidates_under_every_policy() {
    let input = input(200, 0.25, accounts(60));
    for kind in [
        WorldKind::Policy(Policy::Rigid),
        WorldKind::Policy(Policy::TargetHealth),
        WorldKind::Policy(Policy::Damped),
        WorldKind::Counterfactual,
    ] {
        let trace = trace(&parameters(), &input, kind, 1);
        let last = trace.blocks.last().unwrap();
        let sum = |f: fn(&breakwater_sim::trace::BlockRow) -> u64| trace.blocks.iter().map(f).sum::<u64>();
        println!(
            "{kind:?}: liq {} profit {:.0} tx {} rev {} drop {} wait {} unhealthy {} bad {:.1} debt {:.0} ref {:.2} venue {:.2} F {:.2} liq {:.3} arb {:.0}",
            trace.liquidations.len(),
            last.keeper_profit,
            sum(|b| b.transactions),
            sum(|b| b.reverted),
            sum(|b| b.dropped),
            last.waiting,
            last.unhealthy,
            last.written_off,
            last.debt,
            last.reference_price,
            last.venue_price,
            last.fast_price,
            last.venue_liquidity,
            last.arbitrage_profit,
        );
        assert!(!trace.liquidations.is_empty());
    }
}
