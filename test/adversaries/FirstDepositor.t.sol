// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev The lenders leave an empty market; the attacker comes first, and a victim lends after him.
contract FirstDepositorTest is AdversaryFixture {
    IERC4626 private vault;

    function setUp() public override {
        super.setUp();
        vault = IERC4626(system.pool);
        debt.mint(crowd, 1_000_000e18);
        vm.startPrank(crowd);
        debt.approve(system.pool, type(uint256).max);
        lending.repay(type(uint256).max, crowd, "");
        vm.stopPrank();
        vm.startPrank(lender);
        vault.redeem(vault.balanceOf(lender), lender, lender);
        vm.stopPrank();
        assertEq(vault.totalSupply(), 0);
    }

    /// One unit in, a donation, the victim's deposit, everything out. The donation is reserves: it raises no share's worth.
    function testFuzz_donateBeforeADeposit_GainsNothing(uint256 donation, uint256 deposit) public {
        (uint256 cost, uint256 gain, uint256 lost) =
            _inflate(bound(donation, 1, 1_000_000e18), bound(deposit, 1e12, 1_000_000e18));
        assertEq(gain, 0);
        assertGt(cost, 0);
        assertLe(lost, 1);
    }

    function test_donateBeforeADeposit_CostAndGain() public {
        (uint256 cost, uint256 gain, uint256 lost) = _inflate(100_000e18, 100_000e18);
        _report("first depositor donates 100,000", cost, gain);
        assertEq(gain, 0);
        assertEq(lost, 0);
    }

    /// Interest is the only thing that raises a share's worth. The attacker lends and borrows alone at full utilisation, a month at
    /// a time, pays all of the interest, and takes from the victim less than a share's worth.
    function test_payInterestToOneself_CostsMoreThanItTakes() public {
        uint256 before = _wealth();
        vm.startPrank(attacker);
        lending.supplyCollateral(0, 100e18, attacker, "");
        vault.deposit(100e18, attacker);
        lending.borrow(100e18, attacker, attacker);
        vm.stopPrank();
        for (uint256 i; i < 4; ++i) {
            _pass(30 days);
            vm.prank(attacker);
            vault.deposit(1e6, attacker);
        }
        vm.startPrank(attacker);
        lending.repay(type(uint256).max, attacker, "");
        vault.redeem(vault.balanceOf(attacker) - 1000, attacker, attacker);
        vm.stopPrank();
        uint256 lost = _victim(1000e18);
        vm.startPrank(attacker);
        uint256 shares = vault.maxRedeem(attacker);
        if (shares != 0) vault.redeem(shares, attacker, attacker);
        lending.withdrawCollateral(0, 100e18, attacker, attacker);
        vm.stopPrank();
        uint256 cost = before - _wealth() + lost;
        _report("first depositor pays himself interest for four months", cost, lost);
        assertGt(cost, lost);
        assertLt(lost, 1e15);
    }

    /// Collateral that is sent to the pool belongs to no account, and neither moves a price nor opens the bucket.
    function test_donateCollateral_GainsNothing() public {
        vm.startPrank(attacker);
        lending.supplyCollateral(0, 100e18, attacker, "");
        uint256 limit = lending.accountHealth(attacker).borrowLimit;
        collateral.transfer(system.pool, 10e18);
        vm.stopPrank();
        uint256 gain = lending.accountHealth(attacker).borrowLimit - limit;
        _report("donate 10 ether of collateral", 10 * FAIR, gain);
        assertEq(gain, 0);
        assertEq(lending.collateralState(0).total, CROWD + 100e18);
    }

    function _inflate(uint256 donation, uint256 deposit) private returns (uint256 cost, uint256 gain, uint256 lost) {
        uint256 before = _wealth();
        vm.startPrank(attacker);
        vault.deposit(1, attacker);
        debt.transfer(system.pool, donation);
        vm.stopPrank();
        lost = _victim(deposit);
        vm.startPrank(attacker);
        vault.redeem(vault.balanceOf(attacker), attacker, attacker);
        vm.stopPrank();
        uint256 afterwards = _wealth();
        (cost, gain) = afterwards < before ? (before - afterwards, uint256(0)) : (uint256(0), afterwards - before);
    }

    /// @dev A deposit by somebody else; what it is worth less than was paid.
    function _victim(uint256 deposit) private returns (uint256 lost) {
        vm.startPrank(lender);
        uint256 worth = vault.previewRedeem(vault.deposit(deposit, lender));
        vm.stopPrank();
        return deposit - worth;
    }

    function _wealth() private view returns (uint256) {
        return debt.balanceOf(attacker);
    }
}
