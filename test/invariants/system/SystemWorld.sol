// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Test} from "forge-std/Test.sol";

import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {TurnMode} from "../../../contracts/libraries/TurnSampler.sol";
import {FeedParameters} from "../../../contracts/oracle/TwapOracle.sol";
import {CollateralPlan, PolicyKind, System, SystemPlan} from "../../../script/SystemPlan.sol";
import {SystemDeployer} from "../../../script/SystemDeployer.sol";
import {FuzzVenue} from "../../fuzz/FuzzVenue.sol";
import {PoolBadToken} from "../../mocks/PoolBadToken.sol";
import {PoolHookToken} from "../../mocks/PoolHookToken.sol";
import {SimFeed} from "../../mocks/SimFeed.sol";
import {IPoolUnderTest} from "../../utils/IPoolUnderTest.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {PriceWatch} from "./PriceWatch.sol";
import {ReentrantActor} from "./ReentrantActor.sol";

/// @notice Three whole systems, as `Deployment` makes them, on the same tokens: a dollar of 6 decimals, ether of 18, bitcoin of
/// 8, and a token of 12 that misbehaves as it is told. Each of the first three is the asset of one pool and a collateral of the
/// others. Every feed is in dollars of 8 decimals.
///
///     pool        asset     collaterals 0, 1, 2        policy
///     DAMPED      dollar    ether, bitcoin, bad        the default plan's; ether with a venue; bad not damped
///     TARGET      ether     bitcoin, dollar, bad       target health
///     RIGID       bitcoin   ether, dollar, bad         rigid
contract SystemWorld is Test {
    uint256 public constant POOLS = 3;
    uint256 public constant COLLATERALS = 3;
    uint256 public constant ACCOUNTS = 5;
    uint256 public constant DAMPED = 0;
    uint256 public constant TARGET = 1;
    uint256 public constant RIGID = 2;
    /// @notice The place of the token that misbehaves.
    uint256 public constant BAD = 3;

    /// @dev A venue that takes far more than is ever liquidated at once.
    uint128 private constant DEEP = 2.2e17;

    uint256 private constant DOLLAR = 0;
    uint256 private constant ETHER = 1;

    /// @dev ln(1.0001), WAD.
    int256 private constant LN_TICK = 99_995_000_333_308;

    address public immutable governance = makeAddr("governance");
    address public immutable guardian = makeAddr("guardian");
    address public immutable keeper = makeAddr("keeper");
    address public immutable stranger = makeAddr("stranger");
    FuzzVenue public immutable venue;
    PriceWatch public immutable watch;

    /// @notice Whether the damped policy has turns, waits for pauses and has a bucket that refills slowly and has no reserve, or is exactly
    /// what is deployed by default.
    bool public immutable withTurns;

    address[4] public tokens;
    SimFeed[4] public feeds;
    /// @notice The liquidity that the venue shows; see `FuzzVenue`.
    uint128 public liquidity = DEEP;
    uint256[4] public basePrices = [1e8, 2000e8, 30_000e8, 1e8];
    uint256[4] public prices = [1e8, 2000e8, 30_000e8, 1e8];
    uint8[4] public decimals = [6, 18, 8, 12];
    uint8[3][3] private _collateralsOf = [[1, 2, 3], [2, 0, 3], [1, 0, 3]];

    System[3] private _systems;
    IPoolUnderTest[3] public pools;
    ReentrantActor[3] public contracts;
    address[4] private _people;

    constructor(bool withTurns_, CampaignLedger ledger) {
        withTurns = withTurns_;
        watch = new PriceWatch(ledger);
        vm.fee(1 gwei);
        for (uint256 i; i < 4; ++i) {
            tokens[i] = i == BAD ? address(new PoolBadToken(12)) : address(new PoolHookToken(decimals[i]));
            feeds[i] = new SimFeed(8);
            _people[i] = makeAddr(string.concat("person", vm.toString(i)));
        }
        venue = new FuzzVenue(tokens[ETHER], tokens[DOLLAR]);
        PoolHookToken(tokens[DOLLAR]).mint(address(venue), 10_000_000e6);
        refresh();
        SystemDeployer deployer = new SystemDeployer();
        for (uint256 p; p < POOLS; ++p) {
            _systems[p] = deployer.deploy(_plan(deployer.defaultPlan(), p));
            pools[p] = IPoolUnderTest(_systems[p].pool);
            contracts[p] = new ReentrantActor(pools[p]);
        }
        _approve();
        // the oracles' warm-up
        for (uint256 i; i < 4; ++i) {
            calm();
        }
    }

    // -- who and what

    function system(uint256 p) external view returns (System memory) {
        return _systems[p];
    }

    /// @notice Somebody who may have a position in pool `p`: four people, and the pool's contract.
    function account(uint256 p, uint256 i) external view returns (address) {
        i %= ACCOUNTS;
        return i < 4 ? _people[i] : address(contracts[p]);
    }

    /// @notice The token of collateral `id`, by its place.
    function collateralOf(uint256 p, uint256 id) external view returns (uint256) {
        return _collateralsOf[p][id];
    }

    /// @notice What so many dollars are at the first prices, base units of a token.
    function dollars(uint256 token, uint256 amount) public view returns (uint256) {
        return amount * 10 ** decimals[token] * 1e8 / basePrices[token];
    }

    /// @notice Base units for somebody.
    function mint(uint256 token, address to, uint256 amount) external {
        PoolHookToken(tokens[token]).mint(to, amount);
    }

    /// @notice Whether the token does what it says.
    function isHonest(uint256 token) external view returns (bool) {
        return token != BAD || PoolBadToken(tokens[BAD]).kind() == PoolBadToken.Kind.ReturnsNothing;
    }

    // -- the market

    /// @notice The price of a token, held to a twentieth and three times the first one; the venue follows.
    function setPrice(uint256 token, uint256 price) public {
        uint256 base = basePrices[token];
        prices[token] = FixedPointMathLib.clamp(price, base / 20, base * 3);
        refresh();
    }

    /// @notice A venue of a fraction of its depth, down to nothing worth mentioning: buckets are then as small as collateral allows.
    function setDepth(uint256 fraction) external {
        // forge-lint: disable-next-line(unsafe-typecast)
        liquidity = uint128(DEEP / fraction);
        _trade();
    }

    /// @notice Every feed reports, and the venue trades at what they say.
    function refresh() public {
        for (uint256 i; i < 4; ++i) {
            feeds[i].set(int256(prices[i]), vm.getBlockTimestamp());
        }
        _trade();
    }

    /// @dev The venue's price is what the feeds would say.
    function _trade() private {
        // 10^6 a dollar over 10^18 an ether, WAD
        int256 ratio = int256(prices[ETHER] * 1e6 / prices[DOLLAR]);
        venue.set(int24(FixedPointMathLib.lnWad(ratio) / LN_TICK), liquidity);
    }

    /// @notice Time passes in blocks of 12 seconds.
    function pass(uint256 elapsed) public {
        vm.warp(vm.getBlockTimestamp() + elapsed);
        vm.roll(vm.getBlockNumber() + (elapsed + 11) / 12);
    }

    /// @notice Ten minutes of nothing: whatever jumped is confirmed, and the breaker has let go of what it held by itself.
    function calm() public {
        vm.fee(1 gwei);
        for (uint256 i; i < 2; ++i) {
            pass(5 minutes);
            refresh();
            updateOracles();
        }
    }

    function updateOracles() public {
        for (uint256 p; p < POOLS; ++p) {
            for (uint256 id; id < COLLATERALS; ++id) {
                IPriceOracle(_systems[p].oracles[id]).update();
            }
            look(p);
        }
    }

    /// @notice The watch looks at the oracles of pool `p`.
    function look(uint256 p) public {
        for (uint256 id; id < COLLATERALS; ++id) {
            watch.look(_systems[p].oracles[id]);
        }
    }

    /// @notice Makes a health factor of `health` in pool `p` one of `target`, as far as prices may move: by the price of the
    /// asset, and what that may not do by all others.
    function squeeze(uint256 p, uint256 health, uint256 target) external {
        refresh();
        if (health > 100e18) return;
        uint256 wanted = prices[p] * (health + 1) / target;
        setPrice(p, wanted);
        if (wanted <= prices[p]) return;
        for (uint256 token; token < 4; ++token) {
            if (token != p) setPrice(token, prices[token] * prices[p] / wanted);
        }
    }

    // -- building

    function _plan(SystemPlan memory plan, uint256 p) private view returns (SystemPlan memory) {
        plan.asset = tokens[p];
        plan.governance = governance;
        plan.guardian = guardian;
        require(plan.policy.kind == PolicyKind.Damped, "the damped policy is not the default");
        if (p != DAMPED) plan.policy.kind = p == TARGET ? PolicyKind.TargetHealth : PolicyKind.Rigid;
        if (withTurns) {
            (plan.policy.damped.turnMode, plan.policy.damped.obeysPause) = (TurnMode.Systematic, true);
            // A bucket without a reserve that is empty for an hour and more: whoever waits then waits for his turn.
            (plan.policy.damped.reserveShare, plan.policy.damped.refillShare) = (0, 0.01e18);
            plan.policy.damped.minRefillSeconds = 1 days;
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        plan.minDebt = uint88(dollars(p, 100));
        plan.settlementStipend = plan.minDebt / 20;
        CollateralPlan memory usual = plan.collaterals[0];
        plan.collaterals = new CollateralPlan[](COLLATERALS);
        for (uint256 id; id < COLLATERALS; ++id) {
            plan.collaterals[id] = _collateral(abi.decode(abi.encode(usual), (CollateralPlan)), p, id);
        }
        return plan;
    }

    function _collateral(CollateralPlan memory plan, uint256 p, uint256 id)
        private
        view
        returns (CollateralPlan memory)
    {
        uint256 token = _collateralsOf[p][id];
        plan.base = _feed(token);
        plan.quote = _feed(p);
        plan.listing.token = tokens[token];
        plan.listing.damped = token != BAD;
        if (p == DAMPED && token == ETHER) {
            (plan.venue, plan.venueMinDepth) = (address(venue), dollars(DOLLAR, 1000));
        } else {
            plan.listing.confirmationBand = 200;
        }
        return plan;
    }

    /// @dev Believed from a hundredth to a hundred times the first price.
    function _feed(uint256 token) private view returns (FeedParameters memory) {
        uint256 base = basePrices[token];
        return FeedParameters(address(feeds[token]), 1 hours + 5 minutes, uint128(base / 100), uint128(base * 100));
    }

    function _approve() private {
        for (uint256 p; p < POOLS; ++p) {
            address[6] memory owners = [_people[0], _people[1], _people[2], _people[3], keeper, address(contracts[p])];
            for (uint256 i; i < 6; ++i) {
                vm.startPrank(owners[i]);
                for (uint256 token; token < 4; ++token) {
                    PoolBadToken(tokens[token]).approve(address(pools[p]), type(uint256).max);
                }
                vm.stopPrank();
            }
        }
    }
}
