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
import {PermissionHandler} from "./PermissionHandler.sol";
import {SettlementHandler} from "./SettlementHandler.sol";
import {SignalHandler} from "./SignalHandler.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";
import {TokenHandler} from "./TokenHandler.sol";

/// @notice A campaign on three whole systems, with a handler a mechanism. Every run is a campaign of its own: it is long enough
/// for every action to be done many times, and fails if one was done less often than its floor.
/// @dev Inline configuration is not inherited, so that each campaign declares its invariant itself.
abstract contract SystemCampaign is Test {
    SystemWorld internal world;
    CampaignLedger internal ledger;
    SystemBooks internal books;
    SystemHandler[10] internal handlers;

    /// @dev Whether the damped policy has turns and waits for pauses, which it does not by default.
    function _withTurns() internal pure virtual returns (bool);

    /// @dev The file that the account is written to.
    function _account() internal pure virtual returns (string memory);

    function setUp() public {
        vm.warp(1_700_000_000);
        vm.roll(20_000_000);
        vm.recordLogs();
        ledger = new CampaignLedger();
        world = new SystemWorld(_withTurns(), ledger);
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
            new AdministratorHandler(books, world, ledger),
            new PermissionHandler(books, world, ledger)
        ];
        for (uint256 i; i < handlers.length; ++i) {
            bytes4[] memory selectors = handlers[i].selectors();
            targetContract(address(handlers[i]));
            targetSelector(FuzzSelector(address(handlers[i]), selectors));
        }
        _openMarkets();
    }

    function _assertHolds() internal view {
        assertEq(ledger.broken(), "");
        books.verify(books.touched());
    }

    /// At the end of every run: the books of every pool close, and no action was idle.
    function afterInvariant() public {
        for (uint256 p; p < world.POOLS(); ++p) {
            books.verify(p);
        }
        vm.writeFile(_account(), ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }

    /// @dev A fixed random walk over all actions, a handler as often as any other.
    function _walk(uint256 length) internal {
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
