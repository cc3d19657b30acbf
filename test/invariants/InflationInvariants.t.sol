// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {PoolFixture} from "../utils/PoolFixture.sol";
import {InflationHandler} from "./InflationHandler.sol";
import {PoolSpec as S} from "./PoolSpec.sol";
import {CampaignLedger} from "./system/CampaignLedger.sol";

/// @notice Whoever raises a share's worth in an empty pool, by whatever he gives it and owes it, leaves as much as the 1,000 virtual shares are
/// worth for good. What others lose to him by rounding, a share's worth at most each, is all that he has of it: he comes out ahead
/// only if about a thousand deposits follow.
/// @dev He is the only borrower, so that there is no interest but his own.
///
/// forge-config: default.invariant.runs = 2
/// forge-config: default.invariant.depth = 600
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 20
/// forge-config: ci.invariant.runs = 8
/// forge-config: ci.invariant.depth = 1000
/// forge-config: ci.invariant.fail-on-revert = true
/// forge-config: deep.invariant.runs = 128
/// forge-config: deep.invariant.depth = 1000
/// forge-config: deep.invariant.fail-on-revert = true
contract InflationInvariantsTest is PoolFixture {
    string private constant ACCOUNT = "cache/campaign-inflation.txt";

    InflationHandler private handler;
    CampaignLedger private ledger;

    function setUp() public override {
        super.setUp();
        usdc.mint(borrower, 1e30);
        _supply(borrower, WETH_ID, 1e6 * ETHER);
        ledger = new CampaignLedger();
        handler = new InflationHandler(pool, borrower, [lender, stranger], ledger);
        targetContract(address(handler));
    }

    /// The one unit that all shares are worth in an empty pool is nobody's.
    function invariant_inflationCostsWhatVirtualSharesAreWorth() public view {
        assertEq(ledger.broken(), "");
        int256 most = int256(handler.BEGUN() + handler.lost() + 1) - int256(pool.previewRedeem(1000));
        assertLe(handler.wealth(), most, S.INFLATION);
    }

    /// At the end of every run: no action was idle.
    function afterInvariant() public {
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }
}
