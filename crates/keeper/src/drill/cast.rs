//! Who borrows in a drill, and what is to become of them.

use alloy_primitives::{Address, U256, keccak256};
use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS, START_PRICE, tokens};

/// What is to become of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Large, in the damped zone at the first fall: it empties the bucket, so it goes in parts.
    Parts,
    /// Small, in the damped zone at the first fall: its gas is more than the first bonus pays.
    Waits,
    /// Past the hard threshold at the gap.
    Hard,
    /// Worth less than its debt at the gap.
    Insolvent,
    /// In the damped zone at the gap.
    Late,
    /// In the damped zone at the first fall, where the backstop comes first.
    Absorbed,
    /// Worth less than its debt at the gap, and too large for the venue: the backstop settles it.
    Covered,
    /// Above the threshold throughout.
    Healthy,
}

/// What a drill is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drama {
    /// The shipped system: bucket, bonus, flash liquidations.
    #[default]
    Market,
    /// The same with a backstop before the policy.
    Backstop,
}

impl Drama {
    /// Who borrows.
    pub const fn cast(self) -> &'static [Borrower] {
        match self {
            Self::Market => &CAST,
            Self::Backstop => &BACKED,
        }
    }
}

/// A borrower.
#[derive(Clone, Copy, Debug)]
pub struct Borrower {
    /// What the drill calls him.
    pub name: &'static str,
    /// Collateral, thousandths of a token.
    pub collateral: u64,
    /// Where his health factor is 1, percent of the price at the start.
    pub falls_at: f64,
    /// What is to become of him.
    pub fate: Fate,
}

/// The listed liquidation threshold.
const THRESHOLD: f64 = 0.83;

/// Everybody. At the first fall the price is 92.5% of what it was, after the gap 78.5%.
const CAST: [Borrower; 7] = [
    borrower("Ada", 1_200_000, 96.0, Fate::Parts),
    borrower("Ben", 1_000_000, 95.5, Fate::Parts),
    borrower("Cleo", 600, 95.8, Fate::Waits),
    borrower("Dan", 200_000, 90.8, Fate::Hard),
    borrower("Eve", 60_000, 92.3, Fate::Insolvent),
    borrower("Finn", 100_000, 80.5, Fate::Late),
    borrower("Gwen", 300_000, 60.0, Fate::Healthy),
];

/// Everybody where there is a backstop.
const BACKED: [Borrower; 3] = [
    borrower("Hal", 100_000, 95.5, Fate::Absorbed),
    borrower("Ida", 1_500_000, 92.3, Fate::Covered),
    borrower("Jack", 300_000, 60.0, Fate::Healthy),
];

/// What the backstop's depositors have, whole debt tokens.
pub const BACKING: u64 = 3_000_000;

/// What the keeper has to buy inventory with, whole debt tokens.
pub const PURSE: u64 = 100_000;

/// Where the price recovers to, percent of the price at the start.
pub const RECOVERY: f64 = 80.0;

/// The first fall, percent of the price at the start.
pub const FIRST_FALL: f64 = 92.5;

/// The gap. Whoever was brought back to a health factor of 1 at the first fall has collateral worth 1.0225 of his debt here: how much of a
/// large position is left by then depends on how fast the keeper was, and at less than some 1% there is neither a bonus that pays for
/// parts of it nor a market that takes all of it within a settlement's 3%.
pub const GAP: f64 = 78.5;

const fn borrower(name: &'static str, collateral: u64, falls_at: f64, fate: Fate) -> Borrower {
    Borrower {
        name,
        collateral,
        falls_at,
        fate,
    }
}

impl Borrower {
    /// His account, which nobody has the key of: the anvil lets it act.
    pub fn address(&self) -> Address {
        Address::from_word(keccak256(format!("breakwater drill: {}", self.name)))
    }

    /// What he posts, base units.
    pub fn amount(&self) -> U256 {
        U256::from(self.collateral) * tokens(1, COLLATERAL_DECIMALS) / U256::from(1_000)
    }

    /// What he borrows, base units.
    pub fn debt(&self) -> U256 {
        let price = START_PRICE as f64 / 1e8 * self.falls_at / 100.0;
        let whole = self.collateral as f64 / 1e3 * price * THRESHOLD;
        U256::from(whole as u64) * tokens(1, DEBT_DECIMALS)
    }
}

/// What the drill calls an account.
pub fn name_of(account: Address) -> String {
    CAST.iter()
        .chain(&BACKED)
        .find(|borrower| borrower.address() == account)
        .map_or_else(|| account.to_string(), |borrower| borrower.name.to_owned())
}
