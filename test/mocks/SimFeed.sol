// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @title A Chainlink-style price feed whose answer anybody may set, for simulation and tests
/// @notice Each `set` starts a new round; rounds count from 1. Before the first one `latestRoundData` answers zeros, as a
/// proxied feed without data does.
contract SimFeed {
    using SafeCastLib for uint256;

    /// @notice Decimals of `answer`.
    uint8 public immutable decimals;

    uint80 private _round;
    uint64 private _updatedAt;
    int256 private _answer;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    /// @notice Publishes an answer. Zero, negative and out-of-date answers are allowed: a consumer must cope with them.
    /// @param answer The price, with `decimals` decimals.
    /// @param updatedAt Unix seconds; reverts from 2^64 on.
    function set(int256 answer, uint256 updatedAt) external {
        _round += 1;
        _updatedAt = updatedAt.toUint64();
        _answer = answer;
    }

    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return (_round, _answer, _updatedAt, _updatedAt, _round);
    }
}
