//! What is read of the chain once per head, in one request: every oracle, every venue, the breaker, the backstop. Everything else the
//! mirror knows from events. Beside it a keeper that may buy of a backstop asks which sales' clocks are void.
//!
//! The call is made on the head's state as if in the block after it (`eth_call` with block overrides), so the oracles' averages,
//! the breaker's releases and the price accumulators are those that a transaction in that block would see.

use alloy::eips::BlockId;
use alloy::rpc::types::BlockOverrides;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, sol};
use breakwater_agents::Venue;
use breakwater_bindings::{BackstopPool, ICircuitBreaker, IPriceOracle, UniswapV3Pool};
use breakwater_protocol::policy::BreakerLevel;
use breakwater_protocol::{PriceStatus, Reading as PriceReading};
use breakwater_rpc::{Client, RpcError, TargetCall};

use crate::clocks;
use crate::system::System;

sol! {
    /// What is read of the debt token.
    interface IErc20Spendable {
        function balanceOf(address account) external view returns (uint256);
        function allowance(address owner, address spender) external view returns (uint256);
    }
}

/// The margin on the last price of a native coin whose oracle is down: one part in so many.
const DOWN_MARGIN: u64 = 4;

/// The block that is being planned for, as far as its parent determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextBlock {
    /// The head's hash: the state read is the one after it.
    pub parent: B256,
    /// Height.
    pub number: u64,
    /// The earliest time it can have if no slot is missed, unix seconds.
    pub timestamp: u64,
    /// Its base fee, wei per gas.
    pub base_fee: u64,
    /// The time between blocks, seconds.
    pub slot: u64,
}

impl NextBlock {
    /// As `eth_call` wants to be told.
    #[must_use]
    pub fn overrides(&self) -> BlockOverrides {
        BlockOverrides {
            number: Some(U256::from(self.number)),
            time: Some(self.timestamp),
            base_fee: Some(U256::from(self.base_fee)),
            ..BlockOverrides::default()
        }
    }

    /// The state to call on.
    #[must_use]
    pub fn state(&self) -> BlockId {
        BlockId::hash(self.parent)
    }
}

/// One collateral's market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarketReading {
    /// The oracle's answers; `Down` if it does not answer.
    pub prices: PriceReading,
    /// The depth that the oracle's venue shows, base units of the debt token.
    pub depth: U256,
    /// Where the collateral is sold, in whole tokens; `None` without a venue, or if it has no liquidity in range.
    pub venue: Option<Venue>,
}

/// What a backstop has for a collateral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaleReading {
    /// The price of its sale, debt per collateral base unit scaled by 1e36; 0 while it is closed.
    pub price: U256,
    /// What may be bought in the block, base units of the collateral.
    pub available: U256,
    /// What it holds in all, base units of the collateral.
    pub inventory: U256,
    /// Whether its clock is known to be void: only then does an observation start it.
    pub void: bool,
}

/// A backstop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackstopReading {
    /// What it can spend, base units of the debt token.
    pub absorbable: U256,
    /// In the order of the pool's numbers.
    pub sales: Vec<SaleReading>,
    /// The debt tokens that the keeper holds and the backstop may take, base units.
    pub spendable: U256,
    /// Whether it was asked which clocks are void and the answer did not come in time: none counts as void.
    pub clocks_unknown: bool,
}

/// Whose debt tokens are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// Who repays with them.
    pub repays: Option<Address>,
    /// Who buys of a backstop with them.
    pub buys: Option<Address>,
}

/// Everything that is read per head.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadReading {
    /// The block it is for.
    pub next: NextBlock,
    /// What the breaker permits.
    pub breaker: BreakerLevel,
    /// In the order of the pool's numbers.
    pub markets: Vec<MarketReading>,
    /// The debt tokens that the keeper holds and the pool may take, base units, where it repays with them.
    pub inventory: Option<U256>,
    /// The backstop, where one is known.
    pub backstop: Option<BackstopReading>,
}

impl HeadReading {
    /// The oracles' answers alone, in the order of the pool's numbers.
    #[must_use]
    pub fn prices(&self) -> Vec<PriceReading> {
        self.markets.iter().map(|market| market.prices).collect()
    }

    /// What the native coin counts for when gas is weighed, scaled by 1e36: F or, while its oracle is down, the last price that it had
    /// with a margin, since what moves a price may silence its oracle too. 0 if there never was one.
    #[must_use]
    pub fn gas_price_of_native(&self, system: &System) -> U256 {
        self.markets
            .get(system.native.unwrap_or(0))
            .map_or(U256::ZERO, |market| for_gas(&market.prices))
    }

