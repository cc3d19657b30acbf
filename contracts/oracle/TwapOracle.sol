// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {IPriceVenue} from "../interfaces/IPriceVenue.sol";
import {OracleCall} from "../libraries/OracleCall.sol";
import {OracleScale} from "../libraries/OracleScale.sol";
import {Observation, OracleWindow} from "../libraries/OracleWindow.sol";
import {BASIS_POINTS} from "../types/Constants.sol";
import {Prices, PriceStatus} from "../types/Price.sol";

/// @notice A feed and the answers that are believed.
/// @param source A Chainlink-style aggregator; zero for no feed (the quote feed only).
/// @param heartbeat Seconds, at most 30 days; an older answer counts as missing.
/// @param minAnswer In the feed's decimals. An answer at or below it counts as missing.
/// @param maxAnswer In the feed's decimals. An answer at or above it counts as missing.
struct FeedParameters {
    address source;
    uint32 heartbeat;
    uint128 minAnswer;
    uint128 maxAnswer;
}

/// @notice What a `TwapOracle` is made of; none of it can change afterwards.
/// @param collateralToken Read once, for its decimals.
/// @param debtToken Read once, for its decimals.
/// @param base The collateral's price in the debt token, or in a third unit if there is a quote feed.
/// @param quote The debt token's price in that third unit; source zero if `base` already answers in the debt token.
/// @param venue An `IPriceVenue` that does not feed `base` or `quote`, or zero.
/// @param window Seconds over which the slow price is averaged; at most one day.
/// @param step Basis points; the fast price moving by more between two records is a jump.
/// @param confirmationDelay Seconds from the record of a jump until the new level counts as confirmed; at most 65,535.
/// @param standInLimit Seconds after the last record for which the slow price may stand in for a missing feed; at most a week, at
/// least two windows, because an unchanged price is recorded only once a window.
struct TwapOracleParameters {
    address collateralToken;
    address debtToken;
    FeedParameters base;
    FeedParameters quote;
    address venue;
    uint32 window;
    uint16 step;
    uint16 confirmationDelay;
    uint32 standInLimit;
}

