//! Which accounts does a price reach? An ordered set by liquidation price in index-scaled terms, so that neither price moves
//! nor interest touch it: O(log n) an event, O(log n + k) a query that finds k.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A position as events report it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Whole collateral tokens.
    pub collateral: f64,
    /// Debt shares; the debt is these times the debt index.
    pub debt_shares: f64,
}

impl Position {
    /// Debt shares per collateral: debt index times this is the price at which debt equals collateral.
    fn ratio(&self) -> f64 {
        if self.collateral > 0.0 {
            self.debt_shares / self.collateral
        } else {
            f64::INFINITY
        }
    }
}

/// Positions of one collateral, by account number.
#[derive(Clone, Debug, Default)]
pub struct LiquidationIndex {
    positions: Vec<Position>,
    // Ratios are positive, and positive floats order as their bits do. Those with the most debt per collateral come first.
    order: BTreeSet<(Reverse<u64>, u32)>,
}

impl LiquidationIndex {
    /// An index over accounts 0 to `accounts` − 1, all empty.
    #[must_use]
    pub fn new(accounts: usize) -> Self {
        Self {
            positions: vec![Position::default(); accounts],
            order: BTreeSet::new(),
        }
    }

    /// The position of `account`.
    #[must_use]
    pub fn position(&self, account: u32) -> Position {
        self.positions
            .get(account as usize)
            .copied()
            .unwrap_or_default()
    }

    /// All positions, by account number.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Records a position's new state. Accounts beyond the index's size are ignored.
    pub fn set(&mut self, account: u32, position: Position) {
        let Some(slot) = self.positions.get_mut(account as usize) else {
            return;
        };
        let old = std::mem::replace(slot, position);
        if old.debt_shares > 0.0 {
            self.order
                .remove(&(Reverse(old.ratio().to_bits()), account));
        }
        if position.debt_shares > 0.0 {
            self.order
                .insert((Reverse(position.ratio().to_bits()), account));
        }
    }

    /// Accounts with collateral · price · threshold < health · debt, the most indebted first: those whose health factor is
    /// below `health` at `price`. `debt_index` is debt per debt share.
    pub fn below(
        &self,
        health: f64,
        price: f64,
        threshold: f64,
        debt_index: f64,
    ) -> impl Iterator<Item = u32> + '_ {
        let least = price * threshold / (health * debt_index);
        self.order
            .range(..(Reverse(least.max(0.0).to_bits()), 0))
            .map(|&(_, account)| account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(index: &LiquidationIndex, price: f64) -> Vec<u32> {
        index.below(1.0, price, 0.8, 1.0).collect()
    }

    #[test]
    fn finds_what_a_price_reaches() {
        let mut index = LiquidationIndex::new(4);
        // Liquidation prices debt / (0.8 · collateral): 100, 75, 50, none.
        for (account, debt) in [(0, 80.0), (1, 60.0), (2, 40.0), (3, 0.0)] {
            index.set(
                account,
                Position {
                    collateral: 1.0,
                    debt_shares: debt,
                },
            );
        }
        assert_eq!(below(&index, 101.0), Vec::<u32>::new());
        assert_eq!(below(&index, 99.0), [0]);
        assert_eq!(below(&index, 60.0), [0, 1]);
        assert_eq!(below(&index, 1.0), [0, 1, 2]);
        // Interest: an index of 2 doubles every liquidation price.
        assert_eq!(
            index.below(1.0, 99.0, 0.8, 2.0).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        // An alert at 1.25 is a price a quarter higher.
        assert_eq!(index.below(1.25, 120.0, 0.8, 1.0).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn updates_replace() {
        let mut index = LiquidationIndex::new(2);
        index.set(
            0,
            Position {
                collateral: 1.0,
                debt_shares: 80.0,
            },
        );
        index.set(
            0,
            Position {
                collateral: 2.0,
                debt_shares: 80.0,
            },
        );
        assert_eq!(below(&index, 99.0), Vec::<u32>::new());
        assert_eq!(below(&index, 49.0), [0]);
        index.set(
            0,
            Position {
                collateral: 0.0,
                debt_shares: 80.0,
            },
        );
        assert_eq!(below(&index, 1e9), [0]);
        index.set(0, Position::default());
        assert_eq!(below(&index, 1.0), Vec::<u32>::new());
        index.set(
            7,
            Position {
                collateral: 1.0,
                debt_shares: 1.0,
            },
        );
        assert_eq!(index.position(7), Position::default());
    }
}
