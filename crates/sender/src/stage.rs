//! The durable writes, by name.

use std::fmt;
use std::sync::Arc;

/// A kind of durable write. A test kills the process right before and right after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The order is accepted; it has no nonce.
    Planned,
    /// Nonce, fees and signed bytes of the order's first transaction; nothing was broadcast yet.
    Signed,
    /// A node acknowledged the signed bytes.
    Broadcast,
    /// Signed bytes at higher fees for the same nonce.
    ReplacementSigned,
    /// The order is given up; signed bytes of the transfer that takes its nonce.
    CancelSigned,
    /// Signed bytes of a transfer for a nonce that nobody used and that blocks ours.
    FillSigned,
    /// One of the nonce's transactions is in a block.
    Included,
    /// The block left the chain; the nonce is open again.
    Reopened,
    /// The inclusion is [`crate::FINAL_DEPTH`] blocks deep.
    Final,
    /// The order ran out before it was signed.
    Expired,
    /// Somebody else's transaction took the nonce.
    Foreign,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Signed,
        Self::Broadcast,
        Self::ReplacementSigned,
        Self::CancelSigned,
        Self::FillSigned,
        Self::Included,
        Self::Reopened,
        Self::Final,
        Self::Expired,
        Self::Foreign,
    ];

    /// Name in lower case, words joined by hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Signed => "signed",
            Self::Broadcast => "broadcast",
            Self::ReplacementSigned => "replacement-signed",
            Self::CancelSigned => "cancel-signed",
            Self::FillSigned => "fill-signed",
            Self::Included => "included",
            Self::Reopened => "reopened",
            Self::Final => "final",
            Self::Expired => "expired",
            Self::Foreign => "foreign",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The side of a durable write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Nothing is on disk yet.
    Before,
    /// The write is on disk, nothing was done about it yet.
    After,
}

/// Called right before and right after every durable write.
#[derive(Clone)]
pub struct StageHook(Arc<dyn Fn(Stage, Edge) + Send + Sync>);

impl StageHook {
    /// Wraps a function. It runs on the sender's thread, which waits for it.
    pub fn new(function: impl Fn(Stage, Edge) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(crate) fn call(&self, stage: Stage, edge: Edge) {
        (self.0)(stage, edge);
    }
}

impl fmt::Debug for StageHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StageHook")
    }
}
