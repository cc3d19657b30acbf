//! Recordings of the in-process chain, and its state for other engines.
#![allow(clippy::unwrap_used)]

mod common;

use alloy_primitives::{U256, hex};
use breakwater_evm::{Chain, Rules, Step, Transaction};
use common::{ALICE, BOB, DEPLOYER, block, token_balance, transfer, with_token};

#[test]
fn a_replay_does_what_was_recorded_and_no_more() {
    let (mut chain, token) = with_token(Rules::default());
    chain.record();
    chain.begin_block(block(2));
    let mut gas = 0;
    for amount in [300, 5_000] {
        // The second reverts: it is a step like any other.
        gas += chain
            .execute(&transfer(ALICE, token, BOB, amount))
            .unwrap()
            .gas_used;
    }
    let what_if = transfer(BOB, token, ALICE, 300);
    chain.call(&what_if).unwrap();
    chain.view(BOB, token, what_if.input.clone()).unwrap();
    chain
        .execute_unmetered(BOB, token, transfer(BOB, token, DEPLOYER, 7).input)
        .unwrap();
    chain.end_block();
    let mut fork = chain.fork();
    fork.execute(&what_if).unwrap();
    assert!(fork.take_recording().steps().is_empty());

    let recording = chain.take_recording();
    assert_eq!(recording.steps().len(), 5);
    assert_eq!(recording.steps()[0], Step::BeginBlock(block(2)));
    assert_eq!(recording.steps()[4], Step::EndBlock);
    let (mut replayed, replayed_gas) = recording.replay().unwrap();
    assert_eq!(replayed_gas, gas);
    assert_eq!(replayed.state_digest(), chain.state_digest());
    assert_eq!(token_balance(&mut replayed, token, BOB), U256::from(293));

    // What comes after the recording is not in it.
    chain.begin_block(block(3));
    assert!(chain.take_recording().steps().is_empty());
    assert_eq!(recording.steps().len(), 5);
}

#[test]
fn accounts_are_all_that_exists() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    let before = chain.snapshot().accounts()[&token].storage.len();
    chain.execute(&transfer(ALICE, token, BOB, 1_000)).unwrap();
    // A creation that fails leaves nothing but its sender's nonce.
    chain
        .execute(&Transaction::create(BOB, hex!("fe").to_vec()))
        .unwrap();
    let accounts = chain.snapshot().accounts();
    assert_eq!(accounts.keys().copied().collect::<Vec<_>>(), {
        let mut all = vec![ALICE, BOB, DEPLOYER, token];
        all.sort_unstable();
        all
    });
    assert_eq!(
        [ALICE, BOB, DEPLOYER].map(|owner| accounts[&owner].nonce),
        [1, 1, 2]
    );
    assert_eq!(accounts[&token].code, chain.code(token));
    // Alice's slot is zero now and gone, Bob's is new.
    assert_eq!(accounts[&token].storage.len(), before);
    for (slot, value) in &accounts[&token].storage {
        assert!(!value.is_zero());
        assert_eq!(chain.storage(token, *slot).unwrap(), *value);
    }
}
