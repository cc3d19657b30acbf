// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {
    ILiquidateCallback,
    IRepayCallback,
    ISupplyCollateralCallback
} from "../../contracts/interfaces/ILendingPool.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {IPoolTokenHook, PoolHookToken} from "./PoolHookToken.sol";

/// @dev A contract that acts on a pool as it is told, and in every callback makes the calls that it was armed with. It
/// remembers whether each succeeded, why not, and what the share was worth while it had control.
contract PoolActor is
    IRepayCallback,
    ISupplyCollateralCallback,
    ILiquidateCallback,
    IERC3156FlashBorrower,
    IPoolTokenHook
{
    IPoolUnderTest public immutable pool;

    bytes[] private _armed;
    bool[] private _succeeded;
    bytes[] private _reasons;
    uint256 public callbacks;
    uint256 public sharePriceInside;
    uint256 public debtInside;
    /// @dev A bubbled failure: the callback itself fails if any armed call does.
    bool public strict;

    constructor(IPoolUnderTest pool_) {
        pool = pool_;
    }

    function approve(address token, uint256 amount) external {
        IERC20(token).approve(address(pool), amount);
    }

    function register(address token, bool on) external {
        PoolHookToken(token).register(on);
    }

    function arm(bytes calldata call_) external {
        _armed.push(call_);
    }

    function setStrict(bool strict_) external {
        strict = strict_;
    }

    function succeeded(uint256 i) external view returns (bool) {
        return _succeeded[i];
    }

    function reason(uint256 i) external view returns (bytes4) {
        return bytes4(_reasons[i]);
    }

    /// @dev Calls the pool as this contract.
    function act(bytes calldata call_) external returns (bytes memory) {
        (bool success, bytes memory result) = address(pool).call(call_);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        return result;
    }

    function onRepay(uint256, bytes calldata) external {
        _react();
    }

    function onSupplyCollateral(uint256, uint256, bytes calldata) external {
        _react();
    }

    function onLiquidate(uint256, bytes calldata) external {
        _react();
    }

    function onTokenMove(bool) external {
        _react();
    }

    function onFlashLoan(address, address, uint256, uint256, bytes calldata) external returns (bytes32) {
        _react();
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }

    /// @dev Once: what it does may call back again.
    function _react() private {
        ++callbacks;
        sharePriceInside = pool.convertToAssets(1e24);
        debtInside = pool.debtOf(address(this));
        bytes[] memory calls = _armed;
        delete _armed;
        for (uint256 i; i < calls.length; ++i) {
            (bool success, bytes memory result) = address(pool).call(calls[i]);
            require(success || !strict, "armed call failed");
            _succeeded.push(success);
            _reasons.push(result);
        }
    }
}
