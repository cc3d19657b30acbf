// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LibString} from "solady/utils/LibString.sol";

import {Refusal} from "../../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../../contracts/lending/PoolClosing.sol";

/// @notice The account of a campaign: how often each action succeeded, failed and why, and the floor of successes below which
/// the campaign has shown nothing.
/// @dev A floor is a share of the calls made, so that it means the same at every depth, and a sequence that forge shortens
/// is not idle for being short.
contract CampaignLedger {
    /// @notice Calls of handler functions so far.
    uint256 public calls;
    mapping(bytes32 action => uint256) public done;
    mapping(bytes32 action => uint256) public refused;
    /// @notice Successes that are demanded of each ten thousand calls.
    mapping(bytes32 action => uint256) public floorOf;
    /// @notice The handler whose action it is.
    mapping(bytes32 action => address) public handlerOf;
    /// @notice The first property that did not hold, or empty.
    string public broken;

    bytes32[] private _actions;
    mapping(bytes32 action => bytes32[]) private _reasons;
    mapping(bytes32 action => mapping(bytes32 reason => uint256)) private _failures;

    /// @notice Declares an action with its floor.
    function declare(bytes32 action, uint256 perTenThousand) external {
        _actions.push(action);
        floorOf[action] = perTenThousand;
        handlerOf[action] = msg.sender;
    }

    function called() external {
        ++calls;
    }

    function succeeded(bytes32 action) external {
        ++done[action];
    }

    /// @param answer What the call reverted with.
    function failed(bytes32 action, bytes calldata answer) external {
        bytes32 reason = _reasonOf(answer);
        if (_failures[action][reason] == 0) _reasons[action].push(reason);
        ++_failures[action][reason];
        ++refused[action];
    }

    /// @notice Remembers the first property that is broken, so that no revert can hide it.
    function check(bool holds, string calldata property) external {
        if (!holds && bytes(broken).length == 0) broken = property;
    }

    /// @notice How often `action` failed with the error of `selector`.
    function failures(bytes32 action, bytes4 selector) external view returns (uint256) {
        return _failures[action][bytes32(selector)];
    }

    /// @notice The first action below its floor, or 0.
    function idle() external view returns (bytes32) {
        for (uint256 i; i < _actions.length; ++i) {
            if (done[_actions[i]] < calls * floorOf[_actions[i]] / 10_000) return _actions[i];
        }
        return 0;
    }

    /// @notice The successes of the action that has the fewest, of all that have a floor.
    function least() external view returns (uint256 fewest) {
        fewest = type(uint256).max;
        for (uint256 i; i < _actions.length; ++i) {
            bytes32 action = _actions[i];
            if (floorOf[action] != 0 && done[action] < fewest) fewest = done[action];
        }
    }

    /// @notice A line an action: successes, failures, and the failures by error selector.
    function report() external view returns (string memory text) {
        text = string.concat(LibString.toString(calls), " calls\n");
        for (uint256 i; i < _actions.length; ++i) {
            bytes32 action = _actions[i];
            text = string.concat(
                text,
                LibString.fromSmallString(action),
                ": ",
                LibString.toString(done[action]),
                " done, floor ",
                LibString.toString(calls * floorOf[action] / 10_000),
                ", ",
                LibString.toString(refused[action]),
                " refused",
                _reasonsOf(action),
                "\n"
            );
        }
    }

    function _reasonsOf(bytes32 action) private view returns (string memory text) {
        for (uint256 i; i < _reasons[action].length; ++i) {
            bytes32 reason = _reasons[action][i];
            text = string.concat(
                text,
                i == 0 ? " (" : ", ",
                LibString.toHexString(abi.encodePacked(bytes4(reason))),
                uint256(reason) & 0xff == 0 ? "" : string.concat("/", LibString.toString(uint256(reason) & 0xff)),
                " ",
                LibString.toString(_failures[action][reason])
            );
        }
        if (bytes(text).length != 0) text = string.concat(text, ")");
    }

    /// @dev The selector; of `NotLiquidatable` also the refusal, in the last byte.
    function _reasonOf(bytes calldata answer) private pure returns (bytes32 reason) {
        if (answer.length < 4) return 0;
        reason = bytes32(bytes4(answer[:4]));
        if (bytes4(answer[:4]) == PoolClosing.NotLiquidatable.selector) {
            (, Refusal refusal) = abi.decode(answer[4:], (address, Refusal));
            reason |= bytes32(uint256(refusal));
        }
    }
}
