// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {InterestMath} from "../../contracts/libraries/InterestMath.sol";

/// @notice Interest: debts below 2^104, as the pool keeps them.
contract InterestSymbolicTest is Test {
    /// No time, no interest.
    function check_noTimeNoInterest(uint256 debt, uint256 rate) public pure {
        assertEq(InterestMath.interestUp(debt, rate, 0), 0);
    }

    /// No debt, no interest; no rate, no interest.
    function check_nothingIsCharged(uint104 debt, uint64 rate, uint32 elapsed) public pure {
        assertEq(InterestMath.interestUp(0, rate, elapsed), 0);
        assertEq(InterestMath.interestUp(debt, 0, elapsed), 0);
    }

    /// Accrual never reverts, whatever the rate and the silence, and saturates below 227 times the debt.
    function testFuzz_AccrualNeverReverts(uint104 debt, uint256 rate, uint256 elapsed) public pure {
        assertLe(InterestMath.interestUp(debt, rate, elapsed), uint256(debt) * 227);
    }

    /// A longer period never charges less.
    function testFuzz_LongerNeverChargesLess(uint104 debt, uint64 rate, uint32 elapsed) public pure {
        assertLe(
            InterestMath.interestUp(debt, rate, elapsed), InterestMath.interestUp(debt, rate, uint256(elapsed) + 1)
        );
    }

    /// More debt never pays less.
    function testFuzz_MoreDebtNeverPaysLess(uint104 debt, uint64 rate, uint32 elapsed) public pure {
        assertLe(
            InterestMath.interestUp(debt, rate, elapsed), InterestMath.interestUp(uint256(debt) + 1, rate, elapsed)
        );
    }

    /// Simple interest is the least that is charged.
    function testFuzz_AtLeastSimpleInterest(uint104 debt, uint256 rate, uint32 elapsed) public pure {
        if (elapsed != 0) rate = _bound(rate, 0, 10e18 / elapsed);
        uint256 exponent = rate * elapsed;
        assertGe(InterestMath.interestUp(debt, rate, elapsed) * 1e18, uint256(debt) * exponent);
    }

    /// Charging two periods one after the other leaves at least the debt that charging them at once leaves.
    function testFuzz_SplittingNeverSaves(uint104 debt, uint256 rate, uint32 first, uint32 second) public pure {
        rate = _bound(rate, 0, 10e18 / (uint256(first) + second + 1));
        uint256 once = debt + InterestMath.interestUp(debt, rate, uint256(first) + second);
        uint256 twice = debt + InterestMath.interestUp(debt, rate, first);
        twice += InterestMath.interestUp(twice, rate, second);
        assertGe(twice, once);
    }
}
