// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Authorization, ILendingPoolEvents} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolSignatures} from "../../contracts/lending/PoolSignatures.sol";
import {PoolContractSigner} from "../mocks/PoolContractSigner.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Permits and authorisations: by call, by an account's signature, by a contract's; and every way to forge or replay.
contract SignaturesTest is PoolFixture {
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant AUTHORIZATION = keccak256(
        "Authorization(address authorizer,address authorized,bool isAuthorized,uint256 nonce,uint256 deadline)"
    );

    address private signer;
    uint256 private key;
    PoolContractSigner private wallet;

    function setUp() public override {
        super.setUp();
        (signer, key) = makeAddrAndKey("signer");
        wallet = new PoolContractSigner(signer);
    }

    // -- permit

    function test_permit_SetsAllowance() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 123, 0, block.timestamp));
        vm.expectEmit(address(pool));
        emit IERC20.Approval(signer, stranger, 123);
        pool.permit(signer, stranger, 123, block.timestamp, v, r, s);
        assertEq(pool.allowance(signer, stranger), 123);
        assertEq(pool.nonces(signer), 1);
    }

    function test_permit_ByContract() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(address(wallet), 123, 0, block.timestamp));
        pool.permit(address(wallet), stranger, 123, block.timestamp, v, r, s);
        assertEq(pool.allowance(address(wallet), stranger), 123);
    }

    function test_RevertWhen_permit_Replayed() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 123, 0, block.timestamp));
        pool.permit(signer, stranger, 123, block.timestamp, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, signer));
        pool.permit(signer, stranger, 123, block.timestamp, v, r, s);
    }

    function test_RevertWhen_permit_Expired() public {
        uint256 deadline = block.timestamp - 1;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 123, 0, deadline));
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.SignatureExpired.selector, deadline, block.timestamp));
        pool.permit(signer, stranger, 123, deadline, v, r, s);
    }

    function test_RevertWhen_permit_SignedByAnother() public {
        (, uint256 otherKey) = makeAddrAndKey("other");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(otherKey, _permitDigest(signer, 123, 0, block.timestamp));
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, signer));
        pool.permit(signer, stranger, 123, block.timestamp, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, address(wallet)));
        pool.permit(address(wallet), stranger, 123, block.timestamp, v, r, s);
    }

    function test_RevertWhen_permit_ValueChanged() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 123, 0, block.timestamp));
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, signer));
        pool.permit(signer, stranger, 124, block.timestamp, v, r, s);
    }

    /// An invalid signature recovers to the zero address; nobody may spend what belongs to it.
    function test_RevertWhen_permit_OfZeroAddress() public {
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, address(0)));
        pool.permit(address(0), stranger, 123, block.timestamp, 27, bytes32(0), bytes32(0));
    }

    function test_RevertWhen_permit_SpenderZero() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 123, 0, block.timestamp));
        vm.expectRevert(PoolSignatures.ZeroAddress.selector);
        pool.permit(signer, address(0), 123, block.timestamp, v, r, s);
    }

    /// A permit for one pool means nothing to another, nor to the extension's own address.
    function test_RevertWhen_permit_ForAnotherPool() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 123, 0, block.timestamp));
        PoolSignatures other = PoolSignatures(pool.extension());
        assertNotEq(other.DOMAIN_SEPARATOR(), pool.DOMAIN_SEPARATOR());
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, signer));
        other.permit(signer, stranger, 123, block.timestamp, v, r, s);
    }

    function test_domainSeparator_IsThatOfEip712() public view {
        assertEq(
            pool.DOMAIN_SEPARATOR(),
            keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                    keccak256("Breakwater Lending Pool"),
                    keccak256("1"),
                    block.chainid,
                    address(pool)
                )
            )
        );
    }

    // -- authorisation

    function test_setAuthorization_ByCall() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.AuthorizationSet(borrower, stranger, true);
        vm.prank(borrower);
        pool.setAuthorization(stranger, true);
        assertTrue(pool.isAuthorized(borrower, stranger));
        assertFalse(pool.isAuthorized(stranger, borrower));
        vm.prank(borrower);
        pool.setAuthorization(stranger, false);
        assertFalse(pool.isAuthorized(borrower, stranger));
    }

    function test_setAuthorizationWithSig_GrantsAndRevokes() public {
        Authorization memory a = _authorization(signer, 0);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.AuthorizationSet(signer, stranger, true);
        pool.setAuthorizationWithSig(a, _sign(key, a));
        assertTrue(pool.isAuthorized(signer, stranger));
        assertEq(pool.authorizationNonce(signer), 1);
        (a.isAuthorized, a.nonce) = (false, 1);
        pool.setAuthorizationWithSig(a, _sign(key, a));
        assertFalse(pool.isAuthorized(signer, stranger));
    }

    function test_setAuthorizationWithSig_ByContract() public {
        Authorization memory a = _authorization(address(wallet), 0);
        pool.setAuthorizationWithSig(a, _sign(key, a));
        assertTrue(pool.isAuthorized(address(wallet), stranger));
    }

    function test_RevertWhen_setAuthorizationWithSig_ContractRefuses() public {
        Authorization memory a = _authorization(address(wallet), 0);
        bytes memory signature = _sign(key, a);
        wallet.setSigner(stranger);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, address(wallet)));
        pool.setAuthorizationWithSig(a, signature);
    }

    /// A contract that is no ERC-1271 signer has signed nothing.
    function test_RevertWhen_setAuthorizationWithSig_ContractCannotSign() public {
        Authorization memory a = _authorization(address(usdc), 0);
        bytes memory signature = _sign(key, a);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, address(usdc)));
        pool.setAuthorizationWithSig(a, signature);
    }

    function test_RevertWhen_setAuthorizationWithSig_Replayed() public {
        Authorization memory a = _authorization(signer, 0);
        bytes memory signature = _sign(key, a);
        pool.setAuthorizationWithSig(a, signature);
        vm.prank(signer);
        pool.setAuthorization(stranger, false);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidNonce.selector, 0, 1));
        pool.setAuthorizationWithSig(a, signature);
        a.nonce = 1;
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, signer));
        pool.setAuthorizationWithSig(a, signature);
    }

    function test_RevertWhen_setAuthorizationWithSig_WrongNonce() public {
        Authorization memory a = _authorization(signer, 7);
        bytes memory signature = _sign(key, a);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidNonce.selector, 7, 0));
        pool.setAuthorizationWithSig(a, signature);
    }

    function test_RevertWhen_setAuthorizationWithSig_Expired() public {
        Authorization memory a = _authorization(signer, 0);
        a.deadline = block.timestamp;
        bytes memory signature = _sign(key, a);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.SignatureExpired.selector, a.deadline, block.timestamp));
        pool.setAuthorizationWithSig(a, signature);
        rewind(1);
        pool.setAuthorizationWithSig(a, signature); // the last second counts
    }

    function test_RevertWhen_setAuthorizationWithSig_OnAnotherChain() public {
        Authorization memory a = _authorization(signer, 0);
        bytes memory signature = _sign(key, a);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, signer));
        pool.setAuthorizationWithSig(a, signature);
    }

    /// Every field is signed: changing any one voids the signature.
    function test_RevertWhen_setAuthorizationWithSig_Tampered() public {
        Authorization memory a = _authorization(signer, 0);
        bytes memory signature = _sign(key, a);
        a.authorized = keeper;
        _expectInvalid(a, signature);
        a = _authorization(signer, 0);
        a.isAuthorized = false;
        _expectInvalid(a, signature);
        a = _authorization(signer, 0);
        a.deadline += 1;
        _expectInvalid(a, signature);
        a = _authorization(borrower, 0);
        _expectInvalid(a, signature);
        signature[10] ^= 0x01;
        _expectInvalid(_authorization(signer, 0), signature);
        _expectInvalid(_authorization(signer, 0), "");
        _expectInvalid(_authorization(address(0), 0), new bytes(65));
    }

    /// The two kinds of nonce are separate: a permit does not void an authorisation that was signed before.
    function test_nonces_AreSeparate() public {
        Authorization memory a = _authorization(signer, 0);
        bytes memory signature = _sign(key, a);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(signer, 1, 0, block.timestamp));
        pool.permit(signer, stranger, 1, block.timestamp, v, r, s);
        pool.setAuthorizationWithSig(a, signature);
        assertTrue(pool.isAuthorized(signer, stranger));
    }

    // -- what an authorisation allows

    function test_authorized_ActsForTheAccount() public {
        _openMarket();
        vm.prank(borrower);
        pool.setAuthorization(stranger, true);
        vm.startPrank(stranger);
        pool.supplyCollateral(WBTC_ID, BTC, borrower, "");
        pool.borrow(100 * USDC, borrower, stranger);
        pool.withdrawCollateral(WBTC_ID, BTC, borrower, stranger);
        assertEq(pool.debtOf(borrower), 10_100 * USDC);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC + 100 * USDC);
        // It does not reach the account's shares.
        vm.expectRevert();
        pool.transferFrom(borrower, stranger, 1);
    }

    function test_RevertWhen_NotAuthorized() public {
        _openMarket();
        vm.startPrank(stranger);
        bytes memory refused = abi.encodeWithSelector(LendingPool.NotAuthorized.selector, borrower, stranger);
        vm.expectRevert(refused);
        pool.borrow(1, borrower, stranger);
        vm.expectRevert(refused);
        pool.withdrawCollateral(WETH_ID, 1, borrower, stranger);
        vm.expectRevert(refused);
        pool.supplyCollateral(WBTC_ID, 1, borrower, "");
    }

    /// A stranger who sends what is not his to its owner acts for him all the same: he would take the collateral from under a debt, or
    /// make a debt that nobody asked for.
    function test_RevertWhen_NotAuthorized_ThoughItGoesToTheAccount() public {
        _openMarket();
        vm.startPrank(stranger);
        bytes memory refused = abi.encodeWithSelector(LendingPool.NotAuthorized.selector, borrower, stranger);
        vm.expectRevert(refused);
        pool.borrow(1, borrower, borrower);
        vm.expectRevert(refused);
        pool.withdrawCollateral(WETH_ID, 1, borrower, borrower);
    }

    // -- building

    function _expectInvalid(Authorization memory a, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, a.authorizer));
        pool.setAuthorizationWithSig(a, signature);
    }

    function _authorization(address authorizer, uint256 nonce) private view returns (Authorization memory) {
        return Authorization({
            authorizer: authorizer,
            authorized: stranger,
            isAuthorized: true,
            nonce: nonce,
            deadline: block.timestamp + 1 hours
        });
    }

    function _sign(uint256 privateKey, Authorization memory a) private view returns (bytes memory) {
        bytes32 hash =
            keccak256(abi.encode(AUTHORIZATION, a.authorizer, a.authorized, a.isAuthorized, a.nonce, a.deadline));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, _digest(hash));
        return abi.encodePacked(r, s, v);
    }

    function _permitDigest(address owner_, uint256 value, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        return _digest(keccak256(abi.encode(PERMIT, owner_, stranger, value, nonce, deadline)));
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", pool.DOMAIN_SEPARATOR(), structHash));
    }
}
