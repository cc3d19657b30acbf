// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {IBackstopPool} from "../interfaces/IBackstopPool.sol";
import {ILendingPool, MarketState} from "../interfaces/ILendingPool.sol";
import {WAD} from "../types/Constants.sol";

/// @dev What the pool's owner may do that this contract does.
interface IStewardedPool is ILendingPool {
    function acceptOwnership() external;
    function withdrawReserves(uint256 assets, address receiver) external;
}

/// @title Pays depositors of a backstop their standing premium: a share of what the pool's reserves grow by
/// @notice Owns the pool in the timelock's place. The timelock has every right of an owner through `execute` and may take
/// the ownership back; all that is added is that anybody may have the premium paid.
/// @dev Reserves grow by their part of interest, so the premium is that share of it. Losses are no negative interest: what reserves
/// lose is not made up from the premium, nor is it paid out again before they have grown back, unless somebody calls between.
contract PremiumSteward {
    IStewardedPool public immutable POOL;
    IBackstopPool public immutable BACKSTOP;
    address public immutable TIMELOCK;
    /// @notice The share of the growth of reserves, WAD.
    uint256 public immutable PREMIUM_SHARE;
    address private immutable ASSET;

    /// @notice Reserves up to which growth has been shared, base units of the debt asset.
    uint256 public counted;

    event PremiumDistributed(uint256 growth, uint256 paid, uint256 counted);

    error NotTimelock(address caller);
    error InvalidPremiumShare(uint256 share);
    error ZeroTimelock();

    /// @param timelock Not the zero address: anybody completes a hand-over, and a steward of nobody would keep the pool for good.
    /// @param premiumShare WAD, at most 1.
    constructor(IStewardedPool pool, IBackstopPool backstop, address timelock, uint256 premiumShare) {
        if (timelock == address(0)) revert ZeroTimelock();
        if (premiumShare > WAD) revert InvalidPremiumShare(premiumShare);
        (POOL, BACKSTOP, TIMELOCK, PREMIUM_SHARE) = (pool, backstop, timelock, premiumShare);
        ASSET = pool.assetToken();
        SafeTransferLib.safeApproveWithRetry(ASSET, address(backstop), type(uint256).max);
    }

    /// @notice Completes the hand-over that the timelock began. What reserves hold then is not shared.
    function accept() external {
        POOL.acceptOwnership();
        _withdraw(0);
        counted = POOL.marketState().reserves;
    }

    /// @notice The timelock's calls to the pool.
    function execute(bytes calldata data) external returns (bytes memory) {
        if (msg.sender != TIMELOCK) revert NotTimelock(msg.sender);
        return Address.functionCall(address(POOL), data);
    }

    /// @notice Pays the premium on what reserves grew by. 0 while the backstop has no active depositor. Growth that there is no
    /// cash to pay for is not counted: whoever borrows all cash for a moment does not take the premium from depositors.
    /// What reserves regain after a loss is growth again.
    function distribute() external returns (uint256 paid) {
        MarketState memory state = POOL.marketState();
        uint256 growth = FixedPointMathLib.zeroFloorSub(state.reserves, counted);
        uint256 uncounted;
        BACKSTOP.roll();
        if (BACKSTOP.hasDepositors()) {
            paid = FixedPointMathLib.fullMulDiv(growth, PREMIUM_SHARE, WAD);
            if (paid > state.cash) {
                paid = state.cash;
                uncounted = growth - FixedPointMathLib.fullMulDivUp(paid, WAD, PREMIUM_SHARE);
            }
        }
        counted = state.reserves - uncounted - paid;
        _withdraw(paid);
        if (paid != 0) BACKSTOP.payPremium(paid);
        emit PremiumDistributed(growth, paid, counted);
    }

    /// @dev Also where nothing is to be paid: it is refused during a callback, when cash that is out on credit makes the
    /// reserves look small and what returns would look like growth.
    function _withdraw(uint256 assets) private {
        POOL.withdrawReserves(assets, address(this));
    }
}
