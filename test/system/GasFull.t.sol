// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console} from "forge-std/console.sol";

import {ILender, SystemFixture} from "./SystemFixture.sol";

/// @dev Whole-transaction gas of a repeated action by an account already in the market, 12 s after the last accrual, with
/// TwapOracle, breaker and damped policy: protocol.md section 10, "full". Printed; the bound is the one that a change must not
/// pass unseen.
/// forge-config: default.isolate = true
contract GasFullTest is SystemFixture {
    function setUp() public override {
        super.setUp();
        collateral.mint(address(this), 2000e18);
        collateral.approve(system.pool, type(uint256).max);
        debt.mint(address(this), 10_000_000e18);
        debt.approve(system.pool, type(uint256).max);
        lending.supplyCollateral(0, 2000e18, address(this), "");
        _open(borrower, 100e18, 140_000e18);
        _tick();
        vm.prank(borrower);
        lending.borrow(1000e18, borrower, borrower);
        _tick();
    }

    /// @dev A block later, with a new feed answer that moved a little.
    function _tick() private {
        _pass(12);
        _setFeed(int256(2000e8 + (block.timestamp % 7) * 1e6));
    }

    function _report(string memory action, uint256 target, uint256 bound) private view {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        console.log(action, used, "target", target);
        assertLt(used, bound, action);
    }

    function test_gas_deposit() public {
        vm.prank(lender);
        ILender(system.pool).deposit(1000e18, lender);
        _report("deposit", 68_000, 75_000);
    }

    function test_gas_withdraw() public {
        vm.prank(lender);
        ILender(system.pool).withdraw(1000e18, lender, lender);
        _report("withdraw", 64_000, 75_000);
    }

    function test_gas_supplyCollateral() public {
        vm.prank(borrower);
        lending.supplyCollateral(0, 1e18, borrower, "");
        _report("supplyCollateral", 55_500, 65_000);
    }

    function test_gas_borrow() public {
        vm.prank(borrower);
        lending.borrow(1000e18, borrower, borrower);
        _report("borrow", 95_000, 120_000);
    }

    function test_gas_repay() public {
        vm.prank(borrower);
        lending.repay(1000e18, borrower, "");
        _report("repay", 68_000, 75_000);
    }

    function test_gas_withdrawCollateral() public {
        vm.prank(borrower);
        lending.withdrawCollateral(0, 0.1e18, borrower, borrower);
        _report("withdrawCollateral", 97_000, 120_000);
    }

    function test_gas_liquidate() public {
        collateral.mint(address(this), 1e18);
        _fallTo(1690);
        // first: the flag, the bucket and the liquidator's balance exist from here on
        lending.liquidate(borrower, 0, 1000e18, "");
        _pass(12);
        _setFeed(1691e8);
        lending.liquidate(borrower, 0, 1000e18, "");
        _report("liquidate", 135_000, 230_000);
    }
}
