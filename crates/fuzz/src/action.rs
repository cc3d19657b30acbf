//! What a sequence is made of: acts whose numbers are relative to the state they meet.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::world::WorldPlan;

/// Declares the kinds of action: name, weight in random sequences, and what it is.
macro_rules! kinds {
    ($($(#[$note:meta])* $name:ident = $label:literal, $weight:literal;)+) => {
        /// What is done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Kind { $($(#[$note])* $name),+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name in tallies.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),+ }
            }

            const fn weight(self) -> u64 {
                match self { $(Self::$name => $weight),+ }
            }
        }
    };
}

kinds! {
    /// A lender deposits assets.
    Deposit = "deposit", 6;
    /// A lender deposits for shares.
    Mint = "mint", 3;
    /// A lender takes assets.
    Withdraw = "withdraw", 5;
    /// A lender gives shares.
    Redeem = "redeem", 4;
    /// Shares change hands.
    Transfer = "transfer", 2;
    /// An allowance of shares.
    Approve = "approve", 3;
    /// Somebody takes assets by an allowance, or tries.
    Spend = "spend", 3;
    /// An allowance by signature.
    Permit = "permit", 2;
    /// Collateral comes in, for oneself or as a top-up.
    Supply = "supply", 8;
    /// Collateral goes out, one's own or by authorisation.
    Remove = "remove", 7;
    /// Debt is taken, one's own or by authorisation.
    Borrow = "borrow", 11;
    /// Debt is repaid, anybody's.
    Repay = "repay", 7;
    /// One account is liquidated.
    Liquidate = "liquidate", 16;
    /// Several are.
    Batch = "batch", 5;
    /// A clock is started.
    Flag = "flag", 5;
    /// An insolvent account is closed.
    Settle = "settle", 8;
    /// A flash loan.
    Flash = "flash", 3;
    /// Tokens are sent to the pool.
    Donate = "donate", 2;
    /// Several calls in one.
    Multicall = "multicall", 3;
    /// A contract is told what to do in its next callback.
    Arm = "arm", 5;
    /// A contract asks to be told of token transfers, or no more.
    Hook = "hook", 1;
    /// A permission by call.
    Authorize = "authorize", 3;
    /// A permission by signature.
    AuthorizeBySignature = "authorize by signature", 2;
    /// A feed moves, and the venue perhaps.
    Price = "price", 6;
    /// The prices of what an account holds move to where its health factor is something.
    Squeeze = "squeeze", 14;
    /// A feed answers what it must not.
    BreakFeed = "break feed", 2;
    /// The venue moves alone, thins out or falls silent.
    Venue = "venue", 4;
    /// Another base fee.
    Gas = "gas", 2;
    /// The next block, on time.
    Block = "block", 8;
    /// The next block is late.
    Late = "late block", 2;
    /// Minutes to months pass; feeds go on reporting or do not.
    Time = "time", 9;
    /// The oracle records.
    Update = "update oracle", 3;
    /// The policy records depth.
    RecordDepth = "record depth", 4;
    /// The breaker records.
    Poke = "poke", 2;
    /// The guardian stops new risk.
    Freeze = "freeze", 1;
    /// The owner allows it again.
    Unfreeze = "unfreeze", 3;
    /// The guardian stops a collateral.
    FreezeCollateral = "freeze collateral", 1;
    /// The owner lets it in again, with its ratios.
    UnfreezeCollateral = "unfreeze collateral", 3;
    /// The owner moves LTV and LT.
    Ramp = "ramp", 2;
    /// The owner sets the pool's caps.
    Caps = "caps", 1;
    /// The owner sets a collateral's cap.
    CollateralCap = "collateral cap", 1;
    /// The owner sets the smallest debt.
    MinimumDebt = "minimum debt", 1;
    /// The owner sets the reserves' share.
    ReserveFactor = "reserve factor", 1;
    /// The owner takes reserves.
    Reserves = "reserves", 2;
    /// The owner sets the other policy.
    Policy = "policy", 2;
    /// The owner halts the breaker.
    Halt = "halt", 1;
    /// The owner ends a halt.
    Resume = "resume", 1;
    /// A deposit in the backstop.
    Join = "backstop deposit", 5;
    /// Shares of the backstop are queued to leave.
    Leave = "backstop exit", 3;
    /// Shares of the backstop change hands.
    Pass = "backstop transfer", 2;
    /// A depositor takes what he is owed.
    ClaimAssets = "claim assets", 3;
    /// A depositor takes his part of the inventory.
    ClaimCollateral = "claim collateral", 4;
    /// The backstop takes a position.
    Absorb = "absorb", 14;
    /// The backstop settles one that is insolvent.
    Waterfall = "backstop settle", 5;
    /// Inventory is bought.
    Buy = "buy inventory", 8;
    /// Depth is recorded for the sale, and its clock started.
    ObserveSale = "observe sale", 5;
    /// Somebody gives to depositors.
    Premium = "premium", 2;
    /// Depositors' share of interest is paid.
    Distribute = "distribute", 3;
    /// The backstop's queues are carried out.
    Roll = "roll", 2;
    /// A stranger does what only an owner, a guardian or an authorised account may: it must never succeed.
    Usurp = "usurp", 2;
}

