// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {UniswapV3Source} from "../../contracts/oracle/UniswapV3Source.sol";
import {FeedMock} from "../mocks/FeedMock.sol";
import {UniswapV3TestBase} from "./UniswapV3TestBase.sol";

contract UniswapV3SourceTest is UniswapV3TestBase {
    /// @dev sqrt(10,000 ETH * 20,000,000 USDC) in base units: sqrt(1e22 * 2e13), a full-range position of that size.
    uint128 private constant LIQUIDITY = 447_213_595_499_957_939;
    uint256 private constant PRICE = 2e27;
    uint256 private constant TICK = 0.0001e18;

    UniswapV3Source private source;

    function setUp() public {
        vm.warp(1_700_000_000);
        _deploy(true);
    }

    function _deploy(bool collateralFirst) private {
        _deployPool(18, 6, collateralFirst, PRICE);
        _provide(FULL_LOW, FULL_HIGH, LIQUIDITY);
        source = new UniswapV3Source(pool, address(collateral), address(debt), 60, 1000e6);
        vm.warp(block.timestamp + 60);
    }

    // -- price

    function testFuzz_averagePrice_EveryDecimalsAndOrder(uint256 units, uint8 pick, bool collateralFirst) public {
        uint8[3] memory decimals = [6, 8, 18];
        (uint8 collateralDecimals, uint8 debtDecimals) = (decimals[pick % 3], decimals[pick / 3 % 3]);
        // From 0.001 to 1,000,000 debt tokens for a collateral token.
        units = bound(units, 1e3, 1e12);
        uint256 price = units * 10 ** (30 + debtDecimals - collateralDecimals);
        _deployPool(collateralDecimals, debtDecimals, collateralFirst, price);
        _provide(FULL_LOW, FULL_HIGH, 1e24);
        source = new UniswapV3Source(pool, address(collateral), address(debt), 60, 0);
        vm.warp(block.timestamp + 60);
        // The pool rounds its tick down, so the price of token0 is up to one tick too low and that of token1 too high.
        assertApproxEqRel(source.averagePrice(), price, TICK);
        if (collateralFirst) assertLe(source.averagePrice(), price + price / 1e15);
        else assertGe(source.averagePrice(), price - price / 1e15);
    }

    function test_averagePrice_IsTheGeometricMean() public {
        for (uint256 i; i < 2; ++i) {
            _deploy(i == 0);
            _moveTo(1.62e27);
            vm.warp(block.timestamp + 30);
            // sqrt(2000 * 1620) = 1800, where an arithmetic mean would be 1810.
            assertApproxEqRel(source.averagePrice(), 1.8e27, TICK);
            vm.warp(block.timestamp + 30);
            assertApproxEqRel(source.averagePrice(), 1.62e27, TICK);
        }
    }

    function test_averagePrice_SandwichHasNoWeight() public {
        uint256 before = source.averagePrice();
        _moveTo(1e27);
        assertEq(source.averagePrice(), before);
        _moveTo(PRICE);
        assertEq(source.averagePrice(), before);
        vm.warp(block.timestamp + 30);
        assertApproxEqRel(source.averagePrice(), PRICE, TICK);
    }

    function test_averagePrice_NotAnsweredWithoutLiquidity() public {
        pool.burn(FULL_LOW, FULL_HIGH, LIQUIDITY);
        _moveTo(1e24); // costs nothing
        vm.warp(block.timestamp + 1);
        // One second without liquidity is enough, because the mean is harmonic.
        assertEq(source.averagePrice(), 0);
        vm.warp(block.timestamp + 60);
        assertEq(source.averagePrice(), 0);
        assertEq(source.depth(), 0);
    }

    function test_averagePrice_RevertsWhereThePoolDoesNotRememberTheWindow() public {
        _deployPool(18, 6, true, PRICE);
        source = new UniswapV3Source(pool, address(collateral), address(debt), 60, 0);
        vm.warp(block.timestamp + 59); // the pool is 59 seconds old
        vm.expectRevert(bytes("OLD"));
        source.averagePrice();
        vm.expectRevert(bytes("OLD"));
        source.depth();
    }

    // -- depth

    /// @dev L sqrt(p) (1 - sqrt 0.98) = 4.472e17 * sqrt(2e-9) * 0.01005050634 = 201,010.126 USDC: of the 20,000,000 in the
    /// pool, the share 1 - sqrt(0.98).
    function test_depth_ClosedFormAndWhatThePoolPays() public {
        for (uint256 i; i < 2; ++i) {
            _deploy(i == 0);
            uint256 depth = source.depth();
            assertApproxEqRel(depth, 201_010.126776e6, TICK);
            assertApproxEqRel(_moveTo(PRICE * 98 / 100), depth, 2 * TICK);
        }
    }

    function test_depth_LiquidityOfOneBlockHasNoWeight() public {
        uint256 before = source.depth();
        _provide(FULL_LOW, FULL_HIGH, LIQUIDITY * 1000);
        assertEq(source.depth(), before);
        pool.burn(FULL_LOW, FULL_HIGH, LIQUIDITY * 1000);
        vm.warp(block.timestamp + 60);
        assertApproxEqRel(source.depth(), before, 1e12);
    }

    /// @dev Half a window at L and half at 3 L: 2 / (1 + 1/3) = 1.5 times.
    function test_depth_IsTheHarmonicMean() public {
        uint256 before = source.depth();
        _provide(FULL_LOW, FULL_HIGH, LIQUIDITY * 2);
        vm.warp(block.timestamp + 30);
        assertApproxEqRel(source.depth(), before * 3 / 2, 1e12);
    }

    /// @dev Liquidity in a single step of ticks around the price looks deep; the pool cannot pay more than it holds.
    function test_depth_IsAtMostWhatThePoolHolds() public {
        _deployPool(18, 6, true, PRICE);
        (, int24 tick,,,,,) = pool.slot0();
        int24 low = tick / 60 * 60 - 60;
        _provide(low, low + 60, LIQUIDITY * 10);
        source = new UniswapV3Source(pool, address(collateral), address(debt), 60, 0);
        vm.warp(block.timestamp + 60);
        assertEq(source.depth(), debt.balanceOf(address(pool)));
        assertLt(source.depth(), 201_010e6 * 10);
    }

    // -- construction

    function test_RevertWhen_ThePoolTradesOtherTokens() public {
        (address token0, address token1) = (pool.token0(), pool.token1());
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Source.PoolTokens.selector, token0, token1));
        this.deploy(address(collateral), address(1), 60);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Source.PoolTokens.selector, token0, token1));
        this.deploy(address(debt), address(debt), 60);
    }

    function test_RevertWhen_TheWindowIsInvalid() public {
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Source.InvalidWindow.selector, 0));
        this.deploy(address(collateral), address(debt), 0);
        vm.expectRevert(abi.encodeWithSelector(UniswapV3Source.InvalidWindow.selector, 1 days + 1));
        this.deploy(address(collateral), address(debt), 1 days + 1);
    }

    // -- behind a TwapOracle

    function test_TwapOracle_ConfirmsByThePoolAndFallsBackToSlow() public {
        FeedMock feed = new FeedMock(8, 2000e8);
        TwapOracle oracle = new TwapOracle(
            TwapOracleParameters({
                collateralToken: address(collateral),
                debtToken: address(debt),
                base: FeedParameters(address(feed), 1 days, 1e8, 1_000_000e8),
                quote: FeedParameters(address(0), 0, 0, 0),
                venue: address(source),
                window: 1800,
                step: 1000,
                confirmationDelay: 300,
                standInLimit: 1 hours
            })
        );
        vm.warp(block.timestamp + 1800);
        _moveTo(1.9e27);
        vm.warp(block.timestamp + 60);
        assertEq(oracle.updateForLiquidation().confirm, source.averagePrice());
        assertApproxEqRel(oracle.peek().confirm, 1.9e27, TICK);
        assertEq(oracle.depth(), source.depth());
        vm.etch(address(pool), "");
        assertEq(oracle.updateForLiquidation().confirm, 2e27);
        assertEq(oracle.depth(), 0);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(address base, address quote, uint32 window) external {
        new UniswapV3Source(pool, base, quote, window, 0);
    }
}
