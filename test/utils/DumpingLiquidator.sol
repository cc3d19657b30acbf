// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {IFlashLiquidatorVenue} from "../../contracts/liquidation/FlashLiquidator.sol";
import {VenueSeller} from "./VenueSeller.sol";

/// @title Liquidates with the caller's capital and sells what was seized at any price
/// @notice What the sale fetches goes back to the caller, whether it is more than he spent or less. Anybody may use it; for
/// simulation of liquidators who do not ask what a sale leaves.
contract DumpingLiquidator is VenueSeller {
    ILendingPool public immutable POOL;
    uint256 public immutable COLLATERAL_ID;

    constructor(ILendingPool pool, IFlashLiquidatorVenue venue, uint256 collateralId)
        VenueSeller(venue, pool.collateralState(collateralId).token, pool.assetToken())
    {
        (POOL, COLLATERAL_ID) = (pool, collateralId);
        SafeTransferLib.safeApproveWithRetry(ASSET, address(pool), type(uint256).max);
    }

    /// @notice Repays up to `maxRepay` of `account`'s debt, which the caller has approved. Base units of the debt token. The third
    /// argument, where a rational liquidator says what he wants to be left, is not looked at.
    /// @return fetched What the sale fetched.
    function liquidate(address account, uint256 maxRepay, uint256) external returns (uint256 fetched) {
        SafeTransferLib.safeTransferFrom(ASSET, msg.sender, address(this), maxRepay);
        uint256 repaid = POOL.liquidate(account, COLLATERAL_ID, maxRepay, "").repaid;
        _sellAll();
        uint256 held = SafeTransferLib.balanceOf(ASSET, address(this));
        fetched = held - (maxRepay - repaid);
        SafeTransferLib.safeTransfer(ASSET, msg.sender, held);
    }
}
