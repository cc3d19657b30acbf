// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {BackstopShares} from "../../contracts/backstop/BackstopShares.sol";
import {BackstopFixture} from "../backstop/BackstopFixture.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";
import {Erc20Rules} from "./Erc20Rules.sol";

/// @notice ERC-20, rule by rule, for the share of a backstop's depositor: of markets in which a part of the capital has been spent on
/// collateral or not, and a part of the shares waits to leave.
contract BackstopErc20Test is BackstopFixture, Erc20Rules {
    function setUp() public override(PoolFixture, BackstopFixture) {
        BackstopFixture.setUp();
        (share, holder) = (IERC20(address(backstop)), alice);
    }

    function _newPolicy() internal override(PoolFixture, BackstopFixture) returns (address) {
        return BackstopFixture._newPolicy();
    }

    /// @dev Alice and Bob with free shares, after an absorption or none, and with any of Alice's shares in the exit queue.
    function _market(uint256 seed) internal override {
        _fill();
        if (seed & 1 == 1) {
            _openMarket();
            _setEthPrice(1150);
            vm.prank(keeper);
            backstop.absorb(borrower, WETH_ID);
        }
        uint256 leaving = bound(seed >> 1, 0, backstop.balanceOf(alice) / 2);
        if (leaving == 0) return;
        vm.prank(alice);
        backstop.requestExit(leaving);
    }

    function test_RevertWhen_transfer_IsToNobody() public {
        _fill();
        vm.expectRevert(BackstopShares.ZeroAddress.selector);
        vm.prank(alice);
        backstop.transfer(address(0), 1);
        vm.expectRevert(BackstopShares.ZeroAddress.selector);
        vm.prank(alice);
        backstop.approve(address(0), 1);
    }

    // -- supply

    /// "totalSupply: Returns the total token supply", which no transfer changes, and which is what is free, waits to leave and is locked.
    function testFuzz_totalSupply_IsWhatIsFreeLeavingAndLocked(uint256 seed, uint256 calls) public {
        _market(seed);
        uint256 supply = backstop.totalSupply();
        uint256 others = supply - backstop.balanceOf(alice) - backstop.balanceOf(bob);
        address[4] memory holders = [alice, bob, keeper, spender];
        for (uint256 i; i < 12; ++i) {
            calls = uint256(keccak256(abi.encode(calls)));
            (address from, address to) = (holders[calls % 4], holders[calls >> 8 & 3]);
            uint256 shares = bound(calls >> 16, 0, backstop.balanceOf(from));
            vm.prank(from);
            backstop.transfer(to, shares);
            uint256 sum = others;
            for (uint256 k; k < 4; ++k) {
                sum += backstop.balanceOf(holders[k]);
            }
            assertEq(backstop.totalSupply(), sum);
            assertEq(sum, supply);
        }
    }

    /// "name", "symbol" and "decimals" of the optional part: three more than the debt token's.
    function test_metadata_IsThere() public view {
        assertGt(bytes(backstop.name()).length, 0);
        assertGt(bytes(backstop.symbol()).length, 0);
        assertEq(backstop.decimals(), usdc.decimals() + 3);
    }
}
