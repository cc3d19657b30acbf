//! The parameters of a damped policy, within their bounds.

use super::{
    bucket::{MAX_WEIGHT_DIVISOR, WINDOW},
    turns::ROTATION,
    types::{UnknownVariant, mirrored_enum},
};
use crate::math::{BASIS_POINT, WAD};
use alloy_primitives::{Address, U256};
use breakwater_bindings::DampedPolicy;
use thiserror::Error;

mirrored_enum! {
    /// What the bonus rises with.
    BonusMode {
        /// The seconds since the account was flagged.
        Time,
        /// How deep the position is in the damped zone.
        Health,
    }
}

mirrored_enum! {
    /// How turns are drawn.
    TurnMode {
        /// Every turn is open.
        Off,
        /// A fixed sequence with bounded waits.
        Systematic,
        /// The same, keyed by a block hash.
        Seeded,
        /// Independent draws.
        Bernoulli,
    }
}

mirrored_enum! {
    /// What a bucket does to damped liquidations.
    BucketMode {
        /// Nothing.
        Off,
        /// A call takes at most what is above the reserve.
        HardStop,
        /// Its fullness scales slice and bonus.
        Scaling,
    }
}

/// Every parameter of a damped policy. Ratios WAD, times in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DampedParameters {
    /// Whether the damped zone opens only if the confirmed prices agree.
    pub confirmation: bool,
    /// Whether damped-zone liquidations wait while the breaker is paused or halted.
    pub obeys_pause: bool,
    /// What the bonus rises with.
    pub bonus_mode: BonusMode,
    /// bmin.
    pub bonus_min: U256,
    /// bmax; a collateral's own maximum caps it.
    pub bonus_max: U256,
    /// τ: from bmin to bmax.
    pub auction_seconds: u64,
    /// HF_t.
    pub target_health: U256,
    /// s0, the share of its debt that an account may lose in an epoch at the top of the damped zone; 1 is off.
    pub slice_base: U256,
    /// How turns are drawn.
    pub turn_mode: TurnMode,
    /// p0, the least share of epochs in which a turn is open.
    pub turn_floor: U256,
    /// The length of an epoch.
    pub epoch_seconds: u64,
    /// What the volume bucket does.
    pub bucket_mode: BucketMode,
    /// ρ, the share of depth refilled in a minute.
    pub refill_share: U256,
    /// The share of its cap that a bucket keeps from damped calls.
    pub reserve_share: U256,
    /// The least factor on slice and bonus of a scaling bucket.
    pub scaling_floor: U256,
    /// T: the least refill is all the collateral's value in this time.
    pub min_refill_seconds: u64,
    /// The averaging time of depth.
    pub depth_memory_seconds: u64,
    /// Gas that the bonus pays for, once per account and epoch, while the breaker is above normal; 0 is off.
    pub liquidation_gas: u64,
    /// The price of the chain's native coin in the debt token.
    pub native_oracle: Address,
}

/// Parameters that no damped policy can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// A value is outside its bounds.
    #[error("{name} = {value} is not between {minimum} and {maximum}")]
    OutOfBounds {
        /// The parameter, as the contract names it.
        name: &'static str,
        /// Its value.
        value: U256,
        /// The least allowed.
        minimum: U256,
        /// The most allowed.
        maximum: U256,
    },
    /// Gas is paid for without a price of gas, or a price is given and nothing is paid for.
    #[error("liquidationGas = {liquidation_gas} with nativeOracle = {native_oracle}")]
    GasBonusIncomplete {
        /// Gas.
        liquidation_gas: u64,
        /// The oracle.
        native_oracle: Address,
    },
    /// A mode that does not exist.
    #[error(transparent)]
    Mode(#[from] UnknownVariant),
}

impl DampedParameters {
    /// Checks the bounds that the contract's constructor checks.
    ///
    /// # Errors
    /// [`ParameterError`] for the first that is violated.
    pub fn validate(&self) -> Result<(), ParameterError> {
        let zero = U256::ZERO;
        let ratio = |thousandths: u64| WAD / U256::from(1_000) * U256::from(thousandths);
        check("bonusMax", self.bonus_max, zero, ratio(500))?;
        check("bonusMin", self.bonus_min, zero, self.bonus_max)?;
        check_seconds("auctionSeconds", self.auction_seconds, 1, 86_400)?;
        check(
            "targetHealth",
            self.target_health,
            WAD + U256::ONE,
            ratio(2_000),
        )?;
        check("sliceBase", self.slice_base, BASIS_POINT, WAD)?;
        check(
            "turnFloor",
            self.turn_floor,
            WAD / U256::from(ROTATION),
            WAD,
        )?;
        check_seconds("epochSeconds", self.epoch_seconds, 12, 3_600)?;
        check("refillShare", self.refill_share, ratio(10), ratio(10_000))?;
        check("reserveShare", self.reserve_share, zero, ratio(900))?;
        check("scalingFloor", self.scaling_floor, BASIS_POINT, WAD)?;
        check_seconds("minRefillSeconds", self.min_refill_seconds, 60, 2_592_000)?;
        check_seconds(
            "depthMemorySeconds",
            self.depth_memory_seconds,
            WINDOW * MAX_WEIGHT_DIVISOR,
            2_592_000,
        )?;
        check_seconds("liquidationGas", self.liquidation_gas, 0, 10_000_000)?;
        if (self.liquidation_gas == 0) != self.native_oracle.is_zero() {
            return Err(ParameterError::GasBonusIncomplete {
                liquidation_gas: self.liquidation_gas,
                native_oracle: self.native_oracle,
            });
        }
        Ok(())
    }

