// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IBackstopPool} from "../../contracts/interfaces/IBackstopPool.sol";
import {ICircuitBreaker} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {AccountHealth, CollateralState, MarketState} from "../../contracts/interfaces/ILendingPool.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {Bucket} from "../../contracts/libraries/VolumeBucket.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {Prices} from "../../contracts/types/Price.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {BackstopLens, BackstopView} from "./BackstopLens.sol";

/// @notice Where to look.
/// @param backstop 0 where there is none.
/// @param founder A depositor of the backstop beside the accounts.
/// @param policies Those with buckets, whether the pool asks them or not; 0 stands for one without.
struct Sight {
    IPoolUnderTest pool;
    DampedPolicy[] policies;
    ICircuitBreaker breaker;
    address[] oracles;
    address[] accounts;
    IBackstopPool backstop;
    address founder;
}

/// @notice One account, as the pool's and the tokens' views answer.
/// @param balances Of the asset, then of each collateral. They, `health` and `most` are left empty unless the whole is asked for.
/// @param most What may be deposited, minted, withdrawn and redeemed.
struct AccountView {
    uint256 shares;
    uint256 debtShares;
    uint256 debt;
    uint256 bitmap;
    uint256[] collateral;
    uint256[] balances;
    AccountHealth health;
    uint256[4] most;
}

/// @notice One collateral.
/// @param held What the pool holds of the token.
/// @param buckets By policy; of those that the pool does not ask, empty unless the whole is asked for.
struct CollateralView {
    CollateralState state;
    uint256 held;
    Prices prices;
    uint256 lastPrice;
    Bucket[] buckets;
}

/// @notice Everything that a property may ask.
/// @param breaker The level; outside 0 to 3 never.
struct WorldView {
    MarketState market;
    uint256 totalAssets;
    uint256 totalSupply;
    uint256 reserveFactor;
    bool newRiskFrozen;
    address policy;
    uint8 breaker;
    AccountView[] accounts;
    CollateralView[] collaterals;
    BackstopView backstop;
}

/// @title All views of a world in one call
contract FuzzLens {
    /// @param whole Whether to ask for every account's health and tokens too, which is what costs most.
    function read(Sight calldata sight, bool whole) external view returns (WorldView memory world) {
        IPoolUnderTest pool = sight.pool;
        world.market = pool.marketState();
        world.totalAssets = pool.totalAssets();
        world.totalSupply = pool.totalSupply();
        world.reserveFactor = pool.reserveFactor();
        world.newRiskFrozen = pool.newRiskFrozen();
        world.policy = pool.policy();
        world.breaker = uint8(sight.breaker.levelOf(address(pool)));
        uint256 count = sight.oracles.length;
        address[] memory tokens = new address[](count + 1);
        tokens[0] = pool.assetToken();
        world.collaterals = new CollateralView[](count);
        for (uint256 id; id < count; ++id) {
            CollateralView memory c = world.collaterals[id];
            c.state = pool.collateralState(id);
            tokens[id + 1] = c.state.token;
            c.held = IERC20(c.state.token).balanceOf(address(pool));
            c.prices = IPriceOracle(sight.oracles[id]).peek();
            c.lastPrice = IPriceOracle(sight.oracles[id]).lastPrice();
            c.buckets = new Bucket[](sight.policies.length);
            for (uint256 i; i < sight.policies.length; ++i) {
                DampedPolicy policy = sight.policies[i];
                if (address(policy) == address(0) || !(whole || address(policy) == world.policy)) continue;
                c.buckets[i] = policy.storedBucket(address(pool), id);
            }
        }
        world.accounts = new AccountView[](sight.accounts.length);
        for (uint256 i; i < sight.accounts.length; ++i) {
            world.accounts[i] = _account(pool, sight.accounts[i], tokens, whole);
        }
        world.backstop = BackstopLens.read(sight.backstop, _depositors(sight), tokens);
    }

    function _depositors(Sight calldata sight) private pure returns (address[] memory depositors) {
        uint256 count = sight.accounts.length;
        depositors = new address[](count + 1);
        for (uint256 i; i < count; ++i) {
            depositors[i] = sight.accounts[i];
        }
        depositors[count] = sight.founder;
    }

    function _account(IPoolUnderTest pool, address account, address[] memory tokens, bool whole)
        private
        view
        returns (AccountView memory a)
    {
        a.shares = pool.balanceOf(account);
        a.debtShares = pool.debtSharesOf(account);
        if (a.debtShares != 0) a.debt = pool.debtOf(account);
        a.bitmap = pool.collateralBitmap(account);
        a.collateral = new uint256[](tokens.length - 1);
        for (uint256 id; id < tokens.length - 1; ++id) {
            if (whole || (a.bitmap >> id) & 1 != 0) a.collateral[id] = pool.collateralOf(account, id);
        }
        if (!whole) return a;
        a.health = pool.accountHealth(account);
        a.most = [pool.maxDeposit(account), pool.maxMint(account), pool.maxWithdraw(account), pool.maxRedeem(account)];
        a.balances = new uint256[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            a.balances[i] = IERC20(tokens[i]).balanceOf(account);
        }
    }
}
