// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {CollateralState, ILiquidateCallback, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";

/// @notice The liquidation half of a lending pool with two collaterals, granting what a test tells it to.
contract FlashPoolMock {
    address public assetToken;
    address[2] public tokens;
    uint256[2] public seize;
    uint256 public repay;
    uint256 public stipend;
    uint256 public collateralBitmapValue = 1;

    constructor(address asset, address first, address second) {
        assetToken = asset;
        tokens = [first, second];
    }

    function grant(uint256 newRepay, uint256 first, uint256 second, uint256 newStipend) external {
        (repay, seize, stipend) = (newRepay, [first, second], newStipend);
        collateralBitmapValue = second == 0 ? 1 : 3;
    }

    function collateralState(uint256 id) external view returns (CollateralState memory state) {
        state.token = tokens[id];
    }

    function collateralBitmap(address) external view returns (uint256) {
        return collateralBitmapValue;
    }

    function liquidate(address, uint256 id, uint256, bytes calldata data)
        external
        returns (LiquidationResult memory r)
    {
        (r.repaid, r.seized) = (repay, seize[id]);
        SafeTransferLib.safeTransfer(tokens[id], msg.sender, seize[id]);
        _collect(data);
    }

    function settle(address, bytes calldata data) external returns (LiquidationResult memory r) {
        r.repaid = repay;
        for (uint256 id; id < 2; ++id) {
            if (seize[id] != 0) SafeTransferLib.safeTransfer(tokens[id], msg.sender, seize[id]);
        }
        if (stipend != 0) SafeTransferLib.safeTransfer(assetToken, msg.sender, stipend);
        _collect(data);
    }

    function _collect(bytes calldata data) private {
        ILiquidateCallback(msg.sender).onLiquidate(repay, data);
        SafeTransferLib.safeTransferFrom(assetToken, msg.sender, address(this), repay);
    }
}
