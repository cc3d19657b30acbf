// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IPriceVenue} from "../../contracts/interfaces/IPriceVenue.sol";

/// @notice A venue that answers, reverts or burns its gas.
contract VenueMock is IPriceVenue {
    uint256 public averagePrice_;
    uint256 public depth_;
    bool public reverts;
    bool public burnsGas;
    uint256 public heavyGas;

    function set(uint256 price, uint256 depthValue) external {
        (averagePrice_, depth_) = (price, depthValue);
    }

    function misbehave(bool reverts_, bool burnsGas_) external {
        (reverts, burnsGas) = (reverts_, burnsGas_);
    }

    /// @notice To use up that much before answering, and to revert with less.
    function setHeavyGas(uint256 heavyGas_) external {
        heavyGas = heavyGas_;
    }

    function averagePrice() external view returns (uint256) {
        _misbehave();
        return averagePrice_;
    }

    function depth() external view returns (uint256) {
        _misbehave();
        return depth_;
    }

    function _misbehave() private view {
        require(!reverts, "venue");
        if (burnsGas) for (uint256 i; i < type(uint256).max; ++i) {}
        if (heavyGas > 0) {
            uint256 end = gasleft() - heavyGas;
            while (gasleft() > end) {}
        }
    }
}
