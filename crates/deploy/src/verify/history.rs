//! Who may act through the timelock, by everything that ever happened to its roles: a view answers for one account at a time
//! and cannot say that there is no other.

use std::collections::BTreeSet;

use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{Filter, Log};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::TimelockController::{CallScheduled, RoleGranted, RoleRevoked};

use super::Mismatch;
use crate::calls::Role;
use crate::chain::failure;
use crate::error::DeployError;
use crate::plan::{Plan, Step};

/// Compares the timelock's roles, and what was scheduled before the deployer gave up proposing, with the plan. What
/// governance scheduled since then is its own business and is not compared.
///
/// # Errors
/// [`DeployError::Mismatches`], also where the events from `first_block` on do not begin with the timelock's creation;
/// [`DeployError::Rpc`].
pub async fn verify_history(
    provider: &DynProvider,
    plan: &Plan,
    first_block: u64,
) -> Result<(), DeployError> {
    let timelock = plan.deployment.timelock;
    let logs = logs(provider, timelock, first_block).await?;
    let mismatches = compare(plan, &History::of(&logs, plan.deployer));
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(DeployError::Mismatches(mismatches))
    }
}

/// Every role and operation event of the timelock, in order. A node that refuses a long range is asked for halves.
async fn logs(
    provider: &DynProvider,
    timelock: Address,
    first_block: u64,
) -> Result<Vec<Log>, DeployError> {
    let during = "read the timelock's events";
    let last = provider.get_block_number().await;
    let last = last.map_err(|error| failure(during, error))?;
    let filter = Filter::new().address(timelock).event_signature(vec![
        RoleGranted::SIGNATURE_HASH,
        RoleRevoked::SIGNATURE_HASH,
        CallScheduled::SIGNATURE_HASH,
    ]);
    let (mut logs, mut from, mut span) = (
        Vec::new(),
        first_block,
        last.saturating_sub(first_block) + 1,
    );
    while from <= last {
        let to = last.min(from + (span - 1));
        let range = filter.clone().from_block(from).to_block(to);
        match provider.get_logs(&range).await {
            Ok(found) => {
                logs.extend(found);
                from = to + 1;
            }
            Err(error) if error.is_error_resp() && span > 1 => span = span.div_ceil(2),
            Err(error) => return Err(failure(during, error)),
        }
    }
    Ok(logs)
}

/// What the events add up to.
#[derive(Debug, Default, PartialEq, Eq)]
struct History {
    /// Whether the first is the timelock's own making: it becomes its own administrator.
    whole: bool,
    held: BTreeSet<(B256, Address)>,
    /// While the deployer could propose.
    scheduled: BTreeSet<B256>,
}

impl History {
    fn of(logs: &[Log], deployer: Address) -> Self {
        let mut history = Self::default();
        let mut handed_over = false;
        for (number, log) in logs.iter().enumerate() {
            let log = &log.inner;
            if let Ok(event) = RoleGranted::decode_log(log) {
                history.whole |=
                    number == 0 && (event.role, event.account) == (Role::Admin.id(), log.address);
                history.held.insert((event.role, event.account));
            } else if let Ok(event) = RoleRevoked::decode_log(log) {
                history.held.remove(&(event.role, event.account));
                handed_over |= (event.role, event.account) == (Role::Proposer.id(), deployer);
            } else if let Ok(event) = CallScheduled::decode_log(log)
                && !handed_over
            {
                history.scheduled.insert(event.id);
            }
        }
        history
    }
}

fn compare(plan: &Plan, history: &History) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let mut differs = |parameter: &str, expected: String, found: String| {
        mismatches.push(Mismatch {
            contract: "timelock".to_owned(),
            parameter: parameter.to_owned(),
            expected,
            found,
        });
    };
    if !history.whole {
        differs(
            "history",
            "events from its creation on".to_owned(),
            "incomplete: the node has forgotten them, or the manifest's `firstBlock` is too late"
                .to_owned(),
        );
        return mismatches;
    }
    let deployment = &plan.deployment;
    let held = BTreeSet::from([
        (Role::Admin.id(), deployment.timelock),
        (Role::Proposer.id(), deployment.governance),
        (Role::Canceller.id(), deployment.governance),
        (Role::Executor.id(), deployment.governance),
    ]);
    for (role, account) in history.held.symmetric_difference(&held) {
        let is_held = history.held.contains(&(*role, *account));
        let named = [Role::Proposer, Role::Canceller, Role::Executor, Role::Admin];
        let name = named.into_iter().find(|known| known.id() == *role);
        let name = name.map_or_else(|| role.to_string(), |known| known.name().to_owned());
        let (yes, no) = (format!("held by {account}"), "not held".to_owned());
        let (expected, found) = if is_held { (no, yes) } else { (yes, no) };
        differs(&format!("the role of {name}"), expected, found);
    }
    let steps = plan.steps.iter();
    let planned: BTreeSet<_> = steps
        .filter_map(|step| match step {
            Step::Call(call) => call.scheduled(),
            Step::Create(_) => None,
        })
        .collect();
    for id in history.scheduled.symmetric_difference(&planned) {
        let is_there = history.scheduled.contains(id);
        let (yes, no) = ("scheduled".to_owned(), "none of the plan's".to_owned());
        let (expected, found) = if is_there {
            (no, yes)
        } else {
            (yes, "not scheduled".to_owned())
        };
        differs(&format!("operation {id}"), expected, found);
    }
    mismatches
}
