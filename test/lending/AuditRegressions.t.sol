// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {CollateralConfig, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolAdministration} from "../../contracts/lending/PoolAdministration.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {PoolSettlement} from "../../contracts/lending/PoolSettlement.sol";
import {DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice One test for each way that a review found to break the pool.
contract AuditRegressionsTest is PoolFixture {
    function _down() private {
        btcOracle.setStatus(PriceStatus.Down);
    }

    // -- a collateral without a price as a shield

    function test_RevertWhen_supplyCollateral_TypeWithoutPriceEnters() public {
        _openMarket();
        _down();
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.PriceNotUsable.selector, WBTC_ID, PriceStatus.Down));
        _supply(borrower, WBTC_ID, 1);
    }

    /// @dev A top-up of what is held is never blocked, price or not.
    function test_supplyCollateral_TopUpOfHeldTypeWithoutPrice() public {
        _openMarket();
        _supply(borrower, WBTC_ID, 1);
        _down();
        _supply(borrower, WBTC_ID, 1);
        assertEq(pool.collateralOf(borrower, WBTC_ID), 2);
    }

    /// @dev One satoshi (300 units of USDC) held beside 10 WETH. At 1,080 HF = 10,800 * 0.85 / 10,000 = 0.918 < 0.937.
    function test_liquidate_DustWithoutPriceShieldsNobody() public {
        _openMarket();
        _supply(borrower, WBTC_ID, 1);
        _down();
        _setEthPrice(1080);
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, 1000 * USDC);
        assertEq(result.repaid, 1000 * USDC);
    }

    /// @dev In the damped zone (HF = 0.978) the unknown counts in the borrower's favour.
    function test_RevertWhen_liquidate_DampedZoneBesideAPriceThatIsDown() public {
        _openMarket();
        _supply(borrower, WBTC_ID, 1);
        _down();
        _setEthPrice(1150);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.PriceDown));
        _liquidate(borrower, WETH_ID, 1000 * USDC);
    }

    /// @dev What has no price is counted at twice its last: 0.1 WBTC at 30,000 is 6,000, and
    /// HF = (10,800 + 6,000) * 0.85 / 10,000 = 1.428.
    function test_RevertWhen_liquidate_BoundOfWhatHasNoPriceCoversTheDebt() public {
        _openMarket();
        _supply(borrower, WBTC_ID, BTC / 10);
        _down();
        _setEthPrice(1080);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy));
        _liquidate(borrower, WETH_ID, 1000 * USDC);
    }

    /// @dev What has no price covers nothing of the bonus: with 10 WETH at 1,010 behind 10,000, B is held to C / D = 1.01 and not the whole 5%,
    /// and 1,000 buy just 1 WETH. The 0.01 WBTC beside it keeps its bound of 600, with which HF is 0.9095, in the hard zone.
    function test_liquidate_BonusIsHeldToWhatThePricedCover() public {
        address damped = address(new DampedPolicy(DampedParametersLib.defaults()));
        vm.prank(owner);
        pool.setPolicy(damped);
        _openMarket();
        _supply(borrower, WBTC_ID, BTC / 100);
        _down();
        _setEthPrice(1010);
        (LiquidationRequest memory request,) = pool.quoteLiquidation(borrower, WETH_ID, 1000 * USDC);
        assertEq(request.collateralValue, 10_100 * USDC);
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, 1000 * USDC);
        assertEq(result.repaid, 1000 * USDC);
        assertEq(result.seized, ETHER);
    }

    /// @dev C = 8,240 without the satoshi: repaid 8,000, the rest written off; the satoshi stays.
    function test_settle_LeavesWhatHasNoPriceBehind() public {
        _openMarket();
        _supply(borrower, WBTC_ID, 1);
        _down();
        _setEthPrice(824);
        vm.prank(keeper);
        LiquidationResult memory result = pool.settle(borrower, "");
        assertEq(result.repaid, 8000 * USDC);
        assertEq(result.writtenOff, 2000 * USDC);
        assertEq(pool.debtOf(borrower), 0);
        assertEq(pool.collateralOf(borrower, WETH_ID), 0);
        assertEq(pool.collateralOf(borrower, WBTC_ID), 1);
        vm.prank(borrower);
        pool.withdrawCollateral(WBTC_ID, 1, borrower, borrower);
        assertEq(pool.collateralBitmap(borrower), 0);
    }

    // -- settlement

    /// @dev The token refuses to leave: it stays with the account, without debt, and the books close.
    function test_settle_TokenThatDoesNotMoveHoldsNothingUp() public {
        _openMarket();
        _supply(borrower, WBTC_ID, 1);
        _setEthPrice(824);
        vm.mockCallRevert(address(wbtc), abi.encodeWithSelector(IERC20.transfer.selector), "paused");
        _settle(borrower);
        vm.clearMockedCalls();
        assertEq(pool.debtOf(borrower), 0);
        assertEq(pool.collateralOf(borrower, WBTC_ID), 1);
        assertEq(pool.collateralState(WBTC_ID).total, 1);
        assertLt(pool.totalAssets(), 100_000 * USDC);
        vm.prank(borrower);
        pool.withdrawCollateral(WBTC_ID, 1, borrower, borrower);
    }

    // -- caps

    /// @dev Whoever fills the cap does not keep a borrower from topping up, but nobody borrows more against it.
    function test_supplyCollateral_FullCapDoesNotBlockATopUp() public {
        _openMarket();
        vm.prank(owner);
        pool.setCollateralCap(WETH_ID, uint128(20 * ETHER));
        _supply(stranger, WETH_ID, 10 * ETHER);
        _supply(borrower, WETH_ID, 1 * ETHER);
        assertEq(pool.collateralOf(borrower, WETH_ID), 11 * ETHER);
        vm.expectRevert(
            abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, WETH_ID, 22 * ETHER, 20 * ETHER)
        );
        _supply(stranger, WETH_ID, 1 * ETHER);
        vm.expectRevert(
            abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, WETH_ID, 21 * ETHER, 20 * ETHER)
        );
        _borrow(borrower, 1 * USDC);
    }

    // -- administration

    function test_RevertWhen_setCollateralOracle_PriceIsFarFromTheOldOne() public {
        PoolOracleMock far = new PoolOracleMock(ETH_PRICE * 11 / 10 + 1);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(PoolAdministration.InvalidListing.selector, bytes32("oracle price")));
        pool.setCollateralOracle(WETH_ID, address(far));
        far.setPrice(ETH_PRICE * 11 / 10);
        vm.prank(owner);
        pool.setCollateralOracle(WETH_ID, address(far));
    }

    function test_setCollateralOracle_AnyPriceWhereTheOldOneIsDown() public {
        ethOracle.setStatus(PriceStatus.Down);
        PoolOracleMock other = new PoolOracleMock(1);
        vm.prank(owner);
        pool.setCollateralOracle(WETH_ID, address(other));
        assertEq(pool.collateralState(WETH_ID).oracle, address(other));
    }

    /// @dev A listing beside lenders' money carries no debt at once: half of its LTV after half of the week.
    function test_listCollateral_RampsFromZeroOnceThereAreLenders() public {
        _deposit(lender, 1000 * USDC);
        SimToken token = new SimToken("New", "NEW", 18);
        CollateralConfig memory config = _config(address(token), address(new PoolOracleMock(1e24)));
        vm.prank(owner);
        pool.listCollateral(config);
        assertEq(pool.collateralState(2).borrowLtv, 0);
        skip(3.5 days);
        assertEq(pool.collateralState(2).borrowLtv, 0.4e18);
        skip(3.5 days);
        assertEq(pool.collateralState(2).borrowLtv, 0.8e18);
    }

    // -- breaker

    /// @dev Every held collateral's price is recorded, not only the first one's.
    function test_borrow_RecordsEveryHeldPrice() public {
        _openMarket();
        _supply(borrower, WBTC_ID, BTC);
        _borrow(borrower, 1 * USDC);
        assertEq(breaker.lastCollateral(), WBTC_ID);
        assertEq(breaker.lastPrice(), BTC_PRICE);
    }

    function _settle(address account) private returns (LiquidationResult memory) {
        vm.prank(keeper);
        return pool.settle(account, "");
    }
}
