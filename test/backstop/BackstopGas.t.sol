// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console} from "forge-std/console.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {BackstopSystemFixture} from "./BackstopSystem.t.sol";

/// @notice Whole-transaction gas on the real system, one collateral. Printed; a bound is what a change must not pass unseen.
/// forge-config: default.isolate = true
contract BackstopGasTest is BackstopSystemFixture {
    function setUp() public override {
        super.setUp();
        _open(borrower, 100e18, 150_000e18);
        address second = makeAddr("second");
        collateral.mint(second, 100e18);
        vm.startPrank(second);
        collateral.approve(system.pool, type(uint256).max);
        vm.stopPrank();
        _open(second, 100e18, 150_000e18);
        collateral.mint(keeper, 1);
    }

    function _report(string memory action, uint256 bound) private view {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        console.log(action, used);
        assertLt(used, bound, action);
    }

    /// @dev The first absorption opens the slots of the collateral; this is any later one.
    function _absorbSecond() private {
        _fallTo(1690);
        vm.prank(keeper);
        backstop.absorb(borrower, 0);
        vm.prank(keeper);
        backstop.absorb(makeAddr("second"), 0);
    }

    function test_gas_absorb() public {
        _absorbSecond();
        _report("absorb", 320_000);
    }

    /// The start of a period with a queue is carried out by whoever calls next, and costs him this on top.
    function test_gas_roll() public {
        _absorbSecond();
        _join(makeAddr("third"), 1000e18);
        _pass(2 * PERIOD);
        backstop.roll();
        _report("roll with a queue, one collateral", 220_000);
    }

    function test_gas_claimCollateral() public {
        _absorbSecond();
        vm.prank(depositor);
        backstop.claimCollateral(0, depositor);
        _report("claimCollateral, first", 230_000);
        _pass(12);
        vm.prank(depositor);
        backstop.requestExit(1e18);
        _fallTo(1500);
        vm.prank(keeper);
        backstop.absorb(borrower, 0);
        vm.prank(depositor);
        backstop.claimCollateral(0, depositor);
        _report("claimCollateral", 180_000);
    }

    function test_gas_claimAssets() public {
        _absorbSecond();
        debt.mint(keeper, 2000e18);
        vm.startPrank(keeper);
        debt.approve(address(backstop), type(uint256).max);
        backstop.payPremium(1000e18);
        vm.stopPrank();
        vm.prank(depositor);
        backstop.claimAssets(depositor);
        vm.prank(keeper);
        backstop.payPremium(1000e18);
        _report("payPremium", 90_000);
        vm.prank(depositor);
        backstop.claimAssets(depositor);
        _report("claimAssets", 130_000);
    }

    function test_gas_depositAndTransfer() public {
        _join(makeAddr("third"), 1000e18);
        _report("deposit, first", 260_000);
        vm.prank(depositor);
        backstop.transfer(makeAddr("fourth"), 1e18);
        vm.prank(depositor);
        backstop.transfer(makeAddr("fourth"), 1e18);
        _report("transfer, before any collateral", 110_000);
        vm.prank(depositor);
        backstop.requestExit(1e18);
        _report("requestExit", 140_000);
    }

    /// An ordinary liquidation behind a backstop: in the hard zone, where it is not asked; and in the damped zone past the priority.
    function test_gas_liquidateBehindTheBackstop() public {
        collateral.mint(address(this), 1e18);
        debt.mint(address(this), 100_000e18);
        debt.approve(system.pool, type(uint256).max);
        _fallTo(1690);
        lending.flag(borrower, 0);
        for (uint256 i; i < 10; ++i) {
            _pass(60);
            _setFeed(1690e8);
        }
        lending.liquidate(borrower, 0, 1000e18, "");
        _pass(12);
        _setFeed(1691e8);
        lending.liquidate(borrower, 0, 1000e18, "");
        _report("liquidate, damped zone, behind the backstop", 260_000);
    }

    function test_gas_settle() public {
        _absorbSecond();
        _fallTo(800);
        vm.prank(keeper);
        backstop.settle(borrower);
        _report("settle", 420_000);
    }
}

/// @notice An absorption costs the same, to the unit, with 10 depositors and with 10,000. Within one transaction, so less than in
/// the table: every slot is warm, in both cases alike.
contract BackstopGasDepositorsTest is BackstopSystemFixture {
    function test_gas_absorb_DoesNotDependOnDepositors() public {
        vm.pauseGasMetering();
        uint256 snapshot = vm.snapshotState();
        uint256 few = _absorbWith(10);
        vm.revertToState(snapshot);
        uint256 many = _absorbWith(10_000);
        console.log("absorb with 10 depositors", few, "with 10,000", many);
        assertEq(few, many);
        assertGt(few, 100_000);
    }

    function _absorbWith(uint256 depositors) private returns (uint256 used) {
        for (uint256 i; i < depositors; ++i) {
            _join(address(uint160(0xD00000 + i)), 1e23 / depositors);
        }
        _pass(2 * PERIOD);
        backstop.roll();
        _setFeed(2000e8);
        _open(borrower, 100e18, 150_000e18);
        _fallTo(1690);
        AbsorptionMeter meter = new AbsorptionMeter();
        vm.resumeGasMetering();
        used = meter.absorb(backstop, borrower);
        vm.pauseGasMetering();
    }
}

/// @dev Measures in a frame of its own, so that the memory of a long test does not count.
contract AbsorptionMeter {
    function absorb(BackstopPool backstop, address account) external returns (uint256 used) {
        used = gasleft();
        backstop.absorb(account, 0);
        used -= gasleft();
    }
}
