//! When to ask for the next block where nobody pushes it.

use std::time::Duration;

use tokio::time::Instant;

/// Predicts the next block from the block time. Blocks come at a phase that is not known: found at the first question it may
/// have been there for a while, so the next question comes a quarter of a step earlier; not there yet, the question is
/// repeated a step later. That settles at about 1.25 questions a block and half a step of delay.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    slot: Duration,
    step: Duration,
    wait: Duration,
    next: Instant,
    /// Questions since the last new head.
    asked: u32,
    last_head: Instant,
}

impl Pace {
    pub fn new(slot: Duration, now: Instant) -> Self {
        let step = (slot / 20).clamp(Duration::from_millis(25), Duration::from_millis(500));
        Self {
            slot,
            step,
            wait: step,
            next: now,
            asked: 0,
            last_head: now,
        }
    }

    /// When to ask.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// How long ago the last new head came.
    pub fn overdue(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_head)
    }

    /// A new head came at `now`, by an answer or pushed.
    pub fn found(&mut self, now: Instant, pushed: bool) {
        let early = if self.asked == 1 && !pushed {
            self.step / 4
        } else {
            Duration::ZERO
        };
        // A push is waited for half a slot longer than it should take before anybody asks.
        self.next = now
            + if pushed {
                self.slot + self.slot / 2
            } else {
                self.slot - early
            };
        self.asked = 0;
        self.wait = self.step;
        self.last_head = now;
    }

    /// Asked, and there was nothing new, or no answer: later, less and less often up to four times a slot. Where blocks are
    /// pushed a question is only a second opinion, once a slot.
    pub fn missed(&mut self, now: Instant, pushing: bool) {
        self.next = now + if pushing { self.slot } else { self.wait };
        self.wait = (self.wait * 3 / 2).min((self.slot / 4).max(self.step));
    }

    /// A question goes out.
    pub fn ask(&mut self) {
        self.asked = self.asked.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls a chain with blocks every `slot`, `phase` after the start; returns questions a block and the mean delay.
    fn poll(slot: Duration, phase: Duration, blocks: u32) -> (f64, Duration) {
        let start = Instant::now();
        let mut pace = Pace::new(slot, start);
        let (mut questions, mut delay, mut known) = (0_u32, Duration::ZERO, 0_u32);
        while known < blocks {
            let now = pace.next();
            pace.ask();
            questions += 1;
            let since = (now - start).checked_sub(phase);
            let head = since.map_or(0, |since| (since.as_nanos() / slot.as_nanos()) as u32 + 1);
            if head > known {
                delay += now - (start + phase + slot * (head - 1));
                known = head;
                pace.found(now, false);
            } else {
                pace.missed(now, false);
            }
        }
        (f64::from(questions) / f64::from(known), delay / known)
    }

    #[test]
    fn finds_the_phase() {
        for slot in [1, 2, 12].map(Duration::from_secs) {
            for phase in [0.0, 0.1, 0.5, 0.93] {
                let (questions, delay) = poll(slot, slot.mul_f64(phase), 200);
                assert!(questions < 1.5, "{questions} questions a block of {slot:?}");
                assert!(delay < slot / 15, "{delay:?} late in a slot of {slot:?}");
            }
        }
    }
}
