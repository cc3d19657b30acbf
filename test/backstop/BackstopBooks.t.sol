// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {console} from "forge-std/console.sol";

import {Totals} from "../../contracts/backstop/BackstopStorage.sol";
import {BackstopHarness} from "./BackstopHarness.sol";

/// @notice Dust, order, series and rescalings on the books alone, where a test may do what no pool would grant.
contract BackstopBooksTest is Test {
    BackstopHarness private books;
    address private constant ALICE = address(1);
    address private constant BOB = address(2);

    function setUp() public {
        vm.warp(1_700_006_400);
        books = new BackstopHarness();
        books.deposit(ALICE, 3e12);
        books.deposit(BOB, 1e12);
        _next();
    }

    function _next() private {
        vm.warp(block.timestamp + 24 hours);
        books.roll();
    }

    /// Ten thousand absorptions of one unit for one unit, between updates of one of the depositors: what both can claim is short of
    /// what was taken by no more than 3 units an update and one each at the end.
    function test_attack_DustAbsorptionsDoNotRuinPrecision() public {
        vm.pauseGasMetering();
        for (uint256 i; i < 10_000; ++i) {
            books.absorb(0, 1, 1);
            if (i % 100 == 0) books.touch(BOB);
        }
        uint256 claims = books.inKind(ALICE, 0) + books.inKind(BOB, 0);
        console.log("dust: claims of 10,000", claims);
        assertGe(claims, 10_000 - 4);
        assertLe(claims, 10_000);
        assertApproxEqAbs(books.inKind(ALICE, 0), 7500, 2);
        assertApproxEqAbs(books.inKind(BOB, 0), 2500, 2);
    }

    /// Regression: after losses of 99.8%, in a backstop that is full, the least deposit that brings a rescaling does not pay for the
    /// locked shares. The start of its period reverted, and with it everything.
    function test_rescaling_ByADepositBelowTheLockedShares() public {
        books = new BackstopHarness();
        books.deposit(ALICE, 5e27);
        _next();
        books.absorb(0, 5e27 - 9e24, 1e20);
        // shares a base unit: 5e30 / 9e24
        uint256 shares = (1 << 112) - 5e30 - 1e9;
        books.deposit(BOB, shares * 9e24 / 5e30);
        _next();
        assertEq(books.rescales(), 0);
        books.deposit(BOB, 10_000);
        _next();
        assertEq(books.rescales(), 1);
        Totals memory totals = books.totals();
        assertLt(totals.lockedShares, 1e6);
        assertGt(totals.lockedShares, 10_000 * 4);
        // the next to come pay the rest
        uint256 owned = uint256(books.accountOf(ALICE).shares) + books.accountOf(BOB).shares;
        assertLe(owned + totals.lockedShares, totals.shares);
        books.deposit(BOB, 1e18);
        _next();
        assertEq(books.totals().lockedShares, 1e6);
    }

    /// Dust after an honest absorption moves nobody's part of it.
    function test_attack_DustDoesNotDiluteWhatWasTaken() public {
        vm.pauseGasMetering();
        books.absorb(0, 1e11, 1e20);
        uint256 before = books.inKind(ALICE, 0);
        for (uint256 i; i < 10_000; ++i) {
            books.absorb(0, 1, 1);
        }
        assertGe(books.inKind(ALICE, 0), before);
        assertLe(books.inKind(ALICE, 0), before + 10_000);
    }

    /// In whatever order: deposits are left the same to the unit, collateral within the rounding of two absorptions.
    function testFuzz_order_OfAbsorptionsDoesNotMatter(
        uint256[4] memory assets,
        uint256[4] memory collaterals,
        uint256 seed
    ) public {
        for (uint256 i; i < 4; ++i) {
            assets[i] = bound(assets[i], 1, 9e11);
            // a unit of debt is worth the same of collateral in all four, as within one price
            collaterals[i] = assets[i] * 5e8;
        }
        uint256 snapshot = vm.snapshotState();
        for (uint256 i; i < 4; ++i) {
            books.absorb(0, assets[i], collaterals[i]);
        }
        (uint256 left, uint256 aliceHas, uint256 bobHas) = _read();
        vm.revertToState(snapshot);
        for (uint256 i; i < 4; ++i) {
            uint256 k = (i + seed % 4) % 4;
            if (seed % 2 == 0) k = 3 - k;
            books.absorb(0, assets[k], collaterals[k]);
        }
        (uint256 left2, uint256 aliceHas2, uint256 bobHas2) = _read();
        assertEq(left, left2);
        assertApproxEqAbs(aliceHas, aliceHas2, 2);
        assertApproxEqAbs(bobHas, bobHas2, 2);
    }

    /// Who enters after a part was sold has their part of what is taken then, and none of what was there before: a unit of the stock is
    /// less than it was.
    function test_absorb_AfterASaleIsWhoeversDepositsPaidForIt() public {
        address carol = address(3);
        books.absorb(0, 1e11, 1000e9);
        books.sell(0, 600e9, 1e11);
        books.deposit(carol, 2e12);
        _next();
        books.absorb(0, 1e11, 400e9);
        (uint256 shares, uint256 all) = (books.accountOf(carol).shares, books.totals().shares);
        assertGt(shares * 4, all);
        assertApproxEqAbs(books.inKind(carol, 0), 400e9 * shares / all, 2);
        uint256 others = 400e9 * (all - shares) / all;
        assertApproxEqAbs(books.inKind(ALICE, 0), (400e9 + others) * 3 / 4, 1000);
    }

    /// Sold out, taken anew and sold in part: each sale pays those whose it was. Three quarters of 800 and of 50, and of the 400
    /// that are left; the same for whoever was brought up to date between and for whoever was not.
    function test_series_PayWhatTheySold() public {
        books.absorb(0, 1e12, 1000e9);
        books.touch(BOB);
        books.sell(0, 1000e9, 800e9);
        books.absorb(0, 1e12, 500e9);
        books.sell(0, 100e9, 50e9);
        uint256[3] memory alices = _of(ALICE);
        uint256[3] memory bobs = _of(BOB);
        // the locked shares own a millionth of a 4,000th
        assertApproxEqRel(alices[1], 300e9, 1e10);
        assertApproxEqRel(bobs[1], 100e9, 1e10);
        assertApproxEqRel(alices[2], 637.5e9, 1e10);
        assertApproxEqRel(bobs[2], 212.5e9, 1e10);
    }

    /// All but 1,000 units are lost while 1e27 wait to enter, so that S would pass 2^112 by 2^19: shares are rescaled by 2^32. Bob
    /// waits to leave with half a period later, and leaves with an eighth of what is left; the rest stays as it was, and so does
    /// what was taken before.
    function test_rescaling_KeepsWhatEveryoneHas() public {
        address carol = address(3);
        books.deposit(carol, 1e27);
        vm.warp(block.timestamp + 12 hours);
        books.absorb(0, 4e12 - 1000, 4e20);
        uint256 alices = books.inKind(ALICE, 0);
        books.requestExit(BOB, books.accountOf(BOB).shares / 2);
        vm.warp(block.timestamp + 12 hours);
        books.roll();
        assertEq(books.rescales(), 1);
        assertApproxEqAbs(_of(ALICE)[0], 750, 1);
        assertApproxEqRel(_of(carol)[0], 1e27, 1e10);
        books.premium(1e20);
        vm.warp(block.timestamp + 12 hours);
        books.roll();
        assertEq(books.accountOf(BOB).exitShares, 0);
        assertApproxEqAbs(_of(BOB)[2], 125, 1);
        assertApproxEqAbs(_of(BOB)[0], 125, 1);
        assertEq(books.inKind(ALICE, 0), alices);
        assertApproxEqRel(books.inKind(BOB, 0), 1e20, 1e12);
        assertApproxEqRel(_of(carol)[2], 1e20, 1e10);
        // a second one on top
        books.deposit(carol, 1e27);
        books.absorb(1, books.totals().assets - 1000, 1e10);
        vm.warp(block.timestamp + 24 hours);
        books.roll();
        assertEq(books.rescales(), 2);
        assertEq(_of(ALICE)[0], 0);
        assertEq(books.inKind(ALICE, 0), alices);
        books.touch(ALICE);
        assertEq(books.accountOf(ALICE).rescales, 2);
    }

    /// In two collaterals, and with sales between: neither an entry, an exit, a transfer nor a claim of another moves what one has.
    function testFuzz_othersDoNotMoveWhatOneHas(uint256 amount, uint8 action) public {
        amount = bound(amount, 10_000, 5e11);
        books.absorb(0, 2e12, 1e18);
        books.absorb(1, 1e12, 1e8);
        books.sell(0, 3e17, 9e11);
        books.deposit(address(3), amount);
        books.requestExit(BOB, 1e14);
        uint256[3] memory before = _of(ALICE);
        if (action % 4 == 0) {
            _next(); // entry and exit
        } else if (action % 4 == 1) {
            books.claimCollateral(BOB, 0);
        } else if (action % 4 == 2) {
            books.claimAssets(BOB);
        } else {
            books.move(BOB, address(4), 1e14);
        }
        uint256[3] memory afterwards = _of(ALICE);
        for (uint256 i; i < 3; ++i) {
            assertApproxEqAbs(afterwards[i], before[i], 1);
        }
        assertEq(books.accountOf(ALICE).shares, 3e15 - 75e4);
    }

    function _of(address account) private view returns (uint256[3] memory has) {
        has[0] = uint256(books.accountOf(account).shares) * books.totals().assets / books.totals().shares;
        has[1] = books.inKind(account, 0);
        has[2] = books.accountOf(account).owed;
    }

    function _read() private view returns (uint256 left, uint256 aliceHas, uint256 bobHas) {
        return (books.totals().assets, books.inKind(ALICE, 0), books.inKind(BOB, 0));
    }
}
