// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {PoolFixture} from "../utils/PoolFixture.sol";
import {Erc20Rules} from "./Erc20Rules.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice ERC-20, rule by rule, for the lender's share.
contract Erc20Test is StandardsFixture, Erc20Rules {
    function setUp() public override(PoolFixture, StandardsFixture) {
        StandardsFixture.setUp();
        (share, holder) = (IERC20(address(pool)), lender);
    }

    function _newAsset() internal override(PoolFixture, StandardsFixture) returns (address) {
        return StandardsFixture._newAsset();
    }

    function _market(uint256 seed) internal override {
        _anyMarket(seed);
    }

    // -- events of creation, and supply

    /// "A token contract which creates new tokens SHOULD trigger a Transfer event with the _from address set to 0x0 when tokens
    /// are created"; likewise to 0x0 when they are destroyed.
    function test_Transfer_OfCreationAndDestruction() public {
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(address(0), keeper, 5e9);
        vm.prank(lender);
        pool.deposit(5e6, keeper);
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(keeper, address(0), 5e9);
        vm.prank(keeper);
        pool.redeem(5e9, keeper, keeper);
    }

    /// "totalSupply: Returns the total token supply", which is what all balances add up to after any mixture of calls.
    function testFuzz_totalSupply_IsTheSumOfBalances(uint256 seed, uint256 calls) public {
        _anyMarket(seed);
        address[4] memory holders = [lender, stranger, keeper, spender];
        for (uint256 i; i < 12; ++i) {
            calls = uint256(keccak256(abi.encode(calls)));
            (address from, address to) = (holders[calls % 4], holders[calls >> 8 & 3]);
            uint256 shares = bound(calls >> 16, 0, pool.balanceOf(from));
            vm.startPrank(from);
            if (calls >> 10 & 3 == 0 && pool.maxDeposit(to) > _millionths(1e9) && from != spender) {
                pool.deposit(_millionths(bound(calls >> 16, 1e6, 1e9)), to);
            } else if (calls >> 10 & 3 == 1 && pool.maxRedeem(from) != 0) {
                pool.redeem(pool.maxRedeem(from), to, from);
            } else {
                pool.transfer(to, shares);
            }
            vm.stopPrank();
            uint256 sum;
            for (uint256 k; k < 4; ++k) {
                sum += pool.balanceOf(holders[k]);
            }
            assertEq(pool.totalSupply(), sum);
        }
    }
}
