// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {FlashLiquidator} from "../../contracts/liquidation/FlashLiquidator.sol";

/// @notice A venue that pays nothing and tries everything that a flash liquidator must refuse.
contract GreedyVenue {
    address public token0;
    address public token1;
    uint256 public refusals;
    FlashLiquidator private immutable FLASH;
    address private immutable ACCOUNT;

    constructor(address first, address second, FlashLiquidator flash, address account) {
        (token0, token1, FLASH, ACCOUNT) = (first, second, flash, account);
    }

    function swap(address, bool, int256 amount, uint160, bytes calldata) external returns (int256, int256) {
        try FLASH.settle(ACCOUNT, 0) {}
        catch {
            ++refusals;
        }
        try FLASH.onLiquidate(0, "") {}
        catch {
            ++refusals;
        }
        FLASH.uniswapV3SwapCallback(amount, 0, "");
        // Nothing of it is left.
        try FLASH.uniswapV3SwapCallback(amount, 0, "") {}
        catch {
            ++refusals;
        }
        return (amount, 0);
    }
}
