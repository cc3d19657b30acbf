// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {PremiumSteward} from "../../contracts/backstop/PremiumSteward.sol";
import {CampaignLedger} from "../invariants/system/CampaignLedger.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {BackstopAbsorptionHandler} from "./BackstopAbsorptionHandler.sol";
import {BackstopDepositorHandler} from "./BackstopDepositorHandler.sol";
import {BackstopHandlerBase} from "./BackstopHandlerBase.sol";
import {BackstopMarketHandler} from "./BackstopMarketHandler.sol";
import {BackstopPremiumHandler} from "./BackstopPremiumHandler.sol";
import {BackstopSaleHandler} from "./BackstopSaleHandler.sol";

/// @notice Random actions of depositors, borrowers and keepers on a pool with a backstop, with what single calls must keep checked at
/// each. What is refused and why is in the ledger, and the first property that is broken, so that no revert can hide it.
/// @dev Floors are a third to a tenth of what a run does, so that a run of 600 calls that only has bad luck is rare.
contract BackstopHandler is
    BackstopDepositorHandler,
    BackstopMarketHandler,
    BackstopAbsorptionHandler,
    BackstopSaleHandler,
    BackstopPremiumHandler
{
    constructor(
        BackstopPool backstop,
        PremiumSteward steward,
        PoolOracleMock[2] memory oracles,
        address seed,
        CampaignLedger ledger
    ) BackstopHandlerBase(backstop, steward, oracles, seed, ledger) {}
}
