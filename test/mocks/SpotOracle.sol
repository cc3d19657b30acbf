// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {Prices, PriceStatus, PRICE_SCALE} from "../../contracts/types/Price.sol";

/// @dev What is read of the venue.
interface ISpotVenue {
    function token0() external view returns (address);
    function slot0() external view returns (uint160 sqrtPriceX96, int24, uint16, uint16, uint16, uint8, bool);
}

/// @title An oracle that believes a Uniswap v3 pool's momentary price
/// @notice Anybody can move it within a block. Only for tests that compare with closed forms, in which liquidations feed back
/// on the price they are judged by.
contract SpotOracle is IPriceOracle {
    ISpotVenue public immutable VENUE;
    bool public immutable COLLATERAL_IS_TOKEN0;

    constructor(ISpotVenue venue, address collateral) {
        VENUE = venue;
        COLLATERAL_IS_TOKEN0 = venue.token0() == collateral;
    }

    /// @inheritdoc IPriceOracle
    function update() external view returns (uint256 fast, uint256 slow, PriceStatus status) {
        uint256 price = _price();
        return (price, price, PriceStatus.Ok);
    }

    /// @inheritdoc IPriceOracle
    function updateForLiquidation() external view returns (Prices memory) {
        return peek();
    }

    /// @inheritdoc IPriceOracle
    function lastPrice() external view returns (uint256) {
        return _price();
    }

    /// @inheritdoc IPriceOracle
    function depth() external pure returns (uint256) {
        return 0;
    }

    /// @inheritdoc IPriceOracle
    function peek() public view returns (Prices memory) {
        uint256 price = _price();
        return Prices(price, price, price, price * block.timestamp, PriceStatus.Ok);
    }

    function _price() private view returns (uint256) {
        (uint256 root,,,,,,) = VENUE.slot0();
        uint256 ratioX128 = FixedPointMathLib.fullMulDiv(root, root, 1 << 64);
        return COLLATERAL_IS_TOKEN0
            ? FixedPointMathLib.fullMulDiv(ratioX128, PRICE_SCALE, 1 << 128)
            : FixedPointMathLib.fullMulDiv(1 << 128, PRICE_SCALE, ratioX128);
    }
}
