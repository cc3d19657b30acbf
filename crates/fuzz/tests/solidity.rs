//! What is printed runs: the committed test is what the generator writes, and `forge test` runs it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use alloy_sol_types::SolEvent;
use breakwater_bindings::ILendingPool;
use breakwater_fuzz::{
    Action, Artifacts, Halves, Kind, Property, Random, Seen, Size, WORLDS, World, next, run,
    solidity_test,
};
use common::write_artifacts;

/// A sequence in which much succeeds, calls of every shape among it.
fn sequence(world: &World) -> Vec<Action> {
    (0..3)
        .flat_map(|number| next(world.plan, &[], &mut Random::of_input([3; 32], number)))
        .filter(|action| action.kind != Kind::Usurp)
        .take(50)
        .collect()
}

/// Run with `BLESS=1`, and then `forge fmt`, to write it anew after a change of contracts or generator.
fn the_committed_test_is_what_is_printed(index: usize, name: &str) {
    let world = World::build(&Artifacts::built_in(), &WORLDS[index]).unwrap();
    let outcome = run(&world, &sequence(&world), None);
    assert_eq!(outcome.violation, None);
    let text = solidity_test(&world, name, &outcome, None);
    for shape in [
        "_block(",
        "abi.encodeWithSignature(",
        "hex\"",
        ", true);",
        ", false);",
    ] {
        assert!(text.contains(shape), "no {shape} in\n{text}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../test/fuzz")
        .join(format!("{name}.t.sol"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(words(&fs::read_to_string(path).unwrap()), words(&text));
}

#[test]
fn the_default_world_is_reproduced() {
    the_committed_test_is_what_is_printed(0, "Reproduction");
}

#[test]
fn the_variant_world_is_reproduced() {
    the_committed_test_is_what_is_printed(1, "VariantReproduction");
}

#[test]
fn the_world_with_a_backstop_is_reproduced() {
    the_committed_test_is_what_is_printed(2, "BackstopReproduction");
}

/// Here a repayment is announced by another event, so that the model has a debt that the pool has not.
#[test]
fn a_state_that_breaks_a_property_is_compared_too() {
    let topic = ILendingPool::Repaid::SIGNATURE_HASH;
    let folder = tempfile::tempdir().unwrap();
    write_artifacts(folder.path(), |_, code| {
        let mut code = code.to_vec();
        for place in 0..code.len() {
            if code[place..].starts_with(topic.as_slice()) {
                code[place] ^= 1;
            }
        }
        code
    });
    let action = Action {
        kind: Kind::Repay,
        who: 2,
        to: 2,
        id: 0,
        size: Size::Near(0),
        choice: 0,
    };
    let [honest, broken] = [
        Artifacts::built_in(),
        Artifacts::read(folder.path()).unwrap(),
    ]
    .map(|artifacts| {
        let world = World::build(&artifacts, &WORLDS[0]).unwrap();
        let outcome = run(&world, &[action], None);
        assert_eq!(outcome.tally.of(Kind::Repay), (1, 0));
        let violation = outcome.violation.as_ref().map(|(_, violation)| violation);
        let text = solidity_test(&world, "Counterexample", &outcome, violation);
        (outcome, text)
    });
    let broken_property = broken.0.violation.map(|(_, violation)| violation.property);
    assert_eq!(
        (honest.0.violation, broken_property),
        (None, Some(Property::P9))
    );
    // Events are in no state.
    let state = format!(
        "assertEq(_fingerprint(), {}, ",
        honest.0.seen.state.unwrap()
    );
    assert!(
        honest.1.contains(&state) && broken.1.contains(&state),
        "{}",
        broken.1
    );
    assert_ne!(honest.0.seen.answers, broken.0.seen.answers);
}

/// Halves that gain are made in the place of the last call, from the same state. Forge runs such a test in `make mutants`.
#[test]
fn halves_are_printed_after_the_whole() {
    let world = World::build(&Artifacts::built_in(), &WORLDS[0]).unwrap();
    let mut outcome = run(&world, &sequence(&world), None);
    let before = solidity_test(&world, "Whole", &outcome, None);
    let last = outcome.steps.last().unwrap().clone();
    outcome.halves = Some(Halves {
        steps: vec![last.clone(), last],
        seen: Seen::default(),
    });
    let text = solidity_test(&world, "Whole", &outcome, None);

    let statements = |text: &str| -> Vec<String> {
        let body = text.split_once("public {\n").unwrap().1;
        body.lines().map(|line| line.trim().to_owned()).collect()
    };
    let (whole, text) = (statements(&before), statements(&text));
    let end = whole
        .iter()
        .position(|line| line.starts_with("assertEq(_fingerprint()"))
        .unwrap();
    let (call, seen) = (&whole[end - 1], &whole[end..end + 2]);
    assert!(call.starts_with("_call("), "{call}");
    let mut expected = whole[..end - 1].to_vec();
    expected.push("uint256 before = vm.snapshotState();".to_owned());
    expected.push(call.clone());
    expected.extend_from_slice(seen);
    expected.push("vm.revertToState(before);".to_owned());
    expected.extend([call.clone(), call.clone()]);
    expected.push("assertFalse(_isSeen(), \"no view reverts\");".to_owned());
    assert_eq!(text[..expected.len()], expected);
    assert!(text[expected.len()].starts_with("assertEq(_answered(), "));
}

/// What is left when `forge fmt` may have wrapped lines and grouped digits.
fn words(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace() || letter == '_')
        .collect()
}
