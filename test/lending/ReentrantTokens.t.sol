// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationCall} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {TokenTransfer} from "../../contracts/libraries/TokenTransfer.sol";
import {PoolActor} from "../mocks/PoolActor.sol";
import {PoolHookToken} from "../mocks/PoolHookToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice An asset and a collateral that call their sender before and their receiver after every transfer.
contract ReentrantTokensTest is PoolFixture {
    PoolHookToken private asset;
    PoolHookToken private collateral;
    PoolActor private actor;
    uint256 private hookId;

    function setUp() public override {
        super.setUp();
        asset = PoolHookToken(address(usdc));
        collateral = new PoolHookToken(18);
        vm.prank(owner);
        hookId = pool.listCollateral(_config(address(collateral), address(ethOracle)));
        _openMarket();
        actor = new PoolActor(pool);
        actor.approve(address(asset), type(uint256).max);
        actor.approve(address(collateral), type(uint256).max);
        asset.mint(address(actor), 10_000 * USDC);
        collateral.mint(address(actor), 100 ether);
    }

    function _newAsset() internal override returns (address) {
        return address(new PoolHookToken(6));
    }

    // -- while the pool pays

    /// Withdrawn assets reach a receiver who acts at once: the books are written, so it finds what is true.
    function test_withdraw_ReceiverReenters() public {
        actor.act(abi.encodeCall(pool.deposit, (1000 * USDC, address(actor))));
        actor.register(address(asset), true);
        uint256 price = pool.convertToAssets(1e24);
        uint256 shares = pool.balanceOf(address(actor));
        actor.arm(abi.encodeCall(pool.redeem, (shares, address(actor), address(actor))));
        actor.arm(abi.encodeCall(pool.withdraw, (500 * USDC, address(actor), address(actor))));
        _armRefused();
        actor.act(abi.encodeCall(pool.withdraw, (500 * USDC, address(actor), address(actor))));
        assertFalse(actor.succeeded(0), "shares that were burnt");
        assertTrue(actor.succeeded(1));
        _checkRefused(2);
        assertEq(actor.sharePriceInside(), price);
        assertEq(pool.balanceOf(address(actor)), 0);
        assertEq(asset.balanceOf(address(actor)), 10_000 * USDC);
        _assertBooksClose();
    }

    function test_borrow_ReceiverReenters() public {
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        actor.register(address(asset), true);
        actor.arm(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (hookId, 1 ether, address(actor), address(actor))));
        _armRefused();
        actor.act(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        assertFalse(actor.succeeded(0), "beyond the limit of 1,600");
        assertFalse(actor.succeeded(1), "collateral of a debt");
        _checkRefused(2);
        _assertBooksClose();
    }

    function test_withdrawCollateral_ReceiverReenters() public {
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        actor.register(address(collateral), true);
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (hookId, 1 ether, address(actor), address(actor))));
        actor.arm(abi.encodeCall(pool.borrow, (1, address(actor), address(actor))));
        _armRefused();
        actor.act(abi.encodeCall(pool.withdrawCollateral, (hookId, 1 ether, address(actor), address(actor))));
        assertFalse(actor.succeeded(0), "twice the same");
        assertFalse(actor.succeeded(1), "on collateral that has left");
        _checkRefused(2);
        assertEq(collateral.balanceOf(address(actor)), 100 ether);
        _assertBooksClose();
    }

    /// A liquidator who is called with the collateral in hand and the repayment not yet made.
    function test_liquidate_ReceiverReenters() public {
        PoolActor victim = _victim();
        ethOracle.setPrice(1800e24);
        actor.register(address(collateral), true);
        _armRefused();
        uint256 price = pool.convertToAssets(1e24);
        actor.act(abi.encodeCall(pool.liquidate, (address(victim), hookId, type(uint256).max, "")));
        _checkRefused(0);
        assertEq(actor.sharePriceInside(), price);
        _assertBooksClose();
    }

    function test_settle_ReceiverReenters() public {
        PoolActor victim = _victim();
        ethOracle.setPrice(1000e24);
        actor.register(address(collateral), true);
        _armRefused();
        actor.act(abi.encodeCall(pool.settle, (address(victim), "")));
        _checkRefused(0);
        assertEq(pool.debtOf(address(victim)), 0);
        _assertBooksClose();
    }

    // -- while the pool is paid

    /// Shares exist before their price is paid. Redeeming them then takes cash away from under the pull, which notices.
    function test_RevertWhen_deposit_SenderRedeemsWhatIsNotPaid() public {
        actor.register(address(asset), true);
        actor.arm(abi.encodeCall(pool.redeem, (1000 * USDC * 1000, address(actor), address(actor))));
        vm.expectRevert(_shortfall(address(asset), 1000 * USDC, 0));
        actor.act(abi.encodeCall(pool.deposit, (1000 * USDC, address(actor))));
    }

    function test_RevertWhen_supplyCollateral_SenderWithdrawsWhatIsNotPaid() public {
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        actor.register(address(collateral), true);
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (hookId, 2 ether, address(actor), address(actor))));
        // 2 of which only 1 is there: the transfer out fails by itself, and the rest goes on.
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        assertFalse(actor.succeeded(0));
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (hookId, 2 ether, address(actor), address(actor))));
        vm.expectRevert(_shortfall(address(collateral), 1 ether, 0));
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        _assertBooksClose();
    }

    function test_RevertWhen_repay_SenderBorrowsAgain() public {
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        actor.act(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        actor.register(address(asset), true);
        actor.arm(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        vm.expectRevert(_shortfall(address(asset), 1000 * USDC, 0));
        actor.act(abi.encodeCall(pool.repay, (1000 * USDC, address(actor), "")));
    }

    /// What adds cash from inside a pull does not stand for what the pull is owed.
    function test_deposit_SenderDepositsInside() public {
        actor.register(address(asset), true);
        actor.arm(abi.encodeCall(pool.deposit, (300 * USDC, address(actor))));
        _armRefused();
        actor.act(abi.encodeCall(pool.deposit, (1000 * USDC, address(actor))));
        assertTrue(actor.succeeded(0));
        _checkRefused(1);
        assertEq(pool.balanceOf(address(actor)), 1300 * USDC * 1000);
        assertEq(asset.balanceOf(address(actor)), 8700 * USDC);
        _assertBooksClose();
    }

    function test_repay_SenderRepaysInside() public {
        actor.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(actor), "")));
        actor.act(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        actor.register(address(asset), true);
        actor.arm(abi.encodeCall(pool.repay, (400 * USDC, address(actor), "")));
        actor.act(abi.encodeCall(pool.repay, (600 * USDC, address(actor), "")));
        assertTrue(actor.succeeded(0));
        assertEq(pool.debtOf(address(actor)), 0);
        assertEq(asset.balanceOf(address(actor)), 10_000 * USDC);
        _assertBooksClose();
    }

    /// Inside a flash loan the tokens are elsewhere; leaving shares behind does not pay it back.
    function test_RevertWhen_flashLoan_PaidBackByADeposit() public {
        vm.prank(address(actor));
        asset.transfer(stranger, 10_000 * USDC);
        actor.arm(abi.encodeCall(pool.deposit, (5000 * USDC, address(actor))));
        vm.expectRevert();
        actor.act(abi.encodeCall(pool.flashLoan, (actor, address(asset), 5000 * USDC, "")));
        assertEq(pool.balanceOf(address(actor)), 0);
    }

    function _victim() private returns (PoolActor victim) {
        victim = new PoolActor(pool);
        collateral.mint(address(victim), 1 ether);
        victim.approve(address(collateral), type(uint256).max);
        victim.act(abi.encodeCall(pool.supplyCollateral, (hookId, 1 ether, address(victim), "")));
        victim.act(abi.encodeCall(pool.borrow, (1600 * USDC, address(victim), address(victim))));
    }

    function _armRefused() private {
        LiquidationCall[] memory calls = new LiquidationCall[](1);
        calls[0] = LiquidationCall(borrower, WETH_ID, 1);
        actor.arm(abi.encodeCall(pool.liquidate, (borrower, WETH_ID, 1, "")));
        actor.arm(abi.encodeCall(pool.liquidateBatch, (calls, "")));
        actor.arm(abi.encodeCall(pool.settle, (borrower, "")));
        actor.arm(abi.encodeCall(pool.flashLoan, (actor, address(asset), 1, "")));
    }

    function _checkRefused(uint256 first) private view {
        for (uint256 i = first; i < first + 4; ++i) {
            assertFalse(actor.succeeded(i));
            assertEq(actor.reason(i), PoolAccounting.CallbackInProgress.selector);
        }
    }

    function _shortfall(address token, uint256 expected, uint256 received) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TokenTransfer.TransferShortfall.selector, token, expected, received);
    }
}
