// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ERC20} from "solady/tokens/ERC20.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {BackstopShares} from "../../contracts/backstop/BackstopShares.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @dev An honest token that makes the calls it was armed with after every transfer, and remembers how each was refused.
contract MeddlingToken is ERC20 {
    address private immutable TARGET;

    bytes[] private _armed;
    bytes4[] private _refusals;

    constructor(address target) {
        TARGET = target;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function arm(bytes[] memory calls) external {
        _armed = calls;
    }

    /// @dev The selector of each call's error; 0 for one that succeeded.
    function refusals() external view returns (bytes4[] memory) {
        return _refusals;
    }

    function name() public pure override returns (string memory) {
        return "Meddling";
    }

    function symbol() public pure override returns (string memory) {
        return "MEDDLE";
    }

    function _afterTokenTransfer(address, address, uint256) internal override {
        bytes[] memory calls = _armed;
        for (uint256 i; i < calls.length; ++i) {
            (bool success, bytes memory reason) = TARGET.call(calls[i]);
            _refusals.push(success ? bytes4(0) : bytes4(reason));
        }
    }
}

/// @notice While a collateral moves, nothing of the backstop that writes can be entered.
/// @dev The debtor has what the borrower of `BackstopAbsorbTest` has, in a collateral that meddles.
contract BackstopReentrancyTest is BackstopFixture {
    MeddlingToken private token;
    uint256 private id;
    address private debtor = makeAddr("debtor");
    uint256 private armed;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fill();
        token = new MeddlingToken(address(backstop));
        vm.prank(owner);
        id = pool.listCollateral(_config(address(token), address(ethOracle)));
        vm.warp(block.timestamp + 7 days); // the listing's ramp
        token.mint(debtor, 10 ether);
        vm.startPrank(debtor);
        token.approve(address(pool), type(uint256).max);
        pool.supplyCollateral(id, 10 ether, debtor, "");
        pool.borrow(10_000 * USDC, debtor, debtor);
        vm.stopPrank();
    }

    function _arm() private {
        bytes[] memory calls = new bytes[](12);
        calls[0] = abi.encodeCall(BackstopPool.deposit, (USDC));
        calls[1] = abi.encodeCall(BackstopPool.requestExit, (1));
        calls[2] = abi.encodeCall(BackstopPool.claimAssets, (stranger));
        calls[3] = abi.encodeCall(BackstopPool.claimCollateral, (id, stranger));
        calls[4] = abi.encodeCall(BackstopPool.absorb, (debtor, id));
        calls[5] = abi.encodeCall(BackstopPool.settle, (debtor));
        calls[6] = abi.encodeCall(BackstopPool.buy, (id, 1, type(uint256).max, stranger));
        calls[7] = abi.encodeCall(BackstopPool.observe, (id));
        calls[8] = abi.encodeCall(BackstopPool.payPremium, (1));
        calls[9] = abi.encodeCall(BackstopPool.roll, ());
        calls[10] = abi.encodeCall(BackstopShares.transfer, (stranger, 0));
        calls[11] = abi.encodeCall(BackstopShares.transferFrom, (stranger, stranger, 0));
        token.arm(calls);
        armed = calls.length;
    }

    function _assertRefused(uint256 moves) private view {
        bytes4[] memory refusals = token.refusals();
        assertEq(refusals.length, moves * armed);
        for (uint256 i; i < refusals.length; ++i) {
            assertEq(refusals[i], BackstopShares.Reentered.selector, vm.toString(i % armed));
        }
    }

    function _absorb() private {
        _setEthPrice(1150);
        vm.prank(keeper);
        backstop.absorb(debtor, id);
    }

    /// The collateral comes from the pool, before anything is written, and the reward goes out.
    function test_absorb_NothingRunsInside() public {
        _arm();
        _absorb();
        _assertRefused(2);
        _assertBooksClose();
    }

    function test_settle_NothingRunsInside() public {
        _setEthPrice(900);
        _arm();
        vm.prank(keeper);
        backstop.settle(debtor);
        _assertRefused(2);
        _assertBooksClose();
    }

    function test_claimCollateral_NothingRunsInside() public {
        _absorb();
        _arm();
        vm.prank(alice);
        assertGt(backstop.claimCollateral(id, alice), 0);
        _assertRefused(1);
    }

    function test_buy_NothingRunsInside() public {
        _absorb();
        _setDepth(100_000 * USDC);
        backstop.observe(id);
        vm.warp(block.timestamp + 12);
        backstop.observe(id);
        _arm();
        vm.prank(stranger);
        backstop.buy(id, 0.1 ether, type(uint256).max, stranger);
        _assertRefused(1);
    }
}
