// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev An ERC-1271 wallet: what its signer signed, it signed.
contract PoolContractSigner {
    address private _signer;

    constructor(address signer) {
        _signer = signer;
    }

    function setSigner(address signer) external {
        _signer = signer;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(hash, signature) == _signer ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
