// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IFlashLiquidatorVenue} from "../../contracts/liquidation/FlashLiquidator.sol";
import {VenueSeller} from "./VenueSeller.sol";

/// @dev What a liquidator uses of an Aave v3 pool.
interface IAaveLiquidations {
    function liquidationCall(
        address collateralAsset,
        address debtAsset,
        address user,
        uint256 debtToCover,
        bool receiveAToken
    ) external;
}

/// @title Liquidates on Aave v3 and sells what was seized, in one call
/// @notice Aave calls nobody back, so the repayment comes from capital that this contract holds and has again at the end: what
/// the sale leaves beyond it goes to the caller, and below his minimum everything reverts. Anybody may use it; for simulation.
contract AaveLiquidator is VenueSeller {
    /// @notice The sale left less than the caller asked for. `left` is what is held afterwards, `capital` what was before.
    error ProfitBelowMinimum(uint256 left, uint256 capital, uint256 minProfit);

    IAaveLiquidations public immutable POOL;

    constructor(IAaveLiquidations pool, IFlashLiquidatorVenue venue, address collateral, address asset)
        VenueSeller(venue, collateral, asset)
    {
        POOL = pool;
        SafeTransferLib.safeApproveWithRetry(asset, address(pool), type(uint256).max);
    }

    /// @notice Repays up to `maxRepay` of `account`'s debt. Base units of the debt token.
    /// @param minProfit The least that the caller receives; he should ask for what covers his gas.
    /// @return profit What the caller received.
    function liquidate(address account, uint256 maxRepay, uint256 minProfit) external returns (uint256 profit) {
        uint256 capital = SafeTransferLib.balanceOf(ASSET, address(this));
        POOL.liquidationCall(COLLATERAL, ASSET, account, maxRepay, false);
        _sellAll();
        uint256 left = SafeTransferLib.balanceOf(ASSET, address(this));
        if (left < capital + minProfit) revert ProfitBelowMinimum(left, capital, minProfit);
        profit = left - capital;
        SafeTransferLib.safeTransfer(ASSET, msg.sender, profit);
    }
}
