//! What the planner thought of a position at a head: what it published, and what the ledger's reasons are decided from.

use std::collections::VecDeque;

use alloy_primitives::{Address, U256};
use breakwater_operator::status::MissedReason;
use breakwater_protocol::policy::{NextTurn, Reasoning, Refusal};

use crate::store::ActionKind;

/// Heads whose thoughts are kept: as deep as a reorg may go, and one.
const REMEMBERED: usize = 65;

/// What became of a position at a head.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// An action was planned, by its identifier's short form or why it was not sent in the end.
    Planned,
    /// A transaction for it is under way.
    Pending,
    /// It does not pay now; the most that it would leave after margin and gas, debt tokens.
    Unprofitable {
        /// Below the least profit asked for.
        profit: f64,
    },
    /// The pool would refuse it now.
    Refused(Refusal),
    /// The keeper itself cannot act.
    Unready(String),
    /// It was planned, and the call on the pending block failed.
    Failed(String),
}

/// What a backstop would do with a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offered {
    /// How it is called: to absorb or to settle.
    pub kind: ActionKind,
    /// What it would spend, base units of the debt token.
    pub spends: U256,
    /// What it would take of the considered collateral, base units.
    pub takes: U256,
    /// What it would pay its caller, debt tokens.
    pub pay: f64,
}

/// A position with a health factor below 1, and what is known of its next liquidation.
#[derive(Clone, Debug, PartialEq)]
pub struct Thought {
    /// Whose.
    pub account: Address,
    /// The collateral that would be seized.
    pub collateral: u32,
    /// The health factor at the fast prices, WAD.
    pub health: U256,
    /// HF_hard, WAD.
    pub health_hard: U256,
    /// What the policy would grant in the block planned for.
    pub refusal: Refusal,
    /// Debt that it would let one repay, base units.
    pub repay: U256,
    /// Collateral that it would hand over, base units.
    pub seize: U256,
    /// The bonus, WAD.
    pub bonus: U256,
    /// How the policy decides.
    pub reasoning: Reasoning,
    /// When the auction's clock was started; `None` if it was not, or there is none.
    pub flagged_since: Option<u64>,
    /// When its turn is open next; `None` where there are no turns.
    pub turn: Option<NextTurn>,
    /// When a liquidation pays, by the bonus curve alone; `None` if it never does as things stand.
    pub pays_at: Option<u64>,
    /// The later of both, with the turn open.
    pub planned_at: Option<u64>,
    /// What is left then after margin and gas, debt tokens.
    pub profit: Option<f64>,
    /// What the backstop would do with it, where there is one.
    pub backstop: Option<Offered>,
    /// What became of it.
    pub verdict: Verdict,
}

impl Thought {
    /// See [`Verdict::why_not`].
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        self.verdict.why_not()
    }
}

impl Verdict {
    /// Why the keeper does not act now, in words; `None` if it does.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        match self {
            Self::Planned | Self::Pending => None,
            Self::Unprofitable { profit } => {
                Some(format!("would leave {profit:.2} after gas and margin"))
            }
            Self::Refused(refusal) => Some(refusal.to_string()),
            Self::Unready(reason) | Self::Failed(reason) => Some(reason.clone()),
        }
    }

    /// Why somebody else's liquidation was not ours, if this is what was thought before it.
    #[must_use]
    pub fn missed(&self) -> (MissedReason, String) {
        let reason = match self {
            Self::Planned | Self::Pending => MissedReason::Outbid,
            Self::Unprofitable { .. } => MissedReason::Unprofitable,
            Self::Refused(Refusal::Paused) => MissedReason::Breaker,
            Self::Refused(_) => MissedReason::Waiting,
            Self::Unready(_) => MissedReason::Unready,
            Self::Failed(_) => MissedReason::Reverted,
        };
        (reason, self.why_not().unwrap_or_default())
    }
}

/// The thoughts of the last heads.
#[derive(Debug, Default)]
pub struct Memory {
    /// By the block that was planned for, ascending; in it by account. Only what decides reasons: in a crash many accounts are below 1 for
    /// long, and this is kept for each at every head.
    blocks: VecDeque<(u64, Vec<(Address, Verdict)>)>,
}

impl Memory {
    /// Remembers what was thought of the block `planned_for`.
    pub fn remember(&mut self, planned_for: u64, thoughts: &[Thought]) {
        self.rewind(planned_for.saturating_sub(1));
        let mut verdicts: Vec<_> = thoughts
            .iter()
            .map(|thought| (thought.account, thought.verdict.clone()))
            .collect();
        verdicts.sort_by_key(|(account, _)| *account);
        self.blocks.push_back((planned_for, verdicts));
        if self.blocks.len() > REMEMBERED {
            self.blocks.pop_front();
        }
    }