    /// Whether an account's epoch is tracked: slices below 100%, or slices that the bucket scales.
    #[must_use]
    pub fn sliced(&self) -> bool {
        self.slice_base < WAD || self.bucket_mode == BucketMode::Scaling
    }
}

fn check(
    name: &'static str,
    value: U256,
    minimum: U256,
    maximum: U256,
) -> Result<(), ParameterError> {
    if value < minimum || value > maximum {
        return Err(ParameterError::OutOfBounds {
            name,
            value,
            minimum,
            maximum,
        });
    }
    Ok(())
}

fn check_seconds(
    name: &'static str,
    value: u64,
    minimum: u64,
    maximum: u64,
) -> Result<(), ParameterError> {
    check(
        name,
        U256::from(value),
        U256::from(minimum),
        U256::from(maximum),
    )
}

/// What `DampedPolicy.parameters()` answers. Values are validated.
impl TryFrom<&DampedPolicy::DampedParameters> for DampedParameters {
    type Error = ParameterError;

    fn try_from(bound: &DampedPolicy::DampedParameters) -> Result<Self, ParameterError> {
        // a value of more than 64 bits is far beyond its bound, and stays there
        let short = |value: U256| value.saturating_to::<u64>();
        let parameters = Self {
            confirmation: bound.confirmation,
            obeys_pause: bound.obeysPause,
            bonus_mode: bound.bonusMode.try_into()?,
            bonus_min: bound.bonusMin,
            bonus_max: bound.bonusMax,
            auction_seconds: short(bound.auctionSeconds),
            target_health: bound.targetHealth,
            slice_base: bound.sliceBase,
            turn_mode: bound.turnMode.try_into()?,
            turn_floor: bound.turnFloor,
            epoch_seconds: short(bound.epochSeconds),
            bucket_mode: bound.bucketMode.try_into()?,
            refill_share: bound.refillShare,
            reserve_share: bound.reserveShare,
            scaling_floor: bound.scalingFloor,
            min_refill_seconds: short(bound.minRefillSeconds),
            depth_memory_seconds: short(bound.depthMemorySeconds),
            liquidation_gas: short(bound.liquidationGas),
            native_oracle: bound.nativeOracle,
        };
        parameters.validate()?;
        Ok(parameters)
    }
}

impl From<&DampedParameters> for DampedPolicy::DampedParameters {
    fn from(parameters: &DampedParameters) -> Self {
        Self {
            confirmation: parameters.confirmation,
            obeysPause: parameters.obeys_pause,
            bonusMode: parameters.bonus_mode.into(),
            bonusMin: parameters.bonus_min,
            bonusMax: parameters.bonus_max,
            auctionSeconds: U256::from(parameters.auction_seconds),
            targetHealth: parameters.target_health,
            sliceBase: parameters.slice_base,
            turnMode: parameters.turn_mode.into(),
            turnFloor: parameters.turn_floor,
            epochSeconds: U256::from(parameters.epoch_seconds),
            bucketMode: parameters.bucket_mode.into(),
            refillShare: parameters.refill_share,
            reserveShare: parameters.reserve_share,
            scalingFloor: parameters.scaling_floor,
            minRefillSeconds: U256::from(parameters.min_refill_seconds),
            depthMemorySeconds: U256::from(parameters.depth_memory_seconds),
            liquidationGas: U256::from(parameters.liquidation_gas),
            nativeOracle: parameters.native_oracle,
        }
    }
}

/// The defaults: `DampedParametersLib.defaults()`.
impl Default for DampedParameters {
    fn default() -> Self {
        let ratio = |hundredths: u64| WAD / U256::from(100) * U256::from(hundredths);
        Self {
            confirmation: true,
            obeys_pause: false,
            bonus_mode: BonusMode::Time,
            bonus_min: ratio(1),
            bonus_max: ratio(5),
            auction_seconds: 1_200,
            target_health: ratio(105),
            slice_base: WAD,
            turn_mode: TurnMode::Off,
            turn_floor: ratio(25),
            epoch_seconds: 60,
            bucket_mode: BucketMode::HardStop,
            refill_share: ratio(25),
            reserve_share: ratio(30),
            scaling_floor: ratio(25),
            min_refill_seconds: 14_400,
            depth_memory_seconds: 3_600,
            liquidation_gas: 0,
            native_oracle: Address::ZERO,
        }
    }
}
