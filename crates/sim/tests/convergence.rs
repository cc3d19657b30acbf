//! Whole worlds converge as blocks get shorter and accounts more: what is measured does not depend on how finely it is.

#![allow(clippy::unwrap_used)]

mod support;

use breakwater_sim::WorldKind;
use breakwater_sim::config::{Account, Policy, WorldInput};
use support::{parameters, trace};

/// A fall by 20% in 40 minutes and half an hour of rest, under this policy, in slots of this length, with this many equal
/// accounts whose thresholds lie evenly between 1 and 30% below the first price: the overshoot, and the share of debt repaid.
fn crash(policy: Policy, slot: u64, count: u32) -> (f64, f64) {
    crash_of(1, policy, slot, count)
}

/// The same of a seed.
fn crash_of(seed: u64, policy: Policy, slot: u64, count: u32) -> (f64, f64) {
    let mut parameters = parameters();
    parameters.network.slot_seconds = slot;
    parameters.feed.delay = 0;
    parameters.feed.deviation = 0.001;
    parameters.keepers.max_latency = 0;
    parameters.keepers.min_profit = 1.0;
    parameters.borrowers.top_up_share = 0.0;
    parameters.borrowers.repay_share = 0.0;
    parameters.borrowers.deleverage_share = 0.0;
    parameters.venue.flighty_share = 0.0;
    parameters.venue.depth = 4.0;
    let prices: Vec<f64> = (0..=4_200 / slot)
        .map(|block| 200.0 * (1.0 - 0.2 * ((block * slot) as f64 / 2_400.0).min(1.0)))
        .collect();
    let collateral = 24_000.0 / f64::from(count);
    let accounts = (0..count)
        .map(|number| {
            let distance = 0.01 + 0.29 * (f64::from(number) + 0.5) / f64::from(count);
            Account {
                collateral,
                debt: collateral * 200.0 * 0.83 * (1.0 - distance),
            }
        })
        .collect();
    let input = WorldInput {
        start: 1_584_000_000,
        gas_gwei: vec![1.0; prices.len()],
        native_prices: prices.clone(),
        depth: Vec::new(),
        accounts,
        prices,
    };
    let trace = trace(&parameters, &input, WorldKind::Policy(policy), seed);
    let overshoot = trace
        .blocks
        .iter()
        .map(|row| 1.0 - row.reference_price / row.exogenous_price)
        .fold(0.0, f64::max);
    let repaid: f64 = trace.liquidations.iter().map(|row| row.repaid).sum();
    (overshoot, repaid / trace.blocks[0].debt)
}

#[test]
fn shorter_blocks_change_less_and_less() {
    let [
        (longest, _),
        (longer, _),
        (usual, repaid),
        (finest, of_the_finest),
    ] = [48, 24, 12, 3].map(|slot| crash(Policy::Rigid, slot, 120));
    let off = |overshoot: f64| (overshoot / finest - 1.0).abs();
    // 6.7, 3.5 and 1.8% off blocks of three seconds.
    assert!(off(longest) < 0.08, "{longest} {finest}");
    assert!(off(longer) < 0.65 * off(longest), "{longer} {finest}");
    assert!(off(usual) < 0.65 * off(longer), "{usual} {finest}");
    assert!((repaid / of_the_finest - 1.0).abs() < 0.005);
}

#[test]
fn more_accounts_change_less_and_less() {
    let found = [30, 60, 120, 240].map(|count| crash(Policy::Rigid, 12, count));
    // Twice as many accounts, half the lumps: 5.1, 2.2 and 1.2% less overshoot.
    let changes: Vec<f64> = found
        .windows(2)
        .map(|pair| 1.0 - pair[1].0 / pair[0].0)
        .collect();
    assert!(changes[0] > 0.0 && changes[0] < 0.06, "{changes:?}");
    assert!(changes[1] < 0.65 * changes[0], "{changes:?}");
    assert!(changes[2] < 0.65 * changes[1], "{changes:?}");
    let (last, before) = (found[3].1, found[2].1);
    assert!((last / before - 1.0).abs() < 0.005, "{last} {before}");
}

/// The mean of four seeds: of one it depends on who wins a few races.
fn damped(slot: u64, count: u32) -> (f64, f64) {
    let found = [1, 2, 3, 4].map(|seed| crash_of(seed, Policy::Damped, slot, count));
    let mean = |pick: fn(&(f64, f64)) -> f64| found.iter().map(pick).sum::<f64>() / 4.0;
    (mean(|one| one.0), mean(|one| one.1))
}

/// Its clocks, bucket and patience are of seconds and not of blocks; what still differs are lives and turns of transactions.
#[test]
fn under_the_damped_policy_both_change_little() {
    let found = [48, 24, 12, 3].map(|slot| damped(slot, 120));
    let off = [0, 1, 2].map(|place| (found[place].0 / found[3].0 - 1.0).abs());
    // 5.0, 2.8 and 1.3% off blocks of three seconds.
    assert!(off[0] < 0.08 && off[1] < 0.75 * off[0], "{off:?}");
    assert!(off[2] < 0.85 * off[1], "{off:?}");
    // 1.0, 1.1 and 0.1% less is repaid than in blocks of three seconds: who lost a race before takes fewer of the small ones.
    for (_, repaid) in found {
        assert!((repaid / found[3].1 - 1.0).abs() < 0.015, "{found:?}");
    }
    let found = [30, 60, 120, 240].map(|count| damped(12, count));
    // 5.7, 3.5 and 0.6% off 240 accounts.
    let off = [0, 1, 2].map(|place| (found[place].0 / found[3].0 - 1.0).abs());
    assert!(off[0] < 0.08 && off[1] < 0.75 * off[0], "{off:?}");
    assert!(off[2] < 0.01, "{off:?}");
    for (_, repaid) in found {
        assert!((repaid / found[3].1 - 1.0).abs() < 0.015, "{found:?}");
    }
}
