//! The venue on the chain in agents' units: Uniswap v3 core's own bytecode, with real positions over the full range.

use alloy_primitives::{Address, Bytes, I256, Log, U256};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_bindings::UniswapV3Pool;
use breakwater_evm::venue::{PoolState, SqrtPriceX96, Venue, VenueError, VenueParameters};
use breakwater_evm::{CallError, Chain, MemoryChain, Transaction, TypedCall};

use crate::error::{During, SimError};
use crate::units::{
    COLLATERAL_UNIT, DEBT_UNIT, from_sqrt_x96, liquidity_unit, to_base, to_sqrt_x96,
};

/// The tick spacing of a fee that the factory does not know.
const DEFAULT_SPACING: i32 = 60;

/// Observations that the venue remembers: an hour of blocks with one each.
const OBSERVATIONS: u16 = 300;

/// More than any trade takes, base units.
const MOST: U256 = U256::from_limbs([0, 1 << 40, 0, 0]);

/// The venue.
#[derive(Clone, Copy, Debug)]
pub struct ChainVenue {
    /// Where it is.
    pub venue: Venue,
    /// The collateral token.
    pub collateral: Address,
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
    /// Deploys the venue at a first price.
    ///
    /// # Errors
    /// [`SimError::Call`], [`SimError::Input`] for a price or fee that it cannot have.
    pub fn create(
        chain: &mut MemoryChain,
        operator: Address,
        (collateral, asset): (Address, Address),
        fee: u32,
        sqrt_price: f64,
    ) -> Result<Self, SimError> {
        let parameters = VenueParameters {
            deployer: operator,
            base: collateral,
            quote: asset,
            // A million tokens, so that a debt token of few decimals resolves the price.
            base_amount: to_base(1e6, COLLATERAL_UNIT),
            quote_amount: to_base(1e6 * sqrt_price * sqrt_price, DEBT_UNIT),
            fee,
            tick_spacing: DEFAULT_SPACING,
            observation_cardinality: OBSERVATIONS,
        };
        let venue = Venue::deploy(chain, &parameters).map_err(|error| match error {
            VenueError::Call(source) => SimError::Call {
                step: "deploy the venue".to_owned(),
                source,
            },
            other => SimError::Input(format!("the venue: {other}")),
        })?;
        Ok(Self { venue, collateral })
    }

    /// The Uniswap v3 pool.
    #[must_use]
    pub const fn pool(&self) -> Address {
        self.venue.pool
    }

    /// The router that all but liquidators use.
    #[must_use]
    pub const fn router(&self) -> Address {
        self.venue.router
    }

    /// Whether the collateral is the pool's token0.
    #[must_use]
    pub fn collateral_is_token0(&self) -> bool {
        self.collateral == self.venue.token0
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
        let execution = chain
            .execute(&Transaction::call(provider, to, call))
            .map_err(CallError::from);
        execution
            .and_then(breakwater_evm::Execution::into_success)
            .during("provide liquidity")?;
        Ok(())
    }

    /// The state as agents see it, peeked from storage.
    ///
    /// # Errors
    /// [`SimError::Engine`].
    pub fn state(&self, chain: &MemoryChain) -> Result<breakwater_agents::Venue, SimError> {
        Ok(self.seen(&self.venue.state(chain)?))
    }

    /// A state as agents see it.
    #[must_use]
    pub fn seen(&self, state: &PoolState) -> breakwater_agents::Venue {
        breakwater_agents::Venue {
            sqrt_price: from_sqrt_x96(state.sqrt_price.get(), self.collateral_is_token0()),
            liquidity: state.liquidity as f64 / liquidity_unit(),
            fee: f64::from(self.venue.fee) / 1e6,
        }
    }

    /// Where to send what, to add (positive) or withdraw (negative) full-range liquidity, in agents' units. What is
    /// withdrawn stays owed to the provider; nobody collects it.
    #[must_use]
    pub fn provide_call(&self, liquidity: f64) -> (Address, Bytes) {
        let amount = (liquidity.abs() * liquidity_unit()) as u128;
        let range = self.venue.full_range();
        if liquidity >= 0.0 {
            encoded(&self.venue.mint(range, amount))
        } else {
            encoded(&self.venue.burn(range, amount))
        }
    }

    /// Where to send what, to trade until `amount` is given (collateral if it is sold, debt tokens if it is bought) or the
    /// price is `price`, for `trader`'s account. Reverts if it is beyond already.
    ///
    /// # Errors
    /// [`SimError::Input`] for a price that the venue cannot have.
    pub fn trade_call(
        &self,
        trader: Address,
        sell: bool,
        amount: Option<f64>,
        price: f64,
    ) -> Result<(Address, Bytes), SimError> {
        let unit = if sell { COLLATERAL_UNIT } else { DEBT_UNIT };
        let root = to_sqrt_x96(price.sqrt(), self.collateral_is_token0());
        let limit = SqrtPriceX96::new(U256::from(root))
            .map_err(|error| SimError::Input(format!("a venue price of {price}: {error}")))?;
        Ok(encoded(&self.venue.swap(
            self.sold(sell),
            amount.map_or(MOST, |amount| to_base(amount, unit)),
            Some(limit),
            U256::ZERO,
            trader,
        )))
    }

    /// The swap that a log tells of, if it is one on this venue.
    #[must_use]
    pub fn swap(&self, log: &Log) -> Option<Swap> {
        if log.address != self.pool() {
            return None;
        }
        let event = UniswapV3Pool::Swap::decode_log(log).ok()?.data;
        let (collateral, debt) = if self.collateral_is_token0() {
            (event.amount0, event.amount1)
        } else {
            (event.amount1, event.amount0)
        };
        Some(Swap {
            collateral: signed(collateral) / COLLATERAL_UNIT,
            debt: signed(debt) / DEBT_UNIT,
            sqrt_price: from_sqrt_x96(event.sqrtPriceX96, self.collateral_is_token0()),
        })
    }

    /// The token that a sale of collateral, or a purchase, gives.
    fn sold(&self, sell: bool) -> Address {
        if sell == self.collateral_is_token0() {
            self.venue.token0
        } else {
            self.venue.token1
        }
    }
}

fn encoded<C: SolCall>(call: &TypedCall<C>) -> (Address, Bytes) {
    (call.to, call.call.abi_encode().into())
}

fn signed(amount: I256) -> f64 {
    let magnitude = f64::from(amount.unsigned_abs());
    if amount.is_negative() {
        -magnitude
    } else {
        magnitude
    }
}
