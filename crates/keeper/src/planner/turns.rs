//! Several damped liquidations in one block. Each takes from the bucket, and the emptier it is, the rarer everybody's turns are: a turn
//! that is open at the head may be closed after what stands before it in the block.

use alloy_primitives::U256;
use breakwater_protocol::math::WAD;
use breakwater_protocol::policy::NextTurn;

use super::Sight;
use super::candidates::Considered;

/// What the sales before a liquidation may take from the depth that it finds, and so from the bucket's fullness, WAD.
const DEPTH_MARGIN: U256 = U256::from_limbs([20_000_000_000_000_000, 0, 0, 0]);

/// What the actions planned so far for a collateral leave behind.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// From the bucket, debt base units.
    repaid: U256,
    /// Whether anything was sold.
    sold: bool,
}

impl Taken {
    /// Whether the account's turn is still open after what was taken before; if so, `repay` is taken too.
    pub fn admits(&mut self, sight: &Sight<'_>, one: &Considered, repay: U256) -> bool {
        let first = !std::mem::replace(&mut self.sold, true);
        let Some(policy) = sight.system.damped().filter(|_| one.candidate.charged) else {
            return true;
        };
        let thought = &one.thought;
        let stored = sight
            .mirror
            .policy_state()
            .bucket(u64::from(thought.collateral));
        let cap = stored.cap();
        let open = first
            || {
                // A bucket that opens in this block has a size that only the block knows: what comes after the first one waits.
                let gone = (self.repaid * WAD).checked_div(cap).unwrap_or(WAD) + DEPTH_MARGIN;
                let fullness = thought.reasoning.fullness.saturating_sub(gone);
                let probability = policy.turn_probability(fullness, thought.reasoning.zone_depth);
                let environment = sight.environment(thought.collateral);
                let next =
                    policy.next_open_turn(thought.account, probability, sight.seed(), &environment);
                matches!(next, NextTurn::At(time) | NextTurn::Unseeded(time) if time <= environment.timestamp)
            };
        if open {
            self.repaid += repay;
        }
        open
    }
}
