//! What the contracts themselves answer to what the port is asked.

use alloy_primitives::{Address, U256};
use breakwater_bindings::{DampedPolicy, ICircuitBreaker, ILendingPool, IPriceOracle, SimToken};
use breakwater_evm::{CallError, MemoryChain};
use breakwater_protocol::policy::{BreakerLevel, LiquidationGrant};
use breakwater_protocol::{AccountHealth, Reading};

use super::{Books, astray};
use crate::error::{During, SimError};
use crate::setup::Addresses;

/// `peek()` and `lastPrice()` of the collateral's oracle.
pub fn reading(chain: &mut MemoryChain, addresses: &Addresses) -> Result<Reading, SimError> {
    let (caller, oracle) = (addresses.operator, addresses.oracle);
    let prices = chain
        .read_sol(caller, oracle, &IPriceOracle::peekCall {})
        .during("read the oracle")?;
    let last = chain
        .read_sol(caller, oracle, &IPriceOracle::lastPriceCall {})
        .during("read the last price")?;
    Reading::new(&prices, last).map_err(astray)
}

/// `depth()` of the collateral's oracle; what cannot be read counts as 0.
pub fn depth(chain: &mut MemoryChain, addresses: &Addresses) -> U256 {
    chain
        .read_sol(
            addresses.operator,
            addresses.oracle,
            &IPriceOracle::depthCall {},
        )
        .unwrap_or_default()
}

/// The breaker's level.
pub fn level(chain: &mut MemoryChain, addresses: &Addresses) -> Result<BreakerLevel, SimError> {
    let call = ICircuitBreaker::levelOfCall {
        pool: addresses.pool,
    };
    let level = chain
        .read_sol(addresses.operator, addresses.breaker, &call)
        .during("read the breaker")?;
    BreakerLevel::try_from(level).map_err(astray)
}

/// The pool's books, and the policy's bucket if it is `bucketed`.
pub fn books(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    bucketed: bool,
) -> Result<Books, SimError> {
    let caller = addresses.operator;
    let market = chain
        .read_sol(caller, addresses.pool, &ILendingPool::marketStateCall {})
        .during("read the market")?;
    let mut books = Books {
        debt: market.totalDebt,
        debt_shares: market.debtShares,
        lender_assets: market.lenderAssets,
        cash: market.cash,
        bucket: (U256::ZERO, U256::ZERO),
    };
    if bucketed {
        let call = DampedPolicy::bucketOfCall {
            pool: addresses.pool,
            collateralId: U256::ZERO,
        };
        let bucket = chain
            .read_sol(caller, addresses.policy, &call)
            .during("read the bucket")?;
        books.bucket = (bucket.level, bucket.cap);
    }
    Ok(books)
}

/// What the pool grants who would repay everything; `None` where it reverts.
pub fn quote(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    account: Address,
) -> Result<Option<LiquidationGrant>, SimError> {
    let call = ILendingPool::quoteLiquidationCall {
        account,
        collateralId: U256::ZERO,
        maxRepay: U256::MAX,
    };
    match chain.read_sol(addresses.operator, addresses.pool, &call) {
        Ok(answer) => Ok(Some(LiquidationGrant {
            repay: answer.grant.repay,
            seize: answer.grant.seize,
            bonus: answer.grant.bonus,
            refusal: answer.grant.refusal.try_into().map_err(astray)?,
        })),
        Err(CallError::Evm(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// An account's health.
pub fn health(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    account: Address,
) -> Result<AccountHealth, SimError> {
    let call = ILendingPool::accountHealthCall { account };
    let health = chain
        .read_sol(addresses.operator, addresses.pool, &call)
        .during("read an account's health")?;
    Ok(AccountHealth {
        debt: health.debt,
        collateral_value: health.collateralValue,
        borrow_limit: health.borrowLimit,
        health_fast: health.healthFast,
        health_confirmed: health.healthConfirmed,
        health_hard: health.healthHard,
        price_down: health.priceDown,
    })
}

/// What `owner` has of the debt token.
pub fn balance(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    owner: Address,
) -> Result<U256, SimError> {
    chain
        .read_sol(
            addresses.operator,
            addresses.asset,
            &SimToken::balanceOfCall { owner },
        )
        .during("read a balance")
}
