// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {AccountHealth, CollateralState, ILendingPoolExtension, MarketState} from "../interfaces/ILendingPool.sol";
import {RateCurve} from "../libraries/RateCurve.sol";
import {SharesMath} from "../libraries/SharesMath.sol";
import {BASIS_POINT} from "../types/Constants.sol";
import {PriceStatus, Prices} from "../types/Price.sol";
import {PoolPositions, Valuation} from "./PoolPositions.sol";
import {CollateralListing, Market, Position} from "./PoolStorage.sol";
import {PoolWords, RiskWord} from "./PoolWords.sol";

/// @title Reading the pool: ERC-4626's views, the share's metadata, accounts and the market
abstract contract PoolViews is PoolPositions, ILendingPoolExtension {
    /// @notice The asset's decimals and the virtual shares' three.
    uint8 public immutable decimals;

    /// @notice The asset must report its decimals: there is no sensible default.
    error DecimalsUnreadable(address asset);

    constructor(address asset_) {
        (bool success, bytes memory result) = asset_.staticcall(abi.encodeCall(IERC20Metadata.decimals, ()));
        if (!success || result.length != 32 || uint256(bytes32(result)) > 36) revert DecimalsUnreadable(asset_);
        // forge-lint: disable-next-line(unsafe-typecast)
        decimals = uint8(uint256(bytes32(result))) + 3;
    }

    function name() external view returns (string memory) {
        return _name;
    }

    function symbol() external view returns (string memory) {
        return _symbol;
    }

    // -- views: ERC-4626

    function asset() external view returns (address) {
        return _asset;
    }

    function totalAssets() external view returns (uint256) {
        return _accrued().lenderAssets;
    }

    function convertToShares(uint256 assets) external view returns (uint256) {
        return previewDeposit(assets);
    }

    function convertToAssets(uint256 shares) external view returns (uint256) {
        return previewRedeem(shares);
    }

    function previewDeposit(uint256 assets) public view returns (uint256) {
        Market memory market = _accrued();
        return SharesMath.toSharesDown(assets, market.lenderAssets, market.supplyShares);
    }

    function previewMint(uint256 shares) external view returns (uint256) {
        Market memory market = _accrued();
        return SharesMath.toAssetsUp(shares, market.lenderAssets, market.supplyShares);
    }

    function previewWithdraw(uint256 assets) external view returns (uint256) {
        Market memory market = _accrued();
        return SharesMath.toSharesUp(assets, market.lenderAssets, market.supplyShares);
    }

    function previewRedeem(uint256 shares) public view returns (uint256) {
        Market memory market = _accrued();
        return SharesMath.toAssetsDown(shares, market.lenderAssets, market.supplyShares);
    }

    /// @dev What the cap leaves, and what the books' shares leave: after losses a share is cheap and there are many.
    function maxDeposit(address receiver) external view returns (uint256 assets) {
        Market memory market = _accrued();
        (uint256 room, uint256 shareRoom) = _supplyRoom(market, receiver);
        assets = FixedPointMathLib.min(
            room, SharesMath.toAssetsUp(shareRoom + 1, market.lenderAssets, market.supplyShares) - 1
        );
        // A deposit that rounds to no share is refused.
        if (SharesMath.toSharesDown(assets, market.lenderAssets, market.supplyShares) == 0) assets = 0;
    }

    /// @dev Down: what it costs is then within the cap.
    function maxMint(address receiver) external view returns (uint256) {
        Market memory market = _accrued();
        (uint256 room, uint256 shareRoom) = _supplyRoom(market, receiver);
        return FixedPointMathLib.min(shareRoom, SharesMath.toSharesDown(room, market.lenderAssets, market.supplyShares));
    }

    function maxWithdraw(address owner_) external view returns (uint256) {
        return FixedPointMathLib.min(previewRedeem(_balances[owner_]), _cash());
    }

    /// @dev The most shares that pay no more than the cash: one less than the fewest that pay more.
    function maxRedeem(address owner_) external view returns (uint256 shares) {
        Market memory market = _accrued();
        shares = FixedPointMathLib.min(
            _balances[owner_], SharesMath.toSharesUp(_cash() + 1, market.lenderAssets, market.supplyShares) - 1
        );
        // Shares that are worth nothing cannot be redeemed.
        if (SharesMath.toAssetsDown(shares, market.lenderAssets, market.supplyShares) == 0) shares = 0;
    }

    /// @dev The assets below the cap, and the shares that the books still have room for. Nobody mints to the zero address.
    function _supplyRoom(Market memory market, address receiver)
        private
        view
        returns (uint256 room, uint256 shareRoom)
    {
        if (receiver == address(0)) return (0, 0);
        room = FixedPointMathLib.zeroFloorSub(_supplyCap, market.lenderAssets);
        shareRoom = type(uint104).max - market.supplyShares;
    }

    // -- views: the pool

    function assetToken() external view returns (address) {
        return _asset;
    }

    function policy() external view returns (address) {
        return _policy.policy;
    }

    function breaker() external view returns (address) {
        return _breaker;
    }

    function collateralCount() external view returns (uint256) {
        return _collateralCount;
    }

    function collateralState(uint256 id) external view returns (CollateralState memory state) {
        _requireListed(id);
        RiskWord risk = PoolWords.load(_risk[id]);
        CollateralListing memory listing = _listing[id];
        state.token = listing.token;
        state.oracle = risk.oracle();
        state.borrowLtv = _ramped(risk.ltvFrom(), risk.ltvTo(), risk.rampStart());
        state.liquidationThreshold = _threshold(risk);
        state.maxBonus = uint256(listing.maxBonus) * BASIS_POINT;
        state.slippageMargin = uint256(listing.slippageMargin) * BASIS_POINT;
        state.confirmationBand = uint256(listing.confirmationBand) * BASIS_POINT;
        state.group = listing.group;
        state.damped = listing.damped;
        state.frozen = listing.frozen;
        (state.total, state.cap) = _totalOf(id);
    }

    function collateralOf(address account, uint256 collateralId) external view returns (uint256) {
        return _amountOf(_load(account), account, collateralId);
    }

    function collateralBitmap(address account) external view returns (uint256) {
        return _positions[account].bitmap;
    }

    function debtSharesOf(address account) external view returns (uint256) {
        return _positions[account].debtShares;
    }

    function debtOf(address account) external view returns (uint256) {
        return _owed(_accrued(), _positions[account].debtShares);
    }

    function accountHealth(address account) external view returns (AccountHealth memory health) {
        Position memory position = _load(account);
        Prices[] memory prices = _peekPrices(position.bitmap);
        Valuation memory valuation = _valuation(position, account, prices);
        health.debt = _owed(_accrued(), position.debtShares);
        health.collateralValue = valuation.collateralValue;
        health.healthFast = _health(valuation.weightedFast, health.debt);
        health.healthConfirmed = _health(valuation.weightedConfirmed, health.debt);
        health.healthHard = valuation.healthHard;
        health.priceDown = valuation.down;
        uint256 bitmap = position.bitmap;
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            if (prices[id].status != PriceStatus.Ok) {
                health.borrowLimit = 0;
                break;
            }
            health.borrowLimit += _borrowable(
                _amountOf(position, account, id), prices[id].fast, prices[id].slow, PoolWords.load(_risk[id])
            );
        }
    }

    function marketState() external view returns (MarketState memory state) {
        Market memory market = _accrued();
        state.lenderAssets = market.lenderAssets;
        state.supplyShares = market.supplyShares;
        state.totalDebt = market.totalDebt;
        state.debtShares = market.debtShares;
        state.cash = _cash();
        state.reserves = _reserves(market, state.cash);
        state.rateAtTarget = RateCurve.rateOf(market.logRateAtTarget);
    }
}
