//! What a run changes is what the contracts say of themselves.

#![allow(clippy::unwrap_used)]

use alloy_sol_types::SolCall;
use breakwater_bindings::{
    CircuitBreaker, DampedPolicy, ILendingPool, TwapOracle, UniswapV3Source,
};
use breakwater_evm::Chain;
use breakwater_protocol::policy::DampedParameters;

use super::*;
use crate::WorldKind;
use crate::audit::tests::{input, parameters};
use crate::config::{BonusMode, BucketMode, Policy, TurnMode, WorldParameters};
use crate::setup::{Addresses, Built, build};
use crate::units::{WAD, from_base};

const DAMPED: WorldKind = WorldKind::Policy(Policy::Damped);
const RIGID: WorldKind = WorldKind::Policy(Policy::Rigid);

fn built(kind: WorldKind, overrides: DampedOverrides) -> Built {
    let parameters = WorldParameters {
        damped: overrides,
        ..parameters()
    };
    build(&parameters, &input(), kind, 1, false).unwrap()
}

/// What a contract answers.
fn view<C: SolCall>(
    built: &mut Built,
    to: fn(&Addresses) -> alloy_primitives::Address,
    call: &C,
) -> C::Return {
    let (operator, to) = (built.addresses.operator, to(&built.addresses));
    built.chain.call_sol(operator, to, call).unwrap()
}

/// Percent and basis points at which the breaker's three signals come on.
fn signals(built: &mut Built) -> (u16, u16, u16) {
    let call = CircuitBreaker::thresholdsCall {};
    let thresholds = view(built, |addresses| addresses.breaker, &call);
    (
        thresholds.feeMultiple,
        thresholds.missedShare,
        thresholds.velocity,
    )
}

fn margin(built: &mut Built) -> f64 {
    let call = ILendingPool::collateralStateCall {
        collateralId: U256::ZERO,
    };
    let state = view(built, |addresses| addresses.pool, &call);
    from_base(state.slippageMargin, WAD)
}

/// HF_hard of the first account.
fn hard_health(built: &mut Built) -> f64 {
    let call = ILendingPool::accountHealthCall {
        account: built.addresses.accounts[0],
    };
    from_base(
        view(built, |addresses| addresses.pool, &call).healthHard,
        WAD,
    )
}

fn of_margin(slippage_margin: f64) -> DampedOverrides {
    DampedOverrides {
        slippage_margin: Some(slippage_margin),
        ..DampedOverrides::default()
    }
}

/// The same defaults are written down in Solidity and in Rust.
#[test]
fn the_ports_defaults_are_the_deployments() {
    let mut built = built(DAMPED, DampedOverrides::default());
    let call = DampedPolicy::parametersCall {};
    let said = view(&mut built, |addresses| addresses.policy, &call);
    let said = DampedParameters::try_from(&said).unwrap();
    let expected = DampedParameters {
        liquidation_gas: said.liquidation_gas,
        native_oracle: said.native_oracle,
        ..DampedParameters::default()
    };
    assert_eq!(said, expected);
}

/// The default start of 1% is no hindrance: the auction of such a listing begins where it ends.
#[test]
fn a_listing_whose_bonus_is_below_the_auctions_start_is_deployed() {
    let mut parameters = parameters();
    parameters.collateral.max_bonus = 0.005;
    let mut built = build(&parameters, &input(), DAMPED, 1, false).unwrap();
    let call = DampedPolicy::parametersCall {};
    let said = view(&mut built, |addresses| addresses.policy, &call);
    assert_eq!(said.bonusMin, to_base(0.005, WAD));
    assert_eq!(said.bonusMax, said.bonusMin);
}

#[test]
fn the_policy_has_every_parameter_that_a_run_changes() {
    let mut built = built(
        DAMPED,
        DampedOverrides {
            confirmation: Some(false),
            obeys_pause: Some(true),
            bonus_mode: Some(BonusMode::Health),
            bonus_min: Some(0.02),
            auction_seconds: Some(300),
            target_health: Some(1.2),
            slice_base: Some(0.25),
            turn_mode: Some(TurnMode::Bernoulli),
            turn_floor: Some(0.0625),
            bucket_mode: Some(BucketMode::Scaling),
            refill_share: Some(0.1),
            min_refill_seconds: Some(28_800),
            reserve_share: Some(0.0),
            liquidation_gas: Some(123_456),
            ..DampedOverrides::default()
        },
    );
    let call = DampedPolicy::parametersCall {};
    let said = view(&mut built, |addresses| addresses.policy, &call);
    assert!(!said.confirmation && said.obeysPause);
    assert_eq!((said.bonusMode, said.turnMode, said.bucketMode), (1, 3, 2));
    for (value, expected) in [
        (said.bonusMin, 0.02),
        (said.targetHealth, 1.2),
        (said.sliceBase, 0.25),
        (said.turnFloor, 0.0625),
        (said.refillShare, 0.1),
        (said.reserveShare, 0.0),
    ] {
        assert!((from_base(value, WAD) - expected).abs() < 1e-12);
    }
    assert_eq!(said.auctionSeconds, U256::from(300));
    assert_eq!(said.minRefillSeconds, U256::from(28_800));
    assert_eq!(said.liquidationGas, U256::from(123_456));
}

