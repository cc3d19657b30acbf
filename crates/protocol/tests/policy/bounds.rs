//! The bounds of the parameters against the contract's constructor.

use crate::{
    random::Random,
    requests::{VARIANTS, parameters},
    seed,
    world::{NATIVE_ORACLE, World},
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::DampedPolicy as Bound;
use breakwater_evm::Rules;
use breakwater_protocol::{
    math::WAD,
    policy::{BonusMode, BucketMode, DampedParameters, DampedPolicy, ParameterError, TurnMode},
};

fn deploys(parameters: &Bound::DampedParameters) -> bool {
    let arguments = Bound::constructorCall {
        p: parameters.clone(),
    };
    World::deploys(&Bound::BYTECODE, &arguments.abi_encode(), Rules::default())
}

#[test]
fn the_defaults_deploy() {
    let defaults = DampedParameters::default();
    assert!(deploys(&(&defaults).into()));
    assert!(DampedPolicy::new(defaults).is_ok());
}

#[test]
fn each_bound_is_the_constructors() {
    let mut random = Random::new(seed(), 40_000);
    let thousandth = WAD / U256::from(1_000);
    let ratio = |thousandths: u64| thousandth * U256::from(thousandths);
    let number = |value: u64| U256::from(value);
    type Field = fn(&mut Bound::DampedParameters) -> &mut U256;
    let bounds: [(Field, U256, U256); 12] = [
        (|p| &mut p.bonusMax, U256::ZERO, ratio(500)),
        (|p| &mut p.auctionSeconds, U256::ONE, number(86_400)),
        (|p| &mut p.targetHealth, WAD + U256::ONE, ratio(2_000)),
        (|p| &mut p.sliceBase, WAD / number(10_000), WAD),
        (|p| &mut p.turnFloor, WAD / number(64), WAD),
        (|p| &mut p.epochSeconds, number(12), number(3_600)),
        (|p| &mut p.refillShare, ratio(10), ratio(10_000)),
        (|p| &mut p.reserveShare, U256::ZERO, ratio(900)),
        (|p| &mut p.scalingFloor, WAD / number(10_000), WAD),
        (|p| &mut p.minRefillSeconds, number(60), number(2_592_000)),
        (
            |p| &mut p.depthMemorySeconds,
            number(240),
            number(2_592_000),
        ),
        (|p| &mut p.liquidationGas, U256::ONE, number(10_000_000)),
    ];
    for variant in 0..VARIANTS / 6 {
        let mut sound = parameters(variant * 6, &mut random);
        sound.bonus_min = U256::ZERO;
        (sound.liquidation_gas, sound.native_oracle) = (1, NATIVE_ORACLE);
        for (index, (field, minimum, maximum)) in bounds.iter().enumerate() {
            for (value, allowed) in [
                (*minimum, true),
                (minimum.wrapping_sub(U256::ONE), false),
                (*maximum, true),
                (maximum + U256::ONE, false),
                (U256::MAX, false),
                (U256::ONE << 64, false),
            ] {
                let mut bound = Bound::DampedParameters::from(&sound);
                *field(&mut bound) = value;
                let port = DampedParameters::try_from(&bound);
                assert_eq!(port.is_ok(), allowed, "field {index} = {value}: {port:?}");
                assert_eq!(deploys(&bound), allowed, "field {index} = {value}");
            }
        }
    }
}

#[test]
fn the_least_bonus_is_at_most_the_greatest() {
    let parameters = DampedParameters {
        bonus_min: WAD / U256::from(10) + U256::ONE,
        bonus_max: WAD / U256::from(10),
        ..DampedParameters::default()
    };
    assert!(!deploys(&(&parameters).into()));
    assert!(matches!(
        DampedPolicy::new(parameters),
        Err(ParameterError::OutOfBounds {
            name: "bonusMin",
            ..
        })
    ));
}

#[test]
fn gas_is_paid_for_at_a_price() {
    for (liquidation_gas, native_oracle) in [(0, NATIVE_ORACLE), (1, Address::ZERO)] {
        let parameters = DampedParameters {
            liquidation_gas,
            native_oracle,
            ..DampedParameters::default()
        };
        assert!(!deploys(&(&parameters).into()));
        assert!(matches!(
            DampedPolicy::new(parameters),
            Err(ParameterError::GasBonusIncomplete { .. })
        ));
    }
}

#[test]
fn a_mode_that_does_not_exist_is_refused() {
    let defaults = Bound::DampedParameters::from(&DampedParameters::default());
    type Field = fn(&mut Bound::DampedParameters) -> &mut u8;
    let modes: [(Field, usize); 3] = [
        (|p| &mut p.bonusMode, BonusMode::ALL.len()),
        (|p| &mut p.turnMode, TurnMode::ALL.len()),
        (|p| &mut p.bucketMode, BucketMode::ALL.len()),
    ];
    for (field, count) in modes {
        for value in 0..=u8::try_from(count).unwrap() {
            let mut bound = defaults.clone();
            *field(&mut bound) = value;
            let exists = usize::from(value) < count;
            assert_eq!(DampedParameters::try_from(&bound).is_ok(), exists);
            assert_eq!(deploys(&bound), exists);
        }
    }
}
