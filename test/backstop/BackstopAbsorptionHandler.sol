// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Vm} from "forge-std/Vm.sol";

import {AbsorptionResult, IBackstopPoolEvents} from "../../contracts/interfaces/IBackstopPool.sol";
import {MarketState} from "../../contracts/interfaces/ILendingPool.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice A keeper who flags, absorbs and settles, with money of his own (K5).
abstract contract BackstopAbsorptionHandler is BackstopHandlerBase {
    /// @dev What was so before.
    struct Before {
        Part[] parts;
        uint256 assets;
        uint256[2] inventory;
        uint256[2] rewards;
        uint256 cash;
        MarketState market;
        bytes32 buckets;
        // of who is settled
        uint256[2] owned;
        // what is left of a stock goes to the owners of the next if it is less than 2^-20 of what was taken
        bool[2] leftOver;
    }

    constructor() {
        usdc.approve(address(backstop), type(uint256).max);
        ledger.declare("flag", 34);
        ledger.declare("absorb", 17);
        ledger.declare("settle", 34);
        ledger.declare("to the minimum", 0);
        ledger.declare("paid by the caller", 0);
    }

    /// @dev Starts the auction: only an hour later or so a backstop would be paid more than it may be.
    function flag(uint256 who, uint256 id) external counted {
        for (uint256 i; i < 2 * actors.length; ++i) {
            try pool.flag(_actor(who % actors.length + i / 2), (id % 2 + i) % 2) {
                ledger.succeeded("flag");
                return;
            } catch (bytes memory answer) {
                ledger.failed("flag", answer);
            }
        }
    }

    /// @dev One in two after a fall that makes somebody unhealthy.
    function absorb(uint256 who, uint256 id, uint256 fall) external counted {
        id = id % 2;
        _roll();
        if (fall % 2 == 0) _movePrice(id, _bound(fall, 850, 990));
        Before memory before = _before();
        for (uint256 i; i < 2 * actors.length; ++i) {
            uint256 one = (id + i) % 2;
            try backstop.absorb(_actor(who % actors.length + i / 2), one) returns (AbsorptionResult memory result) {
                _count("absorb");
                _checkAbsorption(one, before, result);
                return;
            } catch (bytes memory answer) {
                ledger.failed("absorb", answer);
            }
        }
    }

    /// @dev One in two after a fall that makes somebody insolvent.
    function settle(uint256 who, uint256 fall) external counted {
        _roll();
        if (fall % 2 == 0) _movePrice(who % 2, _bound(fall, 500, 800));
        usdc.mint(address(this), 1e6 * USDC);
        Before memory before = _before();
        for (uint256 i; i < actors.length; ++i) {
            address account = _actor(who % actors.length + i);
            before.owned = [pool.collateralOf(account, 0), pool.collateralOf(account, 1)];
            vm.recordLogs();
            try backstop.settle(account) returns (uint256 repaid, uint256 writtenOff) {
                _count("settle");
                _checkWaterfall(before, account, repaid, writtenOff);
                return;
            } catch (bytes memory answer) {
                ledger.failed("settle", answer);
            }
        }
    }

    function _before() private view returns (Before memory before) {
        before.parts = _parts();
        before.assets = backstop.backstopState().assets;
        before.cash = usdc.balanceOf(address(this));
        before.market = pool.marketState();
        before.buckets = _buckets();
        for (uint256 id; id < 2; ++id) {
            (uint256 amount, uint256 units) = backstop.inventoryOf(id);
            (before.inventory[id], before.rewards[id]) = (amount, _held(id));
            before.leftOver[id] = amount << 36 < units;
        }
    }

    /// @dev Values are those of whole base units: up to a unit of each off.
    function _checkAbsorption(uint256 id, Before memory before, AbsorptionResult memory result) private {
        uint256 price = _fast(id);
        uint256 worth = (result.kept + result.reward) * price / 1e36;
        _check(worth * 100 <= (result.repaid + 1) * 102 + 100, K.K5_BONUS);
        _check(worth + price / 1e36 + 1 >= result.repaid, K.K5_COST);
        uint256 discount = FixedPointMathLib.zeroFloorSub(worth, result.repaid);
        _check(result.reward * price / 1e36 * 10 <= discount + 10, K.K5_REWARD);

        uint256 assets = backstop.backstopState().assets;
        (uint256 inventory,) = backstop.inventoryOf(id);
        _check(assets + result.repaid == before.assets, K.K5_BOOKS);
        _check(inventory == before.inventory[id] + result.kept, K.K5_BOOKS);
        _check(_held(id) == before.rewards[id] + result.reward, K.K5_BOOKS);
        _check(_buckets() == before.buckets, K.K5_BUCKET);
        _checkTaken(before, assets);
    }

    /// @dev Backstop and caller pay all of it, reserves and lenders bear the rest, and each what the event says. There is no stipend here.
    function _checkWaterfall(Before memory before, address account, uint256 repaid, uint256 writtenOff) private {
        (uint256 fromBackstop, uint256 fromCaller, uint256 fromReserves, uint256 fromLenders) = _told();
        if (fromCaller != 0) ledger.succeeded("paid by the caller");
        uint256 assets = backstop.backstopState().assets;
        MarketState memory market = pool.marketState();
        _check(fromBackstop + fromCaller == repaid && fromReserves + fromLenders == writtenOff, K.K5_WATERFALL);
        _check(assets + fromBackstop == before.assets, K.K5_WATERFALL);
        _check(usdc.balanceOf(address(this)) + fromCaller == before.cash, K.K5_WATERFALL);
        _check(market.lenderAssets + fromLenders == before.market.lenderAssets, K.K5_WATERFALL);
        _check(market.reserves + fromReserves == before.market.reserves, K.K5_WATERFALL);
        _checkDivided(before, account, repaid, fromBackstop);
        _checkTaken(before, assets);
    }

    /// @dev All that the account gave is the backstop's or the caller's, and the backstop's part of it is that which it paid, less a tenth
    /// of the discount on it. Values are rounded down: up to a unit of each collateral off.
    function _checkDivided(Before memory before, address account, uint256 repaid, uint256 fromBackstop) private {
        uint256 value;
        uint256 kept;
        for (uint256 id; id < 2; ++id) {
            uint256 taken = before.owned[id] - pool.collateralOf(account, id);
            uint256 stocked = _stocked(before, id);
            _check(stocked + _held(id) == taken + before.rewards[id], K.K5_DIVIDED);
            value += taken * _fast(id) / 1e36;
            kept += stocked * _fast(id) / 1e36;
        }
        _check((kept + 2) * repaid * 10 >= fromBackstop * (9 * value + repaid), K.K5_DIVIDED);
    }

    function _stocked(Before memory before, uint256 id) private view returns (uint256) {
        (uint256 inventory,) = backstop.inventoryOf(id);
        return FixedPointMathLib.zeroFloorSub(inventory, before.inventory[id]);
    }

    function _checkTaken(Before memory before, uint256 assets) private {
        // exits may have left less than the minimum before
        _check(assets == before.assets || assets >= backstop.MINIMUM_LEFT(), K.K5_MINIMUM);
        if (assets != before.assets && assets == backstop.MINIMUM_LEFT()) ledger.succeeded("to the minimum");
        _checkKept(before);
    }

    /// @dev K4: what was taken is everybody's by his shares, but for a unit of what he had, one of what he has, and two of 2^-16 base
    /// units or more.
    function _checkKept(Before memory before) private {
        uint256 shares = backstop.backstopState().shares;
        Part[] memory parts = _parts();
        for (uint256 i; i < parts.length; ++i) {
            Part memory had = before.parts[i];
            for (uint256 id; id < 2; ++id) {
                uint256 given = _stocked(before, id);
                bool anew = before.leftOver[id] && given != 0;
                if (anew) given += before.inventory[id];
                uint256 due = (anew ? 0 : had.collateral[id]) + given * had.earning / shares;
                _check(parts[i].collateral[id] + 4 >= due && parts[i].collateral[id] <= due + 4, K.K4_KEPT);
                had.collateral[id] = parts[i].collateral[id];
            }
            _check(_isUntouched(had, parts[i], 0), K.K4);
        }
    }

    function _told() private returns (uint256, uint256, uint256, uint256) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(backstop)) continue;
            if (logs[i].topics[0] != IBackstopPoolEvents.WaterfallSettled.selector) continue;
            return abi.decode(logs[i].data, (uint256, uint256, uint256, uint256));
        }
        _check(false, K.K5_WATERFALL);
    }

    function _held(uint256 id) private view returns (uint256) {
        return SimToken(pool.collateralState(id).token).balanceOf(address(this));
    }

    function _buckets() private view returns (bytes32) {
        DampedPolicy policy = DampedPolicy(pool.policy());
        return keccak256(abi.encode(policy.storedBucket(address(pool), 0), policy.storedBucket(address(pool), 1)));
    }
}
