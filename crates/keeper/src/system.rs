//! What is deployed: the manifest's addresses, and what is read of the contracts once, at start.

use alloy::eips::BlockId;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, sol};
use breakwater_bindings::{
    BackstopPolicy as BackstopPolicyContract, BackstopPool, DampedPolicy as DampedContract,
    FlashLiquidator, ILendingPool, ILiquidationPolicy, IRateModel, RigidPolicy as RigidContract,
    TargetHealthPolicy as TargetHealthContract, UniswapV3Pool,
};
use breakwater_deploy::{Deployment, PolicyKind};
use breakwater_protocol::policy::{
    BackstopPolicy, DampedParameters, DampedPolicy, Policy, RigidPolicy, TargetHealthPolicy,
};
use breakwater_protocol::{Description, MirroredPolicy, RateParameters};
use breakwater_rpc::{Client, RpcError, TargetCall};

use crate::units::{Decimals, ratio};

sol! {
    /// What is read of a token beside its balance.
    interface IErc20Metadata {
        function decimals() external view returns (uint8);
        function symbol() external view returns (string);
    }
}

/// Uniswap v3's unit of a fee: a millionth.
const FEE_UNIT: f64 = 1e6;

/// The longest symbol that is shown.
const MAX_SYMBOL: usize = 16;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its contract.
    pub address: Address,
    /// Decimals of a whole token.
    pub decimals: u8,
    /// What its contract calls it: for people, never to be trusted.
    pub symbol: String,
}

/// Where a collateral is sold: a Uniswap v3 pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SalePool {
    /// The pool.
    pub address: Address,
    /// Whether the collateral is its token 0.
    pub collateral_is_token0: bool,
    /// The share of the input kept as fee.
    pub fee: f64,
}

/// A collateral with what the keeper needs to sell it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its number in the pool.
    pub id: u32,
    /// The token.
    pub token: Token,
    /// Where it is sold; `None` if the manifest names no venue.
    pub sale: Option<SalePool>,
    /// The `FlashLiquidator` that sells it there.
    pub liquidator: Option<Address>,
}

/// A backstop of the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backstop {
    /// `BackstopPool`.
    pub address: Address,
    /// The policy with which it comes first; `None` while the pool's is another: then it settles and sells, and absorbs nothing.
    pub policy: Option<BackstopPolicy>,
    /// The share of the discount that whoever calls it is paid.
    pub caller_share: f64,
}

/// A deployed system.
#[derive(Clone, Debug)]
pub struct System {
    /// The chain.
    pub chain_id: u64,
    /// The lending pool.
    pub pool: Address,
    /// Its debt token.
    pub debt: Token,
    /// Its circuit breaker, if it has one.
    pub breaker: Option<Address>,
    /// Answers `aggregate3`.
    pub multicall: Address,
    /// The liquidation policy's contract.
    pub policy_address: Address,
    /// What it decides, but for a backstop before it.
    pub policy: Policy,
    /// The backstop, where one is known.
    pub backstop: Option<Backstop>,
    /// What a mirror is told.
    pub description: Description,
    /// In the order of the pool's numbers.
    pub collaterals: Vec<Listed>,
    /// The collateral whose price is the native coin's. `None` where the manifest names none: then it is the first one's, and
    /// the keeper warns.
    pub native: Option<usize>,
    /// Where a reader of events begins.
    pub first_block: u64,
}

/// The system cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// No answer.
    #[error("cannot read {what}: {source}")]
    Rpc {
        /// What was asked.
        what: &'static str,
        /// Why there is no answer.
        source: RpcError,
    },
    /// The deployment was not finished.
    #[error(
        "the deployment on chain {0} is not complete: run `breakwater deploy` again, it continues where it stopped"
    )]
    Incomplete(u64),
    /// The contract does not answer as the manifest says.
    #[error("{what} at {address} {problem}: is the manifest this chain's?")]
    Contract {
        /// What it should be.
        what: &'static str,
        /// Where.
        address: Address,
        /// What is wrong.
        problem: String,
    },
}

/// A batch of calls with their decoding.
struct Batch<'a> {
    client: &'a Client,
    multicall: Address,
    calls: Vec<TargetCall>,
}

impl<'a> Batch<'a> {
    fn new(client: &'a Client, multicall: Address) -> Self {
        Self {
            client,
            multicall,
            calls: Vec::new(),
        }
    }

    fn add<C: SolCall>(&mut self, to: Address, call: &C) {
        self.calls.push(TargetCall::new(to, call));
    }

