//! The state machine: commands and observations in, journal writes, reports and work out. It does no I/O but the journal's and
//! never waits, so that no provider can hold it up.

mod settle;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{B256, U256};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::fees::Fees;
use crate::journal::{Journal, Loaded};
use crate::slot::{Goal, Slot, SlotState, order_cost};
use crate::{
    Accepted, Alarm, Cause, Failure, Head, InFlight, Inclusion, Order, Outcome, Report, Settings,
    Status, SubmitError,
};

/// First wait before a request that failed is repeated; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How the offered transaction of a nonce is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Due,
    Sending,
    /// A node took it at this head.
    Taken {
        at: u64,
    },
    /// Unknown; to be sent again.
    Retry {
        when: Instant,
        pause: Duration,
    },
    /// Refused for what a new block may change.
    NextHead,
}

/// The account at the last head that was read.
#[derive(Clone, Copy, Debug)]
struct View {
    head: Head,
    count: u64,
    balance: U256,
}

pub(crate) struct Engine {
    settings: Settings,
    signer: PrivateKeySigner,
    journal: Journal,
    reports: mpsc::UnboundedSender<Report>,
    planned: VecDeque<Order>,
    /// Nonces that are not settled.
    slots: BTreeMap<u64, Slot>,
    deliveries: HashMap<u64, Delivery>,
    /// Nonce of the next new order.
    floor: u64,
    /// No chain that is believed has used fewer nonces.
    settled: u64,
    /// The floor has been raised to what the chain had used at the first head.
    adopted: bool,
    head: Option<Head>,
    view: Option<View>,
    /// Counts reorgs: what was read before one is void.
    generation: u64,
    observing: bool,
    /// Repeat a failed observation then, after this pause.
    observe_again: Option<(Instant, Duration)>,
    /// Inclusions to be read again after a start or a reorg.
    suspects: BTreeSet<u64>,
    /// Head at which decisions were last taken.
    decided: Option<B256>,
    /// The nonce that is next in line, and the head since when.
    line: Option<(u64, u64)>,
    /// The lowest nonce that nobody used, and the head since when.
    gap: Option<(u64, u64)>,
    /// Heads at which a used nonce could not be accounted for, and the time of the first.
    missing: HashMap<u64, (u32, u64)>,
    funds_short: bool,
    provider_error: Option<String>,
    alarm: Option<Alarm>,
    draining: bool,
}

