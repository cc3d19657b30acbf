//! The venue on the chain: Uniswap v3 core's own bytecode, with real positions over the full range.

use alloy_primitives::{
    Address, Bytes, I256, Log, U256,
    aliases::{I24, U24},
};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_agents::Venue;
use breakwater_bindings::{UniswapV3Factory, UniswapV3Pool, VenueRouter};
use breakwater_evm::{Chain, MemoryChain};

use crate::error::{During, SimError};
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, from_sqrt_x96, liquidity_unit, to_sqrt_x96};

/// The largest tick of Uniswap v3.
const MAX_TICK: i32 = 887_272;

/// The tick spacing of a fee that the factory does not know.
const DEFAULT_SPACING: i32 = 60;

/// Observations that the venue remembers: an hour of blocks with one each.
const OBSERVATIONS: u16 = 300;

/// Where Uniswap v3's pool keeps its root price (with tick and observation indices above it), and its active liquidity.
const SLOT0: U256 = U256::ZERO;
const LIQUIDITY_SLOT: U256 = U256::from_limbs([4, 0, 0, 0]);

/// More than any trade takes, base units.
const MOST: U256 = U256::from_limbs([0, 1 << 40, 0, 0]);

/// The venue.
#[derive(Clone, Copy, Debug)]
pub struct ChainVenue {
    /// The Uniswap v3 pool.
    pub pool: Address,
    /// The router that all but liquidators use.
    pub router: Address,
    /// Whether the collateral is the pool's token0.
    pub collateral_is_token0: bool,
    fee: f64,
    edge: i32,
}

/// One swap as its event tells it, in agents' units; what the venue received is positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swap {
    /// Collateral that the venue received.
    pub collateral: f64,
    /// Debt tokens that the venue received.
    pub debt: f64,
    /// √P afterwards.
    pub sqrt_price: f64,
}

impl ChainVenue {
    /// Creates factory, pool and router, and sets the first price.
    ///
    /// # Errors
    /// [`SimError::Call`].
    pub fn create(
        chain: &mut MemoryChain,
        operator: Address,
        (collateral, asset): (Address, Address),
        fee: u32,
        sqrt_price: f64,
    ) -> Result<Self, SimError> {
        let factory = chain
            .deploy(operator, &UniswapV3Factory::BYTECODE, &[])
            .during("deploy the factory")?;
        let fee_units = U24::from(fee);
        let known = chain
            .call_sol(
                operator,
                factory,
                &UniswapV3Factory::feeAmountTickSpacingCall(fee_units),
            )
            .during("read the fee's tick spacing")?;
        let spacing = if known == I24::ZERO {
            DEFAULT_SPACING
        } else {
            known.as_i32()
        };
        if known == I24::ZERO {
            let tick_spacing = I24::try_from(DEFAULT_SPACING).unwrap_or(I24::ONE);
            let enable = UniswapV3Factory::enableFeeAmountCall {
                fee: fee_units,
                tickSpacing: tick_spacing,
            };
            chain
                .execute_sol(operator, factory, &enable)
                .during("enable the fee")?;
        }
        let create = UniswapV3Factory::createPoolCall {
            tokenA: collateral,
            tokenB: asset,
            fee: fee_units,
        };
        let pool = chain
            .execute_sol(operator, factory, &create)
            .during("create the venue")?;
        let router = chain
            .deploy(operator, &VenueRouter::BYTECODE, &[])
            .during("deploy the router")?;
        let collateral_is_token0 = collateral < asset;
        let initialize = UniswapV3Pool::initializeCall {
            sqrtPriceX96: to_sqrt_x96(sqrt_price, collateral_is_token0),
        };
        chain
            .execute_sol(operator, pool, &initialize)
            .during("set the venue's first price")?;
        let grow = UniswapV3Pool::increaseObservationCardinalityNextCall {
            observationCardinalityNext: OBSERVATIONS,
        };
        chain
            .execute_sol(operator, pool, &grow)
            .during("grow the venue's memory")?;
        Ok(Self {
            pool,
            router,
            collateral_is_token0,
            fee: f64::from(fee) / 1e6,
            edge: MAX_TICK / spacing * spacing,
        })
    }

