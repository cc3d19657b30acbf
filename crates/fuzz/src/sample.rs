//! What a world looks like between two calls.

use alloy_primitives::{Address, Bytes, U256};
use breakwater_bindings::{FuzzLens, IPriceOracle};
use breakwater_evm::MemoryChain;
use breakwater_protocol::math::WAD;
use breakwater_protocol::{AccountHealth, Mirror, Moment, Reading};

use crate::properties::{Property, Violation};
use crate::world::{World, balance, read};

/// The contracts' views, and what the model makes of the same prices: the contracts' own figures are only ever compared with it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Unix seconds.
    pub timestamp: u64,
    /// What the contracts answer.
    pub view: FuzzLens::WorldView,
    /// The lens's raw answer.
    pub raw: Bytes,
    /// The model's market and prices.
    pub moment: Moment,
    /// The model's health of each actor.
    pub health: Vec<AccountHealth>,
}

impl Sample {
    /// Reads the contracts and computes the model.
    ///
    /// # Errors
    /// A [`Violation`] where a view reverts or what it answers makes no sense.
    pub fn take(
        chain: &mut MemoryChain,
        world: &World,
        mirror: &Mirror,
        timestamp: u64,
        whole: bool,
    ) -> Result<Self, Violation> {
        let views = |detail: String| Violation::new(Property::Views, detail);
        let (mut view, raw) =
            read(chain, world, whole).map_err(|error| views(error.to_string()))?;
        if !whole {
            let place = &world.place;
            for (account, owner) in view.accounts.iter_mut().zip(place.actors) {
                let tokens = [place.asset, place.tokens[0], place.tokens[1]];
                account.balances = tokens.map(|token| balance(chain, token, owner)).to_vec();
            }
        }
        let mut readings = Vec::with_capacity(view.collaterals.len());
        for collateral in &view.collaterals {
            let prices = IPriceOracle::Prices {
                fast: collateral.prices.fast,
                slow: collateral.prices.slow,
                confirm: collateral.prices.confirm,
                cumulative: collateral.prices.cumulative,
                status: collateral.prices.status,
            };
            readings.push(
                Reading::new(&prices, collateral.lastPrice)
                    .map_err(|error| views(error.to_string()))?,
            );
        }
        let moment = mirror
            .moment(&readings, timestamp)
            .map_err(|error| Violation::new(Property::P9, error.to_string()))?;
        let health = world
            .place
            .actors
            .iter()
            .map(|account| mirror.account_health(account, &moment))
            .collect::<Result<_, _>>()
            .map_err(|error| views(format!("the model's health overflows: {error}")))?;
        Ok(Self {
            timestamp,
            view,
            raw,
            moment,
            health,
        })
    }

    /// One actor's views.
    #[must_use]
    pub fn account(&self, index: usize) -> &FuzzLens::AccountView {
        &self.view.accounts[index % self.view.accounts.len()]
    }

    /// Whether the model has an actor with debt below a health factor of 1 at the fast prices.
    #[must_use]
    pub fn is_unhealthy(&self, index: usize) -> bool {
        let health = &self.health[index % self.health.len()];
        !health.debt.is_zero() && health.health_fast < WAD
    }

    /// Whether the model has an actor whose collateral does not cover debt and settlement bonus.
    #[must_use]
    pub fn is_insolvent(&self, index: usize) -> bool {
        let health = &self.health[index % self.health.len()];
        self.is_unhealthy(index)
            && health.collateral_value * U256::from(100) < health.debt * U256::from(103)
    }

    /// The first actor from `index` on for whom `test` holds, or `index` itself.
    pub fn first(&self, index: usize, test: impl Fn(usize) -> bool) -> usize {
        let count = self.health.len();
        let mut around = (0..count).map(|step| (index + step) % count);
        around.find(|index| test(*index)).unwrap_or(index % count)
    }

    /// Shares for assets, rounded down.
    #[must_use]
    pub fn shares_down(&self, assets: U256) -> U256 {
        let market = &self.view.market;
        let (shares, total) = (
            market.supplyShares + U256::from(1_000),
            market.lenderAssets + U256::ONE,
        );
        assets.checked_mul(shares).unwrap_or_default() / total
    }
}

/// An actor's place in the lens's list.
#[must_use]
pub fn index_of(world: &World, account: Address) -> Option<usize> {
    world
        .place
        .actors
        .iter()
        .position(|actor| *actor == account)
}
