// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {CollateralConfig, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {LendingPoolExtension} from "../../contracts/lending/LendingPoolExtension.sol";
import {PoolParameters} from "../../contracts/lending/PoolParameters.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {AdaptiveRateModel} from "../../contracts/rates/AdaptiveRateModel.sol";
import {KinkedRateModel} from "../../contracts/rates/KinkedRateModel.sol";
import {RateDefaults} from "../../contracts/rates/RateDefaults.sol";
import {PoolBreakerMock} from "../mocks/PoolBreakerMock.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "./IPoolUnderTest.sol";

/// @notice A USDC pool (6 decimals) with WETH (18) and WBTC (8) as collateral, a settable price each, a settable breaker and
/// the rigid policy at 5% bonus. Accounts have tokens and have approved the pool; nothing is supplied yet.
/// @dev Hooks choose the asset, the rate model and the policy; no interest accrues within a test that does not warp.
abstract contract PoolFixture is Test {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant USDC = 1e6;
    uint256 internal constant ETHER = 1e18;
    uint256 internal constant BTC = 1e8;

    /// @dev 2,000 USDC a WETH: 2,000e6 / 1e18 * 1e36. One base unit of USDC is 5e8 wei of WETH.
    uint256 internal constant ETH_PRICE = 2000e24;
    /// @dev 30,000 USDC a WBTC: 30,000e6 / 1e8 * 1e36.
    uint256 internal constant BTC_PRICE = 30_000e34;

    uint256 internal constant WETH_ID = 0;
    uint256 internal constant WBTC_ID = 1;

    address internal owner = makeAddr("owner");
    address internal guardian = makeAddr("guardian");
    address internal lender = makeAddr("lender");
    address internal borrower = makeAddr("borrower");
    address internal keeper = makeAddr("keeper");
    address internal stranger = makeAddr("stranger");

    IPoolUnderTest internal pool;
    SimToken internal usdc;
    SimToken internal weth;
    SimToken internal wbtc;
    PoolOracleMock internal ethOracle;
    PoolOracleMock internal btcOracle;
    PoolBreakerMock internal breaker;
    address internal policy;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        usdc = SimToken(_newAsset());
        weth = new SimToken("Wrapped Ether", "WETH", 18);
        wbtc = new SimToken("Wrapped Bitcoin", "WBTC", 8);
        ethOracle = new PoolOracleMock(ETH_PRICE);
        btcOracle = new PoolOracleMock(BTC_PRICE);
        breaker = new PoolBreakerMock();
        policy = _newPolicy();
        pool = _newPool(address(usdc), _newRateModel(), address(breaker));
        vm.startPrank(owner);
        pool.listCollateral(_config(address(weth), address(ethOracle)));
        pool.listCollateral(_config(address(wbtc), address(btcOracle)));
        vm.stopPrank();
        address[6] memory accounts = [owner, guardian, lender, borrower, keeper, stranger];
        for (uint256 i; i < accounts.length; ++i) {
            _fund(accounts[i]);
        }
    }

    // -- hooks

    function _newAsset() internal virtual returns (address) {
        return address(new SimToken("USD Coin", "USDC", 6));
    }

    function _newRateModel() internal virtual returns (address) {
        return address(new AdaptiveRateModel(RateDefaults.adaptive()));
    }

    function _newPolicy() internal virtual returns (address) {
        return address(new RigidPolicy(0.05e18));
    }

    /// @dev One rate at every utilisation: 1e9 WAD a second, so that 1e8 seconds are an exponent of 0.1.
    function _flatRateModel() internal returns (address) {
        return address(new KinkedRateModel(0.5e18, 1e18, 1e18, 1e9));
    }

    // -- building

    function _newPool(address asset, address rateModel, address breaker_) internal returns (IPoolUnderTest) {
        PoolParameters memory p = PoolParameters({
            asset: asset,
            rateModel: rateModel,
            breaker: breaker_,
            policy: policy,
            owner: owner,
            guardian: guardian,
            supplyCap: 1e28,
            borrowCap: 1e28,
            name: "Breakwater USDC",
            symbol: "bwUSDC"
        });
        return IPoolUnderTest(address(new LendingPool(p, address(new LendingPoolExtension(p)))));
    }

    /// @dev 80% / 85%, 5% bonus, 5% margin, 2% band: 0.85 * 1.05 * 1.05 * 1.02 = 0.9559; HF_hard = 0.937125.
    function _config(address token, address oracle) internal pure returns (CollateralConfig memory) {
        return CollateralConfig({
            token: token,
            oracle: oracle,
            borrowLtv: 8000,
            liquidationThreshold: 8500,
            maxBonus: 500,
            slippageMargin: 500,
            confirmationBand: 200,
            group: 0,
            damped: true,
            cap: 1e28
        });
    }

    function _fund(address account) internal {
        usdc.mint(account, 1e9 * USDC);
        weth.mint(account, 1e6 * ETHER);
        wbtc.mint(account, 1e5 * BTC);
        vm.startPrank(account);
        usdc.approve(address(pool), type(uint256).max);
        weth.approve(address(pool), type(uint256).max);
        wbtc.approve(address(pool), type(uint256).max);
        vm.stopPrank();
    }

    // -- acting

    function _deposit(address account, uint256 assets) internal returns (uint256) {
        vm.prank(account);
        return pool.deposit(assets, account);
    }

    function _supply(address account, uint256 id, uint256 amount) internal {
        vm.prank(account);
        pool.supplyCollateral(id, amount, account, "");
    }

    function _borrow(address account, uint256 assets) internal {
        vm.prank(account);
        pool.borrow(assets, account, account);
    }

    function _repay(address account, uint256 assets) internal returns (uint256) {
        vm.prank(account);
        return pool.repay(assets, account, "");
    }

    function _liquidate(address account, uint256 id, uint256 maxRepay) internal returns (LiquidationResult memory) {
        vm.prank(keeper);
        return pool.liquidate(account, id, maxRepay, "");
    }

    /// @dev 100,000 USDC of cash, and 10 WETH of the borrower's against 10,000 USDC: HF = 20,000 * 0.85 / 10,000 = 1.7.
    function _openMarket() internal {
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 10 * ETHER);
        _borrow(borrower, 10_000 * USDC);
    }

    function _setEthPrice(uint256 usdcPerEther) internal {
        ethOracle.setPrice(usdcPerEther * 1e24);
    }

    // -- checking

    /// @dev Property 1 of protocol.md §9: cash + debt covers lenders, and the rest is what the pool calls reserves; the pool
    /// holds at least the collateral that it owes.
    function _assertBooksClose() internal view {
        IPoolUnderTest p = pool;
        uint256 cash = usdc.balanceOf(address(p));
        uint256 debt = p.marketState().totalDebt;
        uint256 lenderAssets = p.marketState().lenderAssets;
        assertGe(cash + debt, lenderAssets, "lenders are not covered");
        assertEq(p.marketState().reserves, cash + debt - lenderAssets, "reserves are not the remainder");
        assertGe(weth.balanceOf(address(p)), p.collateralState(WETH_ID).total, "WETH missing");
        assertGe(wbtc.balanceOf(address(p)), p.collateralState(WBTC_ID).total, "WBTC missing");
    }
}
