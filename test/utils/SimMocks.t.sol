// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {ERC20} from "solady/tokens/ERC20.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";

contract SimMocksTest is Test {
    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    function test_token_HasWhatItWasGiven() public {
        SimToken token = new SimToken("Dollar", "USD", 6);
        assertEq(token.name(), "Dollar");
        assertEq(token.symbol(), "USD");
        assertEq(token.decimals(), 6);
        vm.prank(address(1));
        token.mint(address(2), 5);
        assertEq(token.balanceOf(address(2)), 5);
        assertEq(token.totalSupply(), 5);
    }

    function test_RevertWhen_Permit2HasNoAllowance() public {
        SimToken token = new SimToken("Dollar", "USD", 6);
        token.mint(address(this), 5);
        assertEq(token.allowance(address(this), PERMIT2), 0);
        vm.prank(PERMIT2);
        vm.expectRevert(ERC20.InsufficientAllowance.selector);
        token.transferFrom(address(this), PERMIT2, 1);
    }

    function testFuzz_feed_AnswersTheLastRound(int256 answer, uint64 updatedAt) public {
        SimFeed feed = new SimFeed(8);
        (uint80 round, int256 last, uint256 startedAt, uint256 at, uint80 answeredIn) = feed.latestRoundData();
        assertEq(feed.decimals(), 8);
        assertEq(uint256(round) + uint256(last) + startedAt + at + answeredIn, 0);
        feed.set(1, 1);
        feed.set(answer, updatedAt);
        (round, last, startedAt, at, answeredIn) = feed.latestRoundData();
        assertEq(round, 2);
        assertEq(last, answer);
        assertEq(startedAt, updatedAt);
        assertEq(at, updatedAt);
        assertEq(answeredIn, 2);
    }

    function test_RevertWhen_FeedTimeIsTooLarge() public {
        SimFeed feed = new SimFeed(8);
        vm.expectRevert(SafeCastLib.Overflow.selector);
        feed.set(1, 1 << 64);
    }
}
