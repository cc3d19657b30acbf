// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {BonusMode, DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {AccountEpoch, DampedState} from "../../contracts/liquidation/DampedState.sol";
import {Flag} from "../../contracts/libraries/BonusClock.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {DepthOracleMock} from "../mocks/DepthOracleMock.sol";
import {PolicyFixture} from "./PolicyFixture.sol";

/// @notice Refusals, bonus, clock, size, slice and gas bonus, each against numbers computed by hand.
contract DampedPolicyTest is PolicyFixture {
    function _policy(DampedParameters memory p) private returns (DampedPolicy) {
        return new DampedPolicy(p);
    }

    // -- refusals

    function test_commit_RefusesTheHealthyWhateverElseHolds() public {
        DampedPolicy policy = _policy(_bare());
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.healthFast = 1e18;
        _assertRefused(_commit(policy, r), Refusal.Healthy);
        // even where damping is off, HF_hard = 1
        r.healthHard = 1e18;
        _assertRefused(_commit(policy, r), Refusal.Healthy);
        assertEq(policy.flagOf(address(this), ALICE, 0).since, 0, "no clock for the healthy");
    }

    function test_commit_RefusesTheUnconfirmed() public {
        DampedParameters memory p = _bare();
        p.confirmation = true;
        DampedPolicy policy = _policy(p);
        assertTrue(policy.needsConfirmation());
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.healthConfirmed = 1e18;
        _assertRefused(_commit(policy, r), Refusal.Unconfirmed);
        assertEq(policy.flagOf(address(this), ALICE, 0).since, 0, "no clock for the unconfirmed");
        r.healthConfirmed = 1e18 - 1;
        assertEq(_commit(policy, r).repay, 293_388_430);
        p.confirmation = false;
        policy = _policy(p);
        assertTrue(policy.needsConfirmation(), "the clock needs the accumulator");
        r.healthConfirmed = 2e18;
        assertEq(_commit(policy, r).repay, 293_388_430);
    }

    function test_commit_RefusesDuringAPause() public {
        DampedParameters memory p = _bare();
        p.obeysPause = true;
        DampedPolicy policy = _policy(p);
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.breaker = BreakerLevel.Paused;
        _assertRefused(_commit(policy, r), Refusal.Paused);
        r.breaker = BreakerLevel.Halted;
        _assertRefused(_commit(policy, r), Refusal.Paused);
        r.breaker = BreakerLevel.Stressed;
        assertEq(_commit(policy, r).repay, 293_388_430);
    }

    /// @dev The clock runs on through a pause: 3 minutes of it are worth 0.6%.
    function test_commit_APauseThatEndsCostsTheLiquidatorNothing() public {
        DampedParameters memory p = _bare();
        p.obeysPause = true;
        DampedPolicy policy = _policy(p);
        LiquidationRequest memory r = _request(_position(), 0);
        r.breaker = BreakerLevel.Paused;
        _assertRefused(_commit(policy, r), Refusal.ZeroAmount);
        _wait(3 minutes);
        r = _request(_position(), 100e6);
        r.breaker = BreakerLevel.Paused;
        _assertRefused(_commit(policy, r), Refusal.Paused);
        r.breaker = BreakerLevel.Stressed;
        assertEq(_commit(policy, r).bonus, 0.016e18);
    }

    function test_commit_RefusesTheWrongCollateral() public {
        DampedPolicy policy = _policy(_bare());
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        // B LT = 1.01 * 0.98 = 0.9898 >= HF = 0.98039...
        r.liquidationThreshold = 0.98e18;
        _assertRefused(_commit(policy, r), Refusal.WrongCollateral);
        // equality is refused too: HF = 1.01 * 0.8
        r.liquidationThreshold = 0.8e18;
        r.healthHard = 0.5e18;
        r.healthFast = 0.808e18;
        _assertRefused(_commit(policy, r), Refusal.WrongCollateral);
        r.healthFast = 0.808e18 + 1;
        assertEq(uint256(_commit(policy, r).refusal), uint256(Refusal.None));
        // the hard zone takes any
        r.healthFast = 0.5e18;
        assertEq(uint256(_commit(policy, r).refusal), uint256(Refusal.None));
    }

    function test_commit_RefusesWhatRoundsToNothing() public {
        DampedPolicy policy = _policy(_bare());
        _assertRefused(_commit(policy, _request(_position(), 0)), Refusal.ZeroAmount);
        LiquidationRequest memory r = _request(_position(), 1);
        r.price = 2.5e36;
        _assertRefused(_commit(policy, r), Refusal.ZeroAmount);
    }

    // -- size

    /// @dev b = 1%: B LT = 0.808; x = 1,020 * (1.05 - 0.980392...) / (1.05 - 0.808) = 71 / 0.242 = 293.388429..., up;
    /// seized = 293.38843 * 1.01 / 1,250.
    function test_commit_RepaysToTheTarget() public {
        DampedPolicy policy = _policy(_bare());
        Position memory p = _position();
        LiquidationGrant memory g = _commit(policy, _request(p, type(uint256).max));
        _assertGrant(g, 293_388_430, 237_057_851_440_000_000, 0.01e18);
        _apply(p, g);
        assertApproxEqAbs(_health(p, PRICE), 1.05e18, 1e10);
        // c' F LT >= 1.05 D', unrounded
        assertGe(p.collateral * PRICE * LT, 1.05e18 * p.debt * 1e36);
    }

    function test_commit_RepaysNoMoreThanAsked() public {
        // 100 * 1.01 / 1,250 = 0.0808
        _assertGrant(_commit(_policy(_bare()), _request(_position(), 100e6)), 100e6, 0.0808e18, 0.01e18);
    }

    /// @dev HF = 0.88 <= 0.882: D = 1,136.363636, x = D * 0.17 / 0.242 = 798.271975, up.
    function test_commit_SizesTheHardZoneByTheTargetToo() public {
        Position memory p = _positionAt(0.88e18);
        _assertGrant(
            _commit(_policy(_bare()), _request(p, type(uint256).max)), 798_271_975, 645_003_755_800_000_000, 0.01e18
        );
    }

    /// @dev D = 1,245 of C = 1,250: C/D = 1.004016..., below 1.01. HF = 0.8032 <= B LT: closes fully.
    function test_commit_CapsTheBonusBySolvency() public {
        Position memory p = Position(1245e6, 1e18);
        LiquidationGrant memory g = _commit(_policy(_bare()), _request(p, type(uint256).max));
        assertEq(g.bonus, 4_016_064_257_028_112);
        assertEq(g.repay, 1245e6);
        assertLe(g.seize, 1e18);
        // D = 1,300: no bonus under water, and all the collateral for its value
        p = Position(1300e6, 1e18);
        _assertGrant(_commit(_policy(_bare()), _request(p, type(uint256).max)), 1250e6, 1e18, 0);
    }

    /// @dev Damped: 1,020 - 293.39 = 726.61 is left, enough for a dust of 726; at 727 all goes, as 1,020 <= 2 * 727. A larger
    /// debt keeps the dust. Hard: 1,136.36 - 798.27 = 338.09 is left, enough for 338; at 400 all goes.
    function test_commit_LeavesNoDust() public {
        DampedPolicy policy = _policy(_bare());
        market.dust = 726e6;
        assertEq(_commit(policy, _request(_position(), type(uint256).max)).repay, 293_388_430);
        market.dust = 727e6;
        assertEq(_commit(policy, _request(_position(), type(uint256).max)).repay, 1020e6, "1,020 <= 2 * 727");
        market.dust = 450e6;
        // D = 1,000 / 0.89 = 1,123.595505 > 900: of 700 asked for, 423.59 would be left
        LiquidationRequest memory r = _request(_positionAt(0.89e18), 700e6);
        assertEq(r.debt, 1_123_595_505);
        assertEq(_commit(policy, r).repay, 1_123_595_505 - 450e6);
        market.dust = 400e6;
        assertEq(_commit(policy, _request(_positionAt(0.88e18), type(uint256).max)).repay, 1_136_363_636);
        market.dust = 338e6;
        assertEq(_commit(policy, _request(_positionAt(0.88e18), type(uint256).max)).repay, 798_271_975);
    }

    // -- the auction

    /// @dev 1% + 4% * t / 20 min: 3% after 10 minutes, 5% from 20 on; x and the seizure follow.
    function test_commit_RaisesTheBonusWithTime() public {
        DampedPolicy policy = _policy(_bare());
        uint256 start = vm.getBlockTimestamp();
        vm.expectEmit(address(policy));
        emit DampedState.Flagged(address(this), ALICE, 0, start, 0);
        policy.commit(_request(_position(), 0));
        _wait(10 minutes);
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        _assertGrant(policy.quote(address(this), r), 314_159_293, 258_867_257_432_000_000, 0.03e18);
        _wait(10 minutes);
        r = _request(_position(), type(uint256).max);
        _assertGrant(policy.quote(address(this), r), 338_095_239, 284_000_000_760_000_000, 0.05e18);
        _wait(3 hours);
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.05e18);
        // 7 s: 1% + 4% * 7/1,200 = 1.0233333...%
        assertEq(policy.bonusAfter(7, 1e18), 10_233_333_333_333_333);
    }

    function test_commit_HoldsTheBonusToTheCollaterals() public {
        DampedPolicy policy = _policy(_bare());
        market.maxBonus = 0.02e18;
        policy.commit(_request(_position(), 0));
        _wait(10 minutes);
        // 1% + 1% / 2
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.015e18);
        market.maxBonus = 0.005e18;
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.005e18);
    }

    /// @dev Flagged at HF = 0.98; an hour at a price 5% up; then back down. The average since the flag is healthy, so the clock
    /// begins again at 1%.
    function test_clock_IsNotAgedByADipThatPassed() public {
        DampedPolicy policy = _policy(_bare());
        policy.commit(_request(_position(), 0));
        market.price = PRICE * 105 / 100;
        _wait(1 hours);
        market.price = PRICE;
        LiquidationRequest memory r = _request(_position(), 0);
        vm.expectEmit(address(policy));
        emit DampedState.Flagged(address(this), ALICE, 0, vm.getBlockTimestamp(), market.cumulative >> 40);
        policy.commit(r);
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.01e18);
        _wait(10 minutes);
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.03e18);
    }

    /// @dev Nothing need happen while it counts: no poke, and a second flag does not reset it.
    function test_clock_IsNotResetByFlaggingAgain() public {
        DampedPolicy policy = _policy(_bare());
        policy.commit(_request(_position(), 0));
        for (uint256 i; i < 4; ++i) {
            _wait(5 minutes);
            vm.recordLogs();
            policy.commit(_request(_position(), 0));
            assertEq(vm.getRecordedLogs().length, 0);
        }
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.05e18);
    }

    /// @dev Lifted to 1.05 at the flag's price, it takes a fall of 5% to be unhealthy again; the average since the flag is
    /// above that, so the auction begins anew though the flag is 20 minutes old.
    function test_clock_BeginsAnewForAPositionThatWasRestored() public {
        DampedPolicy policy = _policy(_bare());
        Position memory p = _position();
        policy.commit(_request(p, 0));
        _wait(20 minutes);
        LiquidationGrant memory g = _commit(policy, _request(p, type(uint256).max));
        assertEq(g.bonus, 0.05e18);
        _apply(p, g);
        _wait(1 minutes);
        market.price = PRICE * 94 / 100;
        assertEq(_commit(policy, _request(p, 1e6)).bonus, 0.01e18);
    }

    /// @dev Flagged in a dip at HF 0.98; half is repaid at once; the price stays down for a week, in which the position is
    /// healthy; back up, the debt is taken again, and the price falls. The average since the flag is that of the dip, though
    /// the position was healthy all along: the flag has expired and counts nothing.
    function test_clock_IsNotAgedByAnOldFlag() public {
        DampedPolicy policy = _policy(_bare());
        policy.commit(_request(_position(), 0));
        _wait(7 days);
        market.price = PRICE * 12 / 10;
        _wait(1 hours);
        market.price = PRICE;
        assertEq(_commit(policy, _request(_position(), 1e6)).bonus, 0.01e18);
    }

    /// @dev The known limit: the same within the four hours ages the auction as if the position had never been repaired.
    function test_clock_KnownLimitADipWithinTheExpiryAges() public {
        DampedPolicy policy = _policy(_bare());
        policy.commit(_request(_position(), 0));
        _wait(4 hours);
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.05e18);
        _wait(1);
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.01e18);
    }

    /// @dev A position that stays unhealthy keeps its maximum however long the congestion, if somebody calls (a refused
    /// call of a batch, a part that is granted, or `flag`) between 80 minutes and four hours after the last renewal.
    function test_clock_OfALongCongestionKeepsItsMaximum() public {
        DampedParameters memory p = _bare();
        p.obeysPause = true;
        DampedPolicy policy = _policy(p);
        policy.commit(_request(_position(), 0));
        for (uint256 i; i < 10; ++i) {
            _wait(3 hours);
            LiquidationRequest memory r = _request(_position(), 1e6);
            assertEq(policy.quote(address(this), r).bonus, 0.05e18);
            r.breaker = BreakerLevel.Paused;
            _assertRefused(_commit(policy, r), Refusal.Paused);
            assertEq(policy.flagOf(address(this), ALICE, 0).since, vm.getBlockTimestamp() - 20 minutes);
        }
    }

    function test_clock_IsKeptPerCollateral() public {
        DampedPolicy policy = _policy(_bare());
        policy.commit(_request(_position(), 0));
        _wait(20 minutes);
        LiquidationRequest memory r = _request(_position(), 1e6);
        r.collateralId = 1;
        // flagging another collateral neither inherits nor resets the first clock
        assertEq(_commit(policy, r).bonus, 0.01e18);
        assertEq(policy.quote(address(this), _request(_position(), 1e6)).bonus, 0.05e18);
    }

    /// @dev A flag costs a slot, so it is written only where it can be of use: the position stays unhealthy.
    function test_commit_WritesNoFlagForAPositionItRestores() public {
        DampedPolicy policy = _policy(_bare());
        _commit(policy, _request(_position(), type(uint256).max));
        assertEq(policy.flagOf(address(this), ALICE, 0).since, 0);
        _commit(policy, _request(_position(), 100e6));
        Flag memory flag = policy.flagOf(address(this), ALICE, 0);
        assertEq(flag.since, vm.getBlockTimestamp());
        assertEq(flag.cumulative, market.cumulative >> 40);
    }

    function test_commit_ByAStrangerChangesOnlyItsOwnState() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.sliceBase = 0.5e18;
        DampedPolicy policy = _policy(p);
        LiquidationRequest memory r = _request(_position(), 100e6);
        vm.prank(address(0xBAD));
        policy.commit(r);
        assertEq(policy.flagOf(address(this), ALICE, 0).since, 0);
        (, uint256 cap,) = policy.bucketOf(address(this), 0);
        assertEq(cap, 0);
        assertEq(policy.accountEpochOf(address(this), ALICE).debt, 0);
        (, cap,) = policy.bucketOf(address(0xBAD), 0);
        assertGt(cap, 0);
    }

    // -- bonus by health

    /// @dev z = (1 - 0.980392...) / (1 - 0.882) = 0.166168...; b = 1% + 4% z.
    function test_commit_RaisesTheBonusWithDistressWhereChosen() public {
        DampedParameters memory p = _bare();
        p.bonusMode = BonusMode.Health;
        DampedPolicy policy = _policy(p);
        assertFalse(policy.needsConfirmation());
        _assertGrant(
            _commit(policy, _request(_position(), type(uint256).max)),
            299_979_781,
            243_978_769_892_798_936,
            16_646_726_487_205_051
        );
        _commit(policy, _request(_position(), 1e6));
        assertEq(policy.flagOf(address(this), ALICE, 0).since, 0, "no flag slot");
        assertEq(_commit(policy, _request(_positionAt(0.88e18), 1e6)).bonus, 0.05e18);
    }

    // -- slice

    /// @dev s0 = 10%, z = 0.166168162180126288: share = 0.1 + 0.9 z = 0.249551345962113659; of 1,020: 254.542372.
    function test_slice_IsAShareOfTheDebtPerEpoch() public {
        DampedParameters memory p = _bare();
        p.sliceBase = 0.1e18;
        DampedPolicy policy = _policy(p);
        Position memory position = _position();
        LiquidationGrant memory g = _commit(policy, _request(position, type(uint256).max));
        assertEq(g.repay, 254_542_372);
        AccountEpoch memory a = policy.accountEpochOf(address(this), ALICE);
        assertEq(a.epoch, vm.getBlockTimestamp() / 60);
        assertEq(a.debt, 1020e6);
        // 254,542,372 / 1,020,000,000, up
        assertEq(a.used, 249_551_345_098_039_216);
        // what rounding left is less than a unit
        _assertRefused(_commit(policy, _request(_position(), type(uint256).max)), Refusal.Slice);
        _wait(60);
        assertEq(_commit(policy, _request(_position(), type(uint256).max)).repay, 254_542_372);
    }

    /// @dev The debt is that of the epoch's first liquidation: two calls of one epoch share one slice.
    function test_slice_CountsFromTheDebtThatTheEpochFound() public {
        DampedParameters memory p = _bare();
        p.sliceBase = 0.1e18;
        DampedPolicy policy = _policy(p);
        assertEq(_commit(policy, _request(_position(), 100e6)).repay, 100e6);
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.debt = 920e6;
        // HF is kept, so z is the same; 254.542372 less 100, rounded down once more
        assertEq(_commit(policy, r).repay, 154_542_372);
        assertEq(policy.accountEpochOf(address(this), ALICE).debt, 1020e6);
    }

    function test_slice_DoesNotBindTheHardZone() public {
        DampedParameters memory p = _bare();
        p.sliceBase = 0.1e18;
        DampedPolicy policy = _policy(p);
        _commit(policy, _request(_position(), type(uint256).max));
        assertEq(_commit(policy, _request(_positionAt(0.88e18), type(uint256).max)).repay, 798_271_975);
    }

    function test_slice_OffTouchesNoSlot() public {
        DampedPolicy policy = _policy(_bare());
        _commit(policy, _request(_position(), 100e6));
        assertEq(policy.accountEpochOf(address(this), ALICE).debt, 0);
    }

    // -- gas bonus

    /// @dev 400,000 gas at 50 gwei are 0.02 ETH, at 2,500 (2.5e27) worth 50. x = 100 at b = 1%: the gas is 50%, capped to 5%.
    /// x = 293.388430: 50 / 293.38843 = 17%, capped. At 1 gwei: 1 / 293.38843 = 0.340845070134497...%, so b' = 1.340845...%.
    function test_gasBonus_PaysForGasWhereTheMarketIsStressed() public {
        DampedPolicy policy = _policy(_withGas());
        vm.fee(1 gwei);
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        assertEq(policy.quote(address(this), r).bonus, 0.01e18, "not in a normal market");
        r.breaker = BreakerLevel.Stressed;
        LiquidationGrant memory g = _commit(policy, r);
        assertEq(g.bonus, 13_408_450_701_344_971);
        // x is sized again at b': 71 / (1.05 - 0.8 * 1.013408450701344971), up
        assertEq(g.repay, 296_731_888);
        AccountEpoch memory a = policy.accountEpochOf(address(this), ALICE);
        assertEq(a.epoch, vm.getBlockTimestamp() / 60);
        assertEq(a.gasPaid, 1e9);
        vm.fee(50 gwei);
        _wait(60);
        r = _request(_position(), 100e6);
        r.breaker = BreakerLevel.Stressed;
        assertEq(_commit(policy, r).bonus, 0.05e18);
    }

    /// @dev A policy that does not wait for pauses pays the same at every level above `Normal`.
    function test_gasBonus_IsTheSameWhilePausedOrHalted() public {
        DampedParameters memory p = _withGas();
        p.obeysPause = DampedParametersLib.defaults().obeysPause;
        vm.fee(1 gwei);
        LiquidationRequest memory r = _request(_position(), 100e6);
        uint256[4] memory bonus;
        for (uint8 level; level < 4; ++level) {
            r.breaker = BreakerLevel(level);
            bonus[level] = _commit(_policy(p), r).bonus;
        }
        assertEq(bonus[0], 0.01e18);
        // 400,000 gas at 1 gwei and 2,500 are 1, of 100
        assertApproxEqAbs(bonus[1], 0.02e18, 0.0005e18);
        assertEq(bonus[2], bonus[1]);
        assertEq(bonus[3], bonus[1]);
    }

    function test_gasBonus_IsPaidOnceAnEpoch() public {
        DampedPolicy policy = _policy(_withGas());
        vm.fee(1 gwei);
        LiquidationRequest memory r = _request(_position(), 50e6);
        r.breaker = BreakerLevel.Stressed;
        // 1 / 50 = 2%
        assertEq(_commit(policy, r).bonus, 0.03e18);
        assertEq(_commit(policy, r).bonus, 0.01e18);
        _wait(60);
        r = _request(_position(), 50e6);
        r.breaker = BreakerLevel.Stressed;
        // a minute of the auction, 0.2%, on top
        assertEq(_commit(policy, r).bonus, 0.032e18);
    }

    /// @dev A unit that the borrower repays of himself takes 1e-9 of the gas: 4% of it, up to a part. The keeper's bonus stays.
    function test_gasBonus_IsNotVoidedByATinyCall() public {
        DampedPolicy policy = _policy(_withGas());
        vm.fee(50 gwei);
        LiquidationRequest memory r = _request(_position(), 1);
        r.breaker = BreakerLevel.Stressed;
        r.price = 1e18; // so that one unit seizes something
        for (uint256 i; i < 10; ++i) {
            assertEq(policy.commit(r).repay, 1);
        }
        assertEq(policy.accountEpochOf(address(this), ALICE).gasPaid, 200);
        r = _request(_position(), 100e6);
        r.breaker = BreakerLevel.Stressed;
        assertEq(_commit(policy, r).bonus, 0.05e18);
    }

    /// @dev Gas of 10 (0.004 ETH at 2,500). Calls of 100 have room for 4% = 4 each: 4, 4, and the 2 that are left, then nothing.
    function test_gasBonus_SplitIsPaidTheGasOnce() public {
        DampedPolicy policy = _policy(_withGas());
        vm.fee(10 gwei);
        uint256[4] memory bonuses = [uint256(0.05e18), 0.05e18, 0.03e18, 0.01e18];
        uint256[4] memory parts = [uint256(0.4e9), 0.8e9, 1e9, 1e9];
        for (uint256 i; i < 4; ++i) {
            LiquidationRequest memory r = _request(_position(), 100e6);
            r.breaker = BreakerLevel.Stressed;
            assertEq(_commit(policy, r).bonus, bonuses[i]);
            assertEq(policy.accountEpochOf(address(this), ALICE).gasPaid, parts[i]);
        }
        _wait(60);
        LiquidationRequest memory next = _request(_position(), 100e6);
        next.breaker = BreakerLevel.Stressed;
        assertEq(_commit(policy, next).bonus, 0.05e18, "a new epoch");
    }

    /// @dev However a sale is split and the fee moves, an account's epoch is paid one gas at the highest fee, up to the larger
    /// sale that the bonus itself allows.
    function testFuzz_gasBonus_TotalIsBounded(uint256[6] memory asked, uint256[6] memory fees) public {
        DampedPolicy policy = _policy(_withGas());
        uint256 paid;
        for (uint256 i; i < 6; ++i) {
            vm.fee(bound(fees[i], 0, 10 gwei));
            LiquidationRequest memory r = _request(_position(), bound(asked[i], 1e3, 150e6));
            r.breaker = BreakerLevel.Stressed;
            LiquidationGrant memory g = _commit(policy, r);
            paid += g.repay * (g.bonus - 0.01e18) / 1e18;
        }
        assertLe(paid, 10e6);
    }

    /// @dev What solvency caps away is not paid: C / D = 1,250 / 1,245, and the whole of the gas is still due.
    function test_gasBonus_CountsOnlyWhatWasPaid() public {
        DampedPolicy policy = _policy(_withGas());
        vm.fee(10 gwei);
        LiquidationRequest memory r = _request(Position(1245e6, 1e18), 100e6);
        r.breaker = BreakerLevel.Stressed;
        assertEq(_commit(policy, r).bonus, 4_016_064_257_028_112);
        assertEq(policy.accountEpochOf(address(this), ALICE).gasPaid, 0);
    }

    /// @dev Slices and gas share a slot: each epoch begins both anew, whichever comes first.
    function test_gasBonus_AndSliceShareTheEpoch() public {
        DampedParameters memory p = _withGas();
        p.sliceBase = 0.1e18;
        DampedPolicy policy = _policy(p);
        vm.fee(1 gwei);
        LiquidationRequest memory r = _request(_positionAt(0.88e18), 50e6);
        r.breaker = BreakerLevel.Stressed;
        policy.commit(r);
        AccountEpoch memory a = policy.accountEpochOf(address(this), ALICE);
        assertEq(a.gasPaid, 1e9);
        assertEq(a.debt, 0);
        policy.commit(_request(_position(), 100e6));
        a = policy.accountEpochOf(address(this), ALICE);
        assertEq(a.gasPaid, 1e9);
        assertEq(a.debt, 1020e6);
        _wait(60);
        policy.commit(_request(_position(), 100e6));
        a = policy.accountEpochOf(address(this), ALICE);
        assertEq(a.gasPaid, 0);
    }

    function test_gasBonus_IsNothingWithoutAPriceOfGas() public {
        DampedPolicy policy = _policy(_withGas());
        vm.fee(1 gwei);
        LiquidationRequest memory r = _request(_position(), 50e6);
        r.breaker = BreakerLevel.Stressed;
        oracle.setFast(2.5e27, PriceStatus.Down);
        assertEq(policy.quote(address(this), r).bonus, 0.01e18);
        oracle.setFast(2.5e27, PriceStatus.Degraded);
        assertEq(policy.quote(address(this), r).bonus, 0.03e18);
        vm.fee(0);
        assertEq(policy.quote(address(this), r).bonus, 0.01e18);
    }

    function test_gasBonus_SurvivesAHostileOracleAndAnAbsurdFee() public {
        DampedPolicy policy = _policy(_withGas());
        LiquidationRequest memory r = _request(_positionAt(0.88e18), type(uint256).max);
        r.breaker = BreakerLevel.Stressed;
        vm.fee(1 gwei);
        for (uint256 i = 1; i < 5; ++i) {
            oracle.setBehaviour(DepthOracleMock.Behaviour(i));
            assertEq(policy.quote{gas: 1_000_000}(address(this), r).bonus, 0.01e18);
        }
        oracle.setBehaviour(DepthOracleMock.Behaviour.Honest);
        oracle.setFast(type(uint256).max, PriceStatus.Ok);
        vm.fee(type(uint64).max);
        assertEq(policy.quote(address(this), r).bonus, 0.05e18);
    }

    function _withGas() private returns (DampedParameters memory p) {
        p = _bare();
        p.liquidationGas = 400_000;
        p.nativeOracle = address(oracle);
        oracle.setFast(2.5e27, PriceStatus.Ok);
    }
}
