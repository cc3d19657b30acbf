// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {TargetHealthPolicy} from "../../contracts/liquidation/TargetHealthPolicy.sol";
import {PolicyFixture} from "./PolicyFixture.sol";

contract BaselinePoliciesTest is PolicyFixture {
    RigidPolicy private rigid;
    TargetHealthPolicy private target;

    function setUp() public override {
        super.setUp();
        rigid = new RigidPolicy(0.05e18);
        target = new TargetHealthPolicy(1.05e18, 0.9e18, 0.9e18);
    }

    function test_needsConfirmation_IsFalse() public view {
        assertFalse(rigid.needsConfirmation());
        assertFalse(target.needsConfirmation());
    }

    function test_commit_RefusesTheHealthy() public {
        LiquidationRequest memory r = _request(_positionAt(1e18), 1e6);
        r.healthFast = 1e18;
        _assertRefused(_commit(rigid, r), Refusal.Healthy);
        _assertRefused(_commit(target, r), Refusal.Healthy);
        r.healthFast = 1e18 - 1;
        assertEq(_commit(rigid, r).repay, 1e6);
        assertEq(_commit(target, r).repay, 1e6);
    }

    function test_commit_RefusesWhatRoundsToNothing() public {
        LiquidationRequest memory r = _request(_position(), 0);
        _assertRefused(_commit(rigid, r), Refusal.ZeroAmount);
        _assertRefused(_commit(target, r), Refusal.ZeroAmount);
        // one unit of debt buys 1.05 / 2.5 of a unit of collateral
        r.asked = 1;
        r.price = 2.5e36;
        _assertRefused(_commit(rigid, r), Refusal.ZeroAmount);
        _assertRefused(_commit(target, r), Refusal.ZeroAmount);
    }

    function test_commit_IgnoresBreakerAndConfirmation() public {
        LiquidationRequest memory r = _request(_position(), 1e6);
        r.breaker = BreakerLevel.Halted;
        r.healthConfirmed = 2e18;
        assertEq(_commit(rigid, r).repay, 1e6);
        assertEq(_commit(target, r).repay, 1e6);
    }

    // -- rigid

    /// @dev Half of 1,020 is 510; 510 * 1.05 / 1,250 = 0.4284.
    function test_rigid_RepaysHalfAtTheFixedBonus() public {
        _assertGrant(_commit(rigid, _request(_position(), type(uint256).max)), 510e6, 0.4284e18, 0.05e18);
    }

    /// @dev 1,000 / 0.95 = 1052.631578..., so D = 1,052,631,579 has HF = 0.94999999957: all of it, and
    /// 1,052.631579 * 1.05 / 1,250 = 0.88421052636.
    function test_rigid_RepaysAllAtOrBelowPointNineFive() public {
        Position memory p = Position(1_052_631_579, 1e18);
        _assertGrant(_commit(rigid, _request(p, type(uint256).max)), p.debt, 884_210_526_360_000_000, 0.05e18);
        LiquidationRequest memory r = _request(p, type(uint256).max);
        r.healthFast = 0.95e18;
        assertEq(_commit(rigid, r).repay, p.debt);
        r.healthFast = 0.95e18 + 1;
        assertEq(_commit(rigid, r).repay, p.debt / 2);
    }

    function test_rigid_HoldsTheBonusToTheCollaterals() public {
        market.maxBonus = 0.03e18;
        assertEq(_commit(rigid, _request(_position(), 100e6)).bonus, 0.03e18);
        RigidPolicy open = new RigidPolicy(type(uint256).max);
        assertEq(_commit(open, _request(_position(), 100e6)).bonus, 0.03e18);
    }

    /// @dev 100 * 1.02 / 1,250 = 0.0816, though the listing would pay 5%.
    function test_rigid_PaysItsOwnBonusWhereTheListingAllowsMore() public {
        market.maxBonus = 0.05e18;
        RigidPolicy meagre = new RigidPolicy(0.02e18);
        _assertGrant(_commit(meagre, _request(_position(), 100e6)), 100e6, 0.0816e18, 0.02e18);
    }

    /// @dev D = 1,300 against C = 1,250: 1,250 / 1.05 = 1,190.476190..., up, takes all; the bonus is paid under water too.
    function test_rigid_IsClampedToTheCollateralAndNotToSolvency() public {
        Position memory p = Position(1300e6, 1e18);
        _assertGrant(_commit(rigid, _request(p, type(uint256).max)), 1_190_476_191, 1e18, 0.05e18);
        // at 1,100 of debt C/D = 1.136; at 1,240 only 1.008, and still 5%: 100 * 1.05 / 1,250 = 0.084
        _assertGrant(_commit(rigid, _request(Position(1240e6, 1e18), 100e6)), 100e6, 0.084e18, 0.05e18);
    }

    /// @dev Dust 520: half of 1,020 is dust, so all of it may be repaid; and 1,020 <= 2 * 520 leaves nothing smaller.
    function test_rigid_ClosesSmallDebtWhole() public {
        market.dust = 520e6;
        assertEq(_commit(rigid, _request(_position(), type(uint256).max)).repay, 1020e6);
        assertEq(_commit(rigid, _request(_position(), 600e6)).repay, 1020e6);
        // 510 is not dust
        market.dust = 510e6;
        assertEq(_commit(rigid, _request(_position(), type(uint256).max)).repay, 510e6);
    }

    /// @dev Collateral worth 1,250 of other holdings that carry the debt: below twice the dust of 626 all debt may go.
    function test_rigid_ClosesAgainstSmallCollateralWhole() public {
        Position memory p = _position();
        LiquidationRequest memory r = _request(p, type(uint256).max);
        r.debt = 10_000e6;
        r.minDebt = 626e6;
        // 1,250 / 1.05, up: the clamp
        assertEq(_commit(rigid, r).repay, 1_190_476_191);
        r.collateral = 100e18;
        assertEq(_commit(rigid, r).repay, 5000e6);
    }

    // -- target health

    /// @dev z = (1 - 0.980392...) / 0.1 = 0.196078...; b = 0.045 + 0.005 z = 0.045980392156862745;
    /// B LT = 0.836784313725490196; x = 1,020 * 0.069607843137254902 / 0.213215686274509804 = 332.996138 up;
    /// seized 332.996138 * 1.045980392156862745 / 1,250.
    function test_target_RepaysToTheTargetAtABonusByHealth() public {
        _assertGrant(
            _commit(target, _request(_position(), type(uint256).max)),
            332_996_138,
            278_645_944_809_568_627,
            45_980_392_156_862_745
        );
    }

    function test_target_bonusAt_IsLinearBetweenItsEnds() public view {
        assertEq(target.bonusAt(1e18 - 1, 0.05e18), 0.045e18);
        assertEq(target.bonusAt(0.95e18, 0.05e18), 0.0475e18);
        assertEq(target.bonusAt(0.9e18, 0.05e18), 0.05e18);
        assertEq(target.bonusAt(0.1e18, 0.05e18), 0.05e18);
        // 0.009 + 0.001 / 3, down
        assertEq(target.bonusAt(1e18 - uint256(0.1e18) / 3, 0.01e18), 9_333_333_333_333_333);
    }

    function testFuzz_target_ReachesItsTarget(uint256 health, uint256 asked) public {
        health = bound(health, 0.9e18, 1e18 - 1e12);
        Position memory p = _positionAt(health);
        LiquidationRequest memory r = _request(p, type(uint256).max);
        if (r.healthFast >= 1e18) return;
        _apply(p, _commit(target, r));
        assertApproxEqAbs(_health(p, PRICE), 1.05e18, 1e13);
        assertGe(_health(p, PRICE) + 1e10, 1.05e18);
        // less than asked for is never exceeded without dust
        asked = bound(asked, 1e6, r.debt);
        r.asked = asked;
        assertLe(_commit(target, r).repay, asked);
    }

    /// @dev Leaving 1,020 - 332.99 = 687.00: dust if the dust is 688, then all is closed, whatever was asked for.
    function test_target_LeavesNoDebtDust() public {
        market.dust = 688e6;
        assertEq(_commit(target, _request(_position(), type(uint256).max)).repay, 1020e6);
        assertEq(_commit(target, _request(_position(), 340e6)).repay, 1020e6);
        market.dust = 687e6;
        assertEq(_commit(target, _request(_position(), type(uint256).max)).repay, 332_996_138);
    }

    /// @dev Several collaterals: this one is worth 350, and 332.99 would seize 348.31 of it. Dust 100: the 1.69 left go along,
    /// for 350 / 1.04598... = 334.614303..., up.
    function test_target_LeavesNoCollateralDust() public {
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.collateral = 0.28e18;
        LiquidationGrant memory g = _commit(target, r);
        assertEq(g.repay, 332_996_138);
        assertLt(g.seize, 0.28e18);
        r.minDebt = 100e6;
        g = _commit(target, r);
        assertEq(g.seize, 0.28e18);
        assertEq(g.repay, 334_614_304);
    }

    function test_RevertWhen_targetParametersAreOutOfBounds() public {
        vm.expectRevert(abi.encodeWithSelector(TargetHealthPolicy.InvalidParameters.selector, 1e18 - 1, 0.9e18, 0.9e18));
        this.deploy(1e18 - 1, 0.9e18, 0.9e18);
        vm.expectRevert(abi.encodeWithSelector(TargetHealthPolicy.InvalidParameters.selector, 1e18, 1e18, 0.9e18));
        this.deploy(1e18, 1e18, 0.9e18);
        vm.expectRevert(abi.encodeWithSelector(TargetHealthPolicy.InvalidParameters.selector, 1e18, 0.9e18, 1e18 + 1));
        this.deploy(1e18, 0.9e18, 1e18 + 1);
    }

    function testFuzz_baselines_NeverRevertAtTheLimits(uint128 debt, uint128 collateral, uint256 price, uint256 health)
        public
        view
    {
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.debt = bound(debt, 1, type(uint128).max);
        r.collateral = collateral;
        r.price = bound(price, 1, 1e72);
        r.healthFast = bound(health, 0, 1e18 - 1);
        r.minDebt = 100;
        LiquidationGrant memory g = rigid.quote(address(this), r);
        assertLe(g.repay, r.debt);
        assertLe(g.seize, r.collateral);
        g = target.quote(address(this), r);
        assertLe(g.repay, r.debt);
        assertLe(g.seize, r.collateral);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(uint256 targetHealth, uint256 fullBonusHealth, uint256 bonusShareAtOne) external {
        new TargetHealthPolicy(targetHealth, fullBonusHealth, bonusShareAtOne);
    }
}
