//! Compounding: `contracts/libraries/InterestMath.sol`, whose derivation stands there.

use alloy_primitives::U256;

use crate::math::{WAD, mul_div_up};

/// The exponent at which compounding saturates, WAD.
const MAX_EXPONENT: U256 = U256::from_limbs([10_000_000_000_000_000_000, 0, 0, 0]);

/// Interest on `debt` over a period, base units, rounded up: the third-order polynomial x + x²/2 + x³/6 of x = rate · elapsed.
///
/// `rate` in WAD per second, `elapsed` in seconds; x saturates at 10.
#[must_use]
pub fn interest_up(debt: u128, rate: U256, elapsed: u64) -> U256 {
    if elapsed == 0 {
        return U256::ZERO;
    }
    let elapsed = U256::from(elapsed);
    let x = if rate < MAX_EXPONENT / elapsed {
        rate * elapsed
    } else {
        MAX_EXPONENT
    };
    let six = U256::from(6);
    // 6 T(x), scaled by WAD³: at most 1.36e57.
    let sixfold = x * (six * WAD * WAD + U256::from(3) * WAD * x + x * x);
    mul_div_up(U256::from(debt), sixfold, six * WAD * WAD * WAD).unwrap_or(U256::MAX)
}
