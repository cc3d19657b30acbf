// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {Depositor, Batch, Crossing, Inventory, Totals} from "../../contracts/backstop/BackstopStorage.sol";
import {BackstopHarness} from "./BackstopHarness.sol";

/// @notice Random histories of the backstop's books, written to `cache/backstop-traces.txt` for `ledger.py`, which replays them
/// in rational arithmetic. `BACKSTOP_TRACES` is the number of histories, 200 by default.
/// @dev One in four histories is harsh: absorptions take all but a few units and deposits are large, so that shares are
/// rescaled again and again.
contract BackstopTracesTest is Test {
    string private constant FILE = "cache/backstop-traces.txt";
    uint256 private constant ACTORS = 5;
    uint256 private constant STEPS = 40;

    BackstopHarness private books;
    uint256 private random;
    uint256 private period;
    bool private harsh;
    uint256 private leftovers;

    function test_traces() public {
        uint256 histories = vm.envOr("BACKSTOP_TRACES", uint256(200));
        vm.writeFile(FILE, "");
        uint256 rescales;
        uint256 folds;
        vm.pauseGasMetering();
        for (uint256 i; i < histories; ++i) {
            // a call of its own, so that its memory is given back
            (uint256 inThis, uint256 foldsInThis) = this.history(i);
            rescales += inThis;
            folds += foldsInThis;
        }
        assertGt(folds, histories / 8, "leftovers that go to a new series are missing from the histories");
        assertGt(rescales, histories / 8, "rescalings are missing from the histories");
    }

    function history(uint256 seed) external returns (uint256, uint256) {
        leftovers = 0;
        vm.warp(1_700_000_000);
        random = uint256(keccak256(abi.encode("history", seed)));
        harsh = seed % 4 == 0;
        books = new BackstopHarness();
        period = books.totals().period;
        _log(string.concat("N ", vm.toString(seed)));
        for (uint256 i; i < STEPS; ++i) {
            _step();
        }
        for (uint256 i; i < ACTORS; ++i) {
            _final(i);
        }
        Totals memory t = books.totals();
        _log(_join("Z", t.assets, t.shares, books.inventory(0).amount, books.inventory(1).amount));
        return (books.rescales(), leftovers);
    }

    function _step() private {
        uint256 action = _next(20);
        uint256 actor = _next(ACTORS);
        if (action < 4) _deposit(actor);
        else if (action < 8) _pass();
        else if (action < 13) _absorb();
        else if (action < 15) _sell();
        else if (action == 15) _premium();
        else if (action == 16) _requestExit(actor);
        else if (action == 17) _move(actor);
        else if (action == 18) _claimCollateral(actor);
        else _claimAssets(actor);
    }

    function _deposit(uint256 actor) private {
        uint256 assets = 10_000 + _next(harsh ? 1e24 : 1e13);
        uint256 waiting = books.accountOf(_account(actor)).entryPeriod;
        if (waiting != 0 && waiting != period + 2) return;
        books.deposit(_account(actor), assets);
        _log(_join("D", actor, assets, period + 2));
    }

    function _pass() private {
        uint256 before = period;
        vm.warp(block.timestamp + 1 hours + _next(40 hours));
        books.roll();
        period = books.totals().period;
        for (uint256 p = before + 1; p <= before + 2 && p <= period; ++p) {
            Batch memory b = books.batch(p);
            if (b.entryAssets == 0 && b.exitShares == 0) continue;
            Crossing memory c = books.crossing(p);
            _log(
                string.concat(
                    _join("C", p, b.exitShares, c.exitAssets), _join("", b.entryAssets, c.entryShares, c.shift)
                )
            );
        }
        Totals memory t = books.totals();
        _log(_join("Q", t.assets, t.shares));
    }

    function _absorb() private {
        Totals memory t = books.totals();
        if (t.assets <= books.LEAST_LEFT()) return;
        uint256 room = t.assets - books.LEAST_LEFT();
        uint256 assets = harsh && _next(2) == 0 ? room : 1 + _next(room < 1e12 ? room : 1e12);
        if (assets > room) assets = room;
        // a base unit of debt is worth between 1 and 1e9 of collateral
        uint256 collateral = assets * (1 + _next(harsh ? 100 : 1e9)) + _next(5);
        uint256 id = _next(2);
        Inventory memory before = books.inventory(id);
        // less than 2^-20 of what the units stood for: 2^-16 base units each
        if (before.amount != 0 && uint256(before.amount) * 2 ** 36 < before.units) {
            ++leftovers;
            _log(_join("V", id));
        }
        books.absorb(id, assets, collateral);
        _log(_join("A", id, assets, collateral));
    }

    function _sell() private {
        uint256 id = _next(2);
        Inventory memory inventory = books.inventory(id);
        if (inventory.amount == 0) return;
        uint256 amount = 1 + _next(inventory.amount);
        uint256 how = _next(6);
        if (how < 2) amount = inventory.amount;
        // all but next to nothing
        else if (how < 4 && inventory.amount > 1e6) amount = inventory.amount - 1 - _next(inventory.amount / 1e6);
        // at most two a base unit: what a claim rounds off, a base unit, is no more when it is sold
        uint256 proceeds = amount / (1 + _next(1e9)) + _next(amount < 1e6 ? amount + 1 : 1e6);
        books.sell(id, amount, proceeds);
        _log(_join("S", id, amount, proceeds));
    }

    function _premium() private {
        if (books.totals().shares < 2e6) return;
        uint256 assets = 1 + _next(1e10);
        books.premium(assets);
        _log(_join("P", assets));
    }

    function _requestExit(uint256 actor) private {
        Depositor memory a = books.accountOf(_account(actor));
        if (a.shares == 0 || (a.exitPeriod != 0 && a.exitPeriod != period + 2)) return;
        uint256 shares = _next(2) == 0 ? a.shares : 1 + _next(a.shares);
        books.requestExit(_account(actor), shares);
        _log(_join("X", actor, shares, a.shares, period + 2));
    }

    function _move(uint256 actor) private {
        uint256 to = _next(ACTORS);
        uint256 free = books.accountOf(_account(actor)).shares;
        if (free == 0 || to == actor) return;
        uint256 shares = _next(2) == 0 ? free : 1 + _next(free);
        books.move(_account(actor), _account(to), shares);
        _log(_join("T", actor, to, shares, free));
    }

    function _claimCollateral(uint256 actor) private {
        uint256 id = _next(2);
        uint256 amount = books.claimCollateral(_account(actor), id);
        _log(_join("K", actor, id, amount));
    }

    function _claimAssets(uint256 actor) private {
        _log(_join("G", actor, books.claimAssets(_account(actor))));
    }

    function _final(uint256 actor) private {
        Depositor memory a = books.accountOf(_account(actor));
        _log(
            string.concat(
                _join("F", actor, a.shares, a.exitShares, a.owed),
                _join("", books.inKind(_account(actor), 0), books.inKind(_account(actor), 1))
            )
        );
    }

    function _account(uint256 actor) private pure returns (address) {
        return address(uint160(actor + 1));
    }

    function _next(uint256 limit) private returns (uint256) {
        random = uint256(keccak256(abi.encode(random)));
        return random % limit;
    }

    function _log(string memory line) private {
        vm.writeLine(FILE, line);
    }

    function _join(string memory kind, uint256 a) private pure returns (string memory) {
        return string.concat(kind, " ", vm.toString(a));
    }

    function _join(string memory kind, uint256 a, uint256 b) private pure returns (string memory) {
        return string.concat(_join(kind, a), " ", vm.toString(b));
    }

    function _join(string memory kind, uint256 a, uint256 b, uint256 c) private pure returns (string memory) {
        return string.concat(_join(kind, a, b), " ", vm.toString(c));
    }

    function _join(string memory kind, uint256 a, uint256 b, uint256 c, uint256 d)
        private
        pure
        returns (string memory)
    {
        return string.concat(_join(kind, a, b, c), " ", vm.toString(d));
    }
}
