// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";
import {Vm} from "forge-std/Vm.sol";

import {ILendingPoolEvents, MarketState} from "../../../contracts/interfaces/ILendingPool.sol";
import {IPoolUnderTest} from "../../utils/IPoolUnderTest.sol";
import {PoolMirror} from "../../utils/PoolMirror.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {IListener} from "./ReentrantActor.sol";
import {SystemViews} from "./SystemViews.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice The properties of every state of every pool, and those that compare it with the last one.
contract SystemBooks is Test, IListener {
    SystemWorld private immutable world;
    CampaignLedger private immutable ledger;

    /// @notice Each pool rebuilt from its events.
    PoolMirror[3] public mirrors;
    /// @notice The pool that was called last.
    uint256 public touched;

    uint256[3] private _assets;
    uint256[3] private _shares;
    /// @dev Of the call that is being heard: whether it stored the market, and whether lenders bore a loss in it.
    bool private _stored;
    bool private _lossy;
    /// @dev What `SHARES` were worth before the call, and at least and at most within its callbacks.
    uint256[3] private _before;
    uint256[3] private _least;
    uint256[3] private _most;

    /// @dev Enough for rounding to be far below the rounding of a share.
    uint256 private constant SHARES = 1e24;

    /// @param logs Everything since before the world was made.
    constructor(SystemWorld world_, CampaignLedger ledger_, Vm.Log[] memory logs) {
        (world, ledger) = (world_, ledger_);
        for (uint256 p; p < world.POOLS(); ++p) {
            mirrors[p] = new PoolMirror(address(world.pools(p)), world.tokens(p));
            mirrors[p].apply_(logs);
            world.contracts(p).setListener(this, p);
            _remember(p, world.pools(p).marketState());
        }
    }

    /// @inheritdoc IListener
    function hear(uint256 p) public {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        mirrors[p].apply_(logs);
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(world.pools(p))) continue;
            if (logs[i].topics[0] == ILendingPoolEvents.MarketUpdated.selector) _stored = true;
            if (logs[i].topics[0] == ILendingPoolEvents.BadDebtWrittenOff.selector) {
                (, uint256 fromLenders) = abi.decode(logs[i].data, (uint256, uint256));
                if (fromLenders != 0) _lossy = true;
            }
        }
    }

    /// @inheritdoc IListener
    function enter(uint256 p) external {
        uint256 worth = world.pools(p).convertToAssets(SHARES);
        if (worth < _least[p]) _least[p] = worth;
        if (worth > _most[p]) _most[p] = worth;
        ledger.check(SystemViews.firstToRevert(world, p, ledger.calls()) == 0, S.V1);
    }

    /// @notice To be called before a call of pool `p`.
    function open(uint256 p) public {
        uint256 worth = world.pools(p).convertToAssets(SHARES);
        (_before[p], _least[p], _most[p]) = (worth, worth, worth);
    }

    /// @inheritdoc IListener
    function ignore() public {
        vm.getRecordedLogs();
    }

    /// @notice To be called after every call of pool `p`: feeds its mirror, and compares its shares' worth with what it was
    /// after the last one (P7, over time too) and in a callback of it (C2), and its market with the mirror's (P9) where the call stored it.
    function learn(uint256 p, bool success) external {
        touched = p;
        if (success) hear(p);
        else ignore();
        MarketState memory state = world.pools(p).marketState();
        ledger.check(
            _lossy || (state.lenderAssets + 1) * (_shares[p] + 1000) >= (_assets[p] + 1) * (state.supplyShares + 1000),
            S.P7
        );
        bool between = _least[p] >= _before[p] && _most[p] <= world.pools(p).convertToAssets(SHARES);
        ledger.check(_lossy || between, S.C2);
        open(p);
        _remember(p, state);
        if (_stored) ledger.check(_sameMarket(p, state), S.P9);
        (_stored, _lossy) = (false, false);
        world.look(p);
    }

    /// @notice P1a to P1e, P9 for positions, and V1 for one account, of pool `p`.
    function verify(uint256 p) external view {
        IPoolUnderTest pool = world.pools(p);
        MarketState memory state = pool.marketState();
        uint256 cash = IERC20(world.tokens(p)).balanceOf(address(pool));
        assertGe(cash + state.totalDebt, state.lenderAssets, S.P1A);
        assertEq(state.reserves, cash + state.totalDebt - state.lenderAssets, S.P1A_REST);
        uint256 shares;
        uint256 debtShares;
        uint256 debts;
        uint256 borrowers;
        uint256[3] memory held;
        for (uint256 i; i < world.ACCOUNTS(); ++i) {
            address account = world.account(p, i);
            uint256 owed = pool.debtSharesOf(account);
            shares += pool.balanceOf(account);
            debtShares += owed;
            debts += pool.debtOf(account);
            if (owed != 0) ++borrowers;
            assertTrue(owed == 0 || pool.collateralBitmap(account) != 0, S.P1E_DEBT);
            _verifyPosition(p, account, held);
        }
        assertEq(shares, state.supplyShares, S.P1C_SUPPLY);
        assertEq(debtShares, state.debtShares, S.P1C_DEBT);
        assertGe(debts, state.totalDebt, S.P1D);
        assertLe(debts, state.totalDebt + borrowers, S.P1D);
        assertEq(state.totalDebt == 0, state.debtShares == 0, S.P1D);
        for (uint256 id; id < world.COLLATERALS(); ++id) {
            assertEq(pool.collateralState(id).total, held[id], S.P1B_SUM);
            address token = world.tokens(world.collateralOf(p, id));
            assertGe(IERC20(token).balanceOf(address(pool)), held[id], S.P1B_HELD);
        }
        assertEq(SystemViews.firstToRevert(world, p, ledger.calls()), bytes4(0), S.V1);
    }

    function _verifyPosition(uint256 p, address account, uint256[3] memory held) private view {
        IPoolUnderTest pool = world.pools(p);
        PoolMirror mirror = mirrors[p];
        assertEq(mirror.sharesOf(account), pool.balanceOf(account), S.P9);
        assertEq(mirror.debtSharesOf(account), pool.debtSharesOf(account), S.P9);
        uint256 bitmap = pool.collateralBitmap(account);
        for (uint256 id; id < world.COLLATERALS(); ++id) {
            uint256 amount = pool.collateralOf(account, id);
            held[id] += amount;
            assertEq(bitmap >> id & 1, amount == 0 ? 0 : 1, S.P1E);
            assertEq(mirror.collateralOf(account, id), amount, S.P9);
        }
    }

    function _sameMarket(uint256 p, MarketState memory state) private view returns (bool) {
        (uint256 lenderAssets, uint256 supplyShares, uint256 totalDebt, uint256 debtShares,) = mirrors[p].market();
        return lenderAssets == state.lenderAssets && supplyShares == state.supplyShares && totalDebt == state.totalDebt
            && debtShares == state.debtShares && mirrors[p].cash() == int256(state.cash);
    }

    function _remember(uint256 p, MarketState memory state) private {
        (_assets[p], _shares[p]) = (state.lenderAssets, state.supplyShares);
    }
}
