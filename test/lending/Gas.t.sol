// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console} from "forge-std/console.sol";

import {PoolOneSlotOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice What each action costs, the "plain" column of protocol.md §10: a repeated action by an account already in the market,
/// 12 seconds after the last accrual, one collateral, plain ERC-20s, a price that is one storage read, no breaker, the rigid
/// policy. Run with `forge test --isolate --match-contract GasTest -vv`: only then is a call a transaction of its own; without
/// it the figures are lower, and only the bounds are checked.
/// @dev The bounds are a tenth above what was measured: a regression fails here, a wei does not.
contract GasTest is PoolFixture {
    PoolOneSlotOracleMock private oracle;

    function setUp() public override {
        super.setUp();
        pool = _newPool(address(usdc), _newRateModel(), address(0));
        oracle = new PoolOneSlotOracleMock(ETH_PRICE);
        vm.prank(owner);
        pool.listCollateral(_config(address(weth), address(oracle)));
        _fund(lender);
        _fund(borrower);
        _fund(keeper);
        _openMarket();
        // Every slot that a repeated action finds written is written.
        _deposit(keeper, USDC);
        vm.prank(keeper);
        weth.transfer(address(pool), 1);
        skip(12);
    }

    function test_gas_deposit() public {
        _deposit(lender, 1000 * USDC);
        _report("deposit", 68_000, 70_700);
    }

    function test_gas_withdraw() public {
        vm.prank(lender);
        pool.withdraw(1000 * USDC, lender, lender);
        _report("withdraw", 64_000, 66_300);
    }

    function test_gas_supplyCollateral() public {
        _supply(borrower, WETH_ID, ETHER);
        _report("supplyCollateral", 55_500, 59_300);
    }

    function test_gas_borrow() public {
        _borrow(borrower, 100 * USDC);
        _report("borrow (second)", 71_500, 81_700);
    }

    function test_gas_repay() public {
        _repay(borrower, 100 * USDC);
        _report("repay, partial", 68_000, 68_100);
    }

    function test_gas_withdrawCollateral() public {
        vm.prank(borrower);
        pool.withdrawCollateral(WETH_ID, ETHER, borrower, borrower);
        _report("withdrawCollateral with debt", 73_500, 73_300);
    }

    function test_gas_liquidate() public {
        oracle.setPrice(1150e24);
        vm.prank(keeper);
        pool.liquidate(borrower, WETH_ID, 1000 * USDC, "");
        _report("liquidate, partial", 98_000, 122_100);
    }

    function test_gas_transfer() public {
        vm.prank(lender);
        pool.transfer(keeper, 1000);
        _report("transfer of shares", 36_000, 34_400);
    }

    /// Each further collateral: a borrow with four of them, less a borrow with one, over three.
    function test_gas_furtherCollaterals() public {
        _borrow(borrower, 100 * USDC);
        uint256 one = _lastGas();
        for (uint256 i; i < 3; ++i) {
            SimToken token = new SimToken("Token", "T", 18);
            address another = address(new PoolOneSlotOracleMock(ETH_PRICE));
            vm.prank(owner);
            uint256 id = pool.listCollateral(_config(address(token), another));
            token.mint(borrower, ETHER);
            vm.startPrank(borrower);
            token.approve(address(pool), ETHER);
            pool.supplyCollateral(id, ETHER, borrower, "");
            vm.stopPrank();
        }
        skip(12);
        _borrow(borrower, 100 * USDC);
        uint256 four = _lastGas();
        uint256 further = four > one ? (four - one) / 3 : 0; // 0 outside of --isolate, where the slots are warm
        console.log("each further collateral", further);
        assertLt(further, 14_100 * 11 / 10);
    }

    function _lastGas() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function _report(string memory action, uint256 target, uint256 measured) private view {
        uint256 used = _lastGas();
        console.log(action, used, "target", target);
        assertLt(used, measured * 11 / 10, action);
    }
}