impl Engine {
    /// Goes on from the journal; `pending` is the first nonce free in the provider's pool.
    pub fn new(
        settings: Settings,
        signer: PrivateKeySigner,
        journal: Journal,
        loaded: Loaded,
        pending: u64,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Self {
        let Loaded {
            planned,
            slots,
            floor,
            settled,
        } = loaded;
        if pending > floor {
            info!(
                pending,
                journal = floor,
                "the account was used without this journal; going on above it"
            );
        }
        let deliveries = slots.keys().map(|nonce| (*nonce, Delivery::Due)).collect();
        // The chain may have turned back while nobody looked.
        let suspects = settled_for_now(&slots).collect();
        let engine = Self {
            settings,
            signer,
            journal,
            reports,
            planned: planned.into(),
            slots,
            deliveries,
            floor: floor.max(pending),
            settled,
            adopted: false,
            head: None,
            view: None,
            generation: 0,
            observing: false,
            observe_again: None,
            suspects,
            decided: None,
            line: None,
            gap: None,
            missing: HashMap::new(),
            funds_short: false,
            provider_error: None,
            alarm: None,
            draining: false,
        };
        engine.repeat_reports();
        engine
    }

    /// What is not final is said again: the process may have ended between the write and the caller's reading of the report.
    fn repeat_reports(&self) {
        for slot in self.slots.values() {
            match (&slot.state, &slot.goal) {
                (SlotState::Included(inclusion), _) => {
                    self.report(slot, inclusion_outcome(slot, *inclusion));
                }
                (SlotState::Foreign { hash, .. }, _) => {
                    self.report(
                        slot,
                        Outcome::Dropped {
                            nonce: slot.nonce,
                            foreign: *hash,
                        },
                    );
                }
                (SlotState::Open, Goal::Cancel(cause)) => {
                    self.report(slot, Outcome::Cancelling(cause.clone()))
                }
                (SlotState::Open, _) => {}
            }
        }
        // What was included so long ago that nobody repeats it can be asked for by `Handle::lookup`.
    }

    /// Takes an order, durably.
    pub fn submit(&mut self, order: Order) -> Result<Result<Accepted, SubmitError>, Failure> {
        if let Err(refusal) = self.admit(&order)? {
            return Ok(Err(refusal));
        }
        self.journal.plan(&order)?;
        info!(id = %order.id, label = order.label, "order taken");
        let accepted = Accepted { id: order.id };
        self.planned.push_back(order);
        Ok(Ok(accepted))
    }

    fn admit(&self, order: &Order) -> Result<Result<(), SubmitError>, Failure> {
        // First, so that a repeated order always learns what became of it.
        if let Some(state) = self.journal.lookup(order.id)? {
            return Ok(Err(SubmitError::Duplicate {
                id: order.id,
                state,
            }));
        }
        if self.draining {
            return Ok(Err(SubmitError::ShuttingDown));
        }
        if let Some(alarm) = &self.alarm {
            return Ok(Err(SubmitError::Halted(alarm.clone())));
        }
        if let Err(error) = order.check() {
            return Ok(Err(error.into()));
        }
        if self.under_way() >= self.settings.max_in_flight {
            return Ok(Err(SubmitError::Full {
                limit: self.settings.max_in_flight,
            }));
        }
        if let Some(head) = self.head {
            if order.valid_until < head.timestamp {
                return Ok(Err(SubmitError::Expired {
                    valid_until: order.valid_until,
                    now: head.timestamp,
                }));
            }
            if order.max_fee_ceiling < head.next_base_fee {
                return Ok(Err(SubmitError::FeeTooLow {
                    max_fee: order.max_fee_ceiling,
                    base_fee: head.next_base_fee,
                }));
            }
        }
        Ok(Ok(()))
    }

    pub fn lookup(&self, id: B256) -> Result<Option<crate::OrderState>, Failure> {
        Ok(self.journal.lookup(id)?)
    }

    /// A new canonical head.
    pub fn new_head(&mut self, head: Head) -> Result<(), Failure> {
        if let Some(known) = self.head {
            if known.hash == head.hash {
                return Ok(());
            }
            if head.number <= known.number {
                // The follower should have told; what is at this height or above is not what it was.
                self.reorged(head.number.saturating_sub(1))?;
            }
        }
        self.head = Some(head);
        self.observe_again = None;
        for delivery in self.deliveries.values_mut() {
            if *delivery == Delivery::NextHead {
                *delivery = Delivery::Due;
            }
        }
        self.expire_planned(head.timestamp)
    }

    /// Every block above `ancestor` has left the chain.
    pub fn reorged(&mut self, ancestor: u64) -> Result<(), Failure> {
        warn!(ancestor, "reorg");
        self.generation += 1;
        self.head = None;
        self.view = None;
        self.line = None;
        self.gap = None;
        let above: Vec<u64> = self
            .slots
            .values()
            .filter(|slot| match slot.state {
                SlotState::Open => false,
                SlotState::Included(inclusion) => inclusion.block_number > ancestor,
                SlotState::Foreign { block_number, .. } => block_number > ancestor,
            })
            .map(|slot| slot.nonce)
            .collect();
        for nonce in above {
            self.reopen(nonce)?;
        }
        self.missing.clear();
        self.suspects.extend(settled_for_now(&self.slots));
        Ok(())
    }

    /// From now on nothing new is taken or signed; what is out is followed, replaced and cancelled as before.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether nothing is out any more that waiting would help.
    pub fn is_drained(&self) -> bool {
        self.alarm.is_some() || self.slots.values().all(|slot| !slot.is_open())
    }

    /// Orders planned or signed and in no block.
    pub fn under_way(&self) -> usize {
        let open = self
            .slots
            .values()
            .filter(|slot| slot.is_open() && slot.order.is_some())
            .count();
        self.planned.len() + open
    }

    pub fn status(&self) -> Status {
        let planned = self.planned.iter().map(|order| InFlight {
            id: Some(order.id),
            label: order.label.clone(),
            nonce: None,
            hash: None,
            max_fee_per_gas: order.max_fee_per_gas,
            attempts: 0,
            cancelling: false,
        });
        let open = self
            .slots
            .values()
            .filter(|slot| slot.is_open())
            .map(Slot::in_flight);
        Status {
            address: self.signer.address(),
            head: self.head,
            next_nonce: self.floor,
            chain_nonce: self.view.map(|view| view.count),
            balance: self.view.map(|view| view.balance),
            balance_low: self.balance_low(),
            in_flight: open.chain(planned).collect(),
            alarm: self.alarm.clone(),
            provider_error: self.provider_error.clone(),
        }
    }

    fn balance_low(&self) -> bool {
        let Some(view) = self.view else {
            return self.funds_short;
        };
        let planned = self.planned.iter().map(|order| {
            order_cost(
                order,
                Fees {
                    max_fee: order.max_fee_per_gas,
                    priority: order.max_priority_fee_per_gas,
                },
            )
        });
        let needed = planned.fold(self.committed(view.count), U256::saturating_add);
        self.funds_short || view.balance < self.settings.low_balance || view.balance < needed
    }

    /// Most wei that the transactions which are out can cost.
    fn committed(&self, count: u64) -> U256 {
        self.slots
            .range(count..)
            .filter(|(_, slot)| slot.is_open())
            .fold(U256::ZERO, |sum, (_, slot)| sum.saturating_add(slot.cost()))
    }

    fn expire_planned(&mut self, now: u64) -> Result<(), Failure> {
        let (expired, kept): (VecDeque<Order>, VecDeque<Order>) = self
            .planned
            .drain(..)
            .partition(|order| order.valid_until < now);
        self.planned = kept;
        for order in expired {
            self.journal.expire(order.id)?;
            info!(id = %order.id, label = order.label, "order ran out unsigned");
            self.tell(Report::Order {
                id: order.id,
                label: order.label,
                outcome: Outcome::Expired,
            });
        }
        Ok(())
    }

    fn raise(&mut self, alarm: Alarm) {
        if self.alarm.is_none() {
            error!(%alarm, "nothing is signed any more");
            self.alarm = Some(alarm.clone());
            self.tell(Report::Alarm(alarm));
        }
    }

    fn report(&self, slot: &Slot, outcome: Outcome) {
        let Some(order) = &slot.order else { return };
        info!(id = %order.id, label = order.label, nonce = slot.nonce, ?outcome, "order");
        self.tell(Report::Order {
            id: order.id,
            label: order.label.clone(),
            outcome,
        });
    }

    fn tell(&self, report: Report) {
        // A caller that dropped the receiver does not want to know; the journal knows.
        let _ = self.reports.send(report);
    }
}

/// Nonces that are in a block which may still leave the chain.
fn settled_for_now(slots: &BTreeMap<u64, Slot>) -> impl Iterator<Item = u64> {
    let settled = slots.values().filter(|slot| !slot.is_open());
    settled.map(|slot| slot.nonce)
}

/// What an inclusion means for the order: its call, or the transfer that cancelled it.
fn inclusion_outcome(slot: &Slot, inclusion: Inclusion) -> Outcome {
    let cancels = slot
        .attempt(inclusion.hash)
        .is_some_and(|attempt| attempt.cancels);
    match &slot.goal {
        Goal::Cancel(cause) if cancels => Outcome::Cancelled(cause.clone(), inclusion),
        _ => Outcome::Included(inclusion),
    }
}

impl From<&Cause> for Goal {
    fn from(cause: &Cause) -> Self {
        Self::Cancel(cause.clone())
    }
}
