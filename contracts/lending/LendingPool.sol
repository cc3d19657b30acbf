// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";

import {ILendingPoolCore, IRepayCallback, ISupplyCollateralCallback} from "../interfaces/ILendingPool.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {SharesMath} from "../libraries/SharesMath.sol";
import {TokenTransfer} from "../libraries/TokenTransfer.sol";
import {PriceStatus} from "../types/Price.sol";
import {PoolAccounting} from "./PoolAccounting.sol";
import {PoolLiquidation} from "./PoolLiquidation.sol";
import {PoolParameters} from "./PoolParameters.sol";
import {PoolPositions} from "./PoolPositions.sol";
import {PoolShares} from "./PoolShares.sol";
import {Market, Position} from "./PoolStorage.sol";
import {ListingWord, PoolWords} from "./PoolWords.sol";

/// @dev What the pool's constructor asks of its extension.
interface IExtensionCode {
    function immutablesHash() external view returns (bytes32);
    function initialize(PoolParameters calldata p) external;
}

/// @title The lending pool
/// @notice See `ILendingPool`; lenders use it as an ERC-4626 vault of the debt asset.
/// @dev Everything that is called often is here; everything else is `LendingPoolExtension`'s, which runs in this contract's
/// storage (24,576 bytes do not hold both).
contract LendingPool is PoolShares, PoolLiquidation, Multicallable {
    bytes32 private constant FLASH_BORROWER_ANSWER = keccak256("ERC3156FlashBorrower.onFlashLoan");

    /// @notice Where calls go that this contract does not know.
    address public immutable extension;

    event Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares);
    event Withdraw(
        address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares
    );

    /// @notice The extension was built for another asset, rate curve or breaker.
    error ExtensionMismatch(address extension);
    error ZeroAmount();
    error SupplyCapExceeded(uint256 assets, uint256 cap);
    error BorrowCapExceeded(uint256 debt, uint256 cap);
    error CollateralCapExceeded(uint256 collateralId, uint256 amount, uint256 cap);
    error NotAuthorized(address account, address caller);
    error NewRiskIsFrozen();
    error CollateralIsFrozen(uint256 collateralId);
    /// @notice The account holds a collateral of another group.
    error GroupMismatch(uint256 collateralId, uint256 heldCollateralId);
    error DebtBelowMinimum(uint256 debt, uint256 minDebt);
    error InsufficientCollateral(uint256 collateralId, uint256 held, uint256 needed);
    error NothingOwed(address account);
    error UnsupportedFlashToken(address token);
    error FlashBorrowerRefused(address receiver);

    constructor(PoolParameters memory p, address extension_)
        Ownable(p.owner)
        PoolAccounting(p.asset, p.rateModel)
        PoolPositions(p.breaker)
    {
        if (IExtensionCode(extension_).immutablesHash() != immutablesHash()) {
            revert ExtensionMismatch(extension_);
        }
        extension = extension_;
        (bool success, bytes memory reason) = extension_.delegatecall(abi.encodeCall(IExtensionCode.initialize, (p)));
        if (!success) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    /// @dev Hands the call, its sender and its answer through unchanged.
    fallback() external {
        address target = extension;
        assembly ("memory-safe") {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if success { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }

    // -- lenders: ERC-4626

    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        Market memory market = _accrued();
        shares = SharesMath.toSharesDown(assets, market.lenderAssets, market.supplyShares);
        _deposit(market, assets, shares, receiver);
    }

    function mint(uint256 shares, address receiver) external returns (uint256 assets) {
        Market memory market = _accrued();
        assets = SharesMath.toAssetsUp(shares, market.lenderAssets, market.supplyShares);
        _deposit(market, assets, shares, receiver);
    }

    function withdraw(uint256 assets, address receiver, address owner_) external returns (uint256 shares) {
        Market memory market = _accrued();
        shares = SharesMath.toSharesUp(assets, market.lenderAssets, market.supplyShares);
        _withdraw(market, assets, shares, receiver, owner_);
    }

    function redeem(uint256 shares, address receiver, address owner_) external returns (uint256 assets) {
        Market memory market = _accrued();
        assets = SharesMath.toAssetsDown(shares, market.lenderAssets, market.supplyShares);
        _withdraw(market, assets, shares, receiver, owner_);
    }

    function _deposit(Market memory market, uint256 assets, uint256 shares, address receiver) private {
        if (assets == 0 || shares == 0) revert ZeroAmount();
        uint256 cap = _supplyCap;
        uint256 lenderAssets = market.lenderAssets + assets;
        if (lenderAssets > cap) revert SupplyCapExceeded(lenderAssets, cap);
        (market.lenderAssets, market.supplyShares) = (lenderAssets, _toUint104(market.supplyShares + shares));
        _store(market);
        _mintShares(receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
        _pull(_asset, assets);
    }

    function _withdraw(Market memory market, uint256 assets, uint256 shares, address receiver, address owner_) private {
        if (receiver == address(0)) revert ZeroAddress();
        if (assets == 0 || shares == 0) revert ZeroAmount();
        _spendAllowance(owner_, shares);
        _burnShares(owner_, shares);
        _subtractSupply(market, assets, shares);
        _store(market);
        emit Withdraw(msg.sender, receiver, owner_, assets, shares);
        _push(_asset, receiver, assets);
    }

    // -- borrowers

    /// @inheritdoc ILendingPoolCore
    function supplyCollateral(uint256 collateralId, uint256 amount, address account, bytes calldata data) external {
        if (amount == 0) revert ZeroAmount();
        Position memory position = _load(account);
        address token = PoolWords.load(_listing[collateralId]).token();
        if (token == address(0)) revert UnknownCollateral(collateralId, _collateralCount);
        if (!_isHeld(position, collateralId)) {
            _requireAuthorized(account);
            _requireMayEnter(position, collateralId);
        }
        {
            (uint256 before, uint256 cap) = _totalOf(collateralId);
            uint256 total = before + amount;
            // Whoever fills the cap must not keep an account in debt from topping up; `borrow` and `withdrawCollateral` hold new
            // risk to the cap.
            if (total > cap && position.debtShares == 0) revert CollateralCapExceeded(collateralId, total, cap);
            if (total > type(uint128).max) revert AmountTooLarge(total);
            _setTotal(collateralId, before > cap, total, cap);
        }
        uint256 balance = _amountOf(position, account, collateralId) + amount;
        _setAmount(position, account, collateralId, balance);
        _store(position);
        emit CollateralSupplied(collateralId, account, msg.sender, amount, balance);

        if (data.length != 0) {
            bool outer = _lock();
            ISupplyCollateralCallback(msg.sender).onSupplyCollateral(collateralId, amount, data);
            _unlock(outer);
        }
        _pull(token, amount);
    }

    /// @inheritdoc ILendingPoolCore
    function withdrawCollateral(uint256 collateralId, uint256 amount, address account, address receiver) external {
        _requireAuthorized(account);
        if (receiver == address(0)) revert ZeroAddress();
        if (amount == 0) revert ZeroAmount();
        Position memory position = _load(account);
        uint256 held = _amountOf(position, account, collateralId);
        if (amount > held) revert InsufficientCollateral(collateralId, held, amount);
        _removeCollateral(position, account, collateralId, amount, held);
        _store(position);
        if (position.debtShares != 0) {
            Market memory market = _accrued();
            if (market.newRiskFrozen) revert NewRiskIsFrozen();
            _requireWithinLimit(position, account, _owed(market, position.debtShares));
            // What leaves is no longer behind the debt. Where what stays is above its cap, that would be new risk on it.
            uint256 others = position.bitmap & ~(1 << collateralId);
            if (others != 0) _requireWithinCaps(others);
        }
        emit CollateralWithdrawn(collateralId, account, msg.sender, receiver, amount, held - amount);
        _push(PoolWords.load(_listing[collateralId]).token(), receiver, amount);
    }

    /// @inheritdoc ILendingPoolCore
    function borrow(uint256 assets, address account, address receiver) external {
        _requireAuthorized(account);
        if (receiver == address(0)) revert ZeroAddress();
        if (assets == 0) revert ZeroAmount();
        Market memory market = _accrued();
        if (market.newRiskFrozen) revert NewRiskIsFrozen();
        uint256 shares = SharesMath.debtToSharesUp(assets, market.totalDebt, market.debtShares);
        _addDebt(market, assets, shares);
        Position memory position = _load(account);
        position.debtShares = _toUint104(position.debtShares + shares);
        uint256 debt = _owed(market, position.debtShares);
        uint256 overCap = _requireWithinBorrowLimits(market.totalDebt, debt);
        _requireWithinLimit(position, account, debt);
        if (overCap & position.bitmap != 0) _revertOverCap(overCap & position.bitmap);
        _store(position);
        _store(market);
        emit Borrowed(account, msg.sender, receiver, assets, position.debtShares);
        _push(_asset, receiver, assets);
    }

    /// @inheritdoc ILendingPoolCore
    function repay(uint256 assets, address account, bytes calldata data) external returns (uint256 repaid) {
        Position memory position = _load(account);
        if (position.debtShares == 0) revert NothingOwed(account);
        if (assets == 0) revert ZeroAmount();
        Market memory market = _accrued();
        uint256 debt = _owed(market, position.debtShares);
        repaid = FixedPointMathLib.min(assets, debt);
        _burnDebt(market, position, repaid, debt);
        _store(position);
        _store(market);
        emit Repaid(account, msg.sender, repaid, position.debtShares);

        if (data.length != 0) {
            bool outer = _lock();
            IRepayCallback(msg.sender).onRepay(repaid, data);
            _unlock(outer);
        }
        _pull(_asset, repaid);
    }

    function _requireAuthorized(address account) private view {
        if (msg.sender != account && !_authorized[account][msg.sender]) revert NotAuthorized(account, msg.sender);
    }

    /// @dev A collateral enters only unfrozen, with a price, and only beside collaterals of its own group.
    function _requireMayEnter(Position memory position, uint256 id) private view {
        ListingWord listing = PoolWords.load(_listing[id]);
        if (listing.frozen()) revert CollateralIsFrozen(id);
        PriceStatus status = IPriceOracle(_risk[id].oracle).peek().status;
        if (status == PriceStatus.Down) revert PriceNotUsable(id, status);
        uint256 bitmap = position.bitmap;
        for (uint256 held; bitmap >> held != 0; ++held) {
            if ((bitmap >> held) & 1 != 0 && _listing[held].group != listing.group()) revert GroupMismatch(id, held);
        }
    }

    /// @dev One load for all that a loan is held to whoever takes it.
    /// @return overCap The collaterals that nobody borrows against, a bit each.
    function _requireWithinBorrowLimits(uint256 totalDebt, uint256 debt) private view returns (uint256 overCap) {
        uint256 word;
        assembly ("memory-safe") {
            word := sload(_borrowLimits.slot)
        }
        uint256 cap = uint104(word);
        if (totalDebt > cap) revert BorrowCapExceeded(totalDebt, cap);
        uint256 minimum = uint88(word >> 104);
        if (debt < minimum) revert DebtBelowMinimum(debt, minimum);
        return uint16(word >> 192);
    }

    function _requireWithinCaps(uint256 bitmap) private view {
        uint256 overCap = _borrowLimits.overCap & bitmap;
        if (overCap != 0) _revertOverCap(overCap);
    }

    function _revertOverCap(uint256 overCap) private view {
        uint256 id = FixedPointMathLib.log2(overCap & (~overCap + 1));
        (uint256 total, uint256 cap) = _totalOf(id);
        revert CollateralCapExceeded(id, total, cap);
    }

    // -- flash loans: ERC-3156, of the asset, free

    function maxFlashLoan(address token) external view returns (uint256) {
        return token == _asset && !_inCallback ? _cash() : 0;
    }

    function flashFee(address token, uint256) external view returns (uint256) {
        if (token != _asset) revert UnsupportedFlashToken(token);
        return 0;
    }

    function flashLoan(IERC3156FlashBorrower receiver, address token, uint256 amount, bytes calldata data)
        external
        returns (bool)
    {
        _requireNoCallback();
        if (token != _asset) revert UnsupportedFlashToken(token);
        emit FlashLoan(address(receiver), msg.sender, amount, 0);
        _inCallback = true;
        _push(token, address(receiver), amount);
        if (receiver.onFlashLoan(msg.sender, token, amount, 0, data) != FLASH_BORROWER_ANSWER) {
            revert FlashBorrowerRefused(address(receiver));
        }
        TokenTransfer.pull(token, address(receiver), amount);
        _inCallback = false;
        return true;
    }
}
