// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test, Vm} from "forge-std/Test.sol";

import {BackstopParametersLib} from "../../contracts/backstop/BackstopParameters.sol";
import {PremiumSteward} from "../../contracts/backstop/PremiumSteward.sol";
import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {IBackstopPool} from "../../contracts/interfaces/IBackstopPool.sol";
import {ICircuitBreaker} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {CollateralConfig} from "../../contracts/interfaces/ILendingPool.sol";
import {IUniswapV3PoolState} from "../../contracts/interfaces/IUniswapV3PoolState.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../../contracts/lending/LendingPoolExtension.sol";
import {PoolParameters} from "../../contracts/lending/PoolParameters.sol";
import {DampedParameters} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {UniswapV3Source} from "../../contracts/oracle/UniswapV3Source.sol";
import {AdaptiveRateModel} from "../../contracts/rates/AdaptiveRateModel.sol";
import {Defaults} from "../../script/Defaults.sol";
import {CollateralPlan, PolicyKind, PolicyPlan, SystemPlan} from "../../script/SystemPlan.sol";
import {PoolActor} from "../mocks/PoolActor.sol";
import {PoolHookToken} from "../mocks/PoolHookToken.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {FuzzLens, Sight, WorldView} from "./FuzzLens.sol";
import {FuzzVenue} from "./FuzzVenue.sol";
import {PolicySketch, WorldPlan} from "./WorldPlan.sol";

