// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {TwapOracle, TwapOracleParameters, FeedParameters} from "../../contracts/oracle/TwapOracle.sol";
import {Feeds} from "../../script/Feeds.sol";
import {RoundsFeed} from "../mocks/RoundsFeed.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";

contract FeedsTest is Test {
    function setUp() public {
        vm.warp(1_700_000_000);
    }

    function bounds(uint256 decimals, bool isQuote) external pure returns (uint128, uint128) {
        return Feeds.bounds(decimals, isQuote);
    }

    /// @dev Whatever the decimals of tokens and feeds, an oracle of two feeds takes the default bounds.
    function testFuzz_bounds_SuitAnOracleOfTwoFeeds(uint8 collateral, uint8 debt, uint8 base, uint8 quote) public {
        (collateral, debt) = (uint8(bound(collateral, 6, 18)), uint8(bound(debt, 6, 18)));
        (base, quote) = (uint8(bound(base, 6, 18)), uint8(bound(quote, 6, 18)));
        TwapOracleParameters memory p = TwapOracleParameters({
            collateralToken: address(new SimToken("Collateral", "C", collateral)),
            debtToken: address(new SimToken("Debt", "D", debt)),
            base: _feed(base, 2000, false),
            quote: _feed(quote, 1, true),
            venue: address(0),
            window: 30 minutes,
            step: 1000,
            confirmationDelay: 5 minutes,
            standInLimit: 4 hours
        });
        assertEq(new TwapOracle(p).peek().fast, 2000 * 10 ** (36 + uint256(debt) - collateral));
    }

    function test_bounds_FollowTheFeedsDecimals() public view {
        (uint128 low, uint128 high) = this.bounds(8, false);
        assertEq(abi.encode(low, high), abi.encode(1e4, 1e16));
        (low, high) = this.bounds(18, true);
        assertEq(abi.encode(low, high), abi.encode(1e16, 1e20));
        (low, high) = this.bounds(0, false);
        assertEq(abi.encode(low, high), abi.encode(0, 1e8));
    }

    function test_RevertWhen_bounds_DoNotFit() public {
        this.bounds(30, false);
        vm.expectRevert(abi.encodeWithSelector(Feeds.FeedDecimalsUnsupported.selector, 31));
        this.bounds(31, false);
    }

    function test_longestGap_LooksAtTheLatestRoundsOfOneAggregator() public {
        RoundsFeed feed = new RoundsFeed(8);
        feed.push(1, block.timestamp - 50_000);
        assertEq(Feeds.longestGap(address(feed)), 0, "one round");
        feed.push(1, block.timestamp - 10_000);
        feed.push(1, block.timestamp - 9000);
        assertEq(Feeds.longestGap(address(feed)), 40_000);
        for (uint256 i = 1; i < 8; ++i) {
            feed.push(1, block.timestamp - 9000 + i * 100);
        }
        assertEq(Feeds.longestGap(address(feed)), 1000, "eight gaps back");
        feed.push(1, block.timestamp - 8000);
        assertEq(Feeds.longestGap(address(feed)), 300, "and no further");
    }

    function test_longestGap_IsNothingWhereTheFeedDoesNotRemember() public {
        SimFeed feed = new SimFeed(8);
        feed.set(1, block.timestamp - 1000);
        feed.set(1, block.timestamp);
        assertEq(Feeds.longestGap(address(feed)), 0);
    }

    function _feed(uint8 decimals, uint256 price, bool isQuote) private returns (FeedParameters memory feed) {
        SimFeed source = new SimFeed(decimals);
        source.set(int256(price * 10 ** decimals), block.timestamp);
        return Feeds.checked(FeedParameters(address(source), 3900, 0, 0), isQuote);
    }
}
