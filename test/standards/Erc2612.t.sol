// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {PoolSignatures} from "../../contracts/lending/PoolSignatures.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice ERC-2612, rule by rule. `permit` "will set allowance[owner][spender] to value, increment nonces[owner] by 1, and emit a
/// corresponding Approval event, if and only if" four conditions are met; "if any of these conditions are not met, the permit
/// call must revert".
contract Erc2612Test is StandardsFixture {
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    /// @dev The order of secp256k1.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    address private holder;
    uint256 private key;
    uint8 private v;
    bytes32 private r;
    bytes32 private s;

    function setUp() public override {
        super.setUp();
        (holder, key) = makeAddrAndKey("holder");
        _openMarket();
    }

    /// Stricter than the standard, which knows no such condition: as `approve`, a permit names somebody. Its nonce stays.
    function testFuzz_RevertWhen_permit_NamesNobody(uint256 value) public {
        _sign(address(0), value, 0, block.timestamp);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.permit(holder, address(0), value, block.timestamp, v, r, s);
        assertEq(pool.nonces(holder), 0);
    }

    /// The effects: allowance, nonce, event. Whoever sends it.
    function testFuzz_permit_SetsAllowanceNonceAndFiresApproval(
        address sender,
        address spender,
        uint256 value,
        uint256 deadline
    ) public {
        vm.assume(spender != address(0));
        deadline = bound(deadline, block.timestamp, type(uint256).max);
        _sign(spender, value, 0, deadline);
        vm.expectEmit(address(pool));
        emit IERC20.Approval(holder, spender, value);
        vm.prank(sender);
        pool.permit(holder, spender, value, deadline, v, r, s);
        assertEq(pool.allowance(holder, spender), value);
        assertEq(pool.nonces(holder), 1);
    }

    /// Condition 1: "The current blocktime is less than or equal to deadline."
    function testFuzz_permit_RevertsAfterTheDeadline(uint256 late) public {
        uint256 deadline = block.timestamp + 1 hours;
        _sign(stranger, 1, 0, deadline);
        uint256 state = vm.snapshotState();
        vm.warp(deadline);
        pool.permit(holder, stranger, 1, deadline, v, r, s);
        vm.revertToState(state);
        vm.warp(deadline + bound(late, 1, 100 * 365 days));
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.SignatureExpired.selector, deadline, block.timestamp));
        pool.permit(holder, stranger, 1, deadline, v, r, s);
    }

    /// Condition 2: "owner is not the zero address", although that is what an invalid signature recovers to.
    function testFuzz_permit_RevertsForTheZeroAddress(uint8 v_, bytes32 r_, bytes32 s_) public {
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, address(0)));
        pool.permit(address(0), stranger, 1, block.timestamp, v_, r_, s_);
    }

    /// Condition 3: "nonces[owner] (before the state update) is equal to nonce."
    function testFuzz_permit_RevertsForAnyOtherNonce(uint256 nonce) public {
        _sign(stranger, 1, 0, block.timestamp);
        pool.permit(holder, stranger, 1, block.timestamp, v, r, s);
        vm.assume(nonce != 1);
        _sign(stranger, 2, nonce, block.timestamp);
        _expectInvalid();
        pool.permit(holder, stranger, 2, block.timestamp, v, r, s);
        _sign(stranger, 2, 1, block.timestamp);
        pool.permit(holder, stranger, 2, block.timestamp, v, r, s);
    }

    /// Condition 4: "r, s and v is a valid secp256k1 signature from owner of the message": not another's,
    function testFuzz_permit_RevertsForAnothersSignature(uint256 otherKey) public {
        otherKey = bound(otherKey, 1, ORDER - 1);
        vm.assume(otherKey != key);
        (v, r, s) = vm.sign(otherKey, _digest(holder, stranger, 1, 0, block.timestamp));
        _expectInvalid();
        pool.permit(holder, stranger, 1, block.timestamp, v, r, s);
    }

    /// not with a changed message,
    function testFuzz_permit_RevertsForAnyChangedMessage(address spender, uint256 value, uint256 deadline) public {
        vm.assume(spender != address(0));
        deadline = bound(deadline, block.timestamp, type(uint256).max);
        vm.assume(spender != stranger || value != 1 || deadline != block.timestamp);
        _sign(stranger, 1, 0, block.timestamp);
        _expectInvalid();
        pool.permit(holder, spender, value, deadline, v, r, s);
    }

    /// and not with a changed signature.
    function testFuzz_permit_RevertsForAnyChangedSignature(uint8 v_, bytes32 r_, bytes32 s_) public {
        _sign(stranger, 1, 0, block.timestamp);
        bool twin = r_ == r && uint256(s_) == ORDER - uint256(s);
        vm.assume(!twin && (v_ != v || r_ != r || s_ != s));
        _expectInvalid();
        pool.permit(holder, stranger, 1, block.timestamp, v_, r_, s_);
        _expectInvalid();
        pool.permit(holder, stranger, 1, block.timestamp, v, r, bytes32(uint256(s) ^ 1));
    }

    /// Every curve signature has a twin, (27 + 28 - v, r, n - s). A permit is spent by its nonce, so after either the other is void.
    function testFuzz_permit_TheTwinOfASignatureIsNoSecondPermit(uint256 value, bool twinFirst) public {
        _sign(stranger, value, 0, block.timestamp);
        uint8 twinV = 55 - v;
        bytes32 twinS = bytes32(ORDER - uint256(s));
        (uint8 firstV, bytes32 firstS) = twinFirst ? (twinV, twinS) : (v, s);
        (uint8 secondV, bytes32 secondS) = twinFirst ? (v, s) : (twinV, twinS);
        // The twin is accepted in the original's place: it says the same.
        pool.permit(holder, stranger, value, block.timestamp, firstV, r, firstS);
        assertEq(pool.allowance(holder, stranger), value);
        _expectInvalid();
        pool.permit(holder, stranger, value, block.timestamp, secondV, r, secondS);
    }

    /// A refused permit changes neither allowance nor nonce.
    function test_permit_ARefusedOneChangesNothing() public {
        _sign(stranger, 1, 0, block.timestamp);
        _expectInvalid();
        pool.permit(holder, stranger, 2, block.timestamp, v, r, s);
        assertEq(pool.nonces(holder), 0);
        assertEq(pool.allowance(holder, stranger), 0);
        pool.permit(holder, stranger, 1, block.timestamp, v, r, s);
    }

    /// "This function is to be called by anyone, and gives an allowance": the allowance is ERC-20's, and moves shares.
    function test_permit_TheAllowanceMovesShares() public {
        vm.prank(lender);
        pool.transfer(holder, 1e9);
        _sign(stranger, 1e9, 0, block.timestamp);
        pool.permit(holder, stranger, 1e9, block.timestamp, v, r, s);
        vm.prank(stranger);
        pool.transferFrom(holder, stranger, 1e9);
        assertEq(pool.balanceOf(stranger), 1e9);
        assertEq(pool.allowance(holder, stranger), 0);
    }

    /// An allowance by permit also withdraws the assets (ERC-4626's `owner != msg.sender`).
    function test_permit_TheAllowanceRedeems() public {
        vm.prank(lender);
        pool.transfer(holder, 1e9);
        _sign(keeper, 1e9, 0, block.timestamp);
        pool.permit(holder, keeper, 1e9, block.timestamp, v, r, s);
        uint256 before = usdc.balanceOf(keeper);
        vm.prank(keeper);
        assertEq(pool.redeem(1e9, keeper, holder), 1e6);
        assertEq(usdc.balanceOf(keeper), before + 1e6);
    }

    // -- building

    function _expectInvalid() private {
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, holder));
    }

    function _sign(address spender, uint256 value, uint256 nonce, uint256 deadline) private {
        (v, r, s) = vm.sign(key, _digest(holder, spender, value, nonce, deadline));
    }

    function _digest(address owner_, address spender, uint256 value, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32 message = keccak256(abi.encode(PERMIT, owner_, spender, value, nonce, deadline));
        return keccak256(abi.encodePacked(hex"1901", pool.DOMAIN_SEPARATOR(), message));
    }
}