    async fn send(self, what: &'static str) -> Result<Answers, SystemError> {
        let answers = self
            .client
            .multicall(self.multicall, BlockId::latest(), &self.calls, None)
            .await
            .map_err(|source| SystemError::Rpc { what, source })?;
        let targets = self.calls.into_iter().map(|call| call.to);
        Ok(Answers(
            targets
                .zip(answers.into_iter().map(|answer| answer.ok()))
                .collect::<Vec<_>>()
                .into_iter(),
        ))
    }
}

struct Answers(std::vec::IntoIter<(Address, Option<Bytes>)>);

impl Answers {
    fn next<C: SolCall>(&mut self, what: &'static str) -> Result<C::Return, SystemError> {
        let (address, answer) = self.0.next().unwrap_or_default();
        answer
            .and_then(|data| C::abi_decode_returns(&data).ok())
            .ok_or_else(|| SystemError::Contract {
                what,
                address,
                problem: format!("does not answer {}", C::SIGNATURE),
            })
    }
}

impl System {
    /// Reads what the manifest does not say, in three requests and one for a backstop, and checks that both agree. `backstop` is known
    /// by other means than the manifest.
    ///
    /// # Errors
    /// See [`SystemError`].
    pub async fn read(
        client: &Client,
        deployment: &Deployment,
        backstop: Option<Address>,
    ) -> Result<Self, SystemError> {
        if !deployment.complete {
            return Err(SystemError::Incomplete(deployment.chain_id));
        }
        let (pool, multicall) = (deployment.pool, deployment.multicall);
        let mut batch = Batch::new(client, multicall);
        batch.add(pool, &ILendingPool::assetTokenCall {});
        batch.add(pool, &ILendingPool::policyCall {});
        batch.add(pool, &ILendingPool::breakerCall {});
        batch.add(deployment.rate_model, &IRateModel::parametersCall {});
        let mut answers = batch.send("the pool").await?;
        let asset = answers.next::<ILendingPool::assetTokenCall>("the pool")?;
        let policy_address = answers.next::<ILendingPool::policyCall>("the pool")?;
        let breaker = answers.next::<ILendingPool::breakerCall>("the pool")?;
        let rate = answers.next::<IRateModel::parametersCall>("the rate model")?;
        let known = deployment.backstop.map(|known| known.pool).or(backstop);
        let behind = deployment.policy.address;
        let backstop = match known {
            Some(address) => {
                let wraps = (policy_address != behind).then_some(policy_address);
                Some(read_backstop(client, deployment, address, wraps).await?)
            }
            None if policy_address != behind => {
                return Err(SystemError::Contract {
                    what: "the policy",
                    address: behind,
                    problem: format!("is not the pool's any more, that is {policy_address}"),
                });
            }
            None => None,
        };
        let rate = rate_parameters(&rate).ok_or_else(|| SystemError::Contract {
            what: "the rate model",
            address: deployment.rate_model,
            problem: "has parameters out of range".to_owned(),
        })?;
        let (policy, needs_confirmation) =
            read_policy(client, multicall, deployment.policy.kind, policy_address).await?;
        let (debt, collaterals) = read_tokens(client, deployment, asset).await?;
        Ok(Self {
            chain_id: deployment.chain_id,
            pool,
            debt,
            breaker: (!breaker.is_zero()).then_some(breaker),
            multicall,
            policy_address,
            policy,
            backstop,
            description: Description {
                chain_id: deployment.chain_id,
                pool,
                asset,
                rate,
                policy: MirroredPolicy {
                    address: policy_address,
                    needs_confirmation,
                },
            },
            collaterals,
            native: deployment.native_collateral.map(|id| id as usize),
            first_block: deployment.first_block,
        })
    }

    /// Decimals of a collateral beside the debt token's.
    #[must_use]
    pub fn decimals(&self, listed: &Listed) -> Decimals {
        Decimals {
            collateral: listed.token.decimals,
            debt: self.debt.decimals,
        }
    }

    /// Whole debt tokens per native coin, of its raw price.
    #[must_use]
    pub fn native_price(&self, price: U256) -> f64 {
        let decimals = Decimals {
            collateral: self
                .collaterals
                .get(self.native.unwrap_or(0))
                .map_or(18, |listed| listed.token.decimals),
            debt: self.debt.decimals,
        };
        decimals.price(price)
    }

