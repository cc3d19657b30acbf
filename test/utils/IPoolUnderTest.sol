// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {CollateralConfig, ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";

/// @dev What the pool's address answers beside its published interfaces.
interface IPoolAdministration {
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address newOwner) external;
    function acceptOwnership() external;
    function renounceOwnership() external;
    function guardian() external view returns (address);
    function reserveFactor() external view returns (uint256);
    function newRiskFrozen() external view returns (bool);
    function minDebt() external view returns (uint256);
    function supplyCap() external view returns (uint256);
    function borrowCap() external view returns (uint256);
    function settlementStipend() external view returns (uint256);
    function listCollateral(CollateralConfig calldata config) external returns (uint256 id);
    function rampCollateral(uint256 id, uint16 borrowLtv, uint16 liquidationThreshold) external;
    function setCollateralOracle(uint256 id, address oracle) external;
    function setCollateralCap(uint256 id, uint128 cap) external;
    function unfreezeCollateral(uint256 id) external;
    function unfreezeNewRisk() external;
    function setPolicy(address policy) external;
    function setCaps(uint256 supplyCap, uint256 borrowCap) external;
    function setMinDebt(uint88 minDebt, uint256 stipend) external;
    function setReserveFactor(uint8 percent) external;
    function setGuardian(address guardian) external;
    function withdrawReserves(uint256 assets, address receiver) external;
    function freezeNewRisk() external;
    function freezeCollateral(uint256 id) external;
    function multicall(bytes[] calldata data) external payable returns (bytes[] memory);
    function extension() external view returns (address);
    function immutablesHash() external view returns (bytes32);
}

/// @dev Everything that a pool's address answers, as one type for tests.
interface IPoolUnderTest is ILendingPool, IERC4626, IERC20Permit, IERC3156FlashLender, IPoolAdministration {}
