// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolAdministration} from "../../contracts/lending/PoolAdministration.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {SystemDeployer} from "../../script/SystemDeployer.sol";
import {CollateralPlan, PolicyKind, System, SystemPlan} from "../../script/SystemPlan.sol";
import {PoolOneSlotOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {ILender} from "./SystemFixture.sol";

/// @notice The market of protocol.md section 10, in the bytecode that a deployment deploys: collaterals at 2,000, plain ERC-20s,
/// accounts that are already in the market.
/// @dev `full`: TwapOracle on a feed without a venue, breaker and damped policy, as the default plan has them. Otherwise the rigid
/// policy, no breaker, and in each oracle's place a price that is one storage read.
abstract contract GasFixture is Test {
    address internal lender = makeAddr("lender");
    address internal borrower = makeAddr("borrower");
    address internal keeper = makeAddr("keeper");

    System internal system;
    ILendingPool internal lending;
    SimToken internal debt;
    SimToken[] internal collaterals;
    /// @dev Where each collateral's price is set: its feed, or in the plain system its oracle.
    address[] internal sources;
    bool internal full;

    function _deploy(bool full_, uint256 count) internal {
        full = full_;
        vm.warp(1_700_000_000);
        vm.roll(18_000_000);
        vm.fee(1 gwei);
        debt = new SimToken("Dollar", "USD", 18);
        SystemDeployer deployer = new SystemDeployer();
        SystemPlan memory plan = deployer.defaultPlan();
        plan.asset = address(debt);
        plan.governance = makeAddr("governance");
        plan.guardian = makeAddr("guardian");
        CollateralPlan memory example = plan.collaterals[0];
        // Without a venue the band is 2% at most.
        example.listing.confirmationBand = 200;
        plan.collaterals = new CollateralPlan[](count);
        for (uint256 i; i < count; ++i) {
            collaterals.push(new SimToken("Ether", "ETH", 18));
            sources.push(address(new SimFeed(8)));
            example.listing.token = address(collaterals[i]);
            example.base.source = sources[i];
            plan.collaterals[i] = abi.decode(abi.encode(example), (CollateralPlan));
            SimFeed(sources[i]).set(2000e8, block.timestamp);
        }
        if (!full) (plan.withBreaker, plan.policy.kind) = (false, PolicyKind.Rigid);
        system = deployer.deploy(plan);
        lending = ILendingPool(system.pool);
        for (uint256 i; i < count && !full; ++i) {
            sources[i] = address(new PoolOneSlotOracleMock(2000e36));
            vm.prank(system.timelock);
            PoolAdministration(system.pool).setCollateralOracle(i, sources[i]);
        }
        // The oracles' warm-up.
        _record(33 minutes, 2000e8);
    }

    /// @dev 5 million lent; 100 ether against 150,000; the keeper lends, and holds 2,000 ether beside it.
    function _openMarket() internal {
        address[3] memory accounts = [lender, borrower, keeper];
        for (uint256 i; i < accounts.length; ++i) {
            debt.mint(accounts[i], 10_000_000e18);
            vm.prank(accounts[i]);
            debt.approve(system.pool, type(uint256).max);
            for (uint256 id; id < collaterals.length; ++id) {
                collaterals[id].mint(accounts[i], 10_000e18);
                vm.prank(accounts[i]);
                collaterals[id].approve(system.pool, type(uint256).max);
            }
        }
        vm.prank(lender);
        ILender(system.pool).deposit(5_000_000e18, lender);
        vm.startPrank(keeper);
        ILender(system.pool).deposit(1000e18, keeper);
        lending.supplyCollateral(0, 2000e18, keeper, "");
        vm.stopPrank();
        vm.startPrank(borrower);
        lending.supplyCollateral(0, 100e18, borrower, "");
        lending.borrow(150_000e18, borrower, borrower);
        vm.stopPrank();
    }

    function _pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + seconds_ / 12);
    }

    /// @dev A block later, at a price that the oracles have not recorded yet.
    /// @param answer Debt for one collateral, 8 decimals.
    function _tick(uint256 answer) internal {
        _pass(12);
        _setPrice(answer);
    }

    function _setPrice(uint256 answer) internal {
        for (uint256 i; i < sources.length; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast)
            if (full) SimFeed(sources[i]).set(int256(answer), block.timestamp);
            else PoolOneSlotOracleMock(sources[i]).setPrice(answer * 1e28);
        }
    }

    /// @dev The price stands at `answer` for a while, and the oracles record it every three minutes.
    function _record(uint256 seconds_, uint256 answer) internal {
        for (uint256 passed; passed < seconds_; passed += 3 minutes) {
            _pass(3 minutes);
            _setPrice(answer);
            for (uint256 i; i < system.oracles.length; ++i) {
                TwapOracle(system.oracles[i]).update();
            }
        }
    }

    /// @dev To 1,790 in steps of 1%, which trips neither oracle nor breaker, and then long enough there for the slow price to
    /// confirm: HF = 100 * 1,790 * 0.83 / 150,000 = 0.990.
    function _fall() internal {
        for (uint256 answer = 1980e8; answer > 1790e8; answer -= 19e8) {
            _record(3 minutes, answer);
        }
        _record(33 minutes, 1790e8);
    }
}
