//! The rigid policy (B1) and the real Aave v3 pool (B3) in the same crash.

#![allow(clippy::unwrap_used)]

mod support;

use breakwater_sim::WorldKind;
use breakwater_sim::config::Policy;
use breakwater_sim::trace::Trace;
use support::{accounts, input, parameters, trace};

const RIGID: WorldKind = WorldKind::Policy(Policy::Rigid);
const AAVE: WorldKind = WorldKind::Policy(Policy::AaveV3);

fn run(world: WorldKind, seed: u64) -> Trace {
    let input = input(150, 0.2, accounts(40));
    trace(&parameters(), &input, world, seed)
}

fn repaid(trace: &Trace) -> f64 {
    trace.liquidations.iter().map(|row| row.repaid).sum()
}

#[test]
fn both_liquidate_and_nearly_alike() {
    let (rigid, aave) = (run(RIGID, 1), run(AAVE, 1));
    for trace in [&rigid, &aave] {
        assert!(trace.liquidations.len() > 10);
    }
    let within_a_twentieth = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 0.05, "{a} {b}");
    within_a_twentieth(repaid(&aave), repaid(&rigid));
    let lowest = |trace: &Trace| {
        let prices = trace.blocks.iter().map(|row| row.reference_price);
        prices.fold(f64::INFINITY, f64::min)
    };
    within_a_twentieth(lowest(&aave), lowest(&rigid));
    // One writes off what nobody will repay, the other never does; neither settles.
    assert!(aave.blocks.iter().all(|row| row.written_off == 0.0));
    assert!(aave.liquidations.iter().all(|row| !row.settlement));
    for row in &aave.liquidations {
        assert_eq!(row.policy, "aave-v3");
        assert!(row.health_before < 1.0 && row.repaid > 0.0, "{row:?}");
        let granted = row.seized * row.fast_price / row.repaid - 1.0;
        assert!((granted - 0.05).abs() < 1e-6, "{row:?}");
        assert_eq!(row.bonus, 0.05);
    }
}

#[test]
fn where_gas_is_cheap_and_the_venue_deep_they_do_the_same() {
    let mut input = input(150, 0.2, accounts(40));
    input.gas_gwei.fill(0.01);
    let mut parameters = parameters();
    // Breakwater judges by the borrow limit whether collateral may be sold to repay, Aave by the threshold.
    parameters.borrowers.deleverage_share = 0.0;
    // A bid is for each unit of gas: where many compete for the top of a block, dearer calls stand further back.
    parameters.venue.depth = 20.0;
    // What is bid in a race, and whether it is entered, depends on what losing it costs, and reverts on Aave cost other gas.
    parameters.keepers.count = 1;
    let [rigid, aave] = [RIGID, AAVE].map(|world| trace(&parameters, &input, world, 1));
    assert!(rigid.liquidations.len() > 10);
    assert_eq!(rigid.liquidations.len(), aave.liquidations.len());
    let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
    for (a, b) in rigid.liquidations.iter().zip(&aave.liquidations) {
        assert_eq!((a.block, a.account), (b.block, b.account));
        close(a.repaid, b.repaid);
        close(a.seized, b.seized);
    }
    // The venue's price at a block's end is not compared: it depends on who came before the arbitrageur.
    for (a, b) in rigid.blocks.iter().zip(&aave.blocks) {
        close(a.reference_price, b.reference_price);
    }
    // What is left is what calls cost.
    let gas = |trace: &Trace| trace.liquidations[0].gas_used as f64;
    let dearer = gas(&aave) / gas(&rigid);
    assert!((1.5..2.5).contains(&dearer), "{dearer}");
}

#[test]
fn both_begin_with_the_same_market() {
    let (rigid, aave) = (run(RIGID, 1), run(AAVE, 1));
    let first = rigid.liquidations[0].block.min(aave.liquidations[0].block);
    assert!(first > 1);
    for (a, b) in rigid.blocks.iter().zip(&aave.blocks) {
        assert_eq!(
            (a.block, a.timestamp, a.exogenous_price),
            (b.block, b.timestamp, b.exogenous_price)
        );
        if a.block < first {
            assert_eq!(a.accounts, b.accounts);
            // Of one answer with eight decimals, which each scales in its own way.
            let answer = |price: f64| (price * 1e8).round();
            assert_eq!(answer(a.fast_price), answer(b.fast_price));
            assert!((a.collateral / b.collateral - 1.0).abs() < 1e-9);
            // Both curves begin alike, so that debts do not part before liquidations do it.
            assert!((a.debt / b.debt - 1.0).abs() < 1e-7, "{a:?} {b:?}");
        }
    }
    let start = |trace: &Trace| {
        let row = &trace.blocks[0];
        (row.venue_price, row.venue_liquidity, row.reference_price)
    };
    assert_eq!(start(&rigid), start(&aave));
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_does_not() {
    let said = |seed| format!("{:?}", run(AAVE, seed));
    assert_eq!(said(1), said(1));
    assert_ne!(said(1), said(2));
}