    /// Decimals of a collateral's token; those of most tokens for one that the manifest does not name.
    #[must_use]
    pub fn collateral_decimals(&self, collateral: u64) -> u8 {
        usize::try_from(collateral)
            .ok()
            .and_then(|place| self.collaterals.get(place))
            .map_or(18, |listed| listed.token.decimals)
    }

    /// The damped policy's parameters, if the policy is one.
    #[must_use]
    pub fn damped(&self) -> Option<&DampedPolicy> {
        match &self.policy {
            Policy::Damped(policy) => Some(policy),
            Policy::Rigid(_) | Policy::TargetHealth(_) => None,
        }
    }
}

/// A backstop of the deployment's pool; `wraps` is the pool's policy where it is not the manifest's, which must then be behind it.
async fn read_backstop(
    client: &Client,
    deployment: &Deployment,
    address: Address,
    wraps: Option<Address>,
) -> Result<Backstop, SystemError> {
    let (what, what_policy) = ("the backstop", "the policy");
    let mut batch = Batch::new(client, deployment.multicall);
    batch.add(address, &BackstopPool::POOLCall {});
    batch.add(address, &BackstopPool::CALLER_SHARECall {});
    if let Some(policy) = wraps {
        batch.add(policy, &BackstopPolicyContract::BACKSTOPCall {});
        batch.add(policy, &BackstopPolicyContract::BEHINDCall {});
        batch.add(policy, &BackstopPolicyContract::ABSORPTION_HEALTHCall {});
    }
    let mut answers = batch.send(what).await?;
    let pool = answers.next::<BackstopPool::POOLCall>(what)?;
    if pool != deployment.pool {
        return Err(SystemError::Contract {
            what,
            address,
            problem: format!("serves pool {pool}"),
        });
    }
    let caller_share = ratio(answers.next::<BackstopPool::CALLER_SHARECall>(what)?);
    let policy = match wraps {
        None => None,
        Some(policy) => {
            let wrong = |problem: String| SystemError::Contract {
                what: what_policy,
                address: policy,
                problem,
            };
            let first = answers.next::<BackstopPolicyContract::BACKSTOPCall>(what_policy)?;
            let behind = answers.next::<BackstopPolicyContract::BEHINDCall>(what_policy)?;
            let health =
                answers.next::<BackstopPolicyContract::ABSORPTION_HEALTHCall>(what_policy)?;
            if first != address || behind != deployment.policy.address {
                return Err(wrong(format!("puts {first} before {behind}")));
            }
            Some(BackstopPolicy::new(health).map_err(|error| wrong(error.to_string()))?)
        }
    };
    Ok(Backstop {
        address,
        policy,
        caller_share,
    })
}

async fn read_policy(
    client: &Client,
    multicall: Address,
    kind: PolicyKind,
    address: Address,
) -> Result<(Policy, bool), SystemError> {
    let mut batch = Batch::new(client, multicall);
    batch.add(address, &ILiquidationPolicy::needsConfirmationCall {});
    match kind {
        PolicyKind::Rigid => batch.add(address, &RigidContract::BONUSCall {}),
        PolicyKind::TargetHealth => {
            batch.add(address, &TargetHealthContract::TARGET_HEALTHCall {});
            batch.add(address, &TargetHealthContract::FULL_BONUS_HEALTHCall {});
            batch.add(address, &TargetHealthContract::BONUS_SHARE_AT_ONECall {});
        }
        PolicyKind::Damped => batch.add(address, &DampedContract::parametersCall {}),
    }
    let what = "the policy";
    let mut answers = batch.send(what).await?;
    let wrong = |problem: String| SystemError::Contract {
        what,
        address,
        problem,
    };
    let needs_confirmation = answers.next::<ILiquidationPolicy::needsConfirmationCall>(what)?;
    let policy = match kind {
        PolicyKind::Rigid => Policy::Rigid(RigidPolicy {
            bonus: answers.next::<RigidContract::BONUSCall>(what)?,
        }),
        PolicyKind::TargetHealth => Policy::TargetHealth(
            TargetHealthPolicy::new(
                answers.next::<TargetHealthContract::TARGET_HEALTHCall>(what)?,
                answers.next::<TargetHealthContract::FULL_BONUS_HEALTHCall>(what)?,
                answers.next::<TargetHealthContract::BONUS_SHARE_AT_ONECall>(what)?,
            )
            .map_err(|error| wrong(error.to_string()))?,
        ),
        PolicyKind::Damped => {
            let parameters = answers.next::<DampedContract::parametersCall>(what)?;
            let parameters = DampedParameters::try_from(&parameters)
                .map_err(|error| wrong(error.to_string()))?;
            Policy::Damped(DampedPolicy::new(parameters).map_err(|error| wrong(error.to_string()))?)
        }
    };
    Ok((policy, needs_confirmation))
}

