//! The caller's side: start a sender, give it orders and heads.

use alloy::providers::DynProvider;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::B256;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    Failure, Head, Order, OrderState, Report, SenderEnded, Settings, StartError, Status, Stopped,
    SubmitError, task,
};

/// Starts senders.
#[derive(Debug)]
pub struct Sender;

/// A running sender.
#[derive(Debug)]
pub struct Started {
    /// To drive it.
    pub handle: Handle,
    /// What it has to say. Never blocks the sender; ends with it.
    pub reports: mpsc::UnboundedReceiver<Report>,
    /// Ends after the cancellation of the token (or after the last handle is dropped), or by a failure.
    pub task: JoinHandle<Result<Stopped, Failure>>,
}

/// An order was taken: it is on disk, and will be signed as soon as the account's state at the last head is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The order's id.
    pub id: B256,
}

/// Drives a running sender. Clones share it.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    status: watch::Receiver<Status>,
}

pub(crate) enum Command {
    Submit(Box<Order>, oneshot::Sender<Result<Accepted, SubmitError>>),
    Lookup(B256, oneshot::Sender<Option<OrderState>>),
    Head(Head),
    Reorged(u64),
}

impl Sender {
    /// Locks the account and the journal, checks chain and journal against each other and starts the sender's task on the current
    /// runtime. What the journal has in flight is resumed at the first head, with the same bytes.
    ///
    /// # Errors
    /// See [`StartError`]; nothing was sent then.
    pub async fn start(
        provider: DynProvider,
        signer: PrivateKeySigner,
        settings: Settings,
        shutdown: CancellationToken,
    ) -> Result<Started, StartError> {
        task::start(provider, signer, settings, shutdown).await
    }
}

impl Handle {
    pub(crate) const fn new(
        commands: mpsc::UnboundedSender<Command>,
        status: watch::Receiver<Status>,
    ) -> Self {
        Self { commands, status }
    }

    /// Takes an order; returns once it is on disk.
    ///
    /// # Errors
    /// See [`SubmitError`]. Except for `Duplicate`, the id is not used up.
    pub async fn submit(&self, order: Order) -> Result<Accepted, SubmitError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Submit(Box::new(order), reply))
            .map_err(|_| SubmitError::ShuttingDown)?;
        answer.await.unwrap_or(Err(SubmitError::ShuttingDown))
    }

    /// Where an order stands by the journal; `None` if it was never taken.
    ///
    /// # Errors
    /// [`SenderEnded`]: nobody looked, and nothing follows for the order.
    pub async fn lookup(&self, id: B256) -> Result<Option<OrderState>, SenderEnded> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(Command::Lookup(id, reply))
            .map_err(|_| SenderEnded)?;
        answer.await.map_err(|_| SenderEnded)
    }

    /// Tells of a new canonical head. Call it for every one, also while shutting down: it is the sender's clock.
    pub fn new_head(&self, head: Head) {
        let _ = self.commands.send(Command::Head(head));
    }

    /// Tells that every block above `ancestor` has left the chain. The new branch's head follows by [`Self::new_head`].
    pub fn reorged(&self, ancestor: u64) {
        let _ = self.commands.send(Command::Reorged(ancestor));
    }

    /// The sender's state after its last step. Does not wait.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }
}
