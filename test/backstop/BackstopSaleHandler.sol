// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {Prices, PriceStatus} from "../../contracts/types/Price.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice Buyers of the inventory (K7).
abstract contract BackstopSaleHandler is BackstopHandlerBase {
    /// @dev What may have been released and not sold, at least what the backstop has for it, and as of when.
    uint256[2] private released;
    uint256[2] private releasedAt;

    constructor() {
        ledger.declare("buy", 80);
    }

    /// @dev One in four when the price may be bad, one in two twice in a block.
    function buy(uint256 who, uint256 id, uint256 amount) external counted {
        address actor = _actor(who);
        id = id % 2;
        _roll();
        backstop.observe(id);
        _release(id);
        vm.warp(block.timestamp + 12 + amount % 600);
        _roll();
        if (amount % 4 == 0) _disturb(id, uint256(keccak256(abi.encode(amount))));
        amount = _bound(amount, 1, type(uint112).max);
        usdc.mint(actor, 2e7 * USDC);
        _buy(actor, id, amount);
        if (who % 2 == 0) _buy(actor, id, amount);
    }

    function _buy(address actor, uint256 id, uint256 amount) private {
        Prices memory prices = oracles[id].peek();
        bool open =
            prices.status == PriceStatus.Ok && prices.fast >= prices.slow && prices.confirm * 1000 >= prices.fast * 995;
        (uint256 stock,) = backstop.inventoryOf(id);
        Part[] memory before = _parts();
        vm.prank(actor);
        try backstop.buy(id, amount, 1e7 * USDC, actor) returns (uint256 bought, uint256 paid) {
            _count("buy");
            gains += paid;
            _check(open, K.K7_CLOSED);
            _check(bought <= amount && bought <= stock, K.K7_AMOUNT);
            uint256 worth = FixedPointMathLib.fullMulDivUp(bought, prices.fast, 1e36);
            _check(paid * 100 >= (worth - 1) * 99, K.K7_PRICE);
            _release(id);
            _check(worth <= released[id], K.K7_RELEASE);
            released[id] = FixedPointMathLib.zeroFloorSub(released[id], worth);
            _checkSold(before, id, stock, bought, paid);
        } catch (bytes memory answer) {
            ledger.failed("buy", answer);
        }
    }

    /// @dev K4: who had a part of the stock is paid that part, and his is less by as much, but for the fraction of a unit that is not
    /// seen of it and a unit of each sum that is counted.
    function _checkSold(Part[] memory before, uint256 id, uint256 stock, uint256 bought, uint256 paid) private {
        Part[] memory parts = _parts();
        for (uint256 i; i < parts.length; ++i) {
            (uint256 had, uint256 has) = (before[i].collateral[id], parts[i].collateral[id]);
            uint256 left = stock - bought;
            _check(has >= had * left / stock && has <= (had + 1) * left / stock, K.K4_SALE);
            uint256 gain = FixedPointMathLib.zeroFloorSub(parts[i].claimable, before[i].claimable);
            _check(gain + 3 >= paid * had / stock && gain <= paid * (had + 1) / stock + 3, K.K4_SALE);
            (before[i].claimable, before[i].collateral[id]) = (parts[i].claimable, has);
            _check(_isUntouched(before[i], parts[i], 0), K.K4);
        }
    }

    /// @dev In 12 seconds 0.994% of the depth, which is the default, and no more than that at once.
    function _release(uint256 id) private {
        uint256 most = oracles[id].depth() * 994 / 100_000;
        uint256 elapsed = FixedPointMathLib.min(block.timestamp - releasedAt[id], 12);
        released[id] = FixedPointMathLib.min(most, released[id] + most * elapsed / 12);
        releasedAt[id] = block.timestamp;
    }
}
