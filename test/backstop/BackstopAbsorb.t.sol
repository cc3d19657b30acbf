// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopPolicy, IPolicyBackstop} from "../../contracts/backstop/BackstopPolicy.sol";
import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {AbsorptionResult} from "../../contracts/interfaces/IBackstopPool.sol";
import {CollateralConfig, LiquidationCall, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {
    ILiquidationPolicy,
    LiquidationGrant,
    LiquidationRequest,
    Refusal
} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {TargetHealthPolicy} from "../../contracts/liquidation/TargetHealthPolicy.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @dev Grants what a test says, to the backstop too.
contract GenerousPolicy {
    LiquidationGrant private _grant;

    constructor(uint256 repay, uint256 seize) {
        _grant = LiquidationGrant(repay, seize, 0, Refusal.None);
    }

    function openAbsorption(address, uint256) external {}

    function needsConfirmation() external pure returns (bool) {
        return false;
    }

    function commit(LiquidationRequest calldata) external view returns (LiquidationGrant memory) {
        return _grant;
    }
}

/// @notice Absorptions and the policy that lets them come first.
/// @dev 10 WETH against 10,000 USDC; LT 85%, HF_hard = 0.937125. At 1,150: HF = 0.9775. At b = 1% the target of 1.05 needs
/// x = 10,000 (1.05 - 0.9775) / (1.05 - 0.8585) = 3,785.900784 (up), for which 3,823.759791 of value is seized.
contract BackstopAbsorbTest is BackstopFixture {
    uint256 private constant TARGET = 3_785_900_784;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fill();
        // a round debt, whatever interest the two periods brought
        uint256 debt = pool.debtOf(borrower);
        _repay(borrower, debt - 10_000 * USDC);
    }

    function _absorb() private returns (AbsorptionResult memory) {
        vm.prank(keeper);
        return backstop.absorb(borrower, WETH_ID);
    }

    function _expectRefused(Refusal refusal) private {
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, refusal));
        backstop.absorb(borrower, WETH_ID);
    }

    // -- the damped zone

    function test_absorb_RestoresTheTargetAtTheSmallDiscount() public {
        _setEthPrice(1150);
        uint256 before = weth.balanceOf(keeper);
        AbsorptionResult memory result = _absorb();
        assertEq(result.repaid, TARGET);
        // floor(3,785.900784 * 1.01 / 1,150)
        uint256 seized = uint256(3_785_900_784) * 1.01e18 / 1150e6;
        assertEq(result.kept + result.reward, seized);
        // a tenth of the discount of 37.859007, at 1,150, to a unit of value
        assertApproxEqAbs(result.reward, uint256(3_785_901) * 1e18 / 1150e6, 1e9);
        assertEq(weth.balanceOf(keeper) - before, result.reward);
        assertApproxEqAbs(pool.accountHealth(borrower).healthFast, 1.05e18, 1e12);
        assertEq(backstop.backstopState().assets, 40_000 * USDC + 1000 - TARGET);
        // three quarters and one, less what the locked shares own and what rounding keeps
        (uint256 amount,) = backstop.inventoryOf(WETH_ID);
        assertEq(amount, result.kept);
        assertApproxEqRel(backstop.collateralOf(alice, WETH_ID), result.kept * 3 / 4, 1e11);
        assertApproxEqRel(backstop.collateralOf(bob, WETH_ID), result.kept / 4, 1e11);
        _assertBooksClose();
    }

    /// A venue above the feed confirms as long as the account is below 1 there too; how much is taken is the feed's to say.
    function test_absorb_IsSizedAtTheFastPrice() public {
        ethOracle.setPrices(1150e24, 1150e24, 1160e24);
        assertLt(pool.accountHealth(borrower).healthConfirmed, 1e18);
        assertEq(_absorb().repaid, TARGET);
    }

    /// b is the auction's: 1% + 4% * t / 20 min. At 2.5 minutes it is 1.5%, after 5 it has passed 2%, where it is held.
    function test_absorb_PaysTheAuctionsBonusUpToTwoPercent() public {
        _setEthPrice(1150);
        pool.flag(borrower, WETH_ID);
        uint256 start = vm.snapshotState();
        vm.warp(block.timestamp + 150);
        assertEq(_bonusOfAbsorption(), 0.015e18);
        vm.revertToState(start);
        vm.warp(block.timestamp + 19 minutes);
        assertEq(_bonusOfAbsorption(), 0.02e18);
        AbsorptionResult memory result = _absorb();
        uint256 value = (result.kept + result.reward) * 1150e6 / 1e18;
        assertApproxEqAbs(value, result.repaid * 102 / 100, 1);
    }

    function _bonusOfAbsorption() private returns (uint256) {
        (LiquidationRequest memory request,) = pool.quoteLiquidation(borrower, WETH_ID, type(uint256).max);
        return guarded.quoteAbsorption(request).bonus;
    }

    function test_absorb_IsNotHeldBackByPauseTurnOrBucketAndChargesNone() public {
        _setEthPrice(1150);
        breaker.setLevel(BreakerLevel.Paused);
        _absorb();
        (uint256 level, uint256 cap,) = DampedPolicy(address(guarded)).bucketOf(address(pool), WETH_ID);
        assertEq(level, 0);
        assertEq(cap, 0, "the bucket was touched");
    }

    function test_RevertWhen_absorb_HealthyOrUnconfirmed() public {
        _expectRefused(Refusal.Healthy);
        // V = 1,200: the confirmed price is held to 1.02 * 1,160 = 1,183.2, HF = 1.0057
        ethOracle.setPrices(1160e24, 1160e24, 1200e24);
        _expectRefused(Refusal.Unconfirmed);
    }

    /// While the feed is missing the slow price stands in, too high in a fall: depositors do not buy at it. After a jump, which is
    /// degraded too, they do.
    function test_RevertWhen_absorb_TheSlowPriceStandsIn() public {
        _setEthPrice(1150);
        ethOracle.setStatus(PriceStatus.Degraded);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(BackstopPool.NoFastPrice.selector, WETH_ID));
        backstop.absorb(borrower, WETH_ID);
        ethOracle.setPrices(1150e24, 1300e24, 1150e24);
        assertEq(_absorb().repaid, TARGET);
    }

    function test_absorb_TakesWhatItHasAndKeepsTheMinimum() public {
        _setEthPrice(1150);
        vm.startPrank(alice);
        backstop.requestExit(backstop.balanceOf(alice));
        vm.stopPrank();
        vm.startPrank(bob);
        backstop.requestExit(9000e9);
        vm.stopPrank();
        _setEthPrice(2000);
        _nextPeriods(2);
        _setEthPrice(1150);
        assertEq(backstop.backstopState().assets, 1000 * USDC + 1000);
        uint256 room = backstop.absorbable();
        assertEq(_absorb().repaid, room);
        assertEq(backstop.backstopState().assets, USDC);
        assertEq(backstop.absorbable(), 0);
        _expectRefused(Refusal.ZeroAmount);
    }

    // -- priority

    function test_priority_HoldsWhileTheBackstopPaysAsMuch() public {
        _setEthPrice(1150);
        (, LiquidationGrant memory quoted) = pool.quoteLiquidation(borrower, WETH_ID, 1000 * USDC);
        assertEq(uint256(quoted.refusal), uint256(Refusal.Backstop));
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Backstop));
        _liquidate(borrower, WETH_ID, 1000 * USDC);
        // the flag is taken, and five minutes later the market pays more
        pool.flag(borrower, WETH_ID);
        vm.warp(block.timestamp + 5 minutes);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Backstop));
        _liquidate(borrower, WETH_ID, 1000 * USDC);
        vm.warp(block.timestamp + 1);
        vm.prank(keeper);
        try pool.liquidate(borrower, WETH_ID, 1 * USDC, "") {}
        catch (bytes memory reason) {
            // a turn may be shut, the backstop no longer stands before it
            assertEq(reason, abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Turn));
        }
    }

    function test_priority_EndsWhereTheBackstopCannotTakeAll() public {
        vm.startPrank(alice);
        backstop.requestExit(backstop.balanceOf(alice));
        vm.stopPrank();
        vm.prank(bob);
        backstop.requestExit(7000e9);
        _nextPeriods(2);
        _setEthPrice(1150);
        (, LiquidationGrant memory quoted) = pool.quoteLiquidation(borrower, WETH_ID, 1000 * USDC);
        assertNotEq(uint256(quoted.refusal), uint256(Refusal.Backstop));
    }

    /// Regression: where the listing pays 2% at most, no auction ever passes what the backstop pays, and a backstop that does
    /// not work held a position until it was in the hard zone.
    function test_priority_NeverWhereTheListingPaysNoMoreThanTheBackstop() public {
        SimToken token = new SimToken("Wrapped Staked Ether", "WSTETH", 18);
        PoolOracleMock oracle = new PoolOracleMock(2000e24);
        CollateralConfig memory config = _config(address(token), address(oracle));
        config.maxBonus = 200;
        vm.startPrank(owner);
        uint256 id = pool.listCollateral(config);
        vm.warp(block.timestamp + 7 days);
        vm.stopPrank();
        token.mint(stranger, 10e18);
        vm.startPrank(stranger);
        token.approve(address(pool), type(uint256).max);
        pool.supplyCollateral(id, 10e18, stranger, "");
        vm.stopPrank();
        _borrow(stranger, 10_000 * USDC);
        oracle.setPrice(1150e24);
        oracle.setStatus(PriceStatus.Degraded);
        vm.expectRevert(abi.encodeWithSelector(BackstopPool.NoFastPrice.selector, id));
        backstop.absorb(stranger, id);
        pool.flag(stranger, id);
        vm.warp(block.timestamp + 30 minutes);
        (, LiquidationGrant memory quoted) = pool.quoteLiquidation(stranger, id, 100 * USDC);
        assertNotEq(uint256(quoted.refusal), uint256(Refusal.Backstop));
        assertEq(_liquidate(stranger, id, 100 * USDC).repaid, 100 * USDC);
    }

    /// Regression: where gas is paid for, others would have been paid more than the backstop's caller, who could not afford to call, and
    /// were refused for five minutes in the middle of the stress. 400,000 gas for 3,786 of debt: 1% at 82 gwei.
    function test_priority_NotWhereOthersArePaidForGas() public {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.liquidationGas = 400_000;
        p.nativeOracle = address(ethOracle);
        BackstopPolicy paying =
            new BackstopPolicy(address(new DampedPolicy(p)), IPolicyBackstop(address(backstop)), 1.05e18);
        vm.prank(owner);
        pool.setPolicy(address(paying));
        _setEthPrice(1150);
        vm.fee(90 gwei);
        assertEq(uint256(_refusal()), uint256(Refusal.Backstop));
        breaker.setLevel(BreakerLevel.Stressed);
        vm.fee(80 gwei);
        assertEq(uint256(_refusal()), uint256(Refusal.Backstop));
        vm.fee(90 gwei);
        assertEq(uint256(_refusal()), uint256(Refusal.None));
        uint256 snapshot = vm.snapshotState();
        LiquidationResult memory other = _liquidate(borrower, WETH_ID, 3785 * USDC);
        assertGt(other.seized * 1150, other.repaid * 1.02e12);
        vm.revertToState(snapshot);
        // the backstop is still paid b and no gas
        AbsorptionResult memory own = _absorb();
        assertApproxEqRel((own.kept + own.reward) * 1150, own.repaid * 1.01e12, 1e9);
    }

    function _refusal() private returns (Refusal) {
        (, LiquidationGrant memory quoted) = pool.quoteLiquidation(borrower, WETH_ID, 3785 * USDC);
        return quoted.refusal;
    }

    /// Regression: a batch that the backstop came before left no flag, and the five minutes did not begin.
    function test_priority_StartsTheClockThatEndsIt() public {
        _supply(stranger, WETH_ID, 10 ether);
        _borrow(stranger, 10_600 * USDC);
        _setEthPrice(1150); // the stranger: HF = 0.922, hard
        LiquidationCall[] memory calls = new LiquidationCall[](2);
        calls[0] = LiquidationCall(borrower, WETH_ID, 1000 * USDC);
        calls[1] = LiquidationCall(stranger, WETH_ID, 1000 * USDC);
        vm.prank(keeper);
        assertEq(uint256(pool.liquidateBatch(calls, "")[0].refusal), uint256(Refusal.Backstop));
        assertEq(DampedPolicy(address(guarded)).flagOf(address(pool), borrower, WETH_ID).since, block.timestamp);
        vm.warp(block.timestamp + 5 minutes + 1);
        (, LiquidationGrant memory quoted) = pool.quoteLiquidation(borrower, WETH_ID, 1000 * USDC);
        assertNotEq(uint256(quoted.refusal), uint256(Refusal.Backstop));
    }

    /// Regression: what had left at the start of a period still held others back until somebody called the backstop.
    function test_priority_KnowsTheQueuesThatNobodyCarriedOut() public {
        uint256 shares = backstop.balanceOf(alice);
        vm.prank(alice);
        backstop.requestExit(shares);
        vm.prank(bob);
        backstop.requestExit(10_000e9);
        vm.warp(block.timestamp + 2 * PERIOD);
        assertEq(backstop.absorbable(), 0);
        _setEthPrice(1150);
        _expectRefused(Refusal.ZeroAmount);
        (, LiquidationGrant memory quoted) = pool.quoteLiquidation(borrower, WETH_ID, 1000 * USDC);
        assertNotEq(uint256(quoted.refusal), uint256(Refusal.Backstop));
    }

    function testFuzz_absorbable_IsWhatARollFinds(uint256 leaving, uint256 entering, uint256 waits) public {
        vm.prank(bob);
        backstop.requestExit(bound(leaving, 1, 10_000e9));
        vm.warp(block.timestamp + bound(waits, 0, PERIOD));
        _enter(stranger, bound(entering, USDC, 1e12));
        vm.prank(alice);
        backstop.requestExit(1 + leaving % 30_000e9);
        vm.warp(block.timestamp + bound(waits >> 128, 0, 3 * PERIOD));
        uint256 before = backstop.absorbable();
        backstop.roll();
        assertApproxEqAbs(before, backstop.absorbable(), 2);
        assertLe(before, backstop.absorbable());
    }

    function test_priority_NeverInTheHardZone() public {
        _setEthPrice(1100); // HF = 0.935
        assertEq(_liquidate(borrower, WETH_ID, 1000 * USDC).repaid, 1000 * USDC);
    }

    function test_priority_QuoteIsWhatCommitSays() public {
        uint256[4] memory prices = [uint256(1150), 1120, 1100, 1040];
        for (uint256 i; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            _setEthPrice(prices[i]);
            (, LiquidationGrant memory quoted) = pool.quoteLiquidation(borrower, WETH_ID, 500 * USDC);
            vm.prank(keeper);
            try pool.liquidate(borrower, WETH_ID, 500 * USDC, "") {
                assertEq(uint256(quoted.refusal), 0);
            } catch (bytes memory reason) {
                assertEq(reason, abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, quoted.refusal));
            }
            vm.revertToState(snapshot);
        }
    }

    // -- the hard zone

    function test_absorb_TakesAHardPositionWhole() public {
        _setEthPrice(1100);
        AbsorptionResult memory result = _absorb();
        assertEq(result.repaid, 10_000 * USDC);
        assertEq(pool.debtOf(borrower), 0);
        assertEq(result.kept + result.reward, uint256(10_100e6) * 1e18 / 1100e6);
        // what is left is the borrower's: 10 - 9.1818
        assertEq(pool.collateralOf(borrower, WETH_ID), 10e18 - result.kept - result.reward);
    }

    /// C = 10,050 pays 0.5%, less than the auction's 1%: settlement's.
    function test_RevertWhen_absorb_CollateralDoesNotPayTheDiscount() public {
        _setEthPrice(1005);
        _expectRefused(Refusal.WrongCollateral);
    }

    // -- who may

    function test_RevertWhen_openAbsorption_ByAnybodyElse() public {
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(BackstopPolicy.NotBackstop.selector, keeper));
        guarded.openAbsorption(borrower, WETH_ID);
    }

    /// Without the backstop's policy there are no absorptions, and depositors leave as ever.
    function test_absorb_StopsWithItsPolicyAndExitsDoNot() public {
        vm.prank(owner);
        pool.setPolicy(policy);
        _setEthPrice(1100);
        vm.prank(keeper);
        vm.expectRevert();
        backstop.absorb(borrower, WETH_ID);
        vm.prank(bob);
        backstop.requestExit(10_000e9);
        _nextPeriods(2);
        vm.prank(bob);
        assertEq(backstop.claimAssets(bob), 10_000 * USDC);
    }

    /// Whatever policy governance chooses, depositors do not pay 1,000 for 0.8 WETH at 1,150.
    function test_RevertWhen_absorb_PolicySellsTooDear() public {
        address generous = address(new GenerousPolicy(1000 * USDC, 0.8e18));
        vm.prank(owner);
        pool.setPolicy(generous);
        _setEthPrice(1150);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(BackstopPool.LossAtOracle.selector, 920 * USDC, 1000 * USDC));
        backstop.absorb(borrower, WETH_ID);
    }

    /// What the backstop opened is good for one liquidation: whoever follows in the same transaction is dampened like anybody.
    function test_openAbsorption_IsGoodForOneLiquidation() public {
        vm.prank(alice);
        backstop.requestExit(30_000e9);
        vm.prank(bob);
        backstop.requestExit(9000e9);
        _nextPeriods(2);
        _setEthPrice(1150);
        breaker.setLevel(BreakerLevel.Paused);
        assertEq(_absorb().repaid, 999_001_000);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Paused));
        _liquidate(borrower, WETH_ID, 100 * USDC);
    }

    // -- the policy behind

    /// The state of the policy behind is at the wrapper's address, by the pool, as its own views say.
    function test_policy_IsTheOneBehindInEverythingElse() public {
        DampedPolicy seen = DampedPolicy(address(guarded));
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Systematic;
        p.obeysPause = true;
        DampedPolicy plain = new DampedPolicy(p);
        assertEq(abi.encode(seen.parameters()), abi.encode(plain.parameters()));
        assertTrue(ILiquidationPolicy(address(guarded)).needsConfirmation());
        _setEthPrice(1150);
        pool.flag(borrower, WETH_ID);
        assertEq(seen.flagOf(address(pool), borrower, WETH_ID).since, block.timestamp);
        assertEq(
            seen.turnOf(address(pool), borrower, block.timestamp),
            plain.turnOf(address(pool), borrower, block.timestamp)
        );
        seen.recordDepth(address(pool), WETH_ID);
        assertNotEq(seen.storedBucket(address(pool), WETH_ID).depth, 0);
    }

    /// The same backstop before the two rigid rules: their bonus is above 2% (5%, and 4.6% at least), so it pays 2%.
    function test_absorb_BeforeOtherPolicies() public {
        address[2] memory behind =
            [address(new RigidPolicy(0.05e18)), address(new TargetHealthPolicy(1.05e18, 0.9e18, 0.9e18))];
        for (uint256 i; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            BackstopPolicy other = new BackstopPolicy(behind[i], IPolicyBackstop(address(backstop)), 1.05e18);
            vm.prank(owner);
            pool.setPolicy(address(other));
            _setEthPrice(1150);
            AbsorptionResult memory result = _absorb();
            // 10,000 (1.05 - 0.9775) / (1.05 - 0.867)
            assertEq(result.repaid, 3_961_748_634);
            assertApproxEqAbs((result.kept + result.reward) * 1150e6 / 1e18, result.repaid * 102 / 100, 1);
            // they pay more than the backstop, so it has no priority
            _setEthPrice(950);
            _liquidate(borrower, WETH_ID, 100 * USDC);
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_policy_IsMisbuilt() public {
        vm.expectRevert(abi.encodeWithSelector(BackstopPolicy.NotAPolicy.selector, alice));
        this.deployPolicy(alice, 1.05e18);
        vm.expectRevert(abi.encodeWithSelector(BackstopPolicy.InvalidAbsorptionHealth.selector, 1e18));
        this.deployPolicy(policy, 1e18);
    }

    /// Dust: an absorption that would leave less than the minimum debt leaves the minimum (damped) or closes (hard).
    function test_absorb_LeavesNoDust() public {
        vm.prank(owner);
        pool.setMinDebt(uint88(4500 * USDC), 0);
        // HF = 0.93925: the target needs 5,783
        _setEthPrice(1105);
        assertEq(_absorb().repaid, 5500 * USDC);
    }

    // -- properties

    function testFuzz_absorb_RestoresOrCloses(uint256 price, uint256 wait) public {
        price = bound(price, 1021e24, 1175e24);
        ethOracle.setPrice(price);
        pool.flag(borrower, WETH_ID);
        vm.warp(block.timestamp + bound(wait, 0, 20 minutes));
        uint256 debt = pool.debtOf(borrower);
        uint256 collateral = pool.collateralOf(borrower, WETH_ID);
        AbsorptionResult memory result = _absorb();
        uint256 value = (result.kept + result.reward) * price / 1e36;
        // between 1% and 2% over what was paid, to the units that rounding takes
        assertGe(value + 2, result.repaid * 101 / 100);
        assertLe(value, result.repaid * 102 / 100);
        if (result.repaid == debt) return;
        assertGe(pool.accountHealth(borrower).healthFast + 1e12, 1.05e18);
        // C' D > C D'
        assertGt(pool.collateralOf(borrower, WETH_ID) * debt, collateral * pool.debtOf(borrower));
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deployPolicy(address behind, uint256 absorptionHealth) external {
        new BackstopPolicy(behind, IPolicyBackstop(address(backstop)), absorptionHealth);
    }
}
