// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Markets in which a standard's rules could break: two lenders, debt, years of interest, a recognised loss, a donation,
/// caps below what is supplied, no cash, everything frozen and halted, and prices that are down.
abstract contract StandardsFixture is PoolFixture {
    /// @dev The assets that no rule below is tried beyond; a supply cap is 1e28 at most.
    uint256 internal constant REASONABLE = 1e28;

    function setUp() public virtual override {
        super.setUp();
        vm.prank(owner);
        pool.setReserveFactor(10);
    }

    /// @dev Any of the above, by the bits of `seed`. A lender and the stranger hold shares, the borrower or nobody owes.
    function _anyMarket(uint256 seed) internal {
        _deposit(lender, bound(uint64(seed), 1e6, 1e12));
        _deposit(stranger, bound(uint64(seed >> 8), 1e6, 1e9));
        _supply(borrower, WETH_ID, 1000 * ETHER);
        uint256 cash = usdc.balanceOf(address(pool));
        _borrow(borrower, seed >> 63 & 1 == 0 ? cash : bound(uint64(seed >> 64), 1, cash));
        skip(bound(uint32(seed >> 128), 0, 3 * 365 days));
        if (seed >> 160 & 1 == 0) _lose(uint32(seed >> 161));
        if (seed >> 193 & 1 == 0) usdc.mint(address(pool), bound(uint32(seed >> 194), 0, 1e9));
        if (seed >> 226 & 1 == 0) _limit(uint8(seed >> 227));
        if (seed >> 235 & 1 == 0) _stop();
    }

    /// @dev The collateral falls to a part of the debt and the position is settled: lenders bear a loss.
    function _lose(uint256 part) internal {
        uint256 debt = pool.debtOf(borrower);
        // 1,000 ether at debt * 1e15 a unit are worth the debt.
        ethOracle.setPrice(bound(part, 0, debt * 95 / 100) * 1e15);
        vm.prank(keeper);
        pool.settle(borrower, "");
        _supply(borrower, WETH_ID, ETHER);
        _setEthPrice(2000);
    }

    /// @dev A supply cap anywhere from nothing to twice what is supplied.
    function _limit(uint256 part) internal {
        uint256 cap = pool.totalAssets() * part / 128;
        vm.prank(owner);
        pool.setCaps(cap, cap);
    }

    /// @dev Everything that can be stopped is.
    function _stop() internal {
        vm.startPrank(guardian);
        pool.freezeNewRisk();
        pool.freezeCollateral(WETH_ID);
        vm.stopPrank();
        breaker.setLevel(BreakerLevel.Halted);
        ethOracle.setStatus(PriceStatus.Down);
        btcOracle.setStatus(PriceStatus.Down);
    }
}
