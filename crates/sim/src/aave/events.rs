//! Positions from Aave's events. A mint or burn of a scaled token tells the amount with the interest that came due at the
//! same time, and the index: what was minted or burned of the balance follows, as the token rounds it.

use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::SolEvent;

use super::Market;
use super::abi::{Pool, RAY, ScaledToken};
use crate::mirror::{Closed, ExactPosition, Mirror};

/// A change of one scaled balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    account: Address,
    increase: bool,
    scaled: U256,
}

/// Takes one transaction's logs; returns the liquidation among them, if there was one. `bonus` is the listing's, WAD.
pub fn apply(mirror: &mut Mirror, market: &Market, bonus: U256, logs: &[Log]) -> Option<Closed> {
    let mut closed = None;
    for log in logs {
        if log.address == market.collateral_receipts {
            for change in changes(log) {
                mirror.change(change.account, |position: &mut ExactPosition| {
                    change.make(&mut position.collateral);
                });
            }
        } else if log.address == market.debts {
            for change in changes(log) {
                mirror.change(change.account, |position| {
                    change.make(&mut position.debt_shares);
                });
            }
        } else if log.address == market.pool
            && let Ok(event) = Pool::LiquidationCall::decode_log(log)
        {
            closed = mirror.number(event.user).map(|account| Closed {
                account,
                settlement: false,
                repaid: event.debtToCover,
                seized: event.liquidatedCollateralAmount,
                bonus,
                written_off: (U256::ZERO, U256::ZERO),
            });
        }
    }
    closed
}

/// What a log of a scaled token changes.
fn changes(log: &Log) -> Vec<Change> {
    if let Ok(event) = ScaledToken::Mint::decode_log(log) {
        // A burn of less than the interest is told as a mint of the rest of it.
        let increase = event.value >= event.balanceIncrease;
        return vec![Change {
            account: event.onBehalfOf,
            increase,
            scaled: scaled(event.value.abs_diff(event.balanceIncrease), event.index),
        }];
    }
    if let Ok(event) = ScaledToken::Burn::decode_log(log) {
        return vec![Change {
            account: event.from,
            increase: false,
            scaled: scaled(event.value + event.balanceIncrease, event.index),
        }];
    }
    let Ok(event) = ScaledToken::BalanceTransfer::decode_log(log) else {
        return Vec::new();
    };
    // Scaled already.
    [(event.from, false), (event.to, true)]
        .map(|(account, increase)| Change {
            account,
            increase,
            scaled: event.value,
        })
        .to_vec()
}

/// An amount over an index, to the nearest, as the token divides.
fn scaled(amount: U256, index: U256) -> U256 {
    (amount * RAY + index / U256::from(2)) / index
}

impl Change {
    /// A balance below zero stays at zero, and the audit finds the difference.
    fn make(&self, balance: &mut U256) {
        *balance = if self.increase {
            *balance + self.scaled
        } else {
            balance.saturating_sub(self.scaled)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Address = Address::repeat_byte(7);

    fn log(data: alloy_primitives::LogData) -> Log {
        Log {
            address: Address::ZERO,
            data,
        }
    }

    #[test]
    fn a_burn_of_less_than_the_interest_is_no_mint() {
        // Interest of 30 came due and 10 were repaid: the event is a mint of 20, at an index of 2.
        let mint = |value, interest| {
            log(ScaledToken::Mint {
                caller: USER,
                onBehalfOf: USER,
                value: U256::from(value),
                balanceIncrease: U256::from(interest),
                index: RAY * U256::from(2),
            }
            .encode_log_data())
        };
        let change = |increase, scaled| {
            vec![Change {
                account: USER,
                increase,
                scaled: U256::from(scaled),
            }]
        };
        assert_eq!(changes(&mint(20, 30)), change(false, 5));
        assert_eq!(changes(&mint(50, 30)), change(true, 10));
        let burn = ScaledToken::Burn {
            from: USER,
            target: Address::ZERO,
            value: U256::from(20),
            balanceIncrease: U256::from(30),
            index: RAY * U256::from(2),
        };
        assert_eq!(changes(&log(burn.encode_log_data())), change(false, 25));
    }

    #[test]
    fn amounts_are_scaled_to_the_nearest() {
        let index = RAY * U256::from(3);
        for (amount, expected) in [(1, 0), (2, 1), (4, 1), (5, 2)] {
            assert_eq!(scaled(U256::from(amount), index), U256::from(expected));
        }
    }
}
