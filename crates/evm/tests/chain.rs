//! The in-process chain on the bytecode of `SimToken`.
#![allow(clippy::unwrap_used)]

mod common;

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::SolCall;
use breakwater_bindings::SimToken::{self, SimTokenErrors};
use breakwater_evm::{
    BlockEnvironment, CallError, Chain, EvmError, Halt, MemoryChain, Outcome, Rules, Transaction,
};
use common::{ALICE, BOB, DEPLOYER, block, token_balance, transfer, with_token};

/// Solady's ERC20: the balance of `owner` lies at keccak256(owner ‖ 0x87a211a2, 12 bytes with the seed last).
fn balance_slot(owner: Address) -> U256 {
    let mut preimage = [0; 32];
    preimage[..20].copy_from_slice(owner.as_slice());
    preimage[28..].copy_from_slice(&hex!("87a211a2"));
    keccak256(preimage).into()
}

#[test]
fn executes_transfers_with_gas_and_logs() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    let execution = chain.execute(&transfer(ALICE, token, BOB, 300)).unwrap();
    assert!(execution.is_success());
    assert_eq!(execution.output.as_ref(), U256::ONE.to_be_bytes::<32>());
    assert_eq!(execution.logs.len(), 1);
    assert_eq!(execution.logs[0].address, token);
    // 21,000 + calldata + a fresh balance slot: between the price of one new slot and that of two.
    assert!(
        (43_000..65_000).contains(&execution.gas_used),
        "{}",
        execution.gas_used
    );
    assert_eq!(token_balance(&mut chain, token, ALICE), U256::from(700));
    assert_eq!(token_balance(&mut chain, token, BOB), U256::from(300));
    assert_eq!(chain.nonce(ALICE), 1);
    assert_eq!(chain.nonce(DEPLOYER), 2);
    assert!(!chain.code(token).is_empty());
}

#[test]
fn revert_carries_decodable_data_and_changes_only_the_nonce() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    let execution = chain.execute(&transfer(BOB, token, ALICE, 1)).unwrap();
    assert_eq!(execution.outcome, Outcome::Revert);
    assert!(execution.logs.is_empty());
    let error = execution.into_success().unwrap_err();
    assert!(matches!(
        error.decode::<SimTokenErrors>(),
        Some(SimTokenErrors::InsufficientBalance(_))
    ));
    assert!(error.to_string().contains("InsufficientBalance"));
    assert_eq!(token_balance(&mut chain, token, ALICE), U256::from(1_000));
    assert_eq!(chain.nonce(BOB), 1);
}

#[test]
fn halts_and_invalid_transactions_are_told_apart() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    let starved = Transaction {
        gas_limit: 30_000,
        ..transfer(ALICE, token, BOB, 1)
    };
    let execution = chain.execute(&starved).unwrap();
    assert_eq!(
        (execution.outcome, execution.gas_used),
        (Outcome::Halt(Halt::OutOfGas), 30_000)
    );

    let unfunded = Transaction {
        value: U256::ONE,
        ..Transaction::call(ALICE, BOB, Bytes::new())
    };
    assert_eq!(
        chain.execute(&unfunded).unwrap().outcome,
        Outcome::Halt(Halt::OutOfFunds)
    );

    let above_block = Transaction {
        gas_limit: 36_000_001,
        ..transfer(ALICE, token, BOB, 1)
    };
    let error = chain.execute(&above_block).unwrap_err();
    assert!(
        matches!(
            error,
            EvmError::InvalidTransaction {
                from: ALICE,
                block: 2,
                ..
            }
        ),
        "{error}"
    );
    let below_intrinsic = Transaction {
        gas_limit: 20_000,
        ..transfer(ALICE, token, BOB, 1)
    };
    assert!(matches!(
        chain.execute(&below_intrinsic),
        Err(EvmError::InvalidTransaction { .. })
    ));
    assert!(
        chain
            .execute(&transfer(ALICE, token, BOB, 1))
            .unwrap()
            .is_success()
    );
}

#[test]
fn call_to_an_address_without_code_does_not_decode() {
    let mut chain = MemoryChain::new(Rules::default());
    let result = chain.call_sol(ALICE, BOB, &SimToken::totalSupplyCall {});
    assert!(matches!(result, Err(CallError::Decode(_))));
}

#[test]
fn writes_survive_later_reads_of_the_slot_in_the_same_block() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    chain.execute(&transfer(ALICE, token, BOB, 300)).unwrap();
    // Re-reads the slots, so that the engine takes their present value for the original one.
    chain
        .execute(&Transaction::call(
            BOB,
            token,
            SimToken::balanceOfCall { owner: ALICE }.abi_encode(),
        ))
        .unwrap();
    chain.call(&transfer(ALICE, token, BOB, 1)).unwrap();
    token_balance(&mut chain, token, BOB);
    chain.end_block();
    assert_eq!(
        chain.storage(token, balance_slot(ALICE)).unwrap(),
        U256::from(700)
    );
    assert_eq!(
        chain.storage(token, balance_slot(BOB)).unwrap(),
        U256::from(300)
    );
}

