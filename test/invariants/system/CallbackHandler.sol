// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {ILendingPoolCore, ILendingPoolExtension, LiquidationCall} from "../../../contracts/interfaces/ILendingPool.sol";
import {PoolFlashBorrower} from "../../mocks/PoolFlashBorrower.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {ReentrantActor} from "./ReentrantActor.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Flash loans (P12), and a contract that acts within every kind of callback (C1).
contract CallbackHandler is SystemHandler {
    PoolFlashBorrower private immutable borrower = new PoolFlashBorrower();

    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("flash loan", 40);
        ledger.declare("flash loan, nested", 20);
        ledger.declare("repay, nested", 20);
        ledger.declare("supply, nested", 20);
        ledger.declare("liquidate, nested", 30);
        ledger.declare("act within a callback", 60);
        ledger.declare("barred: liquidate", 40);
        ledger.declare("barred: liquidate batch", 40);
        ledger.declare("barred: flag", 40);
        ledger.declare("barred: settle", 40);
        ledger.declare("barred: flash loan", 40);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](5);
        (list[0], list[1], list[2]) =
        (this.flashLoan.selector, this.flashLoanNested.selector, this.repayNested.selector);
        (list[3], list[4]) = (this.supplyNested.selector, this.liquidateNested.selector);
    }

    function flashLoan(uint256 a, uint256 b, uint256) external counted {
        uint256 p = a % 3;
        bytes32 before = keccak256(abi.encode(_pool(p).marketState()));
        (bool success,) = _attempt("flash loan", p, world.stranger(), _flash(borrower, p, b));
        _check(success && keccak256(abi.encode(_pool(p).marketState())) == before, S.P12);
    }

    function flashLoanNested(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        _act("flash loan, nested", p, _flash(world.contracts(p), p, b), a, c);
    }

    function repayNested(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, _borrowerFrom(a % 3, a / 3));
        if (account == address(0)) return;
        uint256 assets = _bound(b, 1, _pool(p).debtOf(account));
        _act("repay, nested", p, abi.encodeCall(ILendingPoolCore.repay, (assets, account, "call")), a, c);
    }

    function supplyNested(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        uint256 amount = _bound(b, 1, world.dollars(world.collateralOf(p, c % 2), 50_000));
        address account = address(world.contracts(p));
        bytes memory data = abi.encodeCall(ILendingPoolCore.supplyCollateral, (c % 2, amount, account, "call"));
        _act("supply, nested", p, data, a, c);
    }

    function liquidateNested(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        address account = _squeezed(p, a / 3, _bound(c, 0.75e18, 0.91e18));
        if (account == address(0)) return;
        uint256 asked = _bound(b, 1, _pool(p).debtOf(account));
        bytes memory data =
            abi.encodeCall(ILendingPoolCore.liquidate, (account, _heldFrom(p, account, c), asked, "call"));
        _act("liquidate, nested", p, data, a, c);
    }

    /// @dev The contract does `data` and, in the first callback of that, three of everything that a pool can do.
    function _act(bytes32 action, uint256 p, bytes memory data, uint256 a, uint256 c) private {
        ReentrantActor actor = world.contracts(p);
        world.mint(p, address(actor), 2 * _pool(p).marketState().totalDebt + world.dollars(p, 100_000));
        for (uint256 id; id < 2; ++id) {
            uint256 token = world.collateralOf(p, id);
            world.mint(token, address(actor), world.dollars(token, 100_000));
        }
        bytes[] memory armed = new bytes[](3);
        for (uint256 i; i < 3; ++i) {
            armed[i] = _nested(p, uint256(keccak256(abi.encode(a, c, i))));
        }
        uint256 before = actor.nested();
        uint256[5] memory barred = _barred(actor);
        books.open(p);
        try actor.act(data, armed) {
            _enter(action, p, true, "");
        } catch (bytes memory answer) {
            _enter(action, p, false, answer);
        }
        if (actor.nested() != before) ledger.succeeded("act within a callback");
        _check(actor.intrusions() == 0, S.C1);
        uint256[5] memory barredNow = _barred(actor);
        bytes32[5] memory names = [
            bytes32("barred: liquidate"),
            "barred: liquidate batch",
            "barred: flag",
            "barred: settle",
            "barred: flash loan"
        ];
        for (uint256 i; i < 5; ++i) {
            if (barredNow[i] != barred[i]) ledger.succeeded(names[i]);
        }
    }

    function _barred(ReentrantActor actor) private view returns (uint256[5] memory) {
        return [
            actor.barred(ILendingPoolCore.liquidate.selector),
            actor.barred(ILendingPoolCore.liquidateBatch.selector),
            actor.barred(ILendingPoolCore.flag.selector),
            actor.barred(ILendingPoolExtension.settle.selector),
            actor.barred(IERC3156FlashLender.flashLoan.selector)
        ];
    }

    function _nested(uint256 p, uint256 seed) private view returns (bytes memory) {
        address actor = address(world.contracts(p));
        address other = world.account(p, seed >> 8);
        uint256 id = (seed >> 16) % 2;
        uint256 amount = _bound(seed >> 24, 1, world.dollars(p, 1000));
        uint256 kind = seed % 11;
        if (kind == 0) return abi.encodeCall(IERC4626.deposit, (amount, other));
        if (kind == 1) return abi.encodeCall(IERC4626.withdraw, (amount, other, actor));
        if (kind == 2) return abi.encodeCall(ILendingPoolCore.borrow, (amount, actor, actor));
        if (kind == 3) return abi.encodeCall(ILendingPoolCore.repay, (amount, other, ""));
        if (kind == 4) return _flash(IERC3156FlashBorrower(actor), p, seed >> 24);
        if (kind > 6) return _nestedClosing(p, kind, _unhealthyFrom(p, seed >> 8), amount);
        uint256 collateral = _bound(seed >> 24, 1, world.dollars(world.collateralOf(p, id), 1000));
        if (kind == 5) return abi.encodeCall(ILendingPoolCore.supplyCollateral, (id, collateral, actor, ""));
        return abi.encodeCall(ILendingPoolCore.withdrawCollateral, (id, collateral, actor, actor));
    }

    /// @dev Of somebody unhealthy, if there is anybody: of the healthy it would be refused without the callback too.
    function _nestedClosing(uint256 p, uint256 kind, address other, uint256 amount)
        private
        view
        returns (bytes memory)
    {
        uint256 id = _heldFrom(p, other, amount);
        if (kind == 7) return abi.encodeCall(ILendingPoolCore.liquidate, (other, id, amount, ""));
        if (kind == 8) return abi.encodeCall(ILendingPoolExtension.settle, (other, ""));
        if (kind == 9) return abi.encodeCall(ILendingPoolCore.flag, (other, id));
        LiquidationCall[] memory calls = new LiquidationCall[](1);
        calls[0] = LiquidationCall(other, id, amount);
        return abi.encodeCall(ILendingPoolCore.liquidateBatch, (calls, ""));
    }

    /// @dev The first account from `from` on that is unhealthy, or the one at `from`.
    function _unhealthyFrom(uint256 p, uint256 from) private view returns (address) {
        for (uint256 i; i < 5; ++i) {
            address account = world.account(p, from % 5 + i);
            if (_health(p, account).healthFast < 1e18) return account;
        }
        return world.account(p, from);
    }

    function _flash(IERC3156FlashBorrower receiver, uint256 p, uint256 b) private view returns (bytes memory) {
        address token = world.tokens(p);
        uint256 amount = _bound(b, 0, IERC20(token).balanceOf(address(_pool(p))));
        return abi.encodeCall(IERC3156FlashLender.flashLoan, (receiver, token, amount, "call"));
    }
}
