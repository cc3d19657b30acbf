// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {Prices, PriceStatus} from "../../contracts/types/Price.sol";
import {DecimalsMock} from "../mocks/DecimalsMock.sol";
import {FeedMock} from "../mocks/FeedMock.sol";
import {VenueMock} from "../mocks/VenueMock.sol";

/// @dev ETH (18 decimals) in USDC (6 decimals): a base feed of 8 decimals, no quote feed, a venue, a 30-minute window.
/// 2,000 USDC: 2000 * 10^6 / 10^18 * 10^36 = 2e27.
abstract contract TwapOracleTestBase is Test {
    uint256 internal constant PRICE_2000 = 2e27;
    uint256 internal constant WINDOW = 1800;
    uint256 internal constant DELAY = 300;
    uint256 internal constant STAND_IN_LIMIT = 7200;
    uint256 internal constant HEARTBEAT = 3600;

    FeedMock internal feed;
    VenueMock internal venue;
    TwapOracle internal oracle;
    uint256 internal start;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        feed = new FeedMock(8, 2000e8);
        venue = new VenueMock();
        oracle = new TwapOracle(_parameters());
        start = block.timestamp;
    }

    function _parameters() internal returns (TwapOracleParameters memory p) {
        p.collateralToken = address(new DecimalsMock(18));
        p.debtToken = address(new DecimalsMock(6));
        p.base = FeedParameters(address(feed), uint32(HEARTBEAT), 1e8, 1_000_000e8);
        p.venue = address(venue);
        p.window = uint32(WINDOW);
        p.step = 1000;
        p.confirmationDelay = uint16(DELAY);
        p.standInLimit = uint32(STAND_IN_LIMIT);
    }

    /// @dev Past the warm-up, at 2,000, with the checkpoint at the present.
    function _warm() internal {
        _at(2 * WINDOW);
        feed.set(2000e8);
        oracle.update();
    }

    /// @dev Moves to `seconds_` after deployment.
    function _at(uint256 seconds_) internal {
        vm.warp(start + seconds_);
    }

    function _skip(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
    }

    function _assertSame(Prices memory a, Prices memory b) internal pure {
        assertEq(a.fast, b.fast, "fast");
        assertEq(a.slow, b.slow, "slow");
        assertEq(a.confirm, b.confirm, "confirm");
        assertEq(a.cumulative, b.cumulative, "cumulative");
        assertEq(uint256(a.status), uint256(b.status), "status");
    }

    function _assertStatus(PriceStatus status) internal view {
        assertEq(uint256(oracle.peek().status), uint256(status), "status");
    }
}
