//! What a transaction of ours brought, from its receipt's logs.

use alloy::rpc::types::Log;
use alloy_primitives::{Address, I256, U256};
use alloy_sol_types::{SolEvent, sol};

sol! {
    /// ERC-20's event.
    event Transfer(address indexed from, address indexed to, uint256 value);
}

/// Net movements of our tokens in one transaction, base units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Movements {
    /// Of the debt token; negative if more went out.
    pub debt: I256,
    /// Of each collateral, in the order asked for.
    pub collaterals: Vec<I256>,
}

/// Sums the transfers to and from `us` in `logs`. Only logs of the tokens themselves count: a log of another contract says
/// nothing, and a token that lies about itself is one that the pool should not have listed.
#[must_use]
pub fn movements<'a>(
    logs: impl IntoIterator<Item = &'a Log>,
    us: Address,
    debt: Address,
    collaterals: &[Address],
) -> Movements {
    let mut sums = Movements {
        debt: I256::ZERO,
        collaterals: vec![I256::ZERO; collaterals.len()],
    };
    for log in logs {
        let token = log.address();
        let sum = if token == debt {
            &mut sums.debt
        } else if let Some(place) = collaterals.iter().position(|known| *known == token) {
            &mut sums.collaterals[place]
        } else {
            continue;
        };
        let Ok(transfer) = Transfer::decode_log(&log.inner) else {
            continue;
        };
        let value = signed(transfer.value);
        // A transfer to oneself moves nothing.
        if transfer.to == us {
            *sum = sum.saturating_add(value);
        }
        if transfer.from == us {
            *sum = sum.saturating_sub(value);
        }
    }
    sums
}

fn signed(value: U256) -> I256 {
    I256::try_from(value).unwrap_or(I256::MAX)
}

/// Gas paid, wei.
#[must_use]
pub fn gas_paid(gas_used: u64, price: u128) -> U256 {
    U256::from(gas_used) * U256::from(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: Address = Address::repeat_byte(1);
    const OTHER: Address = Address::repeat_byte(2);
    const DEBT: Address = Address::repeat_byte(3);
    const COLLATERAL: Address = Address::repeat_byte(4);

    fn transfer(token: Address, from: Address, to: Address, value: u64) -> Log {
        Log {
            inner: alloy_primitives::Log {
                address: token,
                data: Transfer {
                    from,
                    to,
                    value: U256::from(value),
                }
                .encode_log_data(),
            },
            ..Log::default()
        }
    }

    #[test]
    fn only_our_transfers_of_known_tokens_count() {
        let logs = [
            transfer(DEBT, OTHER, US, 100),
            transfer(DEBT, US, OTHER, 30),
            transfer(DEBT, OTHER, OTHER, 1_000),
            transfer(DEBT, US, US, 5),
            transfer(COLLATERAL, OTHER, US, 7),
            transfer(OTHER, OTHER, US, 10_000),
            Log::default(),
        ];
        assert_eq!(
            movements(&logs, US, DEBT, &[COLLATERAL]),
            Movements {
                debt: I256::try_from(70).unwrap(),
                collaterals: vec![I256::try_from(7).unwrap()],
            }
        );
    }

    #[test]
    fn losses_are_negative() {
        let logs = [transfer(DEBT, US, OTHER, 30)];
        assert_eq!(
            movements(&logs, US, DEBT, &[]).debt,
            I256::try_from(-30).unwrap()
        );
    }
}
