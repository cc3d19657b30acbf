// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";
import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {Prices, PriceStatus} from "../../contracts/types/Price.sol";
import {DecimalsMock} from "../mocks/DecimalsMock.sol";
import {FeedMock} from "../mocks/FeedMock.sol";

/// @dev Decimals of tokens and feeds, ratios of two feeds, and the edges of the range.
contract TwapOracleScaleTest is Test {
    FeedMock private base;
    FeedMock private quote;

    function setUp() public {
        vm.warp(1_700_000_000);
    }

    function _deploy(uint8 collateralDecimals, uint8 debtDecimals, FeedParameters memory b, FeedParameters memory q)
        private
        returns (TwapOracle)
    {
        TwapOracleParameters memory p;
        p.collateralToken = address(new DecimalsMock(collateralDecimals));
        p.debtToken = address(new DecimalsMock(debtDecimals));
        (p.base, p.quote) = (b, q);
        (p.window, p.step, p.confirmationDelay, p.standInLimit) = (1800, 1000, 300, 7200);
        return new TwapOracle(p);
    }

    function _feed(FeedMock feed, uint128 low, uint128 high) private pure returns (FeedParameters memory) {
        return FeedParameters(address(feed), 1 days, low, high);
    }

    function _fast(TwapOracle oracle) private view returns (uint256) {
        return oracle.peek().fast;
    }

    function test_peek_SingleFeedOfEveryDecimals() public {
        FeedParameters memory none;
        // WBTC (8) at 100,000 DAI (18), 8-decimals feed: 1e5 * 1e18 / 1e8 * 1e36 = 1e51.
        base = new FeedMock(8, 100_000e8);
        assertEq(_fast(_deploy(8, 18, _feed(base, 1e8, 1e16), none)), 1e51);
        // USDC (6) at 0.9999 of an 18-decimals dollar, 18-decimals feed: 0.9999 * 1e18 / 1e6 * 1e36 = 9.999e47.
        base = new FeedMock(18, 0.9999e18);
        assertEq(_fast(_deploy(6, 18, _feed(base, 0.01e18, 100e18), none)), 9.999e47);
        // An 18-decimals token at 0.00001234 USDC (6), 8-decimals feed: 1.234e-5 * 1e6 / 1e18 * 1e36 = 1.234e19.
        base = new FeedMock(8, 1234);
        assertEq(_fast(_deploy(18, 6, _feed(base, 1, 1e8), none)), 1.234e19);
        // wstETH (18) at 1.2 WETH (18).
        base = new FeedMock(18, 1.2e18);
        assertEq(_fast(_deploy(18, 18, _feed(base, 0.5e18, 2e18), none)), 1.2e36);
    }

    function test_peek_RatioOfTwoFeeds() public {
        // ETH at 2,000 USD, USDC at 0.8 USD, both feeds of 8 decimals: 2,500 USDC, 2500 * 1e6 / 1e18 * 1e36 = 2.5e27.
        base = new FeedMock(8, 2000e8);
        quote = new FeedMock(8, 0.8e8);
        TwapOracle oracle = _deploy(18, 6, _feed(base, 1e8, 1e14), _feed(quote, 0.1e8, 10e8));
        assertEq(_fast(oracle), 2.5e27);
        // 2000 / 3 = 666.67: rounded down, by less than 1e-9 of itself.
        quote.set(3e8);
        assertLe(_fast(oracle), uint256(2000e24) / 3);
        assertApproxEqRel(_fast(oracle), uint256(2000e24) / 3, 1e9);
        // With 18 decimals in the quote feed.
        quote = new FeedMock(18, 0.8e18);
        assertEq(_fast(_deploy(18, 6, _feed(base, 1e8, 1e14), _feed(quote, 0.1e18, 10e18))), 2.5e27);
        // Inverted: USDC (6) in WETH (18), 0.8 / 2000 = 0.0004: 4e-4 * 1e18 / 1e6 * 1e36 = 4e44.
        quote = new FeedMock(8, 2000e8);
        base = new FeedMock(8, 0.8e8);
        assertEq(_fast(_deploy(6, 18, _feed(base, 0.1e8, 10e8), _feed(quote, 1e8, 1e14))), 4e44);
    }

    function test_update_EitherFeedMissingIsMissing() public {
        base = new FeedMock(8, 2000e8);
        quote = new FeedMock(8, 1e8);
        TwapOracle oracle = _deploy(18, 6, _feed(base, 1e8, 1e14), _feed(quote, 0.1e8, 10e8));
        vm.warp(block.timestamp + 1800);
        base.set(2100e8);
        quote.setBehaviour(FeedMock.Behaviour.Revert);
        (uint256 fast,, PriceStatus status) = oracle.update();
        assertEq(fast, 2e27);
        assertEq(uint256(status), uint256(PriceStatus.Degraded));
        quote.set(0.1e8); // at its lower bound
        quote.setBehaviour(FeedMock.Behaviour.Answer);
        (fast,,) = oracle.update();
        assertEq(fast, 2e27);
        quote.set(1e8);
        (fast,, status) = oracle.update();
        assertEq(fast, 2.1e27);
        assertEq(uint256(status), uint256(PriceStatus.Ok));
        base.setBehaviour(FeedMock.Behaviour.Revert);
        (fast,,) = oracle.update();
        assertEq(fast, 2e27);
    }

    /// @dev Each feed is as old as its own heartbeat allows, whatever the other's does.
    function test_update_EachFeedHasItsOwnHeartbeat() public {
        for (uint256 i; i < 2; ++i) {
            base = new FeedMock(8, 2000e8);
            quote = new FeedMock(8, 1e8);
            (FeedParameters memory b, FeedParameters memory q) = (_feed(base, 1e8, 1e14), _feed(quote, 0.1e8, 10e8));
            // The quote feed's heartbeat is the shorter one, then the longer one.
            if (i == 0) q.heartbeat = 1 hours;
            else b.heartbeat = 1 hours;
            TwapOracle oracle = _deploy(18, 6, b, q);
            vm.warp(block.timestamp + 2 hours);
            base.set(2100e8);
            (uint256 fast,,) = oracle.update();
            assertEq(fast, i == 0 ? 2e27 : 2.1e27);
        }
    }

    /// @dev Any decimals, bounds and answers: where the constructor accepts them, no reading fails, and each is the exact
    /// quotient rounded down, within 1e-9. One update a day for two days.
    function testFuzz_update_ExactWhereverTheScaleFits(uint256 seed) public {
        uint8 collateralDecimals = uint8(6 + seed % 13);
        uint8 debtDecimals = uint8(6 + (seed >> 8) % 13);
        uint8 baseDecimals = uint8(6 + (seed >> 16) % 13);
        uint8 quoteDecimals = uint8(6 + (seed >> 24) % 13);
        uint256 baseOne = 10 ** baseDecimals;
        uint256 quoteOne = 10 ** quoteDecimals;
        // Answers between one and 10^6, or one thousandth and 10, within bounds twice as wide on both sides.
        uint256 baseAnswer = baseOne + (seed >> 32) % (1e6 * baseOne);
        uint256 quoteAnswer = quoteOne / 1000 + (seed >> 96) % (10 * quoteOne);
        base = new FeedMock(baseDecimals, int256(baseAnswer));
        quote = new FeedMock(quoteDecimals, int256(quoteAnswer));
        TwapOracle oracle = _deploy(
            collateralDecimals,
            debtDecimals,
            _feed(base, uint128(baseOne / 2), uint128(2e6 * baseOne)),
            _feed(quote, uint128(quoteOne / 2000), uint128(21 * quoteOne))
        );
        // base / quote in units of 1e36 * 10^debt / 10^collateral, without loss in between.
        uint256 expected =
            Math.mulDiv(baseAnswer * quoteOne, 10 ** (36 + debtDecimals - collateralDecimals), baseOne * quoteAnswer);
        for (uint256 i; i < 3; ++i) {
            Prices memory prices = oracle.updateForLiquidation();
            assertLe(prices.fast, expected);
            assertApproxEqRel(prices.fast, expected, 1e9);
            assertEq(prices.slow, prices.fast);
            assertEq(prices.cumulative, prices.fast * i * 1 days);
            vm.warp(block.timestamp + 1 days);
            base.set(int256(baseAnswer));
            quote.set(int256(quoteAnswer));
        }
    }

    function test_update_HighestPriceForACentury() public {
        FeedParameters memory none;
        // 9.9e12 tokens of 24 decimals for one of 6: 9.9e12 * 1e24 / 1e6 * 1e36 = 9.9e66, of 2^224 = 2.7e67.
        base = new FeedMock(6, 9.9e18);
        TwapOracle oracle = _deploy(6, 24, _feed(base, 1e18, 1e19), none);
        uint256 price = 9.9e18 * 10 ** (36 + 24 - 6 - 6);
        assertEq(_fast(oracle), price);
        vm.warp(block.timestamp + 100 * 365 days);
        base.set(9.9e18);
        Prices memory prices = oracle.updateForLiquidation();
        assertEq(prices.fast, price);
        assertEq(prices.cumulative, price * 100 * 365 days);
        assertEq(uint256(prices.status), uint256(PriceStatus.Ok));
    }
}
