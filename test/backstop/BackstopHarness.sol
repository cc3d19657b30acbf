// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopAccounting} from "../../contracts/backstop/BackstopAccounting.sol";
import {Depositor, Batch, Crossing, Inventory, Stake, Totals} from "../../contracts/backstop/BackstopStorage.sol";

/// @dev The backstop's books without tokens, prices or a pool: what happens is what a test says happens.
contract BackstopHarness is BackstopAccounting {
    uint256 public constant LEAST_LEFT = 1000;

    constructor() BackstopAccounting(12 hours) {}

    function roll() external {
        _roll();
    }

    function deposit(address account, uint256 assets) external {
        _roll();
        _queueEntry(account, assets);
    }

    function requestExit(address account, uint256 shares) external {
        _roll();
        _queueExit(account, shares);
    }

    function move(address from, address to, uint256 shares) external {
        _roll();
        Depositor memory a = _bringUpToDate(from);
        a.shares -= uint112(shares);
        _storeAccount(from, a);
        a = _bringUpToDate(to);
        a.shares += uint112(shares);
        _storeAccount(to, a);
    }

    function touch(address account) external {
        _roll();
        _storeAccount(account, _bringUpToDate(account));
    }

    function absorb(uint256 id, uint256 assets, uint256 collateral) external {
        _roll();
        _spend(assets);
        _addInventory(id, collateral);
    }

    function sell(uint256 id, uint256 amount, uint256 proceeds) external {
        _roll();
        _sellInventory(id, amount, proceeds);
    }

    function premium(uint256 assets) external {
        _roll();
        _addGains(assets);
    }

    function claimAssets(address account) external returns (uint256 assets) {
        _roll();
        Depositor memory a = _bringUpToDate(account);
        (assets, a.owed) = (a.owed, 0);
        _storeAccount(account, a);
    }

    function claimCollateral(address account, uint256 id) external returns (uint256 amount) {
        _roll();
        _storeAccount(account, _bringUpToDate(account));
        (amount,) = _takeInKind(account, id);
    }

    function totals() external view returns (Totals memory) {
        return _totals;
    }

    function batch(uint256 period) external view returns (Batch memory) {
        return _batches[period];
    }

    function crossing(uint256 period) external view returns (Crossing memory) {
        return _crossings[period];
    }

    function inventory(uint256 id) external view returns (Inventory memory) {
        return _inventory[id];
    }

    function accountOf(address account) external view returns (Depositor memory a) {
        (a,) = _upToDate(account);
    }

    function unitsOf(address account, uint256 id) external view returns (uint256) {
        if ((_collaterals >> id) & 1 == 0) return 0;
        (, Stake[] memory stakes) = _upToDate(account);
        return stakes[id].units;
    }

    function inKind(address account, uint256 id) external view returns (uint256) {
        if ((_collaterals >> id) & 1 == 0) return 0;
        (, Stake[] memory stakes) = _upToDate(account);
        return _worthInKind(_inventory[id], stakes[id].units);
    }

    function rescales() external view returns (uint256) {
        return _rescales.length;
    }
}
