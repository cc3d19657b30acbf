// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {ILendingPoolCore as C, ILendingPoolExtension as X} from "../../contracts/interfaces/ILendingPool.sol";
import {IPoolAdministration as A} from "../utils/IPoolUnderTest.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice One address, two contracts: every promised function is dispatched by exactly one of them, and what both dispatch
/// is the same code.
/// @dev Solidity dispatches by `PUSH4 selector EQ PUSH2 destination JUMPI` (and by `PUSH4 GT` to split the search), which a
/// scan of the runtime code finds.
contract SelectorsTest is PoolFixture {
    function test_everyPromisedSelector_IsDispatchedOnce() public view {
        bytes4[] memory promised = _promised();
        bytes4[] memory core = _dispatched(address(pool).code);
        bytes4[] memory rest = _dispatched(pool.extension().code);
        for (uint256 i; i < promised.length; ++i) {
            bool shared = _isShared(promised[i]);
            assertTrue(_contains(core, promised[i]) || _contains(rest, promised[i]), vm.toString(promised[i]));
            assertEq(_contains(core, promised[i]) && _contains(rest, promised[i]), shared, vm.toString(promised[i]));
        }
    }

    /// What is in both is inherited by both from one contract: the ownership of OpenZeppelin and `immutablesHash`. The pool
    /// answers it by itself and would be hidden from nobody.
    function test_nothingElseIsInBoth() public view {
        bytes4[] memory core = _dispatched(address(pool).code);
        bytes4[] memory rest = _dispatched(pool.extension().code);
        uint256 both;
        for (uint256 i; i < core.length; ++i) {
            if (!_contains(rest, core[i])) continue;
            ++both;
            assertTrue(_isShared(core[i]), vm.toString(core[i]));
        }
        assertEq(both, 6);
        assertGt(core.length, 25);
        assertGt(rest.length, 50);
    }

    /// And nothing is dispatched that is not promised, but `initialize` (construction only) and ERC-5267's domain.
    function test_nothingIsDispatchedThatIsNotPromised() public view {
        bytes4[] memory promised = _promised();
        bytes4[] memory core = _dispatched(address(pool).code);
        bytes4[] memory rest = _dispatched(pool.extension().code);
        for (uint256 i; i < core.length; ++i) {
            assertTrue(_contains(promised, core[i]), vm.toString(core[i]));
        }
        uint256 unpromised;
        for (uint256 i; i < rest.length; ++i) {
            if (!_contains(promised, rest[i])) ++unpromised;
        }
        assertTrue(_contains(rest, bytes4(keccak256("eip712Domain()"))));
        assertEq(unpromised, 2);
    }

    function test_RevertWhen_unknownSelector() public {
        (bool success, bytes memory result) = address(pool).call(hex"deadbeef");
        assertFalse(success);
        assertEq(result.length, 0);
        (success, result) = address(pool).call("");
        assertFalse(success);
    }

    // -- reading code

    function _dispatched(bytes memory code) private pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](256);
        uint256 n;
        for (uint256 i; i + 9 < code.length; ++i) {
            // DUP1 PUSH4 .... EQ PUSH2
            if (code[i] != 0x80 || code[i + 1] != 0x63 || code[i + 6] != 0x14 || code[i + 7] != 0x61) continue;
            selectors[n++] = bytes4(bytes.concat(code[i + 2], code[i + 3], code[i + 4], code[i + 5]));
        }
        assembly ("memory-safe") {
            mstore(selectors, n)
        }
    }

    function _contains(bytes4[] memory selectors, bytes4 selector) private pure returns (bool) {
        for (uint256 i; i < selectors.length; ++i) {
            if (selectors[i] == selector) return true;
        }
        return false;
    }

    function _isShared(bytes4 s) private pure returns (bool) {
        return s == A.owner.selector || s == A.pendingOwner.selector || s == A.transferOwnership.selector
            || s == A.acceptOwnership.selector || s == A.renounceOwnership.selector || s == A.immutablesHash.selector;
    }

    function _promised() private pure returns (bytes4[] memory all) {
        bytes memory packed = bytes.concat(_core(), _extension(), _vault(), _administration());
        all = new bytes4[](packed.length / 4);
        for (uint256 i; i < all.length; ++i) {
            all[i] = bytes4(bytes.concat(packed[4 * i], packed[4 * i + 1], packed[4 * i + 2], packed[4 * i + 3]));
        }
    }

    function _core() private pure returns (bytes memory) {
        return abi.encodePacked(
            C.supplyCollateral.selector,
            C.withdrawCollateral.selector,
            C.borrow.selector,
            C.repay.selector,
            C.liquidate.selector,
            C.liquidateBatch.selector,
            C.flag.selector,
            C.quoteLiquidation.selector,
            IERC3156FlashLender.maxFlashLoan.selector,
            IERC3156FlashLender.flashFee.selector,
            IERC3156FlashLender.flashLoan.selector
        );
    }

    function _extension() private pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(
                X.settle.selector,
                X.setAuthorization.selector,
                X.setAuthorizationWithSig.selector,
                X.assetToken.selector,
                X.policy.selector,
                X.breaker.selector,
                X.collateralCount.selector,
                X.collateralState.selector,
                X.collateralOf.selector
            ),
            abi.encodePacked(
                X.collateralBitmap.selector,
                X.debtSharesOf.selector,
                X.debtOf.selector,
                X.accountHealth.selector,
                X.marketState.selector,
                X.isAuthorized.selector,
                X.authorizationNonce.selector
            )
        );
    }

    function _vault() private pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(
                IERC20.totalSupply.selector,
                IERC20.balanceOf.selector,
                IERC20.transfer.selector,
                IERC20.allowance.selector,
                IERC20.approve.selector,
                IERC20.transferFrom.selector,
                IERC20Metadata.name.selector,
                IERC20Metadata.symbol.selector,
                IERC20Metadata.decimals.selector,
                IERC20Permit.permit.selector,
                IERC20Permit.nonces.selector,
                IERC20Permit.DOMAIN_SEPARATOR.selector
            ),
            abi.encodePacked(
                IERC4626.asset.selector,
                IERC4626.totalAssets.selector,
                IERC4626.convertToShares.selector,
                IERC4626.convertToAssets.selector,
                IERC4626.maxDeposit.selector,
                IERC4626.previewDeposit.selector,
                IERC4626.deposit.selector,
                IERC4626.maxMint.selector
            ),
            abi.encodePacked(
                IERC4626.previewMint.selector,
                IERC4626.mint.selector,
                IERC4626.maxWithdraw.selector,
                IERC4626.previewWithdraw.selector,
                IERC4626.withdraw.selector,
                IERC4626.maxRedeem.selector,
                IERC4626.previewRedeem.selector,
                IERC4626.redeem.selector
            )
        );
    }

    function _administration() private pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(
                A.owner.selector,
                A.pendingOwner.selector,
                A.transferOwnership.selector,
                A.acceptOwnership.selector,
                A.renounceOwnership.selector,
                A.guardian.selector,
                A.reserveFactor.selector,
                A.newRiskFrozen.selector,
                A.minDebt.selector,
                A.supplyCap.selector
            ),
            abi.encodePacked(
                A.borrowCap.selector,
                A.settlementStipend.selector,
                A.listCollateral.selector,
                A.rampCollateral.selector,
                A.setCollateralOracle.selector,
                A.setCollateralCap.selector,
                A.unfreezeCollateral.selector,
                A.unfreezeNewRisk.selector,
                A.setPolicy.selector,
                A.setCaps.selector
            ),
            abi.encodePacked(
                A.setMinDebt.selector,
                A.setReserveFactor.selector,
                A.setGuardian.selector,
                A.withdrawReserves.selector,
                A.freezeNewRisk.selector,
                A.freezeCollateral.selector,
                A.multicall.selector,
                A.extension.selector,
                A.immutablesHash.selector
            )
        );
    }
}
