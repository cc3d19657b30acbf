//! Who may do what: nobody acts for another without his permission.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::{ILendingPool, LendingPool};

use super::{Made, Property, Violation, require};
use crate::action::Kind;
use crate::world::{PEOPLE, World};

/// The permissions that events have given, kept apart from the pool's.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    authorized: BTreeSet<(Address, Address)>,
    allowed: BTreeMap<(Address, Address), U256>,
}

impl Rights {
    /// Learns from a call's events.
    pub fn apply(&mut self, world: &World, logs: &[Log]) {
        for log in logs.iter().filter(|log| log.address == world.place.pool) {
            if let Ok(set) = ILendingPool::AuthorizationSet::decode_log(log) {
                let pair = (set.authorizer, set.authorized);
                if set.isAuthorized {
                    self.authorized.insert(pair);
                } else {
                    self.authorized.remove(&pair);
                }
            } else if let Ok(approval) = LendingPool::Approval::decode_log(log) {
                self.allowed
                    .insert((approval.owner, approval.spender), approval.value);
            }
        }
    }

    /// A1 and A2, with the permissions as they were before the call.
    pub fn check(&mut self, made: &Made<'_>) -> Result<(), Violation> {
        require(
            !(made.kind == Kind::Usurp && made.success),
            Property::A2,
            || format!("{} by {} succeeded", made.call.signature, made.call.from),
        )?;
        if !made.success {
            return Ok(());
        }
        let place = &made.world.place;
        let mut actors = vec![made.call.from];
        if made.nested {
            actors.extend(&place.actors[PEOPLE..]);
        }
        let closed = closed_accounts(made);
        for (index, account) in place.actors.iter().enumerate() {
            if actors.contains(account) {
                continue;
            }
            let may = |kind: &dyn Fn(&Address) -> bool| actors.iter().any(kind);
            let authorized = may(&|actor| self.authorized.contains(&(*account, *actor)));
            let (before, after) = (made.before.account(index), made.after.account(index));
            let riskier = after.debtShares > before.debtShares
                || (0..before.collateral.len())
                    .any(|id| after.collateral[id] < before.collateral[id]);
            require(
                !riskier || authorized || closed.contains(account),
                Property::A1,
                || {
                    format!(
                        "actor {index}'s position was worsened by {}",
                        made.call.from
                    )
                },
            )?;
            let spent = before.shares.saturating_sub(after.shares);
            let allowed = &mut self.allowed;
            let enough = |actor: &Address| {
                allowed
                    .get(&(*account, *actor))
                    .is_some_and(|allowance| *allowance >= spent)
            };
            require(spent.is_zero() || may(&enough), Property::A1, || {
                format!(
                    "{spent} of actor {index}'s shares were taken by {}",
                    made.call.from
                )
            })?;
            for actor in &actors {
                if let Some(left) = allowed.get_mut(&(*account, *actor))
                    && *left != U256::MAX
                {
                    *left = left.saturating_sub(spent);
                }
            }
            let poorer = (0..before.balances.len())
                .any(|token| after.balances[token] < before.balances[token]);
            require(!poorer, Property::A1, || {
                format!("actor {index}'s tokens were taken by {}", made.call.from)
            })?;
        }
        Ok(())
    }
}

/// Accounts that were liquidated or settled within the call.
fn closed_accounts(made: &Made<'_>) -> Vec<Address> {
    let pool = made.world.place.pool;
    let own = made.logs.iter().filter(|log| log.address == pool);
    own.filter_map(|log| {
        let liquidated = ILendingPool::Liquidated::decode_log(log).map(|event| event.account);
        liquidated
            .or_else(|_| ILendingPool::Settled::decode_log(log).map(|event| event.account))
            .ok()
    })
    .collect()
}