impl Kind {
    /// Whether it is an act upon a backstop.
    #[must_use]
    pub const fn is_backstop(self) -> bool {
        use Kind::*;
        matches!(
            self,
            Join | Leave
                | Pass
                | ClaimAssets
                | ClaimCollateral
                | Absorb
                | Waterfall
                | Buy
                | ObserveSale
                | Premium
                | Distribute
                | Roll
        )
    }

    /// Every kind that does something in a world.
    pub fn all_in(plan: &WorldPlan) -> impl Iterator<Item = Self> + Clone + use<> {
        let with_backstop = plan.with_backstop;
        let all = Self::ALL.iter().copied();
        all.filter(move |kind| with_backstop || !kind.is_backstop())
    }
}

/// How much, of what an action could at most or sensibly move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Size {
    /// That part of it, of 65,535.
    Share(u16),
    /// All of it and so many units more.
    Near(i16),
    /// So many units.
    Units(u64),
    /// 2^n units.
    Power(u8),
    /// 2^256 - 1.
    Max,
}

impl Size {
    /// The amount, where `possible` is what the action could move.
    #[must_use]
    pub fn of(self, possible: U256) -> U256 {
        match self {
            Self::Share(share) => {
                let whole = U256::from(u16::MAX);
                possible / whole * U256::from(share) + possible % whole * U256::from(share) / whole
            }
            Self::Near(units) if units < 0 => {
                possible.saturating_sub(U256::from(units.unsigned_abs()))
            }
            Self::Near(units) => possible.saturating_add(U256::from(units.unsigned_abs())),
            Self::Units(units) => U256::from(units),
            Self::Power(exponent) => U256::ONE << usize::from(exponent),
            Self::Max => U256::MAX,
        }
    }

    fn random(random: &mut Random) -> Self {
        match random.below(16) {
            0..=6 => Self::Share(random.below(1 << 16) as u16),
            7..=9 => Self::Near(0),
            10..=12 => Self::Near(random.pick(&[-2, -1, 1, 2, 10, -10])),
            13 => Self::Units(random.pick(&[0, 1, 2, 3, 99_999_999, 100_000_000, 100_000_001])),
            14 => Self::Power(random.below(120) as u8),
            _ => Self::Max,
        }
    }
}

/// One act. What its fields mean depends on its kind; every value means something for every kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Action {
    /// What is done.
    pub kind: Kind,
    /// Who does it.
    pub who: u8,
    /// To whom, for whom, against whom.
    pub to: u8,
    /// Which collateral.
    pub id: u8,
    /// How much.
    pub size: Size,
    /// Which variant.
    pub choice: u8,
}

impl Action {
    /// A random act; acts that borrow, liquidate and move prices come more often than others.
    #[must_use]
    pub fn random(plan: &WorldPlan, random: &mut Random) -> Self {
        let mut kinds = Kind::all_in(plan);
        let total = kinds.clone().map(Kind::weight).sum();
        let mut place = random.below(total);
        let kind = kinds.find(|kind| {
            let found = place < kind.weight();
            place = place.saturating_sub(kind.weight());
            found
        });
        Self {
            kind: kind.unwrap_or(Kind::Block),
            who: random.below(7) as u8,
            to: random.below(7) as u8,
            id: random.below(2) as u8,
            size: Size::random(random),
            choice: random.below(256) as u8,
        }
    }

    /// The same act with one thing changed.
    #[must_use]
    pub fn changed(mut self, random: &mut Random) -> Self {
        match random.below(8) {
            0 => self.who = random.below(7) as u8,
            1 => self.to = random.below(7) as u8,
            2 => self.id = random.below(2) as u8,
            3 => self.choice = random.below(256) as u8,
            4 => self.choice = self.choice.wrapping_add(random.pick(&[1, 255])),
            5 => {
                self.size = match self.size {
                    Size::Share(share) => {
                        Size::Share(share.wrapping_add(random.pick(&[1, u16::MAX])))
                    }
                    Size::Near(units) => Size::Near(units.saturating_add(random.pick(&[-1, 1]))),
                    Size::Units(units) => Size::Units(units.saturating_add(1)),
                    Size::Power(power) => Size::Power(power.saturating_add(1)),
                    Size::Max => Size::Near(0),
                }
            }
            _ => self.size = Size::random(random),
        }
        self
    }

    /// Acts that mean less than this one and may do the same, the simplest first.
    pub fn simpler(self) -> impl Iterator<Item = Self> {
        let sizes = [
            Size::Near(0),
            Size::Units(0),
            Size::Units(1),
            Size::Near(-1),
            Size::Near(1),
            Size::Share(u16::MAX / 2),
        ];
        let place = sizes.iter().position(|size| *size == self.size);
        let sized = sizes
            .into_iter()
            .take(place.unwrap_or(usize::MAX))
            .map(move |size| Self { size, ..self });
        let lower = |value: u8| (value != 0).then_some(0);
        [
            lower(self.choice).map(|choice| Self { choice, ..self }),
            lower(self.id).map(|id| Self { id, ..self }),
            lower(self.who).map(|who| Self { who, ..self }),
            (self.to != self.who).then_some(Self {
                to: self.who,
                ..self
            }),
        ]
        .into_iter()
        .flatten()
        .chain(sized)
        .filter(move |simpler| *simpler != self)
    }
}
