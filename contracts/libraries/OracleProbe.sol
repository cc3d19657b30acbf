// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {PriceStatus} from "../types/Price.sol";

/// @title Optional oracle readings that cannot hurt the caller
/// @notice A reading that reverts, returns too little, burns gas or returns megabytes is a reading of 0.
/// @dev The gas limit does not let a caller fake a failure by sending too little gas: to starve the reading of what it needs
/// he must leave less than a 63rd of that for everything after it, and then his whole transaction fails.
library OracleProbe {
    /// @dev Several times what a venue's reading takes.
    uint256 private constant GAS_LIMIT = 250_000;

    /// @dev Words in `Prices`.
    uint256 private constant PRICES_SIZE = 160;

    /// @notice `IPriceOracle.depth`, or 0.
    function depthOrZero(address oracle) internal view returns (uint256 depth) {
        bytes4 selector = IPriceOracle.depth.selector;
        assembly ("memory-safe") {
            mstore(0, selector)
            let answered := staticcall(GAS_LIMIT, oracle, 0, 4, 0, 32)
            if and(answered, gt(returndatasize(), 31)) { depth := mload(0) }
        }
    }

    /// @notice The fast price of `IPriceOracle.peek`, or 0 if it is down or cannot be read.
    function fastPriceOrZero(address oracle) internal view returns (uint256 price) {
        bytes4 selector = IPriceOracle.peek.selector;
        uint256 down = uint256(PriceStatus.Down);
        assembly ("memory-safe") {
            let answer := mload(0x40)
            mstore(0, selector)
            let answered := staticcall(GAS_LIMIT, oracle, 0, 4, answer, PRICES_SIZE)
            if and(answered, gt(returndatasize(), sub(PRICES_SIZE, 1))) {
                // the status is the last word; fast is the first
                if lt(mload(add(answer, 128)), down) { price := mload(answer) }
            }
        }
    }
}
