//! Lenders' acts, and permissions.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use breakwater_bindings::LendingPoolExtension;

use super::{Plan, Planned, Scene, at};
use crate::action::{Action, Kind, Size};
use crate::encode::{Call, bytes, uint};
use crate::properties::Property;
use crate::world::{PEOPLE, World, view_word};

/// Whole dollars: deposits beyond it are made only at the cap.
const PLENTY: u64 = 10_000_000;

impl Scene<'_> {
    pub(super) fn lend(&mut self, action: &Action) -> Plan {
        let (who, to) = (at(action.who), at(action.to));
        let (actor, other) = (self.actor(who), self.actor(to));
        let shares = self.now.account(who).shares;
        let size = |possible: U256| action.size.of(possible);
        match action.kind {
            Kind::Deposit | Kind::Mint => {
                let deposits = action.kind == Kind::Deposit;
                let most = if deposits {
                    self.pool_word(&LendingPoolExtension::maxDepositCall { receiver: actor })
                } else {
                    self.pool_word(&LendingPoolExtension::maxMintCall { receiver: actor })
                };
                let usual =
                    self.world.plan.dollars(PLENTY) * U256::from(if deposits { 1 } else { 1_000 });
                let possible = if action.choice.is_multiple_of(8) {
                    most
                } else {
                    most.min(usual)
                };
                let amount = size(possible);
                let market = &self.now.view.market;
                let (assets, gained) = if deposits {
                    (amount, self.now.shares_down(amount))
                } else {
                    let total = market.lenderAssets + U256::ONE;
                    let assets = amount.checked_mul(total).unwrap_or(U256::MAX)
                        / (market.supplyShares + U256::from(1_000));
                    (assets + U256::ONE, amount)
                };
                let has = self.now.account(who).balances[0];
                let holds =
                    amount <= most && !amount.is_zero() && !gained.is_zero() && assets <= has;
                let signature = if deposits {
                    "deposit(uint256,address)"
                } else {
                    "mint(uint256,address)"
                };
                self.vault(
                    actor,
                    signature,
                    vec![uint(amount), other.into()],
                    who,
                    holds,
                )
            }
            Kind::Withdraw | Kind::Redeem => {
                let withdraws = action.kind == Kind::Withdraw;
                let most = if withdraws {
                    self.pool_word(&LendingPoolExtension::maxWithdrawCall { owner_: actor })
                } else {
                    self.pool_word(&LendingPoolExtension::maxRedeemCall { owner_: actor })
                };
                let amount = size(most);
                let market = &self.now.view.market;
                let worth = amount
                    .checked_mul(market.lenderAssets + U256::ONE)
                    .unwrap_or(U256::MAX)
                    / (market.supplyShares + U256::from(1_000));
                let holds = amount <= most && !amount.is_zero() && (withdraws || !worth.is_zero());
                let signature = if withdraws {
                    "withdraw(uint256,address,address)"
                } else {
                    "redeem(uint256,address,address)"
                };
                let arguments = vec![uint(amount), other.into(), actor.into()];
                self.vault(actor, signature, arguments, who, holds)
            }
            Kind::Transfer => {
                let arguments = [other.into(), uint(size(shares))];
                self.pool_call(actor, "transfer(address,uint256)", arguments)
                    .into()
            }
            Kind::Approve => {
                let arguments = [other.into(), uint(size(shares))];
                self.pool_call(actor, "approve(address,uint256)", arguments)
                    .into()
            }
            _ => {
                let owned = self.now.account(to).shares;
                if action.choice.is_multiple_of(2) {
                    let arguments = [other.into(), actor.into(), uint(size(owned))];
                    return self
                        .pool_call(actor, "transferFrom(address,address,uint256)", arguments)
                        .into();
                }
                let receiver = if action.choice & 64 == 0 {
                    actor
                } else {
                    other
                };
                let arguments = [uint(size(owned)), receiver.into(), other.into()];
                self.pool_call(actor, "redeem(uint256,address,address)", arguments)
                    .into()
            }
        }
    }

    fn vault(
        &self,
        from: Address,
        signature: &'static str,
        arguments: Vec<DynSolValue>,
        who: usize,
        holds: bool,
    ) -> Plan {
        Planned {
            must: self.person(who, Property::P10, holds),
            ..self.pool_call(from, signature, arguments).into()
        }
        .into()
    }

    pub(super) fn permit(&mut self, action: &Action) -> Plan {
        let (who, to) = (at(action.who), at(action.to));
        let sender = self.actor(to + usize::from(action.choice / 4));
        if action.kind == Kind::Authorize {
            let arguments = [
                self.actor(to).into(),
                (!action.choice.is_multiple_of(3)).into(),
            ];
            let call = self.pool_call(self.actor(who), "setAuthorization(address,bool)", arguments);
            return call.into();
        }
        // Only people sign; one in eight signatures is another's, one deadline in four is past.
        let owner = who % PEOPLE;
        let signer = if action.choice % 8 == 1 {
            (owner + 1) % PEOPLE
        } else {
            owner
        };
        let past = action.choice % 4 == 2;
        let deadline = U256::from(self.block.timestamp - u64::from(past));
        let (owner, spender) = (self.actor(owner), self.actor(to));
        let call = if action.kind == Kind::Permit {
            let value = action.size.of(self.now.account(who % PEOPLE).shares);
            let nonce = self.pool_word(&LendingPoolExtension::noncesCall { owner_: owner });
            let hash = permit_hash(owner, spender, value, nonce, deadline);
            let Some((signature, v)) = self.sign(signer, hash) else {
                return Plan::default();
            };
            let arguments = [
                owner.into(),
                spender.into(),
                uint(value),
                uint(deadline),
                uint(U256::from(v)),
                DynSolValue::FixedBytes(B256::from_slice(&signature[..32]), 32),
                DynSolValue::FixedBytes(B256::from_slice(&signature[32..64]), 32),
            ];
            let name = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)";
            self.pool_call(sender, name, arguments)
        } else {
            let nonce =
                self.pool_word(&LendingPoolExtension::authorizationNonceCall { authorizer: owner });
            let nonce = if action.size == Size::Near(1) {
                nonce + U256::ONE
            } else {
                nonce
            };
            let allowed = action.choice & 64 == 0;
            let fields = vec![
                owner.into(),
                spender.into(),
                allowed.into(),
                uint(nonce),
                uint(deadline),
            ];
            let hash = keccak256(
                (
                    keccak256(
                        "Authorization(address authorizer,address authorized,bool isAuthorized,uint256 nonce,uint256 deadline)",
                    ),
                    owner,
                    spender,
                    allowed,
                    nonce,
                    deadline,
                )
                    .abi_encode(),
            );
            let Some((signature, v)) = self.sign(signer, hash) else {
                return Plan::default();
            };
            let signature = [&signature[..], &[v]].concat();
            let arguments = [DynSolValue::Tuple(fields), bytes(&signature)];
            let name = "setAuthorizationWithSig((address,address,bool,uint256,uint256),bytes)";
            self.pool_call(sender, name, arguments)
        };
        call.into()
    }

    fn sign(&self, person: usize, structure: B256) -> Option<([u8; 64], u8)> {
        let domain = self.world.place.domain;
        let digest = keccak256([&[0x19, 1], &domain[..], &structure[..]].concat());
        let key = World::key(person)?;
        let (signature, parity) = key.sign_prehash_recoverable(&digest.0).ok()?;
        Some((signature.to_bytes().into(), 27 + parity.to_byte()))
    }

    /// A view of the pool that answers one word; 0 where it reverts, which the lens reports.
    pub(super) fn pool_word<C: SolCall>(&mut self, call: &C) -> U256 {
        let data = call.abi_encode().into();
        view_word(self.chain, self.world.place.pool, data).unwrap_or_default()
    }
}

fn permit_hash(owner: Address, spender: Address, value: U256, nonce: U256, deadline: U256) -> B256 {
    let name = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)",
    );
    keccak256((name, owner, spender, value, nonce, deadline).abi_encode())
}

/// Calls that a contract may make of its own; see `hostile`.
pub(super) fn data_of(calls: &[Call]) -> DynSolValue {
    DynSolValue::Array(calls.iter().map(|call| bytes(&call.data())).collect())
}
