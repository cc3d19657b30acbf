// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

/// @dev An ERC-20 that misbehaves in the way it was built for.
contract PoolBadToken {
    enum Kind {
        ReturnsNothing,
        ReturnsFalse,
        FeeOnTransfer,
        Silent
    }

    uint8 public immutable decimals;
    Kind public kind;

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    constructor(uint8 decimals_) {
        decimals = decimals_;
    }

    function setKind(Kind kind_) external {
        kind = kind_;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    /// @dev `Silent` says that it moved and did not; a fee is 1%.
    function _move(address from, address to, uint256 amount) private {
        if (kind == Kind.ReturnsFalse) _return(0);
        if (kind == Kind.Silent) _return(1);
        balanceOf[from] -= amount;
        balanceOf[to] += kind == Kind.FeeOnTransfer ? amount - (amount + 99) / 100 : amount;
        if (kind != Kind.ReturnsNothing) _return(1);
    }

    function _return(uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 32)
        }
    }
}

/// @dev As an asset it has no decimals to read.
contract PoolTokenWithoutDecimals {
    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }
}
