// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Calls from memory to memory
/// @notice What the compiler's call by interface does, without encoding what already lies as it is to be sent and decoding what is
/// kept as it arrives: a revert of the callee is handed on, and an answer that is too short, as that of an account without
/// code, reverts with nothing. Whether the words of the answer are in range is the caller's to check.
library MemoryCall {
    /// @notice Calls `target` and writes the first `outputSize` bytes of its answer to `output`.
    /// @param input Where the call data begin.
    function send(address target, uint256 input, uint256 inputSize, uint256 output, uint256 outputSize) internal {
        assembly ("memory-safe") {
            if iszero(call(gas(), target, 0, input, inputSize, output, outputSize)) {
                let reason := mload(0x40)
                returndatacopy(reason, 0, returndatasize())
                revert(reason, returndatasize())
            }
            if lt(returndatasize(), outputSize) { revert(0, 0) }
        }
    }

    /// @notice Reverts with nothing where the word at `position` exceeds `greatest`: a value that is none of its enum.
    function requireAtMost(uint256 position, uint256 greatest) internal pure {
        assembly ("memory-safe") {
            if gt(mload(position), greatest) { revert(0, 0) }
        }
    }
}
