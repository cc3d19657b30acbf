// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";
import {OracleTickPrice} from "../../contracts/libraries/OracleTickPrice.sol";

contract OracleTickPriceTest is Test {
    /// @dev Against 1.0001^(n/d) * 1e36 computed with 90 digits.
    function test_price_KnownPowers() public pure {
        assertEq(OracleTickPrice.price(0, 60), 1e36);
        _assertPrice(1, 1, 1.0001e36);
        _assertPrice(-1, 1, 999_900_009_999_000_099_990_000_999_900_009_999);
        _assertPrice(7, 60, 1_000_011_666_151_421_234_551_145_912_281_547_345);
        // A mean of -200,311.5167 is not rounded to a tick in either direction.
        _assertPrice(-12_018_691, 60, 1_999_936_962_068_734_760_319_348_625);
        _assertPrice(
            887_272,
            1,
            340_256_786_836_388_094_050_805_785_052_946_541_066_751_507_546_701_582_068_884_050_462_948_821_114
        );
    }

    function _assertPrice(int256 tickTime, uint256 period, uint256 expected) private pure {
        assertApproxEqRel(OracleTickPrice.price(tickTime, period), expected, 100);
    }

    function test_price_TooSmallIsZero() public pure {
        assertEq(OracleTickPrice.price(-887_272, 1), 0);
    }

    function testFuzz_price_NegatedIsTheReciprocal(int256 tickTime) public pure {
        tickTime = bound(tickTime, -300_000 * 60, 300_000 * 60);
        uint256 product = Math.mulDiv(OracleTickPrice.price(tickTime, 60), OracleTickPrice.price(-tickTime, 60), 1e36);
        assertApproxEqRel(product, 1e36, 1e6);
    }

    function testFuzz_price_Rises(int256 tickTime) public pure {
        tickTime = bound(tickTime, -300_000 * 60, 800_000 * 60);
        assertLt(OracleTickPrice.price(tickTime, 60), OracleTickPrice.price(tickTime + 1, 60));
    }

    function test_harmonicLiquidity_OfNothingIsNothing() public pure {
        assertEq(OracleTickPrice.harmonicLiquidity(0, 60), 0);
        assertEq(OracleTickPrice.harmonicLiquidity(60 << 128, 60), 1);
        assertEq(OracleTickPrice.harmonicLiquidity((uint256(60) << 128) / 1e18, 60), 1e18);
    }

    /// @dev At p = 1: L (1 - sqrt 0.98) = 0.010050506338833465838 L. At p = 4 twice as much, at p = 1/4 half.
    function test_depth_KnownValues() public pure {
        assertApproxEqAbs(OracleTickPrice.depth(0, 1, 1e18), 10_050_506_338_833_465, 1);
        // ln 4 / ln 1.0001 = 13,863.636747 ticks
        assertApproxEqRel(OracleTickPrice.depth(13_863_636_747, 1e6, 1e18), 20_101_012_677_666_931, 1e9);
        assertApproxEqRel(OracleTickPrice.depth(-13_863_636_747, 1e6, 1e18), 5_025_253_169_416_732, 1e9);
    }

    /// @dev The largest liquidity at the highest price overflows nowhere.
    function test_depth_Largest() public pure {
        assertGt(OracleTickPrice.depth(887_272, 1, type(uint128).max), type(uint128).max);
    }
}
