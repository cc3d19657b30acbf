//! From an action to calls with fixed numbers, in the state it meets.

mod backstop;
mod hostile;
mod market;
mod people;
mod positions;
mod roles;

use alloy_primitives::{Address, I256, U256};
use breakwater_evm::MemoryChain;

use crate::action::{Action, Kind};
use crate::encode::{BlockAt, Call};
use crate::properties::Property;
use crate::properties::prices::Feed;
use crate::sample::Sample;
use crate::world::{ACTORS, COLLATERALS, PEOPLE, World};

/// What an action becomes.
#[derive(Debug, Default)]
pub struct Plan {
    /// A new block that it begins with.
    pub block: Option<BlockAt>,
    /// Its calls, in order.
    pub calls: Vec<Planned>,
}

/// One call, and what is known of it beforehand.
#[derive(Debug)]
pub struct Planned {
    /// What it is, if not what its action is.
    pub kind: Option<Kind>,
    /// The call.
    pub call: Call,
    /// The property that says it has to succeed.
    pub must: Option<Property>,
    /// What it does to what a run remembers, if it succeeds.
    pub effect: Effect,
    /// The liquidation that it is: account's place, collateral, debt offered.
    pub liquidation: Option<(usize, usize, U256)>,
}

impl From<Call> for Planned {
    fn from(call: Call) -> Self {
        Self {
            kind: None,
            call,
            must: None,
            effect: Effect::None,
            liquidation: None,
        }
    }
}

impl From<Call> for Plan {
    fn from(call: Call) -> Self {
        Self {
            block: None,
            calls: vec![call.into()],
        }
    }
}

impl From<Planned> for Plan {
    fn from(planned: Planned) -> Self {
        Self {
            block: None,
            calls: vec![planned],
        }
    }
}

/// What a run has to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// What a feed answers now.
    Feed(usize, Feed),
    /// Where the venue trades now.
    Venue(i32, u128),
    /// A contract will act in its next callback.
    Armed,
    /// Tokens came to the pool without its knowledge.
    Donated,
}

/// What resolving sees.
pub struct Scene<'a> {
    /// The world.
    pub world: &'a World,
    /// For the few views that the lens has not.
    pub chain: &'a mut MemoryChain,
    /// The state.
    pub now: &'a Sample,
    /// The block.
    pub block: BlockAt,
    /// The feeds.
    pub feeds: &'a [Feed; COLLATERALS],
    /// Where the venue trades.
    pub venue: (i32, u128),
    /// The period whose queues the backstop carried out last.
    pub rolled: u64,
}

impl Scene<'_> {
    /// The plan of an action; an empty one where there is nothing to do.
    pub fn resolve(&mut self, action: &Action) -> Plan {
        use Kind::*;
        match action.kind {
            Deposit | Mint | Withdraw | Redeem | Transfer | Approve | Spend => self.lend(action),
            Permit | Authorize | AuthorizeBySignature => self.permit(action),
            Supply | Remove | Borrow | Repay => self.position(action),
            Liquidate | Batch | Flag | Settle => self.close(action),
            Flash | Multicall | Arm | Hook => self.act(action),
            Donate | Price | Squeeze | BreakFeed | Venue | Gas | Block | Late | Time | Update
            | RecordDepth | Poke => self.market(action),
            Freeze | Unfreeze | FreezeCollateral | UnfreezeCollateral | Ramp | Caps
            | CollateralCap | MinimumDebt | ReserveFactor | Reserves | Policy | Halt | Resume
            | Usurp => self.govern(action),
            Join | Leave | Pass | ClaimAssets | ClaimCollateral | Absorb | Waterfall | Buy
            | ObserveSale | Premium | Distribute | Roll => self.cooperate(action),
        }
    }

    fn actor(&self, index: usize) -> Address {
        self.world.place.actors[index % ACTORS]
    }

    fn pool_call(
        &self,
        from: Address,
        signature: &'static str,
        arguments: impl Into<Vec<alloy_dyn_abi::DynSolValue>>,
    ) -> Call {
        Call::new(from, self.world.place.pool, signature, arguments)
    }

    /// `must`, if `from` is a person: a contract may do anything to its own call.
    fn person(&self, index: usize, must: Property, holds: bool) -> Option<Property> {
        (holds && index % ACTORS < PEOPLE).then_some(must)
    }
}

/// An index from a byte.
fn at(byte: u8) -> usize {
    usize::from(byte) % ACTORS
}

/// A collateral from a byte.
fn collateral(byte: u8) -> usize {
    usize::from(byte) % COLLATERALS
}

/// An answer of a feed from a whole number.
fn answer(number: U256) -> I256 {
    I256::try_from(number).unwrap_or(I256::MAX)
}
