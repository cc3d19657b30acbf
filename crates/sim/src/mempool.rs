//! Transactions that wait, and the order in which a builder takes them.

use std::collections::BTreeSet;

use breakwater_agents::Intent;

/// Who sent a transaction. Each sender has one nonce, so a new transaction about the same thing replaces the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// The feed's operators.
    Reporter,
    /// The arbitrageur.
    Arbitrageur,
    /// A provider of the venue's liquidity, by number.
    Provider(u32),
    /// The protocol's operators: breaker and bucket.
    Upkeep(u32),
    /// A borrower, by account number.
    Borrower(u32),
    /// A keeper by its number, about the account of that number.
    Keeper(u32, u32),
    /// Those who trade without knowing anything.
    Noise,
    /// The adversary.
    Adversary,
    /// Who triggers absorptions, about the account of that number.
    Absorber(u32),
    /// Who buys the backstop's inventory and records its sale.
    Buyer,
    /// A depositor of the backstop, by number.
    Depositor(u32),
}

/// A waiting transaction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// Who sent it.
    pub sender: Sender,
    /// What it does and offers.
    pub intent: Intent,
    /// The last block it is good for.
    pub expires: u64,
    // Order of arrival, which breaks ties.
    arrival: u64,
}

impl Waiting {
    /// What the builder gets per gas at `base_fee` gwei; `None` if the transaction does not pay the base fee.
    #[must_use]
    pub fn effective_tip(&self, base_fee: f64) -> Option<f64> {
        let room = self.intent.bid.max_fee - base_fee;
        (room >= 0.0).then(|| self.intent.bid.tip.min(room))
    }
}

/// The waiting transactions.
#[derive(Clone, Debug, Default)]
pub struct Mempool {
    waiting: Vec<Waiting>,
    // Who has one: asked for every alarmed account in every block.
    senders: BTreeSet<Sender>,
    arrivals: u64,
}

impl Mempool {
    /// Adds a transaction, replacing the sender's waiting one. Returns whether one was replaced.
    pub fn submit(&mut self, sender: Sender, intent: Intent, expires: u64) -> bool {
        let replaced = !self.senders.insert(sender);
        if replaced {
            self.waiting.retain(|waiting| waiting.sender != sender);
        }
        self.waiting.push(Waiting {
            sender,
            intent,
            expires,
            arrival: self.arrivals,
        });
        self.arrivals += 1;
        replaced
    }

    /// Whether a transaction of this sender waits.
    #[must_use]
    pub fn contains(&self, sender: Sender) -> bool {
        self.senders.contains(&sender)
    }

    /// Takes out all transactions that pay `base_fee` gwei, the highest tip first, with their effective tips. What the
    /// builder cannot place comes back by [`Mempool::put_back`].
    pub fn take_payable(&mut self, base_fee: f64) -> Vec<(f64, Waiting)> {
        let mut payable = Vec::new();
        self.waiting
            .retain(|waiting| match waiting.effective_tip(base_fee) {
                Some(tip) => {
                    self.senders.remove(&waiting.sender);
                    payable.push((tip, *waiting));
                    false
                }
                None => true,
            });
        payable.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.arrival.cmp(&b.1.arrival)));
        payable
    }

    /// Returns a transaction that did not fit.
    pub fn put_back(&mut self, waiting: Waiting) {
        self.senders.insert(waiting.sender);
        self.waiting.push(waiting);
    }

    /// Drops what is no longer good after `block`; returns what was dropped, in order of arrival.
    pub fn expire(&mut self, block: u64) -> Vec<Waiting> {
        let (mut expired, kept): (Vec<_>, Vec<_>) = self
            .waiting
            .drain(..)
            .partition(|waiting| waiting.expires <= block);
        self.waiting = kept;
        for waiting in &expired {
            self.senders.remove(&waiting.sender);
        }
        expired.sort_by_key(|waiting| waiting.arrival);
        expired
    }

    /// How many wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_agents::{Action, Bid};

    fn intent(max_fee: f64, tip: f64) -> Intent {
        Intent {
            action: Action::Flag { account: 0 },
            bid: Bid { max_fee, tip },
            gas_limit: 100_000,
        }
    }

    fn senders(mempool: &mut Mempool, base_fee: f64) -> Vec<Sender> {
        mempool
            .take_payable(base_fee)
            .into_iter()
            .map(|(_, waiting)| waiting.sender)
            .collect()
    }

    #[test]
    fn highest_effective_tip_first_then_arrival() {
        let mut mempool = Mempool::default();
        mempool.submit(Sender::Borrower(1), intent(100.0, 1.0), 9);
        mempool.submit(Sender::Borrower(2), intent(100.0, 3.0), 9);
        mempool.submit(Sender::Borrower(3), intent(100.0, 1.0), 9);
        // Offers 50, but its cap leaves 2 above a base fee of 10.
        mempool.submit(Sender::Borrower(4), intent(12.0, 50.0), 9);
        mempool.submit(Sender::Borrower(5), intent(9.0, 50.0), 9);
        assert_eq!(
            senders(&mut mempool, 10.0),
            [2, 4, 1, 3].map(Sender::Borrower)
        );
        assert_eq!(mempool.len(), 1);
        assert_eq!(senders(&mut mempool, 9.0), [Sender::Borrower(5)]);
        assert!(mempool.is_empty());
    }

    #[test]
    fn replaces_by_sender_and_expires() {
        let mut mempool = Mempool::default();
        assert!(!mempool.submit(Sender::Keeper(0, 7), intent(1.0, 1.0), 3));
        assert!(!mempool.submit(Sender::Keeper(1, 7), intent(1.0, 1.0), 4));
        assert!(mempool.submit(Sender::Keeper(0, 7), intent(1.0, 2.0), 5));
        assert!(mempool.contains(Sender::Keeper(0, 7)) && !mempool.contains(Sender::Keeper(0, 8)));
        assert_eq!(mempool.expire(3).len(), 0);
        assert_eq!(mempool.expire(4).len(), 1);
        assert_eq!(mempool.len(), 1);
        assert!(mempool.contains(Sender::Keeper(0, 7)) && !mempool.contains(Sender::Keeper(1, 7)));
        let taken = mempool.take_payable(0.0);
        assert!(!mempool.contains(Sender::Keeper(0, 7)));
        mempool.put_back(taken[0].1);
        assert!(mempool.contains(Sender::Keeper(0, 7)) && mempool.len() == 1);
    }
}
