// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {ICircuitBreaker} from "../../../contracts/interfaces/ICircuitBreaker.sol";
import {ILendingPoolCore, ILendingPoolExtension} from "../../../contracts/interfaces/ILendingPool.sol";
import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {DampedPolicy} from "../../../contracts/liquidation/DampedPolicy.sol";
import {DampedState} from "../../../contracts/liquidation/DampedState.sol";
import {System} from "../../../script/SystemPlan.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice V1: whether a view reverts that integrators and keepers ask: of the pool, its oracles, the breaker's level, the damped policy.
library SystemViews {
    /// @param i The account that is asked of, by its place.
    /// @return The selector of the first view that reverts, or 0.
    function firstToRevert(SystemWorld world, uint256 p, uint256 i) external view returns (bytes4) {
        System memory system = world.system(p);
        address account = world.account(p, i);
        uint256 amount = world.dollars(p, 1000);
        bytes4 selector = _ofMarket(system, account, amount);
        if (selector == 0) selector = _ofPosition(system.pool, account, amount);
        for (uint256 id; id < world.COLLATERALS() && selector == 0; ++id) {
            selector = _ofCollateral(system, account, id, amount);
            if (selector == 0 && p == world.DAMPED()) selector = _ofPolicy(system, account, id);
        }
        return selector;
    }

    function _ofMarket(System memory system, address account, uint256 amount) private view returns (bytes4) {
        address pool = system.pool;
        bytes[] memory calls = new bytes[](15);
        calls[0] = abi.encodeCall(ILendingPoolExtension.marketState, ());
        calls[1] = abi.encodeCall(IERC4626.totalAssets, ());
        calls[2] = abi.encodeCall(IERC4626.convertToShares, (amount));
        calls[3] = abi.encodeCall(IERC4626.convertToAssets, (amount * 1000));
        calls[4] = abi.encodeCall(IERC4626.previewDeposit, (amount));
        calls[5] = abi.encodeCall(IERC4626.previewMint, (amount * 1000));
        calls[6] = abi.encodeCall(IERC4626.previewWithdraw, (amount));
        calls[7] = abi.encodeCall(IERC4626.previewRedeem, (amount * 1000));
        calls[8] = abi.encodeCall(IERC4626.maxDeposit, (account));
        calls[9] = abi.encodeCall(IERC4626.maxMint, (account));
        calls[10] = abi.encodeCall(IERC4626.maxWithdraw, (account));
        calls[11] = abi.encodeCall(IERC4626.maxRedeem, (account));
        calls[12] = abi.encodeCall(ILendingPoolExtension.collateralCount, ());
        address asset = IERC4626(pool).asset();
        calls[13] = abi.encodeCall(IERC3156FlashLender.maxFlashLoan, (asset));
        calls[14] = abi.encodeCall(IERC3156FlashLender.flashFee, (asset, amount));
        bytes4 selector = _firstToRevert(pool, calls);
        if (selector != 0) return selector;
        return _one(system.breaker, abi.encodeCall(ICircuitBreaker.levelOf, (pool)));
    }

    function _ofPosition(address pool, address account, uint256 amount) private view returns (bytes4) {
        bytes[] memory calls = new bytes[](5);
        calls[0] = abi.encodeCall(ILendingPoolExtension.accountHealth, (account));
        calls[1] = abi.encodeCall(ILendingPoolExtension.debtOf, (account));
        calls[2] = abi.encodeCall(ILendingPoolExtension.debtSharesOf, (account));
        calls[3] = abi.encodeCall(ILendingPoolExtension.collateralBitmap, (account));
        calls[4] = abi.encodeCall(ILendingPoolCore.quoteLiquidation, (account, 3, amount)); // nobody holds it
        return _firstToRevert(pool, calls);
    }

    function _ofCollateral(System memory system, address account, uint256 id, uint256 amount)
        private
        view
        returns (bytes4)
    {
        bytes[] memory calls = new bytes[](4);
        calls[0] = abi.encodeCall(ILendingPoolExtension.collateralState, (id));
        calls[1] = abi.encodeCall(ILendingPoolExtension.collateralOf, (account, id));
        calls[2] = abi.encodeCall(ILendingPoolCore.quoteLiquidation, (account, id, amount));
        calls[3] = abi.encodeCall(ILendingPoolCore.quoteLiquidation, (account, id, type(uint256).max));
        bytes4 selector = _firstToRevert(system.pool, calls);
        if (selector != 0) return selector;
        bytes[] memory prices = new bytes[](3);
        prices[0] = abi.encodeCall(IPriceOracle.peek, ());
        prices[1] = abi.encodeCall(IPriceOracle.lastPrice, ());
        prices[2] = abi.encodeCall(IPriceOracle.depth, ());
        return _firstToRevert(system.oracles[id], prices);
    }

    function _ofPolicy(System memory system, address account, uint256 id) private view returns (bytes4) {
        bytes[] memory calls = new bytes[](6);
        calls[0] = abi.encodeCall(DampedPolicy.turnOf, (system.pool, account, block.timestamp));
        calls[1] = bytes.concat(DampedState.bucketOf.selector, abi.encode(system.pool, id));
        calls[2] = bytes.concat(DampedState.storedBucket.selector, abi.encode(system.pool, id));
        calls[3] = bytes.concat(DampedState.flagOf.selector, abi.encode(system.pool, account, id));
        calls[4] = bytes.concat(DampedState.accountEpochOf.selector, abi.encode(system.pool, account));
        calls[5] = bytes.concat(DampedState.observationOf.selector, abi.encode(system.pool, id));
        return _firstToRevert(system.policy, calls);
    }

    function _firstToRevert(address target, bytes[] memory calls) private view returns (bytes4 selector) {
        for (uint256 i; i < calls.length && selector == 0; ++i) {
            selector = _one(target, calls[i]);
        }
    }

    function _one(address target, bytes memory data) private view returns (bytes4) {
        (bool success,) = target.staticcall(data);
        return success ? bytes4(0) : bytes4(data);
    }
}
