//! What is read of the chain at the end of a block: of its books from their port where there is one, the rest from the contracts.

use alloy_primitives::U256;
use breakwater_agents::{Prices, Venue};
use breakwater_bindings::{DampedPolicy, ICircuitBreaker, ILendingPool, IPriceOracle};
use breakwater_evm::{Chain, MemoryChain};

use crate::WorldKind;
use crate::chain_venue::ChainVenue;
use crate::config::{Policy, WorldParameters};
use crate::error::{During, SimError};
use crate::port::{self, Books, Port};
use crate::setup::Addresses;
use crate::units::{DEBT_UNIT, PRICE_UNIT, WAD, from_base, to_base};

/// The chain at the end of a block, in agents' units.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The oracle.
    pub prices: Prices,
    /// The venue.
    pub venue: Venue,
    /// The breaker's level, 0 to 3.
    pub breaker_level: u8,
    /// The bucket's level and capacity; 0 without one.
    pub bucket: (f64, f64),
    /// Whole debt tokens per debt share.
    pub debt_index: f64,
    /// All debt.
    pub debt: f64,
    /// What lenders are owed.
    pub lender_assets: f64,
    /// The debt token that the pool holds.
    pub cash: f64,
}

/// Reads the chain.
///
/// # Errors
/// [`SimError::Call`].
pub fn read(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    venue: &ChainVenue,
    kind: WorldKind,
    port: Option<&Port>,
) -> Result<Reading, SimError> {
    if let Some(market) = &addresses.aave {
        let venue = venue.state(chain)?;
        return market.read(chain, venue);
    }
    let caller = addresses.operator;
    let prices = chain
        .read_sol(caller, addresses.oracle, &IPriceOracle::peekCall {})
        .during("read the oracle")?;
    let books = match port {
        Some(port) if !cfg!(debug_assertions) => port.books(chain.block().timestamp),
        Some(port) => {
            let books = port.books(chain.block().timestamp);
            port::agree("its books", &books, &read_books(chain, addresses, kind)?)?;
            books
        }
        None => read_books(chain, addresses, kind)?,
    };
    let debt_shares = f64::from(books.debt_shares);
    let debt = from_base(books.debt, DEBT_UNIT);
    Ok(Reading {
        prices: Prices {
            fast: from_base(prices.fast, PRICE_UNIT),
            slow: from_base(prices.slow, PRICE_UNIT),
            confirm: from_base(prices.confirm, PRICE_UNIT),
        },
        venue: venue.state(chain)?,
        breaker_level: breaker_level(chain, addresses)?,
        bucket: (
            from_base(books.bucket.0, DEBT_UNIT),
            from_base(books.bucket.1, DEBT_UNIT),
        ),
        debt_index: if debt_shares > 0.0 {
            debt / debt_shares
        } else {
            0.0
        },
        debt,
        lender_assets: from_base(books.lender_assets, DEBT_UNIT),
        cash: from_base(books.cash, DEBT_UNIT),
    })
}

/// The breaker's level, 0 to 3.
///
/// # Errors
/// [`SimError::Call`].
pub fn breaker_level(chain: &mut MemoryChain, addresses: &Addresses) -> Result<u8, SimError> {
    let call = ICircuitBreaker::levelOfCall {
        pool: addresses.pool,
    };
    chain
        .read_sol(addresses.operator, addresses.breaker, &call)
        .during("read the breaker")
}

fn read_books(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    kind: WorldKind,
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
    if kind == WorldKind::Policy(Policy::Damped) {
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

/// The bonus that an auction grants in its first minute; 0 where bonuses do not wait.
///
/// # Errors
/// [`SimError::Call`].
pub fn first_bonus(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    parameters: &WorldParameters,
    kind: WorldKind,
) -> Result<f64, SimError> {
    if kind != WorldKind::Policy(Policy::Damped) {
        return Ok(0.0);
    }
    let call = DampedPolicy::bonusAfterCall {
        elapsed: U256::from(60),
        maxBonus: to_base(parameters.collateral.max_bonus, WAD),
    };
    let bonus = chain
        .read_sol(addresses.operator, addresses.policy, &call)
        .during("read the first bonus")?;
    Ok(from_base(bonus, WAD))
}
