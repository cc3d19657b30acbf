//! The world of a campaign: a deployed and warmed-up system, the same as `test/fuzz/CounterexampleFixture.sol` builds.

mod build;
mod plan;

use alloy_primitives::{Address, B256, Bytes, Log, U256, address, keccak256};
use alloy_sol_types::SolCall;
use breakwater_bindings::FuzzLens;
use breakwater_evm::{BlockEnvironment, CallError, Chain, MemoryChain, Snapshot};
use breakwater_protocol::policy::{DampedPolicy, Policy};
use breakwater_protocol::{Mirror, MirrorError};
use k256::ecdsa::SigningKey;
use thiserror::Error;

use crate::artifacts::Artifacts;
use crate::encode::BlockAt;

pub use plan::{PolicyPlan, WORLDS, WorldPlan};

/// Owns pool and breaker.
pub const OWNER: Address = address!("0000000000000000000000000000000000000e12");
/// May freeze.
pub const GUARDIAN: Address = address!("0000000000000000000000000000000000090a2d");
/// May nothing.
pub const STRANGER: Address = address!("00000000000000000000000000000000057a26e2");

/// Deposits in the backstop at first, and stays.
pub const FOUNDER: Address = address!("0000000000000000000000000000000000f07de2");
/// The backstop's period, seconds.
pub const BACKSTOP_PERIOD: u64 = 12 * 3_600;

/// Gas of every call: more than any needs.
pub const GAS: u64 = 100_000_000;

/// Actors with keys; those after them are contracts.
pub const PEOPLE: usize = 5;
/// All actors.
pub const ACTORS: usize = 7;
/// Listed collaterals.
pub const COLLATERALS: usize = 2;
/// What the feeds answer at first, 8 decimals.
pub const FIRST_ANSWERS: [u64; COLLATERALS] = [200_000_000_000, 3_000_000_000_000];
/// The feeds' heartbeat, seconds.
pub const HEARTBEAT: u64 = 3_900;
/// Answers must lie strictly between these.
pub const ANSWER_BOUNDS: (u64, u64) = (10_000, 10_000_000_000_000_000);

/// Why there is no world.
#[derive(Debug, Error)]
pub enum WorldError {
    /// A contract refuses to be deployed or set up: bytecode that is not this repository's.
    #[error("the contracts refuse to be set up: {during}: {source}")]
    Call {
        /// What was being done.
        during: &'static str,
        /// What the chain says.
        source: CallError,
    },
    /// The set-up emits what no pool emits.
    #[error("the set-up's events make no sense: {0}")]
    Mirror(#[from] MirrorError),
    /// A policy's parameters are out of their own bounds.
    #[error("a policy's parameters make no sense: {0}")]
    Policy(String),
}

/// Where a backstop is.
#[derive(Clone, Copy, Debug, Default)]
pub struct BackstopPlace {
    /// Deposits and inventory.
    pub pool: Address,
    /// The pool's owner, who pays the premium.
    pub steward: Address,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The debt token.
    pub asset: Address,
    /// The collaterals; the second calls back.
    pub tokens: [Address; COLLATERALS],
    /// Their feeds.
    pub feeds: [Address; COLLATERALS],
    /// The first collateral's venue.
    pub venue: Address,
    /// Their oracles.
    pub oracles: [Address; COLLATERALS],
    /// The circuit breaker.
    pub breaker: Address,
    /// The policies; where there is a backstop, the last one is its own.
    pub policies: Vec<Address>,
    /// The backstop, if there is one.
    pub backstop: Option<BackstopPlace>,
    /// The pool.
    pub pool: Address,
    /// All views in one.
    pub lens: Address,
    /// Who acts: people, then contracts.
    pub actors: [Address; ACTORS],
    /// The pool's EIP-712 domain.
    pub domain: B256,
}

impl Place {
    /// The expression that the Solidity fixture has for an address.
    #[must_use]
    pub fn name(&self, address: Address) -> String {
        let indexed = |name: &str, of: &[Address]| {
            let index = of.iter().position(|known| *known == address);
            index.map(|index| format!("{name}[{index}]"))
        };
        let backstop = self.backstop.unwrap_or_default();
        let single = [
            ("backstop", backstop.pool),
            ("steward", backstop.steward),
            ("FOUNDER", FOUNDER),
            ("asset", self.asset),
            ("venue", self.venue),
            ("breaker", self.breaker),
            ("pool", self.pool),
            ("OWNER", OWNER),
            ("GUARDIAN", GUARDIAN),
            ("STRANGER", STRANGER),
        ];
        indexed("actor", &self.actors)
            .or_else(|| indexed("token", &self.tokens))
            .or_else(|| indexed("feed", &self.feeds))
            .or_else(|| indexed("oracle", &self.oracles))
            .or_else(|| indexed("policy", &self.policies))
            .or_else(|| {
                let found = single.iter().find(|(_, known)| *known == address);
                found.map(|(name, _)| (*name).to_owned())
            })
            .unwrap_or_else(|| format!("address({address})"))
    }

