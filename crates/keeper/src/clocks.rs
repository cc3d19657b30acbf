//! Which sales of a backstop have a void clock, so that an observation starts it. No view tells of it, but the price does: while a clock
//! runs it falls, from its start at or over the fast price to its floor at or under it, and while none runs it stands at the start. So it
//! is asked for twice, in the next block and a second later.

use std::time::Duration;

use alloy::rpc::types::BlockOverrides;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::BackstopPool;
use breakwater_rpc::{Client, TargetCall};

use crate::reading::NextBlock;

/// Seconds after which a clock is void; `BackstopSale.sol`.
pub(crate) const CLOCK_SECONDS: u64 = 3_600;

/// Seconds between the two prices: a second of the longest auction takes more off a price than rounding.
const LATER: u64 = 1;

/// Of a slot, how long the answer is waited for: one part in so many.
const SLOT_PART: u32 = 4;

/// The prices at which `backstop` would sell the first `count` collaterals a second after `next`, 0 where it would not. `None` if they are
/// not there within a quarter of a slot: the rest of the head does not wait for them, and a node that is slow with them is not
/// given up for it.
pub(crate) async fn later_prices(
    client: &Client,
    multicall: Address,
    backstop: Address,
    count: usize,
    next: &NextBlock,
) -> Option<Vec<U256>> {
    let calls: Vec<TargetCall> = (0..count)
        .map(|id| TargetCall::new(backstop, &quote(id)))
        .collect();
    let overrides = BlockOverrides {
        time: Some(next.timestamp + LATER),
        ..next.overrides()
    };
    // An attempt that comes to its own end would count against the node.
    let patience =
        (Duration::from_secs(next.slot) / SLOT_PART).min(client.endpoints().request_timeout / 2);
    let asked = client.multicall(multicall, next.state(), &calls, Some(overrides));
    let answers = tokio::time::timeout(patience, asked).await.ok()?.ok()?;
    let prices = answers.into_iter().map(|answer| {
        let data = answer.ok()?;
        let sale = BackstopPool::quoteSaleCall::abi_decode_returns(&data).ok()?;
        sale.open.then_some(sale.price)
    });
    Some(prices.map(Option::unwrap_or_default).collect())
}

/// Whether a sale's clock is void, by its price in the next block, a second `later`, and the fast price. A price that stands under the
/// fast one has reached its floor. One that moves with the feed within the second says nothing, and counts as running.
pub(crate) fn is_void(price: U256, later: U256, fast: U256) -> bool {
    !price.is_zero() && price >= fast && price == later
}

/// What asks for the price of a collateral's sale.
pub(crate) fn quote(collateral: usize) -> BackstopPool::quoteSaleCall {
    BackstopPool::quoteSaleCall {
        collateralId: U256::from(collateral),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use alloy_primitives::B256;
    use breakwater_rpc::Endpoints;
    use breakwater_rpc::testing::{Fault, Proxy};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_clock_is_void_where_the_price_stands_and_is_not_below_the_fast_one() {
        let void =
            |price: u64, later: u64| is_void(U256::from(price), U256::from(later), U256::from(100));
        assert!(void(101, 101));
        assert!(void(100, 100), "a start without a markup");
        assert!(!void(101, 100), "it falls");
        assert!(!void(101, 102), "it runs, and is void a second later");
        assert!(!void(99, 99), "its floor");
        assert!(!void(101, 0), "closed by then");
        assert!(!void(0, 0));
    }

    /// The same node answers everything else, and is asked for it.
    #[tokio::test]
    async fn a_node_that_hangs_costs_a_quarter_of_a_slot_and_is_not_given_up() {
        let proxy = Proxy::start("http://127.0.0.1:9").await.unwrap();
        proxy.set_method("eth_chainId", Some(Fault::Answer(json!("0x1"))));
        proxy.set_method("eth_call", Some(Fault::Hang));
        let endpoints = Endpoints::new(1, [proxy.endpoint()]);
        let client = breakwater_rpc::connect(&endpoints).await.unwrap();
        let next = NextBlock {
            parent: B256::ZERO,
            number: 1,
            timestamp: 1,
            base_fee: 0,
            slot: 2,
        };
        let began = Instant::now();
        let found = later_prices(&client, Address::ZERO, Address::ZERO, 1, &next).await;
        let waited = began.elapsed();
        assert_eq!(found, None);
        assert!(waited >= Duration::from_millis(500), "{waited:?}");
        assert!(waited < Duration::from_secs(2), "{waited:?}");
        assert_eq!(proxy.take_counts()["eth_call"], 1);
        let health = client.health();
        assert_eq!(health.endpoints[0].failures, 0, "{health:?}");
    }
}
