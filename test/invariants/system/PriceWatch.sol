// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {Prices, PriceStatus} from "../../../contracts/types/Price.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";

/// @notice What oracles recorded and when, kept apart from what they keep of it themselves: O2 and O3.
/// @dev The figures are the default plan's. An oracle has to be looked at after every call that may have made it record.
contract PriceWatch {
    /// @param since The time from which the price was in force.
    struct Record {
        uint64 since;
        uint192 price;
    }

    /// @dev Seconds until a jump is confirmed, and of a slow price's window; a jump is a move of more than a tenth.
    uint256 private constant CONFIRMATION_DELAY = 5 minutes;
    uint256 private constant WINDOW = 30 minutes;
    uint256 private constant STEP_DIVISOR = 10;

    CampaignLedger private immutable ledger;

    mapping(address oracle => Record[]) private _records;
    /// @dev The first record that may still weigh in the slow price.
    mapping(address oracle => uint256) private _first;
    mapping(address oracle => uint256) private _confirmedAt;

    constructor(CampaignLedger ledger_) {
        ledger = ledger_;
    }

    /// @notice Learns what the oracle recorded since the last time, and judges what it answers now.
    function look(address oracle) external {
        uint256 last = IPriceOracle(oracle).lastPrice();
        _learn(oracle, last);
        Prices memory prices = IPriceOracle(oracle).peek();
        if (prices.status == PriceStatus.Down) return;
        bool pending = block.timestamp < _confirmedAt[oracle];
        ledger.check(prices.status != PriceStatus.Ok || !(pending || _jumps(last, prices.fast)), S.O2);
        (uint256 least, uint256 most) = _range(oracle);
        // A mean is rounded down, by a few of the stored units, of which a price has 10^9 and more.
        ledger.check(prices.slow <= most && prices.slow + prices.slow / 1e8 >= least, S.O3);
    }

    function _learn(address oracle, uint256 last) private {
        Record[] storage records = _records[oracle];
        uint256 count = records.length;
        if (count != 0) {
            uint256 previous = records[count - 1].price;
            if (previous == last) return;
            if (_jumps(previous, last)) _confirmedAt[oracle] = block.timestamp + CONFIRMATION_DELAY;
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        records.push(Record(uint64(block.timestamp), uint192(last)));
    }

    /// @dev Of the prices that were in force within three windows: nothing older enters a slow price.
    function _range(address oracle) private returns (uint256 least, uint256 most) {
        Record[] storage records = _records[oracle];
        uint256 first = _first[oracle];
        while (first + 1 < records.length && records[first + 1].since + 3 * WINDOW <= block.timestamp) ++first;
        _first[oracle] = first;
        (least, most) = (records[first].price, records[first].price);
        for (uint256 i = first + 1; i < records.length; ++i) {
            uint256 price = records[i].price;
            if (price < least) least = price;
            if (price > most) most = price;
        }
    }

    function _jumps(uint256 from, uint256 to) private pure returns (bool) {
        return (from > to ? from - to : to - from) * STEP_DIVISOR > from;
    }
}
