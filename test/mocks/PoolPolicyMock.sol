// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {
    ILiquidationPolicy,
    LiquidationGrant,
    LiquidationRequest
} from "../../contracts/interfaces/ILiquidationPolicy.sol";

/// @dev Grants what it was told whatever it is asked, reverts if told to, and remembers the last request.
contract PoolPolicyMock is ILiquidationPolicy {
    error PolicyBroken();

    bool public needsConfirmation;
    bool public broken;
    uint256 public commits;
    LiquidationGrant private _grant;
    LiquidationRequest private _last;

    function setGrant(LiquidationGrant calldata grant) external {
        _grant = grant;
    }

    function setNeedsConfirmation(bool needed) external {
        needsConfirmation = needed;
    }

    function setBroken(bool broken_) external {
        broken = broken_;
    }

    function lastRequest() external view returns (LiquidationRequest memory) {
        return _last;
    }

    function quote(address, LiquidationRequest calldata) external view returns (LiquidationGrant memory) {
        if (broken) revert PolicyBroken();
        return _grant;
    }

    function commit(LiquidationRequest calldata request) external returns (LiquidationGrant memory) {
        if (broken) revert PolicyBroken();
        ++commits;
        _last = request;
        return _grant;
    }
}
