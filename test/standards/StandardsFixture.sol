// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Markets in which a standard's rules could break: two lenders, debt, years of interest, a recognised loss, lending
/// after it, a donation, caps below what is supplied, no cash, everything frozen and halted, and prices that are down.
/// @dev The asset has 6 decimals; `Decimals.t.sol` has the markets of others.
abstract contract StandardsFixture is PoolFixture {
    /// @dev The assets that no rule below is tried beyond; a supply cap is 1e28 at most.
    uint256 internal constant REASONABLE = 1e28;

    /// @dev How much of the debt was lost, WAD; 0 in a market without a loss.
    uint256 internal lostShare;

    /// @dev Those of the asset; a constructor may set others.
    uint8 internal assetDecimals = 6;
    /// @dev Base units in a millionth of the asset, of which amounts are said.
    uint256 internal scale;

    function setUp() public virtual override {
        super.setUp();
        scale = 10 ** (assetDecimals - 6);
        address[4] memory accounts = [lender, borrower, keeper, stranger];
        for (uint256 i; i < accounts.length; ++i) {
            usdc.mint(accounts[i], 1e9 * USDC * scale);
        }
        ethOracle.setPrice(ETH_PRICE * scale);
        vm.prank(owner);
        pool.setReserveFactor(10);
    }

    function _newAsset() internal virtual override returns (address) {
        return address(new SimToken("USD Coin", "USDC", assetDecimals));
    }

    /// @dev `_openMarket` with an asset of any decimals.
    function _plainMarket() internal {
        _deposit(lender, 100_000 * USDC * scale);
        _supply(borrower, WETH_ID, 10 * ETHER);
        _borrow(borrower, 10_000 * USDC * scale);
    }

    /// @dev Base units of so many millionths, with digits in all decimals: nothing is round for having many of them.
    function _millionths(uint256 amount) internal view returns (uint256) {
        return amount * scale + uint256(keccak256(abi.encode(amount))) % scale;
    }

    /// @dev Any of the above: what comes before a loss by the bits of `seed`, whose low ones make small markets, and all else by
    /// those of its hash, because most seeds that forge draws have no high bits: each market would be stopped and capped at 0.
    /// A lender and the stranger hold shares, the borrower or nobody owes.
    function _anyMarket(uint256 seed) internal {
        _deposit(lender, _millionths(bound(uint64(seed), 1e6, 1e12)));
        _deposit(stranger, _millionths(bound(uint64(seed >> 8), 1e6, 1e9)));
        _supply(borrower, WETH_ID, 1000 * ETHER);
        uint256 cash = usdc.balanceOf(address(pool));
        _borrow(borrower, seed >> 63 & 1 == 0 ? cash : bound(uint64(seed >> 64) * scale, 1, cash));
        skip(bound(uint32(seed >> 128), 0, 3 * 365 days));
        uint256 word = uint256(keccak256(abi.encode(seed)));
        if (word & 1 == 0) {
            _lose(_part(word, "loss"));
            if (word >> 1 & 3 != 0) _lendAgain(word);
        }
        if (word >> 3 & 1 == 0) usdc.mint(address(pool), _millionths(bound(_part(word, "donation"), 0, 1e9)));
        if (word >> 4 & 1 == 0) _limit(uint8(word >> 8));
        if (word >> 5 & 1 == 0) _stop();
    }

    /// @dev The collateral falls to a part of the debt, one time in eight to nothing, and the position is settled: lenders bear a
    /// loss. `part` has to be a wide word, as debts are of more than 2^32 units.
    function _lose(uint256 part) internal {
        uint256 debt = pool.debtOf(borrower);
        // 1,000 ether at debt * 1e15 a unit are worth the debt.
        ethOracle.setPrice(part % 8 == 0 ? 0 : bound(part, 0, debt * 95 / 100) * 1e15);
        vm.prank(keeper);
        lostShare = pool.settle(borrower, "").writtenOff * WAD / debt;
        _supply(borrower, WETH_ID, ETHER);
        ethOracle.setPrice(ETH_PRICE * scale);
    }

    /// @dev What is left, and one time in two a new deposit, is lent again, and interest accrues on it.
    function _lendAgain(uint256 word) internal {
        _supply(borrower, WETH_ID, 500_000 * ETHER);
        // Where all was lost, a deposit of many decimals may be of more shares than there can be.
        uint256 assets = _millionths(bound(_part(word, "deposit"), 1e6, 1e9));
        if (word >> 16 & 1 == 0 && assets <= pool.maxDeposit(stranger)) _deposit(stranger, assets);
        uint256 cash = usdc.balanceOf(address(pool));
        if (cash == 0) return;
        _borrow(borrower, word >> 17 & 1 == 0 ? cash : bound(_part(word, "loan"), 1, cash));
        skip(bound(_part(word, "time"), 0, 3 * 365 days));
    }

    function _part(uint256 word, string memory name) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(word, name)));
    }

    /// @dev A supply cap anywhere from nothing to twice what is supplied.
    function _limit(uint256 part) internal {
        uint256 cap = _least(pool.totalAssets() * part / 128, REASONABLE);
        vm.prank(owner);
        pool.setCaps(cap, cap);
    }

    function _least(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
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
