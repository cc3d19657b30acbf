//! Who sends.

use alloy::consensus::TxEnvelope;
use alloy::network::{EthereumWallet, NetworkTransactionBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::Address;

use crate::error::DeployError;

/// The account that sends a deployment's transactions.
#[derive(Clone, Debug)]
pub enum Account {
    /// Signs here. A transaction's hash is recorded before it is sent.
    Key(PrivateKeySigner),
    /// The node signs, as a local anvil does for its accounts.
    Unlocked(Address),
}

impl Account {
    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Address {
        match self {
            Self::Key(signer) => signer.address(),
            Self::Unlocked(address) => *address,
        }
    }
}

/// Signs a request that is complete.
pub(crate) async fn sign(
    signer: &PrivateKeySigner,
    step: &str,
    request: TransactionRequest,
) -> Result<TxEnvelope, DeployError> {
    let wallet = EthereumWallet::from(signer.clone());
    let signed = request.build(&wallet).await;
    signed.map_err(|error| DeployError::Plan(format!("{step}: cannot be signed: {error}")))
}
