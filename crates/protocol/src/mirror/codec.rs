//! How a snapshot's values are written: little-endian integers, lengths as 64 bits, fields in order.

use alloy_primitives::{Address, B256, U256};

use super::accounts::Position;
use super::description::{Description, MirroredPolicy};
use super::journal::{Entry, Undo};
use super::snapshot::SnapshotError;
use super::state::Settings;
use crate::accrual::{Market, RateParameters};
use crate::block::BlockRef;
use crate::collateral::Collateral;
use crate::policy::{AccountEpoch, Bucket, DepthObservation, Flag, PolicyState, Seed, Write};

/// What remains to be read.
pub(super) struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], SnapshotError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(SnapshotError::Malformed {
                what: "it ends early",
            })?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// A length, of things that take at least a byte each.
    pub fn length(&mut self) -> Result<usize, SnapshotError> {
        usize::try_from(u64::take(self)?)
            .ok()
            .filter(|length| *length <= self.0.len())
            .ok_or(SnapshotError::Malformed {
                what: "a length is beyond its end",
            })
    }
}

/// A value that can be written and read.
pub(super) trait Code: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError>;
}

macro_rules! code_integers {
    ($($integer:ty),+) => {$(
        impl Code for $integer {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
                input.array().map(Self::from_le_bytes)
            }
        }
    )+};
}

macro_rules! code_structs {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Code for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)+
            }

            fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
                Ok(Self { $($field: Code::take(input)?),+ })
            }
        }
    )+};
}

code_integers!(u8, u16, u32, u64, u128, i64, i128);

code_structs! {
    BlockRef { number, hash, parent_hash, timestamp }
    RateParameters {
        target_utilisation, low_multiplier, high_multiplier, adaptation_speed, initial_rate_at_target,
        min_rate_at_target, max_rate_at_target,
    }
    MirroredPolicy { address, needs_confirmation }
    Description { chain_id, pool, asset, rate, policy }
    Market {
        lender_assets, supply_shares, total_debt, debt_shares, last_accrual, log_rate_at_target, reserve_factor,
    }
    Settings {
        deployed_at, supply_cap, borrow_cap, min_debt, settlement_stipend, new_risk_frozen, guardian, policy,
    }
    Collateral {
        token, oracle, ltv_from, ltv_to, threshold_from, threshold_to, ramp_start, max_bonus, slippage_margin,
        confirmation_band, group, damped, frozen, total, cap,
    }
    Position { debt_shares, amount, bitmap, primary }
    Flag { since, cumulative }
    Bucket { updated_at, level, depth }
    DepthObservation { at, opening, floor, reading }
    AccountEpoch { epoch, gas_paid, debt, used }
    Seed { rotation, anchor, seed }
    Entry { block, undo }
}

impl Code for bool {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(*self).put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        match u8::take(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(SnapshotError::Malformed {
                what: "a flag is neither 0 nor 1",
            }),
        }
    }
}

impl Code for U256 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes::<32>());
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        input.array().map(Self::from_le_bytes::<32>)
    }
}

impl Code for Address {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_slice());
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        input.array().map(Self::new)
    }
}

impl Code for B256 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_slice());
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        input.array().map(Self::new)
    }
}

impl<T: Code> Code for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for item in self {
            item.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        let length = input.length()?;
        (0..length).map(|_| T::take(input)).collect()
    }
}

impl Code for PolicyState {
    fn put(&self, out: &mut Vec<u8>) {
        let mut writes: Vec<_> = self.writes().collect();
        // A snapshot's bytes are those of its content, whatever a hash table's order.
        writes.sort_unstable_by_key(|write| {
            let mut key = Vec::new();
            write.put(&mut key);
            key
        });
        writes.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        let mut state = Self::default();
        for _ in 0..input.length()? {
            state.apply(Write::take(input)?);
        }
        Ok(state)
    }
}

impl Code for Write {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Flag {
                account,
                collateral_id,
                flag,
            } => {
                0_u8.put(out);
                account.put(out);
                collateral_id.put(out);
                flag.put(out);
            }
            Self::Bucket {
                collateral_id,
                bucket,
            } => {
                1_u8.put(out);
                collateral_id.put(out);
                bucket.put(out);
            }
            Self::Observation {
                collateral_id,
                observation,
            } => {
                2_u8.put(out);
                collateral_id.put(out);
                observation.put(out);
            }
            Self::Account { account, epoch } => {
                3_u8.put(out);
                account.put(out);
                epoch.put(out);
            }
            Self::Seed(seed) => {
                4_u8.put(out);
                seed.put(out);
            }
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        Ok(match u8::take(input)? {
            0 => Self::Flag {
                account: Code::take(input)?,
                collateral_id: Code::take(input)?,
                flag: Code::take(input)?,
            },
            1 => Self::Bucket {
                collateral_id: Code::take(input)?,
                bucket: Code::take(input)?,
            },
            2 => Self::Observation {
                collateral_id: Code::take(input)?,
                observation: Code::take(input)?,
            },
            3 => Self::Account {
                account: Code::take(input)?,
                epoch: Code::take(input)?,
            },
            4 => Self::Seed(Code::take(input)?),
            _ => {
                return Err(SnapshotError::Malformed {
                    what: "a kind of policy state that does not exist",
                });
            }
        })
    }
}

impl Code for Undo {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::NewAccount => 0_u8.put(out),
            Self::Position(number, position) => {
                1_u8.put(out);
                number.put(out);
                position.put(out);
            }
            Self::Further(number, id, amount) => {
                2_u8.put(out);
                number.put(out);
                id.put(out);
                amount.put(out);
            }
            Self::Market(market) => {
                3_u8.put(out);
                market.put(out);
            }
            Self::Cash(cash) => {
                4_u8.put(out);
                cash.put(out);
            }
            Self::Settings(settings) => {
                5_u8.put(out);
                settings.put(out);
            }
            Self::NewCollateral => 6_u8.put(out),
            Self::Collateral(id, collateral) => {
                7_u8.put(out);
                id.put(out);
                collateral.put(out);
            }
            Self::Total(id, total) => {
                8_u8.put(out);
                id.put(out);
                total.put(out);
            }
            Self::Policy(write) => {
                9_u8.put(out);
                write.put(out);
            }
            Self::Described(before) => {
                10_u8.put(out);
                before.0.put(out);
                before.1.put(out);
            }
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, SnapshotError> {
        Ok(match u8::take(input)? {
            0 => Self::NewAccount,
            1 => Self::Position(Code::take(input)?, Code::take(input)?),
            2 => Self::Further(Code::take(input)?, Code::take(input)?, Code::take(input)?),
            3 => Self::Market(Box::new(Code::take(input)?)),
            4 => Self::Cash(Code::take(input)?),
            5 => Self::Settings(Box::new(Code::take(input)?)),
            6 => Self::NewCollateral,
            7 => Self::Collateral(Code::take(input)?, Box::new(Code::take(input)?)),
            8 => Self::Total(Code::take(input)?, Code::take(input)?),
            9 => Self::Policy(Box::new(Code::take(input)?)),
            10 => Self::Described(Box::new((Code::take(input)?, Code::take(input)?))),
            _ => {
                return Err(SnapshotError::Malformed {
                    what: "a kind of change that does not exist",
                });
            }
        })
    }
}
