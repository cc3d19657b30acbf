// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {SharesMath} from "../../contracts/libraries/SharesMath.sol";

/// @notice The conversion of shares: totals below 2^104, as the pool keeps them.
contract SharesSymbolicTest is Test {
    uint256 private constant VIRTUAL_SHARES = 1000;

    /// Nobody gets a share for nothing, and no debt is opened for no share.
    function testFuzz_ZeroIsZero(uint104 totalAssets, uint104 totalShares) public pure {
        assertEq(SharesMath.toSharesDown(0, totalAssets, totalShares), 0);
        assertEq(SharesMath.toSharesUp(0, totalAssets, totalShares), 0);
        assertEq(SharesMath.toAssetsDown(0, totalAssets, totalShares), 0);
        assertEq(SharesMath.toAssetsUp(0, totalAssets, totalShares), 0);
        assertEq(SharesMath.debtToAssetsUp(0, totalAssets, totalShares), 0);
    }

    /// An empty vault and an empty market trade at 1,000 shares a unit.
    function check_emptyTradesAtAThousand(uint104 assets, uint104 totalDebt) public pure {
        assertEq(SharesMath.toSharesDown(assets, 0, 0), uint256(assets) * VIRTUAL_SHARES);
        assertEq(SharesMath.toSharesUp(assets, 0, 0), uint256(assets) * VIRTUAL_SHARES);
        assertEq(SharesMath.debtToSharesUp(assets, totalDebt, 0), uint256(assets) * VIRTUAL_SHARES);
    }

    /// Up is down or one more.
    function check_upIsDownOrOneMore(uint104 amount, uint104 totalAssets, uint104 totalShares) public pure {
        uint256 down = SharesMath.toSharesDown(amount, totalAssets, totalShares);
        uint256 up = SharesMath.toSharesUp(amount, totalAssets, totalShares);
        assertTrue(up == down || up == down + 1);
    }

    /// Depositing and redeeming at once never gains.
    function testFuzz_DepositRedeemNeverGains(uint104 assets, uint104 totalAssets, uint104 totalShares) public pure {
        uint256 shares = SharesMath.toSharesDown(assets, totalAssets, totalShares);
        uint256 back = SharesMath.toAssetsDown(shares, uint256(totalAssets) + assets, totalShares + shares);
        assertLe(back, assets);
    }

    /// Taking out by amount costs at least what those shares would have paid.
    function testFuzz_WithdrawCostsAtLeastRedeem(uint104 assets, uint104 totalAssets, uint104 totalShares) public pure {
        uint256 shares = SharesMath.toSharesUp(assets, totalAssets, totalShares);
        assertGe(SharesMath.toAssetsDown(shares, totalAssets, totalShares), assets);
    }

    /// Who borrows owes at least what he took.
    function testFuzz_LoanOwesAtLeastWhatWasTaken(uint104 assets, uint104 totalDebt, uint104 totalShares) public pure {
        vm.assume(totalDebt != 0 && totalShares != 0);
        uint256 shares = SharesMath.debtToSharesUp(assets, totalDebt, totalShares);
        uint256 owed = SharesMath.debtToAssetsUp(shares, uint256(totalDebt) + assets, totalShares + shares);
        assertGe(owed, assets);
    }

    /// A repayment takes away shares of no more debt than was paid.
    function testFuzz_RepaymentTakesNoMoreThanPaid(uint104 assets, uint104 totalDebt, uint104 totalShares) public pure {
        vm.assume(totalDebt != 0 && assets <= totalDebt);
        uint256 shares = SharesMath.debtToSharesDown(assets, totalDebt, totalShares);
        assertLe(shares * totalDebt, uint256(assets) * totalShares);
    }
}
