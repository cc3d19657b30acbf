// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {MarketState} from "../../contracts/interfaces/ILendingPool.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";
import {PoolMirror} from "../utils/PoolMirror.sol";
import {PoolHandler} from "./PoolHandler.sol";
import {PoolSpec as S} from "./PoolSpec.sol";
import {CampaignLedger} from "./system/CampaignLedger.sol";

/// @notice The properties of `PoolSpec` after every call of a random campaign.
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
contract PoolInvariantsTest is PoolFixture {
    string private constant ACCOUNT = "cache/campaign-pool.txt";

    PoolHandler private handler;
    PoolMirror private mirror;
    CampaignLedger private ledger;

    function setUp() public override {
        vm.recordLogs();
        super.setUp();
        mirror = new PoolMirror(address(pool), address(usdc));
        ledger = new CampaignLedger();
        handler = new PoolHandler(pool, mirror, ethOracle, btcOracle, breaker, owner, ledger);
        // A market to start with, so that a short campaign has something to break.
        for (uint256 i; i < 3; ++i) {
            handler.deposit(i, 1e11);
            handler.supplyCollateral(i, i, i, 1e8);
            handler.borrow(i, 0);
        }
        targetContract(address(handler));
    }

    function invariant_singleCallsHold() public view {
        assertEq(ledger.broken(), "");
    }

    function invariant_booksClose() public view {
        MarketState memory state = pool.marketState();
        uint256 cash = usdc.balanceOf(address(pool));
        assertGe(cash + state.totalDebt, state.lenderAssets, S.P1A);
        assertEq(state.reserves, cash + state.totalDebt - state.lenderAssets, S.P1A_REST);
        uint256 shares;
        uint256 debtShares;
        uint256 debts;
        uint256 borrowers;
        for (uint256 i; i < handler.actorCount(); ++i) {
            address actor = handler.actors(i);
            shares += pool.balanceOf(actor);
            debtShares += pool.debtSharesOf(actor);
            debts += pool.debtOf(actor);
            if (pool.debtSharesOf(actor) != 0) ++borrowers;
            assertTrue(pool.debtSharesOf(actor) == 0 || pool.collateralBitmap(actor) != 0, S.P1E_DEBT);
        }
        assertEq(shares, state.supplyShares, S.P1C_SUPPLY);
        assertEq(debtShares, state.debtShares, S.P1C_DEBT);
        assertGe(debts, state.totalDebt, S.P1D);
        assertLe(debts, state.totalDebt + borrowers, S.P1D);
        assertEq(state.totalDebt == 0, state.debtShares == 0, S.P1D);
    }

    function invariant_collateralAddsUp() public view {
        for (uint256 id; id < 2; ++id) {
            uint256 sum;
            for (uint256 i; i < handler.actorCount(); ++i) {
                uint256 amount = pool.collateralOf(handler.actors(i), id);
                sum += amount;
                assertEq(pool.collateralBitmap(handler.actors(i)) >> id & 1, amount == 0 ? 0 : 1, S.P1E);
            }
            assertEq(pool.collateralState(id).total, sum, S.P1B_SUM);
            assertGe(SimToken(pool.collateralState(id).token).balanceOf(address(pool)), sum, S.P1B_HELD);
        }
    }

    /// The mirror knows what was stored; views add the interest since, so the market is compared after an accrual.
    function invariant_mirrorEqualsViews() public {
        vm.prank(owner);
        pool.setReserveFactor(5);
        mirror.apply_(vm.getRecordedLogs());
        assertMirror();
    }

    function assertMirror() internal view {
        MarketState memory state = pool.marketState();
        (uint256 lenderAssets, uint256 supplyShares, uint256 totalDebt, uint256 debtShares,) = mirror.market();
        assertEq(lenderAssets, state.lenderAssets, S.P9);
        assertEq(supplyShares, state.supplyShares, S.P9);
        assertEq(totalDebt, state.totalDebt, S.P9);
        assertEq(debtShares, state.debtShares, S.P9);
        assertEq(uint256(mirror.cash()), state.cash, S.P9);
        assertEq(mirror.reserveFactor(), pool.reserveFactor(), S.P9);
        assertEq(mirror.newRiskFrozen(), pool.newRiskFrozen(), S.P9);
        for (uint256 i; i < handler.actorCount(); ++i) {
            address actor = handler.actors(i);
            assertEq(mirror.sharesOf(actor), pool.balanceOf(actor), S.P9);
            assertEq(mirror.debtSharesOf(actor), pool.debtSharesOf(actor), S.P9);
            for (uint256 id; id < 2; ++id) {
                assertEq(mirror.collateralOf(actor, id), pool.collateralOf(actor, id), S.P9);
            }
        }
        for (uint256 id; id < 2; ++id) {
            assertEq(mirror.collateral(id).total, pool.collateralState(id).total, S.P9);
            assertEq(mirror.collateral(id).frozen, pool.collateralState(id).frozen, S.P9);
        }
    }

    /// At the end of every run: no action was idle.
    function afterInvariant() public {
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }

    /// An idle campaign fails: a fixed random walk over all actions does each of them, with losses among them.
    function test_campaign_IsNotIdle() public {
        uint256 seed = 1;
        for (uint256 i; i < 900; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _act(seed);
            if (i % 50 == 0) {
                invariant_booksClose();
                invariant_collateralAddsUp();
                invariant_mirrorEqualsViews();
            }
        }
        assertEq(ledger.broken(), "");
        assertEq(ledger.idle(), bytes32(0), "idle action");
        assertGt(ledger.least(), 1, ledger.report());
    }

    /// Any walk leaves the mirror equal to the pool.
    /// forge-config: default.fuzz.runs = 32
    function testFuzz_mirror_AnyWalk(uint256 seed) public {
        for (uint256 i; i < 40; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            _act(seed);
        }
        invariant_mirrorEqualsViews();
        assertGt(mirror.events(), 20);
        assertEq(ledger.broken(), "");
    }

    function _act(uint256 seed) private {
        uint256 a = uint256(keccak256(abi.encode(seed, 1)));
        uint256 b = uint256(keccak256(abi.encode(seed, 2)));
        uint256 c = uint256(keccak256(abi.encode(seed, 3)));
        uint256 kind = seed % 30;
        if (kind == 0) handler.deposit(a, b);
        else if (kind == 1) handler.mint(a, b);
        else if (kind == 2) handler.withdraw(a, b, c);
        else if (kind == 3) handler.redeem(a, b, c);
        else if (kind == 4) handler.transferShares(a, b, c);
        else if (kind < 7) handler.supplyCollateral(a, b, c, seed >> 8);
        else if (kind == 7) handler.withdrawCollateral(a, b, c);
        else if (kind < 11) handler.borrow(a, b);
        else if (kind == 11) handler.repay(a, b, c);
        else if (kind < 14) handler.liquidate(a, b, c);
        else if (kind == 14) handler.liquidateBatch(a, b, c);
        else if (kind == 15) handler.settle(a, b);
        else if (kind == 16) handler.flashLoan(a);
        else if (kind == 17) handler.donate(a, b);
        else if (kind < 20) handler.movePrice(a, b);
        else if (kind == 20) handler.moveTime(a);
        else if (kind == 21) handler.disturb(a, b);
        else if (kind == 22) handler.administer(a, b);
        else if (kind == 23) handler.withdrawReserves(a);
        else if (kind < 28) handler.squeeze(a, b);
        else handler.settle(a, b);
    }
}