#[test]
fn storage_and_balance_are_peeked_before_and_after_commit() {
    let (mut chain, token) = with_token(Rules::default());
    let slot = balance_slot(ALICE);
    assert_eq!(chain.storage(token, slot).unwrap(), U256::from(1_000));
    chain.begin_block(block(2));
    let cold_gas = chain
        .call(&transfer(ALICE, token, BOB, 1))
        .unwrap()
        .gas_used;
    assert_eq!(chain.storage(token, slot).unwrap(), U256::from(1_000));
    // Peeking does not warm the slot.
    assert_eq!(
        chain
            .call(&transfer(ALICE, token, BOB, 1))
            .unwrap()
            .gas_used,
        cold_gas
    );
    chain.execute(&transfer(ALICE, token, BOB, 400)).unwrap();
    assert_eq!(chain.storage(token, slot).unwrap(), U256::from(600));
    assert_eq!(chain.storage(token, U256::MAX).unwrap(), U256::ZERO);
    assert_eq!(chain.storage(BOB, slot).unwrap(), U256::ZERO);
    chain.end_block();
    assert_eq!(chain.storage(token, slot).unwrap(), U256::from(600));

    chain.set_balance(ALICE, U256::from(10));
    chain.begin_block(block(3));
    let send = Transaction {
        value: U256::from(4),
        ..Transaction::call(ALICE, BOB, Bytes::new())
    };
    assert!(chain.execute(&send).unwrap().is_success());
    assert_eq!(chain.balance(BOB).unwrap(), U256::from(4));
    chain.end_block();
    assert_eq!(
        (chain.balance(ALICE).unwrap(), chain.balance(BOB).unwrap()),
        (U256::from(6), U256::from(4))
    );
}

#[test]
fn set_up_between_transactions_of_a_block_is_seen_and_keeps_them() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    chain.execute(&transfer(ALICE, token, BOB, 300)).unwrap();
    chain.set_storage(token, balance_slot(ALICE), U256::from(5_000));
    assert_eq!(token_balance(&mut chain, token, ALICE), U256::from(5_000));
    assert_eq!(token_balance(&mut chain, token, BOB), U256::from(300));
    // PUSH1 7, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: answers 7.
    chain.set_code(BOB, hex!("60075f5260205ff3").into());
    let answer = chain.view(ALICE, BOB, Bytes::new()).unwrap();
    assert_eq!(U256::from_be_slice(&answer.output), U256::from(7));
}

#[test]
fn block_environment_and_block_hashes_are_what_was_asked_for() {
    let (mut chain, _) = with_token(Rules {
        block_hash_seed: B256::with_last_byte(9),
        ..Rules::default()
    });
    chain.begin_block(BlockEnvironment {
        base_fee: 77,
        coinbase: BOB,
        prevrandao: B256::with_last_byte(5),
        ..block(300)
    });
    let mut answer = |code: &str| {
        let at = Address::repeat_byte(0xcc);
        // `code`, then PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN.
        chain.set_code(at, format!("0x{code}5f5260205ff3").parse().unwrap());
        U256::from_be_slice(&chain.view(ALICE, at, Bytes::new()).unwrap().output)
    };
    assert_eq!(answer("43"), U256::from(300)); // NUMBER
    assert_eq!(answer("42"), U256::from(1_600_003_600)); // TIMESTAMP
    assert_eq!(answer("48"), U256::from(77)); // BASEFEE
    assert_eq!(answer("46"), U256::from(31_337)); // CHAINID
    assert_eq!(answer("41"), U256::from_be_slice(BOB.as_slice())); // COINBASE
    assert_eq!(answer("44"), U256::from(5)); // PREVRANDAO
    assert_eq!(answer("33"), U256::from_be_slice(ALICE.as_slice())); // CALLER
    let hash = |number: u64| {
        keccak256([B256::with_last_byte(9).as_slice(), &number.to_be_bytes()].concat())
    };
    assert_eq!(B256::from(answer("61012b40")), hash(299)); // PUSH2 299, BLOCKHASH
    assert_eq!(B256::from(answer("602c40")), hash(44)); // 256 blocks back
    assert_eq!(answer("602b40"), U256::ZERO); // 257 blocks back
    assert_eq!(answer("61012c40"), U256::ZERO); // its own
}

#[test]
fn fees_are_charged_where_the_rules_say_so() {
    let (mut chain, token) = with_token(Rules {
        charge_fees: true,
        ..Rules::default()
    });
    chain.begin_block(BlockEnvironment {
        base_fee: 10,
        coinbase: BOB,
        ..block(2)
    });
    let payment = Transaction {
        gas_price: 12,
        gas_limit: 100_000,
        ..transfer(ALICE, token, BOB, 1)
    };
    assert!(matches!(
        chain.execute(&payment),
        Err(EvmError::InvalidTransaction { .. })
    ));
    chain.set_balance(ALICE, U256::from(1_200_000));
    let cheap = Transaction {
        gas_price: 9,
        ..payment.clone()
    };
    assert!(matches!(
        chain.execute(&cheap),
        Err(EvmError::InvalidTransaction { .. })
    ));
    let gas = chain.execute(&payment).unwrap().gas_used;
    assert_eq!(
        chain.balance(ALICE).unwrap(),
        U256::from(1_200_000 - 12 * gas)
    );
    assert_eq!(chain.balance(BOB).unwrap(), U256::from(2 * gas));
}

