// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopAccount, BackstopState} from "../../contracts/interfaces/IBackstopPool.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {CampaignLedger} from "../invariants/system/CampaignLedger.sol";
import {BackstopFixture} from "./BackstopFixture.sol";
import {BackstopHandler} from "./BackstopHandler.sol";

/// @notice The backstop's properties after every call of a random campaign.
/// @dev Alice deposits 40,000 at first and stays, so that the million locked shares are at most 1 in 40 million of all. They own
/// that part of every gain, and with what is rounded off it is all that nobody can claim.
///
/// forge-config: default.invariant.runs = 2
/// forge-config: default.invariant.depth = 600
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 20
/// forge-config: ci.invariant.runs = 8
/// forge-config: ci.invariant.depth = 1000
/// forge-config: ci.invariant.fail-on-revert = true
/// forge-config: deep.invariant.runs = 128
/// forge-config: deep.invariant.depth = 1000
/// forge-config: deep.invariant.fail-on-revert = true
contract BackstopInvariantsTest is BackstopFixture {
    string private constant ACCOUNT = "cache/campaign-backstop.txt";

    BackstopHandler private handler;
    CampaignLedger private ledger;

    function setUp() public override {
        super.setUp();
        _deposit(lender, 1e7 * USDC);
        _enter(alice, 40_000 * USDC + 1000);
        _nextPeriods(2);
        _setDepth(1e6 * USDC);
        vm.mockCall(address(btcOracle), abi.encodeCall(IPriceOracle.depth, ()), abi.encode(1e6 * USDC));
        ledger = new CampaignLedger();
        handler = new BackstopHandler(pool, backstop, [ethOracle, btcOracle], alice, ledger);
        // Positions and a fall, so that a short campaign has something to take.
        for (uint256 i; i < 4; ++i) {
            handler.deposit(i, 100_000 * USDC);
            handler.borrow(i, i, i == 0 ? 20 ether : 1e8);
        }
        _nextPeriods(2);
        handler.movePrice(0, 930);
        targetContract(address(handler));
    }

    function invariant_singleCallsHold() public view {
        assertEq(ledger.broken(), "");
    }

    /// Assets, entries and claims are covered to the unit, and nothing is left over but dust.
    function invariant_claimsSumToAssets() public view {
        BackstopState memory state = backstop.backstopState();
        uint256 claims = state.assets + state.entering;
        for (uint256 i; i < handler.actorCount(); ++i) {
            claims += backstop.backstopAccount(handler.actors(i)).claimable;
        }
        uint256 held = usdc.balanceOf(address(backstop));
        assertGe(held, claims, "claims exceed what is held");
        // 3 units for each account that each call may have brought up to date
        assertLe(held - claims, 15 * handler.calls() + handler.gains() / 1e7, "more than dust is unclaimed");
    }

    function invariant_collateralSumsToInventory() public view {
        for (uint256 id; id < 2; ++id) {
            (uint256 amount, uint256 units) = backstop.inventoryOf(id);
            SimToken token = SimToken(pool.collateralState(id).token);
            assertEq(token.balanceOf(address(backstop)), amount, "inventory is not what is held");
            assertEq(amount == 0, units == 0, "units without stock");
            assertLe(amount, units, "a unit is worth more than a base unit");
            uint256 claims;
            for (uint256 i; i < handler.actorCount(); ++i) {
                claims += backstop.collateralOf(handler.actors(i), id);
            }
            assertLe(claims, amount, "claims exceed the inventory");
            assertLe(amount - claims, 15 * handler.calls() + amount / 1e5, "more than dust is unclaimed");
        }
    }

    function invariant_sharesSumToTheirTotal() public view {
        BackstopState memory state = backstop.backstopState();
        uint256 shares = 1e6;
        uint256 leaving;
        uint256 entering;
        for (uint256 i; i < handler.actorCount(); ++i) {
            BackstopAccount memory a = backstop.backstopAccount(handler.actors(i));
            shares += a.shares + a.exitShares;
            leaving += a.exitShares;
            entering += a.entryAssets;
            assertEq(a.shares, backstop.balanceOf(handler.actors(i)));
        }
        assertLe(shares, state.shares, "more shares than there are");
        assertLe(state.shares - shares, 5 * handler.calls(), "shares are missing");
        assertEq(leaving, state.leaving);
        assertEq(entering, state.entering);
        // a share is never worth more than at first, but for what rounding gives it
        assertLe(state.assets * 1000, state.shares + 1000 * handler.calls());
        assertGe(state.assets, USDC);
    }

    function invariant_poolBooksClose() public view {
        _assertBooksClose();
    }

    /// At the end of every run: no action was idle.
    function afterInvariant() public {
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }

    /// @dev A move of the price, and a settlement of what it made insolvent before anybody absorbs.
    function _fall(uint256 who, uint256 r) private {
        handler.movePrice(r >> 16, r >> 32);
        handler.settle(who, 1);
    }

    /// A campaign that never absorbed, sold or settled would prove little.
    function test_handler_ReachesEverything() public {
        for (uint256 i; i < 400; ++i) {
            uint256 r = uint256(keccak256(abi.encode(i)));
            uint256 action = r % 12;
            uint256 who = r >> 8 & 0xff;
            if (action == 0) handler.deposit(who, r >> 16);
            else if (action == 1) handler.requestExit(who, r >> 16);
            else if (action == 2) handler.transfer(who, who >> 2, r >> 16);
            else if (action == 3) handler.claimAssets(who);
            else if (action == 4) handler.claimCollateral(who, r >> 16);
            else if (action == 5) handler.payPremium(r >> 16);
            else if (action == 6) handler.borrow(who, r >> 16, r >> 32);
            else if (action == 8) handler.absorb(who, r >> 16, r >> 32);
            else if (action == 9) handler.settle(who, r >> 16);
            else if (action == 10) handler.buy(who, r >> 16, r >> 32);
            else if (action == 11) handler.pass(r >> 16);
            else _fall(who, r);
            invariant_claimsSumToAssets();
            invariant_collateralSumsToInventory();
            invariant_sharesSumToTheirTotal();
        }
        assertEq(ledger.broken(), "");
        assertEq(ledger.idle(), bytes32(0), "idle action");
        assertGt(ledger.least(), 2, ledger.report());
    }
}
