// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";

/// @title Reads from contracts that may be hostile or gone
/// @notice A source that reverts, has no code, returns too little or too much, burns its gas or answers nonsense yields 0 and
/// costs at most its gas limit. It never makes the reader revert, with one exception: a source that yields 0 without having had
/// its whole gas limit proves nothing, because the transaction's sender may have starved it to be served by what stands in
/// for it. That reverts with `InsufficientGas`.
library OracleCall {
    /// @notice A source gave no answer and the transaction was too short of gas to blame the source.
    error InsufficientGas(uint256 available, uint256 required);

    /// @dev Proxied Chainlink feeds take about 15,000, ratio adapters below 80,000.
    uint256 internal constant FEED_GAS = 200_000;

    /// @dev Uniswap v3 `observe` takes below 70,000 at the largest cardinality.
    uint256 internal constant VENUE_GAS = 300_000;

    /// @dev What a call costs before its callee runs: a cold account (2,600), and a margin.
    uint256 private constant CALL_OVERHEAD = 5000;

    /// @notice The answer of a feed, or 0 unless it is strictly between the bounds, dated, not in the future, and at most
    /// `heartbeat` seconds old.
    /// @param minAnswer In the feed's decimals; so is `maxAnswer`. Strict, because aggregators that clamp report the bound.
    function readFeed(address source, uint256 heartbeat, uint256 minAnswer, uint256 maxAnswer)
        internal
        view
        returns (uint256 answer)
    {
        uint256 available = gasleft();
        uint256 selector = uint32(IAggregatorV3.latestRoundData.selector);
        uint256 updatedAt;
        assembly ("memory-safe") {
            let output := mload(0x40)
            mstore(0, shl(224, selector))
            if staticcall(FEED_GAS, source, 0, 4, output, 160) {
                if gt(returndatasize(), 159) {
                    answer := mload(add(output, 32))
                    updatedAt := mload(add(output, 96))
                }
            }
        }
        unchecked {
            // A negative answer is beyond every bound when read as unsigned; a future date makes the age wrap.
            if (
                answer <= minAnswer || answer >= maxAnswer || updatedAt == 0 || updatedAt > block.timestamp
                    || block.timestamp - updatedAt > heartbeat
            ) {
                _requireServed(available, FEED_GAS);
                return 0;
            }
        }
    }

    /// @notice One word from a view function without arguments, or 0.
    function readWord(address source, bytes4 selector) internal view returns (uint256 word) {
        uint256 available = gasleft();
        assembly ("memory-safe") {
            mstore(0, selector)
            if staticcall(VENUE_GAS, source, 0, 4, 0, 32) {
                if gt(returndatasize(), 31) { word := mload(0) }
            }
        }
        if (word == 0) _requireServed(available, VENUE_GAS);
    }

    /// @dev A call may pass on 63/64 of what is left (EIP-150).
    function _requireServed(uint256 available, uint256 limit) private pure {
        uint256 required = limit * 64 / 63 + CALL_OVERHEAD;
        if (available < required) revert InsufficientGas(available, required);
    }
}
