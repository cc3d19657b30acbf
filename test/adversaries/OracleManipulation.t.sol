// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {SystemPlan} from "../../script/SystemPlan.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev What moving the venue for a whole number of blocks does to its average, and the attack on a feed that is wrong.
abstract contract VenueAttackFixture is AdversaryFixture {
    /// @dev Seconds over which the venue is averaged.
    function _window() internal pure virtual returns (uint256) {
        return 60;
    }

    /// @param misset How far the feed is below the market, basis points.
    /// @param privileged Whether the attacker holds both ends of every block, so that nobody trades against him.
    function _dumpToConfirm(uint256 misset, uint256 health, uint256 blocks, bool privileged)
        internal
        returns (uint256 cost, uint256 gain, uint256 most)
    {
        // At 400 * 0.83 * F / 640,000 = HF the feed's price, and the market's above it.
        _openFor(borrower, 400e18, 640_000e18 - 1e9);
        uint256 price = health * 640_000 / 332;
        uint256 market = price * 10_000 / (10_000 - misset);
        _arbitrage(market);
        _pass(2 * _window());
        _setFeed(int256(price / 1e10));
        assertEq(uint256(_refusal(borrower)), uint256(Refusal.Unconfirmed), "not held back");
        // V = P (push)^(seconds / window) < F / HF
        uint256 needed = price * WAD / health * 9999 / 10_000 * WAD / market;
        uint256 pushed = market * _power(needed, _window() * WAD / (blocks * BLOCK)) / WAD;
        for (uint256 i; i < blocks; ++i) {
            _trade(pushed);
            _nextBlock();
            if (!privileged) _arbitrage(market);
        }
        most = _mostFromMisset(misset);
        vm.prank(attacker);
        LiquidationResult memory result = lending.liquidate(borrower, 0, type(uint256).max, "");
        if (privileged) _trade(market);
        cost = _tradingLoss(market);
        gain = result.seized * market / WAD - result.repaid;
        _report(
            string.concat(
                "confirm a feed at -",
                vm.toString(misset),
                " bp, HF ",
                vm.toString(health / 1e15),
                "e-3, blocks ",
                vm.toString(blocks),
                privileged ? ", both ends of blocks" : ", against arbitrage"
            ),
            cost,
            gain
        );
    }

    /// @dev What the bucket passes at once, at the highest bonus of an auction that begins now, seized at the feed's price.
    function _mostFromMisset(uint256 misset) private view returns (uint256) {
        uint256 repaid = _bucketVolume();
        return repaid * 10_100 / (10_000 - misset) - repaid + WAD;
    }

    /// @dev The seconds for which the attacker's account is held back, with the venue let go after `blocks`.
    function _heldBack(uint256 blocks, uint256 price) internal returns (uint256 held) {
        for (uint256 i; i < blocks || _refusal(attacker) == Refusal.Unconfirmed; ++i) {
            if (_refusal(attacker) == Refusal.Unconfirmed) held += BLOCK;
            _nextBlock();
            if (i + 1 == blocks) {
                assertEq(uint256(_refusal(attacker)), uint256(Refusal.Unconfirmed), "not held back");
                _trade(price);
            }
        }
    }

    function _pumpToHoldBack(uint256 health, uint256 blocks) internal returns (uint256 cost, uint256 gain) {
        uint256 price = FAIR * 915 / 1000;
        _openFor(attacker, 100e18, 100 * price * 83 / 100 * WAD / health);
        _fallTo(price / 1e18);
        uint256 volume = _bucketVolume();
        // V = F (push)^(seconds / window) >= F / HF
        uint256 needed = WAD * WAD / health * 10_001 / 10_000;
        _trade(price * _power(needed, _window() * WAD / (blocks * BLOCK)) / WAD);
        uint256 held = _heldBack(blocks, price);
        cost = _tradingLoss(price);
        gain = _delayValue(volume, held);
        _report(
            string.concat("hold back at HF ", vm.toString(health / 1e14), "e-4, blocks ", vm.toString(blocks)),
            cost,
            gain
        );
    }

    function _power(uint256 base, uint256 exponent) internal pure returns (uint256) {
        return uint256(FixedPointMathLib.powWad(int256(base), int256(exponent)));
    }
}

