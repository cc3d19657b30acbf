//! Which sales of a backstop have a void clock, so that an observation starts it. No view tells of it, but whatever sets a clock
//! emits what it is, and sets it to no later than its own block: one that still runs was told of within its life.

use alloy::rpc::types::{Filter, Log};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::BackstopPool::SaleUpdated;
use breakwater_rpc::{Client, RpcError};

use crate::reading::NextBlock;

/// Seconds after which a clock is void; `BackstopSale.sol`.
pub(crate) const CLOCK_SECONDS: u64 = 3_600;

/// A clock's unit: a microsecond.
const TICKS: u64 = 1_000_000;

/// Whether the clocks of the first `count` collaterals of `backstop` are void in the block `next`.
///
/// # Errors
/// [`RpcError`].
pub(crate) async fn void(
    client: &Client,
    backstop: Address,
    next: &NextBlock,
    count: usize,
) -> Result<Vec<bool>, RpcError> {
    let head = next.number.saturating_sub(1);
    let life = CLOCK_SECONDS / next.slot.max(1) + 1;
    let filter = Filter::new()
        .address(backstop)
        .event_signature(SaleUpdated::SIGNATURE_HASH)
        .from_block(head.saturating_sub(life))
        .to_block(head);
    let logs: Vec<Log> = client.request("eth_getLogs", (filter,)).await?;
    Ok(void_at(next.timestamp, count, &logs))
}

/// `logs` are in the chain's order: the last of a collateral counts.
fn void_at(timestamp: u64, count: usize, logs: &[Log]) -> Vec<bool> {
    let now = U256::from(timestamp) * U256::from(TICKS);
    let life = U256::from(CLOCK_SECONDS * TICKS);
    let mut void = vec![true; count];
    for log in logs {
        let Ok(sale) = SaleUpdated::decode_log_data(log.data()) else {
            continue;
        };
        let place = usize::try_from(sale.collateralId).unwrap_or(usize::MAX);
        if let Some(void) = void.get_mut(place) {
            *void = now.saturating_sub(sale.clock) > life;
        }
    }
    void
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    /// The clock of `collateral` was set to so many seconds before.
    fn told(collateral: u64, seconds: u64) -> Log {
        let event = SaleUpdated {
            collateralId: U256::from(collateral),
            depth: U256::ONE,
            clock: U256::from((NOW - seconds) * TICKS),
            level: U256::ONE,
        };
        let inner = alloy_primitives::Log {
            address: Address::ZERO,
            data: event.encode_log_data(),
        };
        Log {
            inner,
            ..Log::default()
        }
    }

    #[test]
    fn a_clock_is_void_after_more_than_an_hour_and_before_anything_was_told() {
        assert_eq!(void_at(NOW, 2, &[]), [true, true]);
        assert_eq!(void_at(NOW, 2, &[told(1, 3_600)]), [true, false]);
        assert_eq!(void_at(NOW, 2, &[told(1, 3_601)]), [true, true]);
        // One that was never set: a reading of the depth alone tells of it too.
        assert_eq!(void_at(NOW, 1, &[told(0, NOW)]), [true]);
    }

    #[test]
    fn the_last_that_was_told_of_a_collateral_counts() {
        assert_eq!(void_at(NOW, 1, &[told(0, 4_000), told(0, 12)]), [false]);
        // A clock that was moved back by a purchase, and a collateral that is not known.
        assert_eq!(
            void_at(NOW, 1, &[told(0, 12), told(0, 3_700), told(7, 0)]),
            [true]
        );
    }
}
