//! Jumps are counted in the contracts that are watched, and change nothing else.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use alloy_primitives::keccak256;
use breakwater_evm::{Chain, JumpCounter, Rules};
use common::{ALICE, BOB, token_balance, transfer, with_token};

fn drained(counter: &mut JumpCounter) -> Vec<(u16, u8)> {
    let mut edges = Vec::new();
    counter.drain(|edge, count| edges.push((edge, count)));
    edges
}

#[test]
fn only_watched_code_is_counted_and_only_while_asked() {
    let (mut chain, token) = with_token(Rules::default());
    let code = keccak256(chain.code(token));
    let plain = chain
        .fork()
        .execute(&transfer(ALICE, token, BOB, 5))
        .unwrap();

    assert!(
        chain
            .count_jumps(Some(Box::new(JumpCounter::new(&[code]))))
            .is_none()
    );
    let counted = chain.execute(&transfer(ALICE, token, BOB, 5)).unwrap();
    assert_eq!(counted, plain, "to the gas");
    let mut counter = chain.count_jumps(None).unwrap();
    let first = drained(&mut counter);
    assert!(first.len() > 5, "{first:?}");
    assert!(drained(&mut counter).is_empty(), "handed over once");

    chain.execute(&transfer(ALICE, token, BOB, 5)).unwrap();
    assert!(drained(&mut counter).is_empty(), "not asked");

    // The same way again, and another one for a transfer that reverts.
    chain.count_jumps(Some(counter));
    chain.execute(&transfer(ALICE, token, BOB, 5)).unwrap();
    let mut counter = chain.count_jumps(None).unwrap();
    assert_eq!(drained(&mut counter), first);
    chain.count_jumps(Some(counter));
    chain.execute(&transfer(BOB, token, ALICE, 1_000)).unwrap();
    let mut counter = chain.count_jumps(None).unwrap();
    assert_ne!(drained(&mut counter), first);

    chain.count_jumps(Some(Box::new(JumpCounter::new(&[keccak256("other")]))));
    chain.execute(&transfer(ALICE, token, BOB, 5)).unwrap();
    let mut counter = chain.count_jumps(None).unwrap();
    assert!(drained(&mut counter).is_empty(), "nothing of it is watched");
    assert_eq!(token_balance(&mut chain, token, BOB).to::<u64>(), 20);
}
