// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {ILendingPoolEvents} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolFlashBorrower} from "../mocks/PoolFlashBorrower.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice ERC-3156 flash loans of the asset, and several actions in one call.
contract FlashLoanAndMulticallTest is PoolFixture {
    PoolFlashBorrower private receiver;

    function setUp() public override {
        super.setUp();
        _deposit(lender, 1000 * USDC);
        receiver = new PoolFlashBorrower();
    }

    function test_flashLoan_LendsAndTakesBack() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.FlashLoan(address(receiver), stranger, 1000 * USDC, 0);
        vm.prank(stranger);
        assertTrue(pool.flashLoan(receiver, address(usdc), 1000 * USDC, hex"1234"));
        assertEq(receiver.initiator(), stranger);
        assertEq(receiver.amount(), 1000 * USDC);
        assertEq(receiver.fee(), 0);
        assertEq(receiver.data(), hex"1234");
        assertEq(receiver.maxFlashLoanInside(), 0);
        assertEq(usdc.balanceOf(address(pool)), 1000 * USDC);
        assertEq(pool.totalAssets(), 1000 * USDC);
    }

    function test_maxFlashLoan_IsTheCash() public {
        assertEq(pool.maxFlashLoan(address(usdc)), 1000 * USDC);
        assertEq(pool.maxFlashLoan(address(weth)), 0);
        assertEq(pool.flashFee(address(usdc), 5), 0);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.UnsupportedFlashToken.selector, address(weth)));
        pool.flashFee(address(weth), 5);
    }

    function test_RevertWhen_flashLoan_OtherToken() public {
        _supply(borrower, WETH_ID, ETHER);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.UnsupportedFlashToken.selector, address(weth)));
        pool.flashLoan(receiver, address(weth), 1, "");
    }

    function test_RevertWhen_flashLoan_MoreThanCash() public {
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, 1000 * USDC, 1000 * USDC + 1));
        pool.flashLoan(receiver, address(usdc), 1000 * USDC + 1, "");
    }

    function test_RevertWhen_flashLoan_WrongAnswer() public {
        receiver.setAnswer(keccak256("something else"));
        vm.expectRevert(abi.encodeWithSelector(LendingPool.FlashBorrowerRefused.selector, address(receiver)));
        pool.flashLoan(receiver, address(usdc), 1, "");
    }

    function test_RevertWhen_flashLoan_NotApprovedBack() public {
        receiver.setApproval(999);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.flashLoan(receiver, address(usdc), 1000, "");
    }

    function test_RevertWhen_flashLoan_ToAnAccountWithoutCode() public {
        vm.expectRevert();
        pool.flashLoan(IERC3156FlashBorrower(stranger), address(usdc), 1, "");
        vm.expectRevert();
        pool.flashLoan(IERC3156FlashBorrower(address(pool)), address(usdc), 1, "");
    }

    // -- multicall

    /// Supply, borrow and authorise (an action of the extension) at once, by the caller.
    function test_multicall_ActsAsTheCaller() public {
        bytes[] memory calls = new bytes[](4);
        calls[0] = abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, borrower, ""));
        calls[1] = abi.encodeCall(pool.borrow, (100 * USDC, borrower, borrower));
        calls[2] = abi.encodeCall(pool.setAuthorization, (keeper, true));
        calls[3] = abi.encodeCall(pool.debtOf, (borrower));
        vm.prank(borrower);
        bytes[] memory results = pool.multicall(calls);
        assertEq(abi.decode(results[3], (uint256)), 100 * USDC);
        assertTrue(pool.isAuthorized(borrower, keeper));
        assertEq(pool.collateralOf(borrower, WETH_ID), ETHER);
    }

    function test_RevertWhen_multicall_AnyFails() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, borrower, ""));
        calls[1] = abi.encodeCall(pool.borrow, (100_000 * USDC, borrower, borrower));
        vm.prank(borrower);
        vm.expectRevert();
        pool.multicall(calls);
        assertEq(pool.collateralOf(borrower, WETH_ID), 0);
    }

    function test_RevertWhen_multicall_ByAStranger() public {
        _supply(borrower, WETH_ID, ETHER);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(pool.borrow, (1, borrower, stranger));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.NotAuthorized.selector, borrower, stranger));
        pool.multicall(calls);
        calls[0] = abi.encodeCall(pool.withdrawReserves, (1, stranger));
        vm.prank(stranger);
        vm.expectRevert();
        pool.multicall(calls);
    }

    /// The pool holds no ether: neither a call with value nor a plain transfer is accepted.
    function test_RevertWhen_sentEther() public {
        vm.deal(address(this), 1 ether);
        vm.expectRevert();
        pool.multicall{value: 1}(new bytes[](0));
        (bool accepted,) = address(pool).call{value: 1}("");
        assertFalse(accepted);
        (accepted,) = address(pool).call{value: 1}(abi.encodeCall(pool.setAuthorization, (keeper, true)));
        assertFalse(accepted);
    }
}
