// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Prices, base fee, blocks and time.
contract MarketHandler is SystemHandler {
    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("price", 60);
        ledger.declare("base fee", 60);
        ledger.declare("time", 60);
        ledger.declare("late block", 60);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.movePrice.selector, this.moveBaseFee.selector);
        (list[2], list[3]) = (this.moveTime.selector, this.delayBlock.selector);
    }

    /// @dev All back to within a tenth of where they began, so that there is always something to lend on; one in four, one
    /// alone to anywhere.
    function movePrice(uint256 a, uint256 b, uint256 c) external counted {
        if (c % 4 == 0) {
            world.setPrice(a % 4, world.basePrices(a % 4) * _bound(b, 50, 3000) / 1000);
        } else {
            for (uint256 token; token < 4; ++token) {
                uint256 share = 900 + uint256(keccak256(abi.encode(b, token))) % 201;
                world.setPrice(token, world.basePrices(token) * share / 1000);
            }
        }
        ledger.succeeded("price");
    }

    function moveBaseFee(uint256, uint256 b, uint256 c) external counted {
        vm.fee(c % 4 == 0 ? _bound(b, 0, 10_000 gwei) : _bound(b, 0, 50 gwei));
        ledger.succeeded("base fee");
    }

    /// @dev Minutes to months; three in four with feeds that go on reporting.
    function moveTime(uint256, uint256 b, uint256 c) external counted {
        world.pass(_bound(b, 12, c % 8 == 0 ? 60 days : 1 days));
        if (c % 4 != 1) world.refresh();
        ledger.succeeded("time");
    }

    /// @dev A quarter of an hour at most without a block.
    function delayBlock(uint256, uint256 b, uint256) external counted {
        vm.warp(vm.getBlockTimestamp() + _bound(b, 12, 15 minutes));
        vm.roll(vm.getBlockNumber() + 1);
        ledger.succeeded("late block");
    }
}
