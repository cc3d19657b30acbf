//! What the rest of a plan costs, from the RPC's own execution of it.

use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::simulate::{SimBlock, SimulatePayload};
use alloy::rpc::types::{BlockOverrides, TransactionRequest};
use alloy::transports::RpcError;
use alloy_primitives::{Address, Bytes, U256};
use breakwater_bindings::describe_revert;

use crate::chain::failure;
use crate::error::DeployError;

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
    calls: &[(String, Address, Bytes)],
) -> Result<Option<Vec<u64>>, DeployError> {
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
    let block = |(number, (_, to, data)): (u64, &(String, Address, Bytes))| {
        let overrides = BlockOverrides {
            number: Some(U256::from(latest.header.number + number)),
            time: Some(latest.header.timestamp + number),
            ..BlockOverrides::default()
        };
        let request = TransactionRequest::default()
            .from(from)
            .to(*to)
            .input(data.clone().into());
        SimBlock::default()
            .with_block_overrides(overrides)
            .call(request)
    };
    let payload = SimulatePayload {
        block_state_calls: (1..).zip(calls).map(block).collect(),
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
    if results.len() != calls.len() {
        return Err(DeployError::Answer {
            during: during.to_owned(),
            expected: format!("{} results", calls.len()),
            found: results.len().to_string(),
        });
    }
    let mut gas = Vec::with_capacity(calls.len());
    for (result, (step, _, _)) in results.into_iter().zip(calls) {
        if !result.status {
            return Err(DeployError::Refused {
                step: step.clone(),
                reason: describe_revert(&result.return_data).unwrap_or_else(|| {
                    let error = result.error.map(|error| error.message);
                    error.unwrap_or_else(|| format!("reverted with {}", result.return_data))
                }),
            });
        }
        gas.push(result.gas_used);
    }
    Ok(Some(gas))
}
