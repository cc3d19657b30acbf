// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";

import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {Market, Position} from "../../contracts/lending/PoolStorage.sol";
import {KinkedRateModel} from "../../contracts/rates/KinkedRateModel.sol";

/// @dev The pool's own functions, on books that a test makes up.
contract BooksHarness is PoolPositions {
    constructor(address rateModel)
        Ownable(msg.sender)
        PoolAccounting(address(1), rateModel)
        PoolPositions(address(0))
    {}

    function writeOff(Market memory market, uint256 loss, uint256 shares, uint256 cash)
        external
        returns (Market memory)
    {
        _writeOff(market, address(2), loss, shares, cash);
        return market;
    }

    function subtractDebt(Market memory market, uint256 assets, uint256 shares) external pure returns (Market memory) {
        _subtractDebt(market, assets, shares);
        return market;
    }

    function addDebt(Market memory market, uint256 assets, uint256 shares) external pure returns (Market memory) {
        _addDebt(market, assets, shares);
        return market;
    }

    function setAmount(uint256 id, uint256 amount) external {
        Position memory position = _load(address(2));
        _setAmount(position, address(2), id, amount);
        _store(position);
    }

    function amountOf(uint256 id) external view returns (uint256) {
        return _amountOf(_load(address(2)), address(2), id);
    }

    function bitmap() external view returns (uint256) {
        return _positions[address(2)].bitmap;
    }
}

/// @notice Lemmas of the pool: its books and its positions.
contract BooksSymbolicTest is Test {
    BooksHarness private books;

    function setUp() public {
        books = new BooksHarness(address(new KinkedRateModel(0.5e18, 1e18, 1e18, 1e9)));
    }

    function _market(uint104 lenderAssets, uint104 totalDebt, uint104 debtShares)
        private
        pure
        returns (Market memory market)
    {
        (market.lenderAssets, market.totalDebt, market.debtShares) = (lenderAssets, totalDebt, debtShares);
    }

    /// P1a and P7: of a write-off reserves bear what they can and lenders the rest, and lenders that were covered still are.
    function testFuzz_WriteOffTakesReservesFirst(
        uint256 lenderAssets,
        uint104 totalDebt,
        uint104 debtShares,
        uint256 loss,
        uint256 shares,
        uint104 cash
    ) public {
        // Debt and debt shares are 0 together, before and after: either somebody else still owes, or all is written off.
        vm.assume(totalDebt != 0 && debtShares != 0);
        shares = _bound(shares, 0, debtShares);
        loss = shares == debtShares ? totalDebt : _bound(loss, 0, totalDebt);
        uint256 covered = uint256(cash) + totalDebt;
        lenderAssets = _bound(lenderAssets, 0, covered < type(uint104).max ? covered : type(uint104).max);
        uint256 reserves = covered - lenderAssets;
        // forge-lint: disable-next-line(unsafe-typecast)
        Market memory market = books.writeOff(_market(uint104(lenderAssets), totalDebt, debtShares), loss, shares, cash);
        assertGe(uint256(cash) + market.totalDebt, market.lenderAssets);
        assertEq(lenderAssets - market.lenderAssets, loss > reserves ? loss - reserves : 0);
    }

    /// P1d: there is debt exactly while there are debt shares.
    function check_debtAndSharesAreZeroTogether(uint104 totalDebt, uint104 debtShares, uint104 assets, uint104 shares)
        public
        view
    {
        vm.assume(totalDebt != 0 && shares <= debtShares);
        Market memory market = books.subtractDebt(_market(0, totalDebt, debtShares), assets, shares);
        assertEq(market.totalDebt == 0, market.debtShares == 0);
    }

    /// A loan is counted in full, or it reverts.
    function check_debtIsCountedInFull(uint104 totalDebt, uint256 assets, uint256 shares) public view {
        vm.assume(assets <= type(uint128).max && shares <= type(uint128).max);
        try books.addDebt(_market(0, totalDebt, 0), assets, shares) returns (Market memory market) {
            assertEq(market.totalDebt, totalDebt + assets);
            assertEq(market.debtShares, shares);
        } catch {
            assertTrue(totalDebt + assets > type(uint104).max || shares > type(uint104).max);
        }
    }

    /// P1e: whatever enters and leaves in whatever order, each collateral is what was set last, and its bit tells of it.
    function check_collateralIsWhatWasSet(uint128 first, uint128 second, uint128 again, uint128 last) public {
        books.setAmount(3, first);
        books.setAmount(5, second);
        books.setAmount(3, again);
        books.setAmount(5, last);
        assertEq(books.amountOf(3), again);
        assertEq(books.amountOf(5), last);
        assertEq(books.amountOf(4), 0);
        uint256 bitmap = (again == 0 ? 0 : uint256(1 << 3)) | (last == 0 ? 0 : uint256(1 << 5));
        assertEq(books.bitmap(), bitmap);
    }
}
