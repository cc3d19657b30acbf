// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BreakerDefaults} from "../contracts/breaker/BreakerDefaults.sol";
import {CollateralConfig} from "../contracts/interfaces/ILendingPool.sol";
import {DampedParametersLib} from "../contracts/liquidation/DampedParameters.sol";
import {FeedParameters} from "../contracts/oracle/TwapOracle.sol";
import {RateDefaults} from "../contracts/rates/RateDefaults.sol";
import {CollateralPlan, PolicyKind, PolicyPlan, SystemPlan} from "./SystemPlan.sol";

/// @title The default parameters of a deployment, with units and reasons
/// @notice Addresses are left 0 for the caller to fill in.
library Defaults {
    /// @notice Gas of one damped liquidation through a flash liquidator, rounded: what a gas-aware bonus pays for.
    uint256 internal constant LIQUIDATION_GAS = 400_000;

    /// @notice The policies' defaults, `Damped` chosen. Rigid: Aave v3's 5%. Target health: Aave v4's linear bonus with
    /// the damped policy's own target, so that a comparison of the two does not compare targets.
    function policy() internal pure returns (PolicyPlan memory plan) {
        plan.kind = PolicyKind.Damped;
        plan.rigidBonus = 0.05e18;
        plan.targetHealth = 1.05e18;
        plan.fullBonusHealth = 0.9e18;
        plan.bonusShareAtOne = 0.9e18;
        plan.damped = DampedParametersLib.defaults();
        plan.damped.liquidationGas = LIQUIDATION_GAS;
    }

    /// @notice A volatile collateral with a feed of its price in the debt token: LTV 80%, LT 83%, bmax 5%, delta 5%. Sigma is 0:
    /// the hard zone begins where the collateral just pays debt and greatest bonus, HF_hard = 0.8715. In simulations more of it cost
    /// overshoot and saved lenders nothing (crates/experiments/results/defaults.md). A bmax below 3% needs a sigma. Without a venue delta must be 2% at most. The venue's least depth suits an 18-decimal debt token worth
    /// a dollar. Feeds are believed within `Feeds.bounds`. The heartbeat suits a feed that reports hourly; of a chain's feed it
    /// is asked for.
    function collateral() internal pure returns (CollateralPlan memory plan) {
        plan.base = FeedParameters({source: address(0), heartbeat: 1 hours + 5 minutes, minAnswer: 0, maxAnswer: 0});
        plan.venueWindow = 60;
        plan.venueMinDepth = 1000e18;
        plan.window = 30 minutes;
        plan.step = 1000;
        plan.confirmationDelay = 5 minutes;
        plan.standInLimit = 4 hours;
        plan.listing = CollateralConfig({
            token: address(0),
            oracle: address(0),
            borrowLtv: 8000,
            liquidationThreshold: 8300,
            maxBonus: 500,
            slippageMargin: 0,
            confirmationBand: 500,
            group: 0,
            damped: true,
            cap: 1e28
        });
    }

    /// @notice A system with one default collateral. Caps and minimum debt suit an 18-decimal debt token worth a dollar.
    function system() internal pure returns (SystemPlan memory plan) {
        plan.name = "Breakwater Share";
        plan.symbol = "bwSHARE";
        plan.timelockDelay = 2 days;
        plan.rate = RateDefaults.adaptive();
        plan.withBreaker = true;
        plan.breaker = BreakerDefaults.parameters();
        plan.policy = policy();
        plan.supplyCap = 1e28;
        plan.borrowCap = 1e28;
        plan.minDebt = 100e18;
        plan.settlementStipend = 5e18;
        plan.reserveFactor = 10;
        plan.collaterals = new CollateralPlan[](1);
        plan.collaterals[0] = collateral();
    }
}
