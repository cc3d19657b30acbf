// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {PoolViews} from "../../contracts/lending/PoolViews.sol";
import {TokenTransfer} from "../../contracts/libraries/TokenTransfer.sol";
import {PoolBadToken, PoolTokenWithoutDecimals} from "../mocks/PoolBadToken.sol";
import {PoolFlashBorrower} from "../mocks/PoolFlashBorrower.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice An asset and a collateral that return nothing, return false, take a fee or lie: used or refused, never
/// mis-accounted.
contract HostileTokensTest is PoolFixture {
    PoolBadToken private asset;
    PoolBadToken private collateral;
    uint256 private badId;

    function setUp() public override {
        super.setUp();
        asset = new PoolBadToken(6);
        collateral = new PoolBadToken(18);
        pool = _newPool(address(asset), _newRateModel(), address(0));
        vm.prank(owner);
        badId = pool.listCollateral(_config(address(collateral), address(ethOracle)));
        address[3] memory accounts = [lender, borrower, keeper];
        for (uint256 i; i < 3; ++i) {
            asset.mint(accounts[i], 1e6 * USDC);
            collateral.mint(accounts[i], 1e6 ether);
            vm.startPrank(accounts[i]);
            asset.approve(address(pool), type(uint256).max);
            collateral.approve(address(pool), type(uint256).max);
            vm.stopPrank();
        }
        _setKinds(PoolBadToken.Kind.ReturnsNothing);
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, badId, 10 ether);
        _borrow(borrower, 10_000 * USDC);
    }

    /// The whole life of a position with tokens that return nothing, as USDT does.
    function test_tokensThatReturnNothing_Work() public {
        _repay(borrower, 1000 * USDC);
        vm.prank(borrower);
        pool.withdrawCollateral(badId, 1 ether, borrower, borrower);
        vm.prank(lender);
        pool.withdraw(1000 * USDC, lender, lender);
        _setEthPrice(1150);
        _liquidate(borrower, badId, 1000 * USDC);
        _setEthPrice(500);
        vm.prank(keeper);
        pool.settle(borrower, "");
        assertEq(collateral.balanceOf(address(pool)), 0);
        assertEq(asset.balanceOf(address(pool)), pool.totalAssets());
    }

    function test_RevertWhen_tokensReturnFalse() public {
        _setKinds(PoolBadToken.Kind.ReturnsFalse);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        _deposit(lender, 1);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        _supply(borrower, badId, 1);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        _repay(borrower, 1);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        _borrow(borrower, 1);
        vm.startPrank(lender);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        pool.withdraw(1, lender, lender);
        vm.startPrank(borrower);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        pool.withdrawCollateral(badId, 1, borrower, borrower);
    }

    /// A fee of 1%: 990 of 1,000 arrive, and the call is refused.
    function test_RevertWhen_tokensTakeAFeeOnTheWayIn() public {
        _setKinds(PoolBadToken.Kind.FeeOnTransfer);
        vm.expectRevert(_shortfall(address(asset), 1000, 990));
        _deposit(lender, 1000);
        vm.expectRevert(_shortfall(address(asset), 1000, 990));
        _repay(borrower, 1000);
        vm.expectRevert(_shortfall(address(collateral), 1000, 990));
        _supply(borrower, badId, 1000);
        _setEthPrice(1150);
        vm.expectRevert(_shortfall(address(asset), 1000 * USDC, 990 * USDC));
        _liquidate(borrower, badId, 1000 * USDC);
        PoolFlashBorrower receiver = new PoolFlashBorrower();
        asset.mint(address(receiver), 1000);
        // The answer of `approve` is missing, which the receiver's interface does not allow; whatever fails, nothing is lent.
        vm.expectRevert();
        pool.flashLoan(receiver, address(asset), 1000, "");
    }

    /// A fee on the way out is the receiver's: the pool's books are what they were.
    function test_tokensThatTakeAFeeOnTheWayOut_CostTheReceiver() public {
        _setKinds(PoolBadToken.Kind.FeeOnTransfer);
        vm.prank(lender);
        pool.withdraw(1000, lender, lender);
        assertEq(asset.balanceOf(lender), 900_000 * USDC + 990);
        assertEq(asset.balanceOf(address(pool)), 90_000 * USDC - 1000);
        assertEq(pool.totalAssets(), 100_000 * USDC - 1000);
        assertEq(pool.marketState().reserves, 0);
    }

    /// A token that says it moved and did not.
    function test_RevertWhen_tokensLie() public {
        _setKinds(PoolBadToken.Kind.Silent);
        vm.expectRevert(_shortfall(address(asset), 1000, 0));
        _deposit(lender, 1000);
        vm.expectRevert(_shortfall(address(collateral), 1000, 0));
        _supply(borrower, badId, 1000);
        vm.expectRevert(_shortfall(address(asset), 1000, 0));
        _repay(borrower, 1000);
    }

    /// A token whose code is gone accepts every call. Nothing arrives, so nothing is credited.
    function test_RevertWhen_tokenHasNoCode() public {
        vm.etch(address(collateral), "");
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        _supply(borrower, badId, 1);
        vm.startPrank(borrower);
        vm.expectRevert(SafeTransferLib.TransferFailed.selector);
        pool.withdrawCollateral(badId, 1, borrower, borrower);
    }

    function test_RevertWhen_assetHasNoDecimals() public {
        address none = address(new PoolTokenWithoutDecimals());
        address model = _newRateModel();
        vm.expectRevert(abi.encodeWithSelector(PoolViews.DecimalsUnreadable.selector, none));
        this.newPool(none, model);
        vm.expectRevert(abi.encodeWithSelector(PoolViews.DecimalsUnreadable.selector, stranger));
        this.newPool(stranger, model);
        address absurd = address(new PoolBadToken(37));
        vm.expectRevert(abi.encodeWithSelector(PoolViews.DecimalsUnreadable.selector, absurd));
        this.newPool(absurd, model);
    }

    function newPool(address asset_, address model) external {
        _newPool(asset_, model, address(0));
    }

    function _setKinds(PoolBadToken.Kind kind) private {
        asset.setKind(kind);
        collateral.setKind(kind);
    }

    function _shortfall(address token, uint256 expected, uint256 received) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TokenTransfer.TransferShortfall.selector, token, expected, received);
    }
}
