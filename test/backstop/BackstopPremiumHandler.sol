// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {MarketState} from "../../contracts/interfaces/ILendingPool.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice Premiums: of anybody, and the standing one that the pool's reserves pay (K8).
abstract contract BackstopPremiumHandler is BackstopHandlerBase {
    /// @dev Reserves of which the growth has been shared.
    uint256 private shared;

    constructor() {
        shared = steward.counted();
        ledger.declare("premium", 100);
        ledger.declare("distribute", 60);
    }

    function payPremium(uint256 assets) external counted {
        _roll();
        assets = _bound(assets, 1, 10_000 * USDC);
        usdc.mint(actors[1], assets);
        Part[] memory before = _parts();
        vm.prank(actors[1]);
        backstop.payPremium(assets);
        _count("premium");
        _checkGiven(before, assets);
    }

    /// @dev One in two after a gift to the reserves, which is growth as interest is.
    function distribute(uint256 gift) external counted {
        _roll();
        if (gift % 2 == 0) usdc.mint(address(pool), _bound(gift, 1, 1000 * USDC));
        MarketState memory market = pool.marketState();
        uint256 growth = FixedPointMathLib.zeroFloorSub(market.reserves, shared);
        uint256 held = usdc.balanceOf(address(backstop));
        Part[] memory before = _parts();
        try steward.distribute() returns (uint256 paid) {
            if (paid != 0) _count("distribute");
            _check(paid * 2 <= growth, K.K8_SHARE);
            MarketState memory left = pool.marketState();
            _check(left.reserves + paid == market.reserves && left.lenderAssets == market.lenderAssets, K.K8_RESERVES);
            _check(usdc.balanceOf(address(backstop)) == held + paid, K.K8_DEPOSITORS);
            // what there was no cash to pay for is growth still
            shared = left.reserves - (paid == market.cash ? FixedPointMathLib.zeroFloorSub(growth, 2 * paid) : 0);
            _checkGiven(before, paid);
        } catch (bytes memory answer) {
            ledger.failed("distribute", answer);
        }
    }

    /// @dev To each by his shares, but for a unit of what he had and one of what he has.
    function _checkGiven(Part[] memory before, uint256 assets) private {
        gains += assets;
        uint256 shares = backstop.backstopState().shares;
        Part[] memory parts = _parts();
        for (uint256 i; i < parts.length; ++i) {
            uint256 gain = FixedPointMathLib.zeroFloorSub(parts[i].claimable, before[i].claimable);
            uint256 due = assets * before[i].earning / shares;
            _check(gain <= due + 1 && gain + 2 >= due, K.K8_DEPOSITORS);
            before[i].claimable = parts[i].claimable;
            _check(_isUntouched(before[i], parts[i], 0), K.K4);
        }
    }
}
