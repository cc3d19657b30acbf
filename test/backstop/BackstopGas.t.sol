// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console} from "forge-std/console.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {PremiumSteward} from "../../contracts/backstop/PremiumSteward.sol";
import {AccountHealth} from "../../contracts/interfaces/ILendingPool.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {VenueToken} from "../mocks/VenueToken.sol";
import {IPoolAdministration} from "../utils/IPoolUnderTest.sol";
import {BackstopSystemFixture} from "./BackstopSystem.t.sol";

/// @notice Whole-transaction gas of the backstop on the real system with a Uniswap v3 pool as venue, one collateral: repeated but
/// where the name says that it is a first one, at least 12 seconds after the last accrual and at a price that the oracle has not recorded. `make gas` writes the figures to
/// test/snapshots/BackstopPool.json, `make gas-check` fails where they are others; a plain `forge test` only prints them.
/// @dev Every call under test is a transaction of its own (`isolate`): accounts and slots are cold, and the refund is taken off.
abstract contract BackstopGasFixture is BackstopSystemFixture {
    address internal second = makeAddr("second");

    function setUp() public virtual override {
        super.setUp();
        collateral.mint(second, 100e18);
        vm.prank(second);
        collateral.approve(system.pool, type(uint256).max);
        collateral.mint(keeper, 1);
        debt.mint(keeper, 1_000_000e18);
        vm.prank(keeper);
        debt.approve(address(backstop), type(uint256).max);
    }

    /// @dev Two positions, whose health factor at 1,690 is 0.94.
    function _openBoth() internal {
        _open(borrower, 100e18, 150_000e18);
        _open(second, 100e18, 150_000e18);
    }

    /// @dev A block later.
    function _tick(int256 answer) internal {
        _pass(12);
        _setFeed(answer);
    }

    /// @dev The first absorption opens the slots of the collateral; this is any later one.
    function _absorbSecond() internal {
        _fallTo(1690);
        vm.prank(keeper);
        backstop.absorb(borrower, 0);
        _tick(1689e8);
        vm.prank(keeper);
        backstop.absorb(second, 0);
    }

    function _snapshot(string memory action) internal returns (uint256 used) {
        used = vm.snapshotGasLastCall("BackstopPool", action);
        console.log(action, used);
    }
}

