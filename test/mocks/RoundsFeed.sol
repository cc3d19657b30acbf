// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice A feed that remembers its rounds, numbered as a proxy of its second aggregator numbers them.
contract RoundsFeed {
    uint80 private constant PHASE = 2 << 64;

    uint8 public immutable decimals;
    uint256[2][] private _rounds;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function push(uint256 answer, uint256 updatedAt) external {
        _rounds.push([answer, updatedAt]);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return getRoundData(PHASE + uint80(_rounds.length));
    }

    function getRoundData(uint80 round) public view returns (uint80, int256, uint256, uint256, uint80) {
        require(round > PHASE && round <= PHASE + _rounds.length, "No data present");
        uint256[2] memory data = _rounds[round - PHASE - 1];
        return (round, int256(data[0]), data[1], data[1], round);
    }
}
