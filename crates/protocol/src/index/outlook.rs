//! What an operator looks at: the debt that falls at each price, and who is nearest.

use alloy_primitives::{Address, U256};

use super::Index;
use crate::math::WAD;
use crate::mirror::{AccountId, Accounts};
use crate::moment::{Moment, health};

/// What is below HF_F = 1 after a fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebtAtFall {
    /// How far the price fell, basis points.
    pub fall: u32,
    /// How many accounts are below then.
    pub accounts: u64,
    /// What they owe, base units of the debt token.
    pub debt: U256,
}

/// How far an account is from liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// The account.
    pub account: Address,
    /// HF_F, WAD.
    pub health_fast: U256,
    /// The common fall of all its prices that takes it to HF_F = 1: 1 − 1 / HF_F, WAD, rounded down; 0 if it is there.
    pub fall: U256,
    /// What it owes, base units of the debt token.
    pub debt: U256,
    /// Bit i is set if it holds collateral i.
    pub bitmap: u16,
}

impl Index {
    /// For each of `falls` (basis points, ascending): what is below once the price of `only`, or of all, fell that far.
    pub fn debt_falling(
        &self,
        moment: &Moment,
        accounts: &Accounts,
        only: Option<u8>,
        falls: &[u32],
    ) -> Vec<DebtAtFall> {
        let moments: Vec<_> = falls
            .iter()
            .map(|fall| moment.fallen(*fall, only))
            .collect();
        let mut steps: Vec<_> = falls
            .iter()
            .map(|fall| DebtAtFall {
                fall: *fall,
                ..DebtAtFall::default()
            })
            .collect();
        let Some(lowest) = moments.last() else {
            return steps;
        };
        for number in self.suppose(lowest, accounts) {
            // Values fall with prices, so the first fall that reaches an account can be searched for.
            let first = moments
                .partition_point(|fallen| fallen.is_below_one(accounts, number) != Some(true));
            if let Some(step) = steps.get_mut(first) {
                step.accounts += 1;
                let debt = moment.market().owed(accounts.position(number).debt_shares);
                step.debt = step.debt.saturating_add(debt);
            }
        }
        for later in 1..steps.len() {
            let (accounts, debt) = (steps[later - 1].accounts, steps[later - 1].debt);
            steps[later].accounts += accounts;
            steps[later].debt = steps[later].debt.saturating_add(debt);
        }
        steps
    }

    /// The `count` accounts with the lowest health factors, ascending.
    pub fn nearest(&self, moment: &Moment, accounts: &Accounts, count: usize) -> Vec<Distance> {
        // A common fall reaches accounts in the order of their health factors: the first fall that reaches enough.
        let mut fall = 0_u32;
        let mut reached = self.suppose(moment, accounts);
        while reached.len() < count && fall < 10_000 {
            fall = (fall * 2).clamp(25, 10_000);
            reached = self.suppose(&moment.fallen(fall, None), accounts);
        }
        let mut distances: Vec<_> = reached
            .into_iter()
            .filter_map(|number| distance(moment, accounts, number))
            .collect();
        distances.sort_unstable_by_key(|distance| (distance.health_fast, distance.account));
        distances.truncate(count);
        distances
    }
}

/// `None` where the contracts revert.
fn distance(moment: &Moment, accounts: &Accounts, number: AccountId) -> Option<Distance> {
    let position = accounts.position(number);
    let debt = moment.market().owed(position.debt_shares);
    let valuation = moment.valuation(accounts, number).ok()?;
    let health_fast = health(valuation.weighted_fast, debt).ok()?;
    let fall = if health_fast > WAD {
        WAD - (WAD * WAD).div_ceil(health_fast)
    } else {
        U256::ZERO
    };
    Some(Distance {
        account: accounts.address(number),
        health_fast,
        fall,
        debt,
        bitmap: position.bitmap,
    })
}
