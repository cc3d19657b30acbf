// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BASIS_POINT, WAD} from "../types/Constants.sol";
import {TurnMode, TurnSampler} from "../libraries/TurnSampler.sol";
import {BucketMode, VolumeBucket} from "../libraries/VolumeBucket.sol";

/// @notice What the liquidation bonus rises with. `Time`: the seconds since the account was flagged. `Health`: how deep the
/// position is in the damped zone; for comparison, and without a flag.
enum BonusMode {
    Time,
    Health
}

/// @notice Every parameter of a `DampedPolicy`. Ratios WAD, times in seconds.
/// @param confirmation Whether the damped zone opens only if the confirmed prices agree.
/// @param obeysPause Whether damped-zone liquidations wait while the breaker is `Paused` or `Halted`.
/// @param bonusMode What the bonus rises with.
/// @param bonusMin bmin.
/// @param bonusMax bmax; a collateral's own maximum caps it.
/// @param auctionSeconds tau: from bmin to bmax in `BonusMode.Time`.
/// @param targetHealth HF_t.
/// @param sliceBase s0, the share of its debt that an account may lose in an epoch at the top of the damped zone; 1 is off.
/// @param turnMode How turns are drawn.
/// @param turnFloor p0, the least share of epochs in which a turn is open; at least 1/64.
/// @param epochSeconds The length of an epoch.
/// @param bucketMode What the volume bucket does.
/// @param refillShare rho, the share of depth refilled in a minute.
/// @param reserveShare The share of its cap that a bucket keeps from damped calls (`BucketMode.HardStop`).
/// @param scalingFloor The least factor on slice and bonus (`BucketMode.Scaling`).
/// @param minRefillSeconds T: the least refill is all the collateral's value in this time.
/// @param depthMemorySeconds The averaging time of depth.
/// @param liquidationGas Gas that the bonus pays for, once per account and epoch, while the breaker is above `Normal`;
/// 0 is off.
/// @param nativeOracle The price of the chain's native coin in the debt token of the pools that use the policy.
struct DampedParameters {
    bool confirmation;
    bool obeysPause;
    BonusMode bonusMode;
    uint256 bonusMin;
    uint256 bonusMax;
    uint256 auctionSeconds;
    uint256 targetHealth;
    uint256 sliceBase;
    TurnMode turnMode;
    uint256 turnFloor;
    uint256 epochSeconds;
    BucketMode bucketMode;
    uint256 refillShare;
    uint256 reserveShare;
    uint256 scalingFloor;
    uint256 minRefillSeconds;
    uint256 depthMemorySeconds;
    uint256 liquidationGas;
    address nativeOracle;
}

/// @title Bounds and starting values of `DampedParameters`
library DampedParametersLib {
    /// @notice A parameter is outside its bounds.
    error ParameterOutOfBounds(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice Gas is paid for without a price of gas, or a price is given and nothing is paid for.
    error GasBonusIncomplete(uint256 liquidationGas, address nativeOracle);

    /// @notice The starting points: 1% to 5% in 20 minutes, target 1.05, a hard-stop bucket with rho = 0.25 and a 30%
    /// reserve, T = 4 hours; slices, turns, the wait for the breaker's pauses and the gas bonus off. Turns that are switched
    /// on are of a minute, with p0 = 25%.
    /// @dev The design starts with systematic turns, a wait for pauses and rho = 0.5. In simulation turns do nothing beside the
    /// auction, pauses cost, and a bucket that refills more slowly leaves less overshoot (crates/experiments/results/README.md,
    /// How the defaults were chosen).
    function defaults() internal pure returns (DampedParameters memory) {
        return DampedParameters({
            confirmation: true,
            obeysPause: false,
            bonusMode: BonusMode.Time,
            bonusMin: 100 * BASIS_POINT,
            bonusMax: 500 * BASIS_POINT,
            auctionSeconds: 20 minutes,
            targetHealth: 1.05e18,
            sliceBase: WAD,
            turnMode: TurnMode.Off,
            turnFloor: 0.25e18,
            epochSeconds: 60,
            bucketMode: BucketMode.HardStop,
            refillShare: 0.25e18,
            reserveShare: 0.3e18,
            scalingFloor: 0.25e18,
            minRefillSeconds: 4 hours,
            depthMemorySeconds: 1 hours,
            liquidationGas: 0,
            nativeOracle: address(0)
        });
    }

    /// @notice Reverts unless every parameter is within its bounds.
    function validate(DampedParameters memory p) internal pure {
        _check("bonusMax", p.bonusMax, 0, 0.5e18);
        _check("bonusMin", p.bonusMin, 0, p.bonusMax);
        _check("auctionSeconds", p.auctionSeconds, 1, 1 days);
        _check("targetHealth", p.targetHealth, WAD + 1, 2 * WAD);
        _check("sliceBase", p.sliceBase, BASIS_POINT, WAD);
        _check("turnFloor", p.turnFloor, WAD / TurnSampler.ROTATION, WAD);
        _check("epochSeconds", p.epochSeconds, 12, 1 hours);
        _check("refillShare", p.refillShare, 0.01e18, 10e18);
        _check("reserveShare", p.reserveShare, 0, 0.9e18);
        _check("scalingFloor", p.scalingFloor, BASIS_POINT, WAD);
        _check("minRefillSeconds", p.minRefillSeconds, 1 minutes, 30 days);
        // a reading a minute at most, each weighing at most a quarter
        _check(
            "depthMemorySeconds", p.depthMemorySeconds, VolumeBucket.WINDOW * VolumeBucket.MAX_WEIGHT_DIVISOR, 30 days
        );
        _check("liquidationGas", p.liquidationGas, 0, 10_000_000);
        if ((p.liquidationGas == 0) != (p.nativeOracle == address(0))) {
            revert GasBonusIncomplete(p.liquidationGas, p.nativeOracle);
        }
    }

    function _check(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum) private pure {
        if (value < minimum || value > maximum) revert ParameterOutOfBounds(parameter, value, minimum, maximum);
    }
}
