// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";

import {
    ILendingPoolCore,
    ILendingPoolExtension,
    ILiquidateCallback,
    IRepayCallback,
    ISupplyCollateralCallback
} from "../../../contracts/interfaces/ILendingPool.sol";
import {PoolAccounting} from "../../../contracts/lending/PoolAccounting.sol";
import {IPoolTokenHook, PoolHookToken} from "../../mocks/PoolHookToken.sol";
import {IPoolUnderTest} from "../../utils/IPoolUnderTest.sol";

/// @notice Who listens to the events of a call while it runs.
interface IListener {
    /// @notice Takes in what pool `p` has emitted since the last time.
    function hear(uint256 p) external;

    /// @notice Forgets what was emitted since the last time: forge records the events of calls that reverted too.
    function ignore() external;

    /// @notice A callback has begun: looks at what a share of pool `p` is worth in it, and whether views answer.
    function enter(uint256 p) external;
}

/// @notice An account that is a contract, and makes calls of its own in the first callback of what it does: of the pool, or of a
/// token that tells it of transfers. It counts what succeeded there and must not.
contract ReentrantActor is
    IRepayCallback,
    ISupplyCollateralCallback,
    ILiquidateCallback,
    IERC3156FlashBorrower,
    IPoolTokenHook
{
    IPoolUnderTest public immutable POOL;

    /// @notice Callbacks in which it had something to do.
    uint256 public reactions;
    /// @notice Calls within callbacks that succeeded.
    uint256 public nested;
    /// @notice Those of them that no callback may make: liquidations, flags, settlements and flash loans.
    uint256 public intrusions;
    /// @notice Calls that the pool refused because of the callback, by selector: without any, none of the others proves a thing.
    mapping(bytes4 selector => uint256) public barred;

    bytes[] private _armed;
    IListener private _listener;
    uint256 private _place;

    constructor(IPoolUnderTest pool) {
        POOL = pool;
    }

    /// @param place The pool's place in the world.
    function setListener(IListener listener, uint256 place) external {
        (_listener, _place) = (listener, place);
    }

    /// @notice Asks `token` to be told of transfers, or no more.
    function register(address token, bool on) external {
        PoolHookToken(token).register(on);
    }

    /// @notice Calls the pool, and within the first callback makes the calls of `armed`.
    function act(bytes calldata data, bytes[] calldata armed) external returns (bytes memory) {
        for (uint256 i; i < armed.length; ++i) {
            _armed.push(armed[i]);
        }
        (bool success, bytes memory answer) = address(POOL).call(data);
        delete _armed;
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
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

    function _react() private {
        _listener.enter(_place);
        bytes[] memory calls = _armed;
        if (calls.length == 0) return;
        delete _armed;
        ++reactions;
        for (uint256 i; i < calls.length; ++i) {
            _listener.hear(_place);
            (bool success, bytes memory answer) = address(POOL).call(calls[i]);
            if (!success) {
                _listener.ignore();
                if (bytes4(answer) == PoolAccounting.CallbackInProgress.selector) ++barred[bytes4(calls[i])];
                continue;
            }
            ++nested;
            if (_isForbidden(bytes4(calls[i]))) ++intrusions;
        }
    }

    function _isForbidden(bytes4 selector) private pure returns (bool) {
        return selector == ILendingPoolCore.liquidate.selector || selector == ILendingPoolCore.liquidateBatch.selector
            || selector == ILendingPoolCore.flag.selector || selector == ILendingPoolExtension.settle.selector
            || selector == IERC3156FlashLender.flashLoan.selector;
    }
}