    /// Adds full-range liquidity for `provider`, in agents' units.
    ///
    /// # Errors
    /// [`SimError::Call`].
    pub fn add(
        &self,
        chain: &mut MemoryChain,
        provider: Address,
        liquidity: f64,
    ) -> Result<(), SimError> {
        let (to, call) = self.provide_call(liquidity);
        let transaction = breakwater_evm::Transaction::call(provider, to, call);
        chain
            .execute(&transaction)?
            .into_success()
            .during("provide liquidity")?;
        Ok(())
    }

    /// The state as agents see it, peeked from storage.
    ///
    /// # Errors
    /// [`SimError::Engine`].
    pub fn state(&self, chain: &MemoryChain) -> Result<Venue, SimError> {
        let slot0 = chain.storage(self.pool, SLOT0)?;
        let liquidity = chain.storage(self.pool, LIQUIDITY_SLOT)?;
        let root: U256 = slot0 & ((U256::from(1) << 160) - U256::from(1));
        Ok(Venue {
            sqrt_price: from_sqrt_x96(
                root.to::<alloy_primitives::U160>(),
                self.collateral_is_token0,
            ),
            liquidity: f64::from(liquidity) / liquidity_unit(),
            fee: self.fee,
        })
    }

    /// Where to send what, to add (positive) or withdraw (negative) full-range liquidity, in agents' units. What is
    /// withdrawn stays owed to the provider; nobody collects it.
    #[must_use]
    pub fn provide_call(&self, liquidity: f64) -> (Address, Bytes) {
        let amount = (liquidity.abs() * liquidity_unit()) as u128;
        let (tick_lower, tick_upper) = self.range();
        if liquidity >= 0.0 {
            let mint = VenueRouter::mintCall {
                pool: self.pool,
                tickLower: tick_lower,
                tickUpper: tick_upper,
                liquidity: amount,
            };
            (self.router, mint.abi_encode().into())
        } else {
            let burn = UniswapV3Pool::burnCall {
                tickLower: tick_lower,
                tickUpper: tick_upper,
                amount,
            };
            (self.pool, burn.abi_encode().into())
        }
    }

    /// Calldata for the router: trade until the price is `price`, for `trader`'s account. Reverts if it is beyond already.
    #[must_use]
    pub fn trade_call(&self, trader: Address, sell: bool, price: f64) -> Bytes {
        VenueRouter::swapCall {
            pool: self.pool,
            zeroForOne: sell == self.collateral_is_token0,
            amount: MOST,
            sqrtPriceLimitX96: to_sqrt_x96(price.sqrt(), self.collateral_is_token0),
            minimumReceived: U256::ZERO,
            recipient: trader,
        }
        .abi_encode()
        .into()
    }

    /// The swap that a log tells of, if it is one on this venue.
    #[must_use]
    pub fn swap(&self, log: &Log) -> Option<Swap> {
        if log.address != self.pool {
            return None;
        }
        let event = UniswapV3Pool::Swap::decode_log(log).ok()?.data;
        let (collateral, debt) = if self.collateral_is_token0 {
            (event.amount0, event.amount1)
        } else {
            (event.amount1, event.amount0)
        };
        Some(Swap {
            collateral: signed(collateral) / COLLATERAL_UNIT,
            debt: signed(debt) / DEBT_UNIT,
            sqrt_price: from_sqrt_x96(event.sqrtPriceX96, self.collateral_is_token0),
        })
    }

    fn range(&self) -> (I24, I24) {
        let edge = I24::try_from(self.edge).unwrap_or(I24::ZERO);
        (-edge, edge)
    }
}

fn signed(amount: I256) -> f64 {
    let magnitude = f64::from(amount.unsigned_abs());
    if amount.is_negative() {
        -magnitude
    } else {
        magnitude
    }
}
