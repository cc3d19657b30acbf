// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BreakerDefaults} from "../../contracts/breaker/BreakerDefaults.sol";
import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";

/// @dev A breaker with the default parameters, an owner and a pool, at 10 gwei.
abstract contract BreakerTestBase is Test {
    uint256 internal constant PRICE = 2000e24;

    address internal owner = makeAddr("owner");
    address internal pool = makeAddr("pool");
    CircuitBreaker internal breaker;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(25_000_000);
        vm.fee(10 gwei);
        breaker = new CircuitBreaker(owner, BreakerDefaults.parameters());
    }

    /// @dev `blocks` blocks in `slots` slots of 12 s.
    function _pass(uint256 slots, uint256 blocks) internal {
        vm.warp(vm.getBlockTimestamp() + 12 * slots);
        vm.roll(vm.getBlockNumber() + blocks);
    }

    /// @dev So many seconds with every block in time.
    function _seconds(uint256 elapsed) internal {
        _pass(elapsed / 12, elapsed / 12);
    }

    function _observe(uint256 price) internal returns (BreakerLevel level) {
        vm.prank(pool);
        level = breaker.observe(0, price);
        _assertLevel(breaker.levelOf(pool), level);
    }

    function _poke() internal returns (BreakerLevel level) {
        level = breaker.poke(pool);
        _assertLevel(breaker.levelOf(pool), level);
    }

    function _assertLevel(BreakerLevel actual, BreakerLevel expected) internal pure {
        assertEq(uint256(actual), uint256(expected), "level");
    }

    /// @dev Three observations of a price that fell by 10%, 12 s apart: the last one stresses.
    function _stressByPrice() internal {
        _observe(PRICE);
        for (uint256 i = 0; i < 3; ++i) {
            _seconds(12);
            _observe(PRICE * 9 / 10);
        }
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Stressed);
    }

    /// @dev Three more: the last one pauses.
    function _pauseByPrice() internal {
        _stressByPrice();
        for (uint256 i = 0; i < 3; ++i) {
            _seconds(12);
            _observe(PRICE * 9 / 10);
        }
        _assertLevel(breaker.levelOf(pool), BreakerLevel.Paused);
    }
}