#[test]
fn the_price_that_confirms_is_averaged_over_as_long_as_a_run_says() {
    let changed = DampedOverrides {
        confirmation_seconds: Some(1_800),
        ..DampedOverrides::default()
    };
    for (kind, overrides, expected) in [
        (DAMPED, changed.clone(), 1_800),
        (RIGID, changed, 60),
        (DAMPED, DampedOverrides::default(), 60),
    ] {
        let mut built = built(kind, overrides);
        let venue = view(
            &mut built,
            |addresses| addresses.oracle,
            &TwapOracle::VENUECall {},
        );
        let operator = built.addresses.operator;
        let call = UniswapV3Source::WINDOWCall {};
        let window = built.chain.call_sol(operator, venue, &call).unwrap();
        assert_eq!(window, expected);
    }
}

#[test]
fn no_gas_is_paid_for_where_a_run_says_so_and_else_there_is() {
    for (liquidation_gas, expected) in [(Some(0), 0), (None, 400_000)] {
        let mut built = built(
            DAMPED,
            DampedOverrides {
                liquidation_gas,
                ..DampedOverrides::default()
            },
        );
        let call = DampedPolicy::parametersCall {};
        let said = view(&mut built, |addresses| addresses.policy, &call);
        assert_eq!(said.liquidationGas, U256::from(expected));
        assert_eq!(said.nativeOracle.is_zero(), expected == 0);
    }
}

#[test]
fn a_breaker_that_is_off_has_no_signal_and_only_in_the_damped_world() {
    let breaker = |breaker| DampedOverrides {
        breaker: Some(breaker),
        ..DampedOverrides::default()
    };
    let usual = signals(&mut built(DAMPED, DampedOverrides::default()));
    assert!(usual.0 > 0 && usual.1 > 0 && usual.2 > 0, "{usual:?}");
    assert_eq!(signals(&mut built(DAMPED, breaker(true))), usual);
    assert_eq!(signals(&mut built(DAMPED, breaker(false))), (0, 0, 0));
    assert_eq!(signals(&mut built(RIGID, breaker(false))), usual);
    // A policy that waits for the breaker leaves it as it is.
    let obedient = DampedOverrides {
        obeys_pause: Some(true),
        ..DampedOverrides::default()
    };
    assert_eq!(signals(&mut built(DAMPED, obedient)), usual);
}

#[test]
fn the_damped_listing_has_the_margin_that_a_run_asks_for_and_the_rigid_one_its_own() {
    // LT 0.83, bmax 5%, sigma 5%, delta 5%: beside these no more than 9.28% can be listed.
    for (asked, sigma) in [(0.0, 0.0), (0.025, 0.025), (0.05, 0.05), (0.1, 0.0928)] {
        let mut damped = built(DAMPED, of_margin(asked));
        assert!((margin(&mut damped) - sigma).abs() < 1e-12, "{asked}");
        let hard = 0.83 * 1.05 * (1.0 + sigma);
        assert!((hard_health(&mut damped) - hard).abs() < 1e-12, "{asked}");
        let mut rigid = built(RIGID, of_margin(asked));
        assert!((margin(&mut rigid) - 0.05).abs() < 1e-12, "{asked}");
    }
}

/// Settlement may not begin within the damped zone, by one basis point.
#[test]
fn a_margin_is_held_to_the_least_that_the_pool_lists() {
    let listed = |slippage_margin, asked| {
        let mut parameters = parameters();
        parameters.collateral.max_bonus = 0.01;
        parameters.collateral.slippage_margin = slippage_margin;
        parameters.damped.slippage_margin = asked;
        build(&parameters, &input(), DAMPED, 1, false)
    };
    assert!((margin(&mut listed(0.0199, None).unwrap()) - 0.0199).abs() < 1e-12);
    assert!(listed(0.0198, None).is_err());
    assert!((margin(&mut listed(0.05, Some(0.0)).unwrap()) - 0.0199).abs() < 1e-12);
}

/// The pool refuses a listing whose margins do not fit, by one basis point.
#[test]
fn a_margin_is_held_to_the_greatest_that_the_pool_lists() {
    let listed = |slippage_margin| {
        let mut parameters = parameters();
        parameters.collateral.slippage_margin = slippage_margin;
        build(&parameters, &input(), DAMPED, 1, false)
    };
    assert!((margin(&mut listed(0.0928).unwrap()) - 0.0928).abs() < 1e-12);
    assert!(listed(0.0929).is_err());
    assert!((margin(&mut built(DAMPED, of_margin(0.5))) - 0.0928).abs() < 1e-12);
}
