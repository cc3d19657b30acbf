// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopParameters} from "../../contracts/backstop/BackstopParameters.sol";
import {IStewardedPool, PremiumSteward} from "../../contracts/backstop/PremiumSteward.sol";
import {BackstopAccount, BackstopState, IBackstopPool} from "../../contracts/interfaces/IBackstopPool.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {CampaignLedger} from "../invariants/system/CampaignLedger.sol";
import {BackstopFixture} from "./BackstopFixture.sol";
import {BackstopHandler} from "./BackstopHandler.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice The properties of `BackstopSpec` after every call of a random campaign.
/// @dev Alice deposits 40,000 at first and stays, so that the million locked shares are at most 1 in 40 million of all. They own
/// that part of every gain, and with what is rounded off it is all that nobody can claim.
///
/// forge-config: default.invariant.runs = 5
/// forge-config: default.invariant.depth = 600
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 20
/// forge-config: ci.invariant.runs = 20
/// forge-config: ci.invariant.depth = 1000
/// forge-config: ci.invariant.fail-on-revert = true
/// forge-config: deep.invariant.runs = 320
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
        ledger = new CampaignLedger();
        handler = new BackstopHandler(backstop, _newSteward(), [ethOracle, btcOracle], alice, ledger);
        // Positions and a fall, so that a short campaign has something to take.
        for (uint256 i; i < 4; ++i) {
            handler.deposit(i, 100_000 * USDC);
            handler.borrow(i, i, i == 0 ? 20 ether : 1e8);
        }
        _nextPeriods(2);
        handler.movePrice(0, 930);
        targetContract(address(handler));
    }

    /// @dev Half of what Alice deposits is never spent: if next to nothing were left again and again, shares would be rescaled, and worth
    /// more than at first.
    function _parameters() internal view override returns (BackstopParameters memory p) {
        p = super._parameters();
        p.minimumLeft = 20_000 * USDC;
    }

    /// @dev Owns the pool, which takes a fifth of the interest, and shares half of it.
    function _newSteward() private returns (PremiumSteward steward) {
        vm.startPrank(owner);
        pool.setReserveFactor(20);
        steward = new PremiumSteward(IStewardedPool(address(pool)), backstop, owner, 0.5e18);
        pool.transferOwnership(address(steward));
        vm.stopPrank();
        steward.accept();
    }

    /// One campaign for all, so that every sequence is tried by each.
    function invariant_backstopHolds() public view {
        assertEq(ledger.broken(), "");
        _assertClaimsSumToAssets();
        _assertCollateralSumsToInventory();
        _assertSharesSumToTheirTotal();
        _assertBooksClose();
    }

    /// @dev K1: assets, entries and claims are covered to the unit, and nothing is left over but dust.
    function _assertClaimsSumToAssets() private view {
        BackstopState memory state = backstop.backstopState();
        uint256 claims = state.assets + state.entering;
        for (uint256 i; i < handler.actorCount(); ++i) {
            claims += backstop.backstopAccount(handler.actors(i)).claimable;
        }
        uint256 held = usdc.balanceOf(address(backstop));
        assertGe(held, claims, K.K1);
        // 3 units for each account that each call may have brought up to date
        assertLe(held - claims, 15 * handler.calls() + handler.gains() / 1e7, K.K1_DUST);
    }

    /// @dev K2.
    function _assertCollateralSumsToInventory() private view {
        for (uint256 id; id < 2; ++id) {
            (uint256 amount, uint256 units) = backstop.inventoryOf(id);
            SimToken token = SimToken(pool.collateralState(id).token);
            assertEq(token.balanceOf(address(backstop)), amount, K.K2_HELD);
            assertEq(amount == 0, units == 0, K.K2_UNITS);
            assertLe(amount, units, K.K2_UNITS);
            uint256 claims;
            for (uint256 i; i < handler.actorCount(); ++i) {
                claims += backstop.collateralOf(handler.actors(i), id);
            }
            assertLe(claims, amount, K.K2_CLAIMS);
            assertLe(amount - claims, 15 * handler.calls() + amount / 1e5, K.K2_DUST);
        }
    }

    /// @dev K3.
    function _assertSharesSumToTheirTotal() private view {
        BackstopState memory state = backstop.backstopState();
        uint256 shares = 1e6;
        uint256 leaving;
        uint256 entering;
        for (uint256 i; i < handler.actorCount(); ++i) {
            BackstopAccount memory a = backstop.backstopAccount(handler.actors(i));
            shares += a.shares + a.exitShares;
            leaving += a.exitShares;
            entering += a.entryAssets;
            assertEq(a.shares, backstop.balanceOf(handler.actors(i)), K.K3_SHARES);
        }
        assertLe(shares, state.shares, K.K3_SHARES);
        assertLe(state.shares - shares, 5 * handler.calls(), K.K3_SHARES);
        assertEq(leaving, state.leaving, K.K3_QUEUES);
        assertEq(entering, state.entering, K.K3_QUEUES);
        // but for what rounding gives it
        assertLe(state.assets * 1000, state.shares + 1000 * handler.calls(), K.K3_WORTH);
    }

    /// At the end of every run: no action was idle.
    function afterInvariant() public {
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }

    /// A campaign that never absorbed, sold or settled would prove little.
    function test_handler_ReachesEverything() public {
        for (uint256 i; i < 500; ++i) {
            _act(uint256(keccak256(abi.encode(i))));
            invariant_backstopHolds();
        }
        assertEq(ledger.idle(), bytes32(0), "idle action");
        assertGt(ledger.least(), 2, ledger.report());
    }

    /// A walk in which one action is always refused names it.
    function test_floors_AnIdleActionIsNoticed() public {
        vm.pauseGasMetering();
        bytes4[2] memory idle = [IBackstopPool.settle.selector, IBackstopPool.buy.selector];
        bytes32[2] memory names = [bytes32("settle"), "buy"];
        uint256 begun = vm.snapshotState();
        for (uint256 k; k < 2; ++k) {
            vm.mockCallRevert(address(backstop), abi.encodeWithSelector(idle[k]), "");
            for (uint256 i; i < 300; ++i) {
                _act(uint256(keccak256(abi.encode(i))));
            }
            assertEq(ledger.idle(), names[k], "the idle action was not noticed");
            vm.clearMockedCalls();
            vm.revertToState(begun);
        }
    }

    function _act(uint256 r) private {
        uint256 action = r % 15;
        uint256 who = r >> 8 & 0xff;
        if (action == 0) handler.deposit(who, r >> 16);
        else if (action == 1) handler.requestExit(who, r >> 16);
        else if (action == 2) handler.transfer(who, who >> 2, r >> 16);
        else if (action == 3) handler.claimAssets(who);
        else if (action == 4) handler.claimCollateral(who, r >> 16);
        else if (action == 5) handler.payPremium(r >> 16);
        else if (action == 6) handler.borrow(who, r >> 16, r >> 32);
        else if (action == 7) handler.absorb(who, r >> 16, r >> 32);
        else if (action == 8) handler.settle(who, r >> 16);
        else if (action == 9) handler.buy(who, r >> 16, r >> 32);
        else if (action == 10) handler.pass(r >> 16);
        else if (action == 11) handler.distribute(r >> 16);
        else if (action == 12) handler.disturb(r >> 16, r >> 32);
        else if (action == 13) handler.flag(who, r >> 16);
        else handler.movePrice(r >> 16, r >> 32);
    }
}
