// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Authorization} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolSignatures} from "../../contracts/lending/PoolSignatures.sol";
import {PoolContractSigner} from "../mocks/PoolContractSigner.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice EIP-712, rule by rule, through the authorisation that lets another act for an account; ERC-1271 for contracts.
contract Eip712Test is StandardsFixture {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    address private signer;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        (signer, key) = makeAddrAndKey("signer");
    }

    // -- the domain

    /// "domainSeparator = hashStruct(eip712Domain)", with the fields that are used, in the order of the specification.
    function testFuzz_domainSeparator_IsTheHashOfNameVersionChainAndContract(uint64 chain) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        assertEq(pool.DOMAIN_SEPARATOR(), _domain(chain, address(pool)));
    }

    /// The "chainId" is that of now: after a fork of the chain a signature for the one chain is none on the other.
    function testFuzz_domainSeparator_AForkOfTheChainVoidsSignatures(uint64 fork) public {
        vm.assume(fork != 0 && fork != block.chainid);
        Authorization memory a = _authorization(signer);
        bytes memory signature = _sign(a);
        uint256 original = block.chainid;
        vm.chainId(fork);
        _expectInvalid(signer);
        pool.setAuthorizationWithSig(a, signature);
        uint256 state = vm.snapshotState();
        pool.setAuthorizationWithSig(a, _sign(a));
        vm.revertToState(state);
        vm.chainId(original);
        pool.setAuthorizationWithSig(a, signature);
    }

    /// "verifyingContract": two pools of one asset, name and version do not share signatures.
    function test_domainSeparator_AnotherPoolIsAnotherDomain() public {
        IPoolUnderTest other = _newPool(address(usdc), _newRateModel(), address(breaker));
        assertNotEq(other.DOMAIN_SEPARATOR(), pool.DOMAIN_SEPARATOR());
        Authorization memory a = _authorization(signer);
        bytes memory signature = _sign(a);
        _expectInvalid(signer);
        other.setAuthorizationWithSig(a, signature);
    }

    /// ERC-5267: the domain can be read, and describes the separator that is used.
    function test_eip712Domain_DescribesTheSeparator() public view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = IERC5267(address(pool)).eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Breakwater Lending Pool");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifyingContract, address(pool));
        assertEq(salt, bytes32(0));
        assertEq(extensions.length, 0);
    }

    // -- the message

    /// "encode = \x19 \x01 || domainSeparator || hashStruct(message)", the type hash over the struct as it is written out.
    function testFuzz_hashStruct_EveryFieldIsSigned(
        address authorizer,
        address authorized,
        bool allow,
        uint256 nonce,
        uint256 deadline
    ) public {
        Authorization memory a = _authorization(signer);
        bytes memory signature = _sign(a);
        deadline = bound(deadline, block.timestamp, type(uint256).max);
        Authorization memory other = Authorization(authorizer, authorized, allow, nonce, deadline);
        vm.assume(keccak256(abi.encode(other)) != keccak256(abi.encode(a)));
        vm.expectRevert();
        pool.setAuthorizationWithSig(other, signature);
        assertEq(pool.authorizationNonce(authorizer), 0);
        pool.setAuthorizationWithSig(a, signature);
        assertTrue(pool.isAuthorized(signer, a.authorized));
    }

    /// Without the prefix, with another version byte, or as a personal message, it is not the same message.
    function test_encode_OtherPrefixesAreNotSignatures() public {
        Authorization memory a = _authorization(signer);
        bytes32 message = _message(a);
        bytes32 domain = pool.DOMAIN_SEPARATOR();
        bytes32[4] memory digests = [
            keccak256(abi.encodePacked(domain, message)),
            keccak256(abi.encodePacked(hex"1900", domain, message)),
            keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", message)),
            message
        ];
        for (uint256 i; i < digests.length; ++i) {
            bytes memory signature = _signDigest(digests[i]);
            _expectInvalid(signer);
            pool.setAuthorizationWithSig(a, signature);
        }
    }

    // -- replay, deadline, malleability

    /// "Replay attacks": the standard leaves them to the application. A nonce is spent once, and in order.
    function testFuzz_nonce_IsSpentOnceAndInOrder(uint256 nonce) public {
        Authorization memory a = _authorization(signer);
        bytes memory signature = _sign(a);
        pool.setAuthorizationWithSig(a, signature);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidNonce.selector, 0, 1));
        pool.setAuthorizationWithSig(a, signature);
        vm.assume(nonce != 1);
        a.nonce = nonce;
        signature = _sign(a);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidNonce.selector, nonce, 1));
        pool.setAuthorizationWithSig(a, signature);
    }

    /// The deadline's own second counts, and no later one.
    function testFuzz_deadline_EndsTheSignature(uint256 late) public {
        Authorization memory a = _authorization(signer);
        bytes memory signature = _sign(a);
        vm.warp(a.deadline + bound(late, 1, 100 * 365 days));
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.SignatureExpired.selector, a.deadline, block.timestamp));
        pool.setAuthorizationWithSig(a, signature);
        vm.warp(a.deadline);
        pool.setAuthorizationWithSig(a, signature);
    }

    /// A signature's twin (n - s) is not a second signature: the nonce is spent.
    function test_malleability_TheTwinIsNoSecondSignature() public {
        Authorization memory a = _authorization(signer);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(a));
        pool.setAuthorizationWithSig(a, abi.encodePacked(r, s, v));
        bytes memory twin = abi.encodePacked(r, bytes32(ORDER - uint256(s)), 55 - v);
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidNonce.selector, 0, 1));
        pool.setAuthorizationWithSig(a, twin);
    }

    /// Bytes that are no signature are none, whatever their length.
    function testFuzz_signature_GarbageIsRefused(bytes calldata garbage) public {
        Authorization memory a = _authorization(signer);
        _expectInvalid(signer);
        pool.setAuthorizationWithSig(a, garbage);
    }

    // -- ERC-1271

    /// A contract signs by answering the magic value, for exactly the digest and bytes that it was asked about.
    function testFuzz_erc1271_AContractSigns(bool honest) public {
        PoolContractSigner wallet = new PoolContractSigner(honest ? signer : stranger);
        Authorization memory a = _authorization(address(wallet));
        bytes memory signature = _sign(a);
        if (!honest) _expectInvalid(address(wallet));
        pool.setAuthorizationWithSig(a, signature);
        assertEq(pool.isAuthorized(address(wallet), a.authorized), honest);
    }

    /// Any other answer "MUST NOT" count: another value, a short one, a revert, no code at all.
    function test_erc1271_OnlyTheMagicValueCounts() public {
        address wallet = makeAddr("wallet");
        Authorization memory a = _authorization(wallet);
        bytes memory signature = _sign(a);
        bytes[4] memory codes = [
            bytes(hex"600160005260206000f3"), // a word that is not the magic value
            hex"631626ba7e60005260206000f3", // the value at the wrong end of the word
            hex"631626ba7e60e01b60005260046000f3", // the value, but four bytes only
            hex"60006000fd" // a revert
        ];
        for (uint256 i; i < codes.length; ++i) {
            vm.etch(wallet, codes[i]);
            _expectInvalid(wallet);
            pool.setAuthorizationWithSig(a, signature);
        }
        vm.etch(wallet, hex"631626ba7e60e01b60005260206000f3"); // the value, as the standard has it
        pool.setAuthorizationWithSig(a, signature);
        assertTrue(pool.isAuthorized(wallet, a.authorized));
    }

    // -- building

    function _expectInvalid(address account) private {
        vm.expectRevert(abi.encodeWithSelector(PoolSignatures.InvalidSignature.selector, account));
    }

    function _authorization(address authorizer) private view returns (Authorization memory) {
        return Authorization({
            authorizer: authorizer,
            authorized: stranger,
            isAuthorized: true,
            nonce: 0,
            deadline: block.timestamp + 1 hours
        });
    }

    function _sign(Authorization memory a) private view returns (bytes memory) {
        return _signDigest(_digest(a));
    }

    function _signDigest(bytes32 digest) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev From the domain as the standard writes it, not from what the pool says.
    function _digest(Authorization memory a) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domain(block.chainid, address(pool)), _message(a)));
    }

    function _message(Authorization memory a) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Authorization(address authorizer,address authorized,bool isAuthorized,uint256 nonce,uint256 deadline)"
                ),
                a.authorizer,
                a.authorized,
                a.isAuthorized,
                a.nonce,
                a.deadline
            )
        );
    }

    function _domain(uint256 chainId, address verifyingContract) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Breakwater Lending Pool"),
                keccak256("1"),
                chainId,
                verifyingContract
            )
        );
    }
}
