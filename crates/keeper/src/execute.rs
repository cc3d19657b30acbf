//! From a planned action to a call that was tried on the pending block.

use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_sol_types::SolCall;
use breakwater_agents::Bid;
use breakwater_bindings::{DampedPolicy, FlashLiquidator, IBackstopPool, ILendingPool};
use breakwater_operator::config::Capital;
use breakwater_rpc::{Client, RpcError};
use breakwater_sender::Order;

use crate::planner::{Planned, Strategy, kept_value, outlet};
use crate::reading::HeadReading;
use crate::store::ActionKind;
use crate::system::System;
use crate::units::{base_up, wei, whole};

/// Blocks for which an order is good.
pub const ORDER_LIFE: u64 = 3;

/// A contract and what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract.
    pub to: Address,
    /// Calldata.
    pub data: Bytes,
}

/// The call that does `planned`. `None` if the system has no contract for it.
#[must_use]
pub fn call_of(
    system: &System,
    strategy: &Strategy,
    planned: &Planned,
    min_profit: U256,
) -> Option<Call> {
    let Planned {
        account,
        collateral,
        repay,
        ..
    } = *planned;
    let liquidator = system
        .collaterals
        .get(collateral as usize)
        .and_then(|listed| listed.liquidator);
    let collateral_id = U256::from(collateral);
    let backstop = system.backstop.map(|backstop| backstop.address);
    let (to, data) = match (planned.kind, strategy.capital) {
        (ActionKind::Flag, _) => (
            system.pool,
            ILendingPool::flagCall {
                account,
                collateralId: collateral_id,
            }
            .abi_encode(),
        ),
        (ActionKind::Liquidate, Capital::Flash) => (
            liquidator?,
            FlashLiquidator::liquidateCall {
                account,
                maxRepay: repay,
                minProfit: min_profit,
            }
            .abi_encode(),
        ),
        (ActionKind::Settle, Capital::Flash) => (
            liquidator?,
            FlashLiquidator::settleCall {
                account,
                minProfit: min_profit,
            }
            .abi_encode(),
        ),
        (ActionKind::Liquidate, Capital::Inventory) => (
            system.pool,
            ILendingPool::liquidateCall {
                account,
                collateralId: collateral_id,
                maxRepay: repay,
                data: Bytes::new(),
            }
            .abi_encode(),
        ),
        (ActionKind::Settle, Capital::Inventory) => (
            system.pool,
            ILendingPool::settleCall {
                account,
                data: Bytes::new(),
            }
            .abi_encode(),
        ),
        (ActionKind::Absorb, _) => (
            backstop?,
            IBackstopPool::absorbCall {
                account,
                collateralId: collateral_id,
            }
            .abi_encode(),
        ),
        (ActionKind::SettleByBackstop, _) => (
            backstop?,
            IBackstopPool::settleCall { account }.abi_encode(),
        ),
        (ActionKind::ObserveSale, _) => (
            backstop?,
            IBackstopPool::observeCall {
                collateralId: collateral_id,
            }
            .abi_encode(),
        ),
        (ActionKind::BuyInventory, _) => (
            backstop?,
            IBackstopPool::buyCall {
                collateralId: collateral_id,
                maxAmount: planned.amount,
                // What others' purchases may lift it by is in it, as far as that leaves what has to be left.
                maxPaid: repay,
                receiver: strategy.us,
            }
            .abi_encode(),
        ),
        (ActionKind::RecordDepth, _) => (
            system.policy_address,
            DampedPolicy::recordDepthCall {
                pool: system.pool,
                collateralId: collateral_id,
            }
            .abi_encode(),
        ),
    };
    Some(Call {
        to,
        data: data.into(),
    })
}

/// Why an action is not sent after all.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Declined {
    /// The node could not say, or would not start it (funds, fees).
    #[error("the call on the pending block could not be made: {0}")]
    Unknown(RpcError),
    /// It would revert.
    #[error("the call on the pending block {0}")]
    Reverts(RpcError),
    /// It would leave too little.
    #[error(
        "the call on the pending block leaves {left:.2}, less than the gas of {gas:.2} and the least profit"
    )]
    TooLittle {
        /// Before gas, debt tokens.
        left: f64,
        /// Debt tokens.
        gas: f64,
    },
    /// The system has no contract for it.
    #[error("no contract does this")]
    NoContract,
}

/// What a call on the pending block showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsed {
    /// The call, with the least profit adjusted to what it costs.
    pub call: Call,
    /// The bid, lowered where the profit is below what was planned.
    pub bid: Bid,
    /// The most that may ever be paid per gas, gwei: where it leaves just the least profit.
    pub ceiling: f64,
    /// What is left before gas, debt tokens; 0 for a flag or a record.
    pub left: f64,
}

