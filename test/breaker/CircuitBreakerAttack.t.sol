// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerDefaults} from "../../contracts/breaker/BreakerDefaults.sol";
import {BreakerThresholds} from "../../contracts/breaker/BreakerParameters.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {BreakerTestBase} from "./BreakerTestBase.sol";

/// @dev What a false pause costs, and what it can earn. Everything in ETH, so that no dollar price is assumed.
///
/// Earning. A pause of T holds back damped liquidations; whoever owns them all (he cannot own more) holds a free option on
/// the price for T, worth 0.4 s sqrt(T) of their volume. s = 100% a year and T = 180 s: 0.4 * sqrt(180 / 31,536,000)
/// = 9.56e-4. The volume held back is at most what the bucket would have passed: its cap of 2 depths and its refill of
/// a quarter of a depth a minute, together 2.75 depths (half a depth and 3.5 in protocol.md section 4). Depth: 500 ETH within 2%.
///
/// Spending. A block takes at most twice the target of 18 M gas (a limit of 36 M) and raises the base fee by 1/8 when full.
/// Everything is assumed in the attacker's favour: demand does not react to the fee, so he burns only the upper half
/// of each block while the fee rises and nothing while it stays; nobody else pokes; he pokes when it suits him best.
contract CircuitBreakerAttackTest is BreakerTestBase {
    uint256 private constant GAS_TARGET = 18_000_000;
    uint256 private constant DEPTH = 500 ether;
    uint256 private constant GAIN = DEPTH * 275 / 100 * 956 / 1e6;

    /// 2.75 * 500 * 9.56e-4 = 1.3145 ETH.
    function test_gain_ByHand() public pure {
        assertEq(GAIN, 1.3145 ether);
    }

    function test_poke_FillingBlocksCostsMoreThanAPauseEarns() public {
        uint256 cheapest = type(uint256).max;
        uint64[6] memory fees = [uint64(0.05 gwei), 0.3 gwei, 1 gwei, 2.5 gwei, 5 gwei, 30 gwei];
        // The height at which he holds the fee, as a percentage of what the short average must reach.
        uint16[6] memory heights = [uint16(103), 110, 130, 160, 200, 400];
        for (uint256 i = 0; i < fees.length; ++i) {
            for (uint256 j = 0; j < heights.length; ++j) {
                uint256 cost = _costOfPause(fees[i], heights[j], address(uint160(1 + 6 * i + j)));
                if (cost < cheapest) cheapest = cost;
            }
        }
        emit log_named_decimal_uint("cheapest pause, ETH", cheapest, 18);
        assertGt(cheapest, GAIN);
        assertLt(cheapest, 4 ether); // the README's figure
    }

    /// Without the floor, a quiet day makes it cheap: this is what the floor is for.
    function test_poke_WithoutTheFloorAPauseIsCheap() public {
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        t.feeFloor = 1;
        vm.prank(owner);
        breaker.setThresholds(t);
        assertLt(_costOfPause(0.3 gwei, 103, pool), GAIN);
    }

    /// Slots skipped in a row: 4 stress, 6 would pause (6/10 * 0.9^5 = 0.354 >= 0.32; 5/10 * 0.9^5 = 0.295). At 0.05 ETH a
    /// slot that is 0.3 ETH: less than a pause earns. So lateness does not pause by default.
    function test_poke_SkippingSlotsIsCheap() public {
        assertEq(_slotsToSkip(BreakerLevel.Stressed), 4);
        BreakerThresholds memory t = BreakerDefaults.thresholds();
        assertFalse(t.latenessPauses);
        t.latenessPauses = true;
        vm.prank(owner);
        breaker.setThresholds(t);
        uint256 skipped = _slotsToSkip(BreakerLevel.Paused);
        assertEq(skipped, 6);
        assertLt(skipped * 0.05 ether, GAIN);
    }

    /// One block, whatever its fee, trips nothing: the next record counts the time between at the lower of two fees.
    function testFuzz_poke_OneBlockNeverTrips(uint48 fee, uint256 silence) public {
        _poke();
        _pass(bound(silence, 5, 100_000), 1);
        vm.fee(fee);
        _poke();
        vm.fee(10 gwei);
        for (uint256 i = 0; i < 6; ++i) {
            _pass(5, 5);
            _poke();
            assertEq(breaker.conditionsOf(pool).feeStreak, 0);
        }
    }

    /// @dev Gas burned, in wei, until `target` is paused.
    function _costOfPause(uint256 fee, uint256 height, address target) private returns (uint256 cost) {
        vm.fee(fee);
        breaker.poke(target);
        for (uint256 i = 0; i < 1000; ++i) {
            uint256 limit = uint256(breaker.conditionsOf(target).longFee) * 8;
            uint256 floor = breaker.thresholds().feeFloor;
            if (limit < floor) limit = floor;
            if (fee * 100 < limit * height) {
                cost += GAS_TARGET * fee;
                fee = fee * 9 / 8;
            }
            _pass(1, 1);
            vm.fee(fee);
            if (breaker.poke(target) == BreakerLevel.Paused) return cost;
        }
        revert("never paused");
    }

    /// @dev The fewest slots skipped in a row, every later block in time and observed, that reach `level`.
    function _slotsToSkip(BreakerLevel level) private returns (uint256 skipped) {
        for (skipped = 1; skipped <= 10; ++skipped) {
            address target = address(uint160(1000 + skipped));
            breaker.poke(target);
            _pass(100, 100);
            breaker.poke(target);
            // Long enough for a record although nothing was late before.
            _pass(skipped < 4 ? 5 : skipped + 1, skipped < 4 ? 5 - skipped : 1);
            for (uint256 i = 0; i < 10; ++i) {
                if (breaker.poke(target) >= level) return skipped;
                _pass(1, 1);
            }
        }
    }
}
