//! Orders of which nothing final is known, and what they have taken up.

use std::time::Instant;

use alloy_primitives::{Address, B256, U256, map::HashMap};
use breakwater_agents::Bid;
use breakwater_agents::keeper::LIQUIDATION_GAS_LIMIT;
use breakwater_operator::status::{BidState, unix_now};
use breakwater_protocol::Mirror;
use breakwater_sender::{InFlight, Inclusion};

use crate::planner::Claims;
use crate::store::{ActionKind, Ordered};

/// What a transfer of native coins uses: a cancellation, or the filling of a gap.
const TRANSFER_GAS: u64 = 21_000;

/// An order of which nothing final is known.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub ordered: Ordered,
    /// What was bid; `None` after a restart.
    pub bid: Option<Bid>,
    /// Debt tokens that it may take of the account, base units; `None` after a restart.
    pub repay: Option<U256>,
    pub state: BidState,
    pub transaction: Option<B256>,
    pub nonce: Option<u64>,
    pub inclusion: Option<Inclusion>,
    /// How much more gas than a liquidation of a position with one collateral it was expected to use, and its limit; `None` after a
    /// restart.
    pub gas: Option<(u64, u64)>,
    /// What it takes of its collateral's market; nothing is known of it after a restart.
    pub claims: Claims,
    /// The debt shares of the position that it was planned for.
    pub debt_shares: u128,
    /// When it was ordered, or heard of again after a restart; by the wall clock.
    pub since: u64,
    /// When the head that it was planned on arrived, until a node has acknowledged it.
    pub head_received: Option<Instant>,
}

impl Open {
    /// One that is heard of again.
    pub fn again(ordered: Ordered, state: BidState, inclusion: Option<Inclusion>) -> Self {
        Self {
            ordered,
            bid: None,
            repay: None,
            state,
            transaction: inclusion.map(|inclusion| inclusion.hash),
            nonce: inclusion.map(|inclusion| inclusion.nonce),
            inclusion,
            gas: None,
            claims: Claims::default(),
            debt_shares: 0,
            since: unix_now(),
            head_received: None,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(pub(super) HashMap<B256, Open>);

impl UnderWay {
    /// One that is planned on the head that arrived at `head_received`.
    pub fn insert(
        &mut self,
        ordered: Ordered,
        bid: Bid,
        repay: U256,
        gas: (u64, u64),
        (claims, debt_shares): (Claims, u128),
        head_received: Option<Instant>,
    ) {
        let open = Open {
            bid: Some(bid),
            repay: Some(repay),
            gas: Some(gas),
            claims,
            debt_shares,
            head_received,
            ..Open::again(ordered, BidState::Prepared, None)
        };
        self.0.insert(ordered.id, open);
    }

    /// Orders for the account whose transaction is in no block of the chain that `mirror` follows, of those that `kind` waits for: what
    /// closes a position waits for what closes it, not for the flag that was to prepare it; a flag or a record waits for anything. The
    /// sender says of a block that it has left, but perhaps only after the new head was planned on; and after a restart it first repeats
    /// what it knew.
    pub fn waiting<'a>(
        &'a self,
        account: Address,
        kind: ActionKind,
        mirror: &'a Mirror,
    ) -> impl Iterator<Item = &'a Open> {
        self.out(mirror).filter(move |open| {
            open.ordered.account == account && (open.ordered.kind.closes() || !kind.closes())
        })
    }

    /// The same for all accounts.
    fn out<'a>(&'a self, mirror: &'a Mirror) -> impl Iterator<Item = &'a Open> {
        self.all().filter(|open| {
            let included = open.state == BidState::Included
                && !open
                    .inclusion
                    .is_some_and(|inclusion| has_left(&inclusion, mirror));
            !included
        })
    }

    /// What is left of `inventory`, debt base units, after all that is out, and `spends` of it, has taken what it may. Of orders of
    /// before a restart nobody knows what they take: nothing is left then.
    pub fn unspent(
        &self,
        inventory: U256,
        mirror: &Mirror,
        spends: impl Fn(ActionKind) -> bool,
    ) -> U256 {
        let out = self.out(mirror).filter(|open| {
            let kind = open.ordered.kind;
            kind.spends() && spends(kind)
        });
        out.fold(inventory, |left, open| {
            left.saturating_sub(open.repay.unwrap_or(left))
        })
    }

    /// What those that are out take of the markets of collaterals 0 to `count`. One whose position has changed since has been included,
    /// though the sender has not said so yet, or has come too late; one that is being cancelled takes nothing.
    pub fn claims(&self, count: usize, mirror: &Mirror) -> Vec<Claims> {
        let mut claims = vec![Claims::default(); count];
        let standing = |open: &&Open| {
            open.state != BidState::Cancelling
                && mirror.debt_shares_of(&open.ordered.account) == open.debt_shares
        };
        for open in self.out(mirror).filter(standing) {
            if let Some(claimed) = claims.get_mut(open.ordered.collateral as usize) {
                *claimed = claimed.and(open.claims);
            }
        }
        claims
    }

    /// The most wei that what the sender has out or planned can cost.
    pub fn committed(&self, in_flight: &[InFlight]) -> U256 {
        in_flight.iter().fold(U256::ZERO, |sum, one| {
            let order = one.id.filter(|_| !one.cancelling);
            let gas = order.map_or(TRANSFER_GAS, |id| {
                let open = self.0.get(&id).and_then(|open| open.gas);
                open.map_or(LIQUIDATION_GAS_LIMIT, |(_, limit)| limit)
            });
            sum.saturating_add(U256::from(gas) * U256::from(one.max_fee_per_gas))
        })
    }

    pub fn all(&self) -> impl Iterator<Item = &Open> {
        self.0.values()
    }
}

/// Whether the chain is known to have another block at that height, or none yet.
fn has_left(inclusion: &Inclusion, mirror: &Mirror) -> bool {
    inclusion.block_number > mirror.head().number
        || mirror.blocks().any(|block| {
            block.number == inclusion.block_number && block.hash != inclusion.block_hash
        })
}

#[cfg(test)]
mod tests {
    use breakwater_protocol::{BlockRef, Description, MirroredPolicy, RateParameters};

