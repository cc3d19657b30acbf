//! Fee arithmetic. All amounts are wei per gas.

use crate::Order;

/// The two fees of an EIP-1559 transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fees {
    pub max_fee: u128,
    pub priority: u128,
}

/// One step up: an eighth more (12.5%), rounded up, at least one wei. Nodes ask for 10% on both fees and for strictly more.
pub(crate) const fn step(fee: u128) -> u128 {
    let eighth = fee.div_ceil(8);
    fee.saturating_add(if eighth == 0 { 1 } else { eighth })
}

/// Enough for the next block, whose base fee is known, and for the one after it, whose base fee is an eighth more at most (EIP-1559),
/// with the whole tip: a transaction that comes too late for the one is in the other without being replaced.
const fn two_blocks(next_base_fee: u128, priority: u128) -> u128 {
    step(next_base_fee).saturating_add(priority)
}

impl Fees {
    /// Fees of an order's first transaction: what the order says, raised as far as its ceiling allows if that would not pay the
    /// next block's base fee. `None` while even the ceiling does not pay it.
    pub fn first(order: &Order, next_base_fee: u128) -> Option<Self> {
        let priority = order.max_priority_fee_per_gas;
        Self {
            max_fee: order.max_fee_per_gas,
            priority,
        }
        .raised(next_base_fee, order.max_fee_ceiling)
    }

    /// These fees, raised if they do not pay the next block's base fee. `None` if the ceiling does not pay it.
    pub fn raised(self, next_base_fee: u128, ceiling: u128) -> Option<Self> {
        let max_fee = if self.max_fee < next_base_fee {
            two_blocks(next_base_fee, self.priority).min(ceiling)
        } else {
            self.max_fee
        };
        (max_fee >= next_base_fee && max_fee <= ceiling).then_some(Self {
            max_fee,
            priority: self.priority.min(max_fee),
        })
    }

    /// Fees of what replaces a transaction with these: one step up on both, and enough for the next block's base fee as far as the
    /// ceiling allows. `None` if one step is above the ceiling.
    pub fn replacement(self, next_base_fee: u128, ceiling: u128) -> Option<Self> {
        let least = step(self.max_fee);
        if least > ceiling {
            return None;
        }
        // One step of a priority fee is at most one step of the fee, which is at most the ceiling.
        let priority = step(self.priority);
        let max_fee = least.max(two_blocks(next_base_fee, priority)).min(ceiling);
        Some(Self { max_fee, priority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GWEI: u128 = 1_000_000_000;

    #[test]
    fn steps_are_an_eighth_rounded_up_and_never_nothing() {
        assert_eq!(step(0), 1);
        assert_eq!(step(1), 2);
        assert_eq!(step(8), 9);
        assert_eq!(step(9), 11);
        assert_eq!(step(u128::MAX), u128::MAX);
    }

    #[test]
    fn a_replacement_beats_every_node_s_ten_per_cent_on_both_fees() {
        for max_fee in [1, 7, 8, 9, 10, 99, GWEI, 123_456_789_123] {
            for priority in [0, 1, max_fee / 2, max_fee] {
                let old = Fees { max_fee, priority };
                let new = old.replacement(0, u128::MAX).expect("no ceiling");
                assert!(new.max_fee * 10 >= old.max_fee * 11 && new.max_fee > old.max_fee);
                assert!(new.priority * 10 >= old.priority * 11 && new.priority > old.priority);
                assert!(new.priority <= new.max_fee);
            }
        }
    }

    #[test]
    fn a_replacement_never_passes_the_ceiling() {
        let old = Fees {
            max_fee: 8 * GWEI,
            priority: GWEI,
        };
        assert_eq!(old.replacement(100 * GWEI, 9 * GWEI - 1), None);
        assert_eq!(
            old.replacement(100 * GWEI, 9 * GWEI)
                .map(|fees| fees.max_fee),
            Some(9 * GWEI)
        );
        assert_eq!(
            old.replacement(16 * GWEI, 99 * GWEI)
                .map(|fees| fees.max_fee),
            Some(18 * GWEI + 9 * GWEI / 8)
        );
    }

    #[test]
    fn fees_below_the_base_fee_are_raised_or_wait() {
        let fees = Fees {
            max_fee: 8 * GWEI,
            priority: GWEI,
        };
        assert_eq!(fees.raised(8 * GWEI, 99 * GWEI), Some(fees));
        assert_eq!(
            fees.raised(16 * GWEI, 99 * GWEI).map(|fees| fees.max_fee),
            Some(19 * GWEI)
        );
        assert_eq!(
            fees.raised(16 * GWEI, 16 * GWEI).map(|fees| fees.max_fee),
            Some(16 * GWEI)
        );
        assert_eq!(fees.raised(16 * GWEI, 16 * GWEI - 1), None);
    }
}