/// forge-config: default.isolate = true
contract BackstopGasTest is BackstopGasFixture {
    function setUp() public override {
        super.setUp();
        _openBoth();
    }

    /// The start of a period with a queue is carried out by whoever calls next, and costs him this on top.
    function test_gas_roll() public {
        _absorbSecond();
        _join(makeAddr("third"), 1000e18);
        _pass(2 * PERIOD);
        backstop.roll();
        _snapshot("roll (a queue)");
    }

    function test_gas_claimCollateral() public {
        _absorbSecond();
        _claimCollateral();
        _fallTo(1500);
        vm.prank(keeper);
        backstop.absorb(borrower, 0);
        _pass(12);
        _claimCollateral();
        _snapshot("claimCollateral");
    }

    function test_gas_payPremiumAndClaimAssets() public {
        _absorbSecond();
        _payPremium();
        _claimAssets();
        _payPremium();
        _snapshot("payPremium");
        _claimAssets();
        _snapshot("claimAssets");
    }

    function test_gas_deposit() public {
        _absorbSecond();
        address third = makeAddr("third");
        _join(third, 1000e18);
        _snapshot("deposit (first)");
        debt.mint(third, 2000e18);
        _pass(12);
        vm.prank(third);
        backstop.deposit(1000e18);
        _snapshot("deposit");
    }

    function test_gas_requestExit() public {
        _absorbSecond();
        for (uint256 i; i < 2; ++i) {
            _pass(12);
            vm.prank(depositor);
            backstop.requestExit(1e18);
        }
        _snapshot("requestExit");
    }

    function test_gas_transfer() public {
        _absorbSecond();
        for (uint256 i; i < 2; ++i) {
            _pass(12);
            vm.prank(depositor);
            backstop.transfer(makeAddr("fourth"), 1e18);
        }
        _snapshot("transfer");
    }

    function test_gas_settle() public {
        _absorbSecond();
        _fallTo(800);
        vm.prank(keeper);
        backstop.settle(second);
        _snapshot("settle (first)");
        _tick(799e8);
        vm.prank(keeper);
        backstop.settle(borrower);
        _snapshot("settle");
    }

    function test_gas_buyAndObserve() public {
        _absorbSecond();
        // until the slow price has followed
        for (uint256 i; i < 31; ++i) {
            _pass(1 minutes);
            _setFeed(1690e8);
            TwapOracle(system.oracles[0]).update();
        }
        backstop.observe(0);
        for (uint256 i; i < 2; ++i) {
            _tick(1690e8);
            vm.prank(keeper);
            backstop.buy(0, 0.1e18, type(uint256).max, keeper);
        }
        _snapshot("buy");
        _tick(1690e8);
        backstop.observe(0);
        _snapshot("observe");
    }

    /// An ordinary liquidation of a position that the backstop is asked about first: one that was flagged so long ago that the priority
    /// is over, in the damped zone; and the same before the same pool without a backstop.
    function test_gas_liquidateInTheDampedZone() public {
        (uint256 behind, uint256 without) = _measureLiquidation(1690, false);
        assertGt(behind, without);
    }

    /// The same in the hard zone, where nobody comes first and only the zone is asked for.
    function test_gas_liquidateInTheHardZone() public {
        (uint256 behind, uint256 without) = _measureLiquidation(1570, true);
        assertGt(behind, without);
    }

    function _measureLiquidation(uint256 dollars, bool hard) private returns (uint256 behind, uint256 without) {
        string memory zone = hard ? "hard zone" : "damped zone";
        collateral.mint(address(this), 1e18);
        debt.mint(address(this), 100_000e18);
        debt.approve(system.pool, type(uint256).max);
        uint256 snapshot = vm.snapshotState();
        behind = _liquidateTwice(dollars, hard, string.concat("liquidate (", zone, ", behind the backstop)"));
        vm.revertToState(snapshot);
        vm.prank(system.timelock);
        PremiumSteward(guarding.steward).execute(abi.encodeCall(IPoolAdministration.setPolicy, (system.policy)));
        without = _liquidateTwice(dollars, hard, string.concat("liquidate (", zone, ", without a backstop)"));
    }

    /// @dev The first one opens the bucket.
    function _liquidateTwice(uint256 dollars, bool hard, string memory action) private returns (uint256) {
        int256 answer = int256(dollars * 1e8);
        _fallTo(dollars);
        lending.flag(borrower, 0);
        for (uint256 i; i < 10; ++i) {
            _pass(60);
            _setFeed(answer);
        }
        lending.liquidate(borrower, 0, 1000e18, "");
        _tick(answer + 1e8);
        AccountHealth memory health = lending.accountHealth(borrower);
        assertEq(health.healthFast <= health.healthHard, hard);
        lending.liquidate(borrower, 0, 1000e18, "");
        return _snapshot(action);
    }

    function _claimCollateral() private {
        vm.prank(depositor);
        backstop.claimCollateral(0, depositor);
    }

    function _claimAssets() private {
        vm.prank(depositor);
        backstop.claimAssets(depositor);
    }

    function _payPremium() private {
        _pass(12);
        vm.prank(keeper);
        backstop.payPremium(1000e18);
    }
}

/// @notice An absorption and a claim cost the same, to the unit, beside 10 depositors and beside 10,000, each of whom deposited.
/// forge-config: default.isolate = true
contract BackstopGasDepositorsTest is BackstopGasFixture {
    function test_gas_absorbAndClaim_DoNotDependOnDepositors() public {
        uint256 snapshot = vm.snapshotState();
        (uint256 absorbFew, uint256 claimFew) = _measure(10, "10 depositors)");
        vm.revertToState(snapshot);
        (uint256 absorbMany, uint256 claimMany) = _measure(10_000, "10,000 depositors)");
        assertEq(absorbFew, absorbMany);
        assertEq(claimFew, claimMany);
    }

    function _measure(uint256 depositors, string memory suffix) private returns (uint256 absorb, uint256 claim) {
        // all of the deposits are more gas than a test has
        vm.pauseGasMetering();
        Crowd crowd = new Crowd();
        uint256 joining = FixedPointMathLib.min(depositors, 100);
        for (uint256 joined; joined < depositors; joined += joining) {
            crowd.join(backstop, debt, joining, 1e23 / depositors);
        }
        vm.resumeGasMetering();
        _pass(2 * PERIOD);
        backstop.roll();
        _setFeed(2000e8);
        _openBoth();
        _absorbSecond();
        absorb = _snapshot(string.concat("absorb (", suffix));
        _pass(12);
        vm.prank(depositor);
        backstop.claimCollateral(0, depositor);
        claim = _snapshot(string.concat("claimCollateral (first, ", suffix));
    }
}

/// @dev In transactions of many deposits each: forge takes minutes for as many transactions.
contract Crowd {
    function join(BackstopPool backstop, VenueToken asset, uint256 count, uint256 assets) external {
        for (uint256 i; i < count; ++i) {
            new Newcomer(backstop, asset, assets);
        }
    }
}

contract Newcomer {
    constructor(BackstopPool backstop, VenueToken asset, uint256 assets) {
        asset.mint(address(this), assets);
        asset.approve(address(backstop), assets);
        backstop.deposit(assets);
    }
}
