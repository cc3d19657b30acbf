// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IAggregatorV3} from "../../contracts/interfaces/IAggregatorV3.sol";

/// @title A feed's latest answer by itself, for readers that ask for no more
/// @notice Aave's oracle reads a source so: whatever its age.
contract LatestAnswer {
    IAggregatorV3 public immutable FEED;

    constructor(IAggregatorV3 feed) {
        FEED = feed;
    }

    /// @notice The answer, with the feed's decimals.
    function latestAnswer() external view returns (int256 answer) {
        (, answer,,,) = FEED.latestRoundData();
    }
}
