//! Prices of a Uniswap v3 pool: token1 per token0, in base units, as √P · 2^96 and as ticks.

use alloy_primitives::{
    U256, U512,
    aliases::{I24, U160},
    ruint::UintTryFrom,
};
use std::sync::LazyLock;
use thiserror::Error;

/// A price, a tick or a range that no pool can have.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum PriceError {
    /// Outside what a pool can represent: √P · 2^96 within [4295128739, 2^160 · (1 − 2^-32) or so).
    #[error("a pool cannot hold the price √P · 2^96 = {0}")]
    SqrtPriceOutOfRange(U256),
    /// Not a positive, finite number.
    #[error("{0} is not a price")]
    NotAPrice(f64),
    /// Zero of either token.
    #[error("{amount1} of token1 for {amount0} of token0 is not a price")]
    ZeroAmount {
        /// Base units of token0.
        amount0: U256,
        /// Base units of token1.
        amount1: U256,
    },
    /// Beyond ±887272.
    #[error("there is no tick {0}")]
    TickOutOfRange(i32),
    /// The lower end is not below the upper.
    #[error("a range from tick {lower} to tick {upper} is empty")]
    EmptyRange {
        /// Its lower end.
        lower: i32,
        /// Its upper end.
        upper: i32,
    },
    /// Above 2^128 − 1.
    #[error("liquidity {0} is more than a pool can hold")]
    LiquidityTooLarge(U512),
}

/// A tick: the price is 1.0001^tick. Within ±887272.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(i32);

impl Tick {
    /// The lowest.
    pub const MIN: Self = Self(-887_272);
    /// The highest.
    pub const MAX: Self = Self(887_272);

    /// # Errors
    /// [`PriceError::TickOutOfRange`].
    pub const fn new(tick: i32) -> Result<Self, PriceError> {
        if tick < Self::MIN.0 || tick > Self::MAX.0 {
            Err(PriceError::TickOutOfRange(tick))
        } else {
            Ok(Self(tick))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The usable tick at or below this one, in a pool with this spacing; the lowest usable one where there is none.
    #[must_use]
    pub const fn floor_to(self, spacing: i32) -> Self {
        let floor = self.0.div_euclid(spacing) * spacing;
        Self(if floor < Self::MIN.0 {
            floor + spacing
        } else {
            floor
        })
    }
}

impl From<Tick> for I24 {
    fn from(tick: Tick) -> Self {
        Self::unchecked_from(tick.0)
    }
}

/// The ticks between which a position provides liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TickRange {
    lower: Tick,
    upper: Tick,
}

impl TickRange {
    /// # Errors
    /// [`PriceError::EmptyRange`].
    pub const fn new(lower: Tick, upper: Tick) -> Result<Self, PriceError> {
        if lower.0 < upper.0 {
            Ok(Self { lower, upper })
        } else {
            Err(PriceError::EmptyRange {
                lower: lower.0,
                upper: upper.0,
            })
        }
    }

    /// All prices that a pool with this spacing can have a position over.
    #[must_use]
    pub const fn full(spacing: i32) -> Self {
        let lower = Tick::MIN.floor_to(spacing);
        Self {
            lower,
            upper: Tick(-lower.0),
        }
    }

    /// Its lower end.
    #[must_use]
    pub const fn lower(self) -> Tick {
        self.lower
    }

    /// Its upper end.
    #[must_use]
    pub const fn upper(self) -> Tick {
        self.upper
    }
}

/// √P · 2^96, where P is base units of token1 per base unit of token0. Always one that a pool can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqrtPriceX96(U160);

impl SqrtPriceX96 {
    /// That of the lowest tick.
    pub const MIN: Self = Self(U160::from_limbs([4_295_128_739, 0, 0]));
    /// One below that of the highest tick, which a pool never reaches.
    pub const MAX: Self = Self(U160::from_limbs([
        0x5d95_1d52_6398_8d25,
        0xefd1_fc6a_5064_8849,
        0xfffd_8963,
    ]));

    /// # Errors
    /// [`PriceError::SqrtPriceOutOfRange`].
    pub fn new(value: U256) -> Result<Self, PriceError> {
        let price = U160::uint_try_from(value)
            .map(Self)
            .map_err(|_| PriceError::SqrtPriceOutOfRange(value))?;
        if price < Self::MIN || price > Self::MAX {
            Err(PriceError::SqrtPriceOutOfRange(value))
        } else {
            Ok(price)
        }
    }

    /// The price at which `amount0` of token0 is worth `amount1` of token1: ⌊√(amount1 · 2^192 / amount0)⌋, exactly.
    ///
    /// # Errors
    /// [`PriceError::ZeroAmount`] and [`PriceError::SqrtPriceOutOfRange`].
    pub fn from_amounts(amount1: U256, amount0: U256) -> Result<Self, PriceError> {
        if amount0.is_zero() || amount1.is_zero() {
            return Err(PriceError::ZeroAmount { amount0, amount1 });
        }
        let root = ((U512::from(amount1) << 192_usize) / U512::from(amount0)).root(2);
        Self::new(U256::uint_try_from(root).unwrap_or(U256::MAX))
    }

