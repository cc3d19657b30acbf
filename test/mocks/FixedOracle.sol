// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {Prices, PriceStatus} from "../../contracts/types/Price.sol";

/// @title An oracle with one price for ever
/// @notice A simulated world opens its positions under it, so that those between the borrow limit and the liquidation
/// threshold can be opened as they are.
contract FixedOracle is IPriceOracle {
    /// @notice Scaled by 1e36.
    uint256 public immutable PRICE;

    constructor(uint256 price) {
        PRICE = price;
    }

    /// @inheritdoc IPriceOracle
    function update() external view returns (uint256 fast, uint256 slow, PriceStatus status) {
        return (PRICE, PRICE, PriceStatus.Ok);
    }

    /// @inheritdoc IPriceOracle
    function updateForLiquidation() external view returns (Prices memory) {
        return peek();
    }

    /// @inheritdoc IPriceOracle
    function lastPrice() external view returns (uint256) {
        return PRICE;
    }

    /// @inheritdoc IPriceOracle
    function depth() external pure returns (uint256) {
        return 0;
    }

    /// @inheritdoc IPriceOracle
    function peek() public view returns (Prices memory) {
        return Prices(PRICE, PRICE, PRICE, PRICE * block.timestamp, PriceStatus.Ok);
    }
}