    use super::*;

    const ACCOUNT: Address = Address::repeat_byte(7);
    const WAD: u64 = 1_000_000_000_000_000_000;
    const YEAR: u64 = 365 * 24 * 3_600;

    fn ordered(kind: ActionKind) -> Ordered {
        Ordered {
            id: B256::repeat_byte(1),
            kind,
            account: ACCOUNT,
            collateral: 0,
            planned_block: 7,
            planned_at: 100,
            expected: 1.0,
            native_price: 2_000.0,
        }
    }

    fn out(kind: ActionKind) -> UnderWay {
        let bid = Bid {
            max_fee: 20.0,
            tip: 1.0,
        };
        let mut under_way = UnderWay::default();
        under_way.insert(
            ordered(kind),
            bid,
            U256::ZERO,
            (50_000, 950_000),
            (Claims::default(), 0),
            None,
        );
        under_way
    }

    fn mirror() -> Mirror {
        let description = Description {
            chain_id: 1,
            pool: Address::ZERO,
            asset: Address::ZERO,
            rate: RateParameters {
                target_utilisation: WAD / 10 * 9,
                low_multiplier: WAD / 4,
                high_multiplier: 4 * u128::from(WAD),
                adaptation_speed: 50 * u128::from(WAD) / u128::from(YEAR),
                initial_rate_at_target: WAD / 25 / YEAR,
                min_rate_at_target: WAD / 1_000 / YEAR,
                max_rate_at_target: 2 * WAD / YEAR,
            },
            policy: MirroredPolicy {
                address: Address::ZERO,
                needs_confirmation: true,
            },
        };
        Mirror::new(description, BlockRef::default()).unwrap()
    }

    #[test]
    fn a_flag_that_is_out_keeps_nobody_from_liquidating() {
        use ActionKind::{
            Absorb, BuyInventory, Flag, Liquidate, ObserveSale, Settle, SettleByBackstop,
        };
        let mirror = mirror();
        for (kind_out, then, waits) in [
            (Flag, Liquidate, false),
            (Flag, Settle, false),
            (Flag, Flag, true),
            (Liquidate, Liquidate, true),
            (Liquidate, Settle, true),
            (Settle, Liquidate, true),
            (Liquidate, Flag, true),
            (Flag, Absorb, false),
            (Absorb, Liquidate, true),
            (Liquidate, Absorb, true),
            (Absorb, SettleByBackstop, true),
            (BuyInventory, BuyInventory, true),
            (ObserveSale, BuyInventory, true),
        ] {
            let under_way = out(kind_out);
            let found = under_way.waiting(ACCOUNT, then, &mirror).count();
            assert_eq!(found == 1, waits, "{then:?} after {kind_out:?}");
            let other = under_way.waiting(Address::ZERO, then, &mirror).count();
            assert_eq!(other, 0);
        }
    }

