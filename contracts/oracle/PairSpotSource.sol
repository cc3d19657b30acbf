// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ISpotSource} from "../interfaces/ISpotSource.sol";
import {IUniswapV2PairState} from "../interfaces/IUniswapV2PairState.sol";

/// @title The momentary price of a constant-product pair
/// @notice From the reserves as they are now: to be read by an accumulator only.
contract PairSpotSource is ISpotSource {
    /// @notice The pair does not trade the one token against the other.
    error PairTokens(address token0, address token1);

    /// @dev 1 - sqrt(0.98), scaled by 1e18, rounded down.
    uint256 private constant DEPTH_FACTOR = 10_050_506_338_833_465;

    IUniswapV2PairState public immutable PAIR;
    bool public immutable COLLATERAL_IS_TOKEN0;

    constructor(IUniswapV2PairState pair, address collateralToken, address debtToken) {
        (address token0, address token1) = (pair.token0(), pair.token1());
        bool collateralIsToken0 = token0 == collateralToken && token1 == debtToken;
        if (!collateralIsToken0 && (token0 != debtToken || token1 != collateralToken)) {
            revert PairTokens(token0, token1);
        }
        (PAIR, COLLATERAL_IS_TOKEN0) = (pair, collateralIsToken0);
    }

    /// @inheritdoc ISpotSource
    /// @dev Rounded down; 0 for an empty pair.
    function spotPrice() external view returns (uint256) {
        (uint256 collateral, uint256 debt) = _reserves();
        return collateral == 0 ? 0 : debt * 1e36 / collateral;
    }

    /// @inheritdoc ISpotSource
    /// @dev With x y = k, the price y / x falls by 2% when y falls to y sqrt(0.98). Rounded down.
    function spotDepth() external view returns (uint256) {
        (, uint256 debt) = _reserves();
        return debt * DEPTH_FACTOR / 1e18;
    }

    function _reserves() private view returns (uint256 collateral, uint256 debt) {
        (uint256 reserve0, uint256 reserve1,) = PAIR.getReserves();
        return COLLATERAL_IS_TOKEN0 ? (reserve0, reserve1) : (reserve1, reserve0);
    }
}
