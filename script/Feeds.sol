// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../contracts/interfaces/IAggregatorV3.sol";
import {FeedParameters} from "../contracts/oracle/TwapOracle.sol";

/// @dev Chainlink's view of earlier rounds, which not every feed has.
interface IFeedRounds {
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}

/// @title What a deployment makes of a feed's parameters before an oracle keeps them for ever
library Feeds {
    /// @notice Two of the feed's latest rounds lie further apart than the heartbeat: it would have counted as missing between
    /// them. Seconds.
    error HeartbeatTooShort(address source, uint256 heartbeat, uint256 gap);
    /// @notice The default bounds of a feed with so many decimals do not fit 128 bits.
    error FeedDecimalsUnsupported(uint256 decimals);

    /// @dev How many rounds are looked back.
    uint256 private constant ROUNDS = 8;

    /// @notice The bounds of a feed whose plan leaves both at 0, in the feed's decimals. Of a price: 0.0001 to 10^8. Of a debt
    /// token worth about a dollar: 0.01 to 100, since base and quote together may span 10^16 at most (`OracleScale`).
    function bounds(uint256 decimals, bool isQuote) internal pure returns (uint128 minAnswer, uint128 maxAnswer) {
        (uint256 below, uint256 above) = isQuote ? (2, 2) : (4, 8);
        if (decimals + above > 38) revert FeedDecimalsUnsupported(decimals);
        // forge-lint: disable-next-line(unsafe-typecast)
        maxAnswer = uint128(10 ** (decimals + above));
        // forge-lint: disable-next-line(unsafe-typecast)
        if (decimals >= below) minAnswer = uint128(10 ** (decimals - below));
    }

    /// @notice The feed with its bounds, once its heartbeat has stood the test of its latest rounds.
    function checked(FeedParameters memory feed, bool isQuote) internal view returns (FeedParameters memory) {
        if (feed.minAnswer == 0 && feed.maxAnswer == 0) {
            (feed.minAnswer, feed.maxAnswer) = bounds(IAggregatorV3(feed.source).decimals(), isQuote);
        }
        uint256 gap = longestGap(feed.source);
        if (gap > feed.heartbeat) revert HeartbeatTooShort(feed.source, feed.heartbeat, gap);
        return feed;
    }

    /// @notice The longest time between two of the latest rounds, seconds; 0 where the feed does not tell of earlier ones.
    function longestGap(address source) internal view returns (uint256 gap) {
        (uint80 round,,, uint256 later,) = IAggregatorV3(source).latestRoundData();
        for (uint256 back; back < ROUNDS && round != 0; ++back) {
            --round;
            (bool success, bytes memory answer) = source.staticcall(abi.encodeCall(IFeedRounds.getRoundData, (round)));
            if (!success || answer.length < 160) break;
            (,,, uint256 earlier,) = abi.decode(answer, (uint256, uint256, uint256, uint256, uint256));
            // The first round of an aggregator, or nonsense.
            if (earlier == 0 || earlier > later) break;
            if (later - earlier > gap) gap = later - earlier;
            later = earlier;
        }
    }
}
