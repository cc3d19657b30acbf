//! What is read of the chain at the end of a block: from the port of the contracts, or from Aave's.

use alloy_primitives::U256;
use breakwater_agents::{Prices, Venue};
use breakwater_bindings::DampedPolicy;
use breakwater_evm::MemoryChain;

use crate::WorldKind;
use crate::chain_venue::ChainVenue;
use crate::config::{Policy, WorldParameters};
use crate::error::{During, SimError};
use crate::setup::{Addresses, Lender};
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
/// [`SimError::Call`], [`SimError::Port`], [`SimError::Engine`].
pub fn read(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    venue: &ChainVenue,
    lender: &Lender,
) -> Result<Reading, SimError> {
    let venue = venue.state(chain)?;
    let port = match lender {
        Lender::Breakwater(port) => port,
        Lender::Aave(market) => return market.read(chain, venue),
    };
    let prices = port.reading(chain, addresses)?;
    let books = port.books(chain, addresses)?;
    let debt_shares = f64::from(books.debt_shares);
    let debt = from_base(books.debt, DEBT_UNIT);
    Ok(Reading {
        prices: Prices {
            fast: from_base(prices.fast, PRICE_UNIT),
            slow: from_base(prices.slow, PRICE_UNIT),
            confirm: from_base(prices.confirm, PRICE_UNIT),
        },
        venue,
        breaker_level: port.level(chain, addresses)?.into(),
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
