// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopAccount} from "../../contracts/interfaces/IBackstopPool.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @notice Whatever an attacker who holds shares does in the block of an absorption or a release, before it and after it, he ends
/// no richer than if he had done nothing. The release is at F, half-way down the auction: below F a claim in kind before it avoids
/// the discount, which is every depositor's right and no sandwich.
contract BackstopSandwichTest is BackstopFixture {
    uint256 private constant F = 1150e24;
    /// @dev Eight actions round a few units each.
    uint256 private constant ROUNDING = 16;
    address private accomplice = makeAddr("accomplice");

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fill();
        _fund(accomplice);
        vm.prank(accomplice);
        usdc.approve(address(backstop), type(uint256).max);
        // earlier inventory, so that claims and sales have something to move
        _setEthPrice(1150);
        vm.prank(keeper);
        backstop.absorb(borrower, WETH_ID);
        _setDepth(100_000e6);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 5 minutes);
    }

    function testFuzz_absorb_CannotBeSandwiched(uint256 random) public {
        _compare(random, true);
    }

    function testFuzz_release_CannotBeSandwiched(uint256 random) public {
        _compare(random, false);
    }

    function _compare(uint256 random, bool absorption) private {
        uint256 snapshot = vm.snapshotState();
        _happen(absorption);
        uint256 passive = _wealth();
        vm.revertToState(snapshot);
        for (uint256 i; i < 4; ++i) {
            _act(random >> (32 * i));
        }
        _happen(absorption);
        for (uint256 i = 4; i < 8; ++i) {
            _act(random >> (32 * i));
        }
        assertLe(_wealth(), passive + ROUNDING);
    }

    function _happen(bool absorption) private {
        if (absorption) {
            ethOracle.setPrice(1080e24);
            vm.prank(keeper);
            backstop.absorb(borrower, WETH_ID);
            ethOracle.setPrice(F);
        } else {
            vm.prank(keeper);
            backstop.buy(WETH_ID, type(uint256).max, type(uint256).max, keeper);
        }
    }

    /// @dev One action of Bob or his accomplice; what is refused is no action.
    function _act(uint256 random) private {
        address account = random % 2 == 0 ? bob : accomplice;
        address other = account == bob ? accomplice : bob;
        uint256 amount = uint32(random) % 1000 + 1;
        uint256 shares = backstop.balanceOf(account) * amount / 1000;
        vm.startPrank(account);
        uint256 action = random / 2 % 6;
        if (action == 0) try backstop.deposit(amount * 100 * USDC) {} catch {}
        if (action == 1) try backstop.requestExit(shares) {} catch {}
        if (action == 2) backstop.transfer(other, shares);
        if (action == 3) backstop.claimAssets(account);
        if (action == 4) backstop.claimCollateral(WETH_ID, account);
        if (action == 5) backstop.payPremium(amount * USDC);
        vm.stopPrank();
    }

    /// @dev Of both, at F: tokens, deposits that wait, what can be claimed, shares.
    function _wealth() private view returns (uint256 sum) {
        address[2] memory accounts = [bob, accomplice];
        for (uint256 i; i < 2; ++i) {
            BackstopAccount memory a = backstop.backstopAccount(accounts[i]);
            sum += usdc.balanceOf(accounts[i]) + a.entryAssets + a.claimable;
            sum += (weth.balanceOf(accounts[i]) + backstop.collateralOf(accounts[i], WETH_ID)) * F / 1e36;
            sum += (a.shares + a.exitShares) * backstop.backstopState().assets / backstop.totalSupply();
        }
    }
}
