// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Vm} from "forge-std/Vm.sol";

import {
    CollateralState,
    ILendingPool,
    ILendingPoolEvents,
    MarketState
} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../../contracts/lending/LendingPoolExtension.sol";
import {PoolAdministration} from "../../contracts/lending/PoolAdministration.sol";
import {PoolParameters} from "../../contracts/lending/PoolParameters.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {DampedParameters} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {Deployment} from "../../script/Deployment.sol";
import {PolicyKind, System, SystemPlan} from "../../script/SystemPlan.sol";
import {SystemDeployer} from "../../script/SystemDeployer.sol";
import {ScriptFixture} from "./ScriptFixture.sol";

contract DeploymentTest is ScriptFixture {
    SystemDeployer private deployer;

    function setUp() public override {
        super.setUp();
        deployer = new SystemDeployer();
    }

    function _plan(PolicyKind kind) private view returns (SystemPlan memory plan) {
        plan = deployer.defaultPlan();
        plan.asset = address(asset);
        plan.governance = governance;
        plan.guardian = guardian;
        plan.policy.kind = kind;
        plan.collaterals[0].listing.token = address(token);
        plan.collaterals[0].base.source = address(feed);
        // no venue
        plan.collaterals[0].listing.confirmationBand = 200;
    }

    function test_deploy_HandsEverythingToTheTimelock() public {
        SystemPlan memory plan = _plan(PolicyKind.Damped);
        System memory system = deployer.deploy(plan);
        TimelockController timelock = TimelockController(payable(system.timelock));
        assertEq(Ownable(system.pool).owner(), system.timelock, "pool's owner");
        assertEq(Ownable(system.poolExtension).owner(), system.timelock, "extension's owner");
        assertEq(Ownable(system.breaker).owner(), system.timelock, "breaker's owner");
        assertEq(timelock.getMinDelay(), 2 days, "delay");
        bytes32[4] memory roles = [
            timelock.DEFAULT_ADMIN_ROLE(), timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.CANCELLER_ROLE()
        ];
        for (uint256 i; i < roles.length; ++i) {
            assertFalse(timelock.hasRole(roles[i], address(deployer)), "the deployer keeps a role");
            assertEq(timelock.hasRole(roles[i], governance), i != 0, "governance's roles");
        }
    }

    function test_deploy_SetsWhatThePlanSays() public {
        SystemPlan memory plan = _plan(PolicyKind.Damped);
        System memory system = deployer.deploy(plan);
        ILendingPool pool = ILendingPool(system.pool);
        PoolAdministration administration = PoolAdministration(system.pool);
        assertEq(pool.assetToken(), address(asset));
        assertEq(pool.policy(), system.policy);
        assertEq(pool.breaker(), system.breaker);
        assertEq(pool.collateralCount(), 1);
        CollateralState memory state = pool.collateralState(0);
        assertEq(state.token, address(token));
        assertEq(state.oracle, system.oracles[0]);
        assertEq(state.borrowLtv, 0.8e18);
        assertEq(state.liquidationThreshold, 0.83e18);
        assertTrue(state.damped);
        assertEq(administration.minDebt(), plan.minDebt);
        assertEq(administration.settlementStipend(), plan.settlementStipend);
        assertEq(administration.reserveFactor(), plan.reserveFactor);
        assertEq(administration.guardian(), guardian);
        assertEq(IERC20Metadata(system.pool).symbol(), plan.symbol);
        assertEq(IERC20Metadata(system.pool).decimals(), 21);
        MarketState memory market = pool.marketState();
        assertApproxEqRel(market.rateAtTarget, plan.rate.initialRateAtTarget, 1e9);
        DampedParameters memory p = DampedPolicy(system.policy).parameters();
        assertEq(p.nativeOracle, system.oracles[0]);
        // what is off, and the bucket's speed: choices that documents and simulations name
        assertEq(uint256(p.turnMode), uint256(TurnMode.Off));
        assertFalse(p.obeysPause);
        assertEq(p.refillShare, 0.25e18);
    }

    /// @dev A comparison of policies changes one address: code of pool and extension are the same for all three.
    function test_deploy_SamePoolCodeForEveryPolicy() public {
        bytes32[3] memory pools;
        bytes32[3] memory extensions;
        for (uint256 kind; kind < 3; ++kind) {
            uint256 snapshot = vm.snapshotState();
            System memory system = deployer.deploy(_plan(PolicyKind(kind)));
            (pools[kind], extensions[kind]) = (system.pool.codehash, system.poolExtension.codehash);
            vm.revertToState(snapshot);
        }
        assertEq(pools[0], pools[1]);
        assertEq(pools[0], pools[2]);
        assertEq(extensions[0], extensions[1]);
        assertEq(extensions[0], extensions[2]);
    }

    function test_deploy_EveryContractFitsTheCodeSizeLimit() public {
        System memory system = deployer.deploy(_plan(PolicyKind.Damped));
        address[7] memory deployed = [
            system.timelock,
            system.rateModel,
            system.breaker,
            system.policy,
            system.poolExtension,
            system.pool,
            system.oracles[0]
        ];
        for (uint256 i; i < deployed.length; ++i) {
            assertGt(deployed[i].code.length, 0, "not deployed");
            assertLe(deployed[i].code.length, 24_576, "EIP-170");
        }
    }

    function test_script_DeploysTheSameCodeAsOneCall() public {
        System memory expected = deployer.deploy(_plan(PolicyKind.Damped));
        vm.setEnv("BREAKWATER_CONFIG", _write("same-code", "", _feedKeys()));
        System memory system = script.run();
        assertEq(system.timelock.codehash, expected.timelock.codehash);
        // Immutables differ (addresses, the gas bonus), so the rest is compared by size.
        assertEq(system.policy.code.length, expected.policy.code.length);
        assertEq(system.pool.code.length, expected.pool.code.length);
        assertEq(system.poolExtension.code.length, expected.poolExtension.code.length);
        assertEq(system.oracles[0].code.length, expected.oracles[0].code.length);
        assertTrue(system.pool.code.length != 0 && system.pool != expected.pool);
        assertEq(ILendingPool(system.pool).collateralState(0).token, address(token));
        assertEq(Ownable(system.pool).owner(), system.timelock);
        assertEq(PoolAdministration(system.pool).borrowCap(), 900e18);
    }

    function test_RevertWhen_deploy_BandIsWideWithoutAVenue() public {
        SystemPlan memory plan = _plan(PolicyKind.Damped);
        plan.collaterals[0].listing.confirmationBand = 201;
        vm.expectRevert(
            abi.encodeWithSelector(Deployment.CollateralPlanInvalid.selector, 0, bytes32("band without venue"))
        );
        deployer.deploy(plan);
    }

    function test_RevertWhen_deploy_GovernanceOrGuardianIsNobodyOrTheDeployer() public {
        address[2] memory wrong = [address(0), address(deployer)];
        for (uint256 i; i < wrong.length; ++i) {
            SystemPlan memory plan = _plan(PolicyKind.Damped);
            plan.governance = wrong[i];
            vm.expectRevert(abi.encodeWithSelector(Deployment.RoleInvalid.selector, bytes32("governance"), wrong[i]));
            deployer.deploy(plan);
            (plan.governance, plan.guardian) = (governance, wrong[i]);
            vm.expectRevert(abi.encodeWithSelector(Deployment.RoleInvalid.selector, bytes32("guardian"), wrong[i]));
            deployer.deploy(plan);
        }
    }

    function test_RevertWhen_deploy_TheNativeCoinIsNoCollateral() public {
        SystemPlan memory plan = _plan(PolicyKind.Damped);
        plan.nativeCollateral = 1;
        vm.expectRevert(abi.encodeWithSelector(Deployment.NativeCollateralInvalid.selector, 1, 1));
        deployer.deploy(plan);
    }

    /// @dev Whoever lent a unit between the pool's creation and its listings would make borrow LTVs rise from 0 over seven days:
    /// of a deployment's calls, the one that lets anybody lend comes after the last listing and the minimum debt.
    function test_deploy_NobodyCanLendBeforeTheListings() public {
        vm.recordLogs();
        System memory system = deployer.deploy(_plan(PolicyKind.Damped));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[4] memory expected = [
            ILendingPoolEvents.CapsSet.selector,
            ILendingPoolEvents.MinDebtSet.selector,
            ILendingPoolEvents.CollateralListed.selector,
            ILendingPoolEvents.CapsSet.selector
        ];
        uint256 seen;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != system.pool) continue;
            bytes32 topic = logs[i].topics[0];
            if (topic != expected[0] && topic != expected[1] && topic != expected[2]) continue;
            assertEq(topic, expected[seen], "order");
            if (seen == 0) assertEq(logs[i].data, abi.encode(0, 0), "created closed");
            ++seen;
        }
        assertEq(seen, 4);
        assertEq(PoolAdministration(system.pool).supplyCap(), 1e28);
    }

    function test_RevertWhen_deploy_VenueMayBeEmpty() public {
        SystemPlan memory plan = _plan(PolicyKind.Damped);
        plan.collaterals[0].venue = address(1);
        plan.collaterals[0].venueMinDepth = 0;
        vm.expectRevert(
            abi.encodeWithSelector(Deployment.CollateralPlanInvalid.selector, 0, bytes32("venue min depth"))
        );
        deployer.deploy(plan);
    }

    function test_RevertWhen_deploy_ExtensionIsForAnotherAsset() public {
        System memory system = deployer.deploy(_plan(PolicyKind.Rigid));
        PoolParameters memory parameters = PoolParameters({
            asset: address(token),
            rateModel: system.rateModel,
            breaker: system.breaker,
            policy: system.policy,
            owner: governance,
            guardian: guardian,
            supplyCap: 1,
            borrowCap: 1,
            name: "",
            symbol: ""
        });
        vm.expectRevert(abi.encodeWithSelector(LendingPool.ExtensionMismatch.selector, system.poolExtension));
        new LendingPool(parameters, system.poolExtension);
    }

    function test_RevertWhen_initialize_AfterConstruction() public {
        System memory system = deployer.deploy(_plan(PolicyKind.Rigid));
        PoolParameters memory parameters;
        parameters.policy = system.policy;
        vm.expectRevert(LendingPoolExtension.NotConstructing.selector);
        LendingPoolExtension(system.pool).initialize(parameters);
    }
}
