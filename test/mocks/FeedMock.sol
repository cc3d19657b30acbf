// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IAggregatorV3} from "../../contracts/interfaces/IAggregatorV3.sol";

/// @notice A feed that answers what it is told to, in the ways that a hostile one may.
contract FeedMock is IAggregatorV3 {
    enum Behaviour {
        Answer,
        Revert,
        Short,
        Bomb,
        BurnGas,
        Heavy
    }

    /// @dev Most of what an oracle allows a feed; what is short of it underflows and reverts.
    uint256 private constant HEAVY_GAS = 190_000;

    uint8 public immutable decimals;
    int256 public answer;
    uint256 public updatedAt;
    Behaviour public behaviour;

    constructor(uint8 decimals_, int256 answer_) {
        decimals = decimals_;
        set(answer_);
    }

    /// @notice A new answer, dated now.
    function set(int256 answer_) public {
        answer = answer_;
        updatedAt = block.timestamp;
    }

    function setUpdatedAt(uint256 updatedAt_) external {
        updatedAt = updatedAt_;
    }

    function setBehaviour(Behaviour behaviour_) external {
        behaviour = behaviour_;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        Behaviour what = behaviour;
        if (what == Behaviour.Revert) revert("feed");
        if (what == Behaviour.Short) {
            // All that is read of an answer, but one word too little.
            (int256 value, uint256 date) = (answer, updatedAt);
            assembly {
                mstore(32, value)
                mstore(96, date)
                return(0, 128)
            }
        }
        if (what == Behaviour.Bomb) {
            // Well-formed, and followed by 200 kilobytes (at the price of memory, all that the gas limit allows).
            (int256 value, uint256 date) = (answer, updatedAt);
            assembly {
                mstore(32, value)
                mstore(96, date)
                return(0, 200000)
            }
        }
        if (what == Behaviour.BurnGas) {
            for (uint256 i; i < type(uint256).max; ++i) {}
        }
        if (what == Behaviour.Heavy) {
            uint256 end = gasleft() - HEAVY_GAS;
            while (gasleft() > end) {}
        }
        return (1, answer, updatedAt, updatedAt, 1);
    }
}
