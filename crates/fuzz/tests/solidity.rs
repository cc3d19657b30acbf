//! What is printed runs: the committed test is what the generator writes, and `forge test` runs it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

use breakwater_fuzz::{Artifacts, Kind, Random, WORLDS, World, next, run, solidity_test};

/// A sequence in which much succeeds, calls of every shape among it.
fn sequence(world: &World) -> Vec<breakwater_fuzz::Action> {
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

/// What is left when `forge fmt` may have wrapped lines and grouped digits.
fn words(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace() || letter == '_')
        .collect()
}
