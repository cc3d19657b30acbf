//! The port of pool and policy says what the contracts say, in every mode: a debug build compares each answer, and a world in which
//! one differs does not run.

#![cfg(debug_assertions)]
#![allow(clippy::unwrap_used)]

mod support;

use breakwater_sim::WorldKind;
use breakwater_sim::config::{
    BackstopParameters, BonusMode, BucketMode, DampedOverrides, Policy, TurnMode, WorldParameters,
};
use support::{accounts, input, parameters, trace};

fn runs(parameters: &WorldParameters, policy: Policy) {
    let input = input(90, 0.25, accounts(40));
    let trace = trace(parameters, &input, WorldKind::Policy(policy), 1);
    assert!(trace.liquidations.len() > 5 || parameters.backstop.is_some());
}

fn modes() -> Vec<DampedOverrides> {
    let mut modes = Vec::new();
    for turn_mode in [
        TurnMode::Off,
        TurnMode::Systematic,
        TurnMode::Seeded,
        TurnMode::Bernoulli,
    ] {
        for bucket_mode in [BucketMode::Off, BucketMode::HardStop, BucketMode::Scaling] {
            modes.push(DampedOverrides {
                turn_mode: Some(turn_mode),
                bucket_mode: Some(bucket_mode),
                turn_floor: Some(0.25),
                ..DampedOverrides::default()
            });
        }
    }
    let single = |change: fn(&mut DampedOverrides)| {
        let mut mode = DampedOverrides::default();
        change(&mut mode);
        mode
    };
    modes.extend([
        single(|mode| mode.confirmation = Some(false)),
        single(|mode| mode.confirmation_seconds = Some(1_800)),
        single(|mode| mode.obeys_pause = Some(true)),
        single(|mode| mode.bonus_mode = Some(BonusMode::Health)),
        single(|mode| mode.bonus_min = Some(0.5)),
        single(|mode| mode.target_health = Some(2.0)),
        single(|mode| mode.slice_base = Some(0.25)),
        single(|mode| mode.reserve_share = Some(0.0)),
        single(|mode| mode.refill_share = Some(0.05)),
        single(|mode| mode.min_refill_seconds = Some(28_800)),
        single(|mode| mode.liquidation_gas = Some(0)),
        single(|mode| mode.breaker = Some(false)),
        single(|mode| mode.slippage_margin = Some(0.025)),
    ]);
    modes
}

#[test]
fn it_follows_every_mode_of_the_damped_policy() {
    for damped in modes() {
        runs(
            &WorldParameters {
                damped,
                ..parameters()
            },
            Policy::Damped,
        );
    }
}

#[test]
fn it_follows_every_policy_behind_a_backstop() {
    for policy in [Policy::Rigid, Policy::TargetHealth, Policy::Damped] {
        let backstop = Some(BackstopParameters::with_capital(0.05));
        runs(
            &WorldParameters {
                backstop,
                ..parameters()
            },
            policy,
        );
    }
}
