//! One nonce of the account, and what was signed for it.

use alloy_primitives::{B256, Bytes, U256};

use crate::fees::{Fees, step};
use crate::order::TRANSFER_GAS;
use crate::{Cause, InFlight, Inclusion, Order};

/// What a nonce is to be spent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    Execute,
    Cancel(Cause),
    /// Nobody used the nonce; it blocks those above.
    Fill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotState {
    Open,
    Included(Inclusion),
    /// Taken by a transaction that is not ours; the block is where it was found, or the head at which it was given up on.
    Foreign {
        hash: Option<B256>,
        block_number: u64,
    },
}

/// Signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub hash: B256,
    pub fees: Fees,
    /// A transfer of nothing to ourselves instead of the order's call.
    pub cancels: bool,
    pub raw: Bytes,
    /// A node took it.
    pub acknowledged: bool,
}

/// A nonce with at least one attempt. It serves one order for good, or none.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub nonce: u64,
    pub order: Option<Order>,
    pub goal: Goal,
    pub state: SlotState,
    /// Head at which the nonce was first signed for: the chain had not used it there.
    pub opened_at: u64,
    /// Head at which the latest attempt was signed, or the nonce's first for one that was read from disk.
    pub offered_at: u64,
    /// Most that an attempt at the order may offer, in wei per gas.
    pub ceiling: u128,
    /// Never empty; the last is the one that is offered.
    pub attempts: Vec<Attempt>,
}

impl Slot {
    pub fn latest(&self) -> &Attempt {
        &self.attempts[self.attempts.len() - 1]
    }

    pub fn attempt(&self, hash: B256) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.hash == hash)
    }

    pub fn is_open(&self) -> bool {
        self.state == SlotState::Open
    }

    /// Most that the next replacement may offer. A cancellation has at least one step more than the order: it must outbid an order
    /// that is at its ceiling already.
    pub fn replacement_ceiling(&self, cancels: bool, cancel_ceiling: u128) -> u128 {
        if cancels {
            step(self.ceiling).max(cancel_ceiling)
        } else {
            self.ceiling
        }
    }

    /// Most wei that the offered attempt can cost.
    pub fn cost(&self) -> U256 {
        let attempt = self.latest();
        match &self.order {
            Some(order) if !attempt.cancels => order_cost(order, attempt.fees),
            _ => U256::from(TRANSFER_GAS) * U256::from(attempt.fees.max_fee),
        }
    }

    pub fn in_flight(&self) -> InFlight {
        let attempt = self.latest();
        InFlight {
            id: self.order.as_ref().map(|order| order.id),
            label: self
                .order
                .as_ref()
                .map_or_else(|| "gap".to_owned(), |order| order.label.clone()),
            nonce: Some(self.nonce),
            hash: Some(attempt.hash),
            max_fee_per_gas: attempt.fees.max_fee,
            attempts: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX),
            cancelling: attempt.cancels,
        }
    }
}

/// Most wei that the order can cost at these fees.
pub(crate) fn order_cost(order: &Order, fees: Fees) -> U256 {
    order
        .value
        .saturating_add(U256::from(order.gas_limit) * U256::from(fees.max_fee))
}
