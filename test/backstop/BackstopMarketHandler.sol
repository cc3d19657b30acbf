// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SimToken} from "../mocks/SimToken.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";

/// @notice Borrowers, prices, venues, the breaker and time.
abstract contract BackstopMarketHandler is BackstopHandlerBase {
    constructor() {
        ledger.declare("borrow", 100);
        ledger.declare("price", 100);
        ledger.declare("disturb", 100);
        ledger.declare("pass", 100);
    }

    function borrow(uint256 who, uint256 id, uint256 amount) external counted {
        address actor = _actor(who);
        id = id % 2;
        amount = id == 0 ? _bound(amount, 0.1 ether, 100 ether) : _bound(amount, 1e6, 5e8);
        SimToken(pool.collateralState(id).token).mint(actor, amount);
        // at the prices that are, but good ones
        _movePrice(0, 1000);
        _movePrice(1, 1000);
        vm.startPrank(actor);
        pool.supplyCollateral(id, amount, actor, "");
        uint256 limit = pool.accountHealth(actor).borrowLimit;
        uint256 debt = pool.accountHealth(actor).debt;
        // two units for what is owed being rounded up
        if (limit > debt + 2) {
            try pool.borrow(limit - debt - 2, actor, actor) {
                _count("borrow");
            } catch (bytes memory answer) {
                ledger.failed("borrow", answer);
            }
        }
        vm.stopPrank();
    }

    function movePrice(uint256 id, uint256 permille) external counted {
        _movePrice(id % 2, _bound(permille, 650, 1250));
        ledger.succeeded("price");
    }

    function disturb(uint256 id, uint256 what) external counted {
        _disturb(id % 2, what);
        ledger.succeeded("disturb");
    }

    function pass(uint256 time) external counted {
        vm.warp(block.timestamp + _bound(time, 1, 1 days));
        _roll();
        ledger.succeeded("pass");
    }
}
