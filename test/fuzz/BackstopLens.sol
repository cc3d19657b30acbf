// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {BackstopAccount, BackstopState, IBackstopPool} from "../../contracts/interfaces/IBackstopPool.sol";

/// @notice One depositor.
/// @param collateral His part of what is unsold, by collateral.
struct DepositorView {
    BackstopAccount account;
    uint256[] collateral;
}

/// @notice One collateral of the backstop.
/// @param held What it holds of the token.
struct InventoryView {
    uint256 amount;
    uint256 units;
    uint256 held;
}

/// @notice A backstop, as its views answer. Where there is none, empty.
/// @param held What it holds of the debt asset.
struct BackstopView {
    BackstopState state;
    uint256 held;
    DepositorView[] depositors;
    InventoryView[] inventory;
}

/// @title All views of a backstop
library BackstopLens {
    /// @param tokens The debt asset, then the collaterals.
    function read(IBackstopPool backstop, address[] memory depositors, address[] memory tokens)
        internal
        view
        returns (BackstopView memory v)
    {
        if (address(backstop) == address(0)) return v;
        v.state = backstop.backstopState();
        v.held = IERC20(tokens[0]).balanceOf(address(backstop));
        v.inventory = new InventoryView[](tokens.length - 1);
        for (uint256 id; id < v.inventory.length; ++id) {
            (v.inventory[id].amount, v.inventory[id].units) = backstop.inventoryOf(id);
            v.inventory[id].held = IERC20(tokens[id + 1]).balanceOf(address(backstop));
        }
        v.depositors = new DepositorView[](depositors.length);
        for (uint256 i; i < depositors.length; ++i) {
            v.depositors[i].account = backstop.backstopAccount(depositors[i]);
            v.depositors[i].collateral = new uint256[](v.inventory.length);
            for (uint256 id; id < v.inventory.length; ++id) {
                if (v.inventory[id].amount == 0) continue;
                v.depositors[i].collateral[id] = backstop.collateralOf(depositors[i], id);
            }
        }
    }
}
