//! Since when each account has been due: its health factor at F below 1.

/// Since when accounts have been due, as of the last block at whose end there was an F.
#[derive(Clone, Debug)]
pub struct DueSince {
    accounts: Vec<Due>,
    /// How many blocks were looked at.
    round: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Due {
    /// When the account was first found due without a block in between in which it was not.
    since: u64,
    /// The last round in which it was.
    round: u64,
}

impl DueSince {
    /// Of `accounts` accounts, none of which is due.
    #[must_use]
    pub fn new(accounts: usize) -> Self {
        Self {
            accounts: vec![Due::default(); accounts],
            round: 0,
        }
    }

    /// Takes who is due at the end of a block that was made at `time`; everybody else no longer is.
    pub fn observe(&mut self, due: impl Iterator<Item = u32>, time: u64) {
        self.round += 1;
        for account in due {
            let entry = &mut self.accounts[account as usize];
            if entry.round + 1 != self.round || entry.round == 0 {
                entry.since = time;
            }
            entry.round = self.round;
        }
    }

    /// Seconds until `time` for which an account has been due; 0 if it was not at the end of the last block.
    #[must_use]
    pub fn seconds(&self, account: u32, time: u64) -> u64 {
        let entry = &self.accounts[account as usize];
        if entry.round == 0 || entry.round != self.round {
            return 0;
        }
        time.saturating_sub(entry.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_begins_anew_after_a_block_in_which_nothing_was_due() {
        let mut due = DueSince::new(3);
        assert_eq!(due.seconds(0, 5), 0);
        due.observe([0, 1].into_iter(), 12);
        due.observe([0].into_iter(), 24);
        due.observe([0, 1].into_iter(), 36);
        assert_eq!(
            [0, 1, 2].map(|account| due.seconds(account, 48)),
            [36, 12, 0]
        );
        due.observe([1].into_iter(), 48);
        assert_eq!(
            [0, 1, 2].map(|account| due.seconds(account, 60)),
            [0, 24, 0]
        );
    }
}
