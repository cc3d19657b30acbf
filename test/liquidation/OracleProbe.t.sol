// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {OracleProbe} from "../../contracts/libraries/OracleProbe.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {DepthOracleMock} from "../mocks/DepthOracleMock.sol";
import {TwapOracleTestBase} from "../oracle/TwapOracleTestBase.sol";

/// @notice Against the real oracle, whose reader of hostile sources makes demands on gas of its own, and a hostile one.
contract OracleProbeTest is TwapOracleTestBase {
    function probe(address target) external view returns (uint256) {
        return OracleProbe.fastPriceOrZero(target);
    }

    /// @dev `OracleCall` reverts unless a venue that yields nothing was given its 300,000: about 310,000 must be there.
    function test_fastPriceOrZero_ReadsTheFeedThoughTheVenueIsSilent() public {
        _warm();
        venue.set(0, 0);
        assertEq(oracle.peek().fast, PRICE_2000);
        assertEq(OracleProbe.fastPriceOrZero(address(oracle)), PRICE_2000);
        venue.set(2e27, 5e12);
        assertEq(OracleProbe.fastPriceOrZero(address(oracle)), PRICE_2000);
        assertEq(OracleProbe.depthOrZero(address(oracle)), 5e12);
        venue.set(2e27, 0);
        assertEq(OracleProbe.depthOrZero(address(oracle)), 0);
    }

    /// @dev A feed that is gone after burning its allowance, and a venue likewise: the price that stands in is read.
    function test_fastPriceOrZero_ReadsThePriceThatStandsIn() public {
        _warm();
        _skip(60);
        vm.etch(address(feed), hex"5b5f56");
        vm.etch(address(venue), hex"5b5f56");
        assertEq(uint256(oracle.peek().status), uint256(PriceStatus.Degraded));
        assertEq(OracleProbe.fastPriceOrZero(address(oracle)), PRICE_2000);
    }

    /// @dev Whoever starves the reading leaves too little for a single storage write of a caller's: below 1/63 of it.
    function test_fastPriceOrZero_StarvedLeavesNothing() public {
        _warm();
        venue.set(0, 0);
        uint256 before = gasleft();
        assertEq(this.probe(address(oracle)), PRICE_2000);
        assertLt(before - gasleft(), 60_000, "a silent venue costs what it uses");
        // a little below what it needs, the price reads 0, and what is left is less than 5,500
        for (uint256 limit = 60_000; limit < 345_000; limit += 15_000) {
            try this.probe{gas: limit}(address(oracle)) returns (uint256 price) {
                if (price == 0) assertLt(limit / 63, 5500);
            } catch {}
        }
    }

    function test_readings_CostABoundOfGasWhateverTheOracle() public {
        DepthOracleMock hostile = new DepthOracleMock();
        hostile.setFast(5, PriceStatus.Degraded);
        hostile.setDepth(7);
        assertEq(OracleProbe.fastPriceOrZero(address(hostile)), 5);
        assertEq(OracleProbe.depthOrZero(address(hostile)), 7);
        hostile.setFast(5, PriceStatus.Down);
        assertEq(OracleProbe.fastPriceOrZero(address(hostile)), 0);
        for (uint256 i = 1; i < 5; ++i) {
            hostile.setBehaviour(DepthOracleMock.Behaviour(i));
            hostile.setFast(5, PriceStatus.Ok);
            uint256 before = gasleft();
            assertEq(OracleProbe.fastPriceOrZero(address(hostile)), 0);
            assertLt(before - gasleft(), 800_000);
            before = gasleft();
            assertEq(OracleProbe.depthOrZero(address(hostile)), 0);
            assertLt(before - gasleft(), 400_000);
        }
        assertEq(OracleProbe.fastPriceOrZero(address(0xdead)), 0, "no code");
    }
}
