//! A contract whose address follows from what it is created with.

use alloy_primitives::{Address, B256, Bytes, address, b256, keccak256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::Multicall;

use crate::chain::Views;
use crate::create2;
use crate::error::DeployError;

/// A contract to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// What it is in the system, unique: `pool`, `oracle[0]`.
    pub role: String,
    /// The contract's name.
    pub name: &'static str,
    /// Creation code, without arguments.
    pub code: Bytes,
    /// Constructor arguments, ABI-encoded.
    pub arguments: Bytes,
    /// The same, in words.
    pub explained: String,
    /// Runtime code with immutables zero: what stands on chain differs from it in those alone.
    pub runtime: Bytes,
    /// Makes the addresses of one system other than those of the next.
    pub salt: B256,
    /// Where it will be.
    pub address: Address,
}

impl Creation {
    pub(crate) fn new<C: SolConstructor>(
        salt: B256,
        role: impl Into<String>,
        name: &'static str,
        code: &Bytes,
        runtime: &Bytes,
        constructor: &C,
        explained: String,
    ) -> Self {
        let arguments = Bytes::from(constructor.abi_encode());
        let address = create2::address_of(salt, &[code.as_ref(), &arguments].concat());
        Self {
            role: role.into(),
            name,
            code: code.clone(),
            arguments,
            explained,
            runtime: runtime.clone(),
            salt,
            address,
        }
    }

    /// A contract without constructor arguments that is no part of a system.
    pub(crate) fn bare(salt: B256, role: &str, name: &'static str, code: &Bytes) -> Self {
        Self {
            role: role.to_owned(),
            name,
            code: code.clone(),
            arguments: Bytes::new(),
            explained: String::new(),
            runtime: Bytes::new(),
            salt,
            address: create2::address_of(salt, code),
        }
    }

    /// Creation code with arguments.
    #[must_use]
    pub fn init_code(&self) -> Vec<u8> {
        [self.code.as_ref(), &self.arguments].concat()
    }
}

/// A [`Creation`] of a bound contract with its constructor's arguments by name.
macro_rules! creation {
    ($salt:expr, $role:expr, $contract:ident { $($field:ident: $value:expr),+ $(,)? }) => {{
        let constructor = $contract::constructorCall { $($field: $value),+ };
        let explained = [$(format!("{} {:?}", stringify!($field), constructor.$field)),+].join(", ");
        $crate::plan::Creation::new(
            $salt,
            $role,
            stringify!($contract),
            &$contract::BYTECODE,
            &$contract::DEPLOYED_BYTECODE,
            &constructor,
            explained,
        )
    }};
}

pub(crate) use creation;

/// Where most chains have Multicall3 (github.com/mds1/multicall3).
const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// keccak256 of its code. The key that the address comes from is known to others than its authors, and on some chain other
/// code stands there: what it answers would be what a keeper believes.
const MULTICALL3_CODE_HASH: B256 =
    b256!("d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891");

/// Multicall3, where the chain has it, with its code, and not already ours: then a plan need not place one.
///
/// # Errors
/// [`DeployError::Rpc`].
pub async fn find_multicall(views: &impl Views) -> Result<Option<Address>, DeployError> {
    if !views.code(multicall().address).await?.is_empty() {
        return Ok(None);
    }
    let found = views.code(MULTICALL3).await?;
    let genuine = keccak256(&found) == MULTICALL3_CODE_HASH;
    if !genuine && !found.is_empty() {
        tracing::warn!(address = %MULTICALL3, "not Multicall3's code: a multicall of our own is placed");
    }
    Ok(genuine.then_some(MULTICALL3))
}

/// Our own multicall, the same for all systems of a chain.
pub(crate) fn multicall() -> Creation {
    let mut creation = Creation::bare(B256::ZERO, "multicall", "Multicall", &Multicall::BYTECODE);
    creation.runtime = Multicall::DEPLOYED_BYTECODE.clone();
    creation
}
