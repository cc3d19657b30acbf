// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {AdministratorHandler} from "./AdministratorHandler.sol";
import {BorrowerHandler} from "./BorrowerHandler.sol";
import {CallbackHandler} from "./CallbackHandler.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {LenderHandler} from "./LenderHandler.sol";
import {LiquidatorHandler} from "./LiquidatorHandler.sol";
import {MarketHandler} from "./MarketHandler.sol";
import {SettlementHandler} from "./SettlementHandler.sol";
import {SignalHandler} from "./SignalHandler.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";
import {TokenHandler} from "./TokenHandler.sol";

/// @notice Campaigns on three whole systems, with a handler a mechanism. Every run is a campaign of its own: it is long enough
/// for every action to be done many times, and fails if one was done less often than its floor.
contract SystemInvariantsTest is Test {
    string private constant ACCOUNT = "cache/campaign.txt";

    SystemWorld private world;
    CampaignLedger private ledger;
    SystemBooks private books;
    SystemHandler[9] private handlers;

    function setUp() public {
        vm.warp(1_700_000_000);
        vm.roll(20_000_000);
        vm.recordLogs();
        ledger = new CampaignLedger();
        world = new SystemWorld();
        books = new SystemBooks(world, ledger, vm.getRecordedLogs());
        handlers = [
            SystemHandler(new LenderHandler(books, world, ledger)),
            new BorrowerHandler(books, world, ledger),
            new LiquidatorHandler(books, world, ledger),
            new SettlementHandler(books, world, ledger),
            new CallbackHandler(books, world, ledger),
            new MarketHandler(books, world, ledger),
            new SignalHandler(books, world, ledger),
            new TokenHandler(books, world, ledger),
            new AdministratorHandler(books, world, ledger)
        ];
        for (uint256 i; i < handlers.length; ++i) {
            bytes4[] memory selectors = handlers[i].selectors();
            targetContract(address(handlers[i]));
            targetSelector(FuzzSelector(address(handlers[i]), selectors));
        }
        _openMarkets();
    }

    /// After every call: no property of a single call is broken, and the books of the pool that was called close.
    ///
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 3000
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.shrink-run-limit = 20
    /// forge-config: ci.invariant.runs = 8
    /// forge-config: ci.invariant.depth = 4000
    /// forge-config: ci.invariant.fail-on-revert = true
    /// forge-config: deep.invariant.runs = 400
    /// forge-config: deep.invariant.depth = 4000
    /// forge-config: deep.invariant.fail-on-revert = true
    function invariant_systemsHold() public view {
        assertEq(ledger.broken(), "");
        books.verify(books.touched());
    }

    /// At the end of every run: the books of every pool close, and no action was idle.
    function afterInvariant() public {
        for (uint256 p; p < world.POOLS(); ++p) {
            books.verify(p);
        }
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }

    /// A walk with one idle handler, for each of them, names an action of that handler.
    function test_floors_AnyIdleHandlerFails() public {
        uint256 begun = vm.snapshotState();
        for (uint256 i; i < handlers.length; ++i) {
            handlers[i].setIdle(true);
            _walk(700);
            assertEq(ledger.handlerOf(ledger.idle()), address(handlers[i]), "the idle handler was not noticed");
            vm.revertToState(begun);
        }
    }

    /// The same walk with every handler at work reaches every floor.
    function test_floors_AreReachedByAWalk() public {
        _walk(1200);
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.broken(), "");
        assertEq(ledger.idle(), bytes32(0), "idle action");
        assertGt(ledger.refused("usurp"), 0, "nobody tried to usurp");
    }

    /// @dev A fixed random walk over all actions, a handler as often as any other.
    function _walk(uint256 length) private {
        // its gas is nobody's, and more than a test may use
        vm.pauseGasMetering();
        for (uint256 i; i < length; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("walk", i)));
            SystemHandler handler = handlers[seed % handlers.length];
            bytes4[] memory selectors = handler.selectors();
            bytes4 selector = selectors[(seed >> 8) % selectors.length];
            (uint256 a, uint256 b) = (uint256(keccak256(abi.encode(seed, 1))), uint256(keccak256(abi.encode(seed, 2))));
            (bool success,) = address(handler).call(abi.encodeWithSelector(selector, a, b, seed >> 16));
            assertTrue(success, "a handler reverted");
        }
    }

    /// @dev A market to start with: lenders in every pool, and three borrowers.
    function _openMarkets() private {
        LenderHandler lenders = LenderHandler(address(handlers[0]));
        BorrowerHandler borrowers = BorrowerHandler(address(handlers[1]));
        for (uint256 p; p < world.POOLS(); ++p) {
            for (uint256 i; i < 3; ++i) {
                lenders.deposit(p + 3 * i, world.dollars(p, 150_000), 0);
                borrowers.supplyCollateral(p + 3 * i, world.dollars(world.collateralOf(p, i % 2), 40_000), 2 + i % 2);
                borrowers.borrow(p + 3 * i, 0, i == 0 ? 1 : 0);
            }
        }
    }
}