async fn read_tokens(
    client: &Client,
    deployment: &Deployment,
    asset: Address,
) -> Result<(Token, Vec<Listed>), SystemError> {
    let mut batch = Batch::new(client, deployment.multicall);
    let add_token = |batch: &mut Batch<'_>, token| {
        batch.add(token, &IErc20Metadata::decimalsCall {});
        batch.add(token, &IErc20Metadata::symbolCall {});
    };
    add_token(&mut batch, asset);
    for collateral in &deployment.collaterals {
        add_token(&mut batch, collateral.token);
        if let Some(venue) = collateral.venue {
            batch.add(venue, &UniswapV3Pool::token0Call {});
            batch.add(venue, &UniswapV3Pool::feeCall {});
        }
        if let Some(liquidator) = collateral.flash_liquidator {
            batch.add(liquidator, &FlashLiquidator::POOLCall {});
            batch.add(liquidator, &FlashLiquidator::COLLATERAL_IDCall {});
        }
    }
    let mut answers = batch.send("the tokens").await?;
    let debt = read_token(&mut answers, asset)?;
    let mut collaterals = Vec::with_capacity(deployment.collaterals.len());
    for collateral in &deployment.collaterals {
        let token = read_token(&mut answers, collateral.token)?;
        let sale = match collateral.venue {
            None => None,
            Some(address) => {
                let token0 = answers.next::<UniswapV3Pool::token0Call>("the venue")?;
                let fee = answers.next::<UniswapV3Pool::feeCall>("the venue")?;
                Some(SalePool {
                    address,
                    collateral_is_token0: token0 == collateral.token,
                    fee: f64::from(fee.to::<u32>()) / FEE_UNIT,
                })
            }
        };
        if let Some(address) = collateral.flash_liquidator {
            let what = "the flash liquidator";
            let pool = answers.next::<FlashLiquidator::POOLCall>(what)?;
            let id = answers.next::<FlashLiquidator::COLLATERAL_IDCall>(what)?;
            if pool != deployment.pool || id != U256::from(collateral.id) {
                return Err(SystemError::Contract {
                    what,
                    address,
                    problem: format!("serves collateral {id} of pool {pool}"),
                });
            }
        }
        collaterals.push(Listed {
            id: u32::try_from(collateral.id).unwrap_or(u32::MAX),
            token,
            sale,
            liquidator: collateral.flash_liquidator,
        });
    }
    Ok((debt, collaterals))
}

fn read_token(answers: &mut Answers, address: Address) -> Result<Token, SystemError> {
    let decimals = answers.next::<IErc20Metadata::decimalsCall>("the token")?;
    // Some old tokens answer bytes32: a symbol is only for show.
    let symbol = answers
        .next::<IErc20Metadata::symbolCall>("the token")
        .unwrap_or_default();
    Ok(Token {
        address,
        decimals,
        symbol: printable(&symbol),
    })
}

/// What a contract calls itself, fit for a terminal: letters, digits and a few signs.
fn printable(symbol: &str) -> String {
    let kept: String = symbol
        .chars()
        .filter(|sign| sign.is_ascii_alphanumeric() || "-_.+₮".contains(*sign))
        .take(MAX_SYMBOL)
        .collect();
    if kept.is_empty() {
        "?".to_owned()
    } else {
        kept
    }
}

fn rate_parameters(bound: &IRateModel::RateParameters) -> Option<RateParameters> {
    Some(RateParameters {
        target_utilisation: bound.targetUtilisation.try_into().ok()?,
        low_multiplier: bound.lowMultiplier.try_into().ok()?,
        high_multiplier: bound.highMultiplier.try_into().ok()?,
        adaptation_speed: bound.adaptationSpeed.try_into().ok()?,
        initial_rate_at_target: bound.initialRateAtTarget.try_into().ok()?,
        min_rate_at_target: bound.minRateAtTarget.try_into().ok()?,
        max_rate_at_target: bound.maxRateAtTarget.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_cannot_write_on_a_terminal() {
        assert_eq!(printable("\u{1b}[31mUSDC\u{202e}"), "31mUSDC");
        assert_eq!(printable(""), "?");
        assert_eq!(printable(&"A".repeat(99)).len(), MAX_SYMBOL);
    }
}
