// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {LiquidationGrant, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolSettlement} from "../../contracts/lending/PoolSettlement.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {CollateralPlan, SystemPlan} from "../../script/SystemPlan.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev What an account gains by holding two collaterals: ether, and a bond at 1 with a feed of its own and no venue.
contract TwoCollateralsTest is AdversaryFixture {
    uint256 private constant BONUS_MIN = 0.01e18;
    uint256 private constant BONUS_MAX = 0.05e18;
    uint256 private constant BOND = 1;
    uint256 private constant OWED = 155_000e18;

    SimToken private bond;
    SimFeed private bondFeed;

    function setUp() public override {
        vm.warp(1_700_000_000);
        bond = new SimToken("Bond", "BOND", 18);
        bondFeed = new SimFeed(8);
        bondFeed.set(1e8, block.timestamp);
        super.setUp();
        TwapOracle(system.oracles[BOND]).update();
    }

    function _plan(SystemPlan memory plan) internal view override returns (SystemPlan memory) {
        CollateralPlan memory ether_ = plan.collaterals[0];
        plan.collaterals = new CollateralPlan[](2);
        plan.collaterals[0] = ether_;
        CollateralPlan memory other = abi.decode(abi.encode(ether_), (CollateralPlan));
        (other.venue, other.venueMinDepth) = (address(0), 0);
        other.listing.confirmationBand = 200;
        other.listing.token = address(bond);
        other.base.source = address(bondFeed);
        plan.collaterals[BOND] = other;
        return plan;
    }

    function _openBoth(uint256 etherAmount, uint256 bondAmount, uint256 debtAmount) private {
        bond.mint(borrower, bondAmount);
        vm.startPrank(borrower);
        bond.approve(system.pool, type(uint256).max);
        lending.supplyCollateral(BOND, bondAmount, borrower, "");
        vm.stopPrank();
        _openFor(borrower, etherAmount, debtAmount);
    }

    // -- a little of what is `Down`, beside ether that falls

    /// 2% of the debt: ether is released above the edge of settlement, and a liquidation pays.
    function test_whatIsDown_ALittleShieldsNothing() public {
        assertEq(_lossBesideWhatIsDown(3100e18), 0);
    }

    /// 4%: ether is released where it pays no bonus, and settlement waits for C < (1.03 - 2 * 0.04) D. The bound: twice the bond, which
    /// is what it counts for against insolvency.
    function test_whatIsDown_ShieldsEtherForTwiceItsValue() public {
        uint256 loss = _lossBesideWhatIsDown(6200e18);
        _figure("a bond that is Down holds liquidation and settlement back: lenders lose", loss);
        assertGt(loss, 0);
        // and half a percent of the debt, the step of the price
        assertLt(loss, 2 * 6200e18 + OWED / 200);
    }

    /// @dev What lenders lose while ether falls by 0.25% a minute and somebody liquidates for half a percent and settles as soon as he may.
    function _lossBesideWhatIsDown(uint256 bonds) private returns (uint256) {
        _openBoth(100e18, bonds, OWED);
        debt.mint(keeper, OWED);
        _pass(6 hours);
        _setFeed(2000e8);
        assertEq(uint256(IPriceOracle(system.oracles[BOND]).peek().status), uint256(PriceStatus.Down));
        uint256 lent = lending.marketState().lenderAssets;
        for (uint256 price = 1860e8; price > 1300e8; price = price * 9975 / 10_000) {
            _moveTo(price * 1e28);
            _pass(60);
            _setFeed(int256(price));
            (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, 0, type(uint256).max);
            if (grant.refusal == Refusal.None && grant.bonus >= 0.005e18) return 0;
            vm.prank(keeper);
            try lending.settle(borrower, "") {
                uint256 left = lending.marketState().lenderAssets;
                return lent > left ? lent - left : 0;
            } catch {}
        }
        revert("nobody acts");
    }

    // -- a flag in a dip of the one, on the other

    /// The clock knows the average price of the collateral that is seized. Where that stands still, a flag of a dip of the other one goes on
    /// ageing while the account is healthy. The bound is what an auction adds, on what is sold; of the collateral that moved it gains nothing.
    function test_flagInADip_OnTheCollateralThatStandsStillGainIsBounded() public {
        _openBoth(50e18, 100_000e18, 155_000e18);
        _fallTo(1700); // HF = 0.9906
        uint256 gas = gasleft();
        vm.prank(attacker);
        lending.flag(borrower, BOND);
        uint256 cost = _gasCost(gas - gasleft(), _price());
        vm.prank(attacker);
        lending.flag(borrower, 0);
        _move(1900, 19 minutes);
        assertGt(lending.accountHealth(borrower).healthFast, WAD, "not healthy in between");
        _fallTo(1700);
        (uint256 gain, uint256 sold) = _gain(BOND);
        _report("flag in a dip, on the collateral that stands still", cost, gain);
        assertGt(gain, cost);
        // Twenty-one minutes have passed: all of what an auction adds.
        assertEq(gain, sold * (BONUS_MAX - BONUS_MIN) / WAD);
        (gain,) = _gain(0);
        assertEq(gain, 0, "of the one that moved");
    }

    /// Four hours after it was set it is void, as any other.
    function test_flagInADip_OnTheCollateralThatStandsStillIsVoidAfterFourHours() public {
        _openBoth(50e18, 100_000e18, 155_000e18);
        _fallTo(1700);
        vm.prank(attacker);
        lending.flag(borrower, BOND);
        _move(1900, 4 hours);
        _fallTo(1700);
        (uint256 gain,) = _gain(BOND);
        assertEq(gain, 0);
    }

    /// @dev The bonus above that of an auction which begins now, on what would be sold.
    function _gain(uint256 id) private view returns (uint256 gain, uint256 sold) {
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, id, type(uint256).max);
        assertEq(uint256(grant.refusal), uint256(Refusal.None));
        return (grant.repay * (grant.bonus - BONUS_MIN) / WAD, grant.repay);
    }

    /// @dev Venue and feeds for `elapsed`, with a round every minute: ether at `price`, the bond where it is.
    function _move(uint256 price, uint256 elapsed) private {
        _arbitrage(price * WAD);
        for (uint256 i; i < elapsed; i += 1 minutes) {
            _setFeeds(price);
            TwapOracle(system.oracles[0]).update();
            TwapOracle(system.oracles[BOND]).update();
            _pass(1 minutes);
        }
        _setFeeds(price);
    }

    function _setFeeds(uint256 price) private {
        _setFeed(int256(price * 1e8));
        bondFeed.set(1e8, block.timestamp);
    }

    // -- settling oneself beside a collateral that is `Down`

    /// Ether halves while the bond's feed is silent. Whoever settles takes the ether and leaves the bond, so its owner keeps it free of
    /// debt: his lenders' loss whoever does it.
    function test_selfSettle_BesideWhatIsDownGainIsBounded() public {
        uint256 owed = 100_000e18;
        _openBoth(50e18, 25_000e18, owed);
        _fallWhileSilent(1000);
        uint256 state = vm.snapshotState();
        vm.prank(keeper);
        lending.settle(borrower, "");
        uint256 others = lending.marketState().lenderAssets;
        vm.revertToState(state);

        uint256 before = _wealth();
        uint256 gas = gasleft();
        vm.prank(attacker);
        lending.settle(borrower, "");
        uint256 cost = _gasCost(gas - gasleft(), _price());
        uint256 gain = _wealth() - before + lending.collateralOf(borrower, BOND);
        _report("self-settlement beside what is Down", cost, gain);
        assertEq(lending.collateralOf(borrower, BOND), 25_000e18);
        assertEq(lending.debtOf(borrower), 0);
        assertEq(lending.marketState().lenderAssets, others, "lenders lose otherwise");
        assertGt(gain, 25_000e18);
        // The bond at its last price, and 3 / 1.03 of the ether's worth.
        assertLe(gain, 25_000e18 + uint256(50_000e18) * 3 / 103 + WAD);
    }

    /// The most: where the ether is worth next to nothing, the bond may be worth 0.515 of the debt.
    function test_selfSettle_BesideWhatIsDownIsMostWhereNothingElseIsLeft() public {
        _openBoth(50e18, 51_000e18, 100_000e18);
        _fallWhileSilent(10);
        vm.prank(attacker);
        lending.settle(borrower, "");
        assertEq(lending.collateralOf(borrower, BOND), 51_000e18);
        assertEq(lending.debtOf(borrower), 0);
    }

    /// With more of it than that there is nothing to settle.
    function test_RevertWhen_selfSettle_BesideMoreOfWhatIsDown() public {
        _openBoth(50e18, 27_000e18, 100_000e18);
        _fallWhileSilent(1000);
        vm.prank(attacker);
        vm.expectPartialRevert(PoolSettlement.NotInsolvent.selector);
        lending.settle(borrower, "");
    }

    /// @dev The bond's feed is silent for longer than its average may stand in for it.
    function _fallWhileSilent(uint256 price) private {
        _pass(6 hours);
        _setFeed(2000e8);
        assertEq(uint256(IPriceOracle(system.oracles[BOND]).peek().status), uint256(PriceStatus.Down));
        _fallTo(price);
    }

    /// @dev Of both accounts, the bond in the pool apart. Ether at 1,000; the account owes more than that.
    function _wealth() private view returns (uint256) {
        return debt.balanceOf(attacker) + collateral.balanceOf(attacker) * _price() / WAD;
    }
}
