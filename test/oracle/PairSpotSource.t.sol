// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {IUniswapV2PairState} from "../../contracts/interfaces/IUniswapV2PairState.sol";
import {PairSpotSource} from "../../contracts/oracle/PairSpotSource.sol";

contract PairStateMock is IUniswapV2PairState {
    address public immutable token0;
    address public immutable token1;
    uint112 private _reserve0;
    uint112 private _reserve1;

    constructor(address token0_, address token1_) {
        (token0, token1) = (token0_, token1_);
    }

    function set(uint112 reserve0, uint112 reserve1) external {
        (_reserve0, _reserve1) = (reserve0, reserve1);
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (_reserve0, _reserve1, 0);
    }
}

contract PairSpotSourceTest is Test {
    address private constant COLLATERAL = address(0xc0);
    address private constant DEBT = address(0xd0);

    function _source(bool collateralFirst) private returns (PairSpotSource source, PairStateMock pair) {
        pair = collateralFirst ? new PairStateMock(COLLATERAL, DEBT) : new PairStateMock(DEBT, COLLATERAL);
        source = new PairSpotSource(pair, COLLATERAL, DEBT);
    }

    /// @dev 10,000 ETH and 20,000,000 USDC: 2e13 * 1e36 / 1e22 = 2e27; depth 2e13 * 0.0100505063388 = 201,010.126776 USDC.
    function test_spotPrice_BothOrders() public {
        (PairSpotSource source, PairStateMock pair) = _source(true);
        pair.set(1e22, 2e13);
        assertEq(source.spotPrice(), 2e27);
        assertEq(source.spotDepth(), 201_010.126776e6);
        (source, pair) = _source(false);
        pair.set(2e13, 1e22);
        assertEq(source.spotPrice(), 2e27);
        assertEq(source.spotDepth(), 201_010.126776e6);
    }

    function test_spotPrice_EmptyAndFull() public {
        (PairSpotSource source, PairStateMock pair) = _source(true);
        assertEq(source.spotPrice(), 0);
        assertEq(source.spotDepth(), 0);
        pair.set(1, type(uint112).max);
        assertEq(source.spotPrice(), uint256(type(uint112).max) * 1e36);
    }

    function test_RevertWhen_ThePairTradesOtherTokens() public {
        (, PairStateMock pair) = _source(true);
        vm.expectRevert(abi.encodeWithSelector(PairSpotSource.PairTokens.selector, COLLATERAL, DEBT));
        this.deploy(pair, COLLATERAL, address(1));
        vm.expectRevert(abi.encodeWithSelector(PairSpotSource.PairTokens.selector, COLLATERAL, DEBT));
        this.deploy(pair, DEBT, DEBT);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(PairStateMock pair, address collateral, address debt) external {
        new PairSpotSource(pair, collateral, debt);
    }
}
