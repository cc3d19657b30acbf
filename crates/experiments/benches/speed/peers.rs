//! The two workloads that engines of other simulators are known by: transfers of OpenZeppelin's ERC-20, and swaps through the router
//! of Uniswap v2, whose bytecode is read from its npm artifacts.

use std::fs;
use std::path::Path;

use alloy_primitives::{Address, Bytes, U256, hex, keccak256};
use alloy_sol_types::{SolCall, SolValue, sol};
use breakwater_bindings::OpenZeppelinToken;
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Recording, Rules, Transaction};
use breakwater_market::{Purpose, Stream};

use crate::bare::{Comparison, compare};
use crate::figure::{Figure, per_second, ratio};
use crate::transfers;

const DEPLOYER: Address = Address::repeat_byte(0xd0);
/// Nobody wraps ether here.
const NO_WRAPPER: Address = Address::repeat_byte(0xee);
const SWAPS: u64 = 3_000;
const SWAPS_A_BLOCK: u64 = 250;
const TRADERS: u64 = 100;

sol! {
    function addLiquidity(address tokenA, address tokenB, uint256 amountADesired, uint256 amountBDesired, uint256 amountAMin, uint256 amountBMin, address to, uint256 deadline) external returns (uint256 amountA, uint256 amountB, uint256 liquidity);
    function swapExactTokensForTokens(uint256 amountIn, uint256 amountOutMin, address[] path, address to, uint256 deadline) external returns (uint256[] amounts);
}

pub fn measure(program: &Path) -> Vec<Figure> {
    let transfers = transfers::engine(program);
    let swaps = compare(program, &swaps());
    let mut figures = vec![
        engine("OpenZeppelin transfers / bare revm", 1.4, &transfers),
        engine("Uniswap v2 swaps / bare revm", 1.15, &swaps),
    ];
    figures.extend(transfers::agents(&transfers));
    figures
}

fn engine(name: &str, target: f64, comparison: &Comparison) -> Figure {
    Figure::at_least(
        name,
        target,
        ratio(comparison.bare, comparison.ours),
        format!(
            "{} / {} a second",
            per_second(comparison.transactions, comparison.ours),
            per_second(comparison.transactions, comparison.bare)
        ),
    )
}

/// The `number`-th block.
pub fn block(number: u64) -> BlockEnvironment {
    BlockEnvironment {
        number,
        timestamp: 1_600_000_000 + 12 * number,
        ..BlockEnvironment::default()
    }
}

/// The `number`-th somebody.
pub fn somebody(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

/// A token whose deployer has all of it.
pub fn token(chain: &mut MemoryChain) -> Address {
    let constructor = OpenZeppelinToken::constructorCall {
        holder: DEPLOYER,
        supply: U256::from(10).pow(U256::from(40)),
    };
    chain
        .deploy_sol(DEPLOYER, &OpenZeppelinToken::BYTECODE, &constructor)
        .unwrap()
}

/// Gives somebody so much of a token.
pub fn give(chain: &mut MemoryChain, token: Address, to: Address, value: U256) {
    chain
        .execute_sol(
            DEPLOYER,
            token,
            &OpenZeppelinToken::transferCall { to, value },
        )
        .unwrap();
}

fn artifact(path: &str) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../node_modules/@uniswap")
        .join(path);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `npm ci` first", path.display()));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    hex::decode(json["bytecode"].as_str().unwrap())
        .unwrap()
        .into()
}

/// Traders sell one of two tokens for the other, through the router.
fn swaps() -> Recording {
    let mut chain = MemoryChain::new(Rules::default());
    chain.begin_block(block(1));
    let factory = chain
        .deploy(
            DEPLOYER,
            &artifact("v2-core/build/UniswapV2Factory.json"),
            &DEPLOYER.abi_encode(),
        )
        .unwrap();
    let router = chain
        .deploy(
            DEPLOYER,
            &artifact("v2-periphery/build/UniswapV2Router02.json"),
            &(factory, NO_WRAPPER).abi_encode(),
        )
        .unwrap();
    let tokens = [token(&mut chain), token(&mut chain)];
    let amount = U256::from(10).pow(U256::from(24));
    let mut traders: Vec<Address> = (0..TRADERS).map(somebody).collect();
    for trader in &traders {
        for token in tokens {
            give(&mut chain, token, *trader, amount);
        }
    }
    traders.push(DEPLOYER);
    for trader in traders {
        for token in tokens {
            let approve = OpenZeppelinToken::approveCall {
                spender: router,
                value: U256::MAX,
            };
            chain.execute_sol(trader, token, &approve).unwrap();
        }
    }
    let add = addLiquidityCall {
        tokenA: tokens[0],
        tokenB: tokens[1],
        amountADesired: amount,
        amountBDesired: amount,
        amountAMin: U256::ZERO,
        amountBMin: U256::ZERO,
        to: DEPLOYER,
        deadline: U256::MAX,
    };
    chain.execute_sol(DEPLOYER, router, &add).unwrap();
    chain.end_block();

    chain.record();
    let mut draws = Stream::new(1, Purpose::NoiseTraders, 0);
    for swap in 0..SWAPS {
        if swap % SWAPS_A_BLOCK == 0 {
            chain.begin_block(block(2 + swap / SWAPS_A_BLOCK));
        }
        let trader = somebody(draws.below(TRADERS));
        let mut path = tokens.to_vec();
        if draws.chance(0.5) {
            path.reverse();
        }
        let call = swapExactTokensForTokensCall {
            amountIn: U256::from(1 + draws.below(1_000_000_000_000_000_000)),
            amountOutMin: U256::ZERO,
            path,
            to: trader,
            deadline: U256::MAX,
        };
        let transaction = Transaction {
            gas_limit: 300_000,
            ..Transaction::call(trader, router, call.abi_encode())
        };
        let execution = chain.execute(&transaction).unwrap();
        assert!(execution.is_success(), "{execution:?}");
    }
    chain.end_block();
    chain.take_recording()
}
