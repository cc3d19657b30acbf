// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {PoolSpec as S} from "./PoolSpec.sol";
import {CampaignLedger} from "./system/CampaignLedger.sol";

/// @notice The first depositor of a pool, who is its only borrower too, and lenders who come after him. What he may do to a share's worth,
/// he does: deposit and withdraw by the unit, give, owe himself interest.
contract InflationHandler is Test {
    IPoolUnderTest private immutable POOL;
    SimToken private immutable ASSET;
    CampaignLedger private immutable LEDGER;
    address private immutable ATTACKER;
    address[2] private LENDERS;

    /// @notice What the attacker began with.
    uint256 public immutable BEGUN;
    /// @notice What he gave away, which is reserves for good.
    uint256 public given;
    /// @notice What lenders lost by what was rounded off, when they came and when they left.
    uint256 public lost;

    constructor(IPoolUnderTest pool, address attacker, address[2] memory lenders, CampaignLedger ledger) {
        (POOL, ASSET, ATTACKER, LENDERS, LEDGER) = (pool, SimToken(pool.asset()), attacker, lenders, ledger);
        BEGUN = ASSET.balanceOf(attacker);
        // Floors are a third to a tenth of what a run does, as those of `PoolHandler`.
        ledger.declare("deposit", 150);
        ledger.declare("withdraw", 150);
        ledger.declare("give", 150);
        ledger.declare("borrow", 100);
        ledger.declare("repay", 60);
        ledger.declare("time", 150);
        ledger.declare("lender's deposit", 150);
        ledger.declare("lender's exit", 100);
        ledger.declare("deposit at a raised worth", 150);
    }

    /// @dev What the attacker gains by a call: by his own nothing, by another's deposit a share's worth at most, by what else rounds a unit.
    modifier gains(uint256 most) {
        LEDGER.called();
        int256 had = wealth();
        _;
        LEDGER.check(wealth() <= had + int256(most), S.INFLATION_CALL);
    }

    /// @notice The attacker's assets and shares, less his debt, and what he gave: else no gain would be seen beside it.
    function wealth() public view returns (int256) {
        uint256 has = ASSET.balanceOf(ATTACKER) + POOL.previewRedeem(POOL.balanceOf(ATTACKER)) + given;
        return int256(has) - int256(POOL.debtOf(ATTACKER));
    }

    // -- the attacker

    /// @dev Up to three times what the virtual shares are worth: with less they bear most of what he does.
    function deposit(uint256 assets, uint256 way) external gains(0) {
        assets = _bound(assets, 1, 3000 * POOL.previewMint(1));
        vm.startPrank(ATTACKER);
        if (way % 2 == 0) {
            if (POOL.previewDeposit(assets) != 0) POOL.deposit(assets, ATTACKER);
        } else {
            POOL.mint(POOL.previewWithdraw(assets), ATTACKER);
        }
        vm.stopPrank();
        LEDGER.succeeded("deposit");
    }

    function withdraw(uint256 shares, uint256 way) external gains(0) {
        uint256 most = POOL.maxRedeem(ATTACKER);
        // All of it, or next to all, as often as a part.
        shares = way % 2 == 0 ? most - _least(most, shares % 2000) : _bound(shares, 0, most);
        uint256 assets = POOL.previewRedeem(shares);
        if (assets == 0) return;
        vm.startPrank(ATTACKER);
        if (way % 3 == 0) POOL.withdraw(assets, ATTACKER, ATTACKER);
        else POOL.redeem(shares, ATTACKER, ATTACKER);
        vm.stopPrank();
        LEDGER.succeeded("withdraw");
    }

    function give(uint256 assets) external gains(0) {
        assets = _bound(assets, 1, 1e9);
        vm.prank(ATTACKER);
        ASSET.transfer(address(POOL), assets);
        given += assets;
        LEDGER.succeeded("give");
    }

    /// @dev All that there is, one time in two: interest is dearest then.
    function borrow(uint256 assets) external gains(0) {
        uint256 cash = ASSET.balanceOf(address(POOL));
        if (cash == 0) return;
        vm.prank(ATTACKER);
        try POOL.borrow(assets % 2 == 0 ? cash : _bound(assets, 1, cash), ATTACKER, ATTACKER) {
            LEDGER.succeeded("borrow");
        } catch (bytes memory answer) {
            LEDGER.failed("borrow", answer);
        }
    }

    function repay(uint256 assets) external gains(0) {
        uint256 debt = POOL.debtOf(ATTACKER);
        if (debt == 0) return;
        vm.prank(ATTACKER);
        POOL.repay(assets % 2 == 0 ? type(uint256).max : _bound(assets, 1, debt), ATTACKER, "");
        LEDGER.succeeded("repay");
    }

    function time(uint256 elapsed) external gains(1) {
        skip(_bound(elapsed, 12, 180 days));
        LEDGER.succeeded("time");
    }

    // -- the others

    /// @dev Three times in four of one to three shares' worth, where a share lost is much, else of as much as the attacker has.
    function lend(uint256 who, uint256 assets, uint256 way) external gains(POOL.previewMint(1)) {
        address lender = LENDERS[who % 2];
        uint256 worth = POOL.previewMint(1);
        assets = _bound(assets, worth, (way % 4 == 0 ? 3000 : 3) * worth);
        if (POOL.previewDeposit(assets) == 0) return;
        ASSET.mint(lender, assets);
        vm.startPrank(lender);
        ASSET.approve(address(POOL), assets);
        uint256 shares = POOL.deposit(assets, lender);
        vm.stopPrank();
        LEDGER.check(POOL.previewRedeem(shares) + worth + 1 >= assets, S.INFLATION_DEPOSIT);
        LEDGER.succeeded("lender's deposit");
        if (worth >= 100) LEDGER.succeeded("deposit at a raised worth");
        lost += assets - POOL.previewRedeem(shares);
    }

    function leave(uint256 who, uint256 shares) external gains(1) {
        address lender = LENDERS[who % 2];
        uint256 most = POOL.maxRedeem(lender);
        shares = shares % 4 == 0 ? _bound(shares, 0, most) : most;
        if (POOL.previewRedeem(shares) == 0) return;
        vm.prank(lender);
        POOL.redeem(shares, lender, lender);
        LEDGER.succeeded("lender's exit");
        ++lost;
    }

    function _least(uint256 x, uint256 y) private pure returns (uint256) {
        return x < y ? x : y;
    }
}
