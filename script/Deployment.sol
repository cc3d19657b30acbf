// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {CircuitBreaker} from "../contracts/breaker/CircuitBreaker.sol";
import {CollateralConfig} from "../contracts/interfaces/ILendingPool.sol";
import {IUniswapV3PoolState} from "../contracts/interfaces/IUniswapV3PoolState.sol";
import {PoolAdministration} from "../contracts/lending/PoolAdministration.sol";
import {LendingPool} from "../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../contracts/lending/LendingPoolExtension.sol";
import {PoolParameters} from "../contracts/lending/PoolParameters.sol";
import {DampedParameters} from "../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../contracts/liquidation/DampedPolicy.sol";
import {RigidPolicy} from "../contracts/liquidation/RigidPolicy.sol";
import {TargetHealthPolicy} from "../contracts/liquidation/TargetHealthPolicy.sol";
import {TwapOracle, TwapOracleParameters} from "../contracts/oracle/TwapOracle.sol";
import {UniswapV3Source} from "../contracts/oracle/UniswapV3Source.sol";
import {AdaptiveRateModel} from "../contracts/rates/AdaptiveRateModel.sol";
import {KinkedRateModel} from "../contracts/rates/KinkedRateModel.sol";
import {Feeds} from "./Feeds.sol";
import {CollateralPlan, PolicyKind, PolicyPlan, System, SystemPlan} from "./SystemPlan.sol";

