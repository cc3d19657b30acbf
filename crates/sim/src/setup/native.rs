//! The price of the native coin, where it is not the collateral: the oracle by which the damped policy pays for gas.

use alloy_primitives::Address;
use alloy_sol_types::SolValue;
use breakwater_bindings::{
    DampedPolicy, LendingPoolExtension, SimFeed, SystemDeployer, TwapOracle,
};
use breakwater_evm::{CallError, Chain};

use super::{Builder, feed_call};
use crate::WorldKind;
use crate::config::{Policy, WorldInput};
use crate::error::{During, SimError};
use crate::input::MOST_BELIEVED_FOR;
use crate::units::{FEED_DECIMALS, to_base};

/// How far from its first price the native coin's may go and be believed, times.
const BOUND: f64 = 10_000.0;

/// The native coin's feed and oracle.
#[derive(Clone, Copy, Debug)]
pub struct NativeAddresses {
    /// Its price feed.
    pub feed: Address,
    /// Its oracle, which reads the feed.
    pub oracle: Address,
}

/// Whether the world needs a price of the native coin beside the collateral's: only a damped policy that pays for gas asks for one.
pub(super) fn wanted(
    input: &WorldInput,
    kind: WorldKind,
    plan: &SystemDeployer::SystemPlan,
) -> bool {
    kind == WorldKind::Policy(Policy::Damped)
        && !plan.policy.damped.liquidationGas.is_zero()
        && input.native_prices != input.prices
}

impl Builder<'_> {
    /// Deploys feed, oracle and a damped policy as in `plan` that pays for gas by them, and puts it in the place of the system's.
    pub(super) fn native(
        &mut self,
        plan: &SystemDeployer::SystemPlan,
        system: &mut SystemDeployer::System,
    ) -> Result<NativeAddresses, SimError> {
        let feed = self.deploy(
            "deploy the native coin's feed",
            &SimFeed::BYTECODE,
            &SimFeed::constructorCall {
                decimals_: FEED_DECIMALS,
            },
        )?;
        let price = self.input.native_prices[0];
        let call = feed_call(price, self.chain.block().timestamp);
        self.send(
            "write the native coin's first price",
            self.operator,
            feed,
            &call,
        )?;

        let listed = &plan.collaterals[0];
        let unit = 10_f64.powi(i32::from(FEED_DECIMALS));
        let bound = |price: f64| to_base(price, unit).saturating_to::<u128>();
        let constructor = TwapOracle::constructorCall {
            p: TwapOracle::TwapOracleParameters {
                // The native coin has as many decimals.
                collateralToken: listed.listing.token,
                debtToken: plan.asset,
                base: TwapOracle::FeedParameters {
                    source: feed,
                    // It is written whenever the price has moved, and believed for as long as an oracle may.
                    heartbeat: MOST_BELIEVED_FOR,
                    minAnswer: bound(price / BOUND),
                    maxAnswer: bound(price * BOUND),
                },
                quote: TwapOracle::FeedParameters {
                    source: Address::ZERO,
                    heartbeat: 0,
                    minAnswer: 0,
                    maxAnswer: 0,
                },
                venue: Address::ZERO,
                window: listed.window,
                step: listed.step,
                confirmationDelay: listed.confirmationDelay,
                standInLimit: listed.standInLimit,
            },
        };
        let oracle = self.deploy(
            "deploy the native coin's oracle",
            &TwapOracle::BYTECODE,
            &constructor,
        )?;

        let mut parameters = plan.policy.damped.clone();
        parameters.nativeOracle = oracle;
        let parameters = DampedPolicy::DampedParameters::abi_decode(&parameters.abi_encode())
            .map_err(CallError::from)
            .during("encode the damped policy's parameters")?;
        let constructor = DampedPolicy::constructorCall { p: parameters };
        system.policy = self.deploy(
            "deploy the policy that pays for gas by it",
            &DampedPolicy::BYTECODE,
            &constructor,
        )?;
        let set_policy = LendingPoolExtension::setPolicyCall {
            policy_: system.policy,
        };
        self.govern(system.timelock, system.pool, &set_policy)?;
        Ok(NativeAddresses { feed, oracle })
    }
}
