// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {IStewardedPool, PremiumSteward} from "../../contracts/backstop/PremiumSteward.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {IPoolAdministration} from "../utils/IPoolUnderTest.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @dev Has the premium paid while the pool's cash is out on loan.
contract PremiumThief is IERC3156FlashBorrower {
    PremiumSteward private immutable STEWARD;

    constructor(PremiumSteward steward) {
        STEWARD = steward;
    }

    function onFlashLoan(address, address, uint256, uint256, bytes calldata) external returns (bytes32) {
        STEWARD.distribute();
        return keccak256("ERC3156FlashBorrower.onFlashLoan");
    }
}

contract PremiumStewardTest is BackstopFixture {
    PremiumSteward private steward;

    function setUp() public override {
        super.setUp();
        vm.startPrank(owner);
        pool.setReserveFactor(20);
        steward = new PremiumSteward(IStewardedPool(address(pool)), backstop, owner, 0.5e18);
        pool.transferOwnership(address(steward));
        vm.stopPrank();
        steward.accept();
        _openMarket();
        _fill();
    }

    function _newRateModel() internal override returns (address) {
        return _flatRateModel();
    }

    /// Half of a fifth of the interest: a tenth.
    function test_distribute_PaysAShareOfInterest() public {
        steward.distribute();
        uint256 debt = pool.marketState().totalDebt;
        uint256 alices = backstop.backstopAccount(alice).claimable;
        vm.warp(block.timestamp + 365 days);
        backstop.roll();
        uint256 interest = pool.marketState().totalDebt - debt;
        uint256 paid = steward.distribute();
        assertApproxEqAbs(paid, interest / 10, 2);
        assertApproxEqAbs(backstop.backstopAccount(alice).claimable - alices, paid * 3 / 4, 3);
        assertEq(steward.distribute(), 0, "paid twice");
        assertEq(steward.counted(), pool.marketState().reserves);
        _assertBooksClose();
    }

    function test_distribute_IgnoresLossesAndWhatWasThere() public {
        steward.distribute();
        vm.prank(stranger);
        usdc.transfer(address(pool), 100 * USDC);
        assertEq(steward.distribute(), 50 * USDC);
        // what governance takes is no growth when it comes back
        uint256 reserves = pool.marketState().reserves;
        vm.prank(owner);
        steward.execute(abi.encodeCall(IPoolAdministration.withdrawReserves, (reserves, owner)));
        assertEq(pool.marketState().reserves, 0);
        vm.prank(owner);
        usdc.transfer(address(pool), reserves);
        assertEq(steward.distribute(), 0);
    }

    /// Regression by design: during a flash loan reserves look like 0, and their return would look like growth.
    function test_RevertWhen_distribute_DuringAFlashLoan() public {
        vm.prank(stranger);
        usdc.transfer(address(pool), 100 * USDC);
        PremiumThief thief = new PremiumThief(steward);
        vm.startPrank(address(thief));
        usdc.approve(address(pool), type(uint256).max);
        vm.stopPrank();
        uint256 cash = usdc.balanceOf(address(pool));
        vm.expectRevert(PoolAccounting.CallbackInProgress.selector);
        pool.flashLoan(thief, address(usdc), cash, "");
    }

    function test_execute_IsTheTimelocks() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(PremiumSteward.NotTimelock.selector, stranger));
        steward.execute("");
        vm.startPrank(owner);
        steward.execute(abi.encodeCall(IPoolAdministration.setReserveFactor, (30)));
        assertEq(pool.reserveFactor(), 30);
        // and the ownership goes back
        steward.execute(abi.encodeCall(IPoolAdministration.transferOwnership, (owner)));
        pool.acceptOwnership();
        vm.stopPrank();
        assertEq(pool.owner(), owner);
        vm.expectRevert();
        steward.distribute();
    }

    /// Regression: whoever borrowed all cash for a moment and called `distribute` took the premium from depositors for good.
    function test_distribute_PaysLaterWhatThereIsNoCashFor() public {
        vm.warp(block.timestamp + 365 days);
        backstop.roll();
        uint256 snapshot = vm.snapshotState();
        uint256 due = steward.distribute();
        vm.revertToState(snapshot);

        uint256 cash = pool.marketState().cash;
        _supply(stranger, WETH_ID, 2000 * ETHER);
        _borrow(stranger, cash);
        assertEq(steward.distribute(), 0);
        _repay(stranger, cash - due / 3);
        // and a second borrower leaves less than is due
        _borrow(stranger, cash - due / 3 - due / 4);
        assertEq(steward.distribute(), due / 4);
        _repay(stranger, cash);
        assertApproxEqAbs(steward.distribute(), due - due / 4, 2);
        assertEq(steward.distribute(), 0, "paid twice");
        _assertBooksClose();
    }

    /// Regression: after the last depositor the premium went to the locked shares, which are nobody's.
    function test_distribute_AfterTheLastDepositorPaysNothing() public {
        uint256 shares = backstop.balanceOf(alice);
        vm.prank(alice);
        backstop.requestExit(shares);
        shares = backstop.balanceOf(bob);
        vm.prank(bob);
        backstop.requestExit(shares);
        _nextPeriods(2);
        vm.prank(stranger);
        usdc.transfer(address(pool), 100 * USDC);
        assertEq(steward.distribute(), 0);
        assertEq(steward.counted(), pool.marketState().reserves);
    }

    function test_distribute_WithoutDepositorsPaysNothing() public {
        vm.startPrank(owner);
        PremiumSteward other =
            new PremiumSteward(IStewardedPool(address(pool)), new BackstopPool(_parameters()), owner, 1e18);
        steward.execute(abi.encodeCall(IPoolAdministration.transferOwnership, (address(other))));
        vm.stopPrank();
        other.accept();
        vm.prank(stranger);
        usdc.transfer(address(pool), 100 * USDC);
        assertEq(other.distribute(), 0);
        vm.expectRevert(abi.encodeWithSelector(PremiumSteward.InvalidPremiumShare.selector, 1e18 + 1));
        new PremiumSteward(IStewardedPool(address(pool)), backstop, owner, 1e18 + 1);
    }

    /// Regression: anybody completes a hand-over, after which a pool whose steward has no timelock had no governance for good.
    function test_RevertWhen_constructor_WithoutATimelock() public {
        vm.expectRevert(PremiumSteward.ZeroTimelock.selector);
        new PremiumSteward(IStewardedPool(address(pool)), backstop, address(0), 0.5e18);
    }
}
