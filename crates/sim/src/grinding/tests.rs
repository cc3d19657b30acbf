//! What the grinder expects of turns is what the policy says of them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use breakwater_evm::Chain;

use super::*;
use crate::audit::tests::{input, parameters};
use crate::config::AdversaryParameters;
use crate::trace::{BlockRow, LiquidationRow};

const DAMPED: WorldKind = WorldKind::Policy(Policy::Damped);

/// Half of the slots are his, and turns are rare.
fn grinding(turn_mode: TurnMode) -> WorldParameters {
    let mut parameters = parameters();
    parameters.damped.turn_mode = Some(turn_mode);
    parameters.damped.bucket_mode = Some(BucketMode::Off);
    parameters.adversary = Some(AdversaryParameters {
        slots: 0.5,
        tries: 8,
        ..AdversaryParameters::with_capital(AdversaryStrategy::Grinder, 1.0)
    });
    parameters
}

#[test]
fn the_seed_is_the_hash_that_he_chose_and_turns_are_as_he_expects() {
    let (parameters, input) = (grinding(TurnMode::Seeded), input());
    let mut world = World::new(&parameters, &input, DAMPED, 3).unwrap();
    let turns = world.grinding.as_ref().unwrap().turns.unwrap();
    let (operator, policy) = (world.addresses.operator, world.addresses.policy);
    let pool = world.addresses.pool;
    let mut hashes = BTreeMap::new();
    let mut ground = false;
    let mut compared = 0;
    for block in 1..input.prices.len() as u64 {
        world.step(block, &mut Vec::new()).unwrap();
        let chosen = world.grinding.as_ref().unwrap().chosen;
        hashes.insert(
            world.chain.block().number,
            (chosen, world.parent_hash().unwrap()),
        );
        let call = DampedPolicy::seedOfCall { pool };
        let stored = world.chain.read_sol(operator, policy, &call).unwrap();
        let seed = U256::from(stored.seed);
        if seed.is_zero() {
            continue;
        }
        let (chosen, hash): &(u32, B256) = &hashes[&stored.anchor];
        assert_eq!(seed, U256::from_be_slice(&hash[12..]));
        ground |= *chosen > 0;
        let timestamp = world.timestamp(block);
        let certain = Waiting {
            owner: world.addresses.accounts[compared % 40],
            value: 1.0,
            probability: turns.floor,
        };
        let Some(ahead) = world.opens(block, seed, &certain, &turns) else {
            continue;
        };
        for slot in 1..=ahead {
            let call = DampedPolicy::turnOfCall {
                pool,
                account: certain.owner,
                timestamp: U256::from(timestamp + 12 * slot),
            };
            let draw = world.chain.read_sol(operator, policy, &call).unwrap();
            assert_eq!(draw < turns.floor, slot == ahead, "{block} {slot}");
        }
        compared += 1;
    }
    assert!(ground && compared > 40, "{compared}");
}

/// A whole run in which every block has the hash of this number.
fn run_in_form(turn_mode: TurnMode, number: u32) -> (Vec<BlockRow>, Vec<LiquidationRow>) {
    let (parameters, input) = (grinding(turn_mode), input());
    let mut world = World::new(&parameters, &input, DAMPED, 3).unwrap();
    assert_eq!(
        world.grinding.as_ref().unwrap().turns.is_some(),
        turn_mode == TurnMode::Seeded
    );
    let (mut rows, mut liquidations) = (Vec::new(), Vec::new());
    for block in 1..input.prices.len() as u64 {
        rows.push(world.step(block, &mut liquidations).unwrap());
        world.grinding.as_mut().unwrap().chosen = number;
    }
    (rows, liquidations)
}

#[test]
fn the_hashes_of_blocks_have_no_say_in_any_run_but_one_with_seeded_turns() {
    for mode in [TurnMode::Off, TurnMode::Systematic, TurnMode::Bernoulli] {
        assert!(run_in_form(mode, 0) == run_in_form(mode, 1), "{mode:?}");
    }
    let seeded = TurnMode::Seeded;
    assert!(run_in_form(seeded, 0) != run_in_form(seeded, 1));
}
