//! What a printed test compares beside how calls end: hashes, as the Solidity fixture makes them.

use alloy_primitives::{B256, Bytes, Log, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use breakwater_bindings::PoolActor;
use breakwater_evm::{Execution, MemoryChain};

use crate::encode::Step;
use crate::world::{PEOPLE, World, read, view_word};

/// A hash over calls' outputs and events, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers(B256);

/// What there is to see at the end of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// keccak256 of everything the lens sees, whether properties hold there or not; nothing if a view reverts.
    pub state: Option<B256>,
    /// The hash over what calls answered, and what a share was last worth to each contract in a callback.
    pub answers: B256,
}

/// A call made in two halves, in a copy of the world before it.
#[derive(Debug)]
pub struct Halves {
    /// The two calls.
    pub steps: Vec<Step>,
    /// What there is to see after them.
    pub seen: Seen,
}

impl Answers {
    /// Adds a call's. Events are left out once a contract is `armed`: forge records those of calls that revert too, and within such a
    /// contract nobody can tell which do.
    pub fn add(&mut self, execution: &Execution, armed: bool) {
        let told: &[Log] = if armed { &[] } else { &execution.logs };
        let event = |log: &Log| (log.topics().to_vec(), log.data.data.clone(), log.address);
        let events: Vec<_> = told.iter().map(event).collect();
        self.0 = keccak256((self.0, execution.output.clone(), events).abi_encode_params());
    }
}

impl Seen {
    /// Looks at everything.
    pub fn look(chain: &mut MemoryChain, world: &World, answers: Answers) -> Self {
        let raw = read(chain, world, true).ok().map(|(_, raw)| raw);
        Self::of(raw.as_ref(), chain, world, answers)
    }

    /// The same of what the lens has answered, if it did.
    pub fn of(
        raw: Option<&Bytes>,
        chain: &mut MemoryChain,
        world: &World,
        answers: Answers,
    ) -> Self {
        let data: Bytes = PoolActor::sharePriceInsideCall {}.abi_encode().into();
        // Test equipment, which answers what it has stored.
        let mut inside = |index: usize| {
            let contract = world.place.actors[PEOPLE + index];
            view_word(chain, contract, data.clone()).unwrap_or_default()
        };
        let worth = [inside(0), inside(1)];
        Self {
            state: raw.map(keccak256),
            answers: keccak256((answers.0, worth).abi_encode_params()),
        }
    }
}
