// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {AccountHealth, ILendingPoolExtension, LiquidationResult} from "../../../contracts/interfaces/ILendingPool.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice The settlement of what is insolvent, and only of that (P4).
contract SettlementHandler is SystemHandler {
    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("settle", 50);
        ledger.declare("write off", 40);
        ledger.declare("settle anybody", 0);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](2);
        (list[0], list[1]) = (this.settle.selector, this.settleAnybody.selector);
    }

    /// @dev Insolvent from a health factor of LT 1.03 = 0.855 down.
    function settle(uint256 a, uint256, uint256 c) external counted {
        uint256 p = a % 3;
        address account = _squeezed(p, a / 3, _bound(c, 0.3e18, 0.87e18));
        if (account != address(0)) _settle("settle", p, account);
    }

    function settleAnybody(uint256 a, uint256, uint256) external counted {
        _settle("settle anybody", a % 3, world.account(a % 3, a / 3));
    }

    function _settle(bytes32 action, uint256 p, address account) private {
        AccountHealth memory before = _health(p, account);
        bool insolvent = before.collateralValue * 100 < before.debt * 103;
        world.mint(p, world.keeper(), before.debt);
        (bool success, bytes memory answer) =
            _attempt(action, p, world.keeper(), abi.encodeCall(ILendingPoolExtension.settle, (account, "")));
        if (!success) {
            // What has no price counts at its bound, which may hold the settlement back.
            _check(!insolvent || before.priceDown, S.P4_SETTLE);
            return;
        }
        _check(insolvent && before.healthFast < 1e18, S.P4);
        _check(_pool(p).debtSharesOf(account) == 0, S.P1E_DEBT);
        if (abi.decode(answer, (LiquidationResult)).writtenOff != 0) ledger.succeeded("write off");
    }
}
