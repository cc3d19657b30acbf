// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {TokenTransfer} from "../../contracts/libraries/TokenTransfer.sol";
import {PoolBadToken} from "../mocks/PoolBadToken.sol";
import {SimToken} from "../mocks/SimToken.sol";

contract TokenTransferTest is Test {
    address private payer = makeAddr("payer");

    function pull(address token, uint256 amount) external {
        TokenTransfer.pull(token, payer, amount);
    }

    function test_pull_MovesTheAmount() public {
        SimToken token = new SimToken("Token", "T", 18);
        token.mint(payer, 10);
        token.mint(address(this), 5); // what is there before does not count
        vm.prank(payer);
        token.approve(address(this), 10);
        this.pull(address(token), 7);
        assertEq(token.balanceOf(address(this)), 12);
        this.pull(address(token), 0);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        this.pull(address(token), 4);
    }

    function test_pull_OfATokenThatReturnsNothing() public {
        PoolBadToken token = _bad(PoolBadToken.Kind.ReturnsNothing);
        this.pull(address(token), 10);
        assertEq(token.balanceOf(address(this)), 10);
    }

    function test_RevertWhen_pull_ArrivesShort() public {
        PoolBadToken token = _bad(PoolBadToken.Kind.FeeOnTransfer);
        vm.expectRevert(abi.encodeWithSelector(TokenTransfer.TransferShortfall.selector, address(token), 200, 198));
        this.pull(address(token), 200);
        token.setKind(PoolBadToken.Kind.Silent);
        vm.expectRevert(abi.encodeWithSelector(TokenTransfer.TransferShortfall.selector, address(token), 200, 0));
        this.pull(address(token), 200);
        token.setKind(PoolBadToken.Kind.ReturnsFalse);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        this.pull(address(token), 200);
    }

    function test_RevertWhen_pull_FromNoContract() public {
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        this.pull(makeAddr("nothing"), 1);
    }

    function _bad(PoolBadToken.Kind kind) private returns (PoolBadToken token) {
        token = new PoolBadToken(18);
        token.setKind(kind);
        token.mint(payer, 1000);
        vm.prank(payer);
        token.approve(address(this), 1000);
    }
}
