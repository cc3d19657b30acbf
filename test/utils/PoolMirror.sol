// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Vm} from "forge-std/Vm.sol";

import {CollateralConfig, ILendingPoolEvents as E} from "../../contracts/interfaces/ILendingPool.sol";

/// @notice A pool rebuilt from its events (and the asset's transfers) alone: property 9 of protocol.md §9. It never calls the
/// pool; a test compares the two.
contract PoolMirror {
    struct MirroredMarket {
        uint256 lenderAssets;
        uint256 supplyShares;
        uint256 totalDebt;
        uint256 debtShares;
        int256 logRateAtTarget;
    }

    struct MirroredCollateral {
        CollateralConfig config;
        uint256 total;
        uint256 rampLtv;
        uint256 rampThreshold;
        bool frozen;
    }

    address private immutable POOL;
    address private immutable ASSET;

    MirroredMarket public market;
    int256 public cash;
    uint256 public events;

    mapping(address => uint256) public sharesOf;
    mapping(address => uint256) public debtSharesOf;
    mapping(address => mapping(uint256 => uint256)) public collateralOf;
    mapping(address => mapping(address => bool)) public isAuthorized;

    MirroredCollateral[] private _collaterals;
    uint256 public supplyCap;
    uint256 public borrowCap;
    uint256 public minDebt;
    uint256 public stipend;
    uint256 public reserveFactor;
    bool public newRiskFrozen;
    address public policy;
    address public guardian;

    constructor(address pool, address asset) {
        (POOL, ASSET) = (pool, asset);
    }

    function collateral(uint256 id) external view returns (MirroredCollateral memory) {
        return _collaterals[id];
    }

    function collateralCount() external view returns (uint256) {
        return _collaterals.length;
    }

    function apply_(Vm.Log[] calldata logs) external {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == ASSET) _applyAsset(logs[i]);
            if (logs[i].emitter != POOL) continue;
            ++events;
            _apply(logs[i]);
        }
    }

    function _applyAsset(Vm.Log calldata log) private {
        if (log.topics[0] != IERC20.Transfer.selector) return;
        int256 amount = int256(abi.decode(log.data, (uint256)));
        if (_account(log.topics[1]) == POOL) cash -= amount;
        if (_account(log.topics[2]) == POOL) cash += amount;
    }

    function _apply(Vm.Log calldata log) private {
        bytes32 topic = log.topics[0];
        if (topic == E.MarketUpdated.selector) {
            market = abi.decode(log.data, (MirroredMarket));
        } else if (topic == IERC20.Transfer.selector) {
            uint256 shares = abi.decode(log.data, (uint256));
            if (log.topics[1] != 0) sharesOf[_account(log.topics[1])] -= shares;
            if (log.topics[2] != 0) sharesOf[_account(log.topics[2])] += shares;
        } else if (topic == E.CollateralSupplied.selector) {
            (,, uint256 balance) = abi.decode(log.data, (address, uint256, uint256));
            _setCollateral(log.topics[2], uint256(log.topics[1]), balance);
        } else if (topic == E.CollateralWithdrawn.selector) {
            (,,, uint256 balance) = abi.decode(log.data, (address, address, uint256, uint256));
            _setCollateral(log.topics[2], uint256(log.topics[1]), balance);
        } else if (topic == E.Borrowed.selector) {
            (,,, uint256 shares) = abi.decode(log.data, (address, address, uint256, uint256));
            debtSharesOf[_account(log.topics[1])] = shares;
        } else if (topic == E.Repaid.selector) {
            (,, uint256 shares) = abi.decode(log.data, (address, uint256, uint256));
            debtSharesOf[_account(log.topics[1])] = shares;
        } else if (topic == E.Liquidated.selector) {
            (,,, uint256 shares, uint256 balance) = abi.decode(log.data, (uint256, uint256, uint256, uint256, uint256));
            debtSharesOf[_account(log.topics[2])] = shares;
            _setCollateral(log.topics[2], uint256(log.topics[1]), balance);
        } else if (topic == E.Settled.selector) {
            debtSharesOf[_account(log.topics[1])] = 0;
        } else if (topic == E.AuthorizationSet.selector) {
            isAuthorized[_account(log.topics[1])][_account(log.topics[2])] = abi.decode(log.data, (bool));
        } else {
            _applyAdministration(log, topic);
        }
    }

    function _applyAdministration(Vm.Log calldata log, bytes32 topic) private {
        if (topic == E.CollateralListed.selector) {
            CollateralConfig memory config = abi.decode(log.data, (CollateralConfig));
            _collaterals.push(MirroredCollateral(config, 0, config.borrowLtv, config.liquidationThreshold, false));
        } else if (topic == E.CollateralRampStarted.selector) {
            MirroredCollateral storage c = _collaterals[uint256(log.topics[1])];
            (c.rampLtv, c.rampThreshold,) = abi.decode(log.data, (uint256, uint256, uint256));
        } else if (topic == E.CollateralOracleSet.selector) {
            _collaterals[uint256(log.topics[1])].config.oracle = abi.decode(log.data, (address));
        } else if (topic == E.CollateralCapSet.selector) {
            _collaterals[uint256(log.topics[1])].config.cap = uint128(abi.decode(log.data, (uint256)));
        } else if (topic == E.CollateralFrozen.selector) {
            MirroredCollateral storage c = _collaterals[uint256(log.topics[1])];
            c.frozen = abi.decode(log.data, (bool));
            if (c.frozen) c.rampLtv = 0;
        } else if (topic == E.NewRiskFrozen.selector) {
            newRiskFrozen = abi.decode(log.data, (bool));
        } else if (topic == E.CapsSet.selector) {
            (supplyCap, borrowCap) = abi.decode(log.data, (uint256, uint256));
        } else if (topic == E.MinDebtSet.selector) {
            (minDebt, stipend) = abi.decode(log.data, (uint256, uint256));
        } else if (topic == E.ReserveFactorSet.selector) {
            reserveFactor = abi.decode(log.data, (uint256));
        } else if (topic == E.PolicySet.selector) {
            policy = abi.decode(log.data, (address));
        } else if (topic == E.GuardianSet.selector) {
            guardian = abi.decode(log.data, (address));
        }
    }

    function _setCollateral(bytes32 account, uint256 id, uint256 balance) private {
        uint256 before = collateralOf[_account(account)][id];
        collateralOf[_account(account)][id] = balance;
        _collaterals[id].total = _collaterals[id].total + balance - before;
    }

    function _account(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}
