// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";

import {AccountHealth, ILendingPoolCore} from "../../../contracts/interfaces/ILendingPool.sol";
import {IPoolUnderTest} from "../../utils/IPoolUnderTest.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice What the handlers of all mechanisms share. Every action is `name(a, b, c)`: three random words from which it takes
/// pool, account, amount and variant. None reverts: what a pool refuses is entered into the ledger.
abstract contract SystemHandler is Test {
    SystemWorld internal immutable world;
    CampaignLedger internal immutable ledger;
    SystemBooks internal immutable books;

    /// @notice Whether it does nothing when called; a campaign with such a handler has to fail.
    bool public idle;

    constructor(SystemBooks books_, SystemWorld world_, CampaignLedger ledger_) {
        (books, world, ledger) = (books_, world_, ledger_);
    }

    /// @dev Counts the call.
    modifier counted() {
        ledger.called();
        if (idle) return;
        _;
    }

    /// @notice Its actions.
    function selectors() external pure virtual returns (bytes4[] memory);

    function setIdle(bool idle_) external {
        idle = idle_;
    }

    /// @dev Calls pool `p` as `from`, enters how it ended, and compares the books.
    function _attempt(bytes32 action, uint256 p, address from, bytes memory data)
        internal
        returns (bool success, bytes memory answer)
    {
        address pool = address(world.pools(p));
        books.open(p);
        vm.prank(from);
        (success, answer) = pool.call(data);
        _enter(action, p, success, answer);
    }

    function _enter(bytes32 action, uint256 p, bool success, bytes memory answer) internal {
        if (success) ledger.succeeded(action);
        else ledger.failed(action, answer);
        books.learn(p, success);
    }

    function _check(bool holds, string memory property) internal {
        ledger.check(holds, property);
    }

    function _health(uint256 p, address account) internal view returns (AccountHealth memory) {
        return world.pools(p).accountHealth(account);
    }

    function _pool(uint256 p) internal view returns (IPoolUnderTest) {
        return world.pools(p);
    }

    /// @dev Somebody in debt, the first from `from` on or one who takes it now, at a health factor of `target` if prices can be
    /// moved there.
    function _squeezed(uint256 p, uint256 from, uint256 target) internal returns (address account) {
        world.refresh();
        account = _borrowerFrom(p, from);
        if (account == address(0) || _health(p, account).healthFast > 5e18) {
            account = _open(p, world.account(p, from), from % 2);
        }
        if (account != address(0)) world.squeeze(p, _health(p, account).healthFast, target);
    }

    /// @dev 20,000 dollars of collateral, at the first prices, and nine tenths of the limit in debt; 0 if that is refused.
    function _open(uint256 p, address account, uint256 id) private returns (address) {
        world.calm();
        uint256 token = world.collateralOf(p, id);
        world.mint(token, account, world.dollars(token, 20_000));
        bytes memory data =
            abi.encodeCall(ILendingPoolCore.supplyCollateral, (id, world.dollars(token, 20_000), account, ""));
        (bool success,) = _attempt("open position", p, account, data);
        if (!success) return address(0);
        AccountHealth memory health = _health(p, account);
        if (health.borrowLimit * 9 / 10 <= health.debt) return address(0);
        uint256 assets = health.borrowLimit * 9 / 10 - health.debt;
        uint256 cash = IERC20(world.tokens(p)).balanceOf(address(_pool(p)));
        if (assets > cash) assets = cash;
        (success,) =
            _attempt("open position", p, account, abi.encodeCall(ILendingPoolCore.borrow, (assets, account, account)));
        return success ? account : address(0);
    }

    /// @dev The first account from `from` on that owes enough for a price to matter; else one that owes anything, or 0.
    function _borrowerFrom(uint256 p, uint256 from) internal view returns (address borrower) {
        for (uint256 i; i < 5; ++i) {
            address account = world.account(p, from % 5 + i);
            if (_pool(p).debtSharesOf(account) == 0) continue;
            if (_health(p, account).healthFast < 5e18) return account;
            borrower = account;
        }
    }

    /// @dev The first collateral from `from` on that the account holds, or the one after all.
    function _heldFrom(uint256 p, address account, uint256 from) internal view returns (uint256) {
        uint256 bitmap = _pool(p).collateralBitmap(account);
        for (uint256 i; i < 3; ++i) {
            uint256 id = (from % 3 + i) % 3;
            if (bitmap >> id & 1 != 0) return id;
        }
        return 3;
    }
}
