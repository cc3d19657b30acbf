//! A market on a chain: a pool of Uniswap v3 core, from the bytecode in its npm artifacts, and the router to it.

mod price;
mod slots;

pub use price::{PriceError, SqrtPriceX96, Tick, TickRange, liquidity_for_amounts};
pub use slots::PoolState;

use crate::{CallError, Chain, EvmError, TypedCall};
use alloy_primitives::{
    Address, U256,
    aliases::{I24, U24, U160},
};
use breakwater_bindings::{UniswapV3Factory, UniswapV3Pool, VenueRouter};
use thiserror::Error;

/// What a venue is to be.
#[derive(Clone, Debug)]
pub struct VenueParameters {
    /// Owns the factory.
    pub deployer: Address,
    /// The token that the price is of.
    pub base: Address,
    /// The token that the price is in.
    pub quote: Address,
    /// This much of the base...
    pub base_amount: U256,
    /// ...is worth this much of the quote; base units both.
    pub quote_amount: U256,
    /// Hundredths of a basis point, below 1,000,000; 0 is allowed.
    pub fee: u32,
    /// Ticks between possible ends of positions; taken for fees that the factory does not know by itself (500, 3,000 and
    /// 10,000 have 10, 60 and 200). Within 1 and 16,383.
    pub tick_spacing: i32,
    /// Price observations to keep, at least 1; each costs a storage slot up front.
    pub observation_cardinality: u16,
}

/// Why a venue could not be deployed.
#[derive(Debug, Error)]
pub enum VenueError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The pool cannot hold the price.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The fee or the tick spacing is not one that a factory takes.
    #[error("a fee of {fee} with a tick spacing of {tick_spacing} is not possible")]
    Parameters {
        /// As given.
        fee: u32,
        /// As given.
        tick_spacing: i32,
    },
}

/// A pool and the router to it. Cheap to copy; the state is the chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Venue {
    /// The pool.
    pub pool: Address,
    /// The router. Who swaps or mints approves it for what it pays.
    pub router: Address,
    /// The token with the lower address.
    pub token0: Address,
    /// The token with the higher address.
    pub token1: Address,
    /// Hundredths of a basis point.
    pub fee: u32,
    /// Ticks between possible ends of positions.
    pub tick_spacing: i32,
}

impl Venue {
    /// Deploys a factory, a pool at the price, and a router.
    ///
    /// # Errors
    /// [`VenueError`].
    pub fn deploy(
        chain: &mut impl Chain,
        parameters: &VenueParameters,
    ) -> Result<Self, VenueError> {
        let VenueParameters {
            deployer,
            base,
            quote,
            fee,
            tick_spacing,
            ..
        } = *parameters;
        let invalid = || VenueError::Parameters { fee, tick_spacing };
        let fee_argument = U24::try_from(fee).map_err(|_| invalid())?;
        let spacing_argument = I24::try_from(tick_spacing).map_err(|_| invalid())?;

        let factory = chain.deploy(deployer, &UniswapV3Factory::BYTECODE, &[])?;
        let known = UniswapV3Factory::feeAmountTickSpacingCall(fee_argument);
        let mut spacing = chain.call_sol(deployer, factory, &known)?;
        if spacing.is_zero() {
            if fee >= 1_000_000 || !(1..16_384).contains(&tick_spacing) {
                return Err(invalid());
            }
            let enable = UniswapV3Factory::enableFeeAmountCall {
                fee: fee_argument,
                tickSpacing: spacing_argument,
            };
            chain.execute_sol(deployer, factory, &enable)?;
            spacing = spacing_argument;
        }
        let create = UniswapV3Factory::createPoolCall {
            tokenA: base,
            tokenB: quote,
            fee: fee_argument,
        };
        let pool = chain.execute_sol(deployer, factory, &create)?;
        let router = chain.deploy(deployer, &VenueRouter::BYTECODE, &[])?;
        let (token0, token1) = if base < quote {
            (base, quote)
        } else {
            (quote, base)
        };
        let venue = Self {
            pool,
            router,
            token0,
            token1,
            fee,
            tick_spacing: spacing.as_i32(),
        };

        let price = venue.sqrt_price(base, parameters.base_amount, parameters.quote_amount)?;
        chain.execute_sol(
            deployer,
            pool,
            &UniswapV3Pool::initializeCall {
                sqrtPriceX96: price.get(),
            },
        )?;
        if parameters.observation_cardinality > 1 {
            let next = parameters.observation_cardinality;
            let grow = UniswapV3Pool::increaseObservationCardinalityNextCall {
                observationCardinalityNext: next,
            };
            chain.execute_sol(deployer, pool, &grow)?;
        }
        Ok(venue)
    }

