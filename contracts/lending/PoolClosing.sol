// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ILiquidateCallback} from "../interfaces/ILendingPool.sol";
import {Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {SharesMath} from "../libraries/SharesMath.sol";
import {PoolPositions} from "./PoolPositions.sol";
import {Market, Position} from "./PoolStorage.sol";

/// @title What every way of ending a position shares
/// @notice Taking debt and collateral off an account, and collecting the repayment.
abstract contract PoolClosing is PoolPositions {
    /// @notice Nothing was granted.
    error NotLiquidatable(address account, Refusal refusal);

    /// @dev Takes `repaid` of `debt` off an account; all of its shares if that is all of it.
    function _burnDebt(Market memory market, Position memory position, uint256 repaid, uint256 debt) internal pure {
        uint256 shares = repaid == debt
            ? position.debtShares
            : SharesMath.debtToSharesDown(repaid, market.totalDebt, market.debtShares);
        position.debtShares -= shares;
        _subtractDebt(market, repaid, shares);
    }

    function _removeCollateral(Position memory position, address account, uint256 id, uint256 amount, uint256 held)
        internal
    {
        _setAmount(position, account, id, held - amount);
        (uint256 total, uint256 cap) = _totalOf(id);
        _setTotal(id, total > cap, total - amount, cap);
    }

    /// @dev The callback, if data ask for one, then the repayment.
    function _collect(uint256 amount, bytes calldata data) internal {
        if (data.length != 0) {
            _inCallback = true;
            ILiquidateCallback(msg.sender).onLiquidate(amount, data);
            _inCallback = false;
        }
        if (amount != 0) _pull(_asset, amount);
    }
}
