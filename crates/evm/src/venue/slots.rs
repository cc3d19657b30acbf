//! Where a Uniswap v3 pool keeps what is read often (`UniswapV3Pool.sol` of v3-core 1.0.1, in order of declaration):
//!
//! | slot | bits, from the lowest | what |
//! |---|---|---|
//! | 0 | 0–159 | `sqrtPriceX96` |
//! | 0 | 160–183 | `tick`, signed |
//! | 0 | 184–199 | `observationIndex` |
//! | 0 | 200–215 | `observationCardinality` |
//! | 0 | 216–231 | `observationCardinalityNext` |
//! | 0 | 232–239 | `feeProtocol` |
//! | 0 | 240–247 | `unlocked` |
//! | 1, 2 | all | fee growth in token0, token1, X128 |
//! | 3 | 0–127, 128–255 | protocol fees in token0, token1 |
//! | 4 | 0–127 | liquidity in range |
//! | 8 + i | all | price observation i of the ring |

use crate::{
    Chain, EvmError,
    venue::{SqrtPriceX96, Tick},
};
use alloy_primitives::{Address, U256};

/// What a pool stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// The price.
    pub sqrt_price: SqrtPriceX96,
    /// The tick that the price is in. On the edge of two it may be the lower one, after a swap that stopped there on its
    /// way down.
    pub tick: Tick,
    /// Where the last price observation is in the ring.
    pub observation_index: u16,
    /// Observations that the ring holds.
    pub observation_cardinality: u16,
    /// Observations that the ring is growing to.
    pub observation_cardinality_next: u16,
    /// Liquidity in range.
    pub liquidity: u128,
}

impl PoolState {
    pub(super) fn read(chain: &impl Chain, pool: Address) -> Result<Self, EvmError> {
        let slot0 = chain.storage(pool, U256::ZERO)?;
        let liquidity = chain.storage(pool, U256::from(4))?;
        let low = |word: U256| word.as_limbs()[0];
        let short = |shift: usize| u16::try_from(low(slot0 >> shift) & 0xffff).unwrap_or(u16::MAX);
        let malformed = |_| {
            EvmError::Engine(format!(
                "{pool} is not an initialised Uniswap v3 pool: slot 0 is {slot0}"
            ))
        };
        let tick_bits = u32::try_from(low(slot0 >> 160) & 0xff_ffff).unwrap_or(0);
        Ok(Self {
            sqrt_price: SqrtPriceX96::new(slot0 & ((U256::ONE << 160) - U256::ONE))
                .map_err(malformed)?,
            // Sign-extended from 24 bits.
            tick: Tick::new((tick_bits << 8).cast_signed() >> 8).map_err(malformed)?,
            observation_index: short(184),
            observation_cardinality: short(200),
            observation_cardinality_next: short(216),
            liquidity: (liquidity & U256::from(u128::MAX)).to(),
        })
    }
}

pub(super) fn observation(chain: &impl Chain, pool: Address, index: u16) -> Result<U256, EvmError> {
    chain.storage(pool, U256::from(8 + u32::from(index)))
}

pub(super) fn fee_growth(chain: &impl Chain, pool: Address) -> Result<(U256, U256), EvmError> {
    Ok((
        chain.storage(pool, U256::ONE)?,
        chain.storage(pool, U256::from(2))?,
    ))
}
