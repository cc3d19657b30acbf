//! Looking at the keeper from outside, as an operator does: what it publishes, and why it waits.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use alloy_primitives::Address;
use breakwater_operator::status::{BidState, PositionStatus, Status};
use breakwater_protocol::policy::Refusal;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::cast::name_of;
use super::error::DrillError;
use super::tell::{clock, grouped};

/// Longest wait for the keeper to come to a state that needs no new block.
const PATIENCE: Duration = Duration::from_secs(60);

/// The least profit that a keeper asks by default, debt tokens.
const MIN_PROFIT: f64 = 1.0;

/// What the bucket has comes and goes: how often one reason of one account is told in a part.
const TELL_AT_MOST: u32 = 2;

/// Why the keeper does not act on a position that it might liquidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Wait {
    /// The venue has not confirmed the fall.
    Confirmation,
    /// The volume bucket is empty.
    Bucket,
    /// The bonus does not pay yet.
    Bonus,
    /// It would pay, but not beside what is sold for others in the same block.
    Queue,
    /// Something else.
    Other,
}

impl Wait {
    fn of(reason: &str) -> Self {
        let refused = |refusal: Refusal| reason == refusal.to_string();
        if refused(Refusal::Unconfirmed) {
            Self::Confirmation
        } else if refused(Refusal::Bucket) || refused(Refusal::Slice) {
            Self::Bucket
        } else if let Some(rest) = reason.strip_prefix("would leave ") {
            let left = rest.split(' ').next().and_then(|left| left.parse().ok());
            if left.is_some_and(|left: f64| left > MIN_PROFIT) {
                Self::Queue
            } else {
                Self::Bonus
            }
        } else {
            Self::Other
        }
    }
}

/// When the keeper means to bid for a position, as it says at a head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Forecast {
    /// The time it was made, the chain's.
    pub made: u64,
    /// The time planned for.
    pub at: u64,
}

/// What was seen of the keeper.
pub(super) struct Watch {
    status: watch::Receiver<Status>,
    stop: CancellationToken,
    /// The chain's time when it started: times are told from there.
    pub start: u64,
    waits: HashMap<Address, Wait>,
    /// How often each was told in this part.
    told: HashMap<(Wait, Address), u32>,
    /// Every reason that it ever had, by account.
    pub seen: BTreeSet<(Wait, Address)>,
    /// What it meant to do.
    pub forecasts: Vec<(Address, Forecast)>,
}

impl Watch {
    pub fn new(status: watch::Receiver<Status>, stop: CancellationToken, start: u64) -> Self {
        Self {
            status,
            stop,
            start,
            waits: HashMap::new(),
            told: HashMap::new(),
            seen: BTreeSet::new(),
            forecasts: Vec::new(),
        }
    }

    /// A new part begins, in which everything may be told again.
    pub fn forget(&mut self) {
        self.told.clear();
    }

    /// What it publishes now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits for a state of what it publishes.
    pub async fn until(
        &mut self,
        what: &str,
        done: impl Fn(&Status) -> bool,
    ) -> Result<Status, DrillError> {
        let end = Instant::now() + PATIENCE;
        loop {
            {
                let status = self.status.borrow_and_update();
                if done(&status) {
                    return Ok(status.clone());
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            tokio::select! {
                () = self.stop.cancelled() => return Err(DrillError::Interrupted),
                changed = self.status.changed() => changed.map_err(|_| DrillError::KeeperGone)?,
                () = tokio::time::sleep(left) => return Err(DrillError::Missed {
                    what: what.to_owned(),
                    limit: format!("{} s", PATIENCE.as_secs()),
                }),
            }
        }
    }

    /// Waits until the keeper has planned on block `number` to the end and handed what it meant to send to the node.
    pub async fn planned_on(&mut self, number: u64) -> Result<Status, DrillError> {
        let what = format!("the keeper plans on block {number}");
        self.until(&what, |status| {
            status.planned.is_some_and(|planned| planned >= number)
                && !status
                    .pending
                    .iter()
                    .any(|bid| bid.state == BidState::Prepared)
        })
        .await
    }

    /// What is new in why it waits, in words.
    pub fn news(&mut self, status: &Status) -> Vec<String> {
        let now = status.head.map_or(0, |head| head.timestamp);
        let mut news = Vec::new();
        for position in &status.positions {
            let account = position.account;
            if let (Some(at), Some(_)) = (position.planned_at, position.flagged_since) {
                self.forecasts.push((account, Forecast { made: now, at }));
            }
            let Some(reason) = position.why_not.as_deref() else {
                self.waits.remove(&account);
                continue;
            };
            let wait = Wait::of(reason);
            self.seen.insert((wait, account));
            if self.waits.insert(account, wait) != Some(wait) {
                let told = self.told.entry((wait, account)).or_default();
                *told += 1;
                if *told <= TELL_AT_MOST {
                    news.push(self.said(status, position, wait, reason));
                }
            }
        }
        news
    }

    fn said(&self, status: &Status, position: &PositionStatus, wait: Wait, reason: &str) -> String {
        let name = name_of(position.account);
        let from_start = |time: u64| clock(time.saturating_sub(self.start));
        let what = match wait {
            Wait::Confirmation => "the venue's average does not confirm the feed's fall yet".into(),
            Wait::Bucket => {
                let bucket = status.collaterals.first().and_then(|one| one.bucket);
                let level = bucket.map_or_else(String::new, |bucket| {
                    format!(
                        ": {} above its reserve",
                        grouped((bucket.level - bucket.cap * bucket.reserve).max(0.0))
                    )
                });
                format!("the volume bucket has nothing for it{level}")
            }
            Wait::Bonus => {
                let bonus = position.bonus.unwrap_or_default() * 100.0;
                let pays = match (position.flagged_since, position.planned_at) {
                    (Some(_), Some(at)) => format!("; it will at {}", from_start(at)),
                    (None, _) => "; its clock has to be started first".to_owned(),
                    (_, None) => String::new(),
                };
                format!("a bonus of {bonus:.2}% does not pay, it {reason}{pays}")
            }
            Wait::Queue => "the venue takes others' collateral first in this block".into(),
            Wait::Other => reason.to_owned(),
        };
        format!("{name} at {:.4}: waits, {what}", position.health)
    }
}
