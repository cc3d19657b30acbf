//! A falling market with many borrowers, and what keepers earn in it, by receipts.

use alloy_primitives::{Address, I256, keccak256};
use breakwater_keeper::drill::accounts::{Sent, revert_reason, sent};
use breakwater_keeper::units::{whole, whole_signed};

use super::{Keeper, World, wad};

/// Decimals of the debt token.
pub const DEBT: u8 = 6;

/// A borrower of many.
pub fn borrower(number: u64) -> Address {
    Address::from_word(keccak256(format!("borrower {number}")))
}

/// What an account's transactions came to, by receipts.
pub struct Books {
    pub sent: Vec<Sent>,
    /// Debt tokens received, less paid.
    pub earned: f64,
    /// All gas, debt tokens.
    pub gas: f64,
    /// Of that what reverted.
    pub wasted: f64,
    pub reverted: usize,
}

/// The books of an account from a block on; `native` is what the native coin is worth.
pub async fn books(world: &World, account: Address, from: u64, native: f64) -> Books {
    let sent = sent(&world.provider, world.market.deployment(), account, from)
        .await
        .unwrap();
    let cost = |of: &dyn Fn(&&Sent) -> bool| -> f64 {
        let all = sent.iter().filter(of);
        all.map(|one| whole(one.gas, 18) * native).sum()
    };
    let earned = sent.iter().fold(I256::ZERO, |sum, one| sum + one.earned);
    Books {
        earned: whole_signed(earned, DEBT),
        gas: cost(&|_| true),
        wasted: cost(&|one| !one.success),
        reverted: sent.iter().filter(|one| !one.success).count(),
        sent,
    }
}

/// Prints why transactions reverted.
pub async fn tell_reverts(world: &World, books: &Books) {
    for one in books.sent.iter().filter(|one| !one.success) {
        let why = revert_reason(&world.provider, one.hash).await;
        println!("reverted in block {}: {why}", one.block);
    }
}

/// Whether nobody is below 1 by more than the venue may stand above the feed: as long as that is so, the fall is not confirmed.
pub async fn all_healthy(world: &World, accounts: &[Address]) -> bool {
    for account in accounts {
        if !world.debt(*account).await.is_zero() && world.health(*account).await < wad(0.998) {
            return false;
        }
    }
    true
}

/// Positions that break one after the other while the price falls by half a percent a step; all are liquidated, each block by block.
pub async fn slide(world: &World, keepers: &[&Keeper], borrowers: &[Address]) {
    let mut percent = 97.0;
    while percent > 85.0 {
        percent -= 0.5;
        world.price(percent).await;
        world
            .run(keepers, 120, "everybody is healthy", async || {
                world.arbitrage_if_moved().await;
                all_healthy(world, borrowers).await
            })
            .await;
    }
}

/// Forty-eight borrowers whose positions break between 96% and 86% of the start price.
pub async fn crowd(world: &World) -> Vec<Address> {
    let mut borrowers = Vec::new();
    for number in 0..48 {
        let owner = borrower(number);
        let falls_at = 96.0 - number as f64 * 0.21;
        world
            .open_worth(owner, 8.0 + number as f64 * 1.5, falls_at)
            .await;
        borrowers.push(owner);
    }
    world.record_depth().await;
    borrowers
}
