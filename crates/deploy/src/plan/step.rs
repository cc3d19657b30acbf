//! One transaction.

use std::fmt;

use alloy_primitives::{Address, Bytes};

use super::Creation;
use crate::calls::Call;
use crate::create2::{self, FACTORY};

/// One transaction of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creates a contract.
    Create(Creation),
    /// Calls one.
    Call(Call),
}

impl Step {
    /// Whom its transaction goes to, and with what.
    pub(crate) fn request(&self) -> (Address, Bytes) {
        match self {
            Self::Create(creation) => (
                FACTORY,
                create2::calldata(creation.salt, &creation.init_code()),
            ),
            Self::Call(call) => (call.target(), call.data()),
        }
    }

    /// With what it is carried out, where the step's name does not say it all: a constructor's arguments, a listing.
    #[must_use]
    pub fn arguments(&self) -> Option<String> {
        match self {
            Self::Create(creation) => {
                Some(creation.explained.clone()).filter(|text| !text.is_empty())
            }
            Self::Call(call) => call.arguments(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(creation) => write!(
                f,
                "create {} ({}) at {}",
                creation.role, creation.name, creation.address
            ),
            Self::Call(call) => call.fmt(f),
        }
    }
}
