// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {ICircuitBreaker} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {CollateralConfig} from "../../contracts/interfaces/ILendingPool.sol";
import {IUniswapV3PoolState} from "../../contracts/interfaces/IUniswapV3PoolState.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../../contracts/lending/LendingPoolExtension.sol";
import {PoolParameters} from "../../contracts/lending/PoolParameters.sol";
import {DampedParameters} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {FeedParameters, TwapOracle, TwapOracleParameters} from "../../contracts/oracle/TwapOracle.sol";
import {UniswapV3Source} from "../../contracts/oracle/UniswapV3Source.sol";
import {AdaptiveRateModel} from "../../contracts/rates/AdaptiveRateModel.sol";
import {Defaults} from "../../script/Defaults.sol";
import {CollateralPlan, SystemPlan} from "../../script/SystemPlan.sol";
import {PoolActor} from "../mocks/PoolActor.sol";
import {PoolHookToken} from "../mocks/PoolHookToken.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {FuzzLens, Sight, WorldView} from "./FuzzLens.sol";
import {FuzzVenue} from "./FuzzVenue.sol";

/// @notice The world in which `breakwater fuzz` runs its campaigns, contract by contract at the same addresses, so that what
/// it prints runs here. `crates/fuzz/src/world` builds the same one in Rust; `Reproduction.t.sol` shows that they agree.
/// @dev A default deployment without its timelock: a dollar of 6 decimals, ether (18, damped, with a venue), and bitcoin (8, not
/// damped, a token that calls back). Five people and two contracts that act on the pool in every callback.
abstract contract CounterexampleFixture is Test {
    address internal constant DEPLOYER = address(0xdeb10);
    address internal constant OWNER = address(0x0e12);
    address internal constant GUARDIAN = address(0x90a2d);
    address internal constant STRANGER = address(0x57a26e2);
    uint256 internal constant START = 1_700_000_000;
    uint256 internal constant PLENTY = 1 << 100;

    address[7] internal actor;
    address internal asset;
    address[2] internal token;
    address[2] internal feed;
    address internal venue;
    address[2] internal oracle;
    address internal breaker;
    address internal damped;
    address internal rigid;
    address internal pool;
    FuzzLens internal lens;

    function setUp() public virtual {
        _block(START, 1_000_000, 1 gwei);
        vm.startPrank(DEPLOYER);
        _deploy();
        vm.stopPrank();
        _configure();
        _block(START + 31 minutes, 1_000_155, 1 gwei);
        _quote();
        for (uint256 id; id < 2; ++id) {
            IPriceOracle(oracle[id]).update();
        }
        _populate();
    }

    // -- the steps of a sequence

    /// @dev What follows happens in this block.
    function _block(uint256 timestamp, uint256 number, uint256 baseFee) internal {
        vm.warp(timestamp);
        vm.roll(number);
        vm.fee(baseFee);
    }

    /// @dev One call, which must end as it did in the campaign.
    function _call(address from, address to, bytes memory data, bool succeeds) internal {
        vm.prank(from);
        (bool success,) = to.call(data);
        assertEq(success, succeeds, "a call ended otherwise");
    }

    /// @dev Everything that the campaign saw, at the end.
    function _world() internal view returns (WorldView memory) {
        return lens.read(_sight(), true);
    }

    /// @dev What the campaign printed, to be compared with the final state.
    function _fingerprint() internal view returns (bytes32) {
        return keccak256(abi.encode(_world()));
    }

    // -- building

    function _deploy() private {
        SystemPlan memory plan = Defaults.system();
        asset = _new("SimToken", abi.encode("Dollar", "USD", uint8(6)));
        token[0] = _new("SimToken", abi.encode("Ether", "ETH", uint8(18)));
        token[1] = _new("PoolHookToken", abi.encode(uint8(8)));
        feed[0] = _new("SimFeed", abi.encode(uint8(8)));
        feed[1] = _new("SimFeed", abi.encode(uint8(8)));
        venue = _new("FuzzVenue", abi.encode(token[0], asset));
        address source = _new("UniswapV3Source", abi.encode(venue, token[0], asset, uint32(60), 1000e6));
        _quote();
        oracle[0] = _new("TwapOracle", abi.encode(_oracleParameters(plan.collaterals[0], 0, source)));
        oracle[1] = _new("TwapOracle", abi.encode(_oracleParameters(plan.collaterals[0], 1, address(0))));
        address rateModel = _new("AdaptiveRateModel", abi.encode(plan.rate));
        breaker = _new("CircuitBreaker", abi.encode(OWNER, plan.breaker));
        DampedParameters memory p = plan.policy.damped;
        p.nativeOracle = oracle[0];
        damped = _new("DampedPolicy", abi.encode(p));
        rigid = _new("RigidPolicy", abi.encode(plan.policy.rigidBonus));
        PoolParameters memory parameters = PoolParameters({
            asset: asset,
            rateModel: rateModel,
            breaker: breaker,
            policy: damped,
            owner: OWNER,
            guardian: GUARDIAN,
            supplyCap: plan.supplyCap,
            borrowCap: plan.borrowCap,
            name: plan.name,
            symbol: plan.symbol
        });
        address extension = _new("LendingPoolExtension", abi.encode(parameters));
        pool = _new("LendingPool", abi.encode(parameters, extension));
        lens = FuzzLens(_new("FuzzLens", ""));
        for (uint256 i; i < 5; ++i) {
            actor[i] = vm.addr(0xA0 + i);
        }
        actor[5] = _new("PoolActor", abi.encode(pool));
        actor[6] = _new("PoolActor", abi.encode(pool));
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
        IPoolUnderTest(pool).setMinDebt(100e6, 5e6);
        IPoolUnderTest(pool).setReserveFactor(10);
        vm.stopPrank();
    }

    /// @dev Ether at 2,000 on feed and venue, bitcoin at 30,000. 1.0001^-200311 is 2,000e6 / 1e18.
    function _quote() private {
        SimFeed(feed[0]).set(2000e8, block.timestamp);
        SimFeed(feed[1]).set(30_000e8, block.timestamp);
        FuzzVenue(venue).set(-200_311, 1e19);
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
        p.deposit(1_000_000e6, actor[0]);
        vm.prank(actor[1]);
        p.deposit(500_000e6, actor[1]);
        _open(2, 100e18, 0, 150_000e6);
        _open(3, 0, 10e8, 200_000e6);
        _open(4, 50e18, 5e8, 150_000e6);
        _open(5, 20e18, 0, 25_000e6);
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

    function _open(uint256 i, uint256 ether_, uint256 bitcoin, uint256 debt) private {
        vm.startPrank(actor[i]);
        if (ether_ != 0) IPoolUnderTest(pool).supplyCollateral(0, ether_, actor[i], "");
        if (bitcoin != 0) IPoolUnderTest(pool).supplyCollateral(1, bitcoin, actor[i], "");
        IPoolUnderTest(pool).borrow(debt, actor[i], actor[i]);
        vm.stopPrank();
    }

    function _sight() private view returns (Sight memory s) {
        (s.pool, s.damped, s.breaker) = (IPoolUnderTest(pool), DampedPolicy(damped), ICircuitBreaker(breaker));
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