    /// The pool's price at which `amount` of `token`, one of its two, is worth `worth` of the other.
    ///
    /// # Errors
    /// [`PriceError`].
    pub fn sqrt_price(
        &self,
        token: Address,
        amount: U256,
        worth: U256,
    ) -> Result<SqrtPriceX96, PriceError> {
        if token == self.token0 {
            SqrtPriceX96::from_amounts(worth, amount)
        } else {
            SqrtPriceX96::from_amounts(amount, worth)
        }
    }

    /// The price of one base unit of `token`, one of the pool's two, in base units of the other.
    #[must_use]
    pub fn price_of(&self, token: Address, price: SqrtPriceX96) -> f64 {
        if token == self.token0 {
            price.to_f64()
        } else {
            price.to_f64().recip()
        }
    }

    /// All prices.
    #[must_use]
    pub const fn full_range(&self) -> TickRange {
        TickRange::full(self.tick_spacing)
    }

    /// What the pool stands at now, by peeking its storage.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    pub fn state(&self, chain: &impl Chain) -> Result<PoolState, EvmError> {
        PoolState::read(chain, self.pool)
    }

    /// Fees earned so far per unit of liquidity in token0 and token1, times 2^128, modulo 2^256, by peeking.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    pub fn fee_growth_x128(&self, chain: &impl Chain) -> Result<(U256, U256), EvmError> {
        slots::fee_growth(chain, self.pool)
    }

    /// A price observation of the ring as it is stored: one word, by peeking.
    ///
    /// # Errors
    /// [`EvmError::Engine`].
    pub fn observation(&self, chain: &impl Chain, index: u16) -> Result<U256, EvmError> {
        slots::observation(chain, self.pool, index)
    }

    /// Sells up to `amount` of `token` for at least `minimum_received` of the other, no further than `limit`.
    #[must_use]
    pub fn swap(
        &self,
        token: Address,
        amount: U256,
        limit: Option<SqrtPriceX96>,
        minimum_received: U256,
        recipient: Address,
    ) -> TypedCall<VenueRouter::swapCall> {
        TypedCall {
            to: self.router,
            call: VenueRouter::swapCall {
                pool: self.pool,
                zeroForOne: token == self.token0,
                amount,
                sqrtPriceLimitX96: limit.map_or(U160::ZERO, SqrtPriceX96::get),
                minimumReceived: minimum_received,
                recipient,
            },
        }
    }

    /// Moves the price to `price`, or as far as `maximum_paid` of the token that this takes goes.
    #[must_use]
    pub fn swap_to_price(
        &self,
        price: SqrtPriceX96,
        maximum_paid: U256,
        recipient: Address,
    ) -> TypedCall<VenueRouter::swapToPriceCall> {
        TypedCall {
            to: self.router,
            call: VenueRouter::swapToPriceCall {
                pool: self.pool,
                sqrtPriceX96: price.get(),
                maximumPaid: maximum_paid,
                recipient,
            },
        }
    }

    /// Adds liquidity to the sender's own position.
    #[must_use]
    pub fn mint(&self, range: TickRange, liquidity: u128) -> TypedCall<VenueRouter::mintCall> {
        TypedCall {
            to: self.router,
            call: VenueRouter::mintCall {
                pool: self.pool,
                tickLower: range.lower().into(),
                tickUpper: range.upper().into(),
                liquidity,
            },
        }
    }

    /// Takes liquidity out of the sender's position; what it frees, fees included, waits to be collected. With 0 it only
    /// brings the fees up to date.
    #[must_use]
    pub fn burn(&self, range: TickRange, liquidity: u128) -> TypedCall<UniswapV3Pool::burnCall> {
        TypedCall {
            to: self.pool,
            call: UniswapV3Pool::burnCall {
                tickLower: range.lower().into(),
                tickUpper: range.upper().into(),
                amount: liquidity,
            },
        }
    }

    /// Pays out all that waits in the sender's position.
    #[must_use]
    pub fn collect(
        &self,
        range: TickRange,
        recipient: Address,
    ) -> TypedCall<UniswapV3Pool::collectCall> {
        TypedCall {
            to: self.pool,
            call: UniswapV3Pool::collectCall {
                recipient,
                tickLower: range.lower().into(),
                tickUpper: range.upper().into(),
                amount0Requested: u128::MAX,
                amount1Requested: u128::MAX,
            },
        }
    }
}