    /// Corrects what became of a position in the block `planned_for`.
    pub fn correct(&mut self, planned_for: u64, account: Address, verdict: Verdict) {
        let block = self
            .blocks
            .iter_mut()
            .rev()
            .find(|(block, _)| *block == planned_for);
        if let Some((_, verdicts)) = block
            && let Some(place) = place_of(verdicts, account)
        {
            verdicts[place].1 = verdict;
        }
    }

    /// Blocks above `ancestor` are gone; what was thought of the block right after it still stands, until it is thought of anew.
    pub fn rewind(&mut self, ancestor: u64) {
        while self
            .blocks
            .back()
            .is_some_and(|(planned_for, _)| *planned_for > ancestor)
        {
            self.blocks.pop_back();
        }
    }

    /// Why a liquidation of `account` in `block` was not ours.
    #[must_use]
    pub fn missed(&self, block: u64, account: Address) -> (MissedReason, String) {
        let planned = self
            .blocks
            .iter()
            .rev()
            .find(|(planned_for, _)| *planned_for == block);
        match planned {
            None => (
                MissedReason::Unready,
                "no plan was made for that block: the keeper was not there, or behind the head"
                    .to_owned(),
            ),
            Some((_, verdicts)) => match place_of(verdicts, account) {
                Some(place) => verdicts[place].1.missed(),
                None => (
                    MissedReason::Unseen,
                    "its health factor was not below 1 at the head before".to_owned(),
                ),
            },
        }
    }
}

fn place_of(verdicts: &[(Address, Verdict)], account: Address) -> Option<usize> {
    verdicts
        .binary_search_by_key(&account, |(whose, _)| *whose)
        .ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn thought(account: u8, verdict: Verdict) -> Thought {
        Thought {
            account: Address::repeat_byte(account),
            collateral: 0,
            health: U256::ZERO,
            health_hard: U256::ZERO,
            refusal: Refusal::None,
            repay: U256::ZERO,
            seize: U256::ZERO,
            bonus: U256::ZERO,
            reasoning: Reasoning::default(),
            flagged_since: None,
            turn: None,
            pays_at: None,
            planned_at: None,
            profit: None,
            backstop: None,
            verdict,
        }
    }

    fn reason(memory: &Memory, block: u64, account: u8) -> MissedReason {
        memory.missed(block, Address::repeat_byte(account)).0
    }

    #[test]
    fn reasons_follow_what_was_thought_of_that_block() {
        let mut memory = Memory::default();
        memory.remember(
            10,
            &[
                thought(1, Verdict::Planned),
                thought(2, Verdict::Unprofitable { profit: -3.0 }),
                thought(3, Verdict::Refused(Refusal::Paused)),
                thought(4, Verdict::Refused(Refusal::Turn)),
                thought(5, Verdict::Unready("dry run".to_owned())),
                thought(6, Verdict::Failed("reverted: Taken".to_owned())),
                thought(7, Verdict::Pending),
            ],
        );
        for (account, expected) in [
            (1, MissedReason::Outbid),
            (2, MissedReason::Unprofitable),
            (3, MissedReason::Breaker),
            (4, MissedReason::Waiting),
            (5, MissedReason::Unready),
            (6, MissedReason::Reverted),
            (7, MissedReason::Outbid),
            (8, MissedReason::Unseen),
        ] {
            assert_eq!(reason(&memory, 10, account), expected, "account {account}");
        }
        // Nothing was planned for the block after.
        assert_eq!(reason(&memory, 11, 1), MissedReason::Unready);
        let (_, detail) = memory.missed(10, Address::repeat_byte(2));
        assert!(detail.contains("-3.00"), "{detail}");
    }

    #[test]
    fn a_reorg_replaces_what_was_thought() {
        let mut memory = Memory::default();
        for block in 1..=5 {
            memory.remember(block, &[thought(1, Verdict::Planned)]);
        }
        // Blocks 4 and 5 leave; block 4 comes again, and 5 is planned for anew.
        memory.rewind(4);
        assert_eq!(reason(&memory, 5, 1), MissedReason::Unready);
        assert_eq!(reason(&memory, 4, 1), MissedReason::Outbid);
        memory.remember(5, &[]);
        assert_eq!(reason(&memory, 5, 1), MissedReason::Unseen);
    }

    #[test]
    fn memory_ends() {
        let mut memory = Memory::default();
        for block in 0..1_000 {
            memory.remember(block, &[]);
        }
        assert_eq!(memory.blocks.len(), REMEMBERED);
        assert_eq!(reason(&memory, 900, 1), MissedReason::Unready);
        assert_eq!(reason(&memory, 990, 1), MissedReason::Unseen);
    }
}
