// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice ERC-4626, rule by rule: totals, conversions and the direction of every rounding. Every market of `StandardsFixture`.
contract Erc4626AccountingTest is StandardsFixture {
    // -- asset, metadata

    /// "MUST be an EIP-20 token contract", "MUST NOT revert".
    function testFuzz_asset_IsTheTokenThatIsManaged(uint256 seed) public {
        _anyMarket(seed);
        assertEq(pool.asset(), address(usdc));
    }

    /// "All EIP-4626 Vaults MUST implement EIP-20's optional metadata extensions."
    function test_metadata_IsImplemented() public view {
        assertEq(pool.name(), "Breakwater USDC");
        assertEq(pool.symbol(), "bwUSDC");
        assertEq(pool.decimals(), usdc.decimals() + 3);
    }

    // -- totalAssets

    /// "SHOULD include any compounding that occurs from yield": it grows with the debt's interest before anybody calls,
    function testFuzz_totalAssets_IncludesInterestThatAccrues(uint256 elapsed) public {
        _plainMarket();
        uint256 before = pool.totalAssets();
        skip(bound(elapsed, 1 days, 3 * 365 days));
        uint256 interest = pool.debtOf(borrower) - 10_000 * USDC * scale;
        uint256 grown = pool.totalAssets();
        assertGt(grown, before);
        // "MUST be inclusive of any fees that are charged against assets in the Vault": less the reserves' tenth of it.
        assertApproxEqAbs(grown - before, interest * 9 / 10, 1);
        vm.prank(owner);
        pool.setReserveFactor(10); // accrues
        assertEq(pool.totalAssets(), grown);
    }

    /// and falls by a recognised loss, by exactly what reserves do not bear.
    function testFuzz_totalAssets_FallsByARecognisedLoss(uint256 part) public {
        _plainMarket();
        skip(365 days);
        uint256 before = pool.totalAssets();
        uint256 reserves = pool.marketState().reserves;
        uint256 debt = pool.debtOf(borrower);
        ethOracle.setPrice(bound(part, 0, debt * 95 / 100) * 1e17); // 10 ether are worth that part of the debt
        vm.prank(keeper);
        uint256 loss = pool.settle(borrower, "").writtenOff;
        assertGt(loss, 0);
        uint256 fromLenders = loss > reserves ? loss - reserves : 0;
        // A unit: what is owed is rounded up.
        assertApproxEqAbs(before - pool.totalAssets(), fromLenders, 1);
    }

    /// "MUST NOT revert", and is what the pool has and is owed, less the reserves; a donation is in neither.
    function testFuzz_totalAssets_IsCashAndDebtLessReserves(uint256 seed, uint256 donation) public {
        _anyMarket(seed);
        uint256 before = pool.totalAssets();
        usdc.mint(address(pool), _millionths(bound(donation, 0, 1e12)));
        assertEq(pool.totalAssets(), before);
        assertEq(usdc.balanceOf(address(pool)) + pool.marketState().totalDebt, before + pool.marketState().reserves);
    }

    /// All shares together are never worth more than the assets, and by the virtual shares' part less.
    function testFuzz_totalAssets_CoversAllShares(uint256 seed) public {
        _anyMarket(seed);
        uint256 worth = pool.convertToAssets(pool.totalSupply());
        assertLe(worth, pool.totalAssets());
        assertLe(pool.previewRedeem(pool.balanceOf(lender)) + pool.previewRedeem(pool.balanceOf(stranger)), worth);
        assertApproxEqAbs(worth, pool.totalAssets(), pool.totalAssets() / 1e6 + 2);
    }

    // -- convertToShares, convertToAssets

    /// "MUST NOT show any variations depending on the caller."
    function testFuzz_convert_DoesNotDependOnTheCaller(uint256 seed, uint256 amount, address caller) public {
        _anyMarket(seed);
        amount = bound(amount, 0, REASONABLE);
        (uint256 shares, uint256 assets) = (pool.convertToShares(amount), pool.convertToAssets(amount));
        vm.startPrank(caller);
        assertEq(pool.convertToShares(amount), shares);
        assertEq(pool.convertToAssets(amount), assets);
    }

    /// "MUST NOT be inclusive of any fees", "MUST NOT reflect slippage or other on-chain conditions": there are none, so an
    /// exchange is at the conversion, and the converted amounts are proportional.
    function testFuzz_convert_HasNeitherFeesNorSlippage(uint256 seed, uint256 amount, uint256 times) public {
        _anyMarket(seed);
        amount = bound(amount, 1, 1e20);
        times = bound(times, 1, 1e6);
        assertEq(pool.convertToShares(amount), pool.previewDeposit(amount));
        assertEq(pool.convertToAssets(amount), pool.previewRedeem(amount));
        // times ⌊x⌋ <= ⌊times x⌋ < times (⌊x⌋ + 1)
        uint256 one = pool.convertToShares(amount);
        uint256 many = pool.convertToShares(amount * times);
        assertGe(many, one * times);
        assertLt(many, (one + 1) * times);
    }

    /// "MUST NOT revert unless due to integer overflow caused by an unreasonably large input."
    function testFuzz_convert_NeverReverts(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, type(uint128).max);
        pool.convertToShares(amount);
        pool.convertToAssets(amount);
    }

    /// "MUST round down towards 0": against exact arithmetic, (assets + 1) / (shares + 1000).
    function testFuzz_convert_RoundsDown(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, REASONABLE);
        (uint256 assets, uint256 shares) = (pool.totalAssets() + 1, pool.totalSupply() + 1000);
        assertEq(pool.convertToShares(amount), Math.mulDiv(amount, shares, assets));
        assertEq(pool.convertToAssets(amount), Math.mulDiv(amount, assets, shares));
    }

    // -- "opposing rounding directions"

    /// "If it's calculating how many shares to issue to a user for a certain amount of the underlying tokens they provide or it's
    /// determining the amount of the underlying tokens to transfer to them for returning a certain amount of shares, it should
    /// round down", "if it's calculating the amount of shares a user has to supply to receive a given amount of the underlying
    /// tokens or it's calculating the amount of underlying tokens a user has to provide to receive a certain amount of shares, it
    /// should round up".
    function testFuzz_previews_RoundForTheVault(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, REASONABLE);
        (uint256 assets, uint256 shares) = (pool.totalAssets() + 1, pool.totalSupply() + 1000);
        assertEq(pool.previewDeposit(amount), Math.mulDiv(amount, shares, assets), "deposit");
        assertEq(pool.previewRedeem(amount), Math.mulDiv(amount, assets, shares), "redeem");
        assertEq(pool.previewMint(amount), Math.mulDiv(amount, assets, shares, Math.Rounding.Ceil), "mint");
        assertEq(pool.previewWithdraw(amount), Math.mulDiv(amount, shares, assets, Math.Rounding.Ceil), "withdraw");
    }

    /// Hence no round trip gains: in and out by either way, in one transaction.
    function testFuzz_roundTrips_NeverGain(uint256 seed, uint256 amount, uint8 way) public {
        _anyMarket(seed);
        vm.prank(owner);
        pool.setCaps(1e28, 0);
        amount = bound(amount, 1, 1e12 * scale);
        vm.startPrank(keeper);
        uint256 before = usdc.balanceOf(keeper);
        if (way & 1 == 0) {
            if (pool.previewDeposit(amount) == 0 || amount > pool.maxDeposit(keeper)) return;
            pool.deposit(amount, keeper);
        } else {
            if (amount > pool.maxMint(keeper)) return;
            pool.mint(amount, keeper);
        }
        if (way & 2 == 0) {
            uint256 shares = pool.maxRedeem(keeper);
            if (shares != 0) pool.redeem(shares, keeper, keeper);
        } else {
            uint256 assets = pool.maxWithdraw(keeper);
            if (assets != 0) pool.withdraw(assets, keeper, keeper);
        }
        assertLe(usdc.balanceOf(keeper), before);
        // and what stays behind is no more than rounding: a share's worth and two units
        assertLe(before - usdc.balanceOf(keeper), pool.previewMint(1) + 2 + pool.previewRedeem(pool.balanceOf(keeper)));
    }
}
