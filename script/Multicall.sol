// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

/// @title Many calls in one, as Multicall3 answers them
/// @notice For chains without Multicall3, such as a fresh local one: the part of its interface that readers use. It holds no
/// value and nobody's allowance; what it calls sees this contract as the caller.
contract Multicall {
    /// @param target The contract to call. One without code answers with success and nothing.
    /// @param allowFailure Whether the whole goes on if this call reverts.
    /// @param callData What to call it with.
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    /// @param success Whether the call did not revert.
    /// @param returnData What it answered or reverted with.
    struct Result {
        bool success;
        bytes returnData;
    }

    /// @notice A call that may not fail did.
    /// @param index Its place among the calls.
    /// @param returnData What it reverted with.
    error CallFailed(uint256 index, bytes returnData);

    /// @notice Calls one after another.
    /// @return results In the order of the calls.
    function aggregate3(Call3[] calldata calls) external returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            (bool success, bytes memory returnData) = calls[i].target.call(calls[i].callData);
            if (!success && !calls[i].allowFailure) revert CallFailed(i, returnData);
            results[i] = Result({success: success, returnData: returnData});
        }
    }

    /// @notice The number of the block that a batch is read in.
    function getBlockNumber() external view returns (uint256) {
        return block.number;
    }

    /// @notice The time stamp of that block.
    function getCurrentBlockTimestamp() external view returns (uint256) {
        return block.timestamp;
    }

    /// @notice The base fee of that block; 0 in a call without a gas price.
    function getBasefee() external view returns (uint256) {
        return block.basefee;
    }

    /// @notice Wei held by `account`.
    function getEthBalance(address account) external view returns (uint256) {
        return account.balance;
    }
}
