//! The protocol's own calls and those of its venue, on the engine and on bare revm.

#[allow(dead_code)]
#[path = "../../../sim/tests/support/bench.rs"]
mod market;

use std::path::Path;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::{ILendingPool, LendingPool, RigidPolicy, SimToken};
use breakwater_evm::Chain;
use breakwater_sim::units::{COLLATERAL_UNIT, DEBT_UNIT, WAD, to_base};

use crate::bare::compare;
use crate::figure::{Figure, per_second, ratio};
use crate::peers::somebody;
use market::{Bench, LIQUIDATOR, Listing, OPERATOR};

const ACCOUNTS: u64 = 300;
/// Debt tokens per collateral.
const PRICE: f64 = 100.0;

pub fn measure(program: &Path) -> Vec<Figure> {
    let mut bench = ready();
    let (pool, tokens) = (bench.pool, [bench.collateral, bench.asset]);
    let mut figures = Vec::new();
    let mut told = |name: &str, bench: &mut Bench| {
        bench.chain.end_block();
        let compared = compare(program, &bench.chain.take_recording());
        let (ours, bare) = (compared.ours, compared.bare);
        figures.push(Figure::told(
            &format!("{name} / bare revm"),
            format!("{:.2}", ratio(bare, ours)),
            format!(
                "{} / {} a second",
                per_second(compared.transactions, ours),
                per_second(compared.transactions, bare)
            ),
        ));
    };

    bench.chain.record();
    for owner in owners() {
        let deposit = LendingPool::depositCall {
            assets: to_base(1_000.0, DEBT_UNIT),
            receiver: owner,
        };
        bench.send(owner, pool, &deposit);
    }
    told("deposit", &mut bench);

    for owner in owners() {
        let supply = ILendingPool::supplyCollateralCall {
            collateralId: U256::ZERO,
            amount: to_base(10.0, COLLATERAL_UNIT),
            account: owner,
            data: Bytes::new(),
        };
        bench.send(owner, pool, &supply);
    }
    bench.chain.record();
    for owner in owners() {
        let borrow = ILendingPool::borrowCall {
            assets: to_base(750.0, DEBT_UNIT),
            account: owner,
            receiver: owner,
        };
        bench.send(owner, pool, &borrow);
    }
    told("borrow", &mut bench);

    bench.move_to(0.88 * PRICE);
    bench.chain.record();
    for owner in owners() {
        let repaid = bench.liquidate(owner, to_base(200.0, DEBT_UNIT));
        assert!(repaid.is_some(), "{owner} is not liquidated");
    }
    told("liquidate", &mut bench);

    bench.chain.record();
    for number in 0..ACCOUNTS {
        let sold = tokens[(number % 2) as usize];
        let unit = if sold == tokens[0] {
            COLLATERAL_UNIT
        } else {
            DEBT_UNIT
        };
        let amount = to_base(1.0 + number as f64, unit);
        let call = bench
            .venue
            .venue
            .swap(sold, amount, None, U256::ZERO, LIQUIDATOR);
        bench.send(LIQUIDATOR, call.to, &call.call);
    }
    told("venue swap", &mut bench);
    figures
}

fn owners() -> impl Iterator<Item = Address> {
    (0..ACCOUNTS).map(somebody)
}

/// A pool and a venue, and owners who have tokens and let the pool take them.
fn ready() -> Bench {
    let bonus = RigidPolicy::constructorCall {
        bonus: to_base(0.05, WAD),
    }
    .abi_encode();
    let policy = [RigidPolicy::BYTECODE.to_vec(), bonus].concat();
    let listing = Listing {
        ltv: 8_000,
        threshold: 8_300,
        max_bonus: 500,
    };
    let mut bench = Bench::new(PRICE, 1e6, policy.into(), listing);
    let tokens = [bench.collateral, bench.asset];
    let pool = bench.pool;
    for owner in owners() {
        for token in tokens {
            let mint = SimToken::mintCall {
                to: owner,
                amount: U256::from(1_u128 << 100),
            };
            bench.send(OPERATOR, token, &mint);
            let approve = SimToken::approveCall {
                spender: pool,
                amount: U256::MAX,
            };
            bench.send(owner, token, &approve);
        }
    }
    bench
}
