// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {CollateralConfig, ILendingPoolEvents} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Collateral in and out: what it needs, what it may not, and where its amounts are kept.
contract CollateralTest is PoolFixture {
    // -- in

    function test_supplyCollateral_CreditsTheAccount() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralSupplied(WETH_ID, borrower, borrower, 10 * ETHER, 10 * ETHER);
        _supply(borrower, WETH_ID, 10 * ETHER);
        assertEq(pool.collateralOf(borrower, WETH_ID), 10 * ETHER);
        assertEq(pool.collateralBitmap(borrower), 1);
        assertEq(pool.collateralState(WETH_ID).total, 10 * ETHER);
        assertEq(weth.balanceOf(address(pool)), 10 * ETHER);
    }

    /// A stranger's top-up of what is already held needs nobody's permission.
    function test_supplyCollateral_StrangerTopsUp() public {
        _supply(borrower, WETH_ID, 10 * ETHER);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralSupplied(WETH_ID, borrower, stranger, ETHER, 11 * ETHER);
        vm.prank(stranger);
        pool.supplyCollateral(WETH_ID, ETHER, borrower, "");
        assertEq(pool.collateralOf(borrower, WETH_ID), 11 * ETHER);
        assertEq(pool.collateralOf(stranger, WETH_ID), 0);
    }

    function test_RevertWhen_supplyCollateral_StrangerPushesANewType() public {
        vm.startPrank(stranger);
        bytes memory refused = abi.encodeWithSelector(LendingPool.NotAuthorized.selector, borrower, stranger);
        vm.expectRevert(refused);
        pool.supplyCollateral(WETH_ID, 1, borrower, "");
        vm.stopPrank();
        _supply(borrower, WETH_ID, ETHER);
        vm.startPrank(stranger);
        vm.expectRevert(refused);
        pool.supplyCollateral(WBTC_ID, 1, borrower, "");
    }

    function test_RevertWhen_supplyCollateral_Unknown() public {
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.UnknownCollateral.selector, 2, 2));
        _supply(borrower, 2, 1);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.UnknownCollateral.selector, type(uint256).max, 2));
        _supply(borrower, type(uint256).max, 1);
    }

    function test_RevertWhen_supplyCollateral_Zero() public {
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        _supply(borrower, WETH_ID, 0);
    }

    function test_RevertWhen_supplyCollateral_AboveCap() public {
        vm.prank(owner);
        pool.setCollateralCap(WETH_ID, uint128(5 * ETHER));
        _supply(lender, WETH_ID, 3 * ETHER);
        vm.expectRevert(
            abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, WETH_ID, 5 * ETHER + 1, 5 * ETHER)
        );
        _supply(borrower, WETH_ID, 2 * ETHER + 1);
        _supply(borrower, WETH_ID, 2 * ETHER);
    }

    function test_RevertWhen_supplyCollateral_WithoutTokens() public {
        vm.startPrank(borrower);
        weth.transfer(lender, weth.balanceOf(borrower));
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.supplyCollateral(WETH_ID, 1, borrower, "");
    }

    /// A frozen collateral does not enter, but who holds it may add to it.
    function test_supplyCollateral_FrozenOnlyTopsUp() public {
        _supply(borrower, WETH_ID, ETHER);
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        _supply(borrower, WETH_ID, ETHER);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.CollateralIsFrozen.selector, WETH_ID));
        _supply(lender, WETH_ID, ETHER);
    }

    function test_RevertWhen_supplyCollateral_OtherGroup() public {
        CollateralConfig memory config = _config(address(new SimToken("Isolated", "ISO", 18)), address(ethOracle));
        config.group = 1;
        vm.prank(owner);
        uint256 isolated = pool.listCollateral(config);
        SimToken(config.token).mint(borrower, 10);
        vm.prank(borrower);
        SimToken(config.token).approve(address(pool), 10);

        _supply(borrower, WBTC_ID, BTC);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.GroupMismatch.selector, isolated, WBTC_ID));
        _supply(borrower, isolated, 1);
        vm.prank(borrower);
        pool.withdrawCollateral(WBTC_ID, BTC, borrower, borrower);
        _supply(borrower, isolated, 1);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.GroupMismatch.selector, WETH_ID, isolated));
        _supply(borrower, WETH_ID, 1);
    }

    // -- out

    function test_withdrawCollateral_WithoutDebtNeedsNoPrice() public {
        _supply(borrower, WETH_ID, 10 * ETHER);
        ethOracle.setStatus(PriceStatus.Down);
        breaker.setLevel(BreakerLevel.Halted);
        vm.prank(guardian);
        pool.freezeNewRisk();
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralWithdrawn(WETH_ID, borrower, borrower, stranger, 10 * ETHER, 0);
        vm.prank(borrower);
        pool.withdrawCollateral(WETH_ID, 10 * ETHER, borrower, stranger);
        assertEq(pool.collateralBitmap(borrower), 0);
        assertEq(pool.collateralState(WETH_ID).total, 0);
        assertEq(weth.balanceOf(stranger), 1e6 * ETHER + 10 * ETHER);
        assertEq(ethOracle.recorded(), 0);
    }

    /// 10,000 USDC at 80% of 2,000 a WETH need 6.25 WETH: 3.75 may leave, and one wei more may not.
    function test_withdrawCollateral_UpToTheBorrowLimit() public {
        _openMarket();
        vm.startPrank(borrower);
        vm.expectRevert(
            abi.encodeWithSelector(
                PoolPositions.BorrowLimitExceeded.selector, borrower, 10_000 * USDC, 10_000 * USDC - 1
            )
        );
        pool.withdrawCollateral(WETH_ID, 3.75 ether + 1, borrower, borrower);
        pool.withdrawCollateral(WETH_ID, 3.75 ether, borrower, borrower);
        assertEq(pool.collateralOf(borrower, WETH_ID), 6.25 ether);
        assertEq(pool.accountHealth(borrower).borrowLimit, 10_000 * USDC);
    }

    /// The interest of a year counts, although nobody has accrued it: what covered the debt of then does not cover that of now.
    function test_withdrawCollateral_CountsInterestSinceTheLastAccrual() public {
        _openMarket();
        vm.warp(block.timestamp + 365 days);
        uint256 debt = pool.debtOf(borrower);
        assertGt(debt, 10_000 * USDC);
        uint256 needed = Math.ceilDiv(debt * ETHER, 1600 * USDC);
        vm.startPrank(borrower);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.BorrowLimitExceeded.selector, borrower, debt, debt - 1));
        pool.withdrawCollateral(WETH_ID, 10 * ETHER - needed + 1, borrower, borrower);
        pool.withdrawCollateral(WETH_ID, 10 * ETHER - needed, borrower, borrower);
    }

    function test_RevertWhen_withdrawCollateral_AllWithDebt() public {
        _openMarket();
        vm.prank(borrower);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.BorrowLimitExceeded.selector, borrower, 10_000 * USDC, 0));
        pool.withdrawCollateral(WETH_ID, 10 * ETHER, borrower, borrower);
    }

    function test_RevertWhen_withdrawCollateral_MoreThanHeld() public {
        _supply(borrower, WETH_ID, ETHER);
        vm.startPrank(borrower);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.InsufficientCollateral.selector, WETH_ID, ETHER, ETHER + 1));
        pool.withdrawCollateral(WETH_ID, ETHER + 1, borrower, borrower);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.InsufficientCollateral.selector, WBTC_ID, 0, 1));
        pool.withdrawCollateral(WBTC_ID, 1, borrower, borrower);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.InsufficientCollateral.selector, 256, 0, 1));
        pool.withdrawCollateral(256, 1, borrower, borrower);
    }

    function test_RevertWhen_withdrawCollateral_ZeroOrToZeroAddress() public {
        _supply(borrower, WETH_ID, ETHER);
        vm.startPrank(borrower);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        pool.withdrawCollateral(WETH_ID, 0, borrower, borrower);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.withdrawCollateral(WETH_ID, 1, borrower, address(0));
    }

    function test_RevertWhen_withdrawCollateral_NewRiskFrozen() public {
        _openMarket();
        vm.prank(guardian);
        pool.freezeNewRisk();
        vm.prank(borrower);
        vm.expectRevert(LendingPool.NewRiskIsFrozen.selector);
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
    }

    function test_RevertWhen_withdrawCollateral_PriceNotOk() public {
        _openMarket();
        ethOracle.setStatus(PriceStatus.Degraded);
        vm.startPrank(borrower);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.PriceNotUsable.selector, WETH_ID, PriceStatus.Degraded));
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
        ethOracle.setStatus(PriceStatus.Down);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.PriceNotUsable.selector, WETH_ID, PriceStatus.Down));
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
    }

    function test_RevertWhen_withdrawCollateral_BreakerTripped() public {
        _openMarket();
        for (uint256 level = 1; level <= 3; ++level) {
            breaker.setLevel(BreakerLevel(level));
            vm.prank(borrower);
            vm.expectRevert(abi.encodeWithSelector(PoolPositions.BreakerTripped.selector, BreakerLevel(level)));
            pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
        }
    }

    /// The first type to enter has the packed place. Amounts stay right whichever of several types leaves and comes back.
    function testFuzz_amounts_FollowAnySequence(uint256 seed) public {
        uint256[4] memory expected;
        uint256[4] memory ids = [WETH_ID, WBTC_ID, _listAnother(), _listAnother()];
        for (uint256 step; step < 24; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 i = seed % 4;
            uint256 amount = bound(seed >> 8, 1, 3);
            vm.startPrank(borrower);
            if (seed >> 128 & 1 == 0) {
                pool.supplyCollateral(ids[i], amount, borrower, "");
                expected[i] += amount;
            } else if (expected[i] != 0) {
                amount = amount > expected[i] ? expected[i] : amount;
                pool.withdrawCollateral(ids[i], amount, borrower, borrower);
                expected[i] -= amount;
            }
            vm.stopPrank();
            uint256 bitmap;
            for (uint256 k; k < 4; ++k) {
                assertEq(pool.collateralOf(borrower, ids[k]), expected[k]);
                assertEq(pool.collateralState(ids[k]).total, expected[k]);
                if (expected[k] != 0) bitmap |= 1 << ids[k];
            }
            assertEq(pool.collateralBitmap(borrower), bitmap);
        }
    }

    function _listAnother() private returns (uint256 id) {
        SimToken token = new SimToken("Another", "OTHER", 18);
        address oracle = address(new PoolOracleMock(ETH_PRICE));
        vm.prank(owner);
        id = pool.listCollateral(_config(address(token), oracle));
        token.mint(borrower, 1e18);
        vm.prank(borrower);
        token.approve(address(pool), type(uint256).max);
    }
}
