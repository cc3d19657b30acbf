// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {AccountHealth, ILendingPoolCore, ILendingPoolExtension} from "../../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../../contracts/lending/LendingPool.sol";
import {PoolShares} from "../../../contracts/lending/PoolShares.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Acting for another: with his permission, as far as it goes, and not without it (A1).
contract PermissionHandler is SystemHandler {
    /// @dev What was given, kept apart from what the pools keep.
    mapping(uint256 p => mapping(address owner => mapping(address actor => bool))) private _authorized;
    mapping(uint256 p => mapping(address owner => mapping(address actor => uint256))) private _allowed;

    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("authorize", 40);
        ledger.declare("allow", 40);
        ledger.declare("spend for another", 10);
        ledger.declare("take risk for another", 10);
        ledger.declare("refused: spend", 10);
        ledger.declare("refused: risk", 10);
        ledger.declare("supply before risk", 0);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.authorize.selector, this.allow.selector);
        (list[2], list[3]) = (this.spend.selector, this.takeRisk.selector);
    }

    /// @dev Given three times in four, taken back once.
    function authorize(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address owner, address actor) = _two(a, b);
        bool on = c % 4 != 0;
        _attempt("authorize", p, owner, abi.encodeCall(ILendingPoolExtension.setAuthorization, (actor, on)));
        _authorized[p][owner][actor] = on;
    }

    /// @dev Nothing, a part of what he has, or, one time in two, without limit.
    function allow(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address owner, address actor) = _two(a, b);
        uint256 shares = c % 4 == 0 ? 0 : type(uint256).max;
        if (c % 4 == 1) shares = _bound(c >> 2, 1, _pool(p).balanceOf(owner) + 1);
        _attempt("allow", p, owner, abi.encodeCall(IERC20.approve, (actor, shares)));
        _allowed[p][owner][actor] = shares;
    }

    /// @dev Another's shares: withdrawn, redeemed or transferred, to who spends them or to whom they belong.
    function spend(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address owner, address actor) = _two(a, b);
        (bytes memory data, uint256 shares) = _spending(p, owner, c % 2 == 0 ? actor : owner, c / 2);
        if (shares == 0) return;
        uint256 before = _pool(p).balanceOf(owner);
        (bool success, bytes memory answer) = _attempt("spend for another", p, actor, data);
        uint256 allowed = _allowed[p][owner][actor];
        uint256 spent = success ? shares : 0;
        uint256 left = _pool(p).balanceOf(owner);
        _check(spent <= allowed && (before <= left || before - left <= spent), S.A1);
        if (spent <= allowed && allowed != type(uint256).max) _allowed[p][owner][actor] = allowed - spent;
        _check(_pool(p).allowance(owner, actor) == _allowed[p][owner][actor], S.A1);
        if (success || bytes4(answer) != PoolShares.InsufficientAllowance.selector) return;
        ledger.succeeded("refused: spend");
        _check(allowed < shares, S.A1);
    }

    /// @dev A call and the shares that it spends; 0 if there is nothing to spend.
    function _spending(uint256 p, address owner, address receiver, uint256 c)
        private
        view
        returns (bytes memory data, uint256 shares)
    {
        if (c % 3 == 0) {
            uint256 assets = _pool(p).maxWithdraw(owner);
            if (assets == 0) return ("", 0);
            assets = _bound(c >> 2, 1, assets);
            return (abi.encodeCall(IERC4626.withdraw, (assets, receiver, owner)), _pool(p).previewWithdraw(assets));
        }
        shares = c % 3 == 1 ? _pool(p).maxRedeem(owner) : _pool(p).balanceOf(owner);
        if (shares == 0) return ("", 0);
        shares = _bound(c >> 2, 1, shares);
        if (c % 3 == 2) return (abi.encodeCall(IERC20.transferFrom, (owner, receiver, shares)), shares);
        if (_pool(p).previewRedeem(shares) == 0) return ("", 0);
        data = abi.encodeCall(IERC4626.redeem, (shares, receiver, owner));
    }

    /// @dev Another's debt or collateral: confirmed prices and new collateral first, or nothing would be possible.
    function takeRisk(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address owner, address actor) = _two(a, b);
        world.calm();
        // One in eight of somebody who has nothing yet, and has permitted nobody anything.
        if (c % 8 == 7) owner = address(uint160(uint256(keccak256(abi.encode(a, b, c)))));
        else _supply("supply before risk", p, owner, 0, owner);
        bool permitted = _authorized[p][owner][actor];
        (bool success, bytes memory answer) = _risk(p, owner, actor, c);
        _check(!success || permitted, S.A1);
        if (success || bytes4(answer) != LendingPool.NotAuthorized.selector) return;
        ledger.succeeded("refused: risk");
        _check(!permitted, S.A1);
    }

    /// @dev Collateral out, to who acts or to whom it belongs; a collateral that is not held yet, in; or a loan.
    function _risk(uint256 p, address owner, address actor, uint256 c) private returns (bool, bytes memory) {
        bytes32 action = "take risk for another";
        if (c % 4 == 3 && _pool(p).collateralOf(owner, 1) == 0) return _supply(action, p, actor, 1, owner);
        uint256 id = _heldFrom(p, owner, c >> 2);
        if (c % 4 < 2 && id != 3) {
            uint256 amount = _bound(c >> 3, 1, _pool(p).collateralOf(owner, id) / 10 + 1);
            address receiver = c % 4 == 0 ? actor : owner;
            return _attempt(
                action, p, actor, abi.encodeCall(ILendingPoolCore.withdrawCollateral, (id, amount, owner, receiver))
            );
        }
        AccountHealth memory health = _health(p, owner);
        uint256 room = health.borrowLimit > health.debt ? health.borrowLimit - health.debt : 0;
        return _attempt(action, p, actor, abi.encodeCall(ILendingPoolCore.borrow, (room / 2 + 1, owner, actor)));
    }

    /// @dev 20,000 dollars of a collateral, paid by `payer`.
    function _supply(bytes32 action, uint256 p, address payer, uint256 id, address owner)
        private
        returns (bool, bytes memory)
    {
        uint256 token = world.collateralOf(p, id);
        uint256 amount = world.dollars(token, 20_000);
        world.mint(token, payer, amount);
        return _attempt(action, p, payer, abi.encodeCall(ILendingPoolCore.supplyCollateral, (id, amount, owner, "")));
    }

    /// @dev A person, and another or the pool's contract.
    function _two(uint256 a, uint256 b) private view returns (uint256 p, address owner, address actor) {
        p = a % 3;
        uint256 first = a / 3 % 4;
        owner = world.account(p, first);
        actor = world.account(p, first + 1 + b % 2);
    }
}
