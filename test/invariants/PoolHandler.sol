// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {
    AccountHealth,
    LiquidationCall,
    LiquidationResult,
    MarketState
} from "../../contracts/interfaces/ILendingPool.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolBreakerMock} from "../mocks/PoolBreakerMock.sol";
import {PoolFlashBorrower} from "../mocks/PoolFlashBorrower.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {PoolMirror} from "../utils/PoolMirror.sol";
import {Halves, Measure} from "./Halves.sol";
import {PoolSpec as S} from "./PoolSpec.sol";
import {CampaignLedger} from "./system/CampaignLedger.sol";

/// @notice Random actions of several actors on a pool with two collaterals, with the properties of single calls checked at
/// each. What it refuses and why is in the ledger, and the first property that is broken, so that no revert can hide it.
contract PoolHandler is Test {
    IPoolUnderTest public immutable pool;
    PoolMirror public immutable mirror;
    CampaignLedger private immutable ledger;
    SimToken private immutable asset;
    PoolOracleMock[2] private oracles;
    PoolBreakerMock private immutable breaker;
    PoolFlashBorrower private immutable flashBorrower;
    Halves private immutable halves;
    address private immutable owner;

    address[] public actors;
    /// @notice All that was written off.
    uint256 public writtenOff;

    uint256[2] private BASE_PRICES = [2000e24, 30_000e34];

    constructor(
        IPoolUnderTest pool_,
        PoolMirror mirror_,
        PoolOracleMock ethOracle,
        PoolOracleMock btcOracle,
        PoolBreakerMock breaker_,
        address owner_,
        CampaignLedger ledger_
    ) {
        (pool, mirror, breaker, owner, ledger) = (pool_, mirror_, breaker_, owner_, ledger_);
        _declare();
        asset = SimToken(pool_.asset());
        oracles = [ethOracle, btcOracle];
        flashBorrower = new PoolFlashBorrower();
        halves = new Halves(pool_);
        for (uint256 i; i < 5; ++i) {
            address actor = makeAddr(string.concat("actor", vm.toString(i)));
            actors.push(actor);
            vm.startPrank(actor);
            asset.approve(address(pool), type(uint256).max);
            for (uint256 id; id < 2; ++id) {
                SimToken(pool.collateralState(id).token).approve(address(pool), type(uint256).max);
            }
            vm.stopPrank();
        }
    }

    /// @dev Feeds the mirror and checks that a share's worth fell by no more than what was written off beyond the reserves.
    modifier step() {
        MarketState memory before = pool.marketState();
        uint256 lost = writtenOff;
        ledger.called();
        _;
        mirror.apply_(vm.getRecordedLogs());
        MarketState memory state = pool.marketState();
        lost = writtenOff - lost;
        lost = lost > before.reserves ? lost - before.reserves : 0;
        _check(
            (state.lenderAssets + lost + 1) * (before.supplyShares + 1000)
                >= (before.lenderAssets + 1) * (state.supplyShares + 1000),
            S.P7
        );
    }

    // -- lenders

    function deposit(uint256 who, uint256 assets) external step {
        address actor = _actor(who);
        uint256 most = pool.maxDeposit(actor);
        assets = _bound(assets, 0, most < 1e11 ? most : 1e11);
        if (pool.previewDeposit(assets) == 0) return;
        asset.mint(actor, assets);
        int256 split = _inHalves(
            actor,
            abi.encodeCall(pool.deposit, (assets / 2, actor)),
            abi.encodeCall(pool.deposit, (assets - assets / 2, actor)),
            Measure.Shares,
            actor
        );
        vm.prank(actor);
        try pool.deposit(assets, actor) {
            ledger.succeeded("deposit");
            _check(split <= halves.score(Measure.Shares, actor), S.P6);
        } catch (bytes memory answer) {
            ledger.failed("deposit", answer);
            _check(false, S.P10);
        }
    }

    function mint(uint256 who, uint256 shares) external step {
        address actor = _actor(who);
        uint256 most = pool.maxMint(actor);
        shares = _bound(shares, 0, most < 1e14 ? most : 1e14);
        if (shares == 0) return;
        // a unit for what two halves round up
        asset.mint(actor, pool.previewMint(shares) + 1);
        int256 split = _inHalves(
            actor,
            abi.encodeCall(pool.mint, (shares / 2, actor)),
            abi.encodeCall(pool.mint, (shares - shares / 2, actor)),
            Measure.Assets,
            actor
        );
        vm.prank(actor);
        try pool.mint(shares, actor) {
            ledger.succeeded("mint");
            _check(split <= halves.score(Measure.Assets, actor), S.P6);
        } catch (bytes memory answer) {
            ledger.failed("mint", answer);
            _check(false, S.P10);
        }
    }

    function withdraw(uint256 who, uint256 assets, uint256 to) external step {
        address actor = _actor(who);
        // One in four takes all that may be taken.
        assets = to % 4 == 0 ? pool.maxWithdraw(actor) : _bound(assets, 0, pool.maxWithdraw(actor));
        if (assets == 0) return;
        int256 split = _inHalves(
            actor,
            abi.encodeCall(pool.withdraw, (assets / 2, _actor(to), actor)),
            abi.encodeCall(pool.withdraw, (assets - assets / 2, _actor(to), actor)),
            Measure.Shares,
            actor
        );
        vm.prank(actor);
        try pool.withdraw(assets, _actor(to), actor) {
            ledger.succeeded("withdraw");
            _check(split <= halves.score(Measure.Shares, actor), S.P6);
        } catch (bytes memory answer) {
            ledger.failed("withdraw", answer);
            _check(false, S.P10);
        }
    }

    function redeem(uint256 who, uint256 shares, uint256 to) external step {
        address actor = _actor(who);
        shares = to % 4 == 0 ? pool.maxRedeem(actor) : _bound(shares, 0, pool.maxRedeem(actor));
        if (pool.previewRedeem(shares) == 0) return;
        int256 split = _inHalves(
            actor,
            abi.encodeCall(pool.redeem, (shares / 2, _actor(to), actor)),
            abi.encodeCall(pool.redeem, (shares - shares / 2, _actor(to), actor)),
            Measure.Assets,
            _actor(to)
        );
        vm.prank(actor);
        try pool.redeem(shares, _actor(to), actor) {
            ledger.succeeded("redeem");
            _check(split <= halves.score(Measure.Assets, _actor(to)), S.P6);
        } catch (bytes memory answer) {
            ledger.failed("redeem", answer);
            _check(false, S.P10);
        }
    }

    function transferShares(uint256 who, uint256 to, uint256 shares) external step {
        address actor = _actor(who);
        shares = _bound(shares, 0, pool.balanceOf(actor));
        vm.prank(actor);
        pool.transfer(_actor(to), shares);
        if (shares != 0) ledger.succeeded("transfer");
    }

    // -- borrowers

    function supplyCollateral(uint256 who, uint256 payer, uint256 id, uint256 amount) external step {
        address actor = _actor(who);
        id = id % 2;
        bool held = pool.collateralOf(actor, id) != 0;
        address from = held ? _actor(payer) : actor;
        amount = _bound(amount, 1, id == 0 ? 10e18 : 1e8);
        SimToken(pool.collateralState(id).token).mint(from, amount);
        vm.prank(from);
        try pool.supplyCollateral(id, amount, actor, "") {
            ledger.succeeded("supply");
        } catch (bytes memory answer) {
            ledger.failed("supply", answer);
            // What is not held may be frozen; what is held may always be topped up.
            _check(!held, S.P5);
        }
    }

    function withdrawCollateral(uint256 who, uint256 id, uint256 amount) external step {
        // The first who holds some, from `who` on.
        address actor;
        id = id % 2;
        for (uint256 i; i < actors.length && pool.collateralOf(actor, id) == 0; ++i) {
            actor = _actor(who % 5 + i);
        }
        amount = _bound(amount, 0, pool.collateralOf(actor, id));
        if (amount == 0) return;
        vm.prank(actor);
        try pool.withdrawCollateral(id, amount, actor, actor) {
            ledger.succeeded("withdrawCollateral");
            _checkWithinLimit(actor);
        } catch (bytes memory answer) {
            ledger.failed("withdrawCollateral", answer);
            _check(pool.debtSharesOf(actor) != 0, S.P11);
        }
    }

    function borrow(uint256 who, uint256 assets) external step {
        // The first who may, from `who` on; three in four times with nothing stopped and new collateral.
        address actor = _actor(who);
        if (assets % 4 != 0) {
            _calm();
            _supply(actor, assets % 2);
        }
        uint256 room;
        for (uint256 i; i < actors.length && room == 0; ++i) {
            actor = _actor(who % 5 + i);
            AccountHealth memory health = pool.accountHealth(actor);
            if (health.borrowLimit > health.debt) room = health.borrowLimit - health.debt;
        }
        uint256 cash = asset.balanceOf(address(pool));
        // One in three borrows all that it may.
        room = room < cash ? room : cash;
        assets = assets % 3 == 0 ? room : _bound(assets, 0, room);
        if (assets == 0) return;
        int256 split = _inHalves(
            actor,
            abi.encodeCall(pool.borrow, (assets / 2, actor, actor)),
            abi.encodeCall(pool.borrow, (assets - assets / 2, actor, actor)),
            Measure.Debt,
            actor
        );
        vm.prank(actor);
        try pool.borrow(assets, actor, actor) {
            ledger.succeeded("borrow");
            _check(split <= halves.score(Measure.Debt, actor), S.P6);
            _checkWithinLimit(actor);
        } catch (bytes memory answer) {
            ledger.failed("borrow", answer);
        }
    }

    function repay(uint256 who, uint256 payer, uint256 assets) external step {
        address actor = _actor(who);
        if (pool.debtSharesOf(actor) == 0) actor = _borrower(who);
        uint256 debt = pool.debtOf(actor);
        if (debt == 0) return;
        assets = payer % 4 == 0 ? type(uint256).max : _bound(assets, 1, debt);
        uint256 most = assets < debt ? assets : debt;
        asset.mint(_actor(payer), most);
        int256 split = _inHalves(
            _actor(payer),
            abi.encodeCall(pool.repay, (most / 2, actor, "")),
            abi.encodeCall(pool.repay, (most - most / 2, actor, "")),
            Measure.Debt,
            actor
        );
        vm.prank(_actor(payer));
        try pool.repay(assets, actor, "") {
            ledger.succeeded("repay");
            _check(split <= halves.score(Measure.Debt, actor), S.P6);
        } catch (bytes memory answer) {
            ledger.failed("repay", answer);
            _check(false, S.P5);
        }
    }

    // -- liquidators

    function liquidate(uint256 who, uint256 id, uint256 maxRepay) external step {
        address actor = _chosen(who, id, _bound(maxRepay, 0.75e18, 0.999e18));
        id = id % 2;
        if (pool.collateralOf(actor, id) == 0) id = 1 - id;
        AccountHealth memory before = pool.accountHealth(actor);
        asset.mint(address(this), before.debt);
        asset.approve(address(pool), type(uint256).max);
        maxRepay = _bound(maxRepay, 0, 2 * before.debt);
        int256 split = _liquidatedInHalves(actor, id, maxRepay);
        try pool.liquidate(actor, id, maxRepay, "") returns (LiquidationResult memory r) {
            ledger.succeeded("liquidate");
            _check(split <= _profitAtMost(id, r.repaid), S.P6);
            _check(before.healthFast < 1e18, S.P4);
            _checkBonus(id, r);
            AccountHealth memory left = pool.accountHealth(actor);
            if (before.collateralValue * 10_000 >= before.debt * 10_500 && left.debt > 2) {
                _check((left.collateralValue + 2) * before.debt >= before.collateralValue * (left.debt - 2), S.P3);
            }
            // What is left of a debt when the last collateral is gone, at the whole bonus; three units for rounding.
            _writeOff(r.writtenOff, before, 105, 3);
        } catch (bytes memory answer) {
            ledger.failed("liquidate", answer);
        }
    }

    function liquidateBatch(uint256 first, uint256 id, uint256 maxRepay) external step {
        address chosen = _chosen(first, id, _bound(maxRepay, 0.75e18, 0.999e18));
        LiquidationCall[] memory calls = new LiquidationCall[](4);
        AccountHealth[4] memory before;
        for (uint256 i; i < 4; ++i) {
            address actor = i % 3 == 0 ? chosen : _actor(first % 5 + i); // one twice
            before[i] = pool.accountHealth(actor);
            calls[i] = LiquidationCall(actor, (id % 2 + i) % 2, _bound(maxRepay, 1, 1e12));
        }
        asset.mint(address(this), 4e12 + pool.marketState().totalDebt);
        asset.approve(address(pool), type(uint256).max);
        try pool.liquidateBatch(calls, "") returns (LiquidationResult[] memory results) {
            ledger.succeeded("batch");
            for (uint256 i; i < 4; ++i) {
                _check(results[i].repaid == 0 || before[i].healthFast < 1e18, S.P4);
                _checkBonus(calls[i].collateralId, results[i]);
                _writeOff(results[i].writtenOff, before[i], 105, 6);
            }
        } catch (bytes memory answer) {
            ledger.failed("batch", answer);
        }
    }

    function settle(uint256 who, uint256 target) external step {
        address actor = _chosen(who, target, _bound(target, 0.3e18, 0.87e18));
        AccountHealth memory before = pool.accountHealth(actor);
        asset.mint(address(this), before.debt);
        asset.approve(address(pool), type(uint256).max);
        bool insolvent = before.collateralValue * 100 < before.debt * 103;
        try pool.settle(actor, "") returns (LiquidationResult memory r) {
            ledger.succeeded("settle");
            _check(insolvent && before.healthFast < 1e18, S.P4);
            _writeOff(r.writtenOff, before, 103, 0);
        } catch (bytes memory answer) {
            ledger.failed("settle", answer);
            // What has no price counts at its bound, which may hold the settlement back.
            _check(!insolvent || before.priceDown, S.P4_SETTLE);
        }
    }

    // -- others

    function flashLoan(uint256 amount) external step {
        bytes32 before = keccak256(abi.encode(pool.marketState()));
        pool.flashLoan(flashBorrower, address(asset), _bound(amount, 0, asset.balanceOf(address(pool))), "");
        _check(keccak256(abi.encode(pool.marketState())) == before, S.P12);
        ledger.succeeded("flash");
    }

    function donate(uint256 amount, uint256 what) external step {
        if (what % 3 == 0) asset.mint(address(pool), _bound(amount, 0, 1e9));
        else SimToken(pool.collateralState(what % 2).token).mint(address(pool), _bound(amount, 0, 1e9));
        ledger.succeeded("donate");
    }

    /// @dev Back to within a quarter of where it began, so that there is always something to lend on.
    function movePrice(uint256 id, uint256 level) external step {
        _setPrice(id % 2, BASE_PRICES[id % 2] * _bound(level, 750, 1250) / 1000);
        ledger.succeeded("price");
    }

    /// @dev To where a borrower's health factor is about 0.7 to 1, if it can be; the worst of it is insolvent. One in four: to
    /// a twentieth of the starting price.
    function squeeze(uint256 who, uint256 target) external step {
        _squeeze(_borrower(who), target % 4 == 0 ? 0 : _bound(target, 0.7e18, 1e18));
        ledger.succeeded("squeeze");
    }

    function moveTime(uint256 elapsed) external step {
        skip(_bound(elapsed, 1, elapsed % 8 == 0 ? 60 days : 3 days));
        ledger.succeeded("time");
    }

    /// @dev Breaker and oracle say anything, three times in four that all is well.
    function disturb(uint256 id, uint256 what) external step {
        breaker.setLevel(BreakerLevel(what % 4 != 0 ? 0 : (what >> 8) % 4));
        oracles[id % 2].setStatus(PriceStatus(what % 4 != 0 ? 0 : (what >> 16) % 3));
        ledger.succeeded("disturb");
    }

    function administer(uint256 what, uint256 value) external step {
        vm.startPrank(owner);
        what = what % 6;
        if (what == 0) pool.setReserveFactor(uint8(_bound(value, 0, 50)));
        if (what == 1 && value % 8 == 0) pool.freezeNewRisk();
        if (what == 2 && value % 8 == 0) pool.freezeCollateral(value % 2);
        if (what == 3) pool.unfreezeCollateral(value % 2);
        if (what == 4) pool.unfreezeNewRisk();
        if (what >= 3) pool.rampCollateral(value % 2, uint16(_bound(value, 5000, 8400)), 8500);
        vm.stopPrank();
        ledger.succeeded("administer");
    }

    function withdrawReserves(uint256 assets) external step {
        MarketState memory state = pool.marketState();
        uint256 most = state.reserves < state.cash ? state.reserves : state.cash;
        assets = _bound(assets, most == 0 ? 0 : 1, most);
        vm.prank(owner);
        pool.withdrawReserves(assets, owner);
        _check(pool.totalAssets() == state.lenderAssets, S.P13);
        if (assets != 0) ledger.succeeded("reserves");
    }

    // -- checking

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    function _setPrice(uint256 id, uint256 price) private {
        oracles[id].setPrice(_bound(price, BASE_PRICES[id] / 20, BASE_PRICES[id] * 3));
    }

    function _checkWithinLimit(address actor) private {
        AccountHealth memory health = pool.accountHealth(actor);
        _check(health.debt == 0 || health.debt <= health.borrowLimit, S.P11);
    }

    function _checkBonus(uint256 id, LiquidationResult memory r) private {
        uint256 worth = r.seized * oracles[id].peek().fast / 1e36;
        _check(worth * 10_000 <= (r.repaid + 1) * 10_500 + 10_000, S.P2);
    }

    /// @dev No more than what the position was short by, where its collateral counts less the bonus of `percent` - 100. An
    /// earlier call of a batch leaves that as it was.
    function _writeOff(uint256 lost, AccountHealth memory before, uint256 percent, uint256 rounding) private {
        if (lost == 0) return;
        ledger.succeeded("write-off");
        writtenOff += lost;
        _check(lost * percent + before.collateralValue * 100 <= (before.debt + rounding) * percent, S.LOSS);
    }

    function _check(bool holds, string memory property) private {
        ledger.check(holds, property);
    }

    /// @dev What would be left to `account` if `from` made both calls; less than anything if one is refused. The mirror is not told.
    function _inHalves(address from, bytes memory first, bytes memory second, Measure measure, address account)
        private
        returns (int256)
    {
        mirror.apply_(vm.getRecordedLogs());
        (bool made, int256 left, bytes memory answer) = halves.tried(from, [first, second], measure, account);
        vm.getRecordedLogs();
        if (made) {
            ledger.succeeded(_halvesOf(measure));
            return left;
        }
        ledger.failed(_halvesOf(measure), answer);
        return type(int256).min;
    }

    function _halvesOf(Measure measure) private pure returns (bytes32) {
        if (measure == Measure.Shares) return "halves: shares";
        if (measure == Measure.Assets) return "halves: assets";
        return measure == Measure.Debt ? bytes32("halves: debt") : bytes32("halves: liquidation");
    }

    /// @dev Halves of what would be granted.
    function _liquidatedInHalves(address actor, uint256 id, uint256 maxRepay) private returns (int256) {
        (, LiquidationGrant memory grant) = pool.quoteLiquidation(actor, id, maxRepay);
        if (grant.repay == 0) return type(int256).min;
        return _inHalves(
            address(this),
            abi.encodeCall(pool.liquidate, (actor, id, grant.repay / 2, "")),
            abi.encodeCall(pool.liquidate, (actor, id, grant.repay - grant.repay / 2, "")),
            id == 0 ? Measure.Worth0 : Measure.Worth1,
            address(this)
        );
    }

    /// @dev What one call rounds off of the collateral and of the bonus, which has 18 decimals, and a unit of debt for each half and
    /// for the worth of what was held before.
    function _profitAtMost(uint256 id, uint256 repaid) private view returns (int256) {
        uint256 unit = oracles[id].peek().fast / 1e36 + 1;
        return halves.score(id == 0 ? Measure.Worth0 : Measure.Worth1, address(this)) + int256(unit + 4 + repaid / 1e18);
    }

    /// @dev Floors are a third to a tenth of what a run does, so that a run of 600 calls that only has bad luck is rare.
    function _declare() private {
        ledger.declare("deposit", 100);
        ledger.declare("mint", 80);
        ledger.declare("withdraw", 80);
        ledger.declare("redeem", 34);
        ledger.declare("transfer", 50);
        ledger.declare("supply", 200);
        ledger.declare("withdrawCollateral", 34);
        ledger.declare("borrow", 150);
        ledger.declare("repay", 17);
        ledger.declare("liquidate", 34);
        ledger.declare("write-off", 34);
        ledger.declare("batch", 34);
        ledger.declare("settle", 34);
        ledger.declare("flash", 80);
        ledger.declare("donate", 80);
        ledger.declare("price", 80);
        ledger.declare("time", 80);
        ledger.declare("disturb", 80);
        ledger.declare("administer", 80);
        ledger.declare("reserves", 17);
        ledger.declare("squeeze", 80);
        ledger.declare("halves: shares", 100);
        ledger.declare("halves: assets", 80);
        ledger.declare("halves: debt", 100);
        ledger.declare("halves: liquidation", 17);
    }

    /// @dev Three times in four a borrower, new if there is none, who is brought to a health factor of `target`, if prices can move
    /// there. Else one as he is, because that nobody healthy is touched (P4) is shown only by trying.
    function _chosen(uint256 who, uint256 seed, uint256 target) private returns (address actor) {
        actor = _borrower(who);
        if (seed % 4 == 0) return actor;
        if (pool.accountHealth(actor).healthFast > 3e18) _open(actor, seed % 2);
        _squeeze(actor, target);
    }

    /// @dev A position near its limit, as far as there is cash.
    function _open(address actor, uint256 id) private {
        _calm();
        _supply(actor, id);
        AccountHealth memory health = pool.accountHealth(actor);
        if (health.borrowLimit * 9 / 10 <= health.debt) return;
        uint256 cash = asset.balanceOf(address(pool));
        uint256 assets = health.borrowLimit * 9 / 10 - health.debt;
        vm.prank(actor);
        try pool.borrow(assets < cash ? assets : cash, actor, actor) {
            ledger.succeeded("borrow");
        } catch (bytes memory answer) {
            ledger.failed("borrow", answer);
        }
    }

    /// @dev Nothing is frozen, halted or without a price.
    function _calm() private {
        breaker.setLevel(BreakerLevel.Normal);
        vm.startPrank(owner);
        pool.unfreezeNewRisk();
        for (uint256 id; id < 2; ++id) {
            pool.unfreezeCollateral(id);
            oracles[id].setStatus(PriceStatus.Ok);
        }
        vm.stopPrank();
    }

    function _squeeze(address actor, uint256 target) private {
        uint256 health = pool.accountHealth(actor).healthFast;
        if (health > 3e18) return;
        for (uint256 id; id < 2; ++id) {
            _setPrice(id, oracles[id].peek().fast * target / (health + 1));
        }
    }

    /// @dev The first from `who` on whose debt a price can matter to, or `who`.
    function _borrower(uint256 who) private view returns (address) {
        for (uint256 i; i < actors.length; ++i) {
            address actor = _actor(who % 5 + i);
            if (pool.accountHealth(actor).healthFast <= 3e18) return actor;
        }
        return _actor(who);
    }

    /// @dev 5 ether or half a bitcoin.
    function _supply(address actor, uint256 id) private {
        uint256 amount = id == 0 ? 5e18 : 0.5e8;
        SimToken(pool.collateralState(id).token).mint(actor, amount);
        vm.prank(actor);
        try pool.supplyCollateral(id, amount, actor, "") {
            ledger.succeeded("supply");
        } catch (bytes memory answer) {
            ledger.failed("supply", answer);
        }
    }

    function _actor(uint256 who) private view returns (address) {
        return actors[who % actors.length];
    }
}