    /// F of the native coin, scaled by 1e36; 0 if it is down, as the policy has it.
    #[must_use]
    pub fn native_price(&self, system: &System) -> U256 {
        self.markets
            .get(system.native.unwrap_or(0))
            .filter(|market| market.prices.status != PriceStatus::Down)
            .map_or(U256::ZERO, |market| market.prices.fast)
    }

    /// Reads the state after `next`'s parent as if in `next`. `oracles` are the collaterals' present oracles.
    ///
    /// # Errors
    /// [`RpcError`]. A single contract that does not answer is no error: its price is down, its venue absent.
    pub async fn read(
        client: &Client,
        system: &System,
        oracles: &[Address],
        holders: Holders,
        next: NextBlock,
    ) -> Result<Self, RpcError> {
        let calls = calls(system, oracles, holders);
        let overrides = Some(next.overrides());
        let read = client.multicall(system.multicall, next.state(), &calls, overrides);
        let (answers, later) = tokio::join!(
            read,
            later_prices(client, system, oracles.len(), holders, &next)
        );
        let answers = answers?.into_iter().map(Result::ok);
        let mut reading = decode(system, oracles, holders, next, answers);
        if let Some(later) = later {
            reading.tell_clocks(later);
        }
        Ok(reading)
    }

    /// What was found of the sales' prices later on, if anything was.
    fn tell_clocks(&mut self, later: Option<Vec<U256>>) {
        let Some(backstop) = &mut self.backstop else {
            return;
        };
        backstop.clocks_unknown = later.is_none();
        let markets = &self.markets;
        let sales = backstop.sales.iter_mut().zip(markets);
        for ((sale, market), later) in sales.zip(later.unwrap_or_default()) {
            sale.void = clocks::is_void(sale.price, later, market.prices.fast);
        }
    }
}

/// The prices of the backstop's sales a second later, for whom may buy; `None` where nobody needs to know.
async fn later_prices(
    client: &Client,
    system: &System,
    collaterals: usize,
    holders: Holders,
    next: &NextBlock,
) -> Option<Option<Vec<U256>>> {
    let backstop = system.backstop.filter(|_| holders.buys.is_some())?.address;
    Some(clocks::later_prices(client, system.multicall, backstop, collaterals, next).await)
}

fn calls(system: &System, oracles: &[Address], holders: Holders) -> Vec<TargetCall> {
    let mut calls = Vec::with_capacity(1 + 5 * oracles.len());
    if let Some(breaker) = system.breaker {
        let call = ICircuitBreaker::levelOfCall { pool: system.pool };
        calls.push(TargetCall::new(breaker, &call));
    }
    for (id, &oracle) in oracles.iter().enumerate() {
        calls.push(TargetCall::new(oracle, &IPriceOracle::peekCall {}));
        calls.push(TargetCall::new(oracle, &IPriceOracle::lastPriceCall {}));
        calls.push(TargetCall::new(oracle, &IPriceOracle::depthCall {}));
        if let Some(sale) = system.collaterals.get(id).and_then(|listed| listed.sale) {
            calls.push(TargetCall::new(sale.address, &UniswapV3Pool::slot0Call {}));
            calls.push(TargetCall::new(
                sale.address,
                &UniswapV3Pool::liquidityCall {},
            ));
        }
    }
    if let Some(account) = holders.repays {
        calls.extend(spendable(system, account, system.pool));
    }
    if let Some(backstop) = system.backstop {
        let address = backstop.address;
        calls.push(TargetCall::new(address, &BackstopPool::absorbableCall {}));
        for id in 0..oracles.len() {
            let held = BackstopPool::inventoryOfCall {
                collateralId: U256::from(id),
            };
            calls.push(TargetCall::new(address, &clocks::quote(id)));
            calls.push(TargetCall::new(address, &held));
        }
        if let Some(account) = holders.buys {
            calls.extend(spendable(system, account, address));
        }
    }
    calls
}

/// What says how many debt tokens `spender` may take of `account`.
fn spendable(system: &System, account: Address, spender: Address) -> [TargetCall; 2] {
    let asset = system.debt.address;
    let allowance = IErc20Spendable::allowanceCall {
        owner: account,
        spender,
    };
    [
        TargetCall::new(asset, &IErc20Spendable::balanceOfCall { account }),
        TargetCall::new(asset, &allowance),
    ]
}

