// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ISpotSource} from "../../contracts/interfaces/ISpotSource.sol";

/// @notice A spot price that is whatever it was told to be, as in the hands of somebody with a flash loan.
contract SpotSourceMock is ISpotSource {
    uint256 public spotPrice;
    uint256 public spotDepth;

    constructor(uint256 price, uint256 depth) {
        set(price, depth);
    }

    function set(uint256 price, uint256 depth) public {
        (spotPrice, spotDepth) = (price, depth);
    }
}