/// What a rehearsal needs to know beside the action.
pub struct Stage<'a> {
    /// To the chain.
    pub client: &'a Client,
    /// What is deployed.
    pub system: &'a System,
    /// What the operator asks.
    pub strategy: &'a Strategy,
    /// The head's reading.
    pub reading: &'a HeadReading,
    /// Whether the sender's funds count: not on a dry run, which may have no account.
    pub funded: bool,
}

impl Stage<'_> {
    /// Calls `planned` on the head's state as if in the next block, from the keeper's account and at the bid's fees, and adjusts
    /// bid and least profit to what it leaves.
    ///
    /// # Errors
    /// [`Declined`]: it is not worth sending.
    pub async fn rehearse(&self, planned: &Planned) -> Result<Rehearsed, Declined> {
        let Self {
            system, strategy, ..
        } = *self;
        // The least profit is asked for by the transaction itself; here its amount is to be seen.
        let call = call_of(system, strategy, planned, U256::ZERO).ok_or(Declined::NoContract)?;
        let next = self.reading.next;
        let mut transaction = TransactionRequest {
            from: Some(strategy.us),
            to: Some(TxKind::Call(call.to)),
            input: call.data.clone().into(),
            gas: Some(planned.gas_limit),
            ..TransactionRequest::default()
        };
        if self.funded {
            // Without a fee some nodes let BASEFEE read 0, and the bonus may depend on it.
            transaction.max_fee_per_gas = Some(wei(planned.bid.max_fee));
            transaction.max_priority_fee_per_gas = Some(wei(planned.bid.tip));
        }
        let answer = self
            .client
            .simulate(&transaction, next.state(), None, Some(next.overrides()))
            .await
            .map_err(declined)?;
        if planned.kind.prepares() {
            return Ok(Rehearsed {
                call,
                bid: planned.bid,
                ceiling: planned.bid.max_fee,
                left: 0.0,
            });
        }
        let left = left(system, strategy, self.reading, planned, &answer)?;
        let bid = self.bid_for(planned, left)?;
        let cost = self.gas_cost(planned, bid.tip);
        let min_profit = base_up(cost, system.debt.decimals);
        let call = call_of(system, strategy, planned, min_profit).ok_or(Declined::NoContract)?;
        Ok(Rehearsed {
            call,
            bid,
            ceiling: self.break_even(planned, left),
            left,
        })
    }

    /// The planned bid, or one as much lower as the profit is below what was planned, if that is still worth it.
    fn bid_for(&self, planned: &Planned, left: f64) -> Result<Bid, Declined> {
        let floor = self.gas_cost(planned, 0.0);
        let at_bid = self.gas_cost(planned, planned.bid.tip);
        let spare = left - floor - self.strategy.min_profit;
        if spare <= 0.0 {
            return Err(Declined::TooLittle { left, gas: floor });
        }
        // Never more than what it leaves beyond the least profit.
        let share = (spare / (at_bid - floor).max(f64::MIN_POSITIVE)).min(1.0);
        let tip = planned.bid.tip * share;
        Ok(Bid {
            max_fee: planned.bid.max_fee,
            tip,
        })
    }

    fn gas_cost(&self, planned: &Planned, tip: f64) -> f64 {
        let per_gas = self.reading.next.base_fee as f64 / 1e9 + tip;
        per_gas * self.cost_of_gwei(planned)
    }

    /// The price of gas, gwei, at which no more than the least profit remains of `left`. Base fees rise, and a transaction that is
    /// out is replaced: at more than this it is not worth having.
    fn break_even(&self, planned: &Planned, left: f64) -> f64 {
        (left - self.strategy.min_profit).max(0.0) / self.cost_of_gwei(planned)
    }

    /// What the action costs in debt tokens for every gwei that a unit of gas costs.
    fn cost_of_gwei(&self, planned: &Planned) -> f64 {
        let native = self
            .system
            .native_price(self.reading.gas_price_of_native(self.system));
        planned.gas as f64 * 1e-9 * native
    }
}

/// What the call left, by its answer, and no more than what was planned: tried alone it has all of the venue, the bucket and the
/// backstop's room, of which what goes out before it takes a part.
pub(crate) fn left(
    system: &System,
    strategy: &Strategy,
    reading: &HeadReading,
    planned: &Planned,
    answer: &Bytes,
) -> Result<f64, Declined> {
    let alone = left_alone(system, strategy, reading, planned, answer)?;
    Ok(alone.min(planned.surplus))
}

