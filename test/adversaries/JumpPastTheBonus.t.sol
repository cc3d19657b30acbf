// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SystemPlan} from "../../script/SystemPlan.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev Positions between HF_hard and 1 that the bucket has not let through, and a report that takes them past C = 1.03 D, where lenders
/// begin to lose. Liquidators have money from elsewhere and act in every block.
abstract contract JumpPastTheBonus is AdversaryFixture {
    uint256 internal constant OWED = 155_000e18;

    address[] private _positions;
    address private _decoy = makeAddr("decoy");

    /// @dev What lenders lose where `count` positions are at HF = 0.83 * 1,690 / 1,550 = 0.905 for five minutes and the price is then
    /// 1,560 (HF 0.835, C = 1.0065 D). `drained`: somebody empties the bucket in each block by liquidating another position of his.
    function _loss(uint256 count, bool drained) internal returns (uint256 loss) {
        for (uint256 i; i < count; ++i) {
            _positions.push(makeAddr(vm.toString(i)));
            _openFor(_positions[i], 100e18, OWED);
        }
        if (drained) _openFor(_decoy, 400e18, 4 * OWED);
        debt.mint(keeper, 100_000_000e18);
        uint256 lent = lending.marketState().lenderAssets;
        _stay(1830, 10, drained);
        _stay(1720, 10, drained);
        _stay(1690, 36, drained);
        _moveTo(1560e36);
        _nextBlock();
        _setFeed(1560e8);
        for (uint256 i; i < count; ++i) {
            vm.prank(keeper);
            try lending.settle(_positions[i], "") {} catch {}
        }
        uint256 left = lending.marketState().lenderAssets;
        loss = lent > left ? lent - left : 0;
    }

    function _stay(uint256 price, uint256 blocks, bool drained) private {
        _moveTo(price * 1e36);
        for (uint256 i; i < blocks; ++i) {
            _nextBlock();
            _setFeed(int256(price * 1e8));
            if (drained) _tryLiquidate(attacker, _decoy);
            for (uint256 k; k < _positions.length; ++k) {
                _tryLiquidate(keeper, _positions[k]);
            }
        }
    }

    function _tryLiquidate(address liquidator_, address account) private {
        vm.prank(liquidator_);
        try lending.liquidate(account, 0, type(uint256).max, "") {} catch {}
    }
}

/// @dev By default the hard zone begins at C = 1.05 D: a report 1.9% lower is enough.
contract JumpPastTheBonusTest is JumpPastTheBonus {
    function test_jump_FewPositionsAreThroughBefore() public {
        assertEq(_loss(5, false), 0);
    }

    /// The bound: no more than the position's fall below C = 1.03 D, 2.3% of what it still owes.
    function test_jump_ManyWaitForTheBucket() public {
        uint256 loss = _loss(15, false);
        _figure("a jump past the bonus, fifteen positions: lenders lose", loss);
        assertGt(loss, 0);
        assertLt(loss, 15 * OWED * 24 / 1000);
    }

    /// It costs the gas of 56 calls and what the attacker's own position pays, and earns him nothing.
    function test_jump_SomebodyDrainsTheBucketMeanwhile() public {
        uint256 loss = _loss(5, true);
        _figure("a jump past the bonus, five positions, the bucket drained: lenders lose", loss);
        assertGt(loss, 0);
        assertLt(loss, 5 * OWED * 24 / 1000);
    }
}

/// @dev With a margin of 5% they are all in the hard zone before.
contract JumpPastTheMarginTest is JumpPastTheBonus {
    function _plan(SystemPlan memory plan) internal pure override returns (SystemPlan memory) {
        plan.collaterals[0].listing.slippageMargin = 500;
        return plan;
    }

    function test_jump_NothingWaits() public {
        assertEq(_loss(15, true), 0);
    }
}
