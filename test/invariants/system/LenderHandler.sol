// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Lenders: what `max*` allows can be done (P10).
contract LenderHandler is SystemHandler {
    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("deposit", 50);
        ledger.declare("mint", 50);
        ledger.declare("withdraw", 35);
        ledger.declare("redeem", 35);
        ledger.declare("transfer shares", 35);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](5);
        (list[0], list[1], list[2]) = (this.deposit.selector, this.mint.selector, this.withdraw.selector);
        (list[3], list[4]) = (this.redeem.selector, this.transferShares.selector);
    }

    function deposit(uint256 a, uint256 b, uint256) external counted {
        (uint256 p, address account) = (a % 3, world.account(a % 3, a / 3));
        uint256 assets = _bound(b, 1, _least(world.dollars(p, 200_000), _pool(p).maxDeposit(account)));
        if (_pool(p).previewDeposit(assets) == 0) return;
        world.mint(p, account, assets);
        (bool success,) = _attempt("deposit", p, account, abi.encodeCall(IERC4626.deposit, (assets, account)));
        _check(success, S.P10);
    }

    function mint(uint256 a, uint256 b, uint256) external counted {
        (uint256 p, address account) = (a % 3, world.account(a % 3, a / 3));
        uint256 shares = _bound(b, 1, _least(world.dollars(p, 100_000) * 1000, _pool(p).maxMint(account)));
        world.mint(p, account, _pool(p).previewMint(shares));
        (bool success,) = _attempt("mint", p, account, abi.encodeCall(IERC4626.mint, (shares, account)));
        _check(success, S.P10);
    }

    function withdraw(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, _lenderFrom(a % 3, a / 3));
        uint256 most = _pool(p).maxWithdraw(account);
        uint256 assets = c % 8 == 0 ? most : _bound(b, 0, most / 2);
        if (assets == 0) return;
        bytes memory data = abi.encodeCall(IERC4626.withdraw, (assets, world.account(p, c), account));
        (bool success,) = _attempt("withdraw", p, account, data);
        _check(success, S.P10);
    }

    function redeem(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, _lenderFrom(a % 3, a / 3));
        uint256 most = _pool(p).maxRedeem(account);
        uint256 shares = c % 8 == 0 ? most : _bound(b, 0, most / 2);
        if (_pool(p).previewRedeem(shares) == 0) return;
        bytes memory data = abi.encodeCall(IERC4626.redeem, (shares, world.account(p, c), account));
        (bool success,) = _attempt("redeem", p, account, data);
        _check(success, S.P10);
    }

    function transferShares(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, _lenderFrom(a % 3, a / 3));
        uint256 shares = _bound(b, 0, _pool(p).balanceOf(account));
        if (shares == 0) return;
        _attempt("transfer shares", p, account, abi.encodeCall(IERC20.transfer, (world.account(p, c), shares)));
    }

    /// @dev The first account from `from` on that has shares, or `from`.
    function _lenderFrom(uint256 p, uint256 from) private view returns (address) {
        for (uint256 i; i < 5; ++i) {
            address account = world.account(p, from % 5 + i);
            if (_pool(p).balanceOf(account) != 0) return account;
        }
        return world.account(p, from);
    }

    function _least(uint256 x, uint256 y) private pure returns (uint256) {
        return x < y ? x : y;
    }
}
