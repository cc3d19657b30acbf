// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {RateCurve, RateDrift, RateShape} from "../../contracts/libraries/RateCurve.sol";
import {RateParameters} from "../../contracts/interfaces/IRateModel.sol";
import {RateDefaults} from "../../contracts/rates/RateDefaults.sol";

/// @dev The tables are the output of `python3 test/rates/reference.py`, which computes in 60-digit decimals:
/// (utilisation, log, elapsed) -> (rate scaled by 1e36, log scaled by 1e18).
contract RateCurveTest is Test {
    uint256 private constant WAD = 1e18;
    uint256 private constant FOUR_PERCENT = 0.04e18 / uint256(365 days);

    RateShape private shape;
    RateDrift private drift;

    function setUp() public {
        (shape, drift) = RateCurve.pack(RateDefaults.adaptive());
    }

    function test_average_AdaptiveMatchesReference() public view {
        _check(0, -20_485_516_133_519, 0, 317_097_919_750_075_863_216_767_651, -20_485_516_133_519_000_000);
        _check(
            900_000_000_000_000_000,
            -20_485_516_133_519,
            86_400,
            1_268_391_679_000_303_452_867_070_607,
            -20_485_516_133_519_000_000
        );
        _check(
            1_000_000_000_000_000_000,
            -20_485_516_133_519,
            0,
            5_073_566_716_001_213_811_468_282_428,
            -20_485_516_133_519_000_000
        );
        _check(
            950_000_000_000_000_000,
            -20_485_516_133_519,
            12,
            3_170_994_280_218_174_575_374_390_762,
            -20_485_506_620_581_404_872
        );
        _check(
            450_000_000_000_000_000,
            -20_485_516_133_519,
            12,
            792_741_028_722_738_254_308_448_361,
            -20_485_525_646_456_595_128
        );
        _check(
            1_000_000_000_000_000_000,
            -20_485_516_133_519,
            86_400,
            5_439_623_309_930_998_939_826_163_261,
            -20_348_529_832_149_156_800
        );
        _check(0, -20_485_516_133_519, 86_400, 296_453_408_954_919_688_576_470_346, -20_622_502_434_888_843_200);
        _check(
            1_000_000_000_000_000_000,
            -20_485_516_133_519,
            1_728_000,
            30_888_338_340_544_675_965_840_929_490,
            -17_745_790_106_122_136_000
        );
        _check(
            1_000_000_000_000_000_000,
            -20_485_516_133_519,
            7_776_000,
            191_527_143_580_000_303_452_867_070_607,
            -16_573_493_127_823_037_183
        );
        _check(0, -20_485_516_133_519, 1_728_000, 124_688_576_674_894_321_841_361_808, -23_225_242_160_915_864_000);
        _check(0, -20_485_516_133_519, 315_360_000, 85_220_065_750_018_965_804_191_912, -24_174_395_618_380_776_026);
        _check(
            1_000_000_000_000_000_000,
            -16_573_493_127_823,
            3600,
            253_678_335_868_009_432_669_596_600_262,
            -16_573_493_127_823_000_000
        );
        _check(
            123_456_789_012_345_678,
            -24_174_395_618_381,
            3600,
            11_189_771_897_591_308_676_319_386,
            -24_174_395_618_381_000_000
        );
        _check(
            123_456_789_012_345_678,
            -20_123_456_789_012,
            54_321,
            619_633_690_743_267_419_718_454_707,
            -20_197_767_988_494_873_663
        );
        _check(
            987_654_321_098_765_432,
            -17_000_000_000_001,
            7777,
            151_079_742_716_145_996_154_705_261_799,
            -16_989_191_913_129_091_702
        );
        _check(
            900_000_000_000_000_001,
            -20_485_516_133_519,
            12,
            1_268_391_679_000_303_490_918_941_638,
            -20_485_516_133_518_999_999
        );
        _check(
            899_999_999_999_999_999,
            -20_485_516_133_519,
            12,
            1_268_391_679_000_303_451_810_064_134,
            -20_485_516_133_519_000_000
        );
        _check(
            2_000_000_000_000_000_000,
            -20_485_516_133_519,
            600,
            5_075_980_803_289_077_333_738_697_958,
            -20_484_564_839_759_487_200
        );
    }

    function test_average_SteepMatchesReference() public {
        (shape, drift) = RateCurve.pack(
            RateParameters({
                targetUtilisation: 0.5e18,
                lowMultiplier: 0,
                highMultiplier: 10e18,
                adaptationSpeed: RateCurve.MAX_ADAPTATION_SPEED,
                initialRateAtTarget: 1e6,
                minRateAtTarget: 1,
                maxRateAtTarget: RateCurve.MAX_RATE / 10
            })
        );
        _check(0, -27_631_021_115_929, 10, 0, -27_631_338_213_848_837_640);
        _check(
            100_000_000_000_000_000,
            -27_631_021_115_929,
            1_000_000,
            50_000_360_059_395_523_865_536,
            -41_446_531_673_892_822_312
        );
        _check(
            1_000_000_000_000_000_000,
            -41_446_531_673_893,
            30_000,
            17_017_916_405_940_704_687,
            -40_495_237_914_380_080_000
        );
        _check(
            300_000_000_000_000_000,
            -17_266_640_308_399,
            5000,
            18_436_667_489_956_131_777_596_934_935,
            -17_330_059_892_366_528_000
        );
    }

    function test_average_KinkedMatchesReference() public {
        (shape, drift) = RateCurve.pack(_kinked());
        _check(0, -20_485_516_133_519, 12, 634_195_839_500_151_726_433_535_303, -20_485_516_133_519_000_000);
        _check(
            400_000_000_000_000_000,
            -20_485_516_133_519,
            12,
            951_293_759_250_227_589_650_302_955,
            -20_485_516_133_519_000_000
        );
        _check(
            800_000_000_000_000_000,
            -20_485_516_133_519,
            86_400,
            1_268_391_679_000_303_452_867_070_607,
            -20_485_516_133_519_000_000
        );
        _check(
            900_000_000_000_000_000,
            -20_485_516_133_519,
            86_400,
            13_318_112_629_503_186_255_104_241_374,
            -20_485_516_133_519_000_000
        );
        _check(
            1_000_000_000_000_000_000,
            -20_485_516_133_519,
            31_536_000,
            25_367_833_580_006_069_057_341_412_141,
            -20_485_516_133_519_000_000
        );
    }

    /// By hand, for 4% at target: 0.04/4 = 1% at no utilisation, 4% at 90%, (1 + 3 * 1/2) * 4% = 10% at 95%, 16% at 100%,
    /// (1 - 0.75 * 1/2) * 4% = 2.5% at 45%. A year has 31,536,000 seconds; the log at rest is exact to 5e-13.
    function test_average_CurveByHand() public view {
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        _assertYearly(_rate(0, log, 0), 0.01e18);
        _assertYearly(_rate(0.45e18, log, 0), 0.025e18);
        _assertYearly(_rate(0.9e18, log, 0), 0.04e18);
        _assertYearly(_rate(0.95e18, log, 0), 0.1e18);
        _assertYearly(_rate(1e18, log, 0), 0.16e18);
    }

    /// By hand: speed 50 a year at full error for 1/50 of a year moves the log by 1, the rate at target by e.
    /// Mean = 4% (1 + 2 e^0.5 + e) / 4 = 4% * 1.7539310... = 0.0701572..., times 4 at full utilisation.
    function test_average_AdaptationByHand() public view {
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (uint256 rate, int256 end) = RateCurve.average(shape, drift, WAD, log, uint256(365 days) / 50);
        assertApproxEqAbs(end - log, 1e12, 1e3);
        assertApproxEqRel(rate * 365 days, 0.2806289748e18, 1e9);
    }

    function test_average_ElapsedZeroIsTheRateNow() public view {
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (, int256 end) = RateCurve.average(shape, drift, WAD, log, 0);
        assertEq(end, log);
    }

    function test_average_UtilisationAboveOneCountsAsOne() public view {
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (uint256 rate, int256 end) = RateCurve.average(shape, drift, type(uint256).max, log, 1 days);
        (uint256 full, int256 fullEnd) = RateCurve.average(shape, drift, WAD, log, 1 days);
        assertEq(rate, full);
        assertEq(end, fullEnd);
    }

    function test_average_HostileElapsedStopsAtTheBounds() public view {
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (uint256 rate, int256 end) = RateCurve.average(shape, drift, WAD, log, type(uint256).max);
        assertEq(end, RateCurve.logOf(RateDefaults.MAX_RATE_AT_TARGET));
        // Middle and end lie at the bound: 4 (start + 3 max) / 4.
        assertApproxEqAbs(rate, FOUR_PERCENT + 3 * RateDefaults.MAX_RATE_AT_TARGET, 1);
        (, end) = RateCurve.average(shape, drift, 0, log, type(uint256).max);
        assertEq(end, RateCurve.logOf(RateDefaults.MIN_RATE_AT_TARGET));
    }

    /// 1,000 steps up and 1,000 equal steps down: rounding towards one side would leave 2,000 * 5e-13 = 1e-9.
    function test_average_SmallStepsDoNotDrift() public view {
        int256 start = RateCurve.logOf(FOUR_PERCENT);
        int256 log = start;
        for (uint256 i = 0; i < 1000; ++i) {
            (, log) = RateCurve.average(shape, drift, 0.913e18, log, 12); // e = +0.13
            (, log) = RateCurve.average(shape, drift, 0.783e18, log, 12); // e = -0.13
        }
        assertApproxEqAbs(log, start, 1);
    }

    /// 0.52 units up are one unit, 0.48 are none: e = 5.2e-13 / (50/year * 12 s) = 2.733e-8 and 2.523e-8 of 0.1.
    function test_average_RoundsLogToNearest() public view {
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (, int256 up) = RateCurve.average(shape, drift, 0.9e18 + 2_733_000_000, log, 12);
        (, int256 down) = RateCurve.average(shape, drift, 0.9e18 - 9 * 2_733_000_000, log, 12);
        assertEq(up, log + 1);
        assertEq(down, log - 1);
        (, up) = RateCurve.average(shape, drift, 0.9e18 + 2_523_000_000, log, 12);
        (, down) = RateCurve.average(shape, drift, 0.9e18 - 9 * 2_523_000_000, log, 12);
        assertEq(up, log);
        assertEq(down, log);
    }

    function testFuzz_average_WithinBounds(uint256 utilisation, uint256 rateAtTarget, uint256 elapsed) public view {
        int256 low = RateCurve.logOf(RateDefaults.MIN_RATE_AT_TARGET);
        int256 high = RateCurve.logOf(RateDefaults.MAX_RATE_AT_TARGET);
        int256 log =
            RateCurve.logOf(bound(rateAtTarget, RateDefaults.MIN_RATE_AT_TARGET, RateDefaults.MAX_RATE_AT_TARGET));
        (uint256 rate, int256 end) = RateCurve.average(shape, drift, utilisation, log, elapsed);
        assertGe(end, low);
        assertLe(end, high);
        assertGe(rate, RateDefaults.MIN_RATE_AT_TARGET / 4);
        assertLe(rate, 4 * RateDefaults.MAX_RATE_AT_TARGET + 1);
        if (utilisation < RateDefaults.TARGET_UTILISATION) assertLe(end, log);
        else assertGe(end, log);
    }

    function testFuzz_average_MonotoneInUtilisation(uint256 low, uint256 high, uint256 elapsed) public view {
        high = bound(high, 0, WAD);
        low = bound(low, 0, high);
        elapsed = bound(elapsed, 0, 365 days);
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (uint256 rateLow, int256 endLow) = RateCurve.average(shape, drift, low, log, elapsed);
        (uint256 rateHigh, int256 endHigh) = RateCurve.average(shape, drift, high, log, elapsed);
        assertLe(rateLow, rateHigh);
        assertLe(endLow, endHigh);
    }

    /// Splitting a period at constant utilisation: the log ends at the same place to a unit, and the mean rate of the halves is
    /// below that of the whole by at most x^2/48, x = 50/year * 1 day = 0.137 at most: 3.91e-4.
    function testFuzz_average_SplittingLosesOnlyTheTrapezoid(uint256 utilisation, uint256 first) public view {
        utilisation = bound(utilisation, 0, WAD);
        first = bound(first, 0, 1 days);
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        (uint256 whole, int256 end) = RateCurve.average(shape, drift, utilisation, log, 1 days);
        (uint256 one, int256 between) = RateCurve.average(shape, drift, utilisation, log, first);
        (uint256 two, int256 splitEnd) = RateCurve.average(shape, drift, utilisation, between, 1 days - first);
        assertApproxEqAbs(splitEnd, end, 1);
        uint256 mean = (one * first + two * (1 days - first)) / 1 days;
        assertLe(mean, whole + 2);
        assertLe(whole, mean + mean * 391 / 1e6 + 2);
    }

    function testFuzz_logOf_RoundTrip(uint256 rate) public pure {
        rate = bound(rate, 1, RateCurve.MAX_RATE);
        // 5e-13 of 3.2e11 is 0.16: to nearest gives back the same integer.
        assertEq(RateCurve.rateOf(RateCurve.logOf(rate)), rate);
    }

    /// What one accrual costs with two PUSH32 words in the place of storage.
    function test_average_Gas() public {
        RateShape s = shape;
        RateDrift d = drift;
        int256 log = RateCurve.logOf(FOUR_PERCENT);
        uint256 before = gasleft();
        RateCurve.average(s, d, 0.95e18, log, 12);
        uint256 adaptive = before - gasleft();
        (s, d) = RateCurve.pack(_kinked());
        before = gasleft();
        RateCurve.average(s, d, 0.95e18, log, 12);
        uint256 kinked = before - gasleft();
        emit log_named_uint("adaptive", adaptive);
        emit log_named_uint("kinked", kinked);
        assertLt(adaptive, 2100);
        assertLt(kinked, 1250);
    }

    function _kinked() private pure returns (RateParameters memory) {
        return RateParameters({
            targetUtilisation: 0.8e18,
            lowMultiplier: 0.5e18,
            highMultiplier: 20e18,
            adaptationSpeed: 0,
            initialRateAtTarget: FOUR_PERCENT,
            minRateAtTarget: FOUR_PERCENT,
            maxRateAtTarget: FOUR_PERCENT
        });
    }

    function _rate(uint256 utilisation, int256 log, uint256 elapsed) private view returns (uint256 rate) {
        (rate,) = RateCurve.average(shape, drift, utilisation, log, elapsed);
    }

    /// @dev Within the integer division of the yearly rate and half a unit.
    function _assertYearly(uint256 rate, uint256 yearly) private pure {
        assertApproxEqAbs(rate, yearly / 365 days, 4);
    }

    /// @dev 1e-9 relative plus half a unit of WAD per second; half a unit of the log plus what 18 digits hide.
    function _check(uint256 utilisation, int256 log, uint256 elapsed, uint256 rate36, int256 logWad) private view {
        (uint256 rate, int256 end) = RateCurve.average(shape, drift, utilisation, log, elapsed);
        assertApproxEqAbs(rate * 1e18, rate36, rate36 / 1e9 + 0.5e18 + 1, "rate");
        assertApproxEqAbs(end * 1e6, logWad, 0.5e6 + 2, "log");
    }
}
