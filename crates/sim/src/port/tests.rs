//! In a debug build a port that goes astray ends the run.

#![cfg(debug_assertions)]
#![allow(clippy::unwrap_used)]

use super::*;
use crate::audit::tests::{input, parameters};
use crate::config::Policy as PolicyName;
use crate::setup::Lender;
use crate::world::World;

fn port<'a>(world: &'a mut World<'_>) -> &'a mut Port {
    match &mut world.lender {
        Lender::Breakwater(port) => port,
        Lender::Aave(market) => panic!("{market:?}"),
    }
}

#[test]
fn one_that_missed_what_was_emitted_is_noticed() {
    let (parameters, input) = (parameters(), input());
    for policy in [
        PolicyName::Rigid,
        PolicyName::TargetHealth,
        PolicyName::Damped,
    ] {
        let mut world = World::new(&parameters, &input, WorldKind::Policy(policy), 7).unwrap();
        let before = port(&mut world).clone();
        let (mut block, mut liquidations) = (0, Vec::new());
        while liquidations.is_empty() {
            block += 1;
            world.step(block, &mut liquidations).unwrap();
        }
        *port(&mut world) = before;
        let error = world.step(block + 1, &mut liquidations).err();
        assert!(
            matches!(error, Some(SimError::Port(_))),
            "{policy:?}: {error:?}"
        );
    }
}

#[test]
fn a_grant_that_differs_is_noticed() {
    let (parameters, input) = (parameters(), input());
    let damped = WorldKind::Policy(PolicyName::Damped);
    let mut world = World::new(&parameters, &input, damped, 7).unwrap();
    let port = port(&mut world);
    let Policy::Damped(own) = &port.policy else {
        panic!("{:?}", port.policy);
    };
    // It believes that the auction begins at its end.
    let mut believed = *own.parameters();
    believed.bonus_min = believed.bonus_max;
    port.policy = Policy::Damped(DampedPolicy::new(believed).unwrap());
    let failed = (1..input.prices.len() as u64)
        .find_map(|block| world.step(block, &mut Vec::new()).err())
        .unwrap();
    assert!(failed.to_string().contains("its grants"), "{failed}");
}
