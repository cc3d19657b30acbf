// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IPriceVenue} from "../interfaces/IPriceVenue.sol";
import {ISpotSource} from "../interfaces/ISpotSource.sol";
import {Observation, OracleWindow} from "../libraries/OracleWindow.sol";

/// @title A confirming venue from a momentary price that anybody may record
/// @notice For venues that keep no history. A spot price can be moved, recorded and moved back within one transaction for
/// the fees of the round trip, so no sample is believed alone:
/// - one sample a second, the first; a later one of the same second is ignored;
/// - the time between two samples is credited, when it is over, with the median of the last three samples: a single false
///   sample moves nothing, and two of three move it only as far as the lesser of them;
/// - samples more than `MAX_GAP` apart credit nothing and break the run; an average is answered only while an unbroken run
///   covers the whole window and the last sample is at most `MAX_GAP` old.
///
/// So to own the window somebody must falsify two of every three samples, in different blocks, through the whole of it, with
/// a round trip each, and any honest caller who records in between takes some of them away. What that costs for a given
/// market is worked out in the README. It answers only while somebody records; that is what a liquidator does who wants it
/// to confirm a fall.
contract SpotAccumulator is IPriceVenue {
    error InvalidWindow(uint256 window, uint256 maxGap);
    /// @notice The spot price is 0, or more than about 1e12 times what it was at deployment.
    error SpotOutOfRange(uint256 spotPrice);

    /// @notice A sample was taken. `credited` is the price given to the time since the sample before, 0 if the run broke.
    /// Both scaled by 1e36.
    event Recorded(uint256 sample, uint256 credited, uint256 depth);

    uint256 private constant MAX_WINDOW = 1 days;
    /// @dev The initial spot price is stored with 13 or 14 digits; 88 bits hold 27.
    uint256 private constant INITIAL_UNITS = 1e13;
    uint256 private constant SAMPLE_BITS = 128;

    ISpotSource public immutable SOURCE;
    /// @notice Seconds.
    uint256 public immutable WINDOW;
    /// @notice Seconds; at most half a window.
    uint256 public immutable MAX_GAP;
    /// @notice Debt base units; the price is not answered while one of the last two samples found less.
    uint256 public immutable MIN_DEPTH;
    /// @notice The time stamp from which seconds are counted.
    uint256 public immutable DEPLOYED_AT;
    /// @notice Price units (scaled by 1e36) in one stored unit. A power of ten.
    uint256 public immutable PRICE_UNIT;

    /// @dev Up to the last sample; its price is the one credited last.
    Observation private _latest;
    /// @dev See `OracleWindow`. Its mark is 1 once an unbroken run has covered a window.
    Observation private _checkpoint;
    /// @dev The last two sampled prices, the older in the upper half.
    uint256 private _samples;
    /// @dev The last two sampled depths (saturated at 128 bits), the older in the upper half.
    uint256 private _depths;

    constructor(ISpotSource source, uint32 window, uint32 maxGap, uint256 minDepth) {
        if (window == 0 || window > MAX_WINDOW || maxGap == 0 || maxGap > window / 2) {
            revert InvalidWindow(window, maxGap);
        }
        (SOURCE, WINDOW, MAX_GAP, MIN_DEPTH) = (source, window, maxGap, minDepth);
        DEPLOYED_AT = block.timestamp;
        uint256 spot = source.spotPrice();
        uint256 unit = 1;
        while (spot / unit >= 10 * INITIAL_UNITS) unit *= 10;
        PRICE_UNIT = unit;
        uint256 sample = _inUnits(spot, unit);
        _samples = _pair(sample, sample);
        // No depth has been sampled yet: the first two samples bring it.
        _latest = OracleWindow.pack(sample, 0, 0, 0);
        _checkpoint = OracleWindow.pack(sample, 0, 0, 0);
    }

    /// @notice Samples the spot price. Does nothing in the second of the last sample; reverts if the source does.
    function record() external {
        uint256 time = block.timestamp - DEPLOYED_AT;
        Observation latest = _latest;
        uint256 gap = time - latest.time();
        if (gap == 0) return;

        uint256 sample = _inUnits(SOURCE.spotPrice(), PRICE_UNIT);
        uint256 sampledDepth = SOURCE.spotDepth();
        if (sampledDepth > type(uint128).max) sampledDepth = type(uint128).max;
        (, uint256 previousDepth) = _unpair(_depths);
        _depths = _pair(previousDepth, sampledDepth);

        if (gap > MAX_GAP) {
            // A sample from before the silence counts no more; what was last credited vouches for the first of the new run.
            uint256 last = latest.price();
            _samples = _pair(last, sample);
            _latest = OracleWindow.pack(last, time, latest.cumulative(), 0);
            _checkpoint = _latest;
            emit Recorded(sample * PRICE_UNIT, 0, sampledDepth);
            return;
        }
        (uint256 older, uint256 newer) = _unpair(_samples);
        _samples = _pair(newer, sample);
        uint256 credited = _median(older, newer, sample);
        // The time since the last sample, at the price credited to it.
        latest = OracleWindow.pack(credited, latest.time(), latest.cumulative(), 0);
        uint256 cumulative = latest.cumulativeAt(time);
        Observation checkpoint = _checkpoint;
        if (checkpoint.needsCheckpoint(time, WINDOW)) {
            _checkpoint = OracleWindow.pack(latest.mean(checkpoint, time, WINDOW), time, cumulative, 1);
        }
        _latest = OracleWindow.pack(credited, time, cumulative, 0);
        emit Recorded(sample * PRICE_UNIT, credited * PRICE_UNIT, sampledDepth);
    }

    /// @inheritdoc IPriceVenue
    /// @dev Arithmetic mean over the window that ends with the last sample; rounded down.
    function averagePrice() external view returns (uint256) {
        (Observation latest, Observation checkpoint) = (_latest, _checkpoint);
        if (checkpoint.mark() == 0 || block.timestamp - DEPLOYED_AT - latest.time() > MAX_GAP) return 0;
        if (_sampledDepth() < MIN_DEPTH) return 0;
        return latest.mean(checkpoint, latest.time(), WINDOW) * PRICE_UNIT;
    }

    /// @inheritdoc IPriceVenue
    /// @dev The least of now and the last two samples, which are of different blocks: none of the three suffices alone to
    /// raise it.
    function depth() external view returns (uint256 depth_) {
        depth_ = SOURCE.spotDepth();
        uint256 sampled = _sampledDepth();
        if (sampled < depth_) depth_ = sampled;
    }

    function _sampledDepth() private view returns (uint256) {
        (uint256 older, uint256 newer) = _unpair(_depths);
        return older < newer ? older : newer;
    }

    function _inUnits(uint256 spot, uint256 unit) private pure returns (uint256 sample) {
        sample = spot / unit;
        if (sample == 0 || sample > OracleWindow.MAX_PRICE) revert SpotOutOfRange(spot);
    }

    function _median(uint256 a, uint256 b, uint256 c) private pure returns (uint256) {
        (uint256 low, uint256 high) = a < b ? (a, b) : (b, a);
        if (c <= low) return low;
        return c < high ? c : high;
    }

    function _pair(uint256 older, uint256 newer) private pure returns (uint256) {
        return (older << SAMPLE_BITS) | newer;
    }

    function _unpair(uint256 pair) private pure returns (uint256 older, uint256 newer) {
        return (pair >> SAMPLE_BITS, pair & type(uint128).max);
    }
}
