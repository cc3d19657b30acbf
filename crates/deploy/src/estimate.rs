//! What the rest of a plan costs, from the RPC's own execution of it.

use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::simulate::{SimBlock, SimCallResult, SimulatePayload};
use alloy::rpc::types::state::{AccountOverride, StateOverride};
use alloy::rpc::types::{BlockOverrides, TransactionRequest};
use alloy::transports::RpcError;
use alloy_primitives::{Address, Bytes, U256};
use breakwater_bindings::describe_revert;

use crate::chain::failure;
use crate::create2::{self, FACTORY};
use crate::error::DeployError;

/// A step, whom its call goes to, and with what.
type Call = (String, Address, Bytes);

/// JSON-RPC: no such method; geth's and others' code for one that is turned off.
const METHOD_MISSING: [i64; 2] = [-32601, -32004];

/// What the open steps of a plan cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Gas of each step of the plan; `None` for steps that are done, and all `None` where the RPC cannot simulate.
    pub steps: Vec<Option<u64>>,
    /// Gas of all open steps; `None` where the RPC cannot simulate.
    pub total: Option<u64>,
    /// Wei a gas, at most, at present.
    pub fee: u128,
}

/// Executes calls one after another on top of the latest block, each in a block of its own a second later, and says the gas
/// of each; `None` where the RPC cannot.
pub(crate) async fn simulate(
    provider: &DynProvider,
    from: Address,
    calls: &[Call],
) -> Result<Option<Vec<u64>>, DeployError> {
    let requests: Vec<_> = calls.iter().map(|call| request(from, call)).collect();
    let Some(results) = execute(provider, &requests, StateOverride::default()).await? else {
        return Ok(None);
    };
    let mut gas = Vec::with_capacity(calls.len());
    for (place, (result, call)) in results.into_iter().zip(calls).enumerate() {
        if result.status {
            gas.push(result.gas_used);
            continue;
        }
        let said = match told(&result) {
            None => of_constructor(provider, from, &requests[..place], call).await,
            said => said,
        };
        return Err(DeployError::Refused {
            step: call.0.clone(),
            reason: said.unwrap_or_else(|| {
                let error = result.error.map(|error| error.message);
                error.unwrap_or_else(|| format!("reverted with {}", result.return_data))
            }),
        });
    }
    Ok(Some(gas))
}

fn request(from: Address, (_, to, data): &Call) -> TransactionRequest {
    let request = TransactionRequest::default().from(from).to(*to);
    request.input(data.clone().into())
}

/// A contract's own words.
fn told(result: &SimCallResult) -> Option<String> {
    describe_revert(&result.return_data)
}

/// Why a contract is not created, in its constructor's words, which the factory does not hand on: what its creation code says where it
/// is called, after the same calls, as if it stood where the contract is to be.
async fn of_constructor(
    provider: &DynProvider,
    from: Address,
    before: &[TransactionRequest],
    (step, to, data): &Call,
) -> Option<String> {
    let (salt, code) = create2::parts(data).filter(|_| *to == FACTORY)?;
    let address = create2::address_of(salt, &code);
    let call = request(from, &(step.clone(), address, Bytes::new()));
    let standing = AccountOverride::default().with_code(code);
    let requests = [before, &[call]].concat();
    let overrides = StateOverride::from_iter([(address, standing)]);
    let results = execute(provider, &requests, overrides).await.ok()??;
    told(results.last()?)
}

/// The results of calls one after another on top of the latest block, the last of them on a state that is changed by `overrides`; `None`
/// where the RPC cannot.
async fn execute(
    provider: &DynProvider,
    requests: &[TransactionRequest],
    overrides: StateOverride,
) -> Result<Option<Vec<SimCallResult>>, DeployError> {
    let during = "simulate the plan";
    let latest = provider
        .get_block_by_number(alloy::eips::BlockNumberOrTag::Latest)
        .await
        .map_err(|error| failure(during, error))?
        .ok_or_else(|| DeployError::Answer {
            during: during.to_owned(),
            expected: "the latest block".to_owned(),
            found: "none".to_owned(),
        })?;
    let block = |(number, request): (u64, &TransactionRequest)| {
        let overrides = BlockOverrides {
            number: Some(U256::from(latest.header.number + number)),
            time: Some(latest.header.timestamp + number),
            ..BlockOverrides::default()
        };
        SimBlock::default()
            .with_block_overrides(overrides)
            .call(request.clone())
    };
    let mut block_state_calls: Vec<_> = (1..).zip(requests).map(block).collect();
    if let Some(last) = block_state_calls.last_mut() {
        last.state_overrides = Some(overrides);
    }
    let payload = SimulatePayload {
        block_state_calls,
        trace_transfers: false,
        validation: false,
        return_full_transactions: false,
    };
    let blocks = match provider.simulate(&payload).await {
        Ok(blocks) => blocks,
        Err(RpcError::ErrorResp(error)) if METHOD_MISSING.contains(&error.code) => {
            return Ok(None);
        }
        Err(error) => return Err(failure(during, error)),
    };
    let results: Vec<_> = blocks.into_iter().flat_map(|block| block.calls).collect();
    if results.len() != requests.len() {
        return Err(DeployError::Answer {
            during: during.to_owned(),
            expected: format!("{} results", requests.len()),
            found: results.len().to_string(),
        });
    }
    Ok(Some(results))
}
