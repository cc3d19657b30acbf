// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SimToken} from "../mocks/SimToken.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice Depositors: what they do moves nothing of the others' (K4), and nothing refuses it (K6).
abstract contract BackstopDepositorHandler is BackstopHandlerBase {
    constructor() {
        ledger.declare("deposit", 100);
        ledger.declare("requestExit", 100);
        ledger.declare("transfer", 100);
        ledger.declare("claimAssets", 100);
        ledger.declare("claimCollateral", 50);
    }

    function deposit(uint256 who, uint256 assets) external counted {
        address actor = _actor(who);
        _roll();
        assets = _bound(assets, USDC, 200_000 * USDC);
        usdc.mint(actor, assets);
        bool waits = _waits(backstop.backstopAccount(actor).entryPeriod);
        Part[] memory before = _parts();
        vm.prank(actor);
        try backstop.deposit(assets) {
            _count("deposit");
            _checkOthers(before, actor, 0);
        } catch (bytes memory answer) {
            if (waits) ledger.failed("deposit", answer);
            else _refused("deposit", answer);
        }
    }

    function requestExit(uint256 who, uint256 shares) external counted {
        address actor = _actor(who);
        _roll();
        shares = _bound(shares, 0, backstop.balanceOf(actor));
        if (shares == 0) return;
        bool waits = _waits(backstop.backstopAccount(actor).exitPeriod);
        Part[] memory before = _parts();
        vm.prank(actor);
        try backstop.requestExit(shares) {
            _count("requestExit");
            _checkOthers(before, actor, 0);
        } catch (bytes memory answer) {
            if (waits) ledger.failed("requestExit", answer);
            else _refused("requestExit", answer);
        }
    }

    /// @dev A share that moves takes nothing along.
    function transfer(uint256 who, uint256 to, uint256 shares) external counted {
        (address from, address receiver) = (_actor(who), _actor(to));
        _roll();
        shares = _bound(shares, 0, backstop.balanceOf(from));
        if (shares == 0) return;
        Part[] memory before = _parts();
        vm.prank(from);
        backstop.transfer(receiver, shares);
        _count("transfer");
        Part[] memory parts = _parts();
        for (uint256 i; i < parts.length; ++i) {
            bool moves = actors[i] == from || actors[i] == receiver;
            _check(moves || parts[i].stake == before[i].stake, K.K4);
            // what he earned, as if the shares had not moved
            parts[i].stake = before[i].stake;
            _check(_isUntouched(before[i], parts[i], 0), K.K4_TRANSFER);
        }
    }

    function claimAssets(uint256 who) external counted {
        address actor = _actor(who);
        _roll();
        uint256 shown = backstop.backstopAccount(actor).claimable;
        uint256 held = usdc.balanceOf(actor);
        Part[] memory before = _parts();
        vm.prank(actor);
        try backstop.claimAssets(actor) returns (uint256 assets) {
            if (assets != 0) _count("claimAssets");
            _check(assets == shown && usdc.balanceOf(actor) == held + assets, K.K4_CLAIM);
            _checkOthers(before, actor, 0);
        } catch (bytes memory answer) {
            _refused("claimAssets", answer);
        }
    }

    function claimCollateral(uint256 who, uint256 id) external counted {
        address actor = _actor(who);
        id = id % 2;
        _roll();
        SimToken token = SimToken(pool.collateralState(id).token);
        uint256 shown = backstop.collateralOf(actor, id);
        uint256 held = token.balanceOf(actor);
        Part[] memory before = _parts();
        vm.prank(actor);
        try backstop.claimCollateral(id, actor) returns (uint256 amount) {
            if (amount != 0) _count("claimCollateral");
            _check(amount == shown && token.balanceOf(actor) == held + amount, K.K4_CLAIM);
            _checkOthers(before, actor, 1);
        } catch (bytes memory answer) {
            _refused("claimCollateral", answer);
        }
    }

    /// @dev One request at a time: it waits for another period than one that is made now.
    function _waits(uint256 period) private view returns (bool) {
        return period != 0 && period != block.timestamp / backstop.periodSeconds() + 2;
    }
}
