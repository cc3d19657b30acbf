// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {CollateralState} from "../../contracts/interfaces/ILendingPool.sol";

/// @notice What `DampedPolicy.recordDepth` reads of a pool.
contract ListingPoolMock {
    address public oracle;
    uint256 public total;

    function set(address newOracle, uint256 newTotal) external {
        oracle = newOracle;
        total = newTotal;
    }

    function collateralState(uint256) external view returns (CollateralState memory state) {
        state.oracle = oracle;
        state.total = total;
    }
}
