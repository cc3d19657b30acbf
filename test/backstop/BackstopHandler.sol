// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {BackstopAccount} from "../../contracts/interfaces/IBackstopPool.sol";
import {CampaignLedger} from "../invariants/system/CampaignLedger.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";

/// @notice Random actions of depositors, borrowers and keepers on a pool with a backstop, with what single calls must keep checked at
/// each. What is refused and why is in the ledger, and the first property that is broken, so that no revert can hide it.
contract BackstopHandler is Test {
    uint256 private constant USDC = 1e6;
    string private constant OTHERS = "what one has was moved by what another did";

    IPoolUnderTest private immutable pool;
    BackstopPool private immutable backstop;
    SimToken private immutable usdc;
    CampaignLedger private immutable ledger;
    PoolOracleMock[2] private oracles;
    uint256[2] private prices = [uint256(2000e24), 30_000e34];

    address[] public actors;
    /// @notice Calls that may have rounded something.
    uint256 public calls;
    /// @notice Debt asset that shares earned.
    uint256 public gains;

    constructor(
        IPoolUnderTest pool_,
        BackstopPool backstop_,
        PoolOracleMock[2] memory oracles_,
        address seed,
        CampaignLedger ledger_
    ) {
        (pool, backstop, oracles, ledger) = (pool_, backstop_, oracles_, ledger_);
        _declare();
        usdc = SimToken(pool_.asset());
        actors.push(seed);
        for (uint256 i; i < 4; ++i) {
            address actor = makeAddr(string.concat("actor", vm.toString(i)));
            actors.push(actor);
            vm.startPrank(actor);
            usdc.approve(address(pool), type(uint256).max);
            usdc.approve(address(backstop), type(uint256).max);
            for (uint256 id; id < 2; ++id) {
                SimToken(pool.collateralState(id).token).approve(address(pool), type(uint256).max);
            }
            vm.stopPrank();
        }
    }

    modifier counted() {
        ledger.called();
        _;
    }

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    // -- depositors

    function deposit(uint256 who, uint256 assets) external counted {
        address actor = _actor(who);
        _roll();
        assets = _bound(assets, USDC, 1e6 * USDC);
        usdc.mint(actor, assets);
        bytes32 others = _fingerprint(actor);
        vm.prank(actor);
        try backstop.deposit(assets) {
            _count("deposit");
            _check(others == _fingerprint(actor), OTHERS);
        } catch (bytes memory answer) {
            ledger.failed("deposit", answer);
        }
    }

    function requestExit(uint256 who, uint256 shares) external counted {
        address actor = _actor(who);
        _roll();
        shares = _bound(shares, 0, backstop.balanceOf(actor));
        bytes32 others = _fingerprint(actor);
        vm.prank(actor);
        try backstop.requestExit(shares) {
            _count("requestExit");
            _check(others == _fingerprint(actor), OTHERS);
        } catch (bytes memory answer) {
            ledger.failed("requestExit", answer);
        }
    }

    function transfer(uint256 who, uint256 to, uint256 shares) external counted {
        address actor = _actor(who);
        address receiver = _actor(to);
        _roll();
        shares = _bound(shares, 0, backstop.balanceOf(actor));
        if (shares == 0) return;
        uint256[3] memory before = _earned(receiver);
        vm.prank(actor);
        backstop.transfer(receiver, shares);
        _count("transfer");
        uint256[3] memory afterwards = _earned(receiver);
        for (uint256 i; i < 3; ++i) {
            _check(before[i] == afterwards[i], "a transfer moved what was earned");
        }
    }

    function claimAssets(uint256 who) external counted {
        address actor = _actor(who);
        _roll();
        bytes32 others = _fingerprint(actor);
        vm.prank(actor);
        if (backstop.claimAssets(actor) != 0) _count("claimAssets");
        _check(others == _fingerprint(actor), OTHERS);
    }

    function claimCollateral(uint256 who, uint256 id) external counted {
        address actor = _actor(who);
        id = id % 2;
        _roll();
        uint256[3][] memory before = _all(actor);
        uint256 expected = backstop.collateralOf(actor, id);
        vm.prank(actor);
        uint256 amount = backstop.claimCollateral(id, actor);
        _check(amount == expected, "a claim paid something else than it showed");
        if (amount != 0) _count("claimCollateral");
        uint256[3][] memory afterwards = _all(actor);
        for (uint256 i; i < before.length; ++i) {
            for (uint256 k; k < 3; ++k) {
                // the fraction of a unit that the claim rounded off falls to the others
                _check(afterwards[i][k] >= before[i][k] && afterwards[i][k] <= before[i][k] + 1, OTHERS);
            }
        }
    }

    // -- everybody else

    function payPremium(uint256 assets) external counted {
        _roll();
        assets = _bound(assets, 1, 10_000 * USDC);
        usdc.mint(actors[1], assets);
        vm.prank(actors[1]);
        backstop.payPremium(assets);
        gains += assets;
        _count("premium");
    }

    function borrow(uint256 who, uint256 id, uint256 amount) external counted {
        address actor = _actor(who);
        id = id % 2;
        amount = id == 0 ? _bound(amount, 0.1 ether, 20 ether) : _bound(amount, 1e6, 1e8);
        SimToken(pool.collateralState(id).token).mint(actor, amount);
        vm.startPrank(actor);
        pool.supplyCollateral(id, amount, actor, "");
        uint256 limit = pool.accountHealth(actor).borrowLimit;
        uint256 debt = pool.accountHealth(actor).debt;
        // two units for what is owed being rounded up
        if (limit > debt + 2) {
            try pool.borrow(limit - debt - 2, actor, actor) {
                _count("borrow");
            } catch (bytes memory answer) {
                ledger.failed("borrow", answer);
            }
        }
        vm.stopPrank();
    }

    function movePrice(uint256 id, uint256 permille) external counted {
        _movePrice(id % 2, _bound(permille, 650, 1250));
        ledger.succeeded("price");
    }

    /// @dev One in two after a fall that makes somebody unhealthy.
    function absorb(uint256 who, uint256 id, uint256 fall) external counted {
        id = id % 2;
        _roll();
        if (fall % 2 == 0) _movePrice(id, _bound(fall, 850, 990));
        for (uint256 i; i < 2 * actors.length; ++i) {
            address actor = _actor(who % actors.length + i / 2);
            uint256 room = backstop.absorbable();
            try backstop.absorb(actor, (id + i) % 2) {
                _count("absorb");
                _check(backstop.absorbable() <= room && backstop.backstopState().assets >= USDC, "it was drained");
                return;
            } catch (bytes memory answer) {
                ledger.failed("absorb", answer);
            }
        }
    }

    /// @dev One in two after a fall that makes somebody insolvent.
    function settle(uint256 who, uint256 fall) external counted {
        _roll();
        if (fall % 2 == 0) _movePrice(who % 2, _bound(fall, 500, 800));
        for (uint256 i; i < actors.length; ++i) {
            try backstop.settle(_actor(who % actors.length + i)) {
                _count("settle");
                return;
            } catch (bytes memory answer) {
                ledger.failed("settle", answer);
            }
        }
    }

    function buy(uint256 who, uint256 id, uint256 amount) external counted {
        address actor = _actor(who);
        id = id % 2;
        _roll();
        backstop.observe(id);
        vm.warp(block.timestamp + 12 + amount % 600);
        _roll();
        amount = _bound(amount, 1, type(uint112).max);
        usdc.mint(actor, 1e7 * USDC);
        vm.prank(actor);
        try backstop.buy(id, amount, 1e7 * USDC, actor) returns (uint256 bought, uint256 paid) {
            gains += paid;
            _check(bought <= amount, "more was sold than asked for");
            uint256 most = oracles[id].depth() * 994 / 100_000;
            _check(FixedPointMathLib.fullMulDiv(bought, prices[id], 1e36) <= most, "more was sold than the limit");
            _count("buy");
        } catch (bytes memory answer) {
            ledger.failed("buy", answer);
        }
    }

    function pass(uint256 time) external counted {
        vm.warp(block.timestamp + _bound(time, 1, 1 days));
        _roll();
        ledger.succeeded("pass");
    }

    function _movePrice(uint256 id, uint256 permille) private {
        uint256 price = prices[id] * permille / 1000;
        uint256 start = id == 0 ? 2000e24 : 30_000e34;
        if (price < start / 4 || price > start * 3) price = start;
        prices[id] = price;
        oracles[id].setPrice(price);
    }

    // -- checking

    /// @dev What everybody but `actor` has, free and waiting.
    function _fingerprint(address actor) private view returns (bytes32) {
        return keccak256(abi.encode(_all(actor)));
    }

    function _all(address except) private view returns (uint256[3][] memory all) {
        all = new uint256[3][](actors.length);
        for (uint256 i; i < actors.length; ++i) {
            if (actors[i] == except) continue;
            all[i] = _earned(actors[i]);
            BackstopAccount memory a = backstop.backstopAccount(actors[i]);
            all[i][0] += a.shares + a.exitShares + a.entryAssets;
        }
    }

    function _earned(address actor) private view returns (uint256[3] memory) {
        return
            [
                backstop.backstopAccount(actor).claimable,
                backstop.collateralOf(actor, 0),
                backstop.collateralOf(actor, 1)
            ];
    }

    function _roll() private {
        backstop.roll();
        ++calls;
    }

    function _count(bytes32 action) private {
        ledger.succeeded(action);
        ++calls;
    }

    /// @dev Floors are a third to a tenth of what a run does, so that a run of 600 calls that only has bad luck is rare.
    function _declare() private {
        ledger.declare("deposit", 100);
        ledger.declare("requestExit", 100);
        ledger.declare("transfer", 100);
        ledger.declare("claimAssets", 100);
        ledger.declare("claimCollateral", 50);
        ledger.declare("premium", 100);
        ledger.declare("borrow", 100);
        ledger.declare("price", 100);
        ledger.declare("absorb", 17);
        ledger.declare("settle", 34);
        ledger.declare("buy", 80);
        ledger.declare("pass", 100);
    }

    /// @dev The seed depositor, the first, never acts.
    function _actor(uint256 who) private view returns (address) {
        return actors[1 + who % (actors.length - 1)];
    }

    function _check(bool holds, string memory property) private {
        ledger.check(holds, property);
    }
}
