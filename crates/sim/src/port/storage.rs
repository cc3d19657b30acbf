//! What oracle and breaker answer, from their storage and that of the feed, the venue and the debt token: no call is made.
//!
//! | contract | slot | bits, from the lowest | what |
//! |---|---|---|---|
//! | `TwapOracle` | 0, 1 | all | last record, checkpoint |
//! | `SimFeed` | 0 | 80–143 | when it was answered |
//! | `SimFeed` | 1 | all | the answer |
//! | `CircuitBreaker` | 3, 5 | all | mappings from a pool to its conditions, its timers |
//! | `SimToken` (solady) | a hash | all | a balance |

use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolValue;
use breakwater_bindings::{TwapOracle as OracleContract, UniswapV3Source as SourceContract};
use breakwater_evm::venue::Venue;
use breakwater_evm::{Chain, EvmError, MemoryChain};
use breakwater_protocol::oracle::{
    Integrals, PoolMemory, PoolObservation, Records, Round, TwapOracle, UniswapV3Source,
};
use breakwater_protocol::policy::BreakerLevel;
use breakwater_protocol::{Reading, breaker_level};

use super::astray;
use crate::chain_venue::ChainVenue;
use crate::error::{During, SimError};
use crate::setup::Addresses;
use crate::units::{COLLATERAL_DECIMALS, DEBT_DECIMALS, FEED_DECIMALS};

/// Decimals of 1e36, by which prices are scaled.
const PRICE_DECIMALS: u8 = 36;

const SLOT_1: U256 = U256::ONE;
const CONDITIONS: U256 = U256::from_limbs([3, 0, 0, 0]);
const TIMERS: U256 = U256::from_limbs([5, 0, 0, 0]);

/// The collateral's oracle with its feed and its venue.
#[derive(Clone, Copy, Debug)]
pub struct Oracle {
    address: Address,
    feed: Address,
    twap: TwapOracle,
    source: UniswapV3Source,
    venue: Venue,
    asset: Address,
    /// The slot of what the venue has of the debt token.
    held: U256,
}

/// The breaker, as to one pool.
#[derive(Clone, Copy, Debug)]
pub struct Breaker {
    address: Address,
    conditions: U256,
    timers: U256,
}

impl Oracle {
    /// Asks once for what cannot change.
    ///
    /// # Errors
    /// [`SimError::Call`], [`SimError::Port`] for one of another make.
    pub fn new(
        chain: &mut MemoryChain,
        addresses: &Addresses,
        venue: &ChainVenue,
    ) -> Result<Self, SimError> {
        let (caller, oracle) = (addresses.operator, addresses.oracle);
        let step = "read the oracle's parameters";
        macro_rules! ask {
            ($of:expr, $call:expr) => {
                chain.read_sol(caller, $of, &$call).during(step)?
            };
        }
        let quote = ask!(oracle, OracleContract::QUOTE_SOURCECall {});
        let source = ask!(oracle, OracleContract::VENUECall {});
        let pool = ask!(source, SourceContract::POOLCall {});
        if quote != Address::ZERO || pool != venue.pool() {
            return Err(astray(format!(
                "an oracle of the venue {pool} with the quote feed {quote}"
            )));
        }
        let whole = |number: U256| u64::try_from(number).map_err(astray);
        let decimals = PRICE_DECIMALS + DEBT_DECIMALS - COLLATERAL_DECIMALS - FEED_DECIMALS;
        Ok(Self {
            address: oracle,
            feed: ask!(oracle, OracleContract::BASE_SOURCECall {}),
            twap: TwapOracle {
                heartbeat: ask!(oracle, OracleContract::BASE_HEARTBEATCall {}),
                min_answer: ask!(oracle, OracleContract::BASE_MIN_ANSWERCall {}),
                max_answer: ask!(oracle, OracleContract::BASE_MAX_ANSWERCall {}),
                window: whole(ask!(oracle, OracleContract::WINDOWCall {}))?,
                step: whole(ask!(oracle, OracleContract::STEPCall {}))?.into(),
                stand_in_limit: whole(ask!(oracle, OracleContract::STAND_IN_LIMITCall {}))?,
                deployed_at: whole(ask!(oracle, OracleContract::DEPLOYED_ATCall {}))?,
                unit: ask!(oracle, OracleContract::PRICE_UNITCall {}),
                answer_unit: U256::from(10).pow(U256::from(decimals)),
            },
            source: UniswapV3Source {
                window: ask!(source, SourceContract::WINDOWCall {}),
                min_depth: ask!(source, SourceContract::MIN_DEPTHCall {}),
                collateral_is_token0: ask!(source, SourceContract::COLLATERAL_IS_TOKEN0Call {}),
            },
            venue: venue.venue,
            asset: addresses.asset,
            held: balance_slot(venue.pool()),
        })
    }

