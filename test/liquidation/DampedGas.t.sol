// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ILiquidationPolicy, LiquidationRequest} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {PolicyFixture} from "./PolicyFixture.sol";

/// @notice What `commit` costs its caller in a repeated damped liquidation of a flagged account, every slot cold, against the
/// rigid policy. The oracle is a mock whose depth is two storage reads.
contract DampedGasTest is PolicyFixture {
    DampedPolicy private damped;
    RigidPolicy private rigid;

    function setUp() public override {
        super.setUp();
        vm.warp(1_700_000_040);
        oracle.setDepth(5000e6);
        damped = new DampedPolicy(DampedParametersLib.defaults());
        rigid = new RigidPolicy(0.05e18);
        damped.commit(_request(_position(), 10e6));
        _wait(12);
    }

    function _gasOf(ILiquidationPolicy policy, uint256 health) private returns (uint256) {
        LiquidationRequest memory r = _request(health == 0 ? _position() : _positionAt(health), 10e6);
        uint256 before = gasleft();
        policy.commit(r);
        return before - gasleft();
    }

    function test_gas_OfTheRigidPolicy() public {
        assertLt(_gasOf(rigid, 0), 7000);
    }

    function test_gas_OfADampedLiquidation() public {
        assertLt(_gasOf(damped, 0), 27_000);
    }

    function test_gas_OfADampedLiquidationThatReadsTheDepth() public {
        _wait(48);
        assertLt(_gasOf(damped, 0), 46_000);
    }

    function test_gas_OfAHardLiquidation() public {
        assertLt(_gasOf(damped, 0.88e18), 14_000);
    }
}
