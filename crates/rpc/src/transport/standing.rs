//! Whether a node is asked, and when it is asked again.

use std::time::Duration;

use tokio::time::Instant;

/// Failures further apart than this do not add up.
const MEMORY: Duration = Duration::from_secs(120);
/// Doublings of the cooldown: 64 times at most.
const MAX_DOUBLINGS: u32 = 6;

/// A node's standing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    up: bool,
    /// The chain id has been checked since the last failure of the transport.
    verified: bool,
    probing: bool,
    until: Instant,
    strikes: u32,
    struck: Option<Instant>,
}

impl Standing {
    /// Not yet asked.
    pub(crate) fn unknown(now: Instant) -> Self {
        Self {
            up: false,
            verified: false,
            probing: false,
            until: now,
            strikes: 0,
            struck: None,
        }
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.up
    }

    pub(crate) const fn is_verified(&self) -> bool {
        self.verified
    }

    pub(crate) const fn until(&self) -> Instant {
        self.until
    }

    /// Answers as it should.
    pub(crate) fn rise(&mut self) {
        self.up = true;
        self.verified = true;
        self.probing = false;
    }

    /// Failed: left alone for `cooldown`, twice as long each time in a row, or for as long as it asks.
    pub(crate) fn strike(
        &mut self,
        now: Instant,
        cooldown: Duration,
        asked: Option<Duration>,
        verify: bool,
    ) {
        self.verified &= !verify;
        if !self.up && self.struck.is_some() && now < self.until {
            // Several requests that failed together, or one that had nowhere else to go, count once.
            self.probing = false;
            return;
        }
        if self.struck.is_some_and(|struck| now - struck > MEMORY) {
            self.strikes = 0;
        }
        let pause = cooldown.saturating_mul(1 << self.strikes.min(MAX_DOUBLINGS));
        self.up = false;
        self.probing = false;
        self.until = now
            + pause
                .max(asked.unwrap_or_default())
                .min(Duration::from_secs(3600));
        self.strikes = self.strikes.saturating_add(1);
        self.struck = Some(now);
    }

    /// Whether it is time to ask whether it is back. Answers yes once until the probe's result is known.
    pub(crate) fn take_probe(&mut self, now: Instant) -> bool {
        let due = !self.up && !self.probing && now >= self.until;
        self.probing |= due;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_while_failures_follow_each_other() {
        let start = Instant::now();
        let mut standing = Standing::unknown(start);
        let mut now = start;
        for expected in [1, 2, 4, 8, 16, 32, 64, 64] {
            standing.strike(now, SECOND, None, true);
            assert_eq!(standing.until() - now, SECOND * expected);
            now = standing.until();
        }
        now += MEMORY + SECOND;
        standing.strike(now, SECOND, None, true);
        assert_eq!(
            standing.until() - now,
            SECOND,
            "an old failure is forgotten"
        );
    }

    #[test]
    fn probes_once_after_the_pause() {
        let now = Instant::now();
        let mut standing = Standing::unknown(now);
        standing.rise();
        assert!(!standing.take_probe(now));
        standing.strike(now, SECOND, Some(SECOND * 7), false);
        assert!(standing.is_verified());
        assert!(!standing.take_probe(now + SECOND * 6));
        assert!(standing.take_probe(now + SECOND * 7));
        assert!(!standing.take_probe(now + SECOND * 8), "one at a time");
        standing.rise();
        assert!(standing.is_up());
    }
}
