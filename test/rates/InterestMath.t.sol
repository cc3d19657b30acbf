// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {InterestMath} from "../../contracts/libraries/InterestMath.sol";
import {RateCurve} from "../../contracts/libraries/RateCurve.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

contract InterestMathTest is Test {
    uint256 private constant WAD = 1e18;

    function interestUp(uint256 debt, uint256 rate, uint256 elapsed) external pure returns (uint256) {
        return InterestMath.interestUp(debt, rate, elapsed);
    }

    /// x = 1: 1 + 1/2 + 1/6 = 5/3, rounded up.
    function test_interestUp_UnitExponent() public pure {
        assertEq(InterestMath.interestUp(WAD, 1e18, 1), 1_666_666_666_666_666_667);
    }

    /// x = 0.1: 0.1 + 0.005 + 0.000166... = 0.105166666666666666(6), rounded up.
    function test_interestUp_TenthExponent() public pure {
        assertEq(InterestMath.interestUp(WAD, 1e15, 100), 0.105166666666666667e18);
    }

    /// The exact value 1e-18 + 5e-37 + ... is rounded up, never down to the first-order term.
    function test_interestUp_RoundsUp() public pure {
        assertEq(InterestMath.interestUp(WAD, 1, 1), 2);
        assertEq(InterestMath.interestUp(WAD, 0, 1000), 0);
        assertEq(InterestMath.interestUp(WAD, 1e18, 0), 0);
    }

    /// x = 10: 10 + 50 + 1000/6 = 226.666..., at the limit, just below it and far above it.
    function test_interestUp_SaturatesAtTen() public pure {
        uint256 most = 226_666_666_666_666_666_667;
        assertEq(InterestMath.interestUp(WAD, 1e18, 10), most);
        assertEq(InterestMath.interestUp(WAD, 1e18, 11), most);
        assertEq(InterestMath.interestUp(WAD, 10e18 - 1, 1), most - 61); // T'(10) = 1 + 10 + 50 = 61
        assertEq(InterestMath.interestUp(WAD, type(uint256).max, type(uint256).max), most);
        assertEq(InterestMath.interestUp(WAD, RateCurve.MAX_RATE, type(uint256).max), most);
        assertEq(InterestMath.interestUp(WAD, 1, type(uint256).max), most);
        assertEq(InterestMath.interestUp(WAD, type(uint256).max, 1), most);
    }

    /// 1,000 units at 5% for a year in one step: 1000 * (0.05 + 0.00125 + 0.0000208333) = 51.27083..., up to 52.
    function test_interestUp_RoundsUpOnce() public pure {
        assertEq(InterestMath.interestUp(1000, 0.05e18, 1), 52);
        assertEq(InterestMath.interestUp(1e24, 0.05e18, 1), 51_270_833_333_333_333_333_334);
        assertEq(InterestMath.interestUp(0, 0.05e18, 1), 0);
        assertEq(InterestMath.interestUp(1, 1, 1), 1);
    }

    /// 227 * 2^248 < 2^256 <= 227 * 2^249.
    function test_interestUp_LargestDebt() public {
        assertGt(InterestMath.interestUp(1 << 248, 1e18, 10), 226 << 248);
        vm.expectRevert(FixedPointMathLib.FullMulDivFailed.selector);
        this.interestUp(1 << 249, 1e18, 10);
    }

    /// Never above the charge of continuous compounding by more than the rounding, never below by more than x^4/19 (x <= 1).
    function testFuzz_interestUp_CloseToExponential(uint256 x) public pure {
        x = bound(x, 0, 1e18);
        uint256 charged = InterestMath.interestUp(WAD, x, 1);
        uint256 exact = uint256(FixedPointMathLib.expWad(int256(x))) - WAD;
        assertLe(charged, exact + 2);
        assertLe(exact, charged + x ** 4 / (19 * WAD ** 3) + 2);
    }

    /// At a constant rate, splitting a period never leaves less debt, to the unit; across saturation too.
    function testFuzz_interestUp_SplittingNeverPaysLess(uint256 debt, uint256 rate, uint256 first, uint256 second)
        public
        pure
    {
        debt = bound(debt, 0, 1e38);
        rate = bound(rate, 0, RateCurve.MAX_RATE);
        first = bound(first, 0, 2 * 365 days);
        second = bound(second, 0, 2 * 365 days);
        uint256 split = debt + InterestMath.interestUp(debt, rate, first);
        split += InterestMath.interestUp(split, rate, second);
        assertGe(split, debt + InterestMath.interestUp(debt, rate, first + second));
    }

    /// The same over many blocks, where rounding down anywhere would show.
    function testFuzz_interestUp_ManyBlocksNeverPayLess(uint256 debt, uint256 rate) public pure {
        debt = bound(debt, 0, 1e30);
        rate = bound(rate, 0, RateCurve.MAX_RATE);
        uint256 split = debt;
        for (uint256 i = 0; i < 20; ++i) {
            split += InterestMath.interestUp(split, rate, 12);
        }
        uint256 whole = debt + InterestMath.interestUp(debt, rate, 240);
        assertGe(split, whole);
        assertLe(split, whole + whole / 1e12 + 20); // and hardly more: (240 s)^4 is nothing, 20 roundings of a unit
    }

    function testFuzz_interestUp_NeverRevertsAndIsBounded(uint256 rate, uint256 elapsed) public pure {
        assertLe(InterestMath.interestUp(WAD, rate, elapsed), 227e18);
    }
}
