// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolFlashBorrower} from "../mocks/PoolFlashBorrower.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @dev Sees its balance in the callback, and keeps a part of the loan if told to.
contract WitnessFlashBorrower is PoolFlashBorrower {
    address private _token;
    uint256 private _kept;
    uint256 public balanceInside;
    uint256 public callbacks;

    constructor(address token) {
        _token = token;
    }

    function keep(uint256 kept) external {
        _kept = kept;
    }

    function onFlashLoan(address initiator_, address token, uint256 amount_, uint256 fee_, bytes calldata data_)
        public
        override
        returns (bytes32)
    {
        ++callbacks;
        balanceInside = SafeTransferLib.balanceOf(_token, address(this));
        if (_kept != 0) SafeTransferLib.safeTransfer(_token, address(1), _kept);
        return super.onFlashLoan(initiator_, token, amount_, fee_, data_);
    }
}

/// @notice ERC-3156, rule by rule, in markets with debt, interest and losses. Cash is lent, and what is lent is nobody's debt.
contract Erc3156Test is StandardsFixture {
    WitnessFlashBorrower private receiver;

    function setUp() public override {
        super.setUp();
        receiver = new WitnessFlashBorrower(address(usdc));
    }

    // -- maxFlashLoan

    /// "MUST return the maximum loan possible for token": that much is lent, and a unit more is not.
    function testFuzz_maxFlashLoan_IsTheMaximumLoanPossible(uint256 seed) public {
        _anyMarket(seed);
        uint256 most = pool.maxFlashLoan(address(usdc));
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, most, most + 1));
        pool.flashLoan(receiver, address(usdc), most + 1, "");
        assertTrue(pool.flashLoan(receiver, address(usdc), most, ""));
        assertEq(receiver.balanceInside(), most);
    }

    /// "If a token is not currently supported maxFlashLoan MUST return 0, instead of reverting."
    function testFuzz_maxFlashLoan_OfAnotherTokenIsZero(address token) public {
        _openMarket();
        vm.assume(token != address(usdc));
        assertEq(pool.maxFlashLoan(token), 0);
        assertEq(pool.maxFlashLoan(address(weth)), 0);
    }

    /// While a loan runs no other is possible, and the maximum says so.
    function test_maxFlashLoan_IsZeroWhileALoanRuns() public {
        _openMarket();
        pool.flashLoan(receiver, address(usdc), 1, "");
        assertEq(receiver.maxFlashLoanInside(), 0);
        assertEq(pool.maxFlashLoan(address(usdc)), 90_000 * USDC);
    }

    // -- flashFee

    /// "MUST return the fee charged for a loan of amount token": nothing, and nothing is charged.
    function testFuzz_flashFee_IsTheFeeCharged(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, pool.maxFlashLoan(address(usdc)));
        uint256 fee = pool.flashFee(address(usdc), amount);
        usdc.mint(address(receiver), 1e6);
        uint256 before = usdc.balanceOf(address(pool));
        pool.flashLoan(receiver, address(usdc), amount, "");
        assertEq(usdc.balanceOf(address(pool)), before + fee);
        assertEq(usdc.balanceOf(address(receiver)), 1e6 - fee);
    }

    /// "If the token is not supported flashFee MUST revert."
    function testFuzz_flashFee_RevertsForAnotherToken(address token, uint256 amount) public {
        vm.assume(token != address(usdc));
        vm.expectRevert(abi.encodeWithSelector(LendingPool.UnsupportedFlashToken.selector, token));
        pool.flashFee(token, amount);
    }

    // -- flashLoan

    /// "MUST include a callback to the onFlashLoan function", "MUST include the msg.sender as the initiator", "MUST NOT modify the
    /// token, amount and data parameter received, and MUST pass them on", "MUST include a fee argument".
    function testFuzz_flashLoan_PassesEverythingOnUnchanged(
        uint256 seed,
        address sender,
        uint256 amount,
        bytes calldata data
    ) public {
        _anyMarket(seed);
        amount = bound(amount, 0, pool.maxFlashLoan(address(usdc)));
        vm.expectCall(
            address(receiver),
            abi.encodeCall(
                IERC3156FlashBorrower.onFlashLoan,
                (sender, address(usdc), amount, pool.flashFee(address(usdc), amount), data)
            )
        );
        vm.prank(sender);
        pool.flashLoan(receiver, address(usdc), amount, data);
        assertEq(receiver.callbacks(), 1);
    }

    /// "MUST transfer amount of token to the receiver before the callback to the receiver."
    function testFuzz_flashLoan_TransfersBeforeTheCallback(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, pool.maxFlashLoan(address(usdc)));
        pool.flashLoan(receiver, address(usdc), amount, "");
        assertEq(receiver.balanceInside(), amount);
    }

    /// "The lender MUST verify that the onFlashLoan callback returns the keccak256 hash of ERC3156FlashBorrower.onFlashLoan."
    function testFuzz_flashLoan_VerifiesTheAnswer(bytes32 answer) public {
        _openMarket();
        vm.assume(answer != keccak256("ERC3156FlashBorrower.onFlashLoan"));
        receiver.setAnswer(answer);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.FlashBorrowerRefused.selector, address(receiver)));
        pool.flashLoan(receiver, address(usdc), 1, "");
    }

    /// "After the callback, flashLoan MUST take the amount + fee token from the receiver, or revert if this is not successful":
    /// taken, and by the allowance that the receiver gave;
    function testFuzz_flashLoan_TakesTheAmountBack(uint256 seed, uint256 amount, uint256 short) public {
        _anyMarket(seed);
        amount = bound(amount, 1, pool.maxFlashLoan(address(usdc)) + 1) - 1;
        uint256 before = usdc.balanceOf(address(pool));
        pool.flashLoan(receiver, address(usdc), amount, "");
        assertEq(usdc.balanceOf(address(pool)), before);
        if (amount == 0) return;
        receiver.setApproval(amount - bound(short, 1, amount));
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.flashLoan(receiver, address(usdc), amount, "");
    }

    /// or reverted, if a unit of it is gone.
    function testFuzz_flashLoan_RevertsIfTheAmountIsGone(uint256 amount, uint256 kept) public {
        _openMarket();
        amount = bound(amount, 1, pool.maxFlashLoan(address(usdc)));
        receiver.keep(bound(kept, 1, amount));
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.flashLoan(receiver, address(usdc), amount, "");
    }

    /// "If successful, flashLoan MUST return true." Frozen, halted and without prices too.
    function testFuzz_flashLoan_ReturnsTrue(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, pool.maxFlashLoan(address(usdc)));
        assertTrue(pool.flashLoan(receiver, address(usdc), amount, ""));
    }

    /// A loan of a token that is not supported reverts, whatever its amount.
    function testFuzz_flashLoan_RevertsForAnotherToken(address token, uint256 amount) public {
        vm.assume(token != address(usdc));
        vm.expectRevert(abi.encodeWithSelector(LendingPool.UnsupportedFlashToken.selector, token));
        pool.flashLoan(receiver, token, amount, "");
    }

    /// A loan leaves no trace in the books: no share price, no debt, no reserves move.
    function testFuzz_flashLoan_LeavesTheBooks(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        bytes32 before = keccak256(abi.encode(pool.marketState(), pool.totalSupply(), pool.debtOf(borrower)));
        pool.flashLoan(receiver, address(usdc), bound(amount, 0, pool.maxFlashLoan(address(usdc))), "");
        assertEq(keccak256(abi.encode(pool.marketState(), pool.totalSupply(), pool.debtOf(borrower))), before);
    }
}
