// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title OpenZeppelin's ERC-20 with nothing added, for benchmarks
contract OpenZeppelinToken is ERC20 {
    /// @param holder Gets all of it.
    /// @param supply Base units.
    constructor(address holder, uint256 supply) ERC20("OpenZeppelin", "OZ") {
        _mint(holder, supply);
    }
}
