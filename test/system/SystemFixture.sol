// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {FlashLiquidator, IFlashLiquidatorVenue} from "../../contracts/liquidation/FlashLiquidator.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {PolicyKind, System, SystemPlan} from "../../script/SystemPlan.sol";
import {SystemDeployer} from "../../script/SystemDeployer.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {UniswapV3TestBase} from "../oracle/UniswapV3TestBase.sol";

interface ILender {
    function deposit(uint256 assets, address receiver) external returns (uint256);
    function withdraw(uint256 assets, address receiver, address owner) external returns (uint256);
}

/// @dev A whole system as `Deployment` defines it, with a real Uniswap v3 pool as venue: ether at 2,000, 10 million of
/// liquidity a side, one lender, and time past the oracle's warm-up.
abstract contract SystemFixture is UniswapV3TestBase {
    uint256 internal constant PRICE = 2000e36;
    address internal lender = makeAddr("lender");
    address internal borrower = makeAddr("borrower");
    address internal keeper = makeAddr("keeper");

    SimFeed internal feed;
    System internal system;
    ILendingPool internal lending;
    FlashLiquidator internal liquidator;

    function _plan(SystemPlan memory plan) internal view virtual returns (SystemPlan memory) {
        return plan;
    }

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        vm.fee(1 gwei);
        _deployPool(18, 18, true, PRICE);
        // sqrt(x y) with x = 5,000 ether and y = 10 million
        _provide(FULL_LOW, FULL_HIGH, 223_606e18);
        feed = new SimFeed(8);
        feed.set(2000e8, block.timestamp);
        _pass(10 minutes);

        SystemDeployer deployer = new SystemDeployer();
        SystemPlan memory plan = deployer.defaultPlan();
        plan.asset = address(debt);
        plan.governance = makeAddr("governance");
        plan.guardian = makeAddr("guardian");
        plan.collaterals[0].listing.token = address(collateral);
        plan.collaterals[0].base.source = address(feed);
        plan.collaterals[0].venue = address(pool);
        system = deployer.deploy(_plan(plan));
        lending = ILendingPool(system.pool);
        liquidator = new FlashLiquidator(lending, IFlashLiquidatorVenue(address(pool)), 0);
        // the warm-up: one window of history
        for (uint256 i; i < 31; ++i) {
            _pass(1 minutes);
            _setFeed(2000e8);
        }
        TwapOracle(system.oracles[0]).update();

        debt.mint(lender, 10_000_000e18);
        vm.startPrank(lender);
        debt.approve(system.pool, type(uint256).max);
        ILender(system.pool).deposit(5_000_000e18, lender);
        vm.stopPrank();
        collateral.mint(borrower, 1000e18);
        vm.startPrank(borrower);
        collateral.approve(system.pool, type(uint256).max);
        debt.approve(system.pool, type(uint256).max);
        vm.stopPrank();
    }

    /// @dev `seconds_` pass in blocks of 12 s at most, with the venue writing an observation in the last.
    function _pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + (seconds_ + 11) / 12);
    }

    function _setFeed(int256 answer) internal {
        feed.set(answer, block.timestamp);
    }

    /// @dev The venue trades at `price` and has done so for two minutes; the feed says the same.
    function _fallTo(uint256 price) internal {
        _moveTo(price * 1e36);
        _pass(120);
        _setFeed(int256(price * 1e8));
    }

    function _open(address account, uint256 collateralAmount, uint256 debtAmount) internal {
        vm.startPrank(account);
        lending.supplyCollateral(0, collateralAmount, account, "");
        lending.borrow(debtAmount, account, account);
        vm.stopPrank();
    }
}
