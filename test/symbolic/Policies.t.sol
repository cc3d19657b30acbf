// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Test} from "forge-std/Test.sol";

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {TargetHealthPolicy} from "../../contracts/liquidation/TargetHealthPolicy.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {Bucket, VolumeBucket} from "../../contracts/libraries/VolumeBucket.sol";

/// @notice Lemmas of the policies, for any request that a pool could make. The damped policy has its default parameters,
/// with turns, slices and a wait for pauses.
contract PoliciesSymbolicTest is Test {
    /// @dev A request of the hard zone, and what the policy has seen before.
    struct Case {
        uint104 debt;
        uint104 asked;
        uint128 collateral;
        uint128 price;
        uint128 totalCollateral;
        uint88 minDebt;
        uint256 collateralValue;
        uint256 health;
        uint256 healthHard;
        uint256 healthConfirmed;
        uint256 liquidationThreshold;
        uint256 maxBonus;
        uint8 level;
        bool seen;
        uint256 elapsed;
    }

    uint256 private constant WAD = 1e18;
    /// @dev A unit of the debt token for a unit of collateral.
    uint256 private constant PAR = 1e36;
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);

    RigidPolicy private rigid;
    TargetHealthPolicy private target;
    DampedPolicy private damped;

    function setUp() public {
        rigid = new RigidPolicy(0.05e18);
        target = new TargetHealthPolicy(1.05e18, 0.9e18, 0.9e18);
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Systematic;
        p.sliceBase = 0.1e18;
        p.obeysPause = true;
        damped = new DampedPolicy(p);
        vm.warp(1_700_000_000);
    }

    /// P4: whoever has a health factor of 1 or more is granted to nobody.
    function check_theHealthyAreRefused(LiquidationRequest calldata request) public view {
        vm.assume(request.healthFast >= WAD);
        _assertRefused(rigid.quote(address(this), request), Refusal.Healthy);
        _assertRefused(target.quote(address(this), request), Refusal.Healthy);
        _assertRefused(damped.quote(address(this), request), Refusal.Healthy);
    }

    /// The damped zone waits for the second price.
    function check_theUnconfirmedAreRefused(LiquidationRequest calldata request) public view {
        vm.assume(request.healthFast < WAD && request.healthFast > request.healthHard);
        vm.assume(request.healthConfirmed >= WAD);
        _assertRefused(damped.quote(address(this), request), Refusal.Unconfirmed);
    }

    /// D1: in the hard zone no turn, bucket, slice, pause or second price refuses, also where bucket and slice are used up and
    /// the account is flagged.
    function testFuzz_TheHardZoneIsNotHeldBack(Case memory c) public {
        vm.assume(c.debt != 0 && c.asked != 0 && c.price != 0);
        if (c.seen) _useUp();
        // one time in four at once, while nothing has been refilled
        c.elapsed = c.elapsed % 4 == 0 ? 0 : _bound(c.elapsed, 1, 1 days);
        skip(c.elapsed);
        LiquidationRequest memory request = _hard(c);
        LiquidationGrant memory grant = damped.quote(address(this), request);
        assertEq(abi.encode(damped.commit(request)), abi.encode(grant), "commit differs");
        if (grant.refusal == Refusal.None) {
            assertGt(grant.repay, 0);
            assertGt(grant.seize, 0);
            return;
        }
        assertEq(uint8(grant.refusal), uint8(Refusal.ZeroAmount));
        // To the target takes the debt's (1.05 - 1) / 1.05 at least. Neither that nor what is asked buys a unit, or there is none.
        uint256 least = FixedPointMathLib.max(FixedPointMathLib.min(request.asked, request.debt / 21), 1);
        assertTrue(request.collateral == 0 || least < (request.price + PAR - 1) / PAR, "refused for nothing");
    }

    /// What the lemma's policy has seen is what holds back the damped zone.
    function test_TheDampedZoneIsHeldBack() public {
        LiquidationRequest memory request = _dampedRequest(ALICE, 1e12);
        assertEq(uint8(damped.quote(address(this), request).refusal), uint8(Refusal.None));
        _useUp();
        assertGt(damped.flagOf(address(this), ALICE, 0).since, 0, "no flag");
        // (0.1 + 0.9 / 5) of the debt
        assertEq(damped.accountEpochOf(address(this), ALICE).used, 0.28e18, "slice left");
        Bucket memory bucket = damped.storedBucket(address(this), 0);
        assertEq(bucket.level, VolumeBucket.capOf(bucket) * 3 / 10, "bucket above its reserve");
        Refusal refusal = damped.quote(address(this), request).refusal;
        assertTrue(refusal == Refusal.Turn || refusal == Refusal.Slice || refusal == Refusal.Bucket);
    }

    function _hard(Case memory c) private view returns (LiquidationRequest memory request) {
        (request.account, request.debt, request.collateral) = (ALICE, c.debt, c.collateral);
        request.asked = FixedPointMathLib.min(c.asked, c.debt);
        (request.price, request.priceCumulative) = (c.price, PAR + c.price * c.elapsed);
        request.collateralValue = _bound(c.collateralValue, 0, 2 * uint256(c.debt));
        request.healthHard = _bound(c.healthHard, 0, WAD - 1);
        request.healthFast = _bound(c.health, 0, request.healthHard);
        request.healthConfirmed = c.healthConfirmed;
        request.liquidationThreshold = _bound(c.liquidationThreshold, 0.01e18, 0.95e18);
        request.maxBonus = _bound(c.maxBonus, 0, 0.15e18);
        request.totalCollateral = FixedPointMathLib.max(c.totalCollateral, c.collateral);
        request.minDebt = c.minDebt;
        request.breaker = BreakerLevel(c.level % 4);
    }

    /// @dev Alice takes her slice and is flagged; Bob takes what damped calls may of the bucket.
    function _useUp() private {
        assertEq(uint8(damped.commit(_dampedRequest(ALICE, 1e12)).refusal), uint8(Refusal.None));
        assertEq(uint8(damped.commit(_dampedRequest(BOB, 1e20)).refusal), uint8(Refusal.None));
    }

    /// @dev A fifth into the damped zone, of a market of 1e18.
    function _dampedRequest(address account, uint256 debt) private pure returns (LiquidationRequest memory request) {
        (request.account, request.asked, request.debt) = (account, debt, debt);
        (request.collateral, request.collateralValue) = (2 * debt, debt * 118 / 100);
        (request.price, request.priceCumulative) = (PAR / 2, PAR);
        (request.healthFast, request.healthConfirmed, request.healthHard) = (0.98e18, 0.98e18, 0.9e18);
        (request.liquidationThreshold, request.maxBonus) = (0.83e18, 0.05e18);
        request.totalCollateral = 2e18;
    }

    function _assertRefused(LiquidationGrant memory grant, Refusal refusal) private pure {
        assertEq(uint8(grant.refusal), uint8(refusal));
        assertEq(grant.repay, 0);
        assertEq(grant.seize, 0);
    }
}
