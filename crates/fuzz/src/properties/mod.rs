//! The protocol's properties, checked natively. Identifiers are those of `test/invariants/PoolSpec.sol` and of the README.

pub mod backstop;
pub mod books;
pub mod calls;
pub mod closing;
pub mod prices;
pub mod rights;
pub mod splits;

use alloy_primitives::{Address, Log, U256};
use breakwater_protocol::ViewError;
use breakwater_protocol::policy::{Decision, PolicyState};

use crate::action::Kind;
use crate::encode::Call;
use crate::sample::Sample;
use crate::world::World;

macro_rules! properties {
    ($($(#[$note:meta])* $name:ident = $id:literal, $text:literal;)+) => {
        /// A property, by its identifier.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Property { $(#[doc = $text] $name),+ }

        impl Property {
            /// Every property.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its identifier.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// What it says, in words.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

properties! {
    P1a = "P1a", "Cash and debt cover what lenders are owed, and reserves are exactly the rest.";
    P1b = "P1b", "For every collateral the pool holds at least its total, and the total is the sum over accounts.";
    P1c = "P1c", "Shares are the sum over holders, debt shares the sum over borrowers.";
    P1d = "P1d", "Debts add up to the total debt and at most a unit a borrower more; debt and debt shares are 0 together.";
    P1e = "P1e", "A collateral's bit is set exactly while its amount is not 0, and debt without collateral does not exist.";
    P2 = "P2", "A liquidation hands over at most (repaid + 1)(1 + bmax) in value.";
    P3 = "P3", "If C >= D B, a liquidation does not raise the loan-to-value.";
    P4 = "P4", "Nobody with a health factor of 1 or more is liquidated or settled.";
    P4Settle = "P4-settle", "Whoever is insolvent can be settled, and nobody else is.";
    P5 = "P5", "Repaying and topping up never revert, whatever breaker, oracle, policy and guardian say.";
    P6 = "P6", "Making a call in two halves gains nothing, but for rounding.";
    P7 = "P7", "A share's worth falls only by the bad debt that is recognised.";
    P9 = "P9", "A model fed only with events equals every view, interest included.";
    P10 = "P10", "What max* allows can be done.";
    P11 = "P11", "Whoever takes risk is within the borrow limit, at usable prices, with the breaker closed, nothing frozen, and no collateral above its cap behind it.";
    P12 = "P12", "A flash loan leaves the pool as it was.";
    P13 = "P13", "Taking reserves takes nothing from lenders.";
    D1 = "D1", "In the hard zone neither turn, bucket, pause, gas nor latency blocks a liquidation.";
    D2 = "D2", "A liquidation does exactly what the policy's model grants, and refuses for the model's reasons.";
    D3 = "D3", "A damped liquidation lowers the loan-to-value.";
    D4 = "D4", "A liquidation by the damped policy leaves a health factor of at most its target, but for rounding.";
    D5 = "D5", "A damped liquidation leaves the bucket its reserve, less what dust takes.";
    D6 = "D6", "A liquidation in the hard zone does not charge the bucket.";
    D7 = "D7", "Whoever waits for a turn gets one within eight epochs, unless turns are drawn by lot.";
    K1 = "K1", "The backstop holds what depositors have, wait with and may claim, and no more than dust beside it.";
    K2 = "K2", "Its inventory is what it holds of each collateral, and parts of it add up to it but for dust.";
    K3 = "K3", "Its shares, entries and exits add up, and no share is worth more than at first.";
    K4 = "K4", "Nobody's part of the backstop moves by another's deposit, exit, transfer or claim, nor his shares by anything else.";
    K5 = "K5", "An absorption pays at most 2% and never less than it costs, charges no bucket and leaves the minimum; a waterfall adds up.";
    K6 = "K6", "Deposits, exits, claims and the start of a period are refused by nothing.";
    K7 = "K7", "Inventory is sold only at an Ok price that is not falling, with the venue there, for 99% of it at least, as much as was asked for and the limit allows.";
    K8 = "K8", "A premium is at most its share of what reserves grew by, from reserves alone, to depositors alone.";
    O1 = "O1", "The fast price is the feed's answer, unclamped, exactly while that is fresh and within bounds.";
    O2 = "O2", "An unconfirmed jump is not an Ok price.";
    O3 = "O3", "The slow price lies between the least and the greatest price of its window.";
    A1 = "A1", "Nobody's position worsens and nobody's tokens move without his permission, liquidation excepted.";
    A2 = "A2", "A stranger can do nothing that is an owner's or a guardian's.";
    B1 = "B1", "A pause that nobody declared ends within its time and is followed by a rest.";
    C1 = "C1", "Within a callback nobody is liquidated or settled, and there is no flash loan.";
    C2 = "C2", "A share's worth as a callback sees it lies between what it was before the call and what it is after.";
    Views = "V1", "No view reverts.";
}

/// A property that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// With what figures.
    pub detail: String,
}

impl Violation {
    /// That property, with these figures.
    pub fn new(property: Property, detail: impl Into<String>) -> Self {
        Self {
            property,
            detail: detail.into(),
        }
    }
}

/// Refuses with figures unless `holds`.
pub(crate) fn require(
    holds: bool,
    property: Property,
    detail: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation::new(property, detail()))
}

/// What the model expects of a liquidation, for each level that the breaker may turn out to have in it.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Who.
    pub account: Address,
    /// For which collateral.
    pub collateral: usize,
    /// What the policy had stored.
    pub state: PolicyState,
    /// By the breaker's level.
    pub decisions: Vec<Result<Decision, ViewError>>,
}

/// A call that was made, and all that a property may ask of it.
pub struct Made<'a> {
    /// The world.
    pub world: &'a World,
    /// The action it is part of.
    pub kind: Kind,
    /// The call.
    pub call: &'a Call,
    /// Whether it succeeded.
    pub success: bool,
    /// What it returned or reverted with.
    pub output: &'a [u8],
    /// What it emitted.
    pub logs: &'a [Log],
    /// Before it.
    pub before: &'a Sample,
    /// After it.
    pub after: &'a Sample,
    /// Whether a hostile contract may have acted within it.
    pub nested: bool,
    /// The smallest debt that may be opened.
    pub minimum_debt: U256,
    /// What the policy's events say that it has stored after it.
    pub policy_state: &'a PolicyState,
    /// The property that says it must have succeeded.
    pub must: Option<Property>,
    /// The model of a single liquidation.
    pub expected: Option<&'a Expected>,
}
