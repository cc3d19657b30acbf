// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerTestBase} from "./BreakerTestBase.sol";

/// @dev A cheatcode that this version of forge-std does not declare: makes an account and its storage cold.
interface CoolingVm {
    function cool(address target) external;
}

/// @dev `observe` with everything cold, the call itself (2,600 for the account) included. The bounds are the README's figures.
contract CircuitBreakerGasTest is BreakerTestBase {
    function test_observe_GasSameBlock() public {
        _observe(PRICE);
        _assertGas(7200, "same block");
    }

    /// What a repeated action 12 s later pays: nothing is written.
    function test_observe_GasCalm() public {
        _observe(PRICE);
        _seconds(12);
        _assertGas(7700, "calm, 12 s later");
    }

    function test_observe_GasRecordsConditions() public {
        _observe(PRICE);
        _seconds(60);
        _assertGas(13_000, "records base fee and latency");
    }

    function test_observe_GasRotatesAnchor() public {
        _observe(PRICE);
        _seconds(156);
        _assertGas(17_000, "records everything");
    }

    function test_observe_GasStressed() public {
        _stressByPrice();
        _assertGas(10_000, "stressed, same block");
    }

    function test_observe_GasRenewsStress() public {
        _stressByPrice();
        _seconds(12);
        _assertGas(24_000, PRICE * 9 / 10, "stressed, renews");
    }

    function _assertGas(uint256 most, string memory what) private {
        _assertGas(most, PRICE * 1001 / 1000, what);
    }

    function _assertGas(uint256 most, uint256 price, string memory what) private {
        CoolingVm(address(vm)).cool(address(breaker));
        vm.prank(pool);
        uint256 before = gasleft();
        breaker.observe(0, price);
        uint256 used = before - gasleft();
        emit log_named_uint(what, used);
        assertLt(used, most);
    }
}
