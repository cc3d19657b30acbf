// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PoolLiquidation} from "../../contracts/lending/PoolLiquidation.sol";
import {PoolPolicyMock} from "../mocks/PoolPolicyMock.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice What the pool tells a policy, and what it never grants whatever a policy says.
contract LiquidationGrantTest is PoolFixture {
    PoolPolicyMock private hostile;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _setEthPrice(1150);
        hostile = PoolPolicyMock(policy);
    }

    function _newPolicy() internal override returns (address) {
        return address(new PoolPolicyMock());
    }

    // -- the request

    function test_request_HoldsWhatThePoolKnows() public {
        _supply(borrower, WBTC_ID, 100_000); // 0.001 WBTC = 30 USDC
        vm.prank(owner);
        pool.setMinDebt(uint88(50 * USDC), 0);
        ethOracle.setCumulative(12_345);
        breaker.setLevel(BreakerLevel.Paused);
        _grant(100 * USDC, 0.01 ether, 0);
        _liquidate(borrower, WETH_ID, 100 * USDC);
        LiquidationRequest memory request = hostile.lastRequest();
        assertEq(request.account, borrower);
        assertEq(request.collateralId, WETH_ID);
        assertEq(request.asked, 100 * USDC);
        assertEq(request.debt, 10_000 * USDC);
        assertEq(request.collateral, 10 ether);
        assertEq(request.price, 1150e24);
        assertEq(request.priceCumulative, 0);
        assertEq(request.collateralValue, 11_530 * USDC);
        assertEq(request.healthFast, 0.98005e18); // 11,530 * 0.85 / 10,000
        assertEq(request.healthConfirmed, request.healthFast);
        assertEq(request.healthHard, 0.937125e18); // 0.85 * 1.05 * 1.05
        assertEq(request.liquidationThreshold, 0.85e18);
        assertEq(request.maxBonus, 0.05e18);
        assertEq(request.totalCollateral, 10 ether);
        assertEq(request.minDebt, 50 * USDC);
        assertEq(request.oracle, address(ethOracle));
        assertEq(uint256(request.breaker), uint256(BreakerLevel.Paused));
    }

    /// P_e = min(max(F, V), 1.02 F). F = 1,150 and V = 1,160: HF_c = 11,600 * 0.85 / 10,000 = 0.986. V far above: 1.02 * 1,150
    /// = 1,173, HF_c = 0.99705. V below F: HF_c = HF_F = 0.9775.
    function test_request_ConfirmedHealth() public {
        vm.startPrank(owner);
        hostile.setNeedsConfirmation(true);
        pool.setPolicy(address(hostile));
        vm.stopPrank();
        ethOracle.setCumulative(12_345);
        _grant(100 * USDC, 0.01 ether, 0);
        uint256 snapshot = vm.snapshotState();
        assertEq(_confirmedAt(1160), 0.986e18);
        assertEq(hostile.lastRequest().priceCumulative, 12_345);
        vm.revertToState(snapshot);
        assertEq(_confirmedAt(9000), 0.99705e18);
        vm.revertToState(snapshot);
        assertEq(_confirmedAt(1), 0.9775e18);
    }

    /// Regression: `quoteLiquidation` told the cumulative price to policies that `liquidate` does not tell it.
    function test_quoteLiquidation_AsksWhatLiquidateAsks() public {
        ethOracle.setCumulative(12_345);
        ethOracle.setPrices(1150e24, 1150e24, 9000e24);
        _grant(100 * USDC, 0.01 ether, 0);
        (LiquidationRequest memory quoted,) = pool.quoteLiquidation(borrower, WETH_ID, 100 * USDC);
        _liquidate(borrower, WETH_ID, 100 * USDC);
        assertEq(abi.encode(quoted), abi.encode(hostile.lastRequest()));
    }

    function test_request_AskedIsAtMostTheDebt() public {
        _grant(100 * USDC, 0.01 ether, 0);
        _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(hostile.lastRequest().asked, 10_000 * USDC);
    }

    function test_flag_AsksForNothing() public {
        _grant(100 * USDC, 0.01 ether, 0);
        pool.flag(borrower, WETH_ID);
        assertEq(hostile.commits(), 1);
        assertEq(hostile.lastRequest().asked, 0);
        assertEq(pool.debtOf(borrower), 10_000 * USDC);
    }

    // -- the grant

    function test_RevertWhen_grant_RepaysMoreThanIsOwed() public {
        _expectOutOfBounds(10_000 * USDC + 1, 1);
    }

    function test_RevertWhen_grant_SeizesMoreThanIsHeld() public {
        _expectOutOfBounds(10_000 * USDC, 10 ether + 1);
    }

    function test_RevertWhen_grant_IsEmptyOnOneSide() public {
        _expectOutOfBounds(0, 1);
        _expectOutOfBounds(1, 0);
    }

    /// 1,150 USDC and 5% buy 1.05 WETH. One more unit of repayment is forgiven, for the policy's rounding: 1,207.50000105.
    function test_RevertWhen_grant_IsWorthMoreThanTheListedBonus() public {
        _expectOutOfBounds(1150 * USDC, 1.06 ether);
        // value <= ceil(1,150,000,001 * 1.05) = 1,207,500,002 units = 1.05000000174 WETH
        _expectOutOfBounds(1150 * USDC, 1_050_000_002_608_695_653);
        _grant(1150 * USDC, 1_050_000_002_608_695_652, 0);
        _liquidate(borrower, WETH_ID, type(uint256).max);
        _assertBooksClose();
    }

    /// At 1,150 ten WETH cover 9,775 at 85%: a health factor of exactly 1, at which a policy is not even asked.
    function test_RevertWhen_grant_IsForAHealthOfExactlyOne() public {
        _repay(borrower, 225 * USDC);
        assertEq(pool.accountHealth(borrower).healthFast, 1e18);
        _grant(100 * USDC, 0.01 ether, 0);
        bytes memory healthy = abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy);
        vm.expectRevert(healthy);
        _liquidate(borrower, WETH_ID, 100 * USDC);
        vm.expectRevert(healthy);
        pool.flag(borrower, WETH_ID);
        assertEq(hostile.commits(), 0);
    }

    /// A policy may take more from the liquidator than was asked, never from the pool.
    function test_grant_MayRepayMoreThanAsked() public {
        _grant(200 * USDC, 0.01 ether, 0);
        assertEq(_liquidate(borrower, WETH_ID, 100 * USDC).repaid, 200 * USDC);
        _assertBooksClose();
    }

    function testFuzz_grant_NeverHurtsThePool(uint256 repay, uint256 seize, uint256 bonus) public {
        repay = bound(repay, 0, 11_000 * USDC);
        seize = bound(seize, 0, 11 ether);
        _grant(repay, seize, bonus);
        vm.prank(keeper);
        try pool.liquidate(borrower, WETH_ID, type(uint256).max, "") returns (LiquidationResult memory result) {
            assertEq(result.repaid, repay);
            assertEq(result.seized, seize);
            assertLe(seize * 1150e24 / 1e36, (repay + 1) * 105 / 100 + 1);
        } catch {}
        _assertBooksClose();
        // With debt left there is collateral left: what has none is written off.
        assertTrue(pool.debtOf(borrower) == 0 || pool.collateralOf(borrower, WETH_ID) != 0);
    }

    function test_RevertWhen_policy_Reverts() public {
        hostile.setBroken(true);
        vm.expectRevert(PoolPolicyMock.PolicyBroken.selector);
        _liquidate(borrower, WETH_ID, 1);
        vm.expectRevert(PoolPolicyMock.PolicyBroken.selector);
        pool.flag(borrower, WETH_ID);
        // Everything else goes on, and the owner replaces it.
        _repay(borrower, 1);
        _setEthPrice(500);
        vm.prank(keeper);
        pool.settle(borrower, "");
        assertEq(pool.debtOf(borrower), 0);
    }

    function test_RevertWhen_policy_Refuses() public {
        LiquidationGrant memory grant = LiquidationGrant(1000 * USDC, 0.1 ether, 0, Refusal.Turn);
        hostile.setGrant(grant);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Turn));
        _liquidate(borrower, WETH_ID, 1);
    }

    /// The pool does not even ask about a healthy account.
    function test_policy_IsNotAskedAboutTheHealthy() public {
        _setEthPrice(2000);
        _grant(100 * USDC, 0.01 ether, 0);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy));
        _liquidate(borrower, WETH_ID, 1);
        assertEq(hostile.commits(), 0);
    }

    function _confirmedAt(uint256 venuePrice) private returns (uint256) {
        ethOracle.setPrices(1150e24, 1150e24, venuePrice * 1e24);
        uint256 viewed = pool.accountHealth(borrower).healthConfirmed;
        _liquidate(borrower, WETH_ID, 100 * USDC);
        assertEq(hostile.lastRequest().healthConfirmed, viewed);
        return viewed;
    }

    function _grant(uint256 repay, uint256 seize, uint256 bonus) private {
        hostile.setGrant(LiquidationGrant({repay: repay, seize: seize, bonus: bonus, refusal: Refusal.None}));
    }

    function _expectOutOfBounds(uint256 repay, uint256 seize) private {
        _grant(repay, seize, 0);
        vm.expectRevert(abi.encodeWithSelector(PoolLiquidation.GrantOutOfBounds.selector, repay, seize));
        _liquidate(borrower, WETH_ID, type(uint256).max);
    }
}
