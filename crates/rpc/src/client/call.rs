//! Reading contracts: one call, many calls at once, and a transaction as if it were sent.

use alloy::{
    eips::BlockId,
    rpc::types::{BlockOverrides, TransactionRequest, state::StateOverride},
};
use alloy_primitives::{Address, Bytes, TxKind};
use alloy_sol_types::{SolCall, sol};
use breakwater_bindings::describe_revert;

use super::Client;
use crate::RpcError;

sol! {
    /// The part of Multicall3 (mds1/multicall3, deployed at 0xcA11bde05977b3631167028862bE2a173976CA11 on most chains)
    /// that is used.
    #[derive(Debug)]
    interface Multicall3 {
        /// One call.
        struct Call3 {
            address target;
            bool allowFailure;
            bytes callData;
        }

        /// Its result.
        struct Result {
            bool success;
            bytes returnData;
        }

        /// Makes the calls in order.
        function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData);
    }
}

/// A call to make among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetCall {
    /// The contract.
    pub to: Address,
    /// Selector and arguments.
    pub data: Bytes,
}

impl TargetCall {
    /// A typed call.
    #[must_use]
    pub fn new<C: SolCall>(to: Address, call: &C) -> Self {
        Self {
            to,
            data: call.abi_encode().into(),
        }
    }
}

/// One of several calls reverted; the others stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reverted: {}", describe_revert(.data).unwrap_or_else(|| .data.to_string()))]
pub struct CallReverted {
    /// The revert's data, empty if there was none.
    pub data: Bytes,
}

impl Client {
    /// What the contract at `to` answers in the state after `block`.
    ///
    /// # Errors
    /// [`RpcError::Reverted`], [`RpcError::Malformed`] if the answer is not of the call's type (no contract there, for
    /// example), and whatever a request can fail with.
    pub async fn view<C: SolCall>(
        &self,
        block: BlockId,
        to: Address,
        call: &C,
    ) -> Result<C::Return, RpcError> {
        let request = request_of(to, call.abi_encode().into());
        let answer = self.call_node(&request, block, None, None).await?;
        C::abi_decode_returns(&answer)
            .map_err(|cause| undecodable(C::SIGNATURE, to, &answer, &cause))
    }

    /// Many calls in one request, through the Multicall3 at `multicall`, in the state after `block`; with `overrides` as if
    /// in a block of that time, number or base fee. Each call's own revert is in its place of the result, which has the
    /// order and length of `calls`.
    ///
    /// # Errors
    /// [`RpcError`] if there is no answer for any: among others [`RpcError::Malformed`] without a Multicall3 at that address,
    /// and [`RpcError::Reverted`] if all of them together need more gas than the node allows a call.
    pub async fn multicall(
        &self,
        multicall: Address,
        block: BlockId,
        calls: &[TargetCall],
        overrides: Option<BlockOverrides>,
    ) -> Result<Vec<Result<Bytes, CallReverted>>, RpcError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let calls3 = calls.iter().map(|call| Multicall3::Call3 {
            target: call.to,
            allowFailure: true,
            callData: call.data.clone(),
        });
        let call = Multicall3::aggregate3Call {
            calls: calls3.collect(),
        };
        let request = request_of(multicall, call.abi_encode().into());
        let answer = self.call_node(&request, block, None, overrides).await?;
        let results = Multicall3::aggregate3Call::abi_decode_returns(&answer).map_err(|cause| {
            undecodable(
                Multicall3::aggregate3Call::SIGNATURE,
                multicall,
                &answer,
                &cause,
            )
        })?;
        if results.len() != calls.len() {
            return Err(RpcError::Malformed {
                endpoint: multicall.to_string(),
                method: "aggregate3".to_owned(),
                reason: format!("{} results of {} calls", results.len(), calls.len()),
            });
        }
        let results = results.into_iter().map(|result| match result.success {
            true => Ok(result.returnData),
            false => Err(CallReverted {
                data: result.returnData,
            }),
        });
        Ok(results.collect())
    }

    /// What `transaction` would return on the state after `block`, with `overrides` as if in a block of that time, number or
    /// base fee, and `state` changed as given.
    ///
    /// # Errors
    /// [`RpcError::Reverted`] with the decoded reason in its message; [`RpcError::Refused`] for what no EVM would start
    /// (funds, fee below base fee).
    pub async fn simulate(
        &self,
        transaction: &TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
        overrides: Option<BlockOverrides>,
    ) -> Result<Bytes, RpcError> {
        self.call_node(transaction, block, state, overrides).await
    }

    async fn call_node(
        &self,
        request: &TransactionRequest,
        block: BlockId,
        state: Option<StateOverride>,
        overrides: Option<BlockOverrides>,
    ) -> Result<Bytes, RpcError> {
        // Older nodes refuse parameters that they do not know: none is sent that is not needed.
        match (state, overrides) {
            (None, None) => self.request("eth_call", (request, block)).await,
            (Some(state), None) => self.request("eth_call", (request, block, state)).await,
            (state, Some(overrides)) => {
                self.request(
                    "eth_call",
                    (request, block, state.unwrap_or_default(), overrides),
                )
                .await
            }
        }
    }
}

fn request_of(to: Address, data: Bytes) -> TransactionRequest {
    TransactionRequest {
        to: Some(TxKind::Call(to)),
        input: data.into(),
        ..Default::default()
    }
}

fn undecodable(
    signature: &str,
    to: Address,
    answer: &Bytes,
    cause: &alloy_sol_types::Error,
) -> RpcError {
    let reason = if answer.is_empty() {
        "no data: is there a contract at that address?".to_owned()
    } else {
        format!("{} bytes that it cannot return: {cause}", answer.len())
    };
    RpcError::Malformed {
        endpoint: to.to_string(),
        method: signature.to_owned(),
        reason,
    }
}