    /// Whether an address is a contract that acts.
    #[must_use]
    pub fn is_hostile(&self, address: Address) -> bool {
        self.actors[PEOPLE..].contains(&address)
    }
}

/// A world ready for sequences; shared by all threads.
#[derive(Debug)]
pub struct World {
    /// What distinguishes it.
    pub plan: &'static WorldPlan,
    /// The state that every sequence starts from.
    pub snapshot: Snapshot,
    /// The block of that state.
    pub block: BlockAt,
    /// Where everything is.
    pub place: Place,
    /// What the events so far say.
    pub mirror: Mirror,
    /// What the policies have emitted, with its times.
    pub policy_history: Vec<(u64, Log)>,
    /// The policies' models.
    pub policies: Vec<Policy>,
    /// Hashes of the code under search.
    pub codes: Vec<B256>,
    /// Calldata of the lens, for a part and for the whole.
    pub read: [Bytes; 2],
}

impl World {
    /// Deploys and warms up.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn build(artifacts: &Artifacts, plan: &'static WorldPlan) -> Result<Self, WorldError> {
        build::build(artifacts, plan)
    }

    /// The policy that the pool has when a sequence begins.
    #[must_use]
    pub fn first_policy(&self) -> Address {
        let index = if self.place.backstop.is_some() {
            self.place.policies.len() - 1
        } else {
            0
        };
        self.place.policies[index]
    }

    /// The model of the policy at an address. The backstop's own hands what is not its business to the first one, in its own storage.
    #[must_use]
    pub fn policy_at(&self, address: Address) -> Option<&Policy> {
        let index = self
            .place
            .policies
            .iter()
            .position(|known| *known == address)?;
        self.policies.get(index)
    }

    /// The model of the policy at an address, if that is a damped one.
    #[must_use]
    pub fn damped_at(&self, address: Address) -> Option<&DampedPolicy> {
        match self.policy_at(address)? {
            Policy::Damped(policy) => Some(policy),
            _ => None,
        }
    }

    /// The signing key of person `index`.
    #[must_use]
    pub fn key(index: usize) -> Option<SigningKey> {
        let mut scalar = [0; 32];
        scalar[31] = u8::try_from(0xa0 + index).ok()?;
        SigningKey::from_bytes(&scalar.into()).ok()
    }
}

/// The address of a key.
#[must_use]
pub fn address_of(key: &SigningKey) -> Address {
    let point = key.verifying_key().to_encoded_point(false);
    Address::from_slice(&keccak256(&point.as_bytes()[1..])[12..])
}

/// The hash of a block: an engine's that has the default seed, and the Solidity fixture's.
#[must_use]
pub fn block_hash(number: u64) -> B256 {
    keccak256([&[0; 32], &number.to_be_bytes()[..]].concat())
}

/// An engine's block.
#[must_use]
pub fn environment(block: BlockAt) -> BlockEnvironment {
    BlockEnvironment {
        number: block.number,
        timestamp: block.timestamp,
        base_fee: block.base_fee,
        gas_limit: 2_000_000_000,
        ..BlockEnvironment::default()
    }
}

/// Everything that the lens sees, and its raw answer.
///
/// # Errors
/// [`CallError`] if a view of the contracts reverts.
pub fn read(
    chain: &mut MemoryChain,
    world: &World,
    whole: bool,
) -> Result<(FuzzLens::WorldView, Bytes), CallError> {
    let input = world.read[usize::from(whole)].clone();
    let output = chain
        .view(STRANGER, world.place.lens, input)?
        .into_success()?
        .output;
    let view = FuzzLens::readCall::abi_decode_returns(&output)?;
    Ok((view, output))
}

/// The word that a view answers.
///
/// # Errors
/// [`CallError`] if the view reverts.
pub fn view_word(chain: &mut MemoryChain, to: Address, data: Bytes) -> Result<U256, CallError> {
    let output = chain.view(STRANGER, to, data)?.into_success()?.output;
    Ok(U256::try_from_be_slice(output.get(..32).unwrap_or_default()).unwrap_or_default())
}

/// A balance of one of the world's tokens, all of which are Solady's: its slot is keccak256(owner, 0 (8 bytes), seed).
#[must_use]
pub fn balance(chain: &MemoryChain, token: Address, owner: Address) -> U256 {
    const SEED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0x87, 0xa2, 0x11, 0xa2];
    let slot = keccak256([owner.as_slice(), &SEED].concat());
    chain.storage(token, slot.into()).unwrap_or_default()
}