    /// `peek()` and `lastPrice()`.
    ///
    /// # Errors
    /// [`SimError::Engine`].
    pub fn reading(&self, chain: &MemoryChain) -> Result<Reading, SimError> {
        let records = Records {
            latest: chain.storage(self.address, U256::ZERO)?.into(),
            checkpoint: chain.storage(self.address, SLOT_1)?.into(),
        };
        let dated = chain.storage(self.feed, U256::ZERO)?;
        let round = Round {
            answer: chain.storage(self.feed, SLOT_1)?,
            updated_at: U256::from((dated >> 80_usize).as_limbs()[0]),
        };
        let over = self.remembered(chain)?;
        let average = over.and_then(|over| self.source.average_price(&over));
        let average = average.unwrap_or_default();
        let now = chain.block().timestamp;
        Ok(self.twap.peek(&records, &round, average, now))
    }

    /// `depth()`.
    ///
    /// # Errors
    /// [`SimError::Engine`].
    pub fn depth(&self, chain: &MemoryChain) -> Result<U256, SimError> {
        let held = chain.storage(self.asset, self.held)?;
        let over = self.remembered(chain)?;
        let depth = over.and_then(|over| self.source.depth(&over, held));
        Ok(depth.unwrap_or_default())
    }

    /// What the venue remembers of its window; nothing while it is too young.
    fn remembered(&self, chain: &MemoryChain) -> Result<Option<Integrals>, EvmError> {
        let state = self.venue.state(chain)?;
        let memory = PoolMemory {
            tick: state.tick.get(),
            liquidity: state.liquidity,
            index: state.observation_index,
            cardinality: state.observation_cardinality,
        };
        memory.over(self.source.window, chain.block().timestamp, |index| {
            let word = self.venue.observation(chain, index)?;
            Ok(PoolObservation::from(word))
        })
    }
}

impl Breaker {
    /// The breaker of the market at `addresses`.
    #[must_use]
    pub fn new(addresses: &Addresses) -> Self {
        let of_pool = |mapping: U256| keccak256((addresses.pool, mapping).abi_encode()).into();
        Self {
            address: addresses.breaker,
            conditions: of_pool(CONDITIONS),
            timers: of_pool(TIMERS),
        }
    }

    /// `levelOf(pool)`.
    ///
    /// # Errors
    /// [`SimError::Engine`].
    pub fn level(&self, chain: &MemoryChain) -> Result<BreakerLevel, SimError> {
        let conditions = chain.storage(self.address, self.conditions)?;
        let timers = chain.storage(self.address, self.timers)?;
        Ok(breaker_level(conditions, timers, chain.block().timestamp))
    }
}

/// Where a `SimToken` keeps what `owner` has.
#[must_use]
pub fn balance_slot(owner: Address) -> U256 {
    // What solady hashes: the owner, and its seed as 12 bytes.
    const SEED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0x87, 0xa2, 0x11, 0xa2];
    keccak256([owner.as_slice(), &SEED].concat()).into()
}

#[cfg(test)]
mod tests;
