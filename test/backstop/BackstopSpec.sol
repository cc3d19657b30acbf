// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The backstop's properties, in words
/// @notice With the numbers of `crates/fuzz`, which are not those of `test/mutants`; test/invariants/README.md has both and who checks what.
///
/// After every call:
/// - K1  The backstop holds what depositors have, wait with and may claim, and no more than dust beside it.
/// - K2  Its inventory is what it holds of each collateral, and the parts of it add up but for dust.
/// - K3  Shares, entries and exits add up, and no share is worth more than at first, but for rounding.
///
/// For single calls:
/// - K4  Nobody's part moves by another's deposit, exit, transfer or claim, nor his shares by anything else; what is
///       taken, sold or given is everybody's by what he has.
/// - K5  An absorption pays at most 2%, never less than it costs, charges no bucket and leaves the minimum; a waterfall adds up,
///       and what it brings goes to who paid.
/// - K6  Deposits, exits, claims and the start of a period are refused by nothing.
/// - K7  Inventory is sold only at an `Ok` price that is not falling, with the venue there, for 99% of it at least, no more than was
///       asked for and was released.
/// - K8  A premium is at most its share of what reserves grew by, from reserves alone, to depositors alone.
library BackstopSpec {
    string internal constant K1 = "K1: claims exceed what is held";
    string internal constant K1_DUST = "K1: more than dust is unclaimed";
    string internal constant K2_HELD = "K2: inventory is not what is held";
    string internal constant K2_UNITS = "K2: units without stock, or a unit worth more than a base unit";
    string internal constant K2_CLAIMS = "K2: claims exceed the inventory";
    string internal constant K2_DUST = "K2: more than dust of the inventory is unclaimed";
    string internal constant K3_SHARES = "K3: shares are not the sum";
    string internal constant K3_QUEUES = "K3: entries or exits are not the sum";
    string internal constant K3_WORTH = "K3: a share is worth more than at first";
    string internal constant K4 = "K4: what one has was moved by what another did";
    string internal constant K4_START = "K4: the start of a period moved what a share is worth, or who does not wait";
    string internal constant K4_KEPT = "K4: what was taken is not everybody's by his shares";
    string internal constant K4_SALE = "K4: a sale paid another part than it took";
    string internal constant K4_TRANSFER = "K4: a transfer moved what was earned";
    string internal constant K4_CLAIM = "K4: a claim paid something else than it showed";
    string internal constant K5_BONUS = "K5: more than 2% was paid";
    string internal constant K5_COST = "K5: what was taken is worth less than it cost";
    string internal constant K5_REWARD = "K5: the caller got more than a tenth of the discount";
    string internal constant K5_BOOKS = "K5: the books are not what was taken and paid";
    string internal constant K5_MINIMUM = "K5: the minimum was spent";
    string internal constant K5_BUCKET = "K5: an absorption charged a bucket";
    string internal constant K5_WATERFALL = "K5: a waterfall does not add up";
    string internal constant K5_DIVIDED = "K5: a settlement's collateral is not divided by what each paid";
    string internal constant K6 = "K6: a deposit, an exit, a claim or a period was refused";
    string internal constant K7_CLOSED = "K7: a sale at a price that is falling, not Ok, or without the venue";
    string internal constant K7_PRICE = "K7: sold for less than 99%";
    string internal constant K7_AMOUNT = "K7: more was sold than asked for or in stock";
    string internal constant K7_RELEASE = "K7: more was sold than released";
    string internal constant K8_SHARE = "K8: a premium of more than its share of what reserves grew by";
    string internal constant K8_RESERVES = "K8: a premium was not paid by reserves alone";
    string internal constant K8_DEPOSITORS = "K8: a premium did not go to depositors alone";
}
