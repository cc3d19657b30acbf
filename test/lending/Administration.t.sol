// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ILendingPoolEvents} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolAdministration} from "../../contracts/lending/PoolAdministration.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";
import {PoolPolicyMock} from "../mocks/PoolPolicyMock.sol";

/// @notice What the owner and the guardian may do to the whole pool, its ranges, and that nobody else may.
contract AdministrationTest is PoolFixture {
    // -- who

    /// Every function of the owner's, called by the guardian, a stranger and a lender.
    function test_RevertWhen_notTheOwner() public {
        bytes[] memory calls = new bytes[](12);
        calls[0] = abi.encodeCall(pool.listCollateral, (_config(address(weth), address(ethOracle))));
        calls[1] = abi.encodeCall(pool.rampCollateral, (0, 100, 200));
        calls[2] = abi.encodeCall(pool.setCollateralOracle, (0, address(ethOracle)));
        calls[3] = abi.encodeCall(pool.setCollateralCap, (0, 1));
        calls[4] = abi.encodeCall(pool.unfreezeCollateral, (0));
        calls[5] = abi.encodeCall(pool.unfreezeNewRisk, ());
        calls[6] = abi.encodeCall(pool.setPolicy, (policy));
        calls[7] = abi.encodeCall(pool.setCaps, (1, 1));
        calls[8] = abi.encodeCall(pool.setMinDebt, (1, 0));
        calls[9] = abi.encodeCall(pool.setReserveFactor, (1));
        calls[10] = abi.encodeCall(pool.setGuardian, (stranger));
        calls[11] = abi.encodeCall(pool.withdrawReserves, (0, stranger));
        address[3] memory callers = [guardian, stranger, lender];
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 k; k < callers.length; ++k) {
                vm.prank(callers[k]);
                (bool success, bytes memory reason) = address(pool).call(calls[i]);
                assertFalse(success);
                assertEq(reason, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, callers[k]));
            }
            vm.prank(owner);
            (bool allowed,) = address(pool).call(calls[i]);
            assertEq(allowed, i != 0, "by the owner"); // the first lists a token twice
        }
    }

    function test_RevertWhen_notTheGuardian() public {
        vm.startPrank(stranger);
        bytes memory refused = abi.encodeWithSelector(PoolAdministration.NotGuardian.selector, stranger);
        vm.expectRevert(refused);
        pool.freezeNewRisk();
        vm.expectRevert(refused);
        pool.freezeCollateral(0);
    }

    function test_ownership_ChangesInTwoSteps() public {
        vm.prank(owner);
        pool.transferOwnership(stranger);
        assertEq(pool.owner(), owner);
        assertEq(pool.pendingOwner(), stranger);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, keeper));
        pool.acceptOwnership();
        vm.prank(stranger);
        pool.acceptOwnership();
        assertEq(pool.owner(), stranger);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, owner));
        pool.setCaps(0, 0);
    }

    function test_setGuardian() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.GuardianSet(stranger);
        vm.prank(owner);
        pool.setGuardian(stranger);
        assertEq(pool.guardian(), stranger);
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(PoolAdministration.NotGuardian.selector, guardian));
        pool.freezeNewRisk();
    }

    // -- freezing

    function test_freezeNewRisk_ByGuardianAndUnfreezeByOwnerOnly() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.NewRiskFrozen(true);
        vm.prank(guardian);
        pool.freezeNewRisk();
        assertTrue(pool.newRiskFrozen());
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.NewRiskFrozen(false);
        vm.prank(owner);
        pool.unfreezeNewRisk();
        assertFalse(pool.newRiskFrozen());
    }

    function test_freezeNewRisk_StopsNoExit() public {
        _openMarket();
        vm.prank(owner);
        pool.freezeNewRisk();
        _deposit(lender, USDC);
        _repay(borrower, 10 * USDC);
        _supply(borrower, WETH_ID, 1);
        vm.prank(lender);
        pool.withdraw(1000 * USDC, lender, lender);
        _setEthPrice(1150);
        _liquidate(borrower, WETH_ID, 100 * USDC);
    }

    // -- ranges

    function test_setCaps() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CapsSet(1e28, 7);
        vm.startPrank(owner);
        pool.setCaps(1e28, 7);
        assertEq(pool.supplyCap(), 1e28);
        assertEq(pool.borrowCap(), 7);
        vm.expectRevert(_outOfRange("cap", 1e28 + 1, 1e28));
        pool.setCaps(1e28 + 1, 0);
        vm.expectRevert(_outOfRange("cap", 1e28 + 1, 1e28));
        pool.setCaps(0, 1e28 + 1);
    }

    function test_setMinDebt() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.MinDebtSet(100, 5);
        vm.startPrank(owner);
        pool.setMinDebt(100, 5);
        assertEq(pool.minDebt(), 100);
        assertEq(pool.settlementStipend(), 5);
        vm.expectRevert(_outOfRange("stipend", 6, 5));
        pool.setMinDebt(100, 6);
        vm.expectRevert(_outOfRange("stipend", 1, 0));
        pool.setMinDebt(19, 1);
    }

    /// Interest up to the change is shared by the old factor: 1,000 at an exponent of 0.1 earn 105.166667, of which 10%
    /// rounded up, 10.516667, are reserves.
    function test_setReserveFactor_AccruesByTheOldOne() public {
        pool = _newPool(address(usdc), _flatRateModel(), address(0));
        _fund(lender);
        _fund(borrower);
        vm.startPrank(owner);
        pool.listCollateral(_config(address(weth), address(ethOracle)));
        pool.setReserveFactor(10);
        assertEq(pool.reserveFactor(), 10);
        vm.stopPrank();
        _deposit(lender, 1000 * USDC);
        _supply(borrower, WETH_ID, ETHER);
        _borrow(borrower, 1000 * USDC);
        skip(1e8);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.ReserveFactorSet(0);
        vm.prank(owner);
        pool.setReserveFactor(0);
        assertEq(pool.marketState().reserves, 10_516_667);
        assertEq(pool.totalAssets(), 1_094_650_000);
        assertEq(pool.debtOf(borrower), 1_105_166_667);
    }

    function test_RevertWhen_setReserveFactor_AboveHalf() public {
        vm.startPrank(owner);
        pool.setReserveFactor(50);
        vm.expectRevert(_outOfRange("reserve factor", 51, 50));
        pool.setReserveFactor(51);
    }

    function test_setPolicy_ReadsWhetherItConfirms() public {
        address other = address(new PoolPolicyMock());
        PoolPolicyMock(other).setNeedsConfirmation(true);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.PolicySet(other);
        vm.prank(owner);
        pool.setPolicy(other);
        assertEq(pool.policy(), other);
        _openMarket();
        _setEthPrice(1150);
        ethOracle.setPrices(1150e24, 1150e24, 1160e24);
        pool.flag(borrower, WETH_ID);
        assertEq(PoolPolicyMock(other).lastRequest().healthConfirmed, 0.986e18);
    }

    function test_RevertWhen_setPolicy_IsNone() public {
        vm.prank(owner);
        vm.expectRevert();
        pool.setPolicy(stranger);
        assertEq(pool.policy(), policy);
        assertTrue(policy.code.length != 0 && RigidPolicy(policy).BONUS() == 0.05e18);
    }

    // -- reserves: never lenders' money

    function test_withdrawReserves_TakesTheRemainderOnly() public {
        _openMarket();
        vm.startPrank(owner);
        vm.expectRevert(_outOfRange("reserves", 1, 0));
        pool.withdrawReserves(1, owner);
        usdc.transfer(address(pool), 300);
        vm.expectRevert(_outOfRange("reserves", 301, 300));
        pool.withdrawReserves(301, owner);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.ReservesWithdrawn(stranger, 300);
        pool.withdrawReserves(300, stranger);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC + 300);
        assertEq(pool.totalAssets(), 100_000 * USDC);
        vm.stopPrank();
        _assertBooksClose();
    }

    /// Reserves that are lent out cannot be paid: there is no cash for them.
    function test_RevertWhen_withdrawReserves_WithoutCash() public {
        vm.prank(owner);
        pool.setReserveFactor(50);
        _deposit(lender, 1000 * USDC);
        _supply(borrower, WETH_ID, 10 * ETHER);
        _borrow(borrower, 1000 * USDC);
        skip(365 days);
        uint256 reserves = pool.marketState().reserves;
        assertGt(reserves, 10 * USDC);
        vm.prank(owner);
        vm.expectRevert();
        pool.withdrawReserves(reserves, owner);
        _repay(borrower, type(uint256).max);
        vm.prank(owner);
        pool.withdrawReserves(reserves, owner);
        // Regression: virtual debt shares were charged interest that nobody paid, so that the last lender could not leave.
        vm.startPrank(lender);
        uint256 claim = pool.previewRedeem(pool.balanceOf(lender));
        assertEq(pool.redeem(pool.balanceOf(lender), lender, lender), claim);
        vm.stopPrank();
        assertEq(pool.marketState().totalDebt, 0);
    }

    /// Whatever happens before, every lender can be paid in full after the owner has taken all that it may.
    function testFuzz_withdrawReserves_LeavesLendersWhole(
        uint256 factor,
        uint256 elapsed,
        uint256 donation,
        uint256 price
    ) public {
        vm.prank(owner);
        pool.setReserveFactor(uint8(bound(factor, 0, 50)));
        _openMarket();
        skip(bound(elapsed, 0, 730 days));
        usdc.mint(address(pool), bound(donation, 0, 1000 * USDC));
        ethOracle.setPrice(bound(price, 0, 900e24));
        vm.prank(keeper);
        pool.settle(borrower, "");
        uint256 claims = pool.totalAssets();
        uint256 reserves = pool.marketState().reserves;
        vm.prank(owner);
        pool.withdrawReserves(reserves, owner);
        assertEq(pool.totalAssets(), claims);
        vm.startPrank(lender);
        uint256 paid = pool.redeem(pool.balanceOf(lender), lender, lender);
        // All but what the virtual shares own of the interest.
        assertApproxEqRel(paid, claims, 1e10);
        vm.stopPrank();
        _assertBooksClose();
    }

    function _outOfRange(bytes32 parameter, uint256 value, uint256 max) private pure returns (bytes memory) {
        return abi.encodeWithSelector(PoolAdministration.ValueOutOfRange.selector, parameter, value, max);
    }
}
