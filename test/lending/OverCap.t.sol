// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {CollateralState} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice `borrow` learns of a collateral above its cap by a bit that everything which moves total or cap keeps. Whatever does,
/// nobody borrows against the collateral while, and only while, its total exceeds its cap.
contract OverCapTest is PoolFixture {
    function setUp() public override {
        super.setUp();
        _openMarket();
        _supply(borrower, WBTC_ID, BTC);
        _supply(lender, WETH_ID, 10 * ETHER);
    }

    function _setCap(uint256 id, uint256 cap) private {
        vm.prank(owner);
        // forge-lint: disable-next-line(unsafe-typecast)
        pool.setCollateralCap(id, uint128(cap));
    }

    function _assertOver(uint256 id, bool over) private {
        CollateralState memory state = pool.collateralState(id);
        assertEq(state.total > state.cap, over, "the test's own premise");
        if (over) {
            vm.expectRevert(
                abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, id, state.total, state.cap)
            );
        }
        _borrow(borrower, USDC);
    }

    function test_setCollateralCap_BelowAndAboveTheTotal() public {
        _setCap(WETH_ID, 20 * ETHER - 1);
        _assertOver(WETH_ID, true);
        _setCap(WETH_ID, 20 * ETHER);
        _assertOver(WETH_ID, false);
        _setCap(WBTC_ID, BTC - 1);
        _assertOver(WBTC_ID, true);
        _setCap(WBTC_ID, 0);
        _assertOver(WBTC_ID, true);
    }

    /// @dev The lowest of several is named.
    function test_borrow_NamesTheFirstCollateralAboveItsCap() public {
        _setCap(WBTC_ID, 1);
        _setCap(WETH_ID, 1);
        _assertOver(WETH_ID, true);
        _setCap(WETH_ID, 20 * ETHER);
        _assertOver(WBTC_ID, true);
    }

    function test_withdrawCollateral_EndsIt() public {
        _setCap(WETH_ID, 15 * ETHER);
        vm.startPrank(lender);
        pool.withdrawCollateral(WETH_ID, 5 * ETHER - 1, lender, lender);
        vm.stopPrank();
        _assertOver(WETH_ID, true);
        vm.prank(lender);
        pool.withdrawCollateral(WETH_ID, 1, lender, lender);
        _assertOver(WETH_ID, false);
    }

    /// @dev 1 WBTC at 30,000 is behind 10,000 of debt, and the 10 WETH beside it are not needed. While the WBTC is above its cap they
    /// stay all the same, and the WBTC itself may leave.
    function test_RevertWhen_withdrawCollateral_LeavesDebtOnWhatIsAboveItsCap() public {
        _setCap(WBTC_ID, BTC - 1);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, WBTC_ID, BTC, BTC - 1));
        vm.prank(borrower);
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
        vm.prank(borrower);
        pool.withdrawCollateral(WBTC_ID, 1, borrower, borrower);
        vm.prank(borrower);
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
        // Without debt nothing is behind anything.
        _setCap(WBTC_ID, 0);
        _repay(borrower, type(uint256).max);
        vm.prank(borrower);
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
    }

    /// @dev A loan against one collateral moved to another whose cap is full: all cash would be lent against 3.75 WBTC above a cap of 1.
    function test_RevertWhen_aLoanMovesToACollateralWithoutRoom() public {
        _setCap(WBTC_ID, BTC);
        _supply(stranger, WETH_ID, 56.25 ether);
        _borrow(stranger, 90_000 * USDC);
        _supply(stranger, WBTC_ID, 3.75e8);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, WBTC_ID, 4.75e8, BTC));
        vm.prank(stranger);
        pool.withdrawCollateral(WETH_ID, 56.25 ether, stranger, stranger);
    }

    function test_supplyCollateral_OfADebtorBeginsIt() public {
        _setCap(WETH_ID, 20 * ETHER);
        _supply(borrower, WETH_ID, 1);
        _assertOver(WETH_ID, true);
        _setCap(WETH_ID, 20 * ETHER + 1);
        _assertOver(WETH_ID, false);
    }

    /// @dev At 1,000 a WETH and without the WBTC the borrower is unhealthy: 10 * 1,000 * 0.85 / 10,000.
    function test_liquidate_EndsIt() public {
        vm.prank(borrower);
        pool.withdrawCollateral(WBTC_ID, BTC, borrower, borrower);
        _setCap(WETH_ID, 20 * ETHER - 1);
        _setEthPrice(1000);
        _liquidate(borrower, WETH_ID, 100 * USDC);
        _setEthPrice(2000);
        _assertOver(WETH_ID, false);
    }

    /// @dev Another account's collateral does not hold up those who do not hold it.
    function test_borrow_AgainstOthersIsFree() public {
        _supply(keeper, WBTC_ID, BTC);
        _setCap(WETH_ID, 1);
        _borrow(keeper, 1000 * USDC);
        _assertOver(WETH_ID, true);
    }

    function testFuzz_borrow_IsRefusedOnlyWhileTheTotalExceedsTheCap(uint256[8] calldata moves) public {
        for (uint256 i; i < moves.length; ++i) {
            uint256 amount = moves[i] % (5 * ETHER) + 1;
            uint256 kind = (moves[i] >> 128) % 4;
            if (kind == 0) {
                _supply(borrower, WETH_ID, amount);
            } else if (kind == 1) {
                uint256 held = pool.collateralOf(lender, WETH_ID);
                if (held < amount) continue;
                vm.prank(lender);
                pool.withdrawCollateral(WETH_ID, amount, lender, lender);
            } else {
                _setCap(WETH_ID, pool.collateralState(WETH_ID).total + amount - 5 * ETHER / 2);
            }
            CollateralState memory state = pool.collateralState(WETH_ID);
            _assertOver(WETH_ID, state.total > state.cap);
        }
    }
}
