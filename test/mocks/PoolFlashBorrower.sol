// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC3156FlashBorrower} from "@openzeppelin/contracts/interfaces/IERC3156FlashBorrower.sol";
import {IERC3156FlashLender} from "@openzeppelin/contracts/interfaces/IERC3156FlashLender.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @dev Remembers what it was told, and answers and approves as it was told.
contract PoolFlashBorrower is IERC3156FlashBorrower {
    address public initiator;
    uint256 public amount;
    uint256 public fee;
    bytes public data;
    uint256 public maxFlashLoanInside;

    bytes32 private _answer = keccak256("ERC3156FlashBorrower.onFlashLoan");
    uint256 private _approval = type(uint256).max;

    function setAnswer(bytes32 answer) external {
        _answer = answer;
    }

    function setApproval(uint256 approval) external {
        _approval = approval;
    }

    function onFlashLoan(address initiator_, address token, uint256 amount_, uint256 fee_, bytes calldata data_)
        public
        virtual
        returns (bytes32)
    {
        (initiator, amount, fee, data) = (initiator_, amount_, fee_, data_);
        maxFlashLoanInside = IERC3156FlashLender(msg.sender).maxFlashLoan(token);
        IERC20(token).approve(msg.sender, _approval);
        return _answer;
    }
}
