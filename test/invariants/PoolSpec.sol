// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The pool's properties, in words
/// @notice Those of protocol.md §9 that are the pool's, with the identifiers that invariants and handlers name in their
/// messages. README.md lists every property and who checks it.
///
/// After every call:
/// - P1a  cash + total debt covers what lenders are owed, and `reserves` is exactly the rest.
/// - P1b  For every collateral the pool holds at least its total, and the total is the sum over accounts.
/// - P1c  Shares in existence are the sum over holders; debt shares the sum over borrowers.
/// - P1d  The sum of what borrowers owe is at least the total debt, and exceeds it by at most a unit a borrower. There is debt
///        exactly while there are debt shares.
/// - P1e  The bit of a collateral is set exactly while its amount is not 0, and debt without any collateral does not exist.
/// - P9   A mirror fed only with events equals every view.
///
/// For single calls:
/// - P2   A liquidation hands over collateral worth at most (repaid + 1) (1 + bmax).
/// - P3   If C >= D B, a liquidation does not raise the loan-to-value (but for two units of rounding).
/// - P4   Nobody with a health factor of 1 or more is liquidated, flagged or settled; who is insolvent can be settled.
/// - P5   Repaying, and topping up what a debtor holds, never revert, whatever breaker, oracle, policy and guardian say.
/// - P7   A share's worth, (assets + 1) / (shares + 1000), falls only in a call that writes off bad debt.
/// - P10  `max*` can be executed: deposit, mint, withdraw and redeem of it never revert.
/// - P11  Who borrows or withdraws collateral is within the borrow limit afterwards, and holds nothing else above its cap.
/// - P12  A flash loan returns the pool to exactly what it was.
/// - P13  Taking reserves leaves what lenders are owed unchanged.
///
/// Of whole systems, with the identifiers of `crates/fuzz`:
/// - A1   Nobody acts for another without permission, nor is refused with it.
/// - C2   A share is worth in a callback at least what it was before, and at most what it is after.
/// - D1   In the hard zone neither turn, bucket, slice, pause nor second price refuses a liquidation, or leaves it short of the target.
/// - D2   A liquidation does exactly what the policy granted when it was asked, and refuses for its reason.
/// - D3   A damped liquidation lowers the loan-to-value.
/// - D4   A damped liquidation leaves a health factor of at most the target, but for rounding and dust.
/// - D5   A damped liquidation leaves the bucket its reserve, but for dust.
/// - D6   The hard zone does not charge the bucket.
/// - D7   Whoever waits gets a turn within eight epochs.
/// - C1   Within a callback nobody is liquidated, flagged or settled, and there is no flash loan.
/// - A2   What is the owner's is done through the timelock after its delay, or not at all.
/// - O1   The fast price is the feeds' answer exactly while they are fresh and within their bounds.
/// - O2   A jump is not `Ok` until it is confirmed.
/// - O3   The slow price lies between the least and the most that was in force within three windows.
/// - B1   What trips by itself ends by itself.
/// - V1   No view reverts.
///
/// Those of which mutants have the numbers of section 9 (9.6, 9.7) or none:
/// P6         A call in two halves gains no more than the whole, but for rounding.
/// inflation  Who raises a share's worth leaves what 1,000 shares are worth; a deposit loses what one is worth at most.
/// loss       No more is written off than what a position was short by, and lenders bear what reserves do not.
library PoolSpec {
    string internal constant P1A = "P1a: lenders are not covered";
    string internal constant P1A_REST = "P1a: reserves are not the rest";
    string internal constant P1B_HELD = "P1b: collateral missing";
    string internal constant P1B_SUM = "P1b: total is not the sum";
    string internal constant P1C_SUPPLY = "P1c: shares are not the sum";
    string internal constant P1C_DEBT = "P1c: debt shares are not the sum";
    string internal constant P1D = "P1d: debts do not add up";
    string internal constant P1E = "P1e: bitmap and amounts differ";
    string internal constant P1E_DEBT = "P1e: debt without collateral";
    string internal constant P2 = "P2: seized too much";
    string internal constant P3 = "P3: a liquidation raised the LTV";
    string internal constant P4 = "P4: a healthy account was touched";
    string internal constant P4_SETTLE = "P4: an insolvent account could not be settled";
    string internal constant P5 = "P5: a repayment or top-up was blocked";
    string internal constant P6 = "P6: halves gained more than the whole";
    string internal constant P7 = "P7: a share's worth fell";
    string internal constant P9 = "P9: the mirror differs";
    string internal constant P10 = "P10: max* could not be executed";
    string internal constant P11 = "P11: beyond the borrow limit";
    string internal constant P11_CAP = "P11: risk on a collateral above its cap";
    string internal constant P12 = "P12: a flash loan changed the pool";
    string internal constant P13 = "P13: reserves came from lenders";
    string internal constant A1 = "A1: permission given and permission taken differ";
    string internal constant A2 = "A2: a stranger did what is an owner's";
    string internal constant B1 = "B1: the breaker did not let go";
    string internal constant C1 = "C1: a callback liquidated, flagged, settled or took a flash loan";
    string internal constant C2 = "C2: a callback saw another worth of a share";
    string internal constant D1 = "D1: the hard zone was held back";
    string internal constant D2 = "D2: not what the policy granted";
    string internal constant D3 = "D3: a damped liquidation did not lower the LTV";
    string internal constant D4 = "D4: beyond the target health";
    string internal constant D5 = "D5: the bucket's reserve was taken";
    string internal constant D6 = "D6: the hard zone charged the bucket";
    string internal constant D7 = "D7: a turn did not come";
    string internal constant O1 = "O1: the fast price is not the feed's";
    string internal constant O2 = "O2: a jump was not confirmed";
    string internal constant O3 = "O3: the slow price is outside its window";
    string internal constant V1 = "V1: a view reverted";
    string internal constant INFLATION = "inflation: a share's worth was raised for less than 1,000 shares are worth";
    string internal constant INFLATION_CALL = "inflation: a call gained more than a deposit rounds off";
    string internal constant INFLATION_DEPOSIT = "inflation: a deposit lost more than a share's worth";
    string internal constant LOSS = "loss: more was written off than a position was short by";
}
