//! Every parameter of a system, as planned and as its contracts' views tell.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use breakwater_bindings::{
    AdaptiveRateModel, BackstopPolicy, BackstopPool, CircuitBreaker, DampedPolicy, FlashLiquidator,
    LendingPool, LendingPoolExtension, PremiumSteward, RigidPolicy, TargetHealthPolicy,
    TimelockController, TwapOracle, UniswapV3Source,
};

use super::Mismatch;
use crate::calls::{Role, has_role};
use crate::chain::Views;
use crate::config::BackstopPlan;
use crate::error::DeployError;
use crate::manifest::{Backstop, Collateral, Deployment, PolicyKind};
use crate::plan::Plan;

/// Values in words, by contract role and parameter.
pub type Parameters = BTreeMap<(String, &'static str), String>;

/// Notes fields of a struct under their own names.
macro_rules! note {
    ($parameters:expr, $contract:expr, $value:expr; $($field:ident),+ $(,)?) => {{
        let value = &$value;
        $($parameters.insert(($contract.to_owned(), stringify!($field)), value.$field.to_string());)+
    }};
}

macro_rules! note_rate {
    ($parameters:expr, $rate:expr) => {
        note!($parameters, "rateModel", $rate; targetUtilisation, lowMultiplier, highMultiplier, adaptationSpeed,
            initialRateAtTarget, minRateAtTarget, maxRateAtTarget)
    };
}

macro_rules! note_timing {
    ($parameters:expr, $timing:expr) => {
        note!($parameters, "breaker", $timing; slotTime, latencyWindow, shortWindow, longWindow, velocityWindow,
            calmInterval, alertInterval)
    };
}

macro_rules! note_thresholds {
    ($parameters:expr, $thresholds:expr) => {
        note!($parameters, "breaker", $thresholds; feeMultiple, feeFloor, missedShare, velocity, observationsToStress,
            observationsToPause, latenessPauses, stressDuration, pauseDuration)
    };
}

macro_rules! note_damped {
    ($parameters:expr, $damped:expr) => {
        note!($parameters, "policy", $damped; confirmation, obeysPause, bonusMode, bonusMin, bonusMax, auctionSeconds,
            targetHealth, sliceBase, turnMode, turnFloor, epochSeconds, bucketMode, refillShare, reserveShare,
            scalingFloor, minRefillSeconds, depthMemorySeconds, liquidationGas, nativeOracle)
    };
}

/// Reads views without arguments and notes them under their own names.
macro_rules! read_views {
    ($parameters:expr, $views:expr, $role:expr, $address:expr, $contract:ident; $($call:ident => $name:literal),+ $(,)?) => {
        $($parameters.insert(
            ($role.to_owned(), $name),
            $views.read($address, $contract::$call {}).await?.to_string(),
        );)+
    };
}

fn put(parameters: &mut Parameters, contract: &str, name: &'static str, value: impl ToString) {
    parameters.insert((contract.to_owned(), name), value.to_string());
}

/// What the plan says.
#[must_use]
pub fn expected(plan: &Plan) -> Parameters {
    let mut parameters = Parameters::new();
    let p = &mut parameters;
    let (system, deployment) = (&plan.system, &plan.deployment);
    put(p, "timelock", "delay", system.timelockDelay);
    for name in [
        "governanceProposes",
        "governanceCancels",
        "governanceExecutes",
        "administersItself",
    ] {
        put(p, "timelock", name, true);
    }
    let mut rate = system.rate.clone();
    if rate.adaptationSpeed.is_zero() {
        // A kinked curve does not move.
        rate.minRateAtTarget = rate.initialRateAtTarget;
        rate.maxRateAtTarget = rate.initialRateAtTarget;
    }
    note_rate!(p, rate);
    if system.withBreaker {
        put(p, "breaker", "owner", deployment.timelock);
        note_timing!(p, system.breaker.timing);
        note_thresholds!(p, system.breaker.thresholds);
    }
    match deployment.policy.kind {
        PolicyKind::Rigid => put(p, "policy", "bonus", system.policy.rigidBonus),
        PolicyKind::TargetHealth => {
            note!(p, "policy", system.policy; targetHealth, fullBonusHealth, bonusShareAtOne);
        }
        PolicyKind::Damped => note_damped!(p, system.policy.damped),
    }
    note!(p, "pool", system; asset, name, symbol, guardian, supplyCap, borrowCap, minDebt, settlementStipend,
        reserveFactor);
    put(p, "pool", "owner", deployment.owner());
    put(p, "pool", "newRiskFrozen", false);
    put(p, "extension", "owner", deployment.timelock);
    put(p, "extension", "pendingOwner", Address::ZERO);
    put(p, "pool", "pendingOwner", Address::ZERO);
    put(p, "pool", "extension", deployment.extension);
    put(p, "pool", "policy", deployment.asked_policy());
    if let (Some(plan), Some(there)) = (&plan.backstop, deployment.backstop) {
        expect_backstop(p, plan, there, deployment);
    }
    put(p, "pool", "breaker", deployment.breaker.unwrap_or_default());
    put(p, "pool", "collateralCount", system.collaterals.len());
    for (collateral, there) in system.collaterals.iter().zip(&deployment.collaterals) {
        let listed = format!("collateral[{}]", there.id);
        let listing = &collateral.listing;
        note!(p, listed, listing; token, oracle, group, damped, cap);
        put(p, &listed, "frozen", false);
        for (name, points) in [
            ("borrowLtv", listing.borrowLtv),
            ("liquidationThreshold", listing.liquidationThreshold),
            ("maxBonus", listing.maxBonus),
            ("slippageMargin", listing.slippageMargin),
            ("confirmationBand", listing.confirmationBand),
        ] {
            // Basis points to WAD.
            put(
                p,
                &listed,
                name,
                U256::from(points) * U256::from(100_000_000_000_000_u64),
            );
        }
        let oracle = format!("oracle[{}]", there.id);
        note!(p, oracle, collateral; window, step, confirmationDelay, standInLimit);
        put(p, &oracle, "collateralToken", listing.token);
        put(p, &oracle, "debtToken", system.asset);
        put(p, &oracle, "venue", there.venue_source.unwrap_or_default());
        let base = &collateral.base;
        put(p, &oracle, "baseSource", base.source);
        put(p, &oracle, "baseHeartbeat", base.heartbeat);
        put(p, &oracle, "baseMinAnswer", base.minAnswer);
        put(p, &oracle, "baseMaxAnswer", base.maxAnswer);
        let quote = &collateral.quote;
        put(p, &oracle, "quoteSource", quote.source);
        if !quote.source.is_zero() {
            put(p, &oracle, "quoteHeartbeat", quote.heartbeat);
            put(p, &oracle, "quoteMinAnswer", quote.minAnswer);
            put(p, &oracle, "quoteMaxAnswer", quote.maxAnswer);
        }
        if let Some(venue) = there.venue {
            let source = format!("venueSource[{}]", there.id);
            put(p, &source, "pool", venue);
            put(p, &source, "debtToken", system.asset);
            put(p, &source, "window", collateral.venueWindow);
            put(p, &source, "minDepth", collateral.venueMinDepth);
            let liquidator = format!("flashLiquidator[{}]", there.id);
            put(p, &liquidator, "pool", deployment.pool);
            put(p, &liquidator, "venue", venue);
            put(p, &liquidator, "collateralId", there.id);
            put(p, &liquidator, "collateral", listing.token);
            put(p, &liquidator, "asset", system.asset);
        }
    }
    parameters
}

/// The terms of its sale have no views; its address, which commits to its constructor's arguments, says them.
fn expect_backstop(
    p: &mut Parameters,
    plan: &BackstopPlan,
    there: Backstop,
    deployment: &Deployment,
) {
    let asked = &plan.parameters;
    note!(p, "backstop", asked; pool, name, symbol, periodSeconds, minimumLeft, minimumDeposit, callerShare);
    put(p, "backstopPolicy", "behind", deployment.policy.address);
    put(p, "backstopPolicy", "backstop", there.pool);
    put(
        p,
        "backstopPolicy",
        "absorptionHealth",
        plan.absorption_health,
    );
    put(p, "premiumSteward", "pool", deployment.pool);
    put(p, "premiumSteward", "backstop", there.pool);
    put(p, "premiumSteward", "timelock", deployment.timelock);
    put(p, "premiumSteward", "premiumShare", plan.premium_share);
}

async fn read_backstop(
    p: &mut Parameters,
    views: &impl Views,
    there: Backstop,
) -> Result<(), DeployError> {
    read_views!(p, views, "backstop", there.pool, BackstopPool; POOLCall => "pool", nameCall => "name",
        symbolCall => "symbol", periodSecondsCall => "periodSeconds", MINIMUM_LEFTCall => "minimumLeft",
        MINIMUM_DEPOSITCall => "minimumDeposit", CALLER_SHARECall => "callerShare");
    read_views!(p, views, "backstopPolicy", there.policy, BackstopPolicy; BEHINDCall => "behind",
        BACKSTOPCall => "backstop", ABSORPTION_HEALTHCall => "absorptionHealth");
    read_views!(p, views, "premiumSteward", there.steward, PremiumSteward; POOLCall => "pool",
        BACKSTOPCall => "backstop", TIMELOCKCall => "timelock", PREMIUM_SHARECall => "premiumShare");
    Ok(())
}

/// What the contracts of `deployment` tell of themselves. Of it, only the addresses are used.
///
/// # Errors
/// As [`Views::view`].
pub async fn read(views: &impl Views, deployment: &Deployment) -> Result<Parameters, DeployError> {
    let mut parameters = Parameters::new();
    let p = &mut parameters;
    read_timelock(p, views, deployment).await?;
    let model = deployment.rate_model;
    // Both models answer alike.
    let rate = views
        .read(model, AdaptiveRateModel::parametersCall {})
        .await?;
    note_rate!(p, rate);
    if let Some(breaker) = deployment.breaker {
        read_views!(p, views, "breaker", breaker, CircuitBreaker; ownerCall => "owner");
        let timing = views.read(breaker, CircuitBreaker::timingCall {}).await?;
        note_timing!(p, timing);
        let thresholds = views
            .read(breaker, CircuitBreaker::thresholdsCall {})
            .await?;
        note_thresholds!(p, thresholds);
    }
    read_policy(p, views, deployment).await?;
    if let Some(there) = deployment.backstop {
        read_backstop(p, views, there).await?;
    }
    let pool = deployment.pool;
    read_views!(p, views, "pool", pool, LendingPool; ownerCall => "owner", pendingOwnerCall => "pendingOwner",
        extensionCall => "extension");
    read_views!(p, views, "pool", pool, LendingPoolExtension; assetCall => "asset", nameCall => "name",
        symbolCall => "symbol", guardianCall => "guardian", supplyCapCall => "supplyCap", borrowCapCall => "borrowCap",
        minDebtCall => "minDebt", settlementStipendCall => "settlementStipend", reserveFactorCall => "reserveFactor",
        policyCall => "policy", breakerCall => "breaker", collateralCountCall => "collateralCount");
    read_views!(p, views, "pool", pool, LendingPoolExtension; newRiskFrozenCall => "newRiskFrozen");
    read_views!(p, views, "extension", deployment.extension, LendingPoolExtension; ownerCall => "owner",
        pendingOwnerCall => "pendingOwner");
    for collateral in &deployment.collaterals {
        read_collateral(p, views, pool, collateral).await?;
    }
    Ok(parameters)
}

async fn read_timelock(
    p: &mut Parameters,
    views: &impl Views,
    deployment: &Deployment,
) -> Result<(), DeployError> {
    let (timelock, governance) = (deployment.timelock, deployment.governance);
    let delay = views
        .read(timelock, TimelockController::getMinDelayCall {})
        .await?;
    put(p, "timelock", "delay", delay);
    for (name, role, account) in [
        ("governanceProposes", Role::Proposer, governance),
        ("governanceCancels", Role::Canceller, governance),
        ("governanceExecutes", Role::Executor, governance),
        ("administersItself", Role::Admin, timelock),
    ] {
        put(
            p,
            "timelock",
            name,
            has_role(views, timelock, role, account).await?,
        );
    }
    Ok(())
}

async fn read_policy(
    p: &mut Parameters,
    views: &impl Views,
    deployment: &Deployment,
) -> Result<(), DeployError> {
    let policy = deployment.policy.address;
    match deployment.policy.kind {
        PolicyKind::Rigid => {
            read_views!(p, views, "policy", policy, RigidPolicy; BONUSCall => "bonus");
        }
        PolicyKind::TargetHealth => {
            read_views!(p, views, "policy", policy, TargetHealthPolicy; TARGET_HEALTHCall => "targetHealth",
                FULL_BONUS_HEALTHCall => "fullBonusHealth", BONUS_SHARE_AT_ONECall => "bonusShareAtOne");
        }
        PolicyKind::Damped => {
            let damped = views.read(policy, DampedPolicy::parametersCall {}).await?;
            note_damped!(p, damped);
        }
    }
    Ok(())
}

async fn read_collateral(
    p: &mut Parameters,
    views: &impl Views,
    pool: Address,
    collateral: &Collateral,
) -> Result<(), DeployError> {
    let id = U256::from(collateral.id);
    let listed = format!("collateral[{id}]");
    let state = views
        .read(pool, LendingPoolExtension::collateralStateCall { id })
        .await?;
    note!(p, listed, state; token, oracle, borrowLtv, liquidationThreshold, maxBonus, slippageMargin, confirmationBand,
        group, damped, frozen, cap);
    let (role, oracle) = (format!("oracle[{id}]"), collateral.oracle);
    read_views!(p, views, role, oracle, TwapOracle; COLLATERAL_TOKENCall => "collateralToken",
        DEBT_TOKENCall => "debtToken", BASE_SOURCECall => "baseSource", BASE_HEARTBEATCall => "baseHeartbeat",
        BASE_MIN_ANSWERCall => "baseMinAnswer", BASE_MAX_ANSWERCall => "baseMaxAnswer",
        QUOTE_SOURCECall => "quoteSource", VENUECall => "venue", WINDOWCall => "window", STEPCall => "step",
        CONFIRMATION_DELAYCall => "confirmationDelay", STAND_IN_LIMITCall => "standInLimit");
    // Without a quote feed the oracle divides by one, whatever the rest says.
    if collateral.quote_feed.is_some() {
        read_views!(p, views, role, oracle, TwapOracle; QUOTE_HEARTBEATCall => "quoteHeartbeat",
            QUOTE_MIN_ANSWERCall => "quoteMinAnswer", QUOTE_MAX_ANSWERCall => "quoteMaxAnswer");
    }
    if let Some(source) = collateral.venue_source {
        let role = format!("venueSource[{id}]");
        read_views!(p, views, role, source, UniswapV3Source; POOLCall => "pool", DEBT_TOKENCall => "debtToken",
            WINDOWCall => "window", MIN_DEPTHCall => "minDepth");
    }
    if let Some(liquidator) = collateral.flash_liquidator {
        let role = format!("flashLiquidator[{id}]");
        read_views!(p, views, role, liquidator, FlashLiquidator; POOLCall => "pool", VENUECall => "venue",
            COLLATERAL_IDCall => "collateralId", COLLATERALCall => "collateral", ASSETCall => "asset");
    }
    Ok(())
}

/// What differs between the two.
#[must_use]
pub fn compare(expected: &Parameters, found: &Parameters) -> Vec<Mismatch> {
    let keys: std::collections::BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let value = |parameters: &Parameters, key| {
        parameters
            .get(key)
            .cloned()
            .unwrap_or_else(|| "absent".to_owned())
    };
    keys.into_iter()
        .filter(|key| expected.get(*key) != found.get(*key))
        .map(|key| Mismatch {
            contract: key.0.clone(),
            parameter: key.1.to_owned(),
            expected: value(expected, key),
            found: value(found, key),
        })
        .collect()
}
