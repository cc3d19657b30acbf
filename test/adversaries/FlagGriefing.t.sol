// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {AccountHealth} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationGrant} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev A liquidator flags early, so that the auction has aged when it counts: what that gains over a flag in the same moment.
contract FlagGriefingTest is AdversaryFixture {
    uint256 private constant BONUS_MIN = 0.01e18;
    uint256 private constant BONUS_MAX = 0.05e18;

    /// A flag set in a dip does not age while the price is back up.
    function test_flagInADip_GainsNothing() public {
        _openFor(borrower, 100e18, 155_000e18);
        _fallTo(1830);
        uint256 cost = _flag();
        _move(1900, 19 minutes);
        _fallTo(1830);
        uint256 gain = _gain();
        _report("flag in a dip", cost, gain);
        assertEq(gain, 0);
    }

    /// Nor does any number of them, minute by minute through a price that is below for a quarter of the time.
    function test_flagInEveryDip_GainsNothing() public {
        _openFor(borrower, 100e18, 155_000e18);
        uint256 cost;
        for (uint256 i; i < 10; ++i) {
            _move(1860, 1 minutes);
            cost += _flag();
            _move(1950, 3 minutes);
        }
        _fallTo(1860);
        uint256 gain = _gain();
        _report("flag in ten dips", cost, gain);
        assertEq(gain, 0);
    }

    /// A position that was flagged, repaired and indebted again keeps its flag, if prices have risen since: the policy sees no
    /// repayment. The gain exceeds the gas. What bounds it: 4% of what is sold, and four hours.
    function test_flagBeforeARepair_GainIsBounded() public {
        (uint256 cost, uint256 gain, uint256 sold) = _flagRepairAndRetake(2 hours);
        _report("flag before a repair, two hours", cost, gain);
        assertGt(gain, cost);
        assertLe(gain, sold * (BONUS_MAX - BONUS_MIN) / WAD);
    }

    function test_flagBeforeARepair_VoidAfterFourHours() public {
        (uint256 cost, uint256 gain,) = _flagRepairAndRetake(3 hours + 20 minutes);
        _report("flag before a repair, four hours", cost, gain);
        assertEq(gain, 0);
    }

    /// @dev Flagged at 1,700 and repaired; `low` at 1,700; 40 minutes at 1,900, in which the borrower takes what he may; 1,825.
    function _flagRepairAndRetake(uint256 low) private returns (uint256 cost, uint256 gain, uint256 sold) {
        _openFor(borrower, 100e18, 145_000e18);
        _fallTo(1700); // HF = 0.973
        cost = _flag();
        vm.prank(borrower);
        lending.repay(30_000e18, borrower, "");
        _move(1700, low);
        _move(1900, 40 minutes);
        uint256 limit = lending.accountHealth(borrower).borrowLimit;
        uint256 more = limit - lending.debtOf(borrower);
        vm.prank(borrower);
        lending.borrow(more, borrower, borrower);
        _fallTo(1825);
        AccountHealth memory health = lending.accountHealth(borrower);
        assertLt(health.healthFast, WAD);
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, 0, type(uint256).max);
        sold = grant.repay;
        gain = _gain();
    }

    /// @dev The bonus above that of an auction which begins now, on what would be sold.
    function _gain() private view returns (uint256) {
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, 0, type(uint256).max);
        assertGt(grant.repay, 0, "nothing is sold");
        return grant.repay * (grant.bonus - BONUS_MIN) / WAD;
    }

    function _flag() private returns (uint256 cost) {
        uint256 gas = gasleft();
        vm.prank(attacker);
        lending.flag(borrower, 0);
        cost = _gasCost(gas - gasleft(), _price());
    }

    /// @dev Venue and feed at `price` for `elapsed`, with a round of the feed every minute.
    function _move(uint256 price, uint256 elapsed) private {
        _arbitrage(price * WAD);
        for (uint256 i; i < elapsed; i += 1 minutes) {
            _setFeed(int256(price * 1e8));
            TwapOracle(system.oracles[0]).update();
            _pass(1 minutes);
        }
        _setFeed(int256(price * 1e8));
    }
}
