// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Prices, PriceStatus} from "../../contracts/types/Price.sol";

/// @notice An oracle whose depth and fast price a test sets, and which can misbehave in every way a callee can.
contract DepthOracleMock {
    enum Behaviour {
        Honest,
        Reverts,
        BurnsGas,
        ReturnsNothing,
        ReturnsMegabytes
    }

    uint256 public depthValue;
    uint256 public fast;
    PriceStatus public status;
    Behaviour public behaviour;

    function setDepth(uint256 value) external {
        depthValue = value;
    }

    function setFast(uint256 value, PriceStatus newStatus) external {
        fast = value;
        status = newStatus;
    }

    function setBehaviour(Behaviour value) external {
        behaviour = value;
    }

    function depth() external view returns (uint256) {
        _misbehave();
        return depthValue;
    }

    function peek() external view returns (Prices memory) {
        _misbehave();
        return Prices(fast, fast, fast, 0, status);
    }

    function _misbehave() private view {
        if (behaviour == Behaviour.Reverts) revert("no answer");
        if (behaviour == Behaviour.BurnsGas) {
            assembly {
                for {} 1 {} {}
            }
        }
        if (behaviour == Behaviour.ReturnsNothing) {
            assembly {
                return(0, 0)
            }
        }
        if (behaviour == Behaviour.ReturnsMegabytes) {
            assembly {
                revert(0, 200000)
            }
        }
    }
}
