//! What T10 asks of the venue: no swap leaves it with less than it found.

use alloy_primitives::{I256, Log, U256, Uint};
use alloy_sol_types::SolEvent;
use breakwater_bindings::UniswapV3Pool;
use breakwater_evm::venue::PoolState;

use super::wrong;
use crate::chain_venue::ChainVenue;
use crate::error::SimError;

/// Wide enough for what is compared below: L² · √P · 2⁹⁶, of 128, 160 and 96 bits, and a token's amount times a price beside it.
type Wide = Uint<1024, 16>;

impl ChainVenue {
    /// The product of the venue's reserves at full range does not fall by any of a transaction's swaps, to the wei, and none of them
    /// changes its liquidity. `before` is the venue before the transaction, in which nobody may add or withdraw liquidity and swap too.
    ///
    /// # Errors
    /// [`SimError::Conservation`] for the first swap after which there is less.
    pub(crate) fn check_swaps(&self, before: &PoolState, logs: &[Log]) -> Result<(), SimError> {
        let mut sqrt_price = before.sqrt_price.get();
        for log in logs.iter().filter(|log| log.address == self.pool()) {
            let Ok(swap) = UniswapV3Pool::Swap::decode_log(log) else {
                continue;
            };
            if swap.liquidity != before.liquidity {
                return Err(wrong(
                    "the venue's liquidity after a swap",
                    swap.liquidity,
                    before.liquidity,
                ));
            }
            if !keeps_product(sqrt_price.to(), swap.liquidity, swap.amount0, swap.amount1) {
                return Err(wrong(
                    "what the venue has after a swap",
                    format!("{} and {} more", swap.amount0, swap.amount1),
                    format!(
                        "enough for liquidity {} at the root {sqrt_price}",
                        swap.liquidity
                    ),
                ));
            }
            sqrt_price = swap.sqrtPriceX96;
        }
        Ok(())
    }
}

/// Whether (x + Δx) (y + Δy) ≥ L², where x = L / √P and y = L √P, with √P in units of 2⁻⁹⁶ (Uniswap v3's whitepaper, §6.2.1); both sides
/// are multiplied by √P · 2⁹⁶, so that nothing is rounded.
fn keeps_product(sqrt_price: U256, liquidity: u128, amount0: I256, amount1: I256) -> bool {
    let (liquidity, sqrt_price) = (Wide::from(liquidity), Wide::from(sqrt_price));
    let one = Wide::ONE << 96;
    let left0 = added(liquidity * one, amount0, sqrt_price);
    let left1 = added(liquidity * sqrt_price, amount1, one);
    let (Some(left0), Some(left1)) = (left0, left1) else {
        return false;
    };
    left0 * left1 >= liquidity * liquidity * sqrt_price * one
}

/// The reserve and what came to it, both times `scale`; nothing if more went than there was.
fn added(reserve: Wide, amount: I256, scale: Wide) -> Option<Wide> {
    let moved = Wide::from(amount.unsigned_abs()) * scale;
    if amount.is_negative() {
        reserve.checked_sub(moved)
    } else {
        reserve.checked_add(moved)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn signed(amount: i128) -> I256 {
        I256::try_from(amount).unwrap()
    }

    #[test]
    fn t10_a_swap_that_takes_a_unit_too_many_is_seen() {
        let one = U256::ONE << 96;
        let liquidity = 1_000_000_000_000_000_000;
        // At a price of 1 reserves are equal: who doubles one gets half of the other.
        let doubled = signed(1_000_000_000_000_000_000);
        for (half, fair) in [
            (-500_000_000_000_000_000, true),
            (-500_000_000_000_000_001, false),
        ] {
            assert_eq!(keeps_product(one, liquidity, doubled, signed(half)), fair);
            assert_eq!(keeps_product(one, liquidity, signed(half), doubled), fair);
        }
        // At a price of 4 there are four times as many of token1 as of token0, 2e18 and 5e17.
        for (half, fair) in [
            (-1_000_000_000_000_000_000, true),
            (-1_000_000_000_000_000_001, false),
        ] {
            let doubled = signed(500_000_000_000_000_000);
            let two = one << 1;
            assert_eq!(keeps_product(two, liquidity, doubled, signed(half)), fair);
        }
        let everything = signed(-1_000_000_000_000_000_001);
        assert!(!keeps_product(one, liquidity, doubled, everything));
        let most = signed(i128::MAX);
        assert!(keeps_product(U256::ONE << 159, u128::MAX, most, most));
    }
}