/// @notice A world in which `breakwater fuzz` runs its campaigns, contract by contract at the same addresses, so that what
/// it prints runs here. `crates/fuzz/src/world` builds the same ones in Rust; the reproductions beside this file show that they agree.
/// @dev A default deployment without its timelock, but for what `_plan` says: a dollar, ether (damped, with a venue), and bitcoin
/// (not damped, a token that calls back). Five people and two contracts that act on the pool in every callback.
abstract contract CounterexampleFixture is Test {
    address internal constant DEPLOYER = address(0xdeb10);
    address internal constant OWNER = address(0x0e12);
    address internal constant GUARDIAN = address(0x90a2d);
    address internal constant STRANGER = address(0x57a26e2);
    /// @dev Deposits in the backstop at first, and stays.
    address internal constant FOUNDER = address(0xf07de2);
    uint256 internal constant START = 1_700_000_000;
    uint256 internal constant PLENTY = 1 << 100;

    address[7] internal actor;
    address internal asset;
    address[2] internal token;
    address[2] internal feed;
    address internal venue;
    address[2] internal oracle;
    address internal breaker;
    /// @dev Where there is a backstop, the last one is its own.
    address[] internal policy;
    address internal backstop;
    address internal steward;
    address internal pool;
    FuzzLens internal lens;
    /// @dev A hash over each call's output and events so far, in their order.
    bytes32 private _answers;
    /// @dev Whether a contract has been told to act in a callback.
    bool private _isArmed;
    /// @dev A whole dollar, ether and bitcoin, base units.
    uint256 private _unit;
    uint256[2] private _tokenUnits;

    /// @dev Which world it is.
    function _plan() internal pure virtual returns (WorldPlan memory);

    function setUp() public virtual {
        WorldPlan memory plan = _plan();
        _unit = 10 ** plan.assetDecimals;
        _tokenUnits = [10 ** plan.tokenDecimals[0], 10 ** plan.tokenDecimals[1]];
        _block(START, 1_000_000, 1 gwei);
        vm.startPrank(DEPLOYER);
        _deploy(plan);
        vm.stopPrank();
        _configure();
        if (plan.withBackstop) _found();
        _block(START + plan.warmUp, 1_000_000 + plan.warmUp / 12, 1 gwei);
        _quote(plan);
        for (uint256 id; id < 2; ++id) {
            IPriceOracle(oracle[id]).update();
        }
        _populate();
        if (plan.withBackstop) IBackstopPool(backstop).roll();
    }

    // -- the steps of a sequence

    /// @dev What follows happens in this block. The hash of the one that ends is the campaign's.
    function _block(uint256 timestamp, uint256 number, uint256 baseFee) internal {
        uint256 ended = block.number;
        vm.warp(timestamp);
        vm.roll(number);
        if (number > ended && number - ended <= 256) {
            vm.setBlockhash(ended, keccak256(abi.encodePacked(bytes32(0), uint64(ended))));
        }
        vm.fee(baseFee);
    }

    /// @dev One call, which must end as it did in the campaign.
    function _call(address from, address to, bytes memory data, bool succeeds) internal {
        vm.recordLogs();
        vm.prank(from);
        (bool success, bytes memory output) = to.call(data);
        assertEq(success, succeeds, "a call ended otherwise");
        if (success && bytes4(data) == PoolActor.arm.selector) _isArmed = true;
        Vm.Log[] memory events = vm.getRecordedLogs();
        // Those that were reverted are recorded too, and an armed contract carries on where a call of its own reverts.
        if (_isArmed || !success) delete events;
        _answers = keccak256(abi.encode(_answers, output, events));
    }

    /// @dev Everything that the campaign saw, at the end.
    function _world() internal view returns (WorldView memory) {
        return lens.read(_sight(), true);
    }

    /// @dev What the campaign printed, to be compared with the final state.
    function _fingerprint() internal view returns (bytes32) {
        return keccak256(abi.encode(_world()));
    }

    /// @dev What was answered, to be compared with what the campaign printed: outputs and events, and what a share was last worth to
    /// each contract in a callback.
    function _answered() internal view returns (bytes32) {
        uint256[2] memory worth = [PoolActor(actor[5]).sharePriceInside(), PoolActor(actor[6]).sharePriceInside()];
        return keccak256(abi.encode(_answers, worth));
    }

    /// @dev Whether no view reverts.
    function _isSeen() internal view returns (bool success) {
        (success,) = address(lens).staticcall(abi.encodeCall(FuzzLens.read, (_sight(), true)));
    }

    // -- building

    function _deploy(WorldPlan memory world) private {
        SystemPlan memory plan = Defaults.system();
        asset = _new("SimToken", abi.encode("Dollar", "USD", world.assetDecimals));
        token[0] = _new("SimToken", abi.encode("Ether", "ETH", world.tokenDecimals[0]));
        token[1] = _new("PoolHookToken", abi.encode(world.tokenDecimals[1]));
        feed[0] = _new("SimFeed", abi.encode(uint8(8)));
        feed[1] = _new("SimFeed", abi.encode(uint8(8)));
        venue = _new("FuzzVenue", abi.encode(token[0], asset));
        address source = _new("UniswapV3Source", abi.encode(venue, token[0], asset, uint32(60), 1000 * _unit));
        _quote(world);
        oracle[0] = _new("TwapOracle", abi.encode(_oracleParameters(plan.collaterals[0], 0, source)));
        oracle[1] = _new("TwapOracle", abi.encode(_oracleParameters(plan.collaterals[0], 1, address(0))));
        address rateModel = _new("AdaptiveRateModel", abi.encode(plan.rate));
        breaker = _new("CircuitBreaker", abi.encode(OWNER, plan.breaker));
        for (uint256 i; i < world.policies.length; ++i) {
            policy.push(_newPolicy(world.policies[i], plan.policy));
        }
        PoolParameters memory parameters = PoolParameters({
            asset: asset,
            rateModel: rateModel,
            breaker: breaker,
            policy: policy[0],
            owner: OWNER,
            guardian: GUARDIAN,
            supplyCap: plan.supplyCap,
            borrowCap: plan.borrowCap,
            name: plan.name,
            symbol: plan.symbol
        });
        address extension = _new("LendingPoolExtension", abi.encode(parameters));
        pool = _new("LendingPool", abi.encode(parameters, extension));
        if (world.withBackstop) _deployBackstop();
        lens = FuzzLens(_new("FuzzLens", ""));
        for (uint256 i; i < 5; ++i) {
            actor[i] = vm.addr(0xA0 + i);
        }
        actor[5] = _new("PoolActor", abi.encode(pool));
        actor[6] = _new("PoolActor", abi.encode(pool));
    }

    /// @dev As `BackstopDeployer` does it, with OWNER in the timelock's place and half of the growth of reserves as premium.
    function _deployBackstop() private {
        backstop = _new("BackstopPool", abi.encode(BackstopParametersLib.defaults(pool, _unit)));
        policy.push(_new("BackstopPolicy", abi.encode(policy[0], backstop, uint256(1.05e18))));
        steward = _new("PremiumSteward", abi.encode(pool, backstop, OWNER, uint256(0.5e18)));
    }

    function _newPolicy(PolicySketch memory sketch, PolicyPlan memory plan) private returns (address) {
        if (sketch.kind == PolicyKind.Rigid) return _new("RigidPolicy", abi.encode(plan.rigidBonus));
        if (sketch.kind == PolicyKind.TargetHealth) {
            return _new("TargetHealthPolicy", abi.encode(plan.targetHealth, plan.fullBonusHealth, plan.bonusShareAtOne));
        }
        DampedParameters memory p = plan.damped;
        p.nativeOracle = oracle[0];
        // what is off by default, turns and the wait for pauses, is on in the same worlds
        p.obeysPause = sketch.turns != TurnMode.Off;
        (p.turnMode, p.bucketMode, p.sliceBase) = (sketch.turns, sketch.bucket, sketch.sliceBase);
        return _new("DampedPolicy", abi.encode(p));
    }

    function _oracleParameters(CollateralPlan memory plan, uint256 id, address source)
        private
        view
        returns (TwapOracleParameters memory p)
    {
        plan.base = FeedParameters({source: feed[id], heartbeat: 65 minutes, minAnswer: 1e4, maxAnswer: 1e16});
        p = TwapOracleParameters({
            collateralToken: token[id],
            debtToken: asset,
            base: plan.base,
            quote: plan.quote,
            venue: source,
            window: plan.window,
            step: plan.step,
            confirmationDelay: plan.confirmationDelay,
            standInLimit: plan.standInLimit
        });
    }

    function _configure() private {
        CollateralConfig memory listing = Defaults.collateral().listing;
        (listing.token, listing.oracle) = (token[0], oracle[0]);
        vm.startPrank(OWNER);
        IPoolUnderTest(pool).listCollateral(listing);
        (listing.token, listing.oracle) = (token[1], oracle[1]);
        (listing.borrowLtv, listing.liquidationThreshold) = (7000, 7550);
        (listing.confirmationBand, listing.damped) = (200, false);
        IPoolUnderTest(pool).listCollateral(listing);
        IPoolUnderTest(pool).setMinDebt(uint88(100 * _unit), 5 * _unit);
        IPoolUnderTest(pool).setReserveFactor(10);
        if (backstop != address(0)) {
            IPoolUnderTest(pool).setPolicy(policy[policy.length - 1]);
            IPoolUnderTest(pool).transferOwnership(steward);
            PremiumSteward(steward).accept();
        }
        vm.stopPrank();
    }

    /// @dev Ether at 2,000 on feed and venue, bitcoin at 30,000.
    function _quote(WorldPlan memory plan) private {
        SimFeed(feed[0]).set(2000e8, block.timestamp);
        SimFeed(feed[1]).set(30_000e8, block.timestamp);
        FuzzVenue(venue).set(plan.tick, plan.liquidity);
    }

    function _populate() private {
        SimToken(asset).mint(venue, PLENTY);
        for (uint256 i; i < actor.length; ++i) {
            _endow(i, asset);
            _endow(i, token[0]);
            _endow(i, token[1]);
        }
        IPoolUnderTest p = IPoolUnderTest(pool);
        vm.prank(actor[0]);
        p.deposit(1_000_000 * _unit, actor[0]);
        vm.prank(actor[1]);
        p.deposit(500_000 * _unit, actor[1]);
        _open(2, 100, 0, 150_000);
        _open(3, 0, 10, 200_000);
        _open(4, 50, 5, 150_000);
        _open(5, 20, 0, 25_000);
    }

    function _endow(uint256 i, address what) private {
        SimToken(what).mint(actor[i], PLENTY);
        if (i < 5) {
            vm.prank(actor[i]);
            SimToken(what).approve(pool, type(uint256).max);
        } else {
            PoolActor(actor[i]).approve(what, type(uint256).max);
        }
    }

    /// @dev The founder's deposit pays for the shares that stay locked too.
    function _found() private {
        _join(FOUNDER, 40_000 * _unit + 1000);
        for (uint256 i; i < actor.length; ++i) {
            _join(actor[i], i < 3 ? 20_000 * (i + 1) * _unit : 0);
        }
    }

    /// @dev Approves the backstop, and deposits if there is something to.
    function _join(address depositor, uint256 assets) private {
        SimToken(asset).mint(depositor, PLENTY);
        vm.startPrank(depositor);
        SimToken(asset).approve(backstop, type(uint256).max);
        if (assets != 0) IBackstopPool(backstop).deposit(assets);
        vm.stopPrank();
    }

    function _open(uint256 i, uint256 ether_, uint256 bitcoin, uint256 debt) private {
        vm.startPrank(actor[i]);
        if (ether_ != 0) IPoolUnderTest(pool).supplyCollateral(0, ether_ * _tokenUnits[0], actor[i], "");
        if (bitcoin != 0) IPoolUnderTest(pool).supplyCollateral(1, bitcoin * _tokenUnits[1], actor[i], "");
        IPoolUnderTest(pool).borrow(debt * _unit, actor[i], actor[i]);
        vm.stopPrank();
    }

    function _sight() private view returns (Sight memory s) {
        (s.pool, s.breaker) = (IPoolUnderTest(pool), ICircuitBreaker(breaker));
        PolicySketch[] memory sketches = _plan().policies;
        s.policies = new DampedPolicy[](policy.length);
        for (uint256 i; i < policy.length; ++i) {
            // The backstop's policy keeps the first one's state at its own address.
            PolicyKind kind = i < sketches.length ? sketches[i].kind : PolicyKind.Damped;
            if (kind == PolicyKind.Damped) s.policies[i] = DampedPolicy(policy[i]);
        }
        (s.backstop, s.founder) = (IBackstopPool(backstop), FOUNDER);
        s.oracles = new address[](2);
        (s.oracles[0], s.oracles[1]) = (oracle[0], oracle[1]);
        s.accounts = new address[](actor.length);
        for (uint256 i; i < actor.length; ++i) {
            s.accounts[i] = actor[i];
        }
    }

    /// @dev A creation by the deployer's own nonce. `new` would be linked at run time, and by another account's.
    function _new(string memory name, bytes memory arguments) private returns (address) {
        return deployCode(string.concat(name, ".sol:", name), arguments);
    }
}
