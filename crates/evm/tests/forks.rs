//! What-if calls, forks and reproducibility of the in-process chain.
#![allow(clippy::unwrap_used)]

mod common;

use alloy_primitives::{Address, B256, U256, hex};
use breakwater_evm::{Chain, MemoryChain, Outcome, Rules, Snapshot, Transaction};
use common::{ALICE, BOB, block, token_balance, transfer, with_token};

#[test]
fn what_if_sees_the_open_block_and_changes_nothing() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    chain.execute(&transfer(ALICE, token, BOB, 300)).unwrap();
    let mut untouched = chain.fork();

    let what_if = transfer(BOB, token, ALICE, 300);
    let expected = chain.call(&what_if).unwrap();
    assert!(expected.is_success());
    assert_eq!(expected.logs.len(), 1);
    // Also what a created contract and a failing call leave behind is discarded.
    assert!(
        chain
            .call(&Transaction::create(
                BOB,
                hex!("6001600055600060006000f0").to_vec()
            ))
            .unwrap()
            .is_success()
    );
    assert_eq!(
        chain
            .call(&transfer(BOB, token, ALICE, 301))
            .unwrap()
            .outcome,
        Outcome::Revert
    );
    let view = chain.view(BOB, token, what_if.input.clone()).unwrap();
    assert!(view.is_success() && view.gas_used < expected.gas_used - 21_000);

    assert_eq!(token_balance(&mut chain, token, BOB), U256::from(300));
    assert_eq!(chain.nonce(BOB), 0);
    assert_eq!(chain.state_digest(), untouched.state_digest());
    // And it foretells the transaction to the gas.
    assert_eq!(chain.execute(&what_if).unwrap(), expected);
}

#[test]
fn forks_are_isolated_and_copy_no_account() {
    let (mut chain, token) = with_token(Rules::default());
    let before = chain.state_digest();
    let snapshot = chain.snapshot();
    let mut forks: Vec<MemoryChain> = (0..3).map(|_| snapshot.chain()).collect();
    for (amount, fork) in (1..).zip(&mut forks) {
        fork.begin_block(block(2));
        fork.execute(&transfer(ALICE, token, BOB, amount)).unwrap();
        fork.end_block();
    }
    for (amount, fork) in (1_u64..).zip(&mut forks) {
        assert_eq!(token_balance(fork, token, BOB), U256::from(amount));
    }
    assert_eq!(chain.state_digest(), before);
    assert_eq!(snapshot.chain().state_digest(), before);
    // A fork of a fork, taken in an open block.
    forks[0].begin_block(block(3));
    forks[0].execute(&transfer(ALICE, token, BOB, 10)).unwrap();
    let mut second = forks[0].fork();
    assert_eq!(second.block(), &block(3));
    second.execute(&transfer(BOB, token, ALICE, 11)).unwrap();
    assert_eq!(token_balance(&mut second, token, BOB), U256::ZERO);
    assert_eq!(token_balance(&mut forks[0], token, BOB), U256::from(11));
}

#[test]
fn same_sequence_gives_the_same_state_on_any_thread_and_layering() {
    fn run(snapshot: &Snapshot, token: Address, snapshots: bool) -> (B256, u64) {
        let mut chain = snapshot.chain();
        let mut gas = 0;
        for number in 2..30 {
            chain.begin_block(block(number));
            for index in 0..5 {
                let to =
                    Address::with_last_byte(u8::try_from(100 + (number * 5 + index) % 17).unwrap());
                gas += chain
                    .execute(&transfer(ALICE, token, to, 1 + index))
                    .unwrap()
                    .gas_used;
                if snapshots && index == 3 {
                    chain = chain.fork();
                }
            }
            chain.end_block();
        }
        (chain.state_digest(), gas)
    }
    let (mut chain, token) = with_token(Rules::default());
    let snapshot = chain.snapshot();
    let expected = run(&snapshot, token, false);
    let results: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = [false, true, true]
            .map(|snapshots| (snapshots, snapshot.clone()))
            .into_iter()
            .map(|(snapshots, snapshot)| scope.spawn(move || run(&snapshot, token, snapshots)))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    });
    assert!(results.iter().all(|result| *result == expected));
    assert_ne!(chain.state_digest(), expected.0);
}

#[test]
fn snapshots_move_between_threads() {
    fn assert_shareable<T: Send + Sync>() {}
    assert_shareable::<Snapshot>();
}
