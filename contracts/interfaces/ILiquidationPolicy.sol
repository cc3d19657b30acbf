// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BreakerLevel} from "./ICircuitBreaker.sol";

/// @notice Why a policy grants nothing. `None` when it grants something.
/// - `Healthy`: the position is not below a health factor of 1 at the price that decides.
/// - `Unconfirmed`: the fast price says unhealthy, the confirming price does not.
/// - `Turn`: the account's turn is not open in this epoch.
/// - `Bucket`: the collateral's volume bucket is empty.
/// - `Slice`: the account's slice of this epoch is used up.
/// - `Paused`: the circuit breaker holds the damped zone.
/// - `WrongCollateral`: selling this collateral at this bonus would not raise the health factor.
/// - `ZeroAmount`: the amount asked for, or what it would seize, rounds to nothing.
/// - `PriceDown`, `NotHeld`: said by the pool, never by a policy: a held collateral has no price; the account does not hold
///   the collateral or has no debt.
/// - `Backstop`: the backstop takes the position, and comes first.
enum Refusal {
    None,
    Healthy,
    Unconfirmed,
    Turn,
    Bucket,
    Slice,
    Paused,
    WrongCollateral,
    ZeroAmount,
    PriceDown,
    NotHeld,
    Backstop
}

/// @notice What a pool knows of the position and the market when it asks.
/// @dev Debt and values in base units of the debt token; prices scaled by 1e36; ratios WAD.
/// @param account The position's owner.
/// @param collateralId The pool's index of the collateral to be seized.
/// @param asked Debt that the liquidator offers to repay.
/// @param debt D, rounded up. Never 0.
/// @param collateral c_i, base units of the collateral to be seized.
/// @param price F_i, the fast price of that collateral. Never 0.
/// @param priceCumulative The integral of F_i over time, in price * seconds.
/// @param collateralValue C_F, the value of all collateral at the fast prices, rounded down.
/// @param healthFast HF_F, the health factor at the fast prices, rounded down. Below 1: the pool refuses earlier otherwise.
/// @param healthConfirmed The health factor at the confirmed prices P_e; equal to `healthFast` where the policy does not
/// ask for confirmation.
/// @param healthHard HF_hard: at or below it nothing may dampen the liquidation. 1 where damping is off.
/// @param liquidationThreshold LT_i.
/// @param maxBonus bmax_i.
/// @param totalCollateral All of that collateral in the pool, base units.
/// @param minDebt Dust: the smallest debt that is worth a liquidation.
/// @param oracle The collateral's oracle, for its depth.
/// @param breaker The circuit breaker's level.
struct LiquidationRequest {
    address account;
    uint256 collateralId;
    uint256 asked;
    uint256 debt;
    uint256 collateral;
    uint256 price;
    uint256 priceCumulative;
    uint256 collateralValue;
    uint256 healthFast;
    uint256 healthConfirmed;
    uint256 healthHard;
    uint256 liquidationThreshold;
    uint256 maxBonus;
    uint256 totalCollateral;
    uint256 minDebt;
    address oracle;
    BreakerLevel breaker;
}

/// @notice What a policy grants.
/// @param repay x, debt to repay, base units of the debt token: at most `debt`, and at most `asked` but for dust.
/// @param seize Collateral to hand over, base units: at most `collateral`.
/// @param bonus The bonus over the value of `repay`, WAD, at most `maxBonus`.
/// @param refusal Why nothing is granted; `None` otherwise.
struct LiquidationGrant {
    uint256 repay;
    uint256 seize;
    uint256 bonus;
    Refusal refusal;
}

/// @title Decides whether, how much and at what bonus a position is liquidated now
/// @notice State is kept per calling pool: a stranger who calls `commit` changes only its own state. A policy never reverts
/// for what it refuses; it says why.
interface ILiquidationPolicy {
    /// @notice Whether the policy reads `healthConfirmed` or `priceCumulative`. Where it does not, the pool saves a venue
    /// reading: `healthConfirmed` is then `healthFast` and `priceCumulative` 0.
    function needsConfirmation() external view returns (bool);

    /// @notice What `commit` would grant to `pool` now. The request must be one that the pool would make.
    function quote(address pool, LiquidationRequest calldata request) external view returns (LiquidationGrant memory);

    /// @notice Grants, and records what it granted for the calling pool. With `asked` = 0 it only starts the clocks that
    /// the position's condition starts (a flag) and grants nothing.
    function commit(LiquidationRequest calldata request) external returns (LiquidationGrant memory);
}
