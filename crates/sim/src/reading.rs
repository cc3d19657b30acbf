//! What is read of the chain at the end of a block, from the contracts themselves.

use alloy_primitives::U256;
use breakwater_agents::{Prices, Venue};
use breakwater_bindings::{DampedPolicy, ICircuitBreaker, ILendingPool, IPriceOracle};
use breakwater_evm::MemoryChain;

use crate::WorldKind;
use crate::chain_venue::ChainVenue;
use crate::config::{Policy, WorldParameters};
use crate::error::{During, SimError};
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
) -> Result<Reading, SimError> {
    if let Some(market) = &addresses.aave {
        let venue = venue.state(chain)?;
        return market.read(chain, venue);
    }
    let caller = addresses.operator;
    let prices = chain
        .read_sol(caller, addresses.oracle, &IPriceOracle::peekCall {})
        .during("read the oracle")?;
    let market = chain
        .read_sol(caller, addresses.pool, &ILendingPool::marketStateCall {})
        .during("read the market")?;
    let level = chain
        .read_sol(
            caller,
            addresses.breaker,
            &ICircuitBreaker::levelOfCall {
                pool: addresses.pool,
            },
        )
        .during("read the breaker")?;
    let bucket = if kind == WorldKind::Policy(Policy::Damped) {
        let call = DampedPolicy::bucketOfCall {
            pool: addresses.pool,
            collateralId: U256::ZERO,
        };
        let bucket = chain
            .read_sol(caller, addresses.policy, &call)
            .during("read the bucket")?;
        (
            from_base(bucket.level, DEBT_UNIT),
            from_base(bucket.cap, DEBT_UNIT),
        )
    } else {
        (0.0, 0.0)
    };
    let debt_shares = f64::from(market.debtShares);
    Ok(Reading {
        prices: Prices {
            fast: from_base(prices.fast, PRICE_UNIT),
            slow: from_base(prices.slow, PRICE_UNIT),
            confirm: from_base(prices.confirm, PRICE_UNIT),
        },
        venue: venue.state(chain)?,
        breaker_level: level,
        bucket,
        debt_index: if debt_shares > 0.0 {
            from_base(market.totalDebt, DEBT_UNIT) / debt_shares
        } else {
            0.0
        },
        debt: from_base(market.totalDebt, DEBT_UNIT),
        lender_assets: from_base(market.lenderAssets, DEBT_UNIT),
        cash: from_base(market.cash, DEBT_UNIT),
    })
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
