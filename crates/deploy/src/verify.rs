//! Whether what is on chain is what was planned: code, parameters, ownership.

pub mod code;
mod history;
pub mod parameters;
mod scale;
mod venues;

use std::fmt;

use alloy_primitives::keccak256;

use crate::calls::{Role, has_role};
use crate::chain::Views;
use crate::error::DeployError;
use crate::plan::{Plan, Step};

pub use history::verify_history;
pub use parameters::{Parameters, expected, read};
pub use venues::require_agreement;

/// A parameter, or a contract's code, that differs from the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The contract's role.
    pub contract: String,
    /// What of it.
    pub parameter: String,
    /// The plan's.
    pub expected: String,
    /// The chain's.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            contract,
            parameter,
            expected,
            found,
        } = self;
        write!(f, "{contract}: {parameter} is {found}, expected {expected}")
    }
}

/// Compares every contract's code, every parameter through the contracts' views, and who owns what.
///
/// # Errors
/// [`DeployError::Mismatches`] with all that differs, [`DeployError::Rpc`].
pub async fn verify(views: &impl Views, plan: &Plan) -> Result<(), DeployError> {
    let mut mismatches = Vec::new();
    for step in &plan.steps {
        let Step::Create(creation) = step else {
            continue;
        };
        let found = views.code(creation.address).await?;
        if let Err(difference) = code::compare(&creation.runtime, &found) {
            mismatches.push(Mismatch {
                contract: creation.role.clone(),
                parameter: format!("code at {}", creation.address),
                expected: format!(
                    "that of {} (without immutables {})",
                    creation.name,
                    keccak256(&creation.runtime)
                ),
                found: difference,
            });
        }
    }
    // What is not there, or is something else, cannot be asked.
    if mismatches.is_empty() {
        let expected = expected(plan);
        let found = read(views, &plan.deployment).await?;
        mismatches.extend(parameters::compare(&expected, &found));
        mismatches.extend(scale::compare_units(views, plan).await?);
        for role in [Role::Proposer, Role::Canceller, Role::Executor, Role::Admin] {
            let deployment = &plan.deployment;
            if has_role(views, deployment.timelock, role, plan.deployer).await? {
                mismatches.push(Mismatch {
                    contract: "timelock".to_owned(),
                    parameter: format!("the deployer's role as {}", role.name()),
                    expected: "none".to_owned(),
                    found: format!("held by {}", plan.deployer),
                });
            }
        }
    }
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(DeployError::Mismatches(mismatches))
    }
}
