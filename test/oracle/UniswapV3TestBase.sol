// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Test} from "forge-std/Test.sol";
import {IUniswapV3PoolState} from "../../contracts/interfaces/IUniswapV3PoolState.sol";
import {VenueToken} from "../mocks/VenueToken.sol";

interface IFactory {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);
}

interface IPool is IUniswapV3PoolState {
    function initialize(uint160 sqrtPriceX96) external;
    function increaseObservationCardinalityNext(uint16 next) external;
    function mint(address to, int24 low, int24 high, uint128 amount, bytes calldata data) external;
    function burn(int24 low, int24 high, uint128 amount) external;
    function swap(address to, bool zeroForOne, int256 amount, uint160 limit, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1);
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 index,
            uint16 cardinality,
            uint16 cardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );
}

/// @dev The real Uniswap v3 factory and pool, from the bytecode that its authors publish; this contract provides and swaps.
abstract contract UniswapV3TestBase is Test {
    uint24 private constant FEE = 3000;
    int24 internal constant FULL_LOW = -887_220;
    int24 internal constant FULL_HIGH = 887_220;

    VenueToken internal collateral;
    VenueToken internal debt;
    IPool internal pool;
    bool internal collateralIsToken0;

    /// @param price Debt base units per collateral base unit, scaled by 1e36.
    function _deployPool(uint8 collateralDecimals, uint8 debtDecimals, bool collateralFirst, uint256 price) internal {
        collateral = new VenueToken(collateralDecimals);
        do {
            debt = new VenueToken(debtDecimals);
        } while (address(collateral) < address(debt) != collateralFirst);
        collateralIsToken0 = collateralFirst;
        string memory artifact =
            vm.readFile("node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json");
        bytes memory code = vm.parseJsonBytes(artifact, ".bytecode");
        address factory;
        assembly {
            factory := create(0, add(code, 32), mload(code))
        }
        pool = IPool(IFactory(factory).createPool(address(collateral), address(debt), FEE));
        pool.initialize(_root(price));
        pool.increaseObservationCardinalityNext(200);
    }

    function _root(uint256 price) internal view returns (uint160) {
        return uint160(
            Math.sqrt(collateralIsToken0 ? Math.mulDiv(price, 1 << 192, 1e36) : Math.mulDiv(1e36, 1 << 192, price))
        );
    }

    function _provide(int24 low, int24 high, uint128 liquidity) internal {
        pool.mint(address(this), low, high, liquidity, "");
    }

    /// @dev Trades until the price of the collateral is `price`. Returns what the pool paid.
    function _moveTo(uint256 price) internal returns (uint256 paid) {
        (uint160 root,,,,,,) = pool.slot0();
        uint160 target = _root(price);
        bool zeroForOne = target < root;
        (int256 amount0, int256 amount1) = pool.swap(address(this), zeroForOne, type(int128).max, target, "");
        return uint256(-(zeroForOne ? amount1 : amount0));
    }

    function uniswapV3MintCallback(uint256 owed0, uint256 owed1, bytes calldata) external {
        _pay(int256(owed0), int256(owed1));
    }

    function uniswapV3SwapCallback(int256 owed0, int256 owed1, bytes calldata) external {
        _pay(owed0, owed1);
    }

    function _pay(int256 owed0, int256 owed1) private {
        (VenueToken token0, VenueToken token1) = collateralIsToken0 ? (collateral, debt) : (debt, collateral);
        if (owed0 > 0) token0.mint(address(pool), uint256(owed0));
        if (owed1 > 0) token1.mint(address(pool), uint256(owed1));
    }
}
