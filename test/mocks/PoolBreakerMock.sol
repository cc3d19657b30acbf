// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel, ICircuitBreaker} from "../../contracts/interfaces/ICircuitBreaker.sol";

/// @dev A breaker whose level anybody sets; it counts observations and remembers the last.
contract PoolBreakerMock is ICircuitBreaker {
    BreakerLevel public level;
    uint256 public observations;
    uint256 public lastCollateral;
    uint256 public lastPrice;

    function setLevel(BreakerLevel level_) external {
        level = level_;
    }

    function observe(uint256 collateralId, uint256 fastPrice) external returns (BreakerLevel) {
        ++observations;
        (lastCollateral, lastPrice) = (collateralId, fastPrice);
        return level;
    }

    function poke(address) external view returns (BreakerLevel) {
        return level;
    }

    function levelOf(address) external view returns (BreakerLevel) {
        return level;
    }
}