fn decode(
    system: &System,
    oracles: &[Address],
    holders: Holders,
    next: NextBlock,
    answers: impl Iterator<Item = Option<Bytes>>,
) -> HeadReading {
    let mut answers = Answers(answers);
    // A breaker that cannot be read reverts the pool's liquidations too: what is planned on this level fails its trial and is not sent.
    let breaker = match system.breaker {
        None => BreakerLevel::Normal,
        Some(_) => answers
            .next::<ICircuitBreaker::levelOfCall>()
            .and_then(|level| BreakerLevel::try_from(level).ok())
            .unwrap_or(BreakerLevel::Halted),
    };
    let markets = (0..oracles.len())
        .map(|id| {
            let peek = answers.next::<IPriceOracle::peekCall>();
            let last = answers.next::<IPriceOracle::lastPriceCall>();
            let depth = answers.next::<IPriceOracle::depthCall>();
            let listed = system
                .collaterals
                .get(id)
                .and_then(|listed| Some((listed, listed.sale?)));
            let venue = listed.and_then(|(listed, sale)| {
                let slot0 = answers.next::<UniswapV3Pool::slot0Call>();
                let liquidity = answers.next::<UniswapV3Pool::liquidityCall>();
                let (slot0, liquidity) = (slot0?, liquidity?);
                let decimals = system.decimals(listed);
                let sqrt_price =
                    decimals.sqrt_price(U256::from(slot0.sqrtPriceX96), sale.collateral_is_token0);
                (liquidity > 0 && sqrt_price.is_normal()).then(|| Venue {
                    sqrt_price,
                    liquidity: decimals.liquidity(liquidity),
                    fee: sale.fee,
                })
            });
            MarketReading {
                prices: prices(peek, last.unwrap_or_default()),
                depth: depth.unwrap_or_default(),
                venue,
            }
        })
        .collect();
    let inventory = holders.repays.map(|_| answers.spendable());
    HeadReading {
        next,
        breaker,
        markets,
        inventory,
        backstop: system
            .backstop
            .map(|_| backstop(oracles.len(), holders, &mut answers)),
    }
}

/// What does not answer has nothing: it is left alone.
fn backstop<I: Iterator<Item = Option<Bytes>>>(
    collaterals: usize,
    holders: Holders,
    answers: &mut Answers<I>,
) -> BackstopReading {
    let absorbable = answers.next::<BackstopPool::absorbableCall>();
    let sales = (0..collaterals)
        .map(|_| {
            let sale = answers.next::<BackstopPool::quoteSaleCall>();
            let held = answers.next::<BackstopPool::inventoryOfCall>();
            let open = sale.filter(|sale| sale.open);
            let (price, available) = open
                .map(|sale| (sale.price, sale.available))
                .unwrap_or_default();
            SaleReading {
                price,
                available,
                inventory: held.map_or(U256::ZERO, |held| held.amount),
                void: false,
            }
        })
        .collect();
    BackstopReading {
        absorbable: absorbable.unwrap_or_default(),
        sales,
        spendable: holders.buys.map_or(U256::ZERO, |_| answers.spendable()),
        clocks_unknown: false,
    }
}

struct Answers<I>(I);

impl<I: Iterator<Item = Option<Bytes>>> Answers<I> {
    fn next<C: SolCall>(&mut self) -> Option<C::Return> {
        C::abi_decode_returns(&self.0.next()??).ok()
    }

    /// The least of balance and allowance.
    fn spendable(&mut self) -> U256 {
        let held = self.next::<IErc20Spendable::balanceOfCall>();
        let allowed = self.next::<IErc20Spendable::allowanceCall>();
        held.unwrap_or_default().min(allowed.unwrap_or_default())
    }
}

/// The price at which gas is weighed.
fn for_gas(prices: &PriceReading) -> U256 {
    if prices.status != PriceStatus::Down {
        return prices.fast;
    }
    prices
        .last
        .saturating_add(prices.last / U256::from(DOWN_MARGIN))
}

fn prices(peek: Option<<IPriceOracle::peekCall as SolCall>::Return>, last: U256) -> PriceReading {
    let down = PriceReading {
        status: PriceStatus::Down,
        last,
        ..PriceReading::default()
    };
    let Some(peek) = peek else { return down };
    let status = match peek.status {
        0 => PriceStatus::Ok,
        1 => PriceStatus::Degraded,
        _ => return down,
    };
    PriceReading {
        fast: peek.fast,
        slow: peek.slow,
        confirm: peek.confirm,
        cumulative: peek.cumulative,
        status,
        last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_is_weighed_at_the_last_price_and_a_quarter_while_an_oracle_is_down() {
        let up = PriceReading {
            fast: U256::from(2_000),
            last: U256::from(1_900),
            ..PriceReading::default()
        };
        assert_eq!(for_gas(&up), U256::from(2_000));
        let down = prices(None, U256::from(2_000));
        assert_eq!(for_gas(&down), U256::from(2_500));
        assert_eq!(for_gas(&prices(None, U256::ZERO)), U256::ZERO);
    }
}
