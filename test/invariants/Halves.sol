// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";

/// @notice What is left to whoever gains by a call (P6). `Worth`: assets, and collateral 0 or 1 at its fast price.
enum Measure {
    Shares,
    Assets,
    Debt,
    Worth0,
    Worth1
}

/// @notice Makes a call of the pool in two halves, in a frame that is undone, so that the whole can be compared with them.
contract Halves is Test {
    IPoolUnderTest private immutable POOL;
    SimToken private immutable ASSET;

    /// @dev What ends the frame: what was left, or what the pool refused a half with.
    error Halved(int256 left);
    error Refused(bytes answer);

    constructor(IPoolUnderTest pool) {
        (POOL, ASSET) = (pool, SimToken(pool.asset()));
    }

    /// @notice What would be left to `account` if `from` made both calls.
    /// @return made Whether neither was refused: else there is nothing to compare.
    /// @return result What would be left.
    /// @return answer What one was refused with.
    function tried(address from, bytes[2] calldata calls, Measure measure, address account)
        external
        returns (bool made, int256 result, bytes memory answer)
    {
        try this.make(from, calls, measure, account) {}
        catch (bytes memory end) {
            made = bytes4(end) == Halved.selector;
            assembly ("memory-safe") {
                // without the selector
                mstore(add(end, 4), sub(mload(end), 4))
                end := add(end, 4)
            }
            if (made) result = abi.decode(end, (int256));
            else answer = abi.decode(end, (bytes));
        }
    }

    /// @dev Half of a liquidation is to gain no more than the whole either.
    function make(address from, bytes[2] calldata calls, Measure measure, address account) external {
        for (uint256 i; i < 2; ++i) {
            vm.prank(from);
            (bool success, bytes memory answer) = address(POOL).call(calls[i]);
            if (!success && (i == 0 || measure < Measure.Worth0)) revert Refused(answer);
        }
        revert Halved(score(measure, account));
    }

    /// @notice The more the better.
    function score(Measure measure, address account) public view returns (int256) {
        if (measure == Measure.Shares) return int256(POOL.balanceOf(account));
        if (measure == Measure.Debt) return -int256(POOL.debtOf(account));
        int256 assets = int256(ASSET.balanceOf(account));
        if (measure == Measure.Assets) return assets;
        uint256 id = measure == Measure.Worth0 ? 0 : 1;
        uint256 held = SimToken(POOL.collateralState(id).token).balanceOf(account);
        return assets + int256(held * IPriceOracle(POOL.collateralState(id).oracle).peek().fast / 1e36);
    }
}
