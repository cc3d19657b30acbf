// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {TurnSampler} from "../../contracts/libraries/TurnSampler.sol";

contract TurnSamplerTest is Test {
    uint256 private constant WAD = 1e18;
    address private constant POOL = address(0xB001);

    function test_reverse6_ReversesSixBits() public pure {
        assertEq(TurnSampler.reverse6(0), 0);
        assertEq(TurnSampler.reverse6(1), 32);
        assertEq(TurnSampler.reverse6(2), 16);
        // 001011 -> 110100
        assertEq(TurnSampler.reverse6(11), 52);
        assertEq(TurnSampler.reverse6(63), 63);
        for (uint256 k; k < 64; ++k) {
            assertEq(TurnSampler.reverse6(TurnSampler.reverse6(k)), k);
        }
    }

    function test_probabilityDown_IsFloorPlusSquareOrFullness() public pure {
        // z = 0.5: 0.25 + 0.75 * 0.25 = 0.4375
        assertEq(TurnSampler.probabilityDown(0, 0.5e18, 0.25e18), 0.4375e18);
        assertEq(TurnSampler.probabilityDown(0.5e18, 0.5e18, 0.25e18), 0.5e18);
        assertEq(TurnSampler.probabilityDown(0, 0, 0.25e18), 0.25e18);
        assertEq(TurnSampler.probabilityDown(0, WAD, 0.25e18), WAD);
        assertEq(TurnSampler.probabilityDown(WAD, 0, 0.25e18), WAD);
    }

    /// @dev In a rotation every draw k/64 comes once: the rate is exact to 1/64.
    function test_systematicDraw_VisitsEveryDrawOnceARotation() public view {
        for (uint256 a = 1; a < 9; ++a) {
            uint256 seen;
            for (uint256 e = 6400; e < 6464; ++e) {
                uint256 draw = TurnSampler.systematicDraw(POOL, address(uint160(a)), e, 0);
                assertEq(draw % (WAD / 64), 0);
                assertLt(draw, WAD);
                seen |= 1 << (draw / (WAD / 64));
            }
            assertEq(seen, type(uint64).max);
        }
    }

    /// @dev The bound for all 64 phases before, all 64 after a change of rotation, and every p: within a phase at most
    /// 2^ceil(log2(1/p)) epochs from turn to turn, across the change less than twice that.
    function test_waits_AreBoundedForEveryPhaseAndProbability() public pure {
        for (uint256 open = 1; open <= 64; ++open) {
            uint256 limit = 1;
            while (limit * open < 64) limit <<= 1;
            // distance from the rotation's start to its first turn and from its last turn to its end, over all phases
            uint256 longestStart;
            uint256 longestEnd;
            for (uint256 phase; phase < 64; ++phase) {
                uint256 last = type(uint256).max;
                for (uint256 e; e < 64; ++e) {
                    if (TurnSampler.reverse6((e + phase) % 64) >= open) continue;
                    if (last == type(uint256).max) longestStart = e > longestStart ? e : longestStart;
                    else assertLe(e - last, limit);
                    last = e;
                }
                assertLt(last, 64);
                longestEnd = 64 - last > longestEnd ? 64 - last : longestEnd;
            }
            // any phase may follow any other
            assertLt(longestEnd + longestStart, 2 * limit);
            assertEq(longestEnd, limit, "the bound is attained");
        }
    }

    function testFuzz_turns_AreNested(address account, uint256 epoch, uint256 p, uint256 worse) public view {
        epoch = bound(epoch, 0, type(uint32).max);
        p = bound(p, 0, WAD);
        worse = bound(worse, p, WAD);
        uint256 systematic = TurnSampler.systematicDraw(POOL, account, epoch, 0);
        uint256 bernoulli = TurnSampler.bernoulliDraw(POOL, account, epoch);
        assertLt(bernoulli, WAD);
        assertTrue(!(systematic < p) || systematic < worse);
        assertTrue(!(bernoulli < p) || bernoulli < worse);
    }

    function testFuzz_probabilityDown_NeverFallsAsHealthFalls(
        uint256 fullness,
        uint256 zone,
        uint256 worse,
        uint256 floor
    ) public pure {
        fullness = bound(fullness, 0, WAD);
        floor = bound(floor, WAD / 64, WAD);
        zone = bound(zone, 0, WAD);
        worse = bound(worse, zone, WAD);
        uint256 p = TurnSampler.probabilityDown(fullness, zone, floor);
        assertGe(TurnSampler.probabilityDown(fullness, worse, floor), p);
        assertGe(p, floor);
        assertLe(p, WAD);
    }

    /// @dev 4,096 accounts in one epoch at p = 1/4: 1,024 expected, standard deviation 28 if phases are independent.
    function test_draws_AreSpreadOverAccounts() public view {
        uint256 systematic;
        uint256 bernoulli;
        uint256 seeded;
        for (uint256 a = 1; a <= 4096; ++a) {
            address account = address(uint160(a * 7919));
            if (TurnSampler.systematicDraw(POOL, account, 12_345, 0) < WAD / 4) ++systematic;
            if (TurnSampler.systematicDraw(POOL, account, 12_345, 77) < WAD / 4) ++seeded;
            if (TurnSampler.bernoulliDraw(POOL, account, 12_345) < WAD / 4) ++bernoulli;
        }
        assertApproxEqAbs(systematic, 1024, 140);
        assertApproxEqAbs(seeded, 1024, 140);
        assertApproxEqAbs(bernoulli, 1024, 140);
    }

    function test_draws_DependOnChainPoolAccountRotationAndSeed() public {
        uint256 chain;
        uint256 pool;
        uint256 rotation;
        uint256 seed;
        uint256 chainBernoulli;
        for (uint256 a = 1; a <= 32; ++a) {
            address account = address(uint160(a));
            vm.chainId(1);
            uint256 draw = TurnSampler.systematicDraw(POOL, account, 0, 0);
            uint256 bernoulli = TurnSampler.bernoulliDraw(POOL, account, 0);
            if (TurnSampler.systematicDraw(address(1), account, 0, 0) != draw) ++pool;
            if (TurnSampler.systematicDraw(POOL, account, 64, 0) != draw) ++rotation;
            if (TurnSampler.systematicDraw(POOL, account, 0, 1) != draw) ++seed;
            vm.chainId(2);
            if (TurnSampler.systematicDraw(POOL, account, 0, 0) != draw) ++chain;
            if (TurnSampler.bernoulliDraw(POOL, account, 0) != bernoulli) ++chainBernoulli;
        }
        // 1 in 64 coincides by chance
        assertGt(pool, 24);
        assertGt(rotation, 24);
        assertGt(seed, 24);
        assertGt(chain, 24);
        assertEq(chainBernoulli, 32);
    }
}
