// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {Deploy} from "../../script/Deploy.s.sol";
import {System} from "../../script/SystemPlan.sol";
import {Venues} from "../../script/Venues.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SwapVenueMock} from "../mocks/SwapVenueMock.sol";
import {UniswapV3TestBase} from "../oracle/UniswapV3TestBase.sol";

/// @dev A real Uniswap v3 pool at 2,000, with two minutes of history and 10 million a side.
contract VenuesTest is UniswapV3TestBase {
    uint256 private constant PRICE = 2000e36;

    Deploy private script;
    SimFeed private feed;

    function setUp() public {
        vm.warp(1_700_000_000);
        script = new Deploy();
        _deployPool(18, 18, true, PRICE);
        _provide(FULL_LOW, FULL_HIGH, 223_606e18);
        vm.warp(block.timestamp + 120);
        feed = new SimFeed(8);
        feed.set(2000e8, block.timestamp);
    }

    function test_deploy_WithAVenueThatAgrees() public {
        System memory system = script.deploy(_write("agrees", address(pool)));
        assertEq(ILendingPool(system.pool).collateralState(0).confirmationBand, 0.05e18);
    }

    function test_deploy_LetsTheVenueRememberItsWindow() public {
        _deployPool(18, 18, true, PRICE);
        // As a pool is created: one observation. This one lies two minutes back and still covers the window.
        vm.store(address(pool), 0, _cardinality(1));
        _provide(FULL_LOW, FULL_HIGH, 223_606e18);
        vm.warp(block.timestamp + 120);
        feed.set(2000e8, block.timestamp);
        script.deploy(_write("grows", address(pool)));
        (,,,, uint16 next,,) = pool.slot0();
        assertEq(next, 61);
    }

    /// @dev A venue that never answers would leave the slow price to confirm within the band of one that does.
    function test_RevertWhen_deploy_TheVenueNeverAnswers() public {
        SwapVenueMock dead = new SwapVenueMock(address(collateral), address(debt));
        string memory file = _write("dead", address(dead));
        vm.expectRevert(abi.encodeWithSelector(Venues.VenueSilent.selector, 0, address(dead)));
        script.deploy(file);
    }

    function test_RevertWhen_deploy_TheVenueDoesNotRememberItsWindow() public {
        _deployPool(18, 18, true, PRICE);
        _provide(FULL_LOW, FULL_HIGH, 223_606e18);
        string memory file = _write("young", address(pool));
        vm.expectRevert(abi.encodeWithSelector(Venues.VenueSilent.selector, 0, address(pool)));
        script.deploy(file);
        vm.warp(block.timestamp + 60);
        script.deploy(file);
    }

    function test_RevertWhen_deploy_TheVenueIsTooShallow() public {
        _deployPool(18, 18, true, PRICE);
        _provide(FULL_LOW, FULL_HIGH, 2000e18);
        vm.warp(block.timestamp + 120);
        string memory file = _write("shallow", address(pool));
        vm.expectRevert(abi.encodeWithSelector(Venues.VenueSilent.selector, 0, address(pool)));
        script.deploy(file);
    }

    function test_RevertWhen_deploy_TheVenueTradesAtAnotherPrice() public {
        feed.set(2106e8, block.timestamp);
        string memory file = _write("apart", address(pool));
        vm.expectPartialRevert(Venues.VenueApart.selector);
        script.deploy(file);
        // 5% of the feed's price: 2,000 lies within it from 2,105.26 down.
        feed.set(2105e8, block.timestamp);
        script.deploy(file);
    }

    /// @dev The pool's first slot with this `observationCardinality` and `observationCardinalityNext`.
    function _cardinality(uint256 cardinality) private view returns (bytes32) {
        uint256 slot = uint256(vm.load(address(pool), 0));
        slot &= ~(uint256(type(uint32).max) << 200);
        return bytes32(slot | cardinality << 200 | cardinality << 216);
    }

    function _write(string memory name, address venue) private returns (string memory file) {
        file = string.concat(vm.projectRoot(), "/cache/venues-test-", name, ".json");
        vm.createDir(string.concat(vm.projectRoot(), "/cache"), true);
        string memory system = string.concat(
            '{"asset":"',
            vm.toString(address(debt)),
            '","governance":"0x0000000000000000000000000000000000000002","guardian":"0x0000000000000000000000000000000000000003",',
            '"name":"B","symbol":"b","supplyCap":"1000","borrowCap":"1000","minDebt":"100","settlementStipend":"5",'
        );
        string memory listed = string.concat(
            '"collaterals":[{"token":"', vm.toString(address(collateral)), '","feed":"', vm.toString(address(feed))
        );
        string memory priced = string.concat(
            '","heartbeat":3900,"venue":"',
            vm.toString(venue),
            '","venueMinDepth":"1000000000000000000000","cap":"1000"}]}'
        );
        vm.writeFile(file, string.concat(system, listed, priced));
    }
}
