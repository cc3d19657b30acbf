// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {VenueRouter} from "./VenueRouter.sol";

interface ITestFactory {
    function enableFeeAmount(uint24 fee, int24 tickSpacing) external;
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);
}

interface ITestPool {
    function initialize(uint160 sqrtPriceX96) external;
    function slot0() external view returns (uint160 sqrtPriceX96, int24, uint16, uint16, uint16, uint8, bool);
    function burn(int24 tickLower, int24 tickUpper, uint128 amount) external returns (uint256, uint256);
    function collect(address recipient, int24 tickLower, int24 tickUpper, uint128 amount0, uint128 amount1)
        external
        returns (uint128, uint128);
    function liquidity() external view returns (uint128);
}

/// @dev Charges whoever it can for twice what a swap is, and tries it again later.
contract GreedyPool {
    address public immutable token0;
    address public immutable token1;
    VenueRouter private immutable ROUTER;

    constructor(VenueRouter router, address token0_, address token1_) {
        (ROUTER, token0, token1) = (router, token0_, token1_);
    }

    function swap(address, bool, int256, uint160, bytes calldata) external pure returns (int256, int256) {
        return (0, 0);
    }

    function charge(uint256 amount) external {
        ROUTER.uniswapV3SwapCallback(int256(amount), 0, "");
    }
}

contract VenueRouterTest is Test {
    uint160 private constant ONE = uint160(1 << 96);
    uint128 private constant LIQUIDITY = 1e24;
    int24 private constant FULL = 887_272;

    /// @dev With a tick spacing of 1 the pool walks 256 ticks a step and rounds each by up to 1 wei against the trader:
    /// halving the square root of the price crosses 2 ln 2 / ln 1.0001 = 13,864 ticks, 55 steps.
    uint256 private constant STEPS = 55;

    SimToken private token0;
    SimToken private token1;
    ITestPool private pool;
    VenueRouter private router;
    address private provider = makeAddr("provider");
    address private trader = makeAddr("trader");

    function setUp() public {
        bytes memory code = vm.parseJsonBytes(
            vm.readFile("node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"),
            ".bytecode"
        );
        ITestFactory factory;
        assembly ("memory-safe") {
            factory := create(0, add(code, 32), mload(code))
        }
        factory.enableFeeAmount(0, 1);
        token0 = new SimToken("Zero", "T0", 18);
        token1 = new SimToken("One", "T1", 18);
        if (token1 < token0) (token0, token1) = (token1, token0);
        pool = ITestPool(factory.createPool(address(token0), address(token1), 0));
        pool.initialize(ONE);
        router = new VenueRouter();
        address[2] memory users = [provider, trader];
        for (uint256 i = 0; i < users.length; ++i) {
            token0.mint(users[i], 1e30);
            token1.mint(users[i], 1e30);
            vm.startPrank(users[i]);
            token0.approve(address(router), type(uint256).max);
            token1.approve(address(router), type(uint256).max);
            vm.stopPrank();
        }
        vm.prank(provider);
        router.mint(address(pool), -FULL, FULL, LIQUIDITY);
    }

    /// @dev Constant product, no fee: x = y = L = 1e24; selling q = 1e24 of token0 gives y q / (x + q) = L / 2.
    function test_swap_ConstantProduct() public {
        vm.prank(trader);
        (uint256 paid, uint256 received) = router.swap(address(pool), true, 1e24, 0, 0, address(0xbeef));
        assertEq(paid, 1e24);
        assertApproxEqAbs(received, 5e23, STEPS);
        assertEq(token1.balanceOf(address(0xbeef)), received);
        assertEq(token0.balanceOf(trader), 1e30 - paid);
        (uint160 price,,,,,,) = pool.slot0();
        assertApproxEqRel(price, ONE / 2, 1000);
    }

    /// @dev From sqrt price 1 to 1/2 takes L (1 / (1/2) - 1) = L of token0 and gives L / 2 of token1.
    function test_swapToPrice_ReachesThePriceBothWays() public {
        vm.startPrank(trader);
        (bool zeroForOne, uint256 paid, uint256 received) =
            router.swapToPrice(address(pool), ONE / 2, type(uint128).max, trader);
        (uint160 price,,,,,,) = pool.slot0();
        assertTrue(zeroForOne);
        assertEq(price, ONE / 2);
        assertApproxEqAbs(paid, LIQUIDITY, STEPS);
        assertApproxEqAbs(received, LIQUIDITY / 2, STEPS);
        (zeroForOne,,) = router.swapToPrice(address(pool), 2 * ONE, type(uint128).max, trader);
        (price,,,,,,) = pool.slot0();
        assertFalse(zeroForOne);
        assertEq(price, 2 * ONE);
        (, paid, received) = router.swapToPrice(address(pool), 2 * ONE, type(uint128).max, trader);
        assertEq(paid + received, 0);
    }

    function test_swap_StopsAtTheLimit() public {
        vm.prank(trader);
        (uint256 paid,) = router.swap(address(pool), false, 1e30, 2 * ONE, 0, trader);
        assertApproxEqAbs(paid, LIQUIDITY, STEPS);
    }

    function test_mint_PositionIsTheProvidersOwn() public {
        vm.prank(trader);
        router.mint(address(pool), -FULL, FULL, LIQUIDITY);
        assertEq(pool.liquidity(), 2 * LIQUIDITY);
        vm.startPrank(provider);
        pool.burn(-FULL, FULL, LIQUIDITY);
        (uint128 amount0, uint128 amount1) = pool.collect(provider, -FULL, FULL, type(uint128).max, type(uint128).max);
        // The widest range ends at sqrt prices of 2^-64 and 2^64 or so: L / 2^64 = 54,210 short of the whole curve.
        assertApproxEqAbs(amount0, LIQUIDITY, 54_250);
        assertApproxEqAbs(amount1, LIQUIDITY, 54_250);
        assertEq(pool.liquidity(), LIQUIDITY);
        vm.expectRevert();
        pool.burn(-FULL, FULL, 1);
    }

    function test_RevertWhen_ReceivedTooLittle() public {
        vm.prank(trader);
        vm.expectPartialRevert(VenueRouter.ReceivedTooLittle.selector);
        router.swap(address(pool), true, 1e24, 0, 6e23, trader);
    }

    function test_RevertWhen_AmountTooLarge() public {
        uint256 amount = uint256(type(int256).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(VenueRouter.AmountTooLarge.selector, amount));
        router.swap(address(pool), true, amount, 0, 0, trader);
    }

    function test_RevertWhen_CallbackIsNotAskedFor() public {
        vm.expectRevert(abi.encodeWithSelector(VenueRouter.UnexpectedCallback.selector, address(this)));
        router.uniswapV3SwapCallback(1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(VenueRouter.UnexpectedCallback.selector, address(this)));
        router.uniswapV3MintCallback(1, 0, "");
    }

    function test_RevertWhen_PoolChargesAfterItsSwap() public {
        GreedyPool greedy = new GreedyPool(router, address(token0), address(token1));
        vm.prank(trader);
        router.swap(address(greedy), true, 1, 0, 0, trader);
        vm.expectRevert(abi.encodeWithSelector(VenueRouter.UnexpectedCallback.selector, address(greedy)));
        greedy.charge(1);
    }
}
