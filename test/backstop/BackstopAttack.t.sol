// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console} from "forge-std/console.sol";

import {AbsorptionResult} from "../../contracts/interfaces/IBackstopPool.sol";
import {BackstopSale} from "../../contracts/backstop/BackstopSale.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @notice What an attacker spends and gains. The market of `BackstopAbsorb.t.sol`: 10 WETH against 10,000, 40,000 of depositors.
contract BackstopAttackTest is BackstopFixture {
    uint256 private constant F = 1150e24;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fill();
        uint256 debt = pool.debtOf(borrower);
        _repay(borrower, debt - 10_000 * USDC);
    }

    function _absorb() private returns (AbsorptionResult memory) {
        vm.prank(keeper);
        return backstop.absorb(borrower, WETH_ID);
    }

    function _valueAt(uint256 amount, uint256 price) private pure returns (uint256) {
        return amount * price / 1e36;
    }

    /// Deposit before a known absorption: the deposit waits a period at least and gains nothing of it.
    function test_attack_DepositBeforeAKnownAbsorption() public {
        _setEthPrice(1150);
        vm.prank(stranger);
        backstop.deposit(1e6 * USDC);
        _absorb();
        _nextPeriods(2);
        assertEq(backstop.collateralOf(stranger, WETH_ID), 0);
        assertEq(backstop.backstopAccount(stranger).claimable, 0);
        uint256 worth = backstop.balanceOf(stranger) * backstop.backstopState().assets / backstop.totalSupply();
        assertApproxEqAbs(worth, 1e6 * USDC, 1);
        // Cost: at least a period of locked money, and two more periods to leave. Gain: none.
    }

    /// The nearest that waiting money can come: it becomes active at a start that it cannot choose, and bears like all others.
    function test_attack_DepositThatRipensCannotChoose() public {
        vm.prank(stranger);
        backstop.deposit(40_000 * USDC + 1000);
        vm.warp((block.timestamp / PERIOD + 2) * PERIOD);
        _setEthPrice(1150);
        // nobody rolled: the absorption itself carries the queue out first
        AbsorptionResult memory result = _absorb();
        assertApproxEqRel(backstop.collateralOf(stranger, WETH_ID), result.kept / 2, 1e11);
    }

    /// Withdraw before a known absorption: the exit waits, and bears it in full.
    function test_attack_WithdrawBeforeAKnownAbsorption() public {
        _setEthPrice(1150);
        vm.prank(bob);
        backstop.requestExit(10_000e9);
        AbsorptionResult memory result = _absorb();
        _setEthPrice(575);
        _nextPeriods(2);
        // a quarter of what was paid is gone from his exit (the locked shares bear 23 units of it), and a quarter of the collateral
        // is his, at half its price now
        assertApproxEqAbs(backstop.backstopAccount(bob).claimable, 10_000 * USDC - result.repaid / 4, 25);
        assertApproxEqRel(backstop.collateralOf(bob, WETH_ID), result.kept / 4, 1e11);
    }

    /// Always one foot out: exits asked for again and again, in two periods out of three he is still in. Between leaving and
    /// being active again two starts pass; he neither earns nor bears then, and cannot call an exit off.
    function test_attack_StandingExit() public {
        vm.prank(bob);
        backstop.requestExit(10_000e9);
        _nextPeriods(2);
        vm.startPrank(bob);
        backstop.deposit(backstop.claimAssets(bob));
        vm.stopPrank();
        vm.prank(keeper);
        backstop.payPremium(400 * USDC);
        assertEq(backstop.backstopAccount(bob).claimable, 0, "outside he earns nothing");
        _nextPeriods(2);
        assertEq(backstop.balanceOf(bob), 10_000e9);
    }

    /// Self-liquidation: whoever lets his own position be absorbed sells at F less the discount, without slippage. He pays 1% (0.9%
    /// if he calls himself); it pays only where the market is further below F than that.
    function test_attack_SelfLiquidationIntoTheBackstop() public {
        _setEthPrice(1150);
        uint256 before = weth.balanceOf(borrower);
        vm.prank(borrower);
        AbsorptionResult memory result = backstop.absorb(borrower, WETH_ID);
        uint256 given = result.kept;
        assertEq(weth.balanceOf(borrower) - before, result.reward);
        // what he gave, net of the reward, against the debt it paid
        uint256 costAtF = _valueAt(given, F) - result.repaid;
        console.log("self-liquidation: cost at F, USDC units", costAtF);
        assertApproxEqRel(costAtF, result.repaid * 9 / 1000, 0.001e18);
        // break-even: market price m with given * m = repaid
        uint256 breakEven = result.repaid * 1e36 / given;
        console.log("self-liquidation: pays below (1e-4 of F)", breakEven * 10_000 / F);
        assertApproxEqRel(breakEven, F * 1000 / 1009, 0.0001e18);
    }

    /// Closing the release by price: F < L needs the feed; the venue's average under F by half a percent costs its arbitrage, and
    /// gains nothing, for depositors claim in kind all the same.
    function test_attack_PushingTheVenueDownClosesTheReleaseOnly() public {
        _setEthPrice(1150);
        AbsorptionResult memory result = _absorb();
        ethOracle.setPrices(F, F, F * 99 / 100);
        _setDepth(100_000e6);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 12);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.SaleClosed.selector, WETH_ID));
        backstop.buy(WETH_ID, 1e18, type(uint256).max, stranger);
        vm.prank(alice);
        assertApproxEqRel(backstop.claimCollateral(WETH_ID, alice), result.kept * 3 / 4, 1e11);
    }

    /// Opening it by price: the venue stands 3% under F and is pushed up for its 60 seconds. The buyer then buys one block's worth at
    /// F - 1% at best, of what the market sells at F - 3%: he pays 2% too much, on top of the push. A loss, whatever the push costs.
    function test_attack_PushingTheVenueUpBuysDear() public {
        _setEthPrice(1150);
        _absorb();
        _setDepth(100_000e6);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 10 minutes);
        vm.prank(stranger);
        (uint256 amount, uint256 paid) = backstop.buy(WETH_ID, type(uint256).max, type(uint256).max, stranger);
        uint256 marketValue = _valueAt(amount, F * 97 / 100);
        console.log("pushed open: paid", paid, "worth", marketValue);
        assertGt(paid, marketValue);
    }

    /// The most that a buyer gains at the honest reference: the discount of 1%, on what is released. He who waits for the floor and
    /// then takes all of every block finds the price 0.04% higher each time.
    function test_attack_BuyerGainsTheDiscountAtMost() public {
        _setEthPrice(1150);
        _absorb();
        _setDepth(20_000e6);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 10 minutes);
        uint256 gained;
        uint256 volume;
        uint256 last = 10_000;
        for (uint256 i; i < 15; ++i) {
            vm.prank(stranger);
            (uint256 amount, uint256 paid) = backstop.buy(WETH_ID, type(uint256).max, type(uint256).max, stranger);
            uint256 worth = _valueAt(amount, F);
            assertLt((worth - paid) * 1e6 / worth, last, "the price does not rise");
            last = (worth - paid) * 1e6 / worth;
            gained += worth - paid;
            volume += worth;
            vm.warp(block.timestamp + 12);
        }
        console.log("fifteen blocks of release from the floor: gained by the buyer, USDC units", gained, "of", volume);
        // 1% - 0.04% i on average over i = 0 to 14: 0.72%
        assertApproxEqRel(gained, volume * 72 / 10_000, 0.001e18);
    }

    /// Sandwich of an absorption or a release: shares cannot be bought from the backstop in time, and shares bought from a
    /// holder leave what they earned with him. What is in the same block before and after is worth the same.
    function test_attack_SandwichWithBoughtShares() public {
        _setEthPrice(1150);
        vm.prank(bob);
        backstop.transfer(stranger, 10_000e9);
        AbsorptionResult memory result = _absorb();
        vm.prank(stranger);
        backstop.transfer(bob, 10_000e9);
        // the buyer of the shares has the collateral of a quarter, and the shares fell by a quarter of what was paid
        uint256 gained = _valueAt(backstop.collateralOf(stranger, WETH_ID), F);
        uint256 fell =
            10_000 * USDC - backstop.balanceOf(bob) * backstop.backstopState().assets / backstop.totalSupply();
        assertApproxEqAbs(fell, result.repaid / 4, 25);
        // he gained 0.9% of it, which is the price of the shares' risk: whoever sells them between has sold it
        assertApproxEqRel(gained, fell * 1009 / 1000, 0.0001e18);
    }

    /// Inflating the share: what is given raises no price, so the victim gets his shares. Bob keeps the least that premiums are paid
    /// for.
    function test_attack_InflationOfTheFirstShare() public {
        vm.startPrank(alice);
        backstop.requestExit(backstop.balanceOf(alice));
        vm.stopPrank();
        vm.startPrank(bob);
        backstop.requestExit(backstop.balanceOf(bob) - 1e6);
        vm.stopPrank();
        _nextPeriods(2);
        vm.startPrank(stranger);
        usdc.transfer(address(backstop), 1e6 * USDC);
        backstop.payPremium(1e6 * USDC);
        vm.stopPrank();
        _enter(keeper, 10 * USDC);
        _nextPeriods(2);
        assertEq(backstop.balanceOf(keeper), 10e9);
        assertEq(backstop.backstopAccount(keeper).claimable, 0);
    }

    /// No attack, but the price of the mechanism: all the capital buys at 1,150, 1% below it less the caller's tenth, and the price goes on
    /// falling by 30% and stays. What a depositor has left is 1.009 * 0.7 of it.
    function test_risk_OfAPersistentFall() public {
        _deposit(lender, 1e6 * USDC);
        _supply(stranger, WETH_ID, 110 ether);
        _borrow(stranger, 110_000 * USDC);
        _setEthPrice(1150);
        vm.prank(keeper);
        uint256 repaid = backstop.absorb(stranger, WETH_ID).repaid;
        assertEq(repaid, 39_999 * USDC + 1000, "not all is spent");
        _setEthPrice(805);
        uint256 left = _valueAt(backstop.collateralOf(bob, WETH_ID), 805e24) + backstop.balanceOf(bob)
            * backstop.backstopState().assets / backstop.totalSupply();
        console.log("of 10,000 USDC, in units, left after a persistent fall by 30%", left);
        assertApproxEqRel(left, 10_000 * USDC * 1009 * 7 / 10_000, 0.0001e18);
    }
}
