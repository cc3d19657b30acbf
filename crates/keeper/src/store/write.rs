//! The store's durable writes, by name.

use std::fmt;
use std::sync::Arc;

use breakwater_sender::Edge;

/// A kind of durable write. A test kills the process right before and right after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// An order and what was expected of it, before the sender has it.
    Order,
    /// A transaction was sent for an order.
    Sent,
    /// What came of an order.
    Realised,
    /// The block with it left the chain.
    Unrealised,
    /// Nothing more will become of an order.
    Closed,
    /// Liquidations of a block, in the ledger.
    Recorded,
    /// Blocks left the chain, and the ledger.
    Rewound,
    /// Why a liquidation was not ours: our own transaction failed.
    Reverted,
    /// The mirror.
    Snapshot,
    /// A wrong mirror is forgotten.
    SnapshotDropped,
}

impl Write {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Order,
        Self::Sent,
        Self::Realised,
        Self::Unrealised,
        Self::Closed,
        Self::Recorded,
        Self::Rewound,
        Self::Reverted,
        Self::Snapshot,
        Self::SnapshotDropped,
    ];

    /// Name in lower case, words joined by hyphens.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Sent => "sent",
            Self::Realised => "realised",
            Self::Unrealised => "unrealised",
            Self::Closed => "closed",
            Self::Recorded => "recorded",
            Self::Rewound => "rewound",
            Self::Reverted => "reverted",
            Self::Snapshot => "snapshot",
            Self::SnapshotDropped => "snapshot-dropped",
        }
    }
}

/// Called right before and right after every durable write; the keeper waits for it.
#[derive(Clone)]
pub struct WriteHook(Arc<dyn Fn(Write, Edge) + Send + Sync>);

impl WriteHook {
    /// Wraps a function.
    pub fn new(function: impl Fn(Write, Edge) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(super) fn call(&self, kind: Write, edge: Edge) {
        (self.0)(kind, edge);
    }
}

impl fmt::Debug for WriteHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteHook")
    }
}
