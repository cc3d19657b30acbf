// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @dev The scale of ratios: health factors, bonuses, thresholds, utilisation, rates per second.
uint256 constant WAD = 1e18;

/// @dev One basis point as a WAD ratio; configuration is kept in basis points.
uint256 constant BASIS_POINT = 1e14;

/// @dev 100% in basis points.
uint256 constant BASIS_POINTS = 10_000;
