// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "solady/utils/EIP712.sol";
import {SignatureCheckerLib} from "solady/utils/SignatureCheckerLib.sol";

import {Authorization, ILendingPoolExtension} from "../interfaces/ILendingPool.sol";
import {PoolAccounting} from "./PoolAccounting.sol";

/// @title Who may act for whom: by call, by EIP-712 signature, and by EIP-2612 permit
/// @notice Contracts sign by ERC-1271. The domain is the pool's own address and the current chain.
abstract contract PoolSignatures is PoolAccounting, EIP712, ILendingPoolExtension {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant AUTHORIZATION_TYPEHASH = keccak256(
        "Authorization(address authorizer,address authorized,bool isAuthorized,uint256 nonce,uint256 deadline)"
    );

    event Approval(address indexed owner, address indexed spender, uint256 value);

    error ZeroAddress();
    error SignatureExpired(uint256 deadline, uint256 timestamp);
    error InvalidSignature(address signer);
    error InvalidNonce(uint256 given, uint256 expected);

    // -- the share's EIP-2612

    function nonces(address owner_) external view returns (uint256) {
        return _nonces[owner_];
    }

    /// @notice The domain that permits and authorisations are signed for.
    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparator();
    }

    /// @notice EIP-2612.
    function permit(address owner_, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (spender == address(0)) revert ZeroAddress();
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner_, spender, value, _nonces[owner_]++, deadline));
        _checkSignature(owner_, structHash, deadline, abi.encodePacked(r, s, v));
        _allowances[owner_][spender] = value;
        emit Approval(owner_, spender, value);
    }

    // -- authorisation

    /// @inheritdoc ILendingPoolExtension
    function setAuthorization(address authorized, bool isAuthorized_) external override {
        _setAuthorization(msg.sender, authorized, isAuthorized_);
    }

    /// @inheritdoc ILendingPoolExtension
    function setAuthorizationWithSig(Authorization calldata a, bytes calldata signature) external override {
        uint256 expected = _authorizationNonces[a.authorizer];
        if (a.nonce != expected) revert InvalidNonce(a.nonce, expected);
        _authorizationNonces[a.authorizer] = expected + 1;
        _checkSignature(a.authorizer, keccak256(abi.encode(AUTHORIZATION_TYPEHASH, a)), a.deadline, signature);
        _setAuthorization(a.authorizer, a.authorized, a.isAuthorized);
    }

    /// @inheritdoc ILendingPoolExtension
    function isAuthorized(address authorizer, address authorized) external view override returns (bool) {
        return _authorized[authorizer][authorized];
    }

    /// @inheritdoc ILendingPoolExtension
    function authorizationNonce(address authorizer) external view override returns (uint256) {
        return _authorizationNonces[authorizer];
    }

    function _setAuthorization(address authorizer, address authorized, bool isAuthorized_) private {
        _authorized[authorizer][authorized] = isAuthorized_;
        emit AuthorizationSet(authorizer, authorized, isAuthorized_);
    }

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("Breakwater Lending Pool", "1");
    }

    function _checkSignature(address signer, bytes32 structHash, uint256 deadline, bytes memory signature)
        private
        view
    {
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp);
        if (!SignatureCheckerLib.isValidSignatureNow(signer, _hashTypedData(structHash), signature)) {
            revert InvalidSignature(signer);
        }
    }
}
