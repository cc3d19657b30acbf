// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BreakerParameters} from "../contracts/breaker/BreakerParameters.sol";
import {CollateralConfig} from "../contracts/interfaces/ILendingPool.sol";
import {RateParameters} from "../contracts/interfaces/IRateModel.sol";
import {DampedParameters} from "../contracts/liquidation/DampedParameters.sol";
import {FeedParameters} from "../contracts/oracle/TwapOracle.sol";

enum PolicyKind {
    Rigid,
    TargetHealth,
    Damped
}

/// @notice The liquidation policy and the parameters of all three, so that a comparison changes `kind` and nothing else.
/// @param rigidBonus The fixed bonus, WAD.
/// @param targetHealth `TargetHealthPolicy`'s target, WAD.
/// @param fullBonusHealth The health factor at which its bonus is full, WAD.
/// @param bonusShareAtOne The share of the full bonus at a health factor of 1, WAD.
/// @param damped `DampedPolicy`'s parameters; its native oracle is filled in from `nativeCollateral`.
struct PolicyPlan {
    PolicyKind kind;
    uint256 rigidBonus;
    uint256 targetHealth;
    uint256 fullBonusHealth;
    uint256 bonusShareAtOne;
    DampedParameters damped;
}

/// @notice One collateral: its price and its listing.
/// @param base The feed of the collateral's price; bounds of 0 and 0 stand for the default ones.
/// @param quote The feed of the debt token's price in the same unit, likewise; source 0 if `base` answers in the debt token.
/// @param venue A Uniswap v3 pool of collateral and debt token that does not feed `base`, or 0.
/// @param venueWindow Seconds over which the venue's price is averaged.
/// @param venueMinDepth Depth within 2% below which the venue does not answer, base units of the debt token.
/// @param window Seconds over which the slow price is averaged.
/// @param step Basis points; a larger move between two records is a jump.
/// @param confirmationDelay Seconds until a jump counts as confirmed.
/// @param standInLimit Seconds for which the slow price may stand in for a missing feed.
/// @param listing The listing; its oracle is filled in.
struct CollateralPlan {
    FeedParameters base;
    FeedParameters quote;
    address venue;
    uint32 venueWindow;
    uint256 venueMinDepth;
    uint32 window;
    uint16 step;
    uint16 confirmationDelay;
    uint32 standInLimit;
    CollateralConfig listing;
}

/// @notice A whole system. `Deployment.deploy` is the one place that turns it into contracts.
/// @param asset The debt token.
/// @param name Of the share.
/// @param symbol Of the share.
/// @param governance Proposes to the timelock, which owns everything.
/// @param guardian May freeze new risk.
/// @param timelockDelay Seconds.
/// @param rate An adaptive curve, or a kinked one if its speed is 0.
/// @param withBreaker Whether there is a circuit breaker.
/// @param breaker Its parameters.
/// @param policy The liquidation policy.
/// @param nativeCollateral The collateral whose price is the native coin's, for the gas-aware bonus.
/// @param supplyCap Base units of the debt token.
/// @param borrowCap Base units of the debt token.
/// @param minDebt The smallest debt that may be opened, base units.
/// @param settlementStipend At most a twentieth of `minDebt`, base units.
/// @param reserveFactor Percent of interest.
/// @param collaterals Listed in this order.
struct SystemPlan {
    address asset;
    string name;
    string symbol;
    address governance;
    address guardian;
    uint256 timelockDelay;
    RateParameters rate;
    bool withBreaker;
    BreakerParameters breaker;
    PolicyPlan policy;
    uint256 nativeCollateral;
    uint256 supplyCap;
    uint256 borrowCap;
    uint88 minDebt;
    uint256 settlementStipend;
    uint8 reserveFactor;
    CollateralPlan[] collaterals;
}

/// @notice The addresses of a deployed system.
struct System {
    address timelock;
    address rateModel;
    address breaker;
    address policy;
    address poolExtension;
    address pool;
    address[] oracles;
    address[] venueSources;
}
