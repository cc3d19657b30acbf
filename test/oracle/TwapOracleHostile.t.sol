// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {OracleCall} from "../../contracts/libraries/OracleCall.sol";
import {OracleScale} from "../../contracts/libraries/OracleScale.sol";
import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {Prices, PriceStatus} from "../../contracts/types/Price.sol";
import {DecimalsMock} from "../mocks/DecimalsMock.sol";
import {FeedMock} from "../mocks/FeedMock.sol";
import {TwapOracleTestBase} from "./TwapOracleTestBase.sol";

contract TwapOracleHostileTest is TwapOracleTestBase {
    function setUp() public override {
        super.setUp();
        _warm();
        feed.set(2100e8);
        _skip(12);
    }

    /// @dev The feed counts as missing: the slow price stands in, and nothing is recorded. Within gas that a block has.
    function _assertMissing() private {
        (, uint256 recordedAt,,,,,) = oracle.records();
        uint256 before = gasleft();
        (uint256 fast, uint256 slow, PriceStatus status) = oracle.update();
        assertLt(before - gasleft(), 250_000, "gas");
        assertEq(uint256(status), uint256(PriceStatus.Degraded), "status");
        assertEq(fast, slow, "fast");
        assertEq(slow, PRICE_2000, "slow");
        (, uint256 recordedAfter,,,,,) = oracle.records();
        assertEq(recordedAfter, recordedAt, "record");
    }

    function _assertUsed(uint256 price) private {
        (uint256 fast,,) = oracle.update();
        assertEq(fast, price);
    }

    function test_update_StaleAnswerIsMissing() public {
        feed.setUpdatedAt(block.timestamp - HEARTBEAT - 1);
        _assertMissing();
        feed.setUpdatedAt(block.timestamp - HEARTBEAT);
        _assertUsed(2.1e27);
    }

    function test_update_FutureAnswerIsMissing() public {
        feed.setUpdatedAt(block.timestamp + 1);
        _assertMissing();
        feed.setUpdatedAt(type(uint256).max);
        _assertMissing();
        feed.setUpdatedAt(block.timestamp);
        _assertUsed(2.1e27);
    }

    function test_update_UndatedAnswerIsMissing() public {
        vm.warp(100); // so that the date 0 is within the heartbeat
        TwapOracleParameters memory p = _parameters();
        feed.set(2000e8);
        oracle = new TwapOracle(p);
        vm.warp(200);
        feed.set(2100e8);
        feed.setUpdatedAt(0);
        _assertMissing();
    }

    function test_update_ZeroAndNegativeAnswersAreMissing() public {
        feed.set(0);
        _assertMissing();
        feed.set(-1);
        _assertMissing();
        feed.set(type(int256).min);
        _assertMissing();
    }

    function test_update_AnswersAtTheBoundsAreMissing() public {
        feed.set(1e8);
        _assertMissing();
        feed.set(1_000_000e8);
        _assertMissing();
        feed.set(type(int256).max);
        _assertMissing();
        feed.set(1e8 + 1);
        _assertUsed(1.00000001e24);
        _skip(12);
        feed.set(1_000_000e8 - 1);
        _assertUsed(999_999.99999999e24);
    }

    function test_update_RevertingShortAndBurningFeedsAreMissing() public {
        feed.setBehaviour(FeedMock.Behaviour.Revert);
        _assertMissing();
        feed.setBehaviour(FeedMock.Behaviour.Short);
        _assertMissing();
        feed.setBehaviour(FeedMock.Behaviour.BurnGas);
        _assertMissing();
    }

    function test_update_FeedWithoutCodeIsMissing() public {
        vm.etch(address(feed), "");
        _assertMissing();
    }

    function test_update_LongAnswerIsNotCopied() public {
        feed.setBehaviour(FeedMock.Behaviour.Bomb);
        uint256 before = gasleft();
        _assertUsed(2.1e27);
        // 200 kilobytes cost the feed 95,000 gas; copying them would cost as much again.
        assertLt(before - gasleft(), 170_000);
    }

    /// @dev Starving the feed of gas must not make the slow price stand in.
    function testFuzz_update_NeverTakesAStarvedFeedForMissing(uint256 gasLimit) public {
        feed.setBehaviour(FeedMock.Behaviour.Heavy);
        gasLimit = bound(gasLimit, 180_000, 230_000);
        try oracle.update{gas: gasLimit}() returns (uint256 fast, uint256, PriceStatus status) {
            assertEq(fast, 2.1e27);
            assertEq(uint256(status), uint256(PriceStatus.Ok));
        } catch {}
    }

    function test_RevertWhen_AMissingFeedHadTooLittleGas() public {
        feed.setBehaviour(FeedMock.Behaviour.Revert);
        try oracle.update{gas: 190_000}() {
            fail();
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), OracleCall.InsufficientGas.selector);
        }
        oracle.update{gas: 250_000}();
    }

    /// @dev Nor must starving the venue make the slow price confirm.
    function testFuzz_updateForLiquidation_NeverTakesAStarvedVenueForSilent(uint256 gasLimit) public {
        venue.set(1.7e27, 0);
        venue.setHeavyGas(290_000);
        gasLimit = bound(gasLimit, 280_000, 350_000);
        try oracle.updateForLiquidation{gas: gasLimit}() returns (Prices memory prices) {
            assertEq(prices.confirm, 1.7e27);
        } catch {}
    }

    // -- construction

    function test_RevertWhen_ParametersAreInvalid() public {
        TwapOracleParameters memory p = _parameters();
        p.window = 0;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidWindow.selector, 0));
        p.window = 1 days + 1;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidWindow.selector, 1 days + 1));
        p = _parameters();
        p.step = 0;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidStep.selector, 0));
        p.step = 10_000;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidStep.selector, 10_000));
        p = _parameters();
        p.confirmationDelay = 0;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidConfirmationDelay.selector, 0));
        p = _parameters();
        p.standInLimit = 3599;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidStandInLimit.selector, 3599, 3600, 7 days));
        p.standInLimit = 7 days + 1;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidStandInLimit.selector, 7 days + 1, 3600, 7 days));
        p.standInLimit = 7 days;
        new TwapOracle(p);
        p = _parameters();
        p.venue = address(1);
        _expect(p, abi.encodeWithSelector(TwapOracle.NotAContract.selector, address(1)));
        p = _parameters();
        p.base.source = address(0);
        _expect(p, abi.encodeWithSelector(TwapOracle.NotAContract.selector, address(0)));
        p = _parameters();
        p.collateralToken = address(2);
        _expect(p, abi.encodeWithSelector(TwapOracle.NotAContract.selector, address(2)));
        p = _parameters();
        p.debtToken = address(3);
        _expect(p, abi.encodeWithSelector(TwapOracle.NotAContract.selector, address(3)));
    }

    function test_RevertWhen_AFeedIsInvalid() public {
        TwapOracleParameters memory p = _parameters();
        p.base.heartbeat = 0;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidFeed.selector, feed, 0, 1e8, 1_000_000e8));
        p.base.heartbeat = 30 days + 1;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidFeed.selector, feed, 30 days + 1, 1e8, 1_000_000e8));
        p.base.heartbeat = 30 days;
        new TwapOracle(p);
        p = _parameters();
        p.base.maxAnswer = 1e8 + 1;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidFeed.selector, feed, HEARTBEAT, 1e8, 1e8 + 1));
        p = _parameters();
        p.quote = FeedParameters(address(feed), 0, 1, 2e8);
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidFeed.selector, feed, 0, 1, 2e8));
        p.quote.heartbeat = 30 days + 1;
        _expect(p, abi.encodeWithSelector(TwapOracle.InvalidFeed.selector, feed, 30 days + 1, 1, 2e8));
        p = _parameters();
        feed.set(-5);
        _expect(p, abi.encodeWithSelector(TwapOracle.FeedMissing.selector));
    }

    function test_RevertWhen_TheScaleDoesNotFit() public {
        TwapOracleParameters memory p = _parameters();
        p.collateralToken = address(new DecimalsMock(40));
        // 36 + 6 + 0 < 40 + 8
        _expect(p, abi.encodeWithSelector(OracleScale.UnsupportedDecimals.selector, 40, 6, 8, 0));
        p = _parameters();
        p.debtToken = address(new DecimalsMock(60));
        // 36 + 60 - 18 - 8 = 70 > 63
        _expect(p, abi.encodeWithSelector(OracleScale.UnsupportedDecimals.selector, 18, 60, 8, 0));
        p = _parameters();
        // From 1 to 10^38, in at most 3 * 10^26 units of 10^12 and more: the lowest is none.
        (p.base.minAnswer, p.base.maxAnswer) = (0, 1e38);
        vm.expectPartialRevert(OracleScale.BoundsTooWide.selector);
        new TwapOracle(p);
    }

    /// A price may be 10^38 * 10^(36 + 19 - 18 - 8) = 10^67, and not ten times that, which is more than 2^224.
    function test_RevertWhen_TheHighestPriceIsBeyondTheRange() public {
        TwapOracleParameters memory p = _parameters();
        (p.base.minAnswer, p.base.maxAnswer) = (0.9e38, 1e38);
        feed.set(0.95e38);
        p.debtToken = address(new DecimalsMock(19));
        this.deploy(p);
        p.debtToken = address(new DecimalsMock(20));
        vm.expectPartialRevert(OracleScale.BoundsTooWide.selector);
        this.deploy(p);
    }

    function _expect(TwapOracleParameters memory p, bytes memory reason) private {
        vm.expectRevert(reason);
        this.deploy(p);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(TwapOracleParameters memory p) external {
        new TwapOracle(p);
    }
}
