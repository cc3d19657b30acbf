// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IRateModel, RateParameters} from "../../contracts/interfaces/IRateModel.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../../contracts/lending/LendingPoolExtension.sol";
import {PoolParameters} from "../../contracts/lending/PoolParameters.sol";
import {RateCurve} from "../../contracts/libraries/RateCurve.sol";
import {PoolBreakerMock} from "../mocks/PoolBreakerMock.sol";
import {PoolExtensionLayoutProbe, PoolLayoutProbe} from "../mocks/PoolLayoutProbe.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The two halves of a pool: one layout, one set of immutables, and nothing to be had from the second half alone.
contract ExtensionTest is PoolFixture {
    PoolParameters private p;

    function setUp() public override {
        super.setUp();
        p = PoolParameters({
            asset: address(usdc),
            rateModel: _newRateModel(),
            breaker: address(breaker),
            policy: policy,
            owner: owner,
            guardian: guardian,
            supplyCap: 1e28,
            borrowCap: 1e27,
            name: "A name that is longer than thirty-one bytes, so that it has slots of its own",
            symbol: "SYM"
        });
    }

    function test_layouts_AreOne() public {
        PoolExtensionLayoutProbe extension = new PoolExtensionLayoutProbe(p);
        PoolLayoutProbe probe = new PoolLayoutProbe(p, address(extension));
        uint256[17] memory a = probe.layout();
        uint256[17] memory b = extension.layout();
        for (uint256 i; i < a.length; ++i) {
            assertEq(a[i], b[i]);
            if (i != 0) assertGt(a[i], a[i - 1]); // none shares another's slot
        }
        assertEq(a[0], 2); // after the owner and the pending owner
    }

    /// What the constructor's delegate call wrote is the pool's, and the extension has none of it.
    function test_constructor_WritesThePoolsStorage() public {
        LendingPoolExtension extension = new LendingPoolExtension(p);
        IPoolUnderTest built = IPoolUnderTest(address(new LendingPool(p, address(extension))));
        assertEq(built.name(), p.name);
        assertEq(built.symbol(), "SYM");
        assertEq(built.guardian(), guardian);
        assertEq(built.policy(), policy);
        assertEq(built.breaker(), address(breaker));
        assertEq(built.supplyCap(), 1e28);
        assertEq(built.borrowCap(), 1e27);
        assertEq(built.owner(), owner);
        assertEq(built.extension(), address(extension));
        assertEq(built.immutablesHash(), extension.immutablesHash());
        assertEq(extension.name(), "");
        assertEq(extension.guardian(), address(0));
        assertEq(extension.policy(), address(0));
        assertEq(extension.supplyCap(), 0);
    }

    function test_RevertWhen_extensionWasBuiltForAnother() public {
        PoolParameters memory other = p;
        LendingPoolExtension mine = new LendingPoolExtension(p);
        other.asset = address(new SimToken("Other", "OTHER", 6));
        _expectMismatch(other, mine);
        other.asset = p.asset;
        other.breaker = address(new PoolBreakerMock());
        _expectMismatch(other, mine);
        other.breaker = p.breaker;
        other.rateModel = _flatRateModel();
        _expectMismatch(other, mine);
    }

    /// A failure inside the constructor's delegate call is told as it is.
    function test_RevertWhen_constructor_ParametersOutOfRange() public {
        LendingPoolExtension extension = new LendingPoolExtension(p);
        p.supplyCap = 1e28 + 1;
        vm.expectRevert(
            abi.encodeWithSignature("ValueOutOfRange(bytes32,uint256,uint256)", bytes32("cap"), 1e28 + 1, 1e28)
        );
        new LendingPool(p, address(extension));
    }

    /// The pool checks again what its rate model says of itself.
    function test_RevertWhen_constructor_RateModelOutOfRange() public {
        LendingPoolExtension extension = new LendingPoolExtension(p);
        RateParameters memory rate = IRateModel(p.rateModel).parameters();
        rate.maxRateAtTarget = RateCurve.MAX_RATE + 1;
        vm.mockCall(p.rateModel, abi.encodeCall(IRateModel.parameters, ()), abi.encode(rate));
        vm.expectRevert(
            abi.encodeWithSelector(RateCurve.RateTooHigh.selector, rate.maxRateAtTarget, rate.highMultiplier)
        );
        this.deploy(p, extension);
    }

    function test_RevertWhen_initialize_AfterConstruction() public {
        vm.expectRevert(LendingPoolExtension.NotConstructing.selector);
        LendingPoolExtension(address(pool)).initialize(p);
        LendingPoolExtension extension = LendingPoolExtension(pool.extension());
        vm.prank(owner);
        vm.expectRevert(LendingPoolExtension.NotConstructing.selector);
        extension.initialize(p);
    }

    /// Called directly the extension has no cash, no accounts and no reserves; whatever its owner writes is its own.
    function test_extension_CalledDirectlyIsHarmless() public {
        _openMarket();
        IPoolUnderTest extension = IPoolUnderTest(pool.extension());
        bytes32 before = keccak256(abi.encode(pool.marketState(), pool.accountHealth(borrower)));
        assertEq(extension.debtOf(borrower), 0);
        assertEq(extension.collateralOf(borrower, WETH_ID), 0);
        assertEq(extension.totalAssets(), 0);
        vm.expectRevert();
        extension.settle(borrower, "");
        vm.startPrank(owner);
        extension.setCaps(1, 1);
        extension.freezeNewRisk();
        extension.setReserveFactor(50);
        vm.expectRevert();
        extension.withdrawReserves(1, owner);
        vm.stopPrank();
        vm.prank(borrower);
        extension.setAuthorization(stranger, true);
        assertFalse(pool.isAuthorized(borrower, stranger));
        assertEq(pool.supplyCap(), 1e28);
        assertFalse(pool.newRiskFrozen());
        assertEq(keccak256(abi.encode(pool.marketState(), pool.accountHealth(borrower))), before);
    }

    /// Tokens sent to the extension by mistake are not the pool's and do not count as its cash.
    function test_extension_TokensAreNotThePools() public {
        usdc.mint(pool.extension(), 1000);
        assertEq(pool.marketState().cash, 0);
    }

    function _expectMismatch(PoolParameters memory other, LendingPoolExtension extension) private {
        vm.expectRevert(abi.encodeWithSelector(LendingPool.ExtensionMismatch.selector, address(extension)));
        this.deploy(other, extension);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(PoolParameters memory other, LendingPoolExtension extension) external {
        new LendingPool(other, address(extension));
    }
}