    /// The price nearest to P, base units of token1 per base unit of token0, within a double's precision.
    ///
    /// # Errors
    /// [`PriceError::NotAPrice`] and [`PriceError::SqrtPriceOutOfRange`].
    pub fn from_f64(price: f64) -> Result<Self, PriceError> {
        if !(price.is_finite() && price > 0.0) {
            return Err(PriceError::NotAPrice(price));
        }
        // Taken apart and scaled as an integer: a double's mantissa is below 2^53, so nothing is rounded after the root.
        let bits = price.sqrt().to_bits();
        let exponent = i32::try_from(bits >> 52).unwrap_or(0) - 1_075 + 96;
        let mantissa = U256::from((bits & ((1 << 52) - 1)) | (1 << 52));
        let value = match usize::try_from(exponent) {
            Ok(left) if left <= 200 => mantissa << left,
            Ok(_) => U256::MAX,
            Err(_) => mantissa >> usize::try_from(-exponent).unwrap_or(usize::MAX),
        };
        Self::new(value)
    }

    /// P, base units of token1 per base unit of token0.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        let root = f64::from(self.0) / 2_f64.powi(96);
        root * root
    }

    /// The price at a tick, as Uniswap v3 core computes it (`TickMath.getSqrtRatioAtTick`): 1.0001^(−|t|/2) as a product
    /// of its 20 binary powers in 128-bit fixed point, inverted for t > 0, rounded up to 96 bits of fraction.
    #[must_use]
    pub fn at_tick(tick: Tick) -> Self {
        let magnitude = tick.0.unsigned_abs();
        let mut ratio = U256::ONE << 128;
        for (bit, power) in POWERS.iter().enumerate() {
            if magnitude >> bit & 1 == 1 {
                ratio = (ratio * power) >> 128;
            }
        }
        if tick.0 > 0 {
            ratio = U256::MAX / ratio;
        }
        let remainder: U256 = ratio & U256::from(u32::MAX);
        let value = (ratio >> 32_usize) + U256::from(!remainder.is_zero());
        // Only the highest tick is above the highest price that a pool can hold.
        U160::uint_try_from(value)
            .map_or(Self::MAX, Self)
            .min(Self::MAX)
    }

    /// The highest tick whose price is not above this one.
    #[must_use]
    pub fn tick(self) -> Tick {
        let (mut low, mut high) = (Tick::MIN.0, Tick::MAX.0);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if Self::at_tick(Tick(middle)) <= self {
                low = middle
            } else {
                high = middle
            }
        }
        Tick(low)
    }

    /// √P · 2^96.
    #[must_use]
    pub const fn get(self) -> U160 {
        self.0
    }

    fn wide(self) -> U512 {
        U512::from(self.0)
    }
}

/// 2^128 · 1.0001^(−2^(i−1)), rounded to nearest, for the bits i of a tick.
static POWERS: LazyLock<[U256; 20]> = LazyLock::new(|| {
    // With 256 bits of fraction: the squarings lose some 20 of them, and 128 are kept.
    let mut power: U512 = ((U512::from(10_000) << 256) / U512::from(10_001)) << 256;
    power = power.root(2);
    std::array::from_fn(|_| {
        let rounded: U512 = (power + (U512::ONE << 127)) >> 128;
        power = (power * power) >> 256;
        rounded.to()
    })
});

/// The most liquidity that these amounts provide over a range at a price, rounded down:
/// x · √P·√P_b / (√P_b − √P) and y / (√P − √P_a), the lesser of the two inside the range (Uniswap v3 white paper, 6.29 and
/// 6.30).
///
/// # Errors
/// [`PriceError::LiquidityTooLarge`].
pub fn liquidity_for_amounts(
    price: SqrtPriceX96,
    range: TickRange,
    amount0: U256,
    amount1: U256,
) -> Result<u128, PriceError> {
    let (lower, upper) = (
        SqrtPriceX96::at_tick(range.lower),
        SqrtPriceX96::at_tick(range.upper),
    );
    let inside = price.clamp(lower, upper);
    let from0 = |amount: U256| -> U512 {
        // Two divisions, as the product of all three would not fit; both round down.
        let product = (inside.wide() * upper.wide()) >> 96;
        U512::from(amount) * product / (upper.wide() - inside.wide())
    };
    let from1 =
        |amount: U256| -> U512 { (U512::from(amount) << 96) / (inside.wide() - lower.wide()) };
    let liquidity = if price <= lower {
        from0(amount0)
    } else if price >= upper {
        from1(amount1)
    } else {
        from0(amount0).min(from1(amount1))
    };
    u128::try_from(liquidity).map_err(|_| PriceError::LiquidityTooLarge(liquidity))
}

#[cfg(test)]
mod tests;
