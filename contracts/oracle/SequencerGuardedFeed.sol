// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";

/// @title A price feed of a layer 2 that is missing while the sequencer is down
/// @notice Put it between a `TwapOracle` and the feed on a chain whose sequencer has a Chainlink-style uptime feed (answer 0:
/// up, since `startedAt`; anything else: down). While the sequencer is down, and for `GRACE_PERIOD` after it came back, nobody
/// but the sequencer's operator could have acted on prices: the feed then answers a date of 0, which every reader here takes
/// as missing.
/// @dev A missing feed is stood in for by the slow price and closes new risk; longer outages end in `Down`.
contract SequencerGuardedFeed is IAggregatorV3 {
    IAggregatorV3 public immutable FEED;
    IAggregatorV3 public immutable UPTIME_FEED;
    /// @notice Seconds.
    uint256 public immutable GRACE_PERIOD;

    /// @notice One of the feeds has no code.
    error NotAContract(address target);
    /// @notice Nobody can act within it, or it would hold prices back for more than a day.
    error InvalidGracePeriod(uint256 gracePeriod);

    constructor(IAggregatorV3 feed, IAggregatorV3 uptimeFeed, uint256 gracePeriod) {
        if (address(feed).code.length == 0) revert NotAContract(address(feed));
        if (address(uptimeFeed).code.length == 0) revert NotAContract(address(uptimeFeed));
        if (gracePeriod == 0 || gracePeriod > 1 days) revert InvalidGracePeriod(gracePeriod);
        (FEED, UPTIME_FEED, GRACE_PERIOD) = (feed, uptimeFeed, gracePeriod);
    }

    /// @inheritdoc IAggregatorV3
    function decimals() external view override returns (uint8) {
        return FEED.decimals();
    }

    /// @inheritdoc IAggregatorV3
    /// @dev Reverts where either feed does; a reader takes that as missing too.
    function latestRoundData()
        external
        view
        override
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        (roundId, answer, startedAt, updatedAt, answeredInRound) = FEED.latestRoundData();
        if (!_isUp()) updatedAt = 0;
    }

    /// @dev `startedAt` is 0 until the uptime feed has its first round.
    function _isUp() private view returns (bool) {
        (, int256 down, uint256 since,,) = UPTIME_FEED.latestRoundData();
        return down == 0 && since != 0 && since <= block.timestamp && block.timestamp - since > GRACE_PERIOD;
    }
}
