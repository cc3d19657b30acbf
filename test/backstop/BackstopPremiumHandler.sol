// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {MarketState} from "../../contracts/interfaces/ILendingPool.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice Premiums: of anybody, and the standing one that the pool's reserves pay (K8).
abstract contract BackstopPremiumHandler is BackstopHandlerBase {
    constructor() {
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
        uint256 growth = FixedPointMathLib.zeroFloorSub(market.reserves, steward.counted());
        uint256 held = usdc.balanceOf(address(backstop));
        Part[] memory before = _parts();
        try steward.distribute() returns (uint256 paid) {
            if (paid != 0) _count("distribute");
            _check(paid * 2 <= growth, K.K8_SHARE);
            MarketState memory left = pool.marketState();
            _check(left.reserves + paid == market.reserves && left.lenderAssets == market.lenderAssets, K.K8_RESERVES);
            _check(usdc.balanceOf(address(backstop)) == held + paid, K.K8_DEPOSITORS);
            _checkGiven(before, paid);
        } catch (bytes memory answer) {
            ledger.failed("distribute", answer);
        }
    }

    /// @dev All of it can be claimed at once, but for what each had or has of a unit, and what the locked shares earn: see
    /// `BackstopInvariantsTest`.
    function _checkGiven(Part[] memory before, uint256 assets) private {
        gains += assets;
        Part[] memory parts = _parts();
        uint256 given;
        for (uint256 i; i < parts.length; ++i) {
            given += parts[i].claimable - before[i].claimable;
        }
        bool all = given + parts.length + assets / 1e7 + 1 >= assets;
        _check(all && given <= assets + parts.length, K.K8_DEPOSITORS);
        _checkOthers(before, address(0), Effect.Premium);
    }
}
