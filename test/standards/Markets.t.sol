// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice That the markets of `StandardsFixture` are the ones that it says: rules that hold in one kind of market alone would
/// be shown for no other.
contract MarketsTest is StandardsFixture {
    uint256 private constant SEEDS = 256;

    /// Losses are of any part of the debt, not nearly always of all of it.
    function test_anyMarket_SpreadsLosses() public {
        uint256[4] memory quarters;
        (uint256 losses, uint256 heavy, uint256 whole) = (0, 0, 0);
        uint256 begun = vm.snapshotState();
        for (uint256 i; i < SEEDS; ++i) {
            _anyMarket(uint256(keccak256(abi.encode(i))));
            uint256 share = lostShare;
            vm.revertToState(begun);
            if (share == 0) continue;
            assertGt(share, 0.05e18);
            assertLe(share, WAD);
            ++losses;
            ++quarters[share == WAD ? 3 : share * 4 / WAD];
            if (share > 0.9e18) ++heavy;
            if (share == WAD) ++whole;
        }
        assertGt(losses, SEEDS / 3);
        for (uint256 i; i < 4; ++i) {
            assertGt(quarters[i], losses / 10, "a quarter of the range is hardly met");
        }
        assertGt(heavy, losses / 10);
        assertGt(whole, losses / 20);
        assertLt(whole, losses / 4);
    }

    /// Of the seeds that forge likes, small numbers, some are markets that lend on after a loss, and are open to deposits.
    function test_anyMarket_LendsOnAfterALoss() public {
        uint256 accruing;
        uint256 open;
        uint256 begun = vm.snapshotState();
        for (uint256 i; i < SEEDS; ++i) {
            _anyMarket(i);
            // a small seed lets no time pass before its loss
            bool lent = pool.debtOf(borrower) != 0 && vm.getBlockTimestamp() > 1_700_000_000;
            if (lent) ++accruing;
            if (lent && pool.maxDeposit(keeper) != 0) ++open;
            vm.revertToState(begun);
        }
        assertGt(accruing, SEEDS / 8);
        assertGt(open, SEEDS / 16);
    }
}