/// @dev The venue's price is moved over one block and over two. It is never the fast price and never in the slow one: it can only
/// confirm, or fail to confirm, what the feed says of an account that is below 1 by the feed.
contract OracleManipulationTest is VenueAttackFixture {
    // -- more debt against a pumped price: nothing to gain

    function test_pumpToBorrow_OneBlock() public {
        _pumpToBorrow(1);
    }

    function test_pumpToBorrow_TwoBlocks() public {
        _pumpToBorrow(2);
    }

    function _pumpToBorrow(uint256 blocks) private {
        vm.prank(attacker);
        lending.supplyCollateral(0, 100e18, attacker, "");
        uint256 limit = lending.accountHealth(attacker).borrowLimit;
        _trade(FAIR * 13 / 10);
        _pass(blocks * BLOCK);
        uint256 gain = lending.accountHealth(attacker).borrowLimit - limit;
        vm.prank(attacker);
        vm.expectPartialRevert(PoolPositions.BorrowLimitExceeded.selector);
        lending.borrow(limit + 1, attacker, attacker);
        _trade(FAIR);
        uint256 cost = _tradingLoss(FAIR);
        _report(string.concat("pump 30% to borrow, blocks ", vm.toString(blocks)), cost, gain);
        assertEq(gain, 0);
        assertGt(cost, 5000e18);
    }

    // -- liquidating the healthy at a dumped price: nothing to gain

    function test_dumpToLiquidate_OneBlock() public {
        _dumpToLiquidate(1);
    }

    function test_dumpToLiquidate_TwoBlocks() public {
        _dumpToLiquidate(2);
    }

    function _dumpToLiquidate(uint256 blocks) private {
        // HF = 0.83 / 0.80 = 1.0375, the least that can be opened
        _openFor(borrower, 400e18, 640_000e18);
        _trade(FAIR * 7 / 10);
        _pass(blocks * BLOCK);
        vm.prank(attacker);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy));
        lending.liquidate(borrower, 0, type(uint256).max, "");
        _trade(FAIR);
        uint256 cost = _tradingLoss(FAIR);
        _report(string.concat("dump 30% to liquidate, blocks ", vm.toString(blocks)), cost, 0);
        assertGt(cost, 5000e18);
    }

    // -- holding back one's own liquidation by keeping the venue up

    /// The borrower owns all that the bucket would pass, holds both ends of every block, and pays nothing but the fee. From a health
    /// factor of 0.995 down it costs more than the delay is worth.
    function test_pumpToHoldBack_CostsMoreThanTheDelay() public {
        uint256[3] memory healths = [uint256(0.98e18), 0.99e18, 0.995e18];
        for (uint256 i; i < healths.length; ++i) {
            for (uint256 blocks = 1; blocks <= 2; ++blocks) {
                uint256 state = vm.snapshotState();
                (uint256 cost, uint256 gain) = _pumpToHoldBack(healths[i], blocks);
                assertGt(cost, gain);
                vm.revertToState(state);
            }
        }
    }

    /// Where all liquidity lies within 3%, the price need only leave it for a block: one second without liquidity silences the venue for
    /// its window, and the slow price, which has not followed the fall yet, stands in.
    function test_silenceToHoldBack_CostsMoreThanTheDelay() public {
        uint256 price = 1830e18;
        _openFor(attacker, 100e18, 155_000e18);
        _fallTo(1830);
        (, int24 tick,,,,,) = pool.slot0();
        int24 middle = tick / 60 * 60;
        pool.burn(FULL_LOW, FULL_HIGH, LIQUIDITY);
        _provide(middle - 300, middle + 300, LIQUIDITY);
        _pass(2 * _window());
        _setFeed(1830e8);
        assertEq(uint256(_refusal(attacker)), uint256(Refusal.None));
        uint256 volume = _bucketVolume();
        _trade(price * 96 / 100);
        uint256 held = _heldBack(1, price);
        (uint256 cost, uint256 gain) = (_tradingLoss(price), _delayValue(volume, held));
        _report("silence the venue to hold back, blocks 1", cost, gain);
        assertGt(cost, gain);
    }

    /// Nearer to 1 the venue need hardly be moved, and the fee is less than the option. What it buys is bounded: a minute and the
    /// blocks of the attack, at 7 basis points of what the bucket would have passed; and a venue that is really below the feed by
    /// as little confirms at once.
    function test_pumpToHoldBack_NearOneIsCheapAndBuysLittle() public {
        (uint256 cost, uint256 gain) = _pumpToHoldBack(0.9995e18, 2);
        assertLt(cost, gain);
        assertLt(gain, _bucketVolume() * 7 / 10_000);
    }
}