    #[test]
    fn only_what_spends_of_the_purse_is_taken_off_it() {
        let (mirror, purse) = (mirror(), U256::from(1_000));
        let bid = Bid {
            max_fee: 20.0,
            tip: 1.0,
        };
        let mut under_way = UnderWay::default();
        for (number, kind, repay) in [
            (1, ActionKind::Liquidate, 300),
            (2, ActionKind::BuyInventory, 50),
            (3, ActionKind::Absorb, 0),
        ] {
            let ordered = Ordered {
                id: B256::repeat_byte(number),
                ..ordered(kind)
            };
            under_way.insert(
                ordered,
                bid,
                U256::from(repay),
                (0, 1),
                (Claims::default(), 0),
                None,
            );
        }
        let buys = |kind| kind == ActionKind::BuyInventory;
        assert_eq!(under_way.unspent(purse, &mirror, |_| true), U256::from(650));
        assert_eq!(under_way.unspent(purse, &mirror, buys), U256::from(950));
        // Of one of before a restart nobody knows what it takes.
        let mut left_with = |kind| {
            let id = B256::repeat_byte(4);
            let again = Ordered {
                id,
                ..ordered(kind)
            };
            let again = Open::again(again, BidState::Submitted, None);
            under_way.0.insert(id, again);
            under_way.unspent(purse, &mirror, |_| true)
        };
        use ActionKind::{
            Absorb, BuyInventory, Flag, ObserveSale, RecordDepth, Settle, SettleByBackstop,
        };
        for kind in [BuyInventory, Settle, SettleByBackstop] {
            assert_eq!(left_with(kind), U256::ZERO, "{kind:?}");
        }
        for kind in [Absorb, ObserveSale, Flag, RecordDepth] {
            assert_eq!(left_with(kind), U256::from(650), "{kind:?} takes nothing");
        }
    }

    #[test]
    fn what_is_out_claims_its_market_until_its_position_has_changed() {
        let claims = Claims {
            sold: 2.0,
            charged: 100.0,
        };
        let bid = Bid {
            max_fee: 20.0,
            tip: 1.0,
        };
        let mut under_way = UnderWay::default();
        // Nobody has a debt in this mirror: the last one's position is no more what it was planned for.
        for (number, collateral, debt_shares) in [(1, 0, 0), (2, 1, 0), (3, 1, 0), (4, 0, 7)] {
            let ordered = Ordered {
                id: B256::repeat_byte(number),
                collateral,
                ..ordered(ActionKind::Liquidate)
            };
            let claims = (claims, debt_shares);
            under_way.insert(ordered, bid, U256::ZERO, (0, 1), claims, None);
        }
        let expected = [claims, claims.and(claims), Claims::default()];
        assert_eq!(under_way.claims(3, &mirror()), expected);
        // What is given up takes nothing, though its nonce is not free yet.
        for open in under_way.0.values_mut() {
            open.state = BidState::Cancelling;
        }
        assert_eq!(under_way.claims(3, &mirror()), [Claims::default(); 3]);
    }

    #[test]
    fn what_is_out_is_counted_at_its_gas_limit() {
        let one = |id, cancelling| InFlight {
            id,
            label: String::new(),
            nonce: Some(3),
            hash: None,
            max_fee_per_gas: 20,
            attempts: 1,
            cancelling,
        };
        let under_way = out(ActionKind::Liquidate);
        let known = Some(B256::repeat_byte(1));
        for (in_flight, gas) in [
            (one(known, false), 950_000),
            (one(known, true), 21_000),
            (one(None, false), 21_000),
            (one(Some(B256::repeat_byte(2)), false), 900_000),
        ] {
            assert_eq!(under_way.committed(&[in_flight]), U256::from(gas * 20_u64));
        }
    }
}
