//! The default plan, as `script/Defaults.sol` says it: read by executing it, so that nothing is written down twice.

use std::sync::OnceLock;

use alloy_primitives::{Address, Bytes, U256};
use breakwater_evm::{
    BlockEnvironment, CallError, Chain, EvmError, MemoryChain, Rules, Transaction,
};

use crate::plan::same;
use breakwater_bindings::BackstopDeployer;
pub use breakwater_bindings::SystemDeployer;
use breakwater_bindings::backstop_pool::BackstopPool::BackstopParameters;

pub use breakwater_bindings::system_deployer::SystemDeployer::{CollateralPlan, SystemPlan};

/// Gas for placing the deployer, whose code is larger than a block of a chain would take.
const GAS: u64 = 2_000_000_000;

/// The default plan, with one default collateral; addresses are zero.
///
/// # Panics
/// If the compiled-in contract does not execute, which no input can bring about.
#[must_use]
pub fn system_plan() -> SystemPlan {
    static PLAN: OnceLock<SystemPlan> = OnceLock::new();
    PLAN.get_or_init(|| execute().unwrap_or_else(|error| panic!("the default plan: {error}")))
        .clone()
}

/// The default parameters of a backstop, as `contracts/backstop/BackstopParameters.sol` says them; amounts and the pool are zero.
///
/// # Panics
/// If the compiled-in contract does not execute, which no input can bring about.
#[must_use]
pub fn backstop_parameters() -> BackstopParameters {
    let read = || {
        let (mut chain, deployer) = place(&BackstopDeployer::BYTECODE)?;
        let call = BackstopDeployer::defaultParametersCall {
            pool: Address::ZERO,
            unit: U256::ZERO,
        };
        chain.call_sol(Address::ZERO, deployer, &call)
    };
    let read: Result<_, CallError> = read();
    same(&read.unwrap_or_else(|error| panic!("the default backstop: {error}")))
}

/// The default bounds of a feed of a price, or (`is_quote`) of the debt token's, in its decimals.
///
/// # Errors
/// Where they do not fit 128 bits.
pub(crate) fn feed_bounds(decimals: u8, is_quote: bool) -> Result<(u128, u128), CallError> {
    let (mut chain, deployer) = deployed()?;
    let call = SystemDeployer::feedBoundsCall {
        decimals,
        isQuote: is_quote,
    };
    let bounds = chain.call_sol(Address::ZERO, deployer, &call)?;
    Ok((bounds.minAnswer, bounds.maxAnswer))
}

fn execute() -> Result<SystemPlan, CallError> {
    let (mut chain, deployer) = deployed()?;
    chain.call_sol(Address::ZERO, deployer, &SystemDeployer::defaultPlanCall {})
}

/// A chain with the deployer on it.
fn deployed() -> Result<(MemoryChain, Address), CallError> {
    place(&SystemDeployer::BYTECODE)
}

/// A chain with a contract on it.
fn place(code: &Bytes) -> Result<(MemoryChain, Address), CallError> {
    let mut chain = MemoryChain::new(Rules {
        code_size_limit: Some(usize::MAX),
        ..Rules::default()
    });
    chain.begin_block(BlockEnvironment {
        number: 1,
        gas_limit: GAS,
        ..BlockEnvironment::default()
    });
    let creation = Transaction {
        gas_limit: GAS,
        ..Transaction::create(Address::ZERO, code.clone())
    };
    let created = chain.execute(&creation)?.into_success()?.created;
    let deployer = created.ok_or_else(|| EvmError::Engine("no address was created".to_owned()))?;
    Ok((chain, deployer))
}
