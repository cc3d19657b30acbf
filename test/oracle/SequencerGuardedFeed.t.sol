// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IAggregatorV3} from "../../contracts/interfaces/IAggregatorV3.sol";
import {SequencerGuardedFeed} from "../../contracts/oracle/SequencerGuardedFeed.sol";
import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {TwapOracleTestBase} from "./TwapOracleTestBase.sol";

contract UptimeFeedMock is IAggregatorV3 {
    uint8 public constant decimals = 0;
    int256 private _down;
    uint256 private _since;

    function set(int256 down, uint256 since) external {
        (_down, _since) = (down, since);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, _down, _since, block.timestamp, 1);
    }
}

contract SequencerGuardedFeedTest is TwapOracleTestBase {
    uint256 private constant GRACE = 600;
    UptimeFeedMock private uptime;
    SequencerGuardedFeed private guarded;

    function setUp() public override {
        super.setUp();
        uptime = new UptimeFeedMock();
        uptime.set(0, block.timestamp - 1 days);
        guarded = new SequencerGuardedFeed(feed, uptime, GRACE);
        TwapOracleParameters memory p = _parameters();
        p.base.source = address(guarded);
        oracle = new TwapOracle(p);
    }

    function _updatedAt() private view returns (uint256 updatedAt) {
        (,,, updatedAt,) = guarded.latestRoundData();
    }

    function test_latestRoundData_PassesTheFeedThroughWhileUp() public view {
        (, int256 answer,, uint256 updatedAt,) = guarded.latestRoundData();
        assertEq(answer, 2000e8);
        assertEq(updatedAt, block.timestamp);
        assertEq(guarded.decimals(), 8);
    }

    function test_latestRoundData_UndatedWhileDown() public {
        uptime.set(1, block.timestamp);
        assertEq(_updatedAt(), 0);
    }

    function test_latestRoundData_UndatedForTheGracePeriod() public {
        uptime.set(0, block.timestamp);
        _skip(GRACE);
        assertEq(_updatedAt(), 0, "the last second of the grace period");
        _skip(1);
        assertEq(_updatedAt(), start, "after it");
    }

    function test_latestRoundData_UndatedWithoutOrBeforeTheFirstRound() public {
        uptime.set(0, 0);
        assertEq(_updatedAt(), 0, "no round");
        uptime.set(0, block.timestamp + 1);
        assertEq(_updatedAt(), 0, "a round of the future");
    }

    /// @dev The slow price stands in, and new risk is closed.
    function test_oracle_DegradedWhileTheSequencerIsDown() public {
        _warm();
        uptime.set(1, block.timestamp);
        (uint256 fast,, PriceStatus status) = oracle.update();
        assertEq(uint8(status), uint8(PriceStatus.Degraded));
        assertEq(fast, PRICE_2000);
    }

    function test_RevertWhen_constructor_ParametersAreInvalid() public {
        address nobody = makeAddr("nobody");
        vm.expectRevert(abi.encodeWithSelector(SequencerGuardedFeed.NotAContract.selector, nobody));
        this.deploy(IAggregatorV3(nobody), uptime, GRACE);
        vm.expectRevert(abi.encodeWithSelector(SequencerGuardedFeed.NotAContract.selector, nobody));
        this.deploy(feed, IAggregatorV3(nobody), GRACE);
        vm.expectRevert(abi.encodeWithSelector(SequencerGuardedFeed.InvalidGracePeriod.selector, 0));
        this.deploy(feed, uptime, 0);
        vm.expectRevert(abi.encodeWithSelector(SequencerGuardedFeed.InvalidGracePeriod.selector, 1 days + 1));
        this.deploy(feed, uptime, 1 days + 1);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(IAggregatorV3 source, IAggregatorV3 up, uint256 grace) external {
        new SequencerGuardedFeed(source, up, grace);
    }
}
