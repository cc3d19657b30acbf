//! Why a keeper does not start, or stopped.

use breakwater_deploy::ManifestError;
use breakwater_operator::account::AccountError;
use breakwater_operator::http::HttpError;
use breakwater_protocol::MirrorError;
use breakwater_rpc::{ConnectError, EndpointError, RpcError};
use breakwater_sender::{JournalError, StartError};

use crate::store::StoreError;
use crate::system::SystemError;

/// Why a keeper does not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum RunError {
    #[error("chain.rpc_urls: {0}")]
    Endpoint(#[from] EndpointError),
    #[error("cannot connect: {0}")]
    Connect(#[from] ConnectError),
    #[error("chain.manifest: {0}")]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    System(#[from] SystemError),
    #[error("the account: {0}")]
    Account(#[from] AccountError),
    #[error("state.directory: {0}")]
    Store(#[from] StoreError),
    #[error("state.directory: {0}")]
    Lock(#[from] breakwater_sender::LockError),
    #[error("the sender: {0}")]
    Sender(#[from] StartError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("cannot read {what}: {source}")]
    Rpc { what: String, source: RpcError },
    #[error("the mirror: {0}")]
    Mirror(#[from] MirrorError),
    #[error("the mirror: {0}")]
    View(#[from] breakwater_protocol::ViewError),
    #[error("{account} has no debt in this pool and holds no collateral of it")]
    UnknownAccount { account: alloy_primitives::Address },
    #[error("block {block} is not in the chain, whose head is {head}")]
    UnknownBlock { block: u64, head: u64 },
    /// A supervised task ended by itself.
    #[error("{task} ended: {reason}")]
    Ended { task: &'static str, reason: String },
}

impl RunError {
    /// Whether what the user gave has to change: configuration, manifest, account, state directory. Anything else may be
    /// different at the next start.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        match self {
            Self::Endpoint(_)
            | Self::Manifest(_)
            | Self::Account(_)
            | Self::UnknownAccount { .. }
            | Self::UnknownBlock { .. } => true,
            Self::Connect(error) => matches!(error, ConnectError::WrongChain { .. }),
            Self::System(error) => !matches!(error, SystemError::Rpc { .. }),
            Self::Store(error) => {
                matches!(
                    error,
                    StoreError::Schema { .. } | StoreError::Belongs { .. }
                )
            }
            Self::Sender(StartError::Journal(error)) => matches!(
                error,
                JournalError::Schema { .. } | JournalError::Belongs { .. }
            ),
            _ => false,
        }
    }
}
