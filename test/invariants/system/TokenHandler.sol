// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ILendingPoolCore} from "../../../contracts/interfaces/ILendingPool.sol";
import {PoolBadToken} from "../../mocks/PoolBadToken.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {ReentrantActor} from "./ReentrantActor.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Tokens that misbehave, that tell of transfers, and that are given away.
contract TokenHandler is SystemHandler {
    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("spoil token", 60);
        ledger.declare("move bad token", 10);
        ledger.declare("hook", 60);
        ledger.declare("donate", 60);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.spoil.selector, this.moveBadToken.selector);
        (list[2], list[3]) = (this.hook.selector, this.donate.selector);
    }

    /// @dev Honest one time in two.
    function spoil(uint256 a, uint256, uint256) external counted {
        PoolBadToken(world.tokens(world.BAD())).setKind(PoolBadToken.Kind(a % 2 == 0 ? 0 : (a >> 8) % 4));
        ledger.succeeded("spoil token");
    }

    /// @dev In and, as far as it may, out again.
    function moveBadToken(uint256 a, uint256 b, uint256 c) external counted {
        (uint256 p, address account) = (a % 3, world.account(a % 3, a / 3));
        uint256 amount = _bound(b, 1, world.dollars(world.BAD(), 1000));
        if (c % 2 == 0) {
            world.mint(world.BAD(), account, amount);
            bytes memory data = abi.encodeCall(ILendingPoolCore.supplyCollateral, (2, amount, account, ""));
            _attempt("move bad token", p, account, data);
            return;
        }
        uint256 held = _pool(p).collateralOf(account, 2);
        if (held == 0) return;
        bytes memory out = abi.encodeCall(ILendingPoolCore.withdrawCollateral, (2, held, account, account));
        _attempt("move bad token", p, account, out);
    }

    function hook(uint256 a, uint256 b, uint256 c) external counted {
        ReentrantActor actor = world.contracts(a % 3);
        actor.register(world.tokens(b % 3), c % 2 == 0);
        ledger.succeeded("hook");
    }

    function donate(uint256 a, uint256 b, uint256 c) external counted {
        uint256 token = c % 4;
        world.mint(token, address(_pool(a % 3)), _bound(b, 0, world.dollars(token, 1000)));
        books.learn(a % 3, true);
        ledger.succeeded("donate");
    }
}
