// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {AbsorptionResult, BackstopAccount, BackstopState, IBackstopPool} from "../interfaces/IBackstopPool.sol";
import {CollateralState, ILendingPool, ILiquidateCallback, LiquidationResult} from "../interfaces/ILendingPool.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {LiquidationMath} from "../libraries/LiquidationMath.sol";
import {TokenTransfer} from "../libraries/TokenTransfer.sol";
import {WAD} from "../types/Constants.sol";
import {Prices, PriceStatus} from "../types/Price.sol";
import {BackstopAccounting} from "./BackstopAccounting.sol";
import {BackstopParameters, BackstopParametersLib} from "./BackstopParameters.sol";
import {BackstopSale} from "./BackstopSale.sol";
import {BackstopShares} from "./BackstopShares.sol";
import {Depositor, Inventory, Stake} from "./BackstopStorage.sol";

/// @dev What the pool's policy must offer for an absorption; see `BackstopPolicy`.
interface IAbsorptionPolicy {
    function openAbsorption(address account, uint256 collateralId) external;
}

/// @title The backstop
/// @notice See `IBackstopPool`; who owns what is derived in `BackstopAccounting`.
contract BackstopPool is BackstopShares, BackstopSale, IBackstopPool, ILiquidateCallback {
    using SafeCastLib for uint256;

    /// @dev Collaterals that a pool can list.
    uint256 private constant MAX_COLLATERALS = 16;

    address public immutable ASSET;
    uint256 public immutable MINIMUM_LEFT;
    uint256 public immutable MINIMUM_DEPOSIT;
    uint256 public immutable CALLER_SHARE;

    error ZeroAmount();
    error UnexpectedCallback(address caller);
    error DepositTooSmall(uint256 assets, uint256 minimum);
    /// @notice The backstop has less than is to be paid.
    error InsufficientAssets(uint256 absorbable, uint256 needed);
    /// @notice The collateral is worth less than what it cost.
    error LossAtOracle(uint256 value, uint256 repaid);
    /// @notice There is no fast price: the slow one stands in for it, and in a fall it is too high to buy at.
    error NoFastPrice(uint256 collateralId);

    constructor(BackstopParameters memory p)
        BackstopAccounting(_validated(p).periodSeconds)
        BackstopShares(p.name, p.symbol, IERC20Metadata(ILendingPool(p.pool).assetToken()).decimals())
        BackstopSale(p)
    {
        ASSET = ILendingPool(p.pool).assetToken();
        MINIMUM_LEFT = p.minimumLeft;
        MINIMUM_DEPOSIT = p.minimumDeposit;
        CALLER_SHARE = p.callerShare;
        SafeTransferLib.safeApproveWithRetry(ASSET, p.pool, type(uint256).max);
    }

    /// @notice The length of a period, seconds.
    function periodSeconds() external view returns (uint256) {
        return PERIOD;
    }

    // -- depositors

    /// @inheritdoc IBackstopPool
    function deposit(uint256 assets) external nonReentrant {
        if (assets < MINIMUM_DEPOSIT) revert DepositTooSmall(assets, MINIMUM_DEPOSIT);
        _roll();
        _queueEntry(msg.sender, assets);
        TokenTransfer.pull(ASSET, msg.sender, assets);
    }

    /// @inheritdoc IBackstopPool
    function requestExit(uint256 shares) external nonReentrant {
        if (shares == 0) revert ZeroAmount();
        _roll();
        _queueExit(msg.sender, shares);
    }

    /// @inheritdoc IBackstopPool
    function claimAssets(address receiver) external nonReentrant returns (uint256 assets) {
        _roll();
        Depositor memory a = _bringUpToDate(msg.sender);
        assets = a.owed;
        a.owed = 0;
        _storeAccount(msg.sender, a);
        emit AssetsClaimed(msg.sender, receiver, assets);
        if (assets != 0) SafeTransferLib.safeTransfer(ASSET, receiver, assets);
    }

    /// @inheritdoc IBackstopPool
    function claimCollateral(uint256 collateralId, address receiver) external nonReentrant returns (uint256 amount) {
        _roll();
        _storeAccount(msg.sender, _bringUpToDate(msg.sender));
        uint256 units;
        (amount, units) = _takeInKind(msg.sender, collateralId);
        emit CollateralClaimed(msg.sender, collateralId, receiver, amount, units);
        if (amount == 0) return 0;
        SafeTransferLib.safeTransfer(POOL.collateralState(collateralId).token, receiver, amount);
    }

    // -- absorption

    /// @inheritdoc IBackstopPool
    /// @dev The policy sizes and prices it, but cannot make depositors pay more than the oracle says the collateral is worth,
    /// but for the unit that rounding takes.
    function absorb(address account, uint256 collateralId)
        external
        nonReentrant
        returns (AbsorptionResult memory absorption)
    {
        _roll();
        uint256 room = absorbable();
        IAbsorptionPolicy(POOL.policy()).openAbsorption(account, collateralId);
        LiquidationResult memory result = POOL.liquidate(account, collateralId, room, "");
        if (result.repaid > room) revert InsufficientAssets(room, result.repaid);

        CollateralState memory state = POOL.collateralState(collateralId);
        uint256 price = _fastPrice(collateralId, state.oracle);
        uint256 value = LiquidationMath.valueDown(result.seized, price);
        if (value + LiquidationMath.valueDown(1, price) + 1 < result.repaid) revert LossAtOracle(value, result.repaid);
        uint256 reward = _reward(result.seized, value, result.repaid);
        absorption = AbsorptionResult(result.repaid, result.seized - reward, reward);
        _spend(result.repaid);
        _stock(collateralId, absorption.kept);
        emit Absorbed(account, collateralId, msg.sender, absorption.repaid, absorption.kept, reward);
        if (reward != 0) SafeTransferLib.safeTransfer(state.token, msg.sender, reward);
    }

    /// @inheritdoc IBackstopPool
    /// @dev What a token does not hand over the pool gives back to the account, though the settler pays for it: such a
    /// settlement is at a loss here and reverts.
    function settle(address account) external nonReentrant returns (uint256 repaid, uint256 writtenOff) {
        _roll();
        uint256 reserves = POOL.marketState().reserves;
        uint256[MAX_COLLATERALS] memory received;
        uint256 bitmap = POOL.collateralBitmap(account);
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 != 0) received[id] = SafeTransferLib.balanceOf(_token(id), address(this));
        }
        uint256 stipend = SafeTransferLib.balanceOf(ASSET, address(this));
        {
            LiquidationResult memory result = POOL.settle(account, abi.encode(msg.sender));
            (repaid, writtenOff) = (result.repaid, result.writtenOff);
        }
        uint256 fromBackstop = FixedPointMathLib.min(repaid, absorbable());
        stipend = SafeTransferLib.balanceOf(ASSET, address(this)) + fromBackstop - stipend;
        if (fromBackstop != 0) _spend(fromBackstop);
        _keepSettled(account, bitmap, received, repaid, fromBackstop);
        uint256 fromReserves = FixedPointMathLib.min(writtenOff, FixedPointMathLib.zeroFloorSub(reserves, stipend));
        emit WaterfallSettled(
            account, msg.sender, fromBackstop, repaid - fromBackstop, fromReserves, writtenOff - fromReserves, stipend
        );
        if (stipend != 0) SafeTransferLib.safeTransfer(ASSET, msg.sender, stipend);
    }

    /// @inheritdoc ILiquidateCallback
    /// @dev The pool calls back whoever called it, and this contract asks for it in `settle` alone: `data` are its own.
    function onLiquidate(uint256 repaid, bytes calldata data) external {
        if (msg.sender != address(POOL)) revert UnexpectedCallback(msg.sender);
        uint256 room = absorbable();
        if (repaid > room) TokenTransfer.pull(ASSET, abi.decode(data, (address)), repaid - room);
    }

    /// @dev Divides what a settlement brought between backstop and caller by what each paid, rewards the caller, and refuses a
    /// loss.
    /// @param received What was held of each collateral before; overwritten.
    function _keepSettled(
        address account,
        uint256 bitmap,
        uint256[MAX_COLLATERALS] memory received,
        uint256 repaid,
        uint256 fromBackstop
    ) private {
        uint256 value;
        for (uint256 id; bitmap >> id != 0; ++id) {
            if ((bitmap >> id) & 1 == 0) continue;
            received[id] = SafeTransferLib.balanceOf(_token(id), address(this)) - received[id];
            if (received[id] == 0) continue;
            value += LiquidationMath.valueDown(received[id], _fastPrice(id, POOL.collateralState(id).oracle));
        }
        if (value < repaid) revert LossAtOracle(value, repaid);
        for (uint256 id; bitmap >> id != 0; ++id) {
            if (received[id] == 0) continue;
            // What nobody paid for is worth nothing, and the caller's. Rounded up: a unit of a token with few decimals is worth much.
            uint256 kept = repaid == 0 ? 0 : FixedPointMathLib.fullMulDivUp(received[id], fromBackstop, repaid);
            kept -= _reward(kept, value, repaid);
            if (kept != 0) _stock(id, kept);
            uint256 handedOver = received[id] - kept;
            emit SettlementCollateral(account, id, msg.sender, kept, handedOver);
            if (handedOver != 0) SafeTransferLib.safeTransfer(_token(id), msg.sender, handedOver);
        }
    }

    /// @dev The caller's share of the discount, in collateral, rounded down.
    function _reward(uint256 seized, uint256 value, uint256 repaid) private view returns (uint256) {
        if (value <= repaid) return 0;
        return FixedPointMathLib.fullMulDiv(seized, CALLER_SHARE * (value - repaid), value * WAD);
    }

    /// @dev A degraded price that equals the slow one is taken for the slow one, which it is not where a price stands still in an
    /// oracle's first window, or for longer than a window after a jump that is not confirmed by then.
    function _fastPrice(uint256 id, address oracle) private view returns (uint256) {
        Prices memory prices = IPriceOracle(oracle).peek();
        if (prices.status == PriceStatus.Degraded && prices.fast == prices.slow) revert NoFastPrice(id);
        return prices.fast;
    }

    function _token(uint256 id) private view returns (address) {
        return POOL.collateralState(id).token;
    }

    // -- release

    /// @inheritdoc IBackstopPool
    function buy(uint256 collateralId, uint256 maxAmount, uint256 maxPaid, address receiver)
        external
        nonReentrant
        returns (uint256 amount, uint256 paid)
    {
        _roll();
        CollateralState memory state;
        (amount, paid, state) = _release(collateralId, maxAmount);
        if (paid > maxPaid) revert PriceAboveLimit(paid, maxPaid);
        emit InventorySold(collateralId, msg.sender, amount, paid);
        TokenTransfer.pull(ASSET, msg.sender, paid);
        SafeTransferLib.safeTransfer(state.token, receiver, amount);
    }

    /// @inheritdoc IBackstopPool
    function observe(uint256 collateralId) external nonReentrant {
        _observe(collateralId);
    }

    /// @inheritdoc IBackstopPool
    function payPremium(uint256 assets) external nonReentrant {
        _roll();
        _addGains(assets);
        emit PremiumPaid(msg.sender, assets);
        TokenTransfer.pull(ASSET, msg.sender, assets);
    }

    /// @inheritdoc IBackstopPool
    function roll() external nonReentrant {
        _roll();
    }

    // -- views

    /// @inheritdoc IBackstopPool
    function absorbable() public view returns (uint256) {
        return FixedPointMathLib.zeroFloorSub(_activeAssets(), MINIMUM_LEFT);
    }

    /// @inheritdoc IBackstopPool
    function backstopState() external view returns (BackstopState memory state) {
        state.assets = _totals.assets;
        state.shares = _totals.shares;
        state.absorbable = absorbable();
        uint256 period = _totals.period;
        state.entering = uint256(_batches[period + 1].entryAssets) + _batches[period + 2].entryAssets;
        state.leaving = uint256(_batches[period + 1].exitShares) + _batches[period + 2].exitShares;
    }

    /// @inheritdoc IBackstopPool
    function hasDepositors() external view returns (bool) {
        return _hasDepositors();
    }

    /// @inheritdoc IBackstopPool
    function backstopAccount(address account) external view returns (BackstopAccount memory) {
        (Depositor memory a,) = _upToDate(account);
        return BackstopAccount(a.shares, a.exitShares, a.exitPeriod, a.entryAssets, a.entryPeriod, a.owed);
    }

    /// @inheritdoc IBackstopPool
    function collateralOf(address account, uint256 collateralId) external view returns (uint256) {
        if ((_collaterals >> collateralId) & 1 == 0) return 0;
        (, Stake[] memory stakes) = _upToDate(account);
        return _worthInKind(_inventory[collateralId], stakes[collateralId].units);
    }

    /// @inheritdoc IBackstopPool
    function inventoryOf(uint256 collateralId) external view returns (uint256 amount, uint256 units) {
        Inventory memory inventory = _inventory[collateralId];
        return (inventory.amount, inventory.units);
    }

    function _validated(BackstopParameters memory p) private pure returns (BackstopParameters memory) {
        BackstopParametersLib.validate(p);
        return p;
    }
}
