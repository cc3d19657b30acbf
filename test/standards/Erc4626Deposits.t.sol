// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice ERC-4626, rule by rule: into the vault. Every market of `StandardsFixture`.
contract Erc4626DepositsTest is StandardsFixture {
    // -- maxDeposit

    /// "MUST return the maximum amount of assets deposit would allow to be deposited for receiver and not cause a revert."
    function testFuzz_maxDeposit_IsNeverRefused(uint256 seed, address receiver) public {
        _anyMarket(seed);
        uint256 most = pool.maxDeposit(receiver);
        if (most == 0) return;
        usdc.mint(keeper, most);
        vm.prank(keeper);
        pool.deposit(most, receiver);
    }

    /// "MUST NOT be higher than the actual maximum": and it is no lower either.
    function testFuzz_maxDeposit_AUnitMoreIsRefused(uint256 seed) public {
        _anyMarket(seed);
        uint256 more = pool.maxDeposit(keeper) + 1;
        usdc.mint(keeper, more);
        vm.prank(keeper);
        vm.expectRevert();
        pool.deposit(more, keeper);
    }

    /// "assumes that the user has infinite assets, i.e. MUST NOT rely on balanceOf of asset."
    function testFuzz_maxDeposit_DoesNotRelyOnTheBalance(uint256 seed) public {
        _anyMarket(seed);
        assertEq(pool.maxDeposit(makeAddr("without assets")), pool.maxDeposit(lender));
    }

    /// "MUST factor in both global and user-specific limits, like if deposits are entirely disabled it MUST return 0": the cap,
    /// and the one receiver that cannot hold shares.
    function testFuzz_maxDeposit_FactorsInLimits(uint256 seed, uint256 cap) public {
        _anyMarket(seed);
        assertEq(pool.maxDeposit(address(0)), 0);
        cap = bound(cap, 0, _least(pool.totalAssets(), REASONABLE));
        vm.prank(owner);
        pool.setCaps(cap, cap);
        assertEq(pool.maxDeposit(keeper), 0);
    }

    /// "MUST NOT revert", for any receiver, in any market.
    function testFuzz_maxDeposit_NeverReverts(uint256 seed, address receiver) public {
        _anyMarket(seed);
        pool.maxDeposit(receiver);
        pool.maxMint(receiver);
    }

    // -- previewDeposit and deposit

    /// "MUST return as close to and no more than the exact amount of Vault shares that would be minted in a deposit call in the
    /// same transaction."
    function testFuzz_previewDeposit_IsNoMoreThanWhatIsMinted(uint256 seed, uint256 assets) public {
        _anyMarket(seed);
        uint256 most = pool.maxDeposit(keeper);
        if (most == 0) return;
        assets = bound(assets, 1, _least(most, 1e15 * scale));
        uint256 preview = pool.previewDeposit(assets);
        usdc.mint(keeper, assets);
        vm.startPrank(keeper);
        if (preview == 0) {
            vm.expectRevert(LendingPool.ZeroAmount.selector);
            pool.deposit(assets, keeper);
            return;
        }
        uint256 minted = pool.deposit(assets, keeper);
        assertLe(preview, minted);
        assertEq(preview, minted);
        assertEq(pool.balanceOf(keeper), minted);
    }

    /// "MUST NOT account for deposit limits", "MUST NOT revert due to vault specific user/global limits".
    function testFuzz_previewDeposit_DoesNotAccountForLimits(uint256 seed, uint256 assets) public {
        _anyMarket(seed);
        assets = bound(assets, 0, REASONABLE);
        uint256 before = pool.previewDeposit(assets);
        uint256 mintBefore = pool.previewMint(assets);
        vm.prank(owner);
        pool.setCaps(0, 0);
        assertEq(pool.previewDeposit(assets), before);
        assertEq(pool.previewMint(assets), mintBefore);
    }

    /// "MUST emit the Deposit event", "MUST support ERC-20 approve / transferFrom on asset as a deposit flow": exactly `assets`
    /// are drawn.
    function testFuzz_deposit_DrawsTheAssetsAndFiresDeposit(uint256 assets) public {
        _plainMarket();
        skip(1 days);
        assets = _millionths(bound(assets, 1e6, 1e12));
        uint256 shares = pool.previewDeposit(assets);
        uint256 before = usdc.balanceOf(keeper);
        vm.expectEmit(address(pool));
        emit IERC4626.Deposit(keeper, stranger, assets, shares);
        vm.prank(keeper);
        assertEq(pool.deposit(assets, stranger), shares);
        assertEq(before - usdc.balanceOf(keeper), assets);
        assertEq(pool.balanceOf(stranger), shares);
    }

    /// "MUST revert if all of assets cannot be deposited (due to deposit limit being reached, slippage, the user not approving
    /// enough underlying tokens to the Vault Contract, etc)."
    function testFuzz_deposit_RevertsIfNotAllOfIt(uint256 assets, uint256 approved) public {
        _plainMarket();
        assets = bound(assets, 1, 1e12 * scale);
        vm.startPrank(keeper);
        usdc.approve(address(pool), bound(approved, 0, assets - 1));
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.deposit(assets, keeper);
        vm.stopPrank();
        address poor = makeAddr("poor");
        usdc.mint(poor, assets - 1);
        vm.startPrank(poor);
        usdc.approve(address(pool), assets);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.deposit(assets, poor);
    }

    // -- maxMint, previewMint, mint

    /// "MUST return the maximum amount of shares mint would allow to be deposited to receiver and not cause a revert."
    function testFuzz_maxMint_IsNeverRefused(uint256 seed, address receiver) public {
        _anyMarket(seed);
        uint256 most = pool.maxMint(receiver);
        if (most == 0) return;
        usdc.mint(keeper, pool.previewMint(most));
        vm.prank(keeper);
        pool.mint(most, receiver);
    }

    /// "MUST NOT be higher than the actual maximum": and it is no lower either.
    function testFuzz_maxMint_AShareMoreIsRefused(uint256 seed) public {
        _anyMarket(seed);
        uint256 more = pool.maxMint(keeper) + 1;
        usdc.mint(keeper, pool.previewMint(more));
        vm.prank(keeper);
        vm.expectRevert();
        pool.mint(more, keeper);
    }

    /// "MUST factor in both global and user-specific limits, like if mints are entirely disabled it MUST return 0."
    function testFuzz_maxMint_FactorsInLimits(uint256 seed, uint256 cap) public {
        _anyMarket(seed);
        assertEq(pool.maxMint(address(0)), 0);
        cap = bound(cap, 0, _least(pool.totalAssets(), REASONABLE));
        vm.prank(owner);
        pool.setCaps(cap, cap);
        assertEq(pool.maxMint(keeper), 0);
    }

    /// "MUST return as close to and no fewer than the exact amount of assets that would be deposited in a mint call in the same
    /// transaction." "MUST emit the Deposit event."
    function testFuzz_previewMint_IsNoFewerThanWhatIsDrawn(uint256 seed, uint256 shares) public {
        _anyMarket(seed);
        uint256 most = pool.maxMint(keeper);
        if (most == 0) return;
        shares = bound(shares, 1, _least(most, 1e18 * scale));
        uint256 preview = pool.previewMint(shares);
        usdc.mint(keeper, preview);
        uint256 before = usdc.balanceOf(keeper);
        vm.expectEmit(address(pool));
        emit IERC4626.Deposit(keeper, keeper, preview, shares);
        vm.prank(keeper);
        uint256 drawn = pool.mint(shares, keeper);
        assertGe(preview, drawn);
        assertEq(preview, drawn);
        assertEq(before - usdc.balanceOf(keeper), drawn);
        assertEq(pool.balanceOf(keeper), shares);
    }

    /// "MUST revert if all of shares cannot be minted."
    function testFuzz_mint_RevertsIfNotAllOfIt(uint256 shares, uint256 approved) public {
        _plainMarket();
        shares = bound(shares, 1001, 1e15 * scale);
        uint256 cost = pool.previewMint(shares);
        vm.startPrank(keeper);
        usdc.approve(address(pool), bound(approved, 0, cost - 1));
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.mint(shares, keeper);
    }
}