#[test]
fn code_size_limit_is_that_of_the_chain_unless_overridden() {
    // PUSH2 24577, PUSH0, RETURN: creates 24,577 zero bytes, one above EIP-170.
    let creation = Transaction::create(ALICE, hex!("6160015ff3").to_vec());
    let outcome = |rules| MemoryChain::new(rules).execute(&creation).unwrap().outcome;
    assert_eq!(
        outcome(Rules::default()),
        Outcome::Halt(Halt::CodeSizeLimit)
    );
    assert_eq!(
        outcome(Rules {
            code_size_limit: Some(24_577),
            ..Rules::default()
        }),
        Outcome::Success
    );
}

#[test]
fn unmetered_execution_keeps_its_changes_and_sends_no_transaction() {
    let (mut chain, token) = with_token(Rules::default());
    chain.begin_block(block(2));
    let input = SimToken::transferCall {
        to: BOB,
        amount: U256::from(5),
    }
    .abi_encode();
    assert!(
        chain
            .execute_unmetered(ALICE, token, input.into())
            .unwrap()
            .is_success()
    );
    assert_eq!(token_balance(&mut chain, token, BOB), U256::from(5));
    assert_eq!(chain.nonce(ALICE), 0);
    let refused = SimToken::transferCall {
        to: BOB,
        amount: U256::MAX,
    }
    .abi_encode();
    assert_eq!(
        chain
            .execute_unmetered(ALICE, token, refused.into())
            .unwrap()
            .outcome,
        Outcome::Revert
    );
    assert_eq!(token_balance(&mut chain, token, BOB), U256::from(5));
}

#[test]
fn reads_answer_as_views_do_in_every_state_and_may_not_write() {
    let (mut chain, token) = with_token(Rules::default());
    let balance = SimToken::balanceOfCall { owner: BOB };
    for (number, held) in [(2, 0), (3, 7), (4, 14)] {
        chain.begin_block(block(number));
        for _ in 0..2 {
            let read = chain.read_sol(ALICE, token, &balance).unwrap();
            assert_eq!(read, U256::from(held));
            assert_eq!(read, chain.call_sol(ALICE, token, &balance).unwrap());
        }
        // What fails changes nothing; what succeeds is seen at once, in the open block.
        chain.execute(&transfer(BOB, token, ALICE, 1_000)).unwrap();
        assert_eq!(
            chain.read_sol(ALICE, token, &balance).unwrap(),
            U256::from(held)
        );
        chain.execute(&transfer(ALICE, token, BOB, 7)).unwrap();
        assert_eq!(
            chain.read_sol(ALICE, token, &balance).unwrap(),
            U256::from(held + 7)
        );
    }
    let input = transfer(BOB, token, ALICE, 1).input;
    chain.execute_unmetered(BOB, token, input).unwrap();
    assert_eq!(
        chain.read_sol(ALICE, token, &balance).unwrap(),
        U256::from(20)
    );
    let write = SimToken::transferCall {
        to: BOB,
        amount: U256::ONE,
    };
    assert!(matches!(
        chain.read_sol(ALICE, token, &write),
        Err(CallError::Halted { .. })
    ));
}

#[test]
fn a_block_says_the_hash_of_the_one_before_and_forks_and_replays_know_it() {
    let (mut chain, _) = with_token(Rules::default());
    chain.record();
    let at = Address::repeat_byte(0xcc);
    // PUSH2 299, BLOCKHASH, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN.
    let code: Bytes = hex!("61012b405f5260205ff3").into();
    chain.set_code(at, code.clone());
    let hash_of_299 = |chain: &mut MemoryChain| {
        let answer = chain.view(ALICE, at, Bytes::new()).unwrap();
        B256::from_slice(&answer.output)
    };
    let unsaid = keccak256([B256::ZERO.as_slice(), &299_u64.to_be_bytes()].concat());
    chain.begin_block(block(300));
    assert_eq!(hash_of_299(&mut chain), unsaid);
    let mut sibling = chain.fork();
    let said = B256::repeat_byte(7);
    chain.begin_block(BlockEnvironment {
        parent_hash: Some(said),
        ..block(300)
    });
    assert_eq!(hash_of_299(&mut chain), said);
    assert_eq!(hash_of_299(&mut chain.fork()), said);
    assert_eq!(hash_of_299(&mut sibling), unsaid);
    let (mut replayed, _) = chain.take_recording().replay().unwrap();
    replayed.set_code(at, code);
    assert_eq!(hash_of_299(&mut replayed), said);
    chain.begin_block(block(299 + 256));
    assert_eq!(hash_of_299(&mut chain), said);
    chain.begin_block(block(299 + 257));
    assert_eq!(hash_of_299(&mut chain), B256::ZERO);
}
