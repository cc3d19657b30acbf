// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopParameters, BackstopParametersLib} from "../../contracts/backstop/BackstopParameters.sol";
import {BackstopPolicy, IPolicyBackstop} from "../../contracts/backstop/BackstopPolicy.sol";
import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The pool of `PoolFixture` under the damped policy, with a backstop before it and two depositors; see `_fill`.
abstract contract BackstopFixture is PoolFixture {
    uint256 internal constant PERIOD = 12 hours;

    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    BackstopPool internal backstop;
    BackstopPolicy internal guarded;

    function setUp() public virtual override {
        super.setUp();
        backstop = new BackstopPool(_parameters());
        guarded = new BackstopPolicy(policy, IPolicyBackstop(address(backstop)), 1.05e18);
        vm.prank(owner);
        pool.setPolicy(address(guarded));
        address[5] memory accounts = [alice, bob, keeper, stranger, borrower];
        for (uint256 i; i < accounts.length; ++i) {
            _fund(accounts[i]);
            vm.prank(accounts[i]);
            usdc.approve(address(backstop), type(uint256).max);
        }
        // a whole number of periods, so that starts are easy to count
        vm.warp(1_700_006_400);
        backstop.roll();
    }

    function _parameters() internal view virtual returns (BackstopParameters memory) {
        return BackstopParametersLib.defaults(address(pool), USDC);
    }

    function _newPolicy() internal virtual override returns (address) {
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Systematic;
        p.obeysPause = true;
        return address(new DampedPolicy(p));
    }

    function _enter(address account, uint256 assets) internal {
        vm.prank(account);
        backstop.deposit(assets);
    }

    function _nextPeriods(uint256 count) internal {
        vm.warp((block.timestamp / PERIOD + count) * PERIOD);
        backstop.roll();
    }

    /// @dev Alice with 30,000 and Bob with 10,000, active, at 1,000 shares a unit. Alice came first and paid the 1,000 units
    /// of the locked shares on top, which are of the assets too.
    function _fill() internal {
        _enter(alice, 30_000 * USDC + 1000);
        _nextPeriods(2);
        _enter(bob, 10_000 * USDC);
        _nextPeriods(2);
    }

    /// @dev What the venue of the ether price takes within 2%.
    function _setDepth(uint256 depth) internal {
        vm.mockCall(address(ethOracle), abi.encodeCall(IPriceOracle.depth, ()), abi.encode(depth));
    }
}
