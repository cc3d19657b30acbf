// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {AccountHealth, CollateralState, ILendingPoolCore} from "../../../contracts/interfaces/ILendingPool.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Borrowers: repaying and topping up never fail (P5), and risk stays within the limit (P11).
contract BorrowerHandler is SystemHandler {
    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("supply collateral", 60);
        ledger.declare("withdraw collateral", 20);
        ledger.declare("borrow", 30);
        ledger.declare("repay", 50);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.supplyCollateral.selector, this.withdrawCollateral.selector);
        (list[2], list[3]) = (this.borrow.selector, this.repay.selector);
    }

    /// @dev The bad token one time in sixteen.
    function supplyCollateral(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, world.account(a % 3, a / 3));
        uint256 id = c % 16 == 0 ? 2 : c % 2;
        uint256 token = world.collateralOf(p, id);
        bool held = _pool(p).collateralOf(account, id) != 0;
        address payer = held ? world.account(p, c >> 8) : account;
        uint256 amount = _bound(b, 1, world.dollars(token, 50_000));
        world.mint(token, payer, amount);
        bytes memory data = abi.encodeCall(ILendingPoolCore.supplyCollateral, (id, amount, account, ""));
        (bool success,) = _attempt("supply collateral", p, payer, data);
        // What is not held may be frozen, and without debt the cap holds.
        bool topUp = held && _pool(p).debtSharesOf(account) != 0 && world.isHonest(token);
        _check(success || !topUp, S.P5);
    }

    function withdrawCollateral(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, world.account(a % 3, a / 3));
        uint256 id = _heldFrom(p, account, c);
        if (id == 3) return;
        uint256 held = _pool(p).collateralOf(account, id);
        uint256 amount = c % 8 == 0 ? held : _bound(b, 1, held);
        bytes memory data = abi.encodeCall(ILendingPoolCore.withdrawCollateral, (id, amount, account, account));
        (bool success,) = _attempt("withdraw collateral", p, account, data);
        if (success) _checkRisk(p, account, id);
        else _check(_pool(p).debtSharesOf(account) != 0 || !world.isHonest(world.collateralOf(p, id)), S.P11);
    }

    /// @dev Three in four wait until prices are confirmed, with collateral to begin with; one in two takes all that it may.
    function borrow(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        if (c % 4 != 0) {
            world.calm();
            _supply(p, world.account(p, a / 3), c % 2, world.dollars(world.collateralOf(p, c % 2), 20_000));
        }
        (address account, uint256 room) = _roomFrom(p, a / 3);
        uint256 cash = IERC20(world.tokens(p)).balanceOf(address(_pool(p)));
        if (room > cash) room = cash;
        uint256 assets = b % 2 == 0 ? room : _bound(b, 0, room);
        if (assets == 0) return;
        uint256 minimum = _pool(p).minDebt();
        if (room > minimum && assets < minimum) assets = minimum;
        bytes memory data = abi.encodeCall(ILendingPoolCore.borrow, (assets, account, account));
        (bool success,) = _attempt("borrow", p, account, data);
        if (success) _checkRisk(p, account, type(uint256).max);
    }

    function _supply(uint256 p, address account, uint256 id, uint256 amount) private {
        world.mint(world.collateralOf(p, id), account, amount);
        bytes memory data = abi.encodeCall(ILendingPoolCore.supplyCollateral, (id, amount, account, ""));
        _attempt("supply collateral", p, account, data);
    }

    function repay(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, _borrowerFrom(a % 3, a / 3));
        if (account == address(0)) return;
        uint256 debt = _pool(p).debtOf(account);
        uint256 assets = c % 8 == 0 ? type(uint256).max : _bound(b, 1, debt);
        address payer = world.account(p, c >> 8);
        world.mint(p, payer, assets < debt ? assets : debt);
        (bool success,) = _attempt("repay", p, payer, abi.encodeCall(ILendingPoolCore.repay, (assets, account, "")));
        _check(success, S.P5);
    }

    function _roomFrom(uint256 p, uint256 from) private view returns (address account, uint256 room) {
        for (uint256 i; i < 5 && room == 0; ++i) {
            account = world.account(p, from % 5 + i);
            AccountHealth memory health = _health(p, account);
            if (health.borrowLimit > health.debt) room = health.borrowLimit - health.debt;
        }
    }

    /// @dev After new risk of an account; `leaving` is the collateral that it took out.
    function _checkRisk(uint256 p, address account, uint256 leaving) private {
        AccountHealth memory health = _health(p, account);
        if (health.debt == 0) return;
        _check(health.debt <= health.borrowLimit, S.P11);
        for (uint256 id; id < 3; ++id) {
            if (id == leaving || _pool(p).collateralOf(account, id) == 0) continue;
            CollateralState memory state = _pool(p).collateralState(id);
            _check(state.total <= state.cap, S.P11_CAP);
        }
    }
}
