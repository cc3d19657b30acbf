// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {PriceStatus, Prices} from "../../contracts/types/Price.sol";

/// @dev Answers what it was told, and counts how often it was told to record.
contract PoolOracleMock is IPriceOracle {
    Prices private _prices;
    uint256 public recorded;

    constructor(uint256 price) {
        setPrice(price);
    }

    function setPrice(uint256 price) public {
        (_prices.fast, _prices.slow, _prices.confirm) = (price, price, price);
    }

    function setPrices(uint256 fast, uint256 slow, uint256 confirm) external {
        (_prices.fast, _prices.slow, _prices.confirm) = (fast, slow, confirm);
    }

    function setCumulative(uint256 cumulative) external {
        _prices.cumulative = cumulative;
    }

    function setStatus(PriceStatus status) external {
        _prices.status = status;
    }

    function update() external returns (uint256 fast, uint256 slow, PriceStatus status) {
        ++recorded;
        return (_prices.fast, _prices.slow, _prices.status);
    }

    function updateForLiquidation() external returns (Prices memory) {
        ++recorded;
        return _prices;
    }

    function peek() external view returns (Prices memory) {
        return _prices;
    }

    function lastPrice() external view returns (uint256) {
        return _prices.fast;
    }

    function depth() external pure returns (uint256) {
        return 0;
    }
}

/// @dev A price that is one storage read, as in the gas table of protocol.md §10.
contract PoolOneSlotOracleMock is IPriceOracle {
    uint256 private _price;

    constructor(uint256 price) {
        _price = price;
    }

    function setPrice(uint256 price) external {
        _price = price;
    }

    function update() external view returns (uint256 fast, uint256 slow, PriceStatus status) {
        uint256 price = _price;
        return (price, price, PriceStatus.Ok);
    }

    function updateForLiquidation() external view returns (Prices memory) {
        return peek();
    }

    function peek() public view returns (Prices memory prices) {
        uint256 price = _price;
        (prices.fast, prices.slow, prices.confirm) = (price, price, price);
    }

    function lastPrice() external view returns (uint256) {
        return _price;
    }

    function depth() external pure returns (uint256) {
        return 0;
    }
}
