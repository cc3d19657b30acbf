// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IAggregatorV3} from "../../contracts/interfaces/IAggregatorV3.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {TwapOracleTestBase} from "./TwapOracleTestBase.sol";

/// @dev Calls once a transaction, as a lending pool does, and measures the call from cold.
contract OracleCaller {
    function update(IPriceOracle oracle) external returns (uint256) {
        uint256 before = gasleft();
        oracle.update();
        return before - gasleft();
    }

    function read(IAggregatorV3 feed) external view returns (uint256) {
        uint256 before = gasleft();
        feed.latestRoundData();
        return before - gasleft();
    }
}

/// @dev Gas of `update` from cold beyond the feed's own. The limits hold what the README says.
/// forge-config: default.isolate = true
contract OracleGasTest is TwapOracleTestBase {
    OracleCaller private caller;

    function setUp() public override {
        super.setUp();
        caller = new OracleCaller();
        _warm();
    }

    function _assertCost(uint256 least, uint256 most) private {
        uint256 cost = caller.update(oracle) - caller.read(feed);
        // Less than the accesses cost would mean that the measurement was not from cold.
        assertGe(cost, least);
        assertLe(cost, most);
    }

    /// @dev The accesses: the oracle 2,600 and its two slots 4,200 (6,800); a slot written 2,900 more; a zero mark stays zero.
    function test_update_Cost() public {
        _skip(12);
        feed.set(2010e8);
        _assertCost(9700, 12_500);
        _assertCost(6800, 9300); // the same second
        _skip(12);
        feed.set(2010e8);
        _assertCost(6800, 9300); // an unchanged price
        _skip(WINDOW);
        feed.set(2011e8);
        _assertCost(12_600, 14_900); // two slots
    }
}
