//! Typed reading: of a chain over RPC, or of anything that answers views.

use std::future::Future;
use std::time::Duration;

use alloy::eips::BlockId;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::transports::http::reqwest::{self, Url, redirect::Policy};
use alloy::transports::{RpcError, TransportError};
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use breakwater_bindings::describe_revert;

use crate::error::DeployError;

/// What answers views and shows code: a chain over RPC, or one in this process.
pub trait Views: Sync {
    /// What a call answers; `what` says for messages what is read.
    ///
    /// # Errors
    /// [`DeployError::Refused`] where the contract reverts, [`DeployError::Rpc`].
    fn view(
        &self,
        what: &str,
        to: Address,
        data: Bytes,
    ) -> impl Future<Output = Result<Bytes, DeployError>> + Send;

    /// The code at an address; empty where there is none.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    fn code(&self, address: Address) -> impl Future<Output = Result<Bytes, DeployError>> + Send;

    /// A typed view.
    ///
    /// # Errors
    /// As [`Views::view`], and [`DeployError::Answer`] for what does not decode.
    fn read<C: SolCall + Send + Sync>(
        &self,
        to: Address,
        call: C,
    ) -> impl Future<Output = Result<C::Return, DeployError>> + Send
    where
        C::Return: Send,
    {
        async move {
            let what = format!("read {} of {to}", C::SIGNATURE);
            let answer = self.view(&what, to, call.abi_encode().into()).await?;
            C::abi_decode_returns(&answer).map_err(|error| DeployError::Answer {
                during: what,
                expected: "its return values".to_owned(),
                found: format!("{answer} ({error})"),
            })
        }
    }
}

/// Longest wait for one answer: a node that hangs is one that fails.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection to an RPC over HTTP. Redirections are not followed.
///
/// # Errors
/// [`DeployError::Url`] for an address of another kind.
pub fn connect(url: &str) -> Result<DynProvider, DeployError> {
    let wrong = |reason: String| DeployError::Url { reason };
    let url: Url = url.parse().map_err(|error| wrong(format!("{error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("its scheme is {}", url.scheme())));
    }
    // Whoever answers in place of the RPC must not send its requests, transactions among them, to where it likes.
    let client = reqwest::Client::builder()
        .timeout(ANSWER)
        .redirect(Policy::none())
        .build();
    let client = client.map_err(|error| wrong(error.to_string()))?;
    Ok(ProviderBuilder::new()
        .disable_recommended_fillers()
        .connect_reqwest(client, url)
        .erased())
}

/// The chain that the RPC is of.
///
/// # Errors
/// [`DeployError::Rpc`].
pub async fn chain_id(provider: &DynProvider) -> Result<u64, DeployError> {
    let id = provider.get_chain_id().await;
    id.map_err(|error| failure("read the chain id", error))
}

/// A chain over RPC, at its latest block.
#[derive(Clone, Debug)]
pub struct RpcViews {
    provider: DynProvider,
    block: BlockId,
}

impl RpcViews {
    /// Over this provider, of its latest block.
    #[must_use]
    pub const fn new(provider: DynProvider) -> Self {
        Self {
            provider,
            block: BlockId::latest(),
        }
    }

    /// Of the block of a number; code is the latest's all the same.
    #[must_use]
    pub const fn at(provider: DynProvider, block: u64) -> Self {
        Self {
            provider,
            block: BlockId::number(block),
        }
    }
}

impl Views for RpcViews {
    async fn view(&self, what: &str, to: Address, data: Bytes) -> Result<Bytes, DeployError> {
        let request = TransactionRequest::default().to(to).input(data.into());
        let answer = self.provider.call(request).block(self.block).await;
        answer.map_err(|error| failure(what, error))
    }

    async fn code(&self, address: Address) -> Result<Bytes, DeployError> {
        let code = self.provider.get_code_at(address).await;
        code.map_err(|error| failure(&format!("read the code of {address}"), error))
    }
}

/// A failed call: refused by a contract if there is a revert in the answer, else the RPC's.
pub fn failure(what: &str, error: TransportError) -> DeployError {
    match revert(&error) {
        Some(reason) => DeployError::Refused {
            step: what.to_owned(),
            reason,
        },
        None => DeployError::Rpc {
            during: what.to_owned(),
            source: error,
        },
    }
}

/// What a contract said, where the error is a revert.
fn revert(error: &TransportError) -> Option<String> {
    let RpcError::ErrorResp(payload) = error else {
        return None;
    };
    match payload.as_revert_data() {
        Some(data) if !data.is_empty() => {
            Some(describe_revert(&data).unwrap_or_else(|| format!("unknown error {data}")))
        }
        // Nodes differ in the code (3 or -32000) of a revert without data.
        _ if payload.message.contains("revert") => Some(payload.message.to_string()),
        _ => None,
    }
}