/// @title Fast, slow and confirming price of one collateral in one debt token
/// @notice The fast price is the feed's answer (or the ratio of two), never clamped. The slow price is its mean over `window`,
/// in which the time between two records counts for the earlier one. No administrator, no setter.
///
/// Status:
/// - `Degraded` for the first window after deployment, while there is no history to average;
/// - `Degraded` from a jump (a fast price more than `step` away from the one recorded before) until `confirmationDelay`
///   seconds after the jump was recorded. It ends by time alone, with the fast price then within `step` of the recorded one;
///   only another jump of the feed itself starts it again, so nobody who does not command the feed can hold it open;
/// - `Degraded` while a feed is missing and the slow price stands in, up to `standInLimit` seconds after the last record;
/// - `Down` after that, until the feed answers again.
/// @dev Prices are kept in units of `PRICE_UNIT` (a power of ten), in 88 bits; times in seconds since deployment.
contract TwapOracle is IPriceOracle {
    /// @notice A token, feed or venue without code.
    error NotAContract(address target);
    /// @notice Bounds that leave nothing between them, no heartbeat, or one longer than 30 days.
    error InvalidFeed(address source, uint256 heartbeat, uint256 minAnswer, uint256 maxAnswer);
    error InvalidWindow(uint256 window);
    error InvalidStep(uint256 step);
    error InvalidConfirmationDelay(uint256 delay);
    error InvalidStandInLimit(uint256 limit, uint256 least, uint256 most);
    /// @notice The feed has no usable answer at deployment.
    error FeedMissing();

    /// @notice A fast price was recorded that lies more than `STEP` from the one before. New risk stays closed until
    /// `confirmedAt` (a time stamp), later if there is another jump. Prices scaled by 1e36.
    event JumpRecorded(uint256 previous, uint256 current, uint256 confirmedAt);

    uint256 private constant MAX_WINDOW = 1 days;
    /// @dev What is longer is a mistake of unit. Some funds are priced once a month.
    uint256 private constant MAX_HEARTBEAT = 30 days;
    uint256 private constant MAX_STAND_IN_LIMIT = 7 days;

    address public immutable COLLATERAL_TOKEN;
    address public immutable DEBT_TOKEN;
    address public immutable BASE_SOURCE;
    uint256 public immutable BASE_HEARTBEAT;
    uint256 public immutable BASE_MIN_ANSWER;
    uint256 public immutable BASE_MAX_ANSWER;
    /// @notice Zero if the base feed answers in the debt token.
    address public immutable QUOTE_SOURCE;
    uint256 public immutable QUOTE_HEARTBEAT;
    uint256 public immutable QUOTE_MIN_ANSWER;
    uint256 public immutable QUOTE_MAX_ANSWER;
    /// @notice Zero if there is none.
    address public immutable VENUE;
    uint256 public immutable WINDOW;
    uint256 public immutable STEP;
    uint256 public immutable CONFIRMATION_DELAY;
    uint256 public immutable STAND_IN_LIMIT;
    /// @notice The time stamp from which the oracle counts its seconds.
    uint256 public immutable DEPLOYED_AT;
    /// @notice Price units (scaled by 1e36) in one stored unit. A power of ten.
    uint256 public immutable PRICE_UNIT;

    /// @dev Stored units = base * MULTIPLIER / (quote * DIVISOR), rounded down; one of the two is 1.
    uint256 private immutable MULTIPLIER;
    uint256 private immutable DIVISOR;

    /// @dev The last record. Its mark is for how many seconds after it the price counts as an unconfirmed jump.
    Observation private _latest;
    /// @dev See `OracleWindow`.
    Observation private _checkpoint;

    constructor(TwapOracleParameters memory p) {
        if (p.window == 0 || p.window > MAX_WINDOW) revert InvalidWindow(p.window);
        if (p.step == 0 || p.step >= BASIS_POINTS) revert InvalidStep(p.step);
        if (p.confirmationDelay == 0) revert InvalidConfirmationDelay(p.confirmationDelay);
        uint256 least = 2 * uint256(p.window);
        if (p.standInLimit < least || p.standInLimit > MAX_STAND_IN_LIMIT) {
            revert InvalidStandInLimit(p.standInLimit, least, MAX_STAND_IN_LIMIT);
        }
        _requireContract(p.collateralToken);
        _requireContract(p.debtToken);
        if (p.venue != address(0)) _requireContract(p.venue);
        uint256 baseDecimals = _validateFeed(p.base);
        uint256 quoteDecimals;
        if (p.quote.source == address(0)) {
            // No quote feed divides by exactly one.
            (p.quote.minAnswer, p.quote.maxAnswer) = (0, 1);
        } else {
            quoteDecimals = _validateFeed(p.quote);
        }

        COLLATERAL_TOKEN = p.collateralToken;
        DEBT_TOKEN = p.debtToken;
        BASE_SOURCE = p.base.source;
        BASE_HEARTBEAT = p.base.heartbeat;
        BASE_MIN_ANSWER = p.base.minAnswer;
        BASE_MAX_ANSWER = p.base.maxAnswer;
        QUOTE_SOURCE = p.quote.source;
        QUOTE_HEARTBEAT = p.quote.heartbeat;
        QUOTE_MIN_ANSWER = p.quote.minAnswer;
        QUOTE_MAX_ANSWER = p.quote.maxAnswer;
        VENUE = p.venue;
        WINDOW = p.window;
        STEP = p.step;
        CONFIRMATION_DELAY = p.confirmationDelay;
        STAND_IN_LIMIT = p.standInLimit;
        DEPLOYED_AT = block.timestamp;
        uint256 exponent = OracleScale.exponentOf(
            IERC20Metadata(p.collateralToken).decimals(),
            IERC20Metadata(p.debtToken).decimals(),
            baseDecimals,
            quoteDecimals
        );
        (PRICE_UNIT, MULTIPLIER, DIVISOR) =
            OracleScale.choose(exponent, p.base.minAnswer, p.base.maxAnswer, p.quote.minAnswer, p.quote.maxAnswer);

        uint256 price = _readFeeds();
        if (price == 0) revert FeedMissing();
        _latest = OracleWindow.pack(price, 0, 0, 0);
        _checkpoint = OracleWindow.pack(price, 0, 0, 0);
    }

    /// @inheritdoc IPriceOracle
    /// @dev Writes nothing in the second of the last record, nor while the price is unchanged and the last record is less
    /// than a window old: what is not written then follows from what is stored.
    function update() external returns (uint256 fast, uint256 slow, PriceStatus status) {
        (fast, slow, status,) = _update();
    }

    /// @inheritdoc IPriceOracle
    function updateForLiquidation() external returns (Prices memory prices) {
        (prices.fast, prices.slow, prices.status, prices.cumulative) = _update();
        prices.confirm = _confirm(prices.slow, prices.status);
    }

    /// @inheritdoc IPriceOracle
    function peek() external view returns (Prices memory prices) {
        uint256 time = block.timestamp - DEPLOYED_AT;
        Observation latest = _latest;
        (uint256 fast, uint256 slow, PriceStatus status,,) = _evaluate(latest, _readFeeds(), time);
        (prices.fast, prices.slow, prices.status) = (fast * PRICE_UNIT, slow * PRICE_UNIT, status);
        prices.cumulative = latest.cumulativeAt(time) * PRICE_UNIT;
        prices.confirm = _confirm(prices.slow, status);
    }

    /// @inheritdoc IPriceOracle
    function lastPrice() external view returns (uint256) {
        return _latest.price() * PRICE_UNIT;
    }

    /// @inheritdoc IPriceOracle
    function depth() external view returns (uint256) {
        return VENUE == address(0) ? 0 : OracleCall.readWord(VENUE, IPriceVenue.depth.selector);
    }

    /// @notice What is stored: the last record and the checkpoint of the slow price. Prices scaled by 1e36, times as time
    /// stamps, cumulatives in price * seconds.
    /// @param unconfirmedUntil The time stamp until which the last recorded price counts as an unconfirmed jump.
    function records()
        external
        view
        returns (
            uint256 price,
            uint256 recordedAt,
            uint256 cumulative,
            uint256 unconfirmedUntil,
            uint256 checkpointMean,
            uint256 checkpointAt,
            uint256 checkpointCumulative
        )
    {
        (Observation latest, Observation checkpoint) = (_latest, _checkpoint);
        price = latest.price() * PRICE_UNIT;
        recordedAt = DEPLOYED_AT + latest.time();
        cumulative = latest.cumulative() * PRICE_UNIT;
        unconfirmedUntil = recordedAt + latest.mark();
        checkpointMean = checkpoint.price() * PRICE_UNIT;
        checkpointAt = DEPLOYED_AT + checkpoint.time();
        checkpointCumulative = checkpoint.cumulative() * PRICE_UNIT;
    }

    /// @dev Records and returns prices scaled by 1e36.
    function _update() private returns (uint256 fast, uint256 slow, PriceStatus status, uint256 cumulative) {
        uint256 time = block.timestamp - DEPLOYED_AT;
        Observation latest = _latest;
        uint256 price = _readFeeds();
        cumulative = latest.cumulativeAt(time);
        {
            bool jumped;
            Observation checkpoint;
            (fast, slow, status, jumped, checkpoint) = _evaluate(latest, price, time);
            if (price != 0) _record(latest, checkpoint, price, time, slow, cumulative, jumped);
        }
        // No overflow: every stored price times the unit is below 2^224, and time is below 2^32.
        unchecked {
            fast *= PRICE_UNIT;
            slow *= PRICE_UNIT;
            cumulative *= PRICE_UNIT;
        }
    }

    /// @dev What follows from the last record and the feeds' price now (0 if missing), in stored units; the checkpoint as stored,
    /// if the last record is less than a window old.
    function _evaluate(Observation latest, uint256 price, uint256 time)
        private
        view
        returns (uint256 fast, uint256 slow, PriceStatus status, bool jumped, Observation checkpoint)
    {
        unchecked {
            uint256 gap = time - latest.time();
            if (price == 0 && gap > STAND_IN_LIMIT) return (0, 0, PriceStatus.Down, false, checkpoint);
            // The checkpoint's slot need not be read if the last price held through the whole window.
            if (gap < WINDOW) checkpoint = _checkpoint;
            slow = latest.mean(checkpoint, time, WINDOW);
            if (price == 0) return (slow, slow, PriceStatus.Degraded, false, checkpoint);
            fast = price;
            uint256 previous = latest.price();
            uint256 moved = price > previous ? price - previous : previous - price;
            jumped = moved * BASIS_POINTS > previous * STEP;
            if (jumped || gap < latest.mark() || time < WINDOW) status = PriceStatus.Degraded;
        }
    }

    /// @dev Credits the time since the last record to its price, and makes `price` the one in force.
    function _record(
        Observation latest,
        Observation checkpoint,
        uint256 price,
        uint256 time,
        uint256 slow,
        uint256 cumulative,
        bool jumped
    ) private {
        unchecked {
            uint256 gap = time - latest.time();
            if (gap == 0 || (price == latest.price() && gap < WINDOW)) return;
            uint256 unconfirmed;
            if (jumped) {
                unconfirmed = CONFIRMATION_DELAY;
                emit JumpRecorded(latest.price() * PRICE_UNIT, price * PRICE_UNIT, block.timestamp + unconfirmed);
            } else if (latest.mark() > gap) {
                unconfirmed = latest.mark() - gap;
            }
            _latest = OracleWindow.pack(price, time, cumulative, unconfirmed);
            if (gap >= WINDOW || checkpoint.needsCheckpoint(time, WINDOW)) {
                _checkpoint = OracleWindow.pack(slow, time, cumulative, 0);
            }
        }
    }

    /// @dev The feeds' price in stored units, or 0 if a feed is missing. Never more than fits: the constructor has seen to it
    /// that no pair of answers within the bounds exceeds 88 bits or is lost in rounding.
    function _readFeeds() private view returns (uint256) {
        uint256 price = OracleCall.readFeed(BASE_SOURCE, BASE_HEARTBEAT, BASE_MIN_ANSWER, BASE_MAX_ANSWER);
        if (price == 0) return 0;
        unchecked {
            if (QUOTE_SOURCE == address(0)) return price * MULTIPLIER / DIVISOR;
            uint256 quote = OracleCall.readFeed(QUOTE_SOURCE, QUOTE_HEARTBEAT, QUOTE_MIN_ANSWER, QUOTE_MAX_ANSWER);
            return quote == 0 ? 0 : price * MULTIPLIER / (quote * DIVISOR);
        }
    }

    /// @dev The venue's average, or the slow price. Scaled by 1e36.
    function _confirm(uint256 slow, PriceStatus status) private view returns (uint256 confirm) {
        if (status == PriceStatus.Down) return 0;
        if (VENUE != address(0)) confirm = OracleCall.readWord(VENUE, IPriceVenue.averagePrice.selector);
        if (confirm == 0) confirm = slow;
    }

    function _validateFeed(FeedParameters memory feed) private view returns (uint256) {
        _requireContract(feed.source);
        if (feed.heartbeat == 0 || feed.heartbeat > MAX_HEARTBEAT || feed.maxAnswer <= uint256(feed.minAnswer) + 1) {
            revert InvalidFeed(feed.source, feed.heartbeat, feed.minAnswer, feed.maxAnswer);
        }
        return IAggregatorV3(feed.source).decimals();
    }

    function _requireContract(address target) private view {
        if (target.code.length == 0) revert NotAContract(target);
    }
}
