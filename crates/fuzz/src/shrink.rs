//! The smallest sequence that breaks the same property.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::action::Action;
use crate::properties::{Property, Violation};
use crate::run::{Extra, Outcome, run};
use crate::world::World;

/// Runs that shrinking may take; what is reached by then is what there is.
const BUDGET: usize = 4_000;

/// A counterexample.
#[derive(Debug)]
pub struct Shrunk {
    /// The sequence.
    pub actions: Vec<Action>,
    /// What it does.
    pub outcome: Outcome,
    /// What it breaks.
    pub violation: Violation,
}

struct Search<'a> {
    world: &'a World,
    extra: Option<Extra<'a>>,
    property: Property,
    stop: &'a AtomicBool,
    runs: usize,
    best: Vec<Action>,
}

/// Deletes actions, then simplifies what is left, as long as `violation`'s property is broken. Nothing if it is not at all.
/// `stop` ends it with what there is.
#[must_use]
pub fn shrink(
    world: &World,
    actions: &[Action],
    violation: &Violation,
    extra: Option<Extra<'_>>,
    stop: &AtomicBool,
) -> Option<Shrunk> {
    let mut search = Search {
        world,
        extra,
        property: violation.property,
        stop,
        runs: 0,
        best: actions.to_vec(),
    };
    if !search.accepts(actions.to_vec()) {
        return None;
    }
    while search.delete() | search.simplify() {}
    let outcome = run(world, &search.best, extra);
    let (_, violation) = outcome.violation.clone()?;
    Some(Shrunk {
        actions: search.best,
        outcome,
        violation,
    })
}

impl Search<'_> {
    /// Whether a candidate breaks the property too; then it is the best, cut where it does.
    fn accepts(&mut self, mut candidate: Vec<Action>) -> bool {
        if self.runs >= BUDGET || (self.runs > 0 && self.stop.load(Ordering::Relaxed)) {
            return false;
        }
        self.runs += 1;
        let outcome = run(self.world, &candidate, self.extra);
        match outcome.violation {
            Some((index, violation)) if violation.property == self.property => {
                candidate.truncate(index + 1);
                self.best = candidate;
                true
            }
            _ => false,
        }
    }

    /// Leaves out ever smaller stretches, from the end.
    fn delete(&mut self) -> bool {
        let mut deleted = false;
        let mut stretch = (self.best.len() / 2).max(1);
        loop {
            let mut end = self.best.len();
            while end > 0 {
                let start = end.saturating_sub(stretch);
                let end_now = end.min(self.best.len());
                if start < end_now && self.best.len() > end_now - start {
                    let mut candidate = self.best.clone();
                    candidate.drain(start..end_now);
                    deleted |= self.accepts(candidate);
                }
                end = start;
            }
            if stretch == 1 {
                return deleted;
            }
            stretch /= 2;
        }
    }

    fn simplify(&mut self) -> bool {
        let mut simplified = false;
        for index in 0..self.best.len() {
            let mut again = true;
            while again {
                again = false;
                let Some(action) = self.best.get(index).copied() else {
                    break;
                };
                for simpler in action.simpler() {
                    let mut candidate = self.best.clone();
                    candidate[index] = simpler;
                    if self.accepts(candidate) {
                        (simplified, again) = (true, true);
                        break;
                    }
                }
            }
        }
        simplified
    }
}