/// @title The one definition of a deployment
/// @notice Tests, `Deploy.s.sol` and the Rust tools deploy through it. Afterwards the timelock owns pool, extension and breaker,
/// only governance proposes to it, and the deployer holds nothing.
library Deployment {
    /// @dev Makes the timelock's bootstrap operations distinct from anything governance schedules.
    bytes32 private constant BOOTSTRAP = "breakwater bootstrap";

    /// @notice A collateral's plan contradicts itself: without a venue the slow price confirms, and a band above 2% would let it
    /// hold liquidations back into the hard zone; with one, a price in next to no liquidity is free to set.
    error CollateralPlanInvalid(uint256 collateralId, bytes32 reason);
    /// @notice Governance or guardian is nobody, or the deployer, who gives up every right at the end.
    error RoleInvalid(bytes32 role, address account);
    /// @notice The native coin is none of the collaterals.
    error NativeCollateralInvalid(uint256 nativeCollateral, uint256 count);

    /// @dev The widest confirmation band without a venue, basis points.
    uint256 private constant MAX_BAND_WITHOUT_VENUE = 200;

    /// @param plan What to deploy.
    /// @param deployer The account whose calls these are: a script's broadcaster, or the contract that uses this library.
    function deploy(SystemPlan memory plan, address deployer) internal returns (System memory system) {
        _checkRoles(plan, deployer);
        TimelockController timelock = _timelock(deployer);
        system.timelock = address(timelock);
        system.rateModel = _rateModel(plan);
        if (plan.withBreaker) system.breaker = address(new CircuitBreaker(system.timelock, plan.breaker));

        uint256 count = plan.collaterals.length;
        system.oracles = new address[](count);
        system.venueSources = new address[](count);
        for (uint256 i; i < count; ++i) {
            _check(i, plan.collaterals[i]);
            (system.oracles[i], system.venueSources[i]) = _oracle(plan.asset, plan.collaterals[i]);
        }
        system.policy = _policy(plan, system.oracles);
        (system.pool, system.poolExtension) = _pool(plan, system, deployer);
        _configure(plan, system);
        _handOver(plan, timelock, Ownable2Step(system.pool), deployer);
    }

    function _checkRoles(SystemPlan memory plan, address deployer) private pure {
        if (plan.governance == address(0) || plan.governance == deployer) {
            revert RoleInvalid("governance", plan.governance);
        }
        if (plan.guardian == address(0) || plan.guardian == deployer) revert RoleInvalid("guardian", plan.guardian);
    }

    function _check(uint256 id, CollateralPlan memory plan) private pure {
        if (plan.venue == address(0) && plan.listing.confirmationBand > MAX_BAND_WITHOUT_VENUE) {
            revert CollateralPlanInvalid(id, "band without venue");
        }
        if (plan.venue != address(0) && plan.venueMinDepth == 0) revert CollateralPlanInvalid(id, "venue min depth");
    }

    function _timelock(address deployer) private returns (TimelockController) {
        address[] memory bootstrap = new address[](1);
        bootstrap[0] = deployer;
        return new TimelockController(0, bootstrap, bootstrap, deployer);
    }

    function _rateModel(SystemPlan memory plan) private returns (address) {
        if (plan.rate.adaptationSpeed != 0) return address(new AdaptiveRateModel(plan.rate));
        return address(
            new KinkedRateModel(
                plan.rate.targetUtilisation,
                plan.rate.lowMultiplier,
                plan.rate.highMultiplier,
                plan.rate.initialRateAtTarget
            )
        );
    }

    function _oracle(address asset, CollateralPlan memory plan) private returns (address oracle, address source) {
        if (plan.venue != address(0)) {
            source = address(
                new UniswapV3Source(
                    IUniswapV3PoolState(plan.venue), plan.listing.token, asset, plan.venueWindow, plan.venueMinDepth
                )
            );
        }
        oracle = address(
            new TwapOracle(
                TwapOracleParameters({
                    collateralToken: plan.listing.token,
                    debtToken: asset,
                    base: Feeds.checked(plan.base, false),
                    quote: plan.quote.source == address(0) ? plan.quote : Feeds.checked(plan.quote, true),
                    venue: source,
                    window: plan.window,
                    step: plan.step,
                    confirmationDelay: plan.confirmationDelay,
                    standInLimit: plan.standInLimit
                })
            )
        );
    }

    function _policy(SystemPlan memory system, address[] memory oracles) private returns (address) {
        PolicyPlan memory plan = system.policy;
        if (plan.kind == PolicyKind.Rigid) return address(new RigidPolicy(plan.rigidBonus));
        if (plan.kind == PolicyKind.TargetHealth) {
            return address(new TargetHealthPolicy(plan.targetHealth, plan.fullBonusHealth, plan.bonusShareAtOne));
        }
        DampedParameters memory damped = plan.damped;
        damped.nativeOracle = address(0);
        if (damped.liquidationGas != 0) {
            if (system.nativeCollateral >= oracles.length) {
                revert NativeCollateralInvalid(system.nativeCollateral, oracles.length);
            }
            damped.nativeOracle = oracles[system.nativeCollateral];
        }
        return address(new DampedPolicy(damped));
    }

    /// @dev Caps of 0 until everything is listed: in a pool with lenders a listing's LTV rises over seven days, and anybody could
    /// lend a unit. The extension has an owner in its own storage, where he can do nothing; it is the timelock from the start.
    function _pool(SystemPlan memory plan, System memory system, address deployer)
        private
        returns (address pool, address extension)
    {
        PoolParameters memory parameters = PoolParameters({
            asset: plan.asset,
            rateModel: system.rateModel,
            breaker: system.breaker,
            policy: system.policy,
            owner: system.timelock,
            guardian: plan.guardian,
            supplyCap: 0,
            borrowCap: 0,
            name: plan.name,
            symbol: plan.symbol
        });
        extension = address(new LendingPoolExtension(parameters));
        parameters.owner = deployer;
        pool = address(new LendingPool(parameters, extension));
    }

    /// @dev What a debt must be comes before what it may be borrowed against, and the caps, which open the pool, last.
    function _configure(SystemPlan memory plan, System memory system) private {
        PoolAdministration pool = PoolAdministration(system.pool);
        pool.setMinDebt(plan.minDebt, plan.settlementStipend);
        pool.setReserveFactor(plan.reserveFactor);
        for (uint256 i; i < plan.collaterals.length; ++i) {
            CollateralConfig memory listing = plan.collaterals[i].listing;
            listing.oracle = system.oracles[i];
            pool.listCollateral(listing);
        }
        pool.setCaps(plan.supplyCap, plan.borrowCap);
    }

    /// @dev The timelock starts without delay, accepts the pool, takes on its delay, and then the deployer leaves it.
    function _handOver(SystemPlan memory plan, TimelockController timelock, Ownable2Step pool, address deployer)
        private
    {
        pool.transferOwnership(address(timelock));
        _throughTimelock(timelock, address(pool), abi.encodeCall(Ownable2Step.acceptOwnership, ()));
        _throughTimelock(
            timelock, address(timelock), abi.encodeCall(TimelockController.updateDelay, (plan.timelockDelay))
        );
        timelock.grantRole(timelock.PROPOSER_ROLE(), plan.governance);
        timelock.grantRole(timelock.CANCELLER_ROLE(), plan.governance);
        timelock.grantRole(timelock.EXECUTOR_ROLE(), plan.governance);
        timelock.renounceRole(timelock.PROPOSER_ROLE(), deployer);
        timelock.renounceRole(timelock.CANCELLER_ROLE(), deployer);
        timelock.renounceRole(timelock.EXECUTOR_ROLE(), deployer);
        timelock.renounceRole(timelock.DEFAULT_ADMIN_ROLE(), deployer);
    }

    function _throughTimelock(TimelockController timelock, address target, bytes memory data) private {
        timelock.schedule(target, 0, data, 0, BOOTSTRAP, 0);
        timelock.execute(target, 0, data, 0, BOOTSTRAP);
    }
}
