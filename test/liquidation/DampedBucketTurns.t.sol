// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {DampedState} from "../../contracts/liquidation/DampedState.sol";
import {Seed} from "../../contracts/libraries/RotationSeed.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {Bucket, BucketMode, DepthObservation} from "../../contracts/libraries/VolumeBucket.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {DepthOracleMock} from "../mocks/DepthOracleMock.sol";
import {ListingPoolMock} from "../mocks/ListingPoolMock.sol";
import {PolicyFixture} from "./PolicyFixture.sol";

/// @notice The bucket and the turns within the policy.
/// @dev C = 120 * 1,250 = 150,000, so the depth floor is floor(150,000e6 / 14,400) * 120 = 1,249.99992; the venue's depth is
/// 5,000, so the cap is 10,000, of which 7,000 are above the reserve, and 5,000 / 120 = 41.666666 are refilled a second.
contract DampedBucketTurnsTest is PolicyFixture {
    function setUp() public override {
        super.setUp();
        vm.warp(1_700_000_040);
        oracle.setDepth(5000e6);
    }

    function _bucketOnly() private pure returns (DampedParameters memory p) {
        p = _bare();
        p.bucketMode = BucketMode.HardStop;
        // half a depth a minute: the least cap is C/60
        p.refillShare = 0.5e18;
    }

    function _withTurns(TurnMode mode) private pure returns (DampedParameters memory p) {
        p = _bucketOnly();
        p.turnMode = mode;
    }

    /// @dev 40 times the usual position: x_t = 11,735.53.
    function _whale() private pure returns (Position memory) {
        return Position(40_800e6, 40e18);
    }

    function _drain(DampedPolicy policy) private {
        LiquidationRequest memory r = _request(_whale(), type(uint256).max);
        r.account = address(0x33A1E);
        for (uint256 i; i < 2000; ++i) {
            LiquidationGrant memory g = policy.commit(r);
            if (g.refusal == Refusal.Bucket) return;
            _wait(g.refusal == Refusal.None ? 0 : 60);
        }
        revert("not drained");
    }

    /// @dev Past the opening: two small sales a minute apart, and a minute that refills them.
    function _settle(DampedPolicy policy) private {
        for (uint256 i; i < 2; ++i) {
            policy.commit(_request(_position(), 1e6));
            _wait(60);
        }
    }

    // -- the bucket

    function test_bucket_GrantsWhatIsAboveTheReserve() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        LiquidationRequest memory r = _request(_whale(), type(uint256).max);
        vm.expectEmit(address(policy));
        emit DampedState.BucketUpdated(address(this), 0, 3000e6, 5000e6);
        assertEq(policy.commit(r).repay, 7000e6);
        _assertRefused(_commit(policy, r), Refusal.Bucket);
        (uint256 level, uint256 cap, uint256 rate) = policy.bucketOf(address(this), 0);
        assertEq(level, 3000e6);
        assertEq(cap, 10_000e6);
        // 5,000e6 * 0.5 / 60, WAD-scaled
        assertEq(rate, 41_666_666_666_666_666_666_666_666);
        _wait(12);
        (level,,) = policy.bucketOf(address(this), 0);
        assertEq(level, 3500e6 - 1);
        assertEq(_commit(policy, _request(_whale(), type(uint256).max)).repay, 500e6 - 1);
        _wait(1 days);
        (level,,) = policy.bucketOf(address(this), 0);
        assertEq(level, 10_000e6);
    }

    function test_bucket_IsChargedWhatWasRepaid() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _commit(policy, _request(_position(), type(uint256).max));
        assertEq(policy.storedBucket(address(this), 0).level, 10_000e6 - 293_388_430);
    }

    function test_bucket_NeitherBindsNorChargesTheHardZone() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _drain(policy);
        Bucket memory before = policy.storedBucket(address(this), 0);
        LiquidationRequest memory r = _request(_positionAt(0.88e18), type(uint256).max);
        r.oracle = address(0);
        assertEq(_commit(policy, r).repay, 798_271_975);
        assertEq(abi.encode(policy.storedBucket(address(this), 0)), abi.encode(before));
    }

    /// @dev D = 1,020 <= 2 * 1,000: closed whole though the bucket holds a unit; what it holds is charged, and no more.
    function test_bucket_LetsDustThroughWithoutGoingBelowZero() public {
        DampedParameters memory p = _bucketOnly();
        p.reserveShare = 0;
        DampedPolicy policy = new DampedPolicy(p);
        _drain(policy);
        _wait(1);
        market.dust = 1000e6;
        assertEq(_commit(policy, _request(_position(), type(uint256).max)).repay, 1020e6);
        assertEq(policy.storedBucket(address(this), 0).level, 0);
    }

    function test_bucket_IsKeptPerCollateral() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _drain(policy);
        LiquidationRequest memory r = _request(_position(), 1e6);
        r.collateralId = 1;
        assertEq(_commit(policy, r).repay, 1e6);
    }

    /// @dev Whoever liquidates himself to empty it pays for the sale and buys a wait that ends at HF_hard: the cap is back in
    /// four minutes.
    function test_bucket_EmptiedOnPurposeRefillsInMinutes() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _drain(policy);
        _wait(168);
        // 7,000 / 41.67 a second
        assertEq(_commit(policy, _request(_whale(), type(uint256).max)).repay, 7000e6 - 1);
    }

    /// @dev By default half as fast: 70% of the cap in 336 s.
    function test_bucket_EmptiedOnPurposeRefillsBySharesOfADepth() public {
        DampedParameters memory p = _bucketOnly();
        p.refillShare = DampedParametersLib.defaults().refillShare;
        DampedPolicy policy = new DampedPolicy(p);
        _drain(policy);
        _wait(336);
        // 7,000 / 20.83 a second
        assertApproxEqAbs(_commit(policy, _request(_whale(), type(uint256).max)).repay, 7000e6, 1);
    }

    /// @dev The dust that SECURITY.md allows at the defaults: C / 200 = 750 where the least cap is C / 30 = 5,000 and its reserve 1,500.
    function test_bucket_DustOfATwoHundredthOverdrawsNoReserve() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.confirmation = false;
        oracle.setDepth(0);
        market.dust = 750e6;
        DampedPolicy policy = new DampedPolicy(p);
        uint256 sold;
        for (uint256 i; i < 30; ++i) {
            sold += policy.commit(_request(_position(), type(uint256).max)).repay;
        }
        // four debts of 1,020, closed whole: the fourth takes 580 of the reserve
        assertEq(sold, 4 * 1020e6);
        assertApproxEqAbs(policy.storedBucket(address(this), 0).level, 5000e6 - sold, 1000);
    }

    // -- hostile depth

    function test_bucket_SurvivesEveryMisbehaviourOfTheOracle() public {
        for (uint256 i = 1; i < 5; ++i) {
            DampedPolicy policy = new DampedPolicy(_bucketOnly());
            oracle.setBehaviour(DepthOracleMock.Behaviour(i));
            LiquidationRequest memory r = _request(_whale(), type(uint256).max);
            // cap = 2 * 1,249.99992, 70% of it
            assertEq(policy.commit{gas: 900_000}(r).repay, 1_749_999_888);
        }
    }

    function test_bucket_CannotBeFilledAtOnceByALyingOracle() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _settle(policy);
        _drain(policy);
        oracle.setDepth(type(uint256).max);
        _assertRefused(_commit(policy, _request(_position(), 1e6)), Refusal.Bucket);
        _wait(60);
        // a minute refills 2,500 at the stored depth; a first high reading counts nothing: 5,500 - 0.3 * 10,000 = 2,500
        LiquidationGrant memory g = _commit(policy, _request(_whale(), type(uint256).max));
        assertEq(policy.storedBucket(address(this), 0).depth, 5000e6);
        assertApproxEqAbs(g.repay, 2500e6, 1);
        _wait(60);
        // the second weighs 60 / 3,600 of 16 floors: (5,000 * 3,540 + 19,999.99872 * 60) / 3,600 = 5,249.999978...., up;
        // 5,500 - 0.3 * 10,499.999958 = 2,350.000013
        g = _commit(policy, _request(_whale(), type(uint256).max));
        assertEq(policy.storedBucket(address(this), 0).depth, 5_249_999_979);
        assertApproxEqAbs(g.repay, 2_350_000_012, 2);
    }

    function test_bucket_CannotBeFilledAtOnceByBorrowedCollateral() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _drain(policy);
        market.total = 1e9 * 1e18;
        _assertRefused(_commit(policy, _request(_position(), 1e6)), Refusal.Bucket);
        Bucket memory bucket = policy.storedBucket(address(this), 0);
        assertEq(bucket.depth, 5000e6);
    }

    /// @dev Ten times the collateral for one transaction, in a call that is granted, after an hour of silence: it is
    /// remembered and moves nothing, and the honest call a minute later restores it.
    function test_bucket_InflatedCollateralOfOneTransactionCountsNothing() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        _settle(policy);
        _wait(1 hours);
        market.total = 1200e18;
        oracle.setDepth(type(uint256).max);
        assertEq(_commit(policy, _request(_position(), 100e6)).repay, 100e6);
        Bucket memory bucket = policy.storedBucket(address(this), 0);
        assertEq(bucket.depth, 5000e6);
        assertEq(bucket.level, 9900e6);
        assertEq(policy.observationOf(address(this), 0).floor, 12_500e6 - 80);
        market.total = 120e18;
        oracle.setDepth(5000e6);
        assertEq(_commit(policy, _request(_whale(), type(uint256).max)).repay, 6900e6, "and stalls nothing");
        _wait(60);
        _commit(policy, _request(_position(), 100e6));
        assertEq(policy.storedBucket(address(this), 0).depth, 5000e6);
        assertEq(policy.observationOf(address(this), 0).floor, 1_249_999_920);
    }

    /// @dev Debts of at most twice the dust are closed whole. Thirty of 1,020 against 7,000 above the reserve: six fit, the
    /// seventh exceeds by 140, less than twice the dust, and the rest wait. The charge is what was repaid.
    function test_bucket_DustExceedsWhatIsAvailableByOneDebtAtMost() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        market.dust = 1000e6;
        uint256 sold;
        for (uint256 i; i < 30; ++i) {
            sold += policy.commit(_request(_position(), type(uint256).max)).repay;
        }
        assertEq(sold, 7 * 1020e6);
        assertEq(policy.storedBucket(address(this), 0).level, 10_000e6 - 7 * 1020e6);
        // 2,860 of 3,000: nothing again until more than 140 is refilled, 3.36 s
        _wait(3);
        _assertRefused(policy.commit(_request(_position(), type(uint256).max)), Refusal.Bucket);
        _wait(1);
        assertEq(policy.commit(_request(_position(), type(uint256).max)).repay, 1020e6);
    }

    /// @dev Over any time the volume is at most what lay above the reserve, the refill, and one debt of twice the dust: if
    /// the reserve is at least that, no charge is lost at a level of 0.
    function testFuzz_bucket_DustVolumeIsBounded(uint256 dust, uint256[16] memory waits) public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        market.dust = bound(dust, 510e6, 1500e6);
        uint256 sold;
        uint256 start = vm.getBlockTimestamp();
        for (uint256 i; i < 48; ++i) {
            sold += policy.commit(_request(_position(), type(uint256).max)).repay;
            _wait(bound(waits[i % 16], 0, 60));
        }
        // 41.67 a second
        assertLe(sold, 7000e6 + (vm.getBlockTimestamp() - start) * 41_666_667 + 1020e6);
    }

    // -- recordDepth

    function test_recordDepth_OpensAndAveragesABucketWithoutAPool() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        ListingPoolMock pool = _listed(120e18);
        vm.expectEmit(address(policy));
        emit DampedState.BucketUpdated(address(pool), 3, 10_000e6, 5000e6);
        vm.expectEmit(address(policy));
        emit DampedState.DepthObserved(address(pool), 3, vm.getBlockTimestamp(), true, 1_249_999_920, 5000e6);
        policy.recordDepth(address(pool), 3);
        _wait(60);
        policy.recordDepth(address(pool), 3);
        oracle.setDepth(11_000e6);
        policy.recordDepth(address(pool), 3);
        _wait(60);
        policy.recordDepth(address(pool), 3);
        assertEq(policy.storedBucket(address(pool), 3).depth, 5000e6, "seen once");
        policy.recordDepth(address(pool), 3);
        assertEq(policy.storedBucket(address(pool), 3).depth, 5000e6, "once a minute");
        _wait(60);
        policy.recordDepth(address(pool), 3);
        // 5,000 + 6,000 / 60
        assertEq(policy.storedBucket(address(pool), 3).depth, 5100e6);
    }

    /// @dev The total of one transaction, 41 times the collateral by nested callbacks: the attack needs no capital.
    function test_recordDepth_InflatedInOneTransactionMovesNothing() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        ListingPoolMock pool = _listed(120e18);
        policy.recordDepth(address(pool), 0);
        _wait(60);
        policy.recordDepth(address(pool), 0);
        _wait(1 hours);
        pool.set(address(oracle), 41 * 120e18);
        policy.recordDepth(address(pool), 0);
        (uint256 level, uint256 cap,) = policy.bucketOf(address(pool), 0);
        assertEq(cap, 10_000e6);
        assertEq(level, 10_000e6);
    }

    /// @dev Anybody can take the observation back before it confirms another: two inflated transactions with one honest call
    /// anywhere between them move nothing.
    function test_recordDepth_TakesBackWhatDidNotLast() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        ListingPoolMock pool = _listed(120e18);
        policy.recordDepth(address(pool), 0);
        _wait(60);
        policy.recordDepth(address(pool), 0);
        _wait(1 hours);
        pool.set(address(oracle), 41 * 120e18);
        policy.recordDepth(address(pool), 0);
        DepthObservation memory seen = policy.observationOf(address(pool), 0);
        assertGt(seen.floor, 50_000e6);
        pool.set(address(oracle), 120e18);
        _wait(12);
        vm.expectEmit(address(policy));
        emit DampedState.DepthObserved(address(pool), 0, seen.at, false, 1_249_999_920, 5000e6);
        policy.recordDepth(address(pool), 0);
        // it takes nothing else back, and nothing up
        oracle.setDepth(0);
        pool.set(address(oracle), 240e18);
        vm.recordLogs();
        policy.recordDepth(address(pool), 0);
        assertEq(vm.getRecordedLogs().length, 0);
        oracle.setDepth(5000e6);
        pool.set(address(oracle), 41 * 120e18);
        _wait(48);
        policy.recordDepth(address(pool), 0);
        assertEq(policy.storedBucket(address(pool), 0).depth, 5000e6);
    }

    /// @dev A bucket opened in an inflated transaction is right at its second observation.
    function test_recordDepth_CorrectsAnInflatedOpening() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        ListingPoolMock pool = _listed(41 * 120e18);
        policy.recordDepth(address(pool), 0);
        assertGt(policy.storedBucket(address(pool), 0).depth, 50_000e6);
        pool.set(address(oracle), 120e18);
        _wait(60);
        policy.recordDepth(address(pool), 0);
        assertEq(policy.storedBucket(address(pool), 0).depth, 5000e6);
        assertEq(policy.storedBucket(address(pool), 0).level, 10_000e6);
    }

    function _listed(uint256 total) private returns (ListingPoolMock pool) {
        pool = new ListingPoolMock();
        pool.set(address(oracle), total);
        oracle.setFast(PRICE, PriceStatus.Ok);
    }

    function test_RevertWhen_recordDepth_HasNoPrice() public {
        DampedPolicy policy = new DampedPolicy(_bucketOnly());
        ListingPoolMock pool = new ListingPoolMock();
        pool.set(address(oracle), 120e18);
        oracle.setFast(PRICE, PriceStatus.Down);
        vm.expectRevert(abi.encodeWithSelector(DampedPolicy.NoPrice.selector, address(pool), 0));
        policy.recordDepth(address(pool), 0);
    }

    // -- scaling

    /// @dev Full: everything. At 3,000 of 10,000: a slice of 30% of the debt, and 30% of the bonus above its minimum.
    function test_scaling_ScalesSliceAndBonusAndNeverStops() public {
        DampedParameters memory p = _bare();
        p.bucketMode = BucketMode.Scaling;
        DampedPolicy policy = new DampedPolicy(p);
        policy.commit(_request(_position(), 0));
        LiquidationRequest memory r = _request(_whale(), 7000e6);
        r.account = address(0x33A1E);
        assertEq(_commit(policy, r).repay, 7000e6);
        _wait(20 minutes);
        // full again: 5%
        assertEq(policy.quote(address(this), _request(_position(), type(uint256).max)).bonus, 0.05e18);
        r = _request(_whale(), 7000e6);
        r.account = address(0x33A2E);
        assertEq(_commit(policy, r).repay, 7000e6);
        // 3,000 / 10,000: 1% + 4% * 0.3 = 2.2%; 1,020 * 0.3 = 306, and x_t at 2.2% is more:
        // 71 / (1.05 - 0.8176) = 305.507745..., up
        LiquidationGrant memory g = policy.quote(address(this), _request(_position(), type(uint256).max));
        assertEq(g.bonus, 0.022e18);
        assertEq(g.repay, 305_507_746);
        // empty: the floor, 25%, of the debt at 2%
        r.account = address(0x33A3E);
        assertEq(_commit(policy, r).repay, 7000e6);
        assertEq(policy.storedBucket(address(this), 0).level, 0);
        g = _commit(policy, _request(_position(), type(uint256).max));
        assertEq(g.bonus, 0.02e18);
        assertEq(g.repay, 255e6);
        _assertRefused(_commit(policy, _request(_position(), type(uint256).max)), Refusal.Slice);
    }

    // -- turns

    /// @dev While the bucket is full everybody's turn is open.
    function test_turns_AreAllOpenWhileTheBucketIsFull() public {
        DampedPolicy policy = new DampedPolicy(_withTurns(TurnMode.Systematic));
        for (uint256 i = 1; i <= 64; ++i) {
            LiquidationRequest memory r = _request(_position(), 1e6);
            r.account = address(uint160(i));
            assertEq(policy.quote(address(this), r).repay, 1e6);
        }
    }

    /// @dev The usual position with an empty bucket: p = max(0, 0.25 + 0.75 * 0.166168...^2) = 0.270709...: 18 of 64 turns,
    /// never more than 4 epochs apart within a rotation.
    function test_turns_OpenAtTheirRateAndWithinTheirBound() public {
        DampedParameters memory p = _withTurns(TurnMode.Systematic);
        p.bucketMode = BucketMode.Off;
        DampedPolicy policy = new DampedPolicy(p);
        vm.warp(vm.getBlockTimestamp() / 3840 * 3840);
        uint256 open;
        uint256 wait;
        for (uint256 e; e < 64 * 8; ++e) {
            LiquidationRequest memory r = _request(_position(), 1e6);
            LiquidationGrant memory g = policy.quote(address(this), r);
            bool expected = policy.turnOf(address(this), ALICE, vm.getBlockTimestamp())
                < policy.turnProbability(0, 166_168_162_180_126_288);
            assertEq(g.refusal == Refusal.None, expected);
            if (g.refusal == Refusal.None) {
                ++open;
                assertLe(wait, e % 64 == 0 || wait >= e % 64 ? 7 : 3);
                wait = 0;
            } else {
                assertEq(uint256(g.refusal), uint256(Refusal.Turn));
                ++wait;
            }
            _wait(60);
        }
        assertEq(open, 18 * 8);
    }

    function test_turns_NeverRefuseTheHardZone() public {
        DampedPolicy policy = new DampedPolicy(_withTurns(TurnMode.Systematic));
        _drain(policy);
        for (uint256 e; e < 64; ++e) {
            assertEq(policy.quote(address(this), _request(_positionAt(0.88e18), 1e6)).repay, 1e6);
            vm.warp(vm.getBlockTimestamp() + 60);
        }
    }

    function test_turns_RefuseWithAnEmptyBucketAndReleaseInOrder() public {
        DampedPolicy policy = new DampedPolicy(_withTurns(TurnMode.Systematic));
        _drain(policy);
        uint256 turn;
        uint256 bucket;
        for (uint256 i = 1; i <= 256; ++i) {
            LiquidationRequest memory r = _request(_position(), 1e6);
            r.account = address(uint160(i * 7919));
            Refusal refusal = policy.quote(address(this), r).refusal;
            if (refusal == Refusal.Turn) ++turn;
            else if (refusal == Refusal.Bucket) ++bucket;
            // a position at the edge of the hard zone has z = 1: its turn is always open
            LiquidationRequest memory edge = _request(_positionAt(0.8820001e18), 1e6);
            edge.account = r.account;
            assertNotEq(uint256(policy.quote(address(this), edge).refusal), uint256(Refusal.Turn));
        }
        // p = 0.3: 30% reach the bucket, 20 of 64 draws
        assertEq(turn + bucket, 256);
        assertApproxEqAbs(bucket, 80, 24);
    }

    function test_turns_BernoulliDiffersFromTheSystematic() public {
        DampedParameters memory p = _withTurns(TurnMode.Bernoulli);
        p.bucketMode = BucketMode.Off;
        DampedPolicy policy = new DampedPolicy(p);
        uint256 open;
        uint256 wait;
        uint256 longest;
        for (uint256 e; e < 512; ++e) {
            if (policy.quote(address(this), _request(_position(), 1e6)).refusal == Refusal.None) {
                ++open;
                wait = 0;
            } else if (++wait > longest) {
                longest = wait;
            }
            _wait(60);
        }
        // 512 * 0.2707 = 138.6, standard deviation 10
        assertApproxEqAbs(open, 139, 40);
        assertGt(longest, 7, "no bound on the wait");
    }

    // -- seeds

    function test_seeds_OpenEveryTurnUntilOneIsKnown() public {
        DampedPolicy policy = _seeded();
        for (uint256 i = 1; i <= 32; ++i) {
            LiquidationRequest memory r = _request(_position(), 1e6);
            r.account = address(uint160(i));
            assertEq(policy.quote(address(this), r).repay, 1e6);
        }
    }

    /// @dev The first commit names its block; its hash is not known in it. A later commit stores it.
    function test_seeds_AreTheHashOfTheFirstCommitsBlock() public {
        DampedPolicy policy = _seeded();
        uint256 anchor = vm.getBlockNumber();
        uint256 rotation = vm.getBlockTimestamp() / 60 / 64;
        vm.expectEmit(address(policy));
        emit DampedState.SeedUpdated(address(this), rotation, anchor, 0);
        policy.commit(_request(_position(), 0));
        assertEq(policy.turnOf(address(this), ALICE, vm.getBlockTimestamp()), 0);
        _wait(12);
        uint256 shut = _shutOf(policy, 256);
        assertApproxEqAbs(shut, 184, 30, "the hash is in force before it is stored");
        uint160 hash = uint160(uint256(blockhash(anchor)));
        vm.expectEmit(address(policy));
        emit DampedState.SeedUpdated(address(this), rotation, anchor, hash);
        policy.commit(_request(_position(), 0));
        assertEq(_shutOf(policy, 256), shut, "storing it changes nothing");
        // a block later nothing is left to write, 300 blocks later the stored seed still holds
        _wait(12);
        vm.recordLogs();
        policy.commit(_request(_position(), 0));
        assertEq(vm.getRecordedLogs().length, 0);
        vm.roll(vm.getBlockNumber() + 300);
        assertEq(_shutOf(policy, 256), shut);
        assertEq(policy.seedOf(address(this)).seed, hash);
    }

    function test_seeds_LostHashOpensTurnsAndIsReplaced() public {
        DampedPolicy policy = _seeded();
        policy.commit(_request(_position(), 0));
        vm.roll(vm.getBlockNumber() + 257);
        assertEq(_shutOf(policy, 64), 0);
        policy.commit(_request(_position(), 0));
        Seed memory seed = policy.seedOf(address(this));
        assertEq(seed.anchor, vm.getBlockNumber());
        assertEq(seed.seed, 0);
    }

    function test_seeds_EndWithTheirRotation() public {
        DampedPolicy policy = _seeded();
        policy.commit(_request(_position(), 0));
        _wait(12);
        policy.commit(_request(_position(), 0));
        assertGt(_shutOf(policy, 64), 0);
        _wait(64 minutes);
        assertEq(_shutOf(policy, 64), 0);
    }

    /// @dev A builder who grinds the hash picks among phases. The worst he can find costs the bounded wait: within a rotation
    /// never more than 4 epochs from turn to turn, and the hard zone nothing.
    function test_seeds_GroundByABuilderCostTheBoundedWait() public {
        DampedPolicy policy = _seeded();
        uint256 start = vm.getBlockTimestamp() / 3840 * 3840;
        vm.warp(start);
        uint256 worst;
        for (uint256 i; i < 48; ++i) {
            vm.warp(start);
            vm.roll(10_000 + 1000 * i);
            DampedPolicy fresh = _seeded();
            fresh.commit(_request(_position(), 0));
            vm.roll(vm.getBlockNumber() + 1);
            vm.setBlockhash(vm.getBlockNumber() - 1, keccak256(abi.encode("ground", i)));
            uint256 wait;
            for (uint256 e; e < 64; ++e) {
                vm.warp(start + 60 * e);
                if (fresh.quote(address(this), _request(_position(), 1e6)).refusal == Refusal.Turn) ++wait;
                else wait = 0;
                if (wait > worst) worst = wait;
                assertEq(fresh.quote(address(this), _request(_positionAt(0.88e18), 1e6)).repay, 1e6);
            }
        }
        assertEq(worst, 3);
        assertEq(policy.seedOf(address(this)).anchor, 0);
    }

    function _seeded() private returns (DampedPolicy) {
        DampedParameters memory p = _withTurns(TurnMode.Seeded);
        p.bucketMode = BucketMode.Off;
        return new DampedPolicy(p);
    }

    function _shutOf(DampedPolicy policy, uint256 accounts) private view returns (uint256 shut) {
        for (uint256 i = 1; i <= accounts; ++i) {
            LiquidationRequest memory r = _request(_position(), 1e6);
            r.account = address(uint160(i));
            if (policy.quote(address(this), r).refusal == Refusal.Turn) ++shut;
        }
    }
}
