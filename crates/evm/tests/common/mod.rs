//! A chain with one token, which Alice holds 1,000 units of.
#![allow(clippy::unwrap_used, missing_docs)]

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::SimToken;
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules, Transaction};

pub const DEPLOYER: Address = Address::repeat_byte(0xd0);
pub const ALICE: Address = Address::repeat_byte(0xa1);
pub const BOB: Address = Address::repeat_byte(0xb0);

pub fn block(number: u64) -> BlockEnvironment {
    BlockEnvironment {
        number,
        timestamp: 1_600_000_000 + 12 * number,
        ..Default::default()
    }
}

pub fn with_token(rules: Rules) -> (MemoryChain, Address) {
    let mut chain = MemoryChain::new(rules);
    chain.begin_block(block(1));
    let constructor = SimToken::constructorCall {
        name_: "Dollar".into(),
        symbol_: "USD".into(),
        decimals_: 6,
    };
    let token = chain
        .deploy_sol(DEPLOYER, &SimToken::BYTECODE, &constructor)
        .unwrap();
    chain
        .execute_sol(
            DEPLOYER,
            token,
            &SimToken::mintCall {
                to: ALICE,
                amount: U256::from(1_000),
            },
        )
        .unwrap();
    chain.end_block();
    (chain, token)
}

pub fn transfer(from: Address, token: Address, to: Address, amount: u64) -> Transaction {
    Transaction::call(
        from,
        token,
        SimToken::transferCall {
            to,
            amount: U256::from(amount),
        }
        .abi_encode(),
    )
}

pub fn token_balance(chain: &mut MemoryChain, token: Address, owner: Address) -> U256 {
    chain
        .call_sol(owner, token, &SimToken::balanceOfCall { owner })
        .unwrap()
}
