//! A sequence as a Solidity test that pastes into `test/`.

use std::fmt::Write;

use crate::encode::Step;
use crate::properties::Violation;
use crate::run::Outcome;
use crate::seen::Seen;
use crate::world::World;

/// The test of a sequence: every call ends as it did here, with the same output and events, and the state at the end is the same to
/// the bit, or a view reverts there as it did here. Where halves of the last call gain, they are made in its place too.
///
/// `name` is what the contract is called, in UpperCamelCase; `broken` is what it shows, if anything.
#[must_use]
pub fn test(world: &World, name: &str, outcome: &Outcome, broken: Option<&Violation>) -> String {
    let body = match (&outcome.halves, outcome.steps.split_last()) {
        (Some(halves), Some((whole, before))) => [
            &steps(world, before),
            "        uint256 before = vm.snapshotState();\n",
            &steps(world, std::slice::from_ref(whole)),
            &seen(&outcome.seen),
            "        vm.revertToState(before);\n",
            &steps(world, &halves.steps),
            &seen(&halves.seen),
        ]
        .concat(),
        _ => steps(world, &outcome.steps) + &seen(&outcome.seen),
    };
    let (title, shows) = match broken {
        Some(violation) => (
            format!("{}: {}", violation.property.id(), violation.property.text()),
            format!(
                "    /// @dev Broken at the end: {}.\n",
                plain(&violation.detail)
            ),
        ),
        None => ("A sequence of a campaign.".to_owned(), String::new()),
    };
    let fixture = world.plan.fixture;
    format!(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n\
         pragma solidity 0.8.34;\n\n\
         import {{{fixture}}} from \"./{fixture}.sol\";\n\n\
         /// @notice {title}\n\
         contract {name}Test is {fixture} {{\n{shows}    \
             function test_sequence_EndsInTheSameState() public {{\n\
         {body}    \
             }}\n\
         }}\n"
    )
}

/// What happens, a statement a line.
fn steps(world: &World, steps: &[Step]) -> String {
    let mut text = String::new();
    let named = |address| world.place.name(address);
    for step in steps {
        // Writing to a string does not fail.
        let _ = match step {
            Step::Block(block) => writeln!(
                text,
                "        _block({}, {}, {});",
                block.timestamp, block.number, block.base_fee
            ),
            Step::Call(call, success) => writeln!(
                text,
                "        _call({}, {}, {}, {success});",
                named(call.from),
                named(call.to),
                call.solidity(&named)
            ),
        };
    }
    text
}

/// What there is to see after it.
fn seen(seen: &Seen) -> String {
    let state = match seen.state {
        Some(state) => format!("assertEq(_fingerprint(), {state}, \"another state\")"),
        None => "assertFalse(_isSeen(), \"no view reverts\")".to_owned(),
    };
    format!(
        "        {state};\n        assertEq(_answered(), {}, \"another answer\");\n",
        seen.answers
    )
}

/// A comment's text: one line, without what ends a comment.
fn plain(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("*/", "* /")
}
