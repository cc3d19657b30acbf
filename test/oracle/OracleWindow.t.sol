// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {Observation, OracleWindow} from "../../contracts/libraries/OracleWindow.sol";

/// @dev The library against a model that keeps the price of every second in an array, and on moving the checkpoint overwrites
/// the window before it with its mean. Amounts are scaled by 1e6 in the model, so that its own rounding does not show.
contract OracleWindowTest is Test {
    uint256 private constant WINDOW = 60;
    uint256 private constant SCALE = 1e6;

    Observation private _latest;
    Observation private _checkpoint;
    uint256[] private _truth; // price of every second, as credited
    uint256[] private _known; // the same, smeared as the two slots smear it

    function _start(uint256 price) private {
        _latest = OracleWindow.pack(price, 0, 0, 0);
        _checkpoint = OracleWindow.pack(price, 0, 0, 0);
        delete _truth;
        delete _known;
    }

    function _record(uint256 price, uint256 time) private {
        Observation latest = _latest;
        while (_truth.length < time) {
            _truth.push(latest.price());
            _known.push(latest.price() * SCALE);
        }
        uint256 mean = latest.mean(_checkpoint, time, WINDOW);
        uint256 cumulative = latest.cumulativeAt(time);
        if (_checkpoint.needsCheckpoint(time, WINDOW)) {
            uint256 known = _modelMean(time);
            for (uint256 i = time >= WINDOW ? time - WINDOW : 0; i < time; ++i) {
                _known[i] = known;
            }
            _checkpoint = OracleWindow.pack(mean, time, cumulative, 0);
        }
        _latest = OracleWindow.pack(price, time, cumulative, 0);
    }

    /// @dev Times SCALE. Needs time >= WINDOW and every second before it in `_known`.
    function _modelMean(uint256 time) private view returns (uint256) {
        uint256 from = time - WINDOW;
        (uint256 checkpoint, uint256 last) = (_checkpoint.time(), _latest.time());
        uint256 between;
        for (uint256 i = checkpoint; i < last; ++i) {
            between += _known[i];
        }
        uint256 sum;
        for (uint256 i = from; i < time; ++i) {
            // A stretch that the window cuts is known by its mean only.
            sum += i >= checkpoint && i < last && from > checkpoint ? between / (last - checkpoint) : _known[i];
        }
        return sum / WINDOW;
    }

    function testFuzz_mean_EqualsTheModel(uint256 seed) public {
        uint256 price = 1 + seed % 1e20;
        _start(price);
        uint256 time;
        for (uint256 i; i < 20; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            time += 1 + random % ((random >> 8) % 5 == 0 ? 150 : 25);
            price = (random >> 16) % 1e20;
            _record(price, time);
            if (time < WINDOW) continue;
            // Between records, at a time when the model knows what is in force.
            uint256 later = time + (random >> 128) % 100;
            uint256 mean = _latest.mean(_checkpoint, later, WINDOW);
            while (_truth.length < later) {
                _truth.push(price);
                _known.push(price * SCALE);
            }
            uint256 model = _modelMean(later) / SCALE;
            assertApproxEqAbs(mean, model, 3, "mean");
            uint256 cumulative;
            for (uint256 s; s < later; ++s) {
                cumulative += _truth[s];
            }
            assertEq(_latest.cumulativeAt(later), cumulative, "cumulative");
            // What was appended for the reading is in force until the next record, so it stays true only up to there.
            time = later;
        }
    }

    /// @dev A print in force for d seconds weighs at most d / window, whenever records and readings happen.
    function testFuzz_mean_PrintWeighsAtMostItsShareOfTheWindow(uint256 seed, uint256 held) public {
        (uint256 usual, uint256 print) = (1e18, 5e18);
        held = bound(held, 0, WINDOW);
        _start(usual);
        uint256 time = WINDOW;
        uint256 printAt = 2 + seed % 20;
        for (uint256 i; i < 40; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            time += 1 + random % 40;
            _recordOnly(i == printAt ? print : usual, time);
            if (i == printAt) {
                time += held;
                _recordOnly(usual, time);
            }
            uint256 mean = _latest.mean(_checkpoint, time + (random >> 8) % 70, WINDOW);
            assertLe(mean, usual + (print - usual) * held / WINDOW);
            assertGe(mean, usual - 2);
        }
    }

    function testFuzz_mean_StaysBetweenThePricesOfThreeWindows(uint256 seed) public {
        uint256[64] memory prices;
        uint256[64] memory times;
        _start(prices[0] = 1e20);
        for (uint256 i = 1; i < 64; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            times[i] = times[i - 1] + 1 + random % 50;
            prices[i] = (random >> 8) % type(uint88).max;
            _recordOnly(prices[i], times[i]);
            if (times[i] < 3 * WINDOW) continue;
            (uint256 low, uint256 high) = (type(uint256).max, 0);
            for (uint256 j; j <= i; ++j) {
                // In force within the last three windows?
                if (j < i && times[j + 1] <= times[i] - 3 * WINDOW) continue;
                if (prices[j] < low) low = prices[j];
                if (prices[j] > high) high = prices[j];
            }
            uint256 mean = _latest.mean(_checkpoint, times[i], WINDOW);
            assertGe(mean + 2, low);
            assertLe(mean, high);
        }
    }

    function test_mean_LargestPriceForEveryMomentOfItsLife() public {
        uint256 price = type(uint88).max;
        _start(price);
        uint256 end = type(uint32).max;
        assertEq(_latest.mean(_checkpoint, end, WINDOW), price);
        _recordOnly(price, end - 30);
        assertEq(_latest.mean(_checkpoint, end, WINDOW), price);
        assertEq(_latest.cumulativeAt(end), price * end);
        _recordOnly(0, end);
        assertEq(_latest.cumulative(), price * end);
        assertEq(_latest.time(), end);
        assertEq(_checkpoint.time(), end - 30);
    }

    function testFuzz_pack_KeepsEveryField(uint88 price, uint32 time, uint120 cumulative, uint16 mark) public pure {
        Observation observation = OracleWindow.pack(price, time, cumulative, mark);
        assertEq(observation.price(), price);
        assertEq(observation.time(), time);
        assertEq(observation.cumulative(), cumulative);
        assertEq(observation.mark(), mark);
    }

    function _recordOnly(uint256 price, uint256 time) private {
        Observation latest = _latest;
        uint256 mean = latest.mean(_checkpoint, time, WINDOW);
        uint256 cumulative = latest.cumulativeAt(time);
        if (_checkpoint.needsCheckpoint(time, WINDOW)) _checkpoint = OracleWindow.pack(mean, time, cumulative, 0);
        _latest = OracleWindow.pack(price, time, cumulative, 0);
    }
}
