// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {BonusMode, DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {BucketMode} from "../../contracts/libraries/VolumeBucket.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PolicyFixture} from "./PolicyFixture.sol";

/// @notice Each part is alive: one parameter off changes a named figure of a stress built for it, all else being equal. And
/// the bounds of every parameter.
/// @dev The stress: sixty accounts of the usual position; in every minute each is liquidated as far as the policy grants.
contract DampedPartsTest is PolicyFixture {
    uint256 private constant ACCOUNTS = 60;

    struct Outcome {
        uint256 firstMinute;
        uint256 repaid;
        uint256 bonusPaid;
        uint256 refusedTurns;
        uint256 largestShare;
        uint256 healthAfter;
    }

    function setUp() public override {
        super.setUp();
        vm.warp(1_700_000_040);
        oracle.setDepth(2500e6);
        // all collateral is worth 75,000: the floor of the depth is 1,250, and the venue's depth counts
        market.total = 60e18;
        oracle.setFast(2.5e27, PriceStatus.Ok);
        vm.fee(1 gwei);
    }

    /// @dev Same start for every policy: the clock is put back.
    function _stress(DampedParameters memory p, uint256 duration, BreakerLevel level)
        private
        returns (Outcome memory o)
    {
        uint256 snapshot = vm.snapshotState();
        DampedPolicy policy = new DampedPolicy(p);
        Position[] memory positions = new Position[](ACCOUNTS);
        for (uint256 m; m < duration; ++m) {
            for (uint256 i; i < ACCOUNTS; ++i) {
                if (m == 0) positions[i] = _position();
                _strike(policy, positions[i], address(uint160(i + 1)), level, o);
            }
            if (m == 0) o.firstMinute = o.repaid;
            _wait(60);
        }
        o.healthAfter = _health(positions[0], market.price);
        vm.revertToState(snapshot);
    }

    function _strike(
        DampedPolicy policy,
        Position memory position,
        address account,
        BreakerLevel level,
        Outcome memory o
    ) private {
        LiquidationRequest memory r = _request(position, type(uint256).max);
        if (r.healthFast >= 1e18) return;
        r.account = account;
        r.breaker = level;
        LiquidationGrant memory g = policy.commit(r);
        if (g.refusal == Refusal.Turn) ++o.refusedTurns;
        _apply(position, g);
        o.repaid += g.repay;
        o.bonusPaid += g.repay * g.bonus / 1e18;
        uint256 share = g.repay * 1e18 / r.debt;
        if (share > o.largestShare) o.largestShare = share;
    }

    /// @dev A feed set 2.85% too low for a while: nobody is unhealthy at the venue's price.
    function test_confirmation_PreventsWrongfulLiquidation() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        market.confirmed = PRICE * 10_300 / 10_000;
        assertEq(_stress(p, 5, BreakerLevel.Normal).repaid, 0);
        p.confirmation = false;
        assertGt(_stress(p, 5, BreakerLevel.Normal).repaid, 5000e6);
    }

    function test_obeysPause_HoldsSales() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        assertEq(_stress(p, 3, BreakerLevel.Paused).repaid, _stress(p, 3, BreakerLevel.Normal).repaid);
        p.obeysPause = true;
        assertEq(_stress(p, 3, BreakerLevel.Paused).repaid, 0);
    }

    /// @dev 60 accounts want 17,603. Cap 5,000, reserve 1,500: 3,500 in the first minute, 625 in each later one.
    function test_bucket_LimitsTheSpeedOfSales() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Off;
        Outcome memory damped = _stress(p, 5, BreakerLevel.Normal);
        assertEq(damped.firstMinute, 3500e6);
        assertApproxEqAbs(damped.repaid, 6000e6, 1e6);
        p.bucketMode = BucketMode.Off;
        assertEq(_stress(p, 5, BreakerLevel.Normal).firstMinute, 60 * 293_388_430);
    }

    function test_reserveShare_WithholdsTheReserve() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Off;
        p.reserveShare = 0;
        assertEq(_stress(p, 1, BreakerLevel.Normal).firstMinute, 5000e6);
    }

    function test_refillShare_SetsTheSpeedOfRefill() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Off;
        p.refillShare = 0.5e18;
        // the depth of 2,500 is above the floor: 1,250 are refilled in a minute
        assertApproxEqAbs(_stress(p, 5, BreakerLevel.Normal).repaid, 8500e6, 1e6);
    }

    function test_minRefillSeconds_SetsTheFloorWithoutAVenue() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Off;
        oracle.setDepth(0);
        // C / 30 = 2,500, of which 70%
        assertApproxEqAbs(_stress(p, 1, BreakerLevel.Normal).repaid, 1750e6, 1e6);
        p.minRefillSeconds = 8 hours;
        assertApproxEqAbs(_stress(p, 1, BreakerLevel.Normal).repaid, 875e6, 1e6);
    }

    function test_depthMemorySeconds_SetsTheWeightOfReadings() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Off;
        (uint256 slow, uint256 fast) = (_depthAfterAHigherReading(p, 1 hours), _depthAfterAHigherReading(p, 10 minutes));
        // 2,500 + 7,500 / 60, and / 10
        assertEq(slow, 2625e6);
        assertEq(fast, 3250e6);
    }

    function _depthAfterAHigherReading(DampedParameters memory p, uint256 memorySeconds) private returns (uint256) {
        p.depthMemorySeconds = memorySeconds;
        DampedPolicy policy = new DampedPolicy(p);
        uint256 snapshot = vm.snapshotState();
        policy.commit(_request(_position(), 1e6));
        _wait(60);
        policy.commit(_request(_position(), 1e6));
        oracle.setDepth(10_000e6);
        // seen once, and confirmed
        for (uint256 i; i < 2; ++i) {
            _wait(60);
            policy.commit(_request(_position(), 1e6));
        }
        uint256 depth = policy.storedBucket(address(this), 0).depth;
        vm.revertToState(snapshot);
        return depth;
    }

    function test_turns_SpreadScarceCapacity() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        assertEq(_stress(p, 5, BreakerLevel.Normal).refusedTurns, 0);
        p.turnMode = TurnMode.Systematic;
        assertGt(_stress(p, 5, BreakerLevel.Normal).refusedTurns, 50);
    }

    function test_turnFloor_SetsHowManyTurnsAreOpen() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Systematic;
        p.bucketMode = BucketMode.Off;
        uint256 quarter = _stress(p, 1, BreakerLevel.Normal).firstMinute / 293_388_430;
        p.turnFloor = 0.75e18;
        uint256 most = _stress(p, 1, BreakerLevel.Normal).firstMinute / 293_388_430;
        // 0.2707 and 0.7569 of 60
        assertApproxEqAbs(quarter, 16, 9);
        assertApproxEqAbs(most, 45, 9);
    }

    function test_sliceBase_LimitsWhatAnAccountLosesInAnEpoch() public {
        DampedParameters memory p = _bare();
        p.sliceBase = 0.1e18;
        assertApproxEqAbs(_stress(p, 3, BreakerLevel.Normal).largestShare, 0.24955e18, 1e13);
        p.sliceBase = 1e18;
        assertApproxEqAbs(_stress(p, 3, BreakerLevel.Normal).largestShare, 0.28763e18, 1e13);
    }

    function test_targetHealth_IsWhatIsLeft() public {
        DampedParameters memory p = _bare();
        assertApproxEqAbs(_stress(p, 1, BreakerLevel.Normal).healthAfter, 1.05e18, 1e10);
        p.targetHealth = 1.1e18;
        assertApproxEqAbs(_stress(p, 1, BreakerLevel.Normal).healthAfter, 1.1e18, 1e10);
    }

    function test_bonusMode_PaysForDistressAtOnceOrForTime() public {
        market.price = PRICE * 91 / 100;
        DampedParameters memory p = _bare();
        // HF = 0.892156862...: at once 1% by time, 4.655...% by health
        Outcome memory time = _stress(p, 1, BreakerLevel.Normal);
        assertApproxEqAbs(time.bonusPaid * 1e18 / time.repaid, 0.01e18, 1e12);
        p.bonusMode = BonusMode.Health;
        Outcome memory health = _stress(p, 1, BreakerLevel.Normal);
        assertApproxEqAbs(health.bonusPaid * 1e18 / health.repaid, 0.046557e18, 1e13);
    }

    function test_auctionSeconds_SetsHowFastTheBonusRises() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Off;
        Outcome memory slow = _stress(p, 10, BreakerLevel.Normal);
        p.auctionSeconds = 2 minutes;
        Outcome memory fast = _stress(p, 10, BreakerLevel.Normal);
        assertGt(fast.bonusPaid * 1e18 / fast.repaid, slow.bonusPaid * 1e18 / slow.repaid + 0.005e18);
    }

    function test_bonusMinAndMax_AreTheEndsOfTheAuction() public {
        DampedParameters memory p = _bare();
        p.bonusMin = 0.02e18;
        Outcome memory o = _stress(p, 1, BreakerLevel.Normal);
        assertApproxEqAbs(o.bonusPaid * 1e18 / o.repaid, 0.02e18, 1e12);
        p.bonusMax = 0.03e18;
        DampedPolicy policy = new DampedPolicy(p);
        assertEq(policy.bonusAfter(1 days, 1e18), 0.03e18);
    }

    function test_liquidationGas_IsPaidForInStress() public {
        DampedParameters memory p = _bare();
        uint256 without = _stress(p, 1, BreakerLevel.Stressed).bonusPaid;
        p.liquidationGas = 400_000;
        p.nativeOracle = address(oracle);
        // one unit of debt a call, and the bonus of the slightly larger sale
        assertApproxEqAbs(_stress(p, 1, BreakerLevel.Stressed).bonusPaid - without, 60e6, 5e6);
        assertEq(_stress(p, 1, BreakerLevel.Normal).bonusPaid, without);
    }

    function test_epochSeconds_SetsHowLongATurnLasts() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Systematic;
        p.bucketMode = BucketMode.Off;
        DampedPolicy minute = new DampedPolicy(p);
        p.epochSeconds = 10 minutes;
        DampedPolicy longer = new DampedPolicy(p);
        uint256 t = 1_700_000_400;
        assertEq(longer.turnOf(address(this), ALICE, t), longer.turnOf(address(this), ALICE, t + 599));
        assertNotEq(minute.turnOf(address(this), ALICE, t), minute.turnOf(address(this), ALICE, t + 60));
    }

    function test_scalingFloor_IsTheLeastSlice() public {
        DampedParameters memory p = _bare();
        p.bucketMode = BucketMode.Scaling;
        uint256 quarter = _stress(p, 1, BreakerLevel.Normal).repaid;
        p.scalingFloor = 0.1e18;
        assertLt(_stress(p, 1, BreakerLevel.Normal).repaid, quarter);
    }

    // -- parameters

    function test_parameters_AreThoseOfTheConstructor() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.bonusMode = BonusMode.Health;
        p.turnMode = TurnMode.Seeded;
        p.bucketMode = BucketMode.Scaling;
        p.liquidationGas = 1;
        p.nativeOracle = address(oracle);
        assertEq(abi.encode(new DampedPolicy(p).parameters()), abi.encode(p));
    }

    /// Just beyond either end of its range each is refused by its name, and at the ends it is not.
    function test_RevertWhen_aParameterIsOutOfBounds() public {
        _bounded(3, "bonusMin", 0, 0.05e18);
        _bounded(4, "bonusMax", 0, 0.5e18);
        _bounded(5, "auctionSeconds", 1, 1 days);
        _bounded(6, "targetHealth", 1e18 + 1, 2e18);
        _bounded(7, "sliceBase", 1e14, 1e18);
        _bounded(9, "turnFloor", 1e18 / 64, 1e18);
        _bounded(10, "epochSeconds", 12, 1 hours);
        _bounded(12, "refillShare", 0.01e18, 10e18);
        _bounded(13, "reserveShare", 0, 0.9e18);
        _bounded(14, "scalingFloor", 1e14, 1e18);
        _bounded(15, "minRefillSeconds", 1 minutes, 30 days);
        _bounded(16, "depthMemorySeconds", 240, 30 days);
        _bounded(17, "liquidationGas", 0, 10_000_000);
    }

    function test_RevertWhen_theGasBonusIsIncomplete() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.liquidationGas = 1;
        vm.expectRevert(abi.encodeWithSelector(DampedParametersLib.GasBonusIncomplete.selector, 1, address(0)));
        this.deploy(p);
        p.liquidationGas = 0;
        p.nativeOracle = address(1);
        vm.expectRevert(abi.encodeWithSelector(DampedParametersLib.GasBonusIncomplete.selector, 0, address(1)));
        this.deploy(p);
    }

    function _bounded(uint256 field, bytes32 name, uint256 least, uint256 most) private {
        if (least != 0) _refused(field, name, least - 1, least, most);
        _refused(field, name, most + 1, least, most);
        this.deploy(_with(field, least));
        this.deploy(_with(field, most));
    }

    function _refused(uint256 field, bytes32 name, uint256 value, uint256 least, uint256 most) private {
        vm.expectRevert(
            abi.encodeWithSelector(DampedParametersLib.ParameterOutOfBounds.selector, name, value, least, most)
        );
        this.deploy(_with(field, value));
    }

    /// @dev The defaults with another value of a field, and what goes with it: no bonus starts above its end, and gas is paid for at a price.
    function _with(uint256 field, uint256 value) private pure returns (DampedParameters memory p) {
        p = DampedParametersLib.defaults();
        if (field == 4 && value < p.bonusMin) p.bonusMin = value;
        if (field == 17 && value != 0) p.nativeOracle = address(1);
        uint256[19] memory words = abi.decode(abi.encode(p), (uint256[19]));
        words[field] = value;
        return abi.decode(abi.encode(words), (DampedParameters));
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(DampedParameters memory p) external {
        new DampedPolicy(p);
    }
}
