// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice What a pool is deployed with. Everything else is set by its owner.
/// @param asset The debt token.
/// @param rateModel Its curve is read once and kept.
/// @param breaker The circuit breaker, or 0 for none.
/// @param policy The liquidation policy.
/// @param owner A timelock.
/// @param guardian May freeze new risk.
/// @param supplyCap Base units.
/// @param borrowCap Base units.
/// @param name Of the share.
/// @param symbol Of the share.
struct PoolParameters {
    address asset;
    address rateModel;
    address breaker;
    address policy;
    address owner;
    address guardian;
    uint256 supplyCap;
    uint256 borrowCap;
    string name;
    string symbol;
}

