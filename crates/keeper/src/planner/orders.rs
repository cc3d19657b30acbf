//! What was ordered before, as far as it keeps an action from being planned.

use alloy_primitives::{Address, B256, U256};

use super::Sight;
use super::candidates::Considered;
use crate::identity::Subject;
use crate::store::ActionKind;

/// What orders that are in no block yet take of a collateral's market. They have earlier nonces than what is planned now, and are not in
/// the state that it is planned and tried on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Claims {
    /// Sold on the venue, whole collateral tokens.
    pub sold: f64,
    /// Taken from the bucket, whole debt tokens.
    pub charged: f64,
}

impl Claims {
    /// With another order's.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            sold: self.sold + other.sold,
            charged: self.charged + other.charged,
        }
    }
}

/// What is known of orders.
pub trait Orders {
    /// Whether an order for the account is in no block yet that has to be waited for: one that closes its position, or, before a flag
    /// or a record, any.
    fn waiting(&self, account: Address, kind: ActionKind) -> bool;

    /// Whether an order to start or to buy of a collateral's sale is in no block yet. Those of other collaterals have sales of their own.
    fn sale_waiting(&self, backstop: Address, collateral: u32) -> bool;

    /// The identifier that an order may have now; see [`Subject::free`].
    fn free(&mut self, subject: &Subject) -> Option<B256>;

    /// The native coins that are not spoken for, wei; `None` where they do not count or are not known.
    fn funds(&self) -> Option<U256>;
}

/// For those who only look: nothing was ordered.
#[derive(Clone, Copy, Debug)]
pub struct NoOrders;

impl Orders for NoOrders {
    fn waiting(&self, _: Address, _: ActionKind) -> bool {
        false
    }

    fn sale_waiting(&self, _: Address, _: u32) -> bool {
        false
    }

    fn free(&mut self, subject: &Subject) -> Option<B256> {
        Some(subject.id(0))
    }

    fn funds(&self) -> Option<U256> {
        None
    }
}

/// The identifiers of what may be ordered for a position.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ids {
    pub liquidate: Option<B256>,
    pub settle: Option<B256>,
    pub flag: Option<B256>,
}

/// Takes from a candidate what may not be ordered for it now. A flag that is under way keeps nobody from liquidating.
pub(super) fn permit(sight: &Sight<'_>, one: &mut Considered, orders: &mut dyn Orders) {
    let (account, collateral) = (one.thought.account, one.thought.collateral);
    if orders.waiting(account, ActionKind::Liquidate) {
        (one.waits, one.ordered) = (true, true);
        return;
    }
    let mut free = |kind| {
        orders.free(&Subject {
            chain_id: sight.system.chain_id,
            pool: sight.system.pool,
            kind,
            account,
            collateral,
            debt_shares: U256::from(sight.mirror.debt_shares_of(&account)),
            epoch: sight.epoch(),
        })
    };
    let candidate = &mut one.candidate;
    if candidate.repay > 0.0 {
        one.ids.liquidate = free(ActionKind::Liquidate);
        if one.ids.liquidate.is_none() {
            (candidate.repay, candidate.seize) = (0.0, 0.0);
            one.ordered = true;
        }
    }
    if candidate.settle.is_some() {
        one.ids.settle = free(ActionKind::Settle);
        if one.ids.settle.is_none() {
            candidate.settle = None;
            one.ordered = true;
        }
    }
    // What was ordered for it ends this, or is known to be out: its clock matters no more now.
    candidate.unflagged &= !one.ordered;
    if candidate.unflagged {
        one.ids.flag = free(ActionKind::Flag);
        candidate.unflagged = one.ids.flag.is_some() && !orders.waiting(account, ActionKind::Flag);
    }
}
