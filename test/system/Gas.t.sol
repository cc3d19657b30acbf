// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {console} from "forge-std/console.sol";

import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {GasFixture} from "./GasFixture.sol";
import {ILender, SystemFixture} from "./SystemFixture.sol";

/// @notice Whole-transaction gas of every action of protocol.md section 10: repeated, 12 seconds after the last accrual. `make
/// gas` writes the figures to test/snapshots/LendingPool.json, `make gas-check` fails where they are others; a plain `forge test`
/// only prints them.
/// @dev Every call under test is a transaction of its own (`isolate`): accounts and slots are cold, and the refund is taken off.
abstract contract PoolGasTest is GasFixture {
    function _suffix() internal pure virtual returns (string memory);

    function test_gas_deposit() public {
        _deposit();
        _tick(2001e8);
        _deposit();
        _snapshot("deposit");
    }

    function test_gas_withdraw() public {
        _withdraw();
        _tick(2001e8);
        _withdraw();
        _snapshot("withdraw");
    }

    function test_gas_supplyCollateral() public {
        _supplyCollateral();
        _tick(2001e8);
        _supplyCollateral();
        _snapshot("supplyCollateral");
    }

    function test_gas_borrow() public {
        _borrow();
        _tick(2001e8);
        _borrow();
        _snapshot("borrow");
    }

    function test_gas_repay() public {
        _repay();
        _tick(2001e8);
        _repay();
        _snapshot("repay");
    }

    function test_gas_withdrawCollateral() public {
        _withdrawCollateral();
        _tick(2001e8);
        _withdrawCollateral();
        _snapshot("withdrawCollateral");
    }

    /// @dev The first one flags the account and opens the bucket.
    function test_gas_liquidate() public {
        _fall();
        _liquidate();
        _tick(1789e8);
        _liquidate();
        _snapshot("liquidate");
    }

    function _deposit() private {
        vm.prank(lender);
        ILender(system.pool).deposit(1000e18, lender);
    }

    function _withdraw() private {
        vm.prank(lender);
        ILender(system.pool).withdraw(1000e18, lender, lender);
    }

    function _supplyCollateral() private {
        vm.prank(borrower);
        lending.supplyCollateral(0, 1e18, borrower, "");
    }

    function _borrow() internal {
        vm.prank(borrower);
        lending.borrow(1000e18, borrower, borrower);
    }

    function _repay() private {
        vm.prank(borrower);
        lending.repay(1000e18, borrower, "");
    }

    function _withdrawCollateral() private {
        vm.prank(borrower);
        lending.withdrawCollateral(0, 0.1e18, borrower, borrower);
    }

    function _liquidate() private {
        vm.prank(keeper);
        lending.liquidate(borrower, 0, 1000e18, "");
    }

    function _snapshot(string memory action) internal {
        string memory key = string.concat(action, _suffix());
        console.log(key, vm.snapshotGasLastCall("LendingPool", key));
    }
}

/// @dev One price read from storage, the rigid policy.
/// forge-config: default.isolate = true
contract PlainPoolGasTest is PoolGasTest {
    function setUp() public {
        _deploy(false, 1);
        _openMarket();
        _tick(2000e8);
    }

    function _suffix() internal pure override returns (string memory) {
        return "";
    }

    function test_gas_transferOfShares() public {
        vm.prank(lender);
        LendingPool(payable(system.pool)).transfer(keeper, 1000);
        _snapshot("transfer of shares");
    }
}

/// @dev TwapOracle, breaker and damped policy.
/// forge-config: default.isolate = true
contract FullPoolGasTest is PoolGasTest {
    function setUp() public {
        _deploy(true, 1);
        _openMarket();
        _tick(2000e8);
    }

    function _suffix() internal pure override returns (string memory) {
        return " (full)";
    }
}

/// @dev Differences, which no single call shows.
abstract contract GasDifference is Test {
    function _record(string memory key, uint256 used) internal {
        vm.snapshotValue("LendingPool", key, used);
        console.log(key, used);
    }
}

/// @notice What each collateral beyond the first adds to a borrow.
abstract contract FurtherCollateralGasTest is GasFixture, GasDifference {
    uint256 private _price = 2000e8;

    /// @dev Of four listed collaterals the borrower has one, and a debt.
    function _start(bool full) internal {
        _deploy(full, 4);
        _openMarket();
        _borrowAgain();
    }

    /// @dev A borrow with four collaterals less one with one, by three; both are repetitions.
    function _furtherCollateral() internal returns (uint256) {
        uint256 one = _borrowAgain();
        vm.startPrank(borrower);
        for (uint256 id = 1; id < 4; ++id) {
            lending.supplyCollateral(id, 1e18, borrower, "");
        }
        vm.stopPrank();
        _borrowAgain();
        return (_borrowAgain() - one) / 3;
    }

    function _borrowAgain() private returns (uint256) {
        _tick(_price += 1e8);
        vm.prank(borrower);
        lending.borrow(100e18, borrower, borrower);
        return vm.lastCallGas().gasTotalUsed;
    }
}

/// forge-config: default.isolate = true
contract PlainFurtherCollateralGasTest is FurtherCollateralGasTest {
    function setUp() public {
        _start(false);
    }

    function test_gas_furtherCollateral() public {
        _record("each further collateral", _furtherCollateral());
    }
}

/// forge-config: default.isolate = true
contract FullFurtherCollateralGasTest is FurtherCollateralGasTest {
    function setUp() public {
        _start(true);
    }

    function test_gas_furtherCollateral() public {
        _record("each further collateral (full)", _furtherCollateral());
    }
}

/// @notice What a real Uniswap v3 pool as the confirming venue adds to a liquidation, which alone reads it.
/// forge-config: default.isolate = true
contract VenueGasTest is SystemFixture, GasDifference {
    function test_gas_venue() public {
        TwapOracle oracle = TwapOracle(system.oracles[0]);
        uint256[2] memory used;
        for (uint256 i; i < 2; ++i) {
            _pass(12);
            _setFeed(int256(2001e8 + i * 1e8));
            if (i == 0) oracle.update();
            else oracle.updateForLiquidation();
            used[i] = vm.lastCallGas().gasTotalUsed;
        }
        _record("a venue", used[1] - used[0]);
    }
}
