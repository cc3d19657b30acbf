//! How often each action did something, and why not: a campaign that did nothing must be seen.

use std::collections::BTreeMap;

use crate::action::Kind;
use crate::world::WorldPlan;

/// What is counted beside the actions themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A liquidation in the damped zone.
    Damped,
    /// A liquidation at or below HF_hard.
    Hard,
    /// Bad debt written off.
    WriteOff,
    /// A damped liquidation refused because its turn was not open.
    Turn,
    /// The breaker above normal.
    Stressed,
    /// A contract acted within a call.
    Callback,
    /// A damped liquidation refused because the backstop comes first.
    Backstop,
    /// A liquidation was compared with its halves.
    SplitLiquidation,
    /// A lender's or a borrower's call was.
    SplitCall,
}

impl Mark {
    /// Every mark.
    pub const ALL: &[Self] = &[
        Self::Damped,
        Self::Hard,
        Self::WriteOff,
        Self::Turn,
        Self::Stressed,
        Self::Callback,
        Self::Backstop,
        Self::SplitLiquidation,
        Self::SplitCall,
    ];

    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Damped => "liquidation, damped zone",
            Self::Hard => "liquidation, hard zone",
            Self::WriteOff => "write-off",
            Self::Turn => "waiting for a turn",
            Self::Stressed => "breaker tripped",
            Self::Callback => "callback that acted",
            Self::Backstop => "waiting for the backstop",
            Self::SplitLiquidation => "liquidation in halves",
            Self::SplitCall => "other call in halves",
        }
    }
}

/// Counts of one sequence, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls and blocks that were executed.
    pub executions: u64,
    /// Acts that they belong to.
    pub acts: u64,
    counts: BTreeMap<Kind, (u64, u64)>,
    marks: BTreeMap<Mark, u64>,
    reasons: BTreeMap<(Kind, String), u64>,
}

impl Tally {
    /// An act begins.
    pub const fn act(&mut self) {
        self.acts += 1;
    }

    /// An action's call, or its block, ended.
    pub fn count(&mut self, kind: Kind, success: bool) {
        self.executions += 1;
        let count = self.counts.entry(kind).or_default();
        *(if success { &mut count.0 } else { &mut count.1 }) += 1;
    }

    /// Why it failed.
    pub fn reason(&mut self, kind: Kind, reason: &str) {
        let name = reason.split([' ', '(', '{']).next().unwrap_or(reason);
        *self.reasons.entry((kind, name.to_owned())).or_default() += 1;
    }

    /// Something happened.
    pub fn mark(&mut self, mark: Mark) {
        *self.marks.entry(mark).or_default() += 1;
    }

    /// Joins another's counts.
    pub fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.acts += other.acts;
        for (kind, count) in &other.counts {
            let sum = self.counts.entry(*kind).or_default();
            *sum = (sum.0 + count.0, sum.1 + count.1);
        }
        for (mark, count) in &other.marks {
            *self.marks.entry(*mark).or_default() += count;
        }
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason.clone()).or_default() += count;
        }
    }

    /// Successes and failures of an action.
    #[must_use]
    pub fn of(&self, kind: Kind) -> (u64, u64) {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// How often something happened.
    #[must_use]
    pub fn marked(&self, mark: Mark) -> u64 {
        self.marks.get(&mark).copied().unwrap_or_default()
    }

    /// What never succeeded, in so many executions at least: an idle campaign. A stranger's acts must not succeed.
    #[must_use]
    pub fn idle(&self, plan: &WorldPlan, floor: u64) -> Vec<&'static str> {
        if self.executions < floor {
            return Vec::new();
        }
        let actions = Kind::all_in(plan)
            .filter(|kind| *kind != Kind::Usurp && self.of(*kind).0 == 0)
            .map(Kind::label);
        let tried = (self.of(Kind::Usurp).1 == 0).then_some(Kind::Usurp.label());
        let marks = Mark::ALL
            .iter()
            .filter(|mark| match mark {
                Mark::Turn => plan.draws_turns(),
                Mark::Backstop => plan.with_backstop,
                _ => true,
            })
            .filter(|mark| self.marked(**mark) == 0)
            .map(|mark| mark.label());
        actions.chain(tried).chain(marks).collect()
    }

    /// A table of actions, successes, failures and the commonest reasons for them.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<24}{:>12}{:>12}  why not\n",
            "action", "succeeded", "failed"
        );
        for kind in Kind::ALL {
            let (succeeded, failed) = self.of(*kind);
            let mut reasons: Vec<_> = self
                .reasons
                .range((*kind, String::new())..)
                .take_while(|((of, _), _)| of == kind)
                .map(|((_, reason), count)| (*count, reason.as_str()))
                .collect();
            reasons.sort_unstable_by(|a, b| b.cmp(a));
            let why: Vec<_> = reasons
                .iter()
                .take(3)
                .map(|(count, reason)| format!("{reason} {count}"))
                .collect();
            let line = format!(
                "{:<24}{succeeded:>12}{failed:>12}  {}",
                kind.label(),
                why.join(", ")
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for mark in Mark::ALL {
            text.push_str(&format!("{:<24}{:>12}\n", mark.label(), self.marked(*mark)));
        }
        text
    }
}
