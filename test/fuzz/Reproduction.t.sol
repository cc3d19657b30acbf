// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {CounterexampleFixture} from "./CounterexampleFixture.sol";

contract ReproductionTest is CounterexampleFixture {
    function test_sequence_EndsInTheSameState() public {
        emit log_named_bytes32("fingerprint", _fingerprint());
        emit log_named_address("pool", pool);
    }
}
