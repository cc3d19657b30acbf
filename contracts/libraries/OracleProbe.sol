// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {OracleCall} from "./OracleCall.sol";
import {PriceStatus} from "../types/Price.sol";

/// @title Optional oracle readings that cannot hurt the caller
/// @notice A reading that reverts, returns too little, burns gas or returns megabytes is a reading of 0.
/// @dev The gas limit does not let a caller fake a failure by sending too little gas: to starve the reading of what it needs
/// he must leave less than a 63rd of that for everything after it, and then his whole transaction fails.
library OracleProbe {
    /// @dev What an oracle does beside calling its sources: below 30,000, all slots cold.
    uint256 private constant ORACLE_GAS = 60_000;

    /// @dev A venue that may use its whole allowance, with what `OracleCall` demands so as to blame it: about 370,000.
    uint256 private constant DEPTH_GAS = OracleCall.VENUE_GAS * 64 / 63 + ORACLE_GAS;

    /// @dev Two feeds and a venue likewise: about 770,000. With less, an oracle whose venue is silent reverts, and the feed that
    /// is right is not heard.
    uint256 private constant PRICE_GAS = OracleCall.FEED_GAS * 2 + DEPTH_GAS;

    /// @dev Words in `Prices`.
    uint256 private constant PRICES_SIZE = 160;

    /// @notice `IPriceOracle.depth`, or 0.
    function depthOrZero(address oracle) internal view returns (uint256 depth) {
        bytes4 selector = IPriceOracle.depth.selector;
        uint256 limit = DEPTH_GAS;
        assembly ("memory-safe") {
            mstore(0, selector)
            let answered := staticcall(limit, oracle, 0, 4, 0, 32)
            if and(answered, gt(returndatasize(), 31)) { depth := mload(0) }
        }
    }

    /// @notice The fast price of `IPriceOracle.peek`, or 0 if it is down or cannot be read.
    function fastPriceOrZero(address oracle) internal view returns (uint256 price) {
        bytes4 selector = IPriceOracle.peek.selector;
        uint256 limit = PRICE_GAS;
        uint256 down = uint256(PriceStatus.Down);
        assembly ("memory-safe") {
            let answer := mload(0x40)
            mstore(0, selector)
            let answered := staticcall(limit, oracle, 0, 4, answer, PRICES_SIZE)
            if and(answered, gt(returndatasize(), sub(PRICES_SIZE, 1))) {
                // the status is the last word; fast is the first
                if lt(mload(add(answer, 128)), down) { price := mload(answer) }
            }
        }
    }
}
