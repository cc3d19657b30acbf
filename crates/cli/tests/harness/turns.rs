//! Whose turn it is, by the policy itself, beside what keepers do and say.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

use std::collections::BTreeMap;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::{BlockOverrides, TransactionRequest};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{DampedPolicy, ILendingPool};
use breakwater_keeper::drill::accounts::Closing;

use crate::due;
use crate::harness::{Keeper, World};

/// Seconds of an epoch, of the shipped parameters; checked against the chain.
const EPOCH: u64 = 60;

/// `Refusal` of `ILiquidationPolicy.sol`.
const NONE: u8 = 0;
const TURN: u8 = 3;

/// When accounts were held back by nothing but their turn, by the policy's own answer.
#[derive(Debug, Default)]
pub struct Turns {
    /// By account: the epochs.
    held: BTreeMap<Address, Vec<u64>>,
    /// How often the keeper said so and the policy too, or not.
    agreed: u64,
    differed: u64,
}

impl Turns {
    /// Asks the policy about those of whom the keeper says that their turn is not open.
    pub async fn look(&mut self, world: &World, keeper: &Keeper) {
        let status = keeper.status().await.unwrap();
        let head = due::head(world).await;
        if status.planned != Some(head.number) {
            return;
        }
        for position in &status.positions {
            let why_not = position.why_not.as_deref().unwrap_or_default();
            if !why_not.contains("turn") {
                continue;
            }
            let quote = ILendingPool::quoteLiquidationCall {
                account: position.account,
                collateralId: U256::ZERO,
                maxRepay: U256::MAX,
            };
            let answer = due::next_view(world, quote).await;
            if answer.grant.refusal != TURN {
                // Closed by what stands before it in the block (the keeper keeps a margin there), or said of the block before: pages are
                // not drawn anew every time.
                self.differed += 1;
                continue;
            }
            self.agreed += 1;
            let epoch = (head.timestamp + breakwater_deploy::local::SLOT) / EPOCH;
            let epochs = self.held.entry(position.account).or_default();
            if epochs.last() != Some(&epoch) {
                epochs.push(epoch);
            }
        }
    }

    /// In the epoch of every damped liquidation from block `from` on the account's turn was open; some had been held back in an epoch
    /// before it.
    pub async fn judge(&self, world: &World, from: u64) {
        let policy = world.market.deployment().policy.address;
        let parameters = world.view_of(policy, DampedPolicy::parametersCall {}).await;
        assert_eq!(parameters.epochSeconds, U256::from(EPOCH));
        let (mut damped, mut waited) = (0, 0);
        for closing in world.closings(from).await {
            let (timestamp, is_damped, refusal) = asked_before(world, &closing).await;
            if !is_damped {
                continue;
            }
            damped += 1;
            assert_eq!(refusal, NONE, "{closing:?}");
            let epoch = timestamp / EPOCH;
            let held = self.held.get(&closing.account);
            let epochs = held.map_or(&[][..], Vec::as_slice);
            waited += usize::from(epochs.iter().any(|held| *held < epoch));
        }
        println!(
            "{damped} damped liquidations, {waited} of them after an epoch in which the turn was closed; of its being closed the policy said \
             the same {} times, {} times that it closes within the block",
            self.agreed, self.differed
        );
        assert!(damped > 0 && waited > 0 && self.agreed > 0, "{self:?}");
    }
}

/// The time of the closing's block, whether the position was in the damped zone before anything happened in it, and what the policy
/// would have answered then.
async fn asked_before(world: &World, closing: &Closing) -> (u64, bool, u8) {
    let number = BlockNumberOrTag::Number(closing.block);
    let block = world.provider.get_block_by_number(number).await;
    let header = block.unwrap().unwrap().header;
    let quote = ILendingPool::quoteLiquidationCall {
        account: closing.account,
        collateralId: U256::ZERO,
        maxRepay: U256::MAX,
    };
    let request = TransactionRequest::default()
        .with_to(world.pool())
        .with_input(quote.abi_encode());
    let overrides = BlockOverrides {
        number: Some(U256::from(header.number)),
        time: Some(header.timestamp),
        base_fee: header.base_fee_per_gas.map(U256::from),
        ..BlockOverrides::default()
    };
    let answer = world
        .provider
        .call(request)
        .block(BlockId::hash(header.parent_hash))
        .with_block_overrides(overrides)
        .await
        .unwrap();
    let answer = ILendingPool::quoteLiquidationCall::abi_decode_returns(&answer).unwrap();
    let damped = answer.request.healthFast > answer.request.healthHard;
    (header.timestamp, damped, answer.grant.refusal)
}