fn left_alone(
    system: &System,
    strategy: &Strategy,
    reading: &HeadReading,
    planned: &Planned,
    answer: &Bytes,
) -> Result<f64, Declined> {
    // What seized collateral that is kept is counted at.
    let kept = |seized| kept_value(system, reading, planned.collateral, seized);
    let undecodable = |_| {
        Declined::Unknown(RpcError::Malformed {
            endpoint: "the node".to_owned(),
            method: "eth_call".to_owned(),
            reason: format!("{} bytes that a liquidation cannot return", answer.len()),
        })
    };
    match (planned.kind, strategy.capital) {
        (ActionKind::Absorb, _) => {
            let result =
                IBackstopPool::absorbCall::abi_decode_returns(answer).map_err(undecodable)?;
            Ok(kept(result.reward))
        }
        // What is handed over is not in the answer.
        (ActionKind::SettleByBackstop, _) => Ok(planned.surplus),
        (ActionKind::BuyInventory, _) => {
            let bought = IBackstopPool::buyCall::abi_decode_returns(answer).map_err(undecodable)?;
            let decimals = system.collateral_decimals(u64::from(planned.collateral));
            let outlet = outlet(system, reading, planned.collateral);
            let (worth, _) = outlet.sell(whole(bought.amount, decimals));
            Ok(worth - whole(bought.paid, system.debt.decimals))
        }
        (ActionKind::Settle, Capital::Flash) => {
            FlashLiquidator::settleCall::abi_decode_returns(answer)
                .map(|profit| whole(profit, system.debt.decimals))
                .map_err(undecodable)
        }
        (_, Capital::Flash) => FlashLiquidator::liquidateCall::abi_decode_returns(answer)
            .map(|profit| whole(profit, system.debt.decimals))
            .map_err(undecodable),
        // What is handed over is not in the answer; it is all that is held.
        (ActionKind::Settle, Capital::Inventory) => Ok(planned.surplus),
        (_, Capital::Inventory) => {
            let result =
                ILendingPool::liquidateCall::abi_decode_returns(answer).map_err(undecodable)?;
            Ok(kept(result.seized) - whole(result.repaid, system.debt.decimals))
        }
    }
}

/// What a call that failed says of the transaction.
fn declined(error: RpcError) -> Declined {
    match error {
        RpcError::Reverted { .. } => Declined::Reverts(error),
        RpcError::Refused { ref message, .. } if is_evm_failure(message) => {
            Declined::Reverts(error)
        }
        other => Declined::Unknown(other),
    }
}

/// Whether what a node refused a call for happened in the EVM. Everything else that it refuses never got that far.
fn is_evm_failure(message: &str) -> bool {
    let message = message.to_lowercase();
    [
        "out of gas",
        "outofgas",
        "invalid opcode",
        "invalidfeopcode",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
}

/// The order that sends a rehearsed action. `slot` is the chain's block time, seconds.
#[must_use]
pub fn order_of(
    planned: &Planned,
    rehearsed: Rehearsed,
    reading: &HeadReading,
    strategy: &Strategy,
    slot: u64,
) -> Order {
    let ceiling = wei(rehearsed.ceiling.min(strategy.max_gas_price));
    let max_fee = wei(rehearsed.bid.max_fee).min(ceiling);
    Order {
        id: planned.id,
        label: format!(
            "{} {} of {}",
            planned.kind.name(),
            planned.collateral,
            planned.account
        ),
        to: rehearsed.call.to,
        data: rehearsed.call.data,
        value: U256::ZERO,
        gas_limit: planned.gas_limit,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: wei(rehearsed.bid.tip).min(max_fee),
        max_fee_ceiling: ceiling,
        valid_until: reading.next.timestamp + slot * (ORDER_LIFE - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_evm_refuses_counts_as_reverted() {
        let refused = |message: &str| {
            declined(RpcError::Refused {
                endpoint: "node".to_owned(),
                method: "eth_call".to_owned(),
                code: -32_000,
                message: message.to_owned(),
            })
        };
        for never_started in [
            "insufficient funds for gas * price + value: address 0x0 have 0 want 1",
            "max fee per gas less than block base fee",
            "header not found",
        ] {
            let found = refused(never_started);
            assert!(matches!(found, Declined::Unknown(_)), "{found:?}");
        }
        assert!(matches!(refused("out of gas"), Declined::Reverts(_)));
        let reverted = RpcError::Reverted { data: Bytes::new() };
        assert!(matches!(declined(reverted), Declined::Reverts(_)));
        let silent = RpcError::Timeout {
            endpoint: "node".to_owned(),
            method: "eth_call".to_owned(),
            after: std::time::Duration::from_secs(1),
        };
        assert!(matches!(declined(silent), Declined::Unknown(_)));
    }
}
