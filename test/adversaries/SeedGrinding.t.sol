// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {SystemPlan} from "../../script/SystemPlan.sol";
import {AdversaryFixture, Sold} from "./AdversaryFixture.sol";

/// @dev A market in which turns matter: instead of the crowd there are four positions so large that one of them or another empties
/// the bucket in every block, so that an account is sold at about p = 0.3 and by its turns. Somebody flags at once.
abstract contract CongestedFixture is AdversaryFixture {
    uint256 internal constant EPOCH = 60;
    address[4] internal whales;

    /// @dev At 1,830 HF = 500 * 1,830 * 0.83 / 775,000 = 0.97994, as for everybody here.
    function _openCrowd() internal override {
        for (uint256 i; i < whales.length; ++i) {
            whales[i] = makeAddr(string.concat("whale", vm.toString(i)));
            _openFor(whales[i], CROWD / 4, 775_000e18);
        }
    }

    /// @dev Sells `account` as its turns and what the whales leave of the bucket allow, until it is whole.
    function _sellInCongestion(address account, uint256 start) internal returns (Sold memory sold) {
        vm.prank(keeper);
        lending.flag(account, 0);
        _sellWhales();
        for (uint256 i; i < 200; ++i) {
            _nextBlock();
            _sell(account, vm.getBlockTimestamp() - start, sold);
            if (lending.accountHealth(account).healthFast >= WAD) return sold;
            _sellWhales();
        }
        revert("never sold");
    }

    function _sellWhales() private {
        Sold memory others;
        for (uint256 i; i < whales.length; ++i) {
            _sell(whales[i], 0, others);
        }
    }

    function _waitOf(address account, uint256 time) internal view returns (uint256 epochs) {
        while (DampedPolicy(system.policy).turnOf(system.pool, account, time + epochs * EPOCH) >= 0.35e18) ++epochs;
    }
}

/// @dev Systematic turns, which are off by default: there is nothing to grind but one's own address, for one rotation.
contract AddressGrindingTest is CongestedFixture {
    function _plan(SystemPlan memory plan) internal pure override returns (SystemPlan memory) {
        plan.policy.damped.turnMode = TurnMode.Systematic;
        return plan;
    }

    /// The best of 512 addresses against an ordinary one. The auction's clock runs while an account waits for its turn, so what the
    /// delay gains is paid for in bonus, half of it counted: prices that recover in the meantime save it.
    function test_grindAddress_CostsMoreThanTheDelay() public {
        uint256 fall = vm.getBlockTimestamp() + 120;
        (address ground, address ordinary) = (_grind(fall, true), _grind(fall, false));
        uint256 state = vm.snapshotState();
        Sold memory slow = _run(ground);
        vm.revertToState(state);
        Sold memory usual = _run(ordinary);
        uint256 gain = slow.delayValue - usual.delayValue;
        uint256 cost = (slow.bonus - usual.bonus) / 2;
        _report(string.concat("grind an address for ", vm.toString(_waitOf(ground, fall)), " epochs"), cost, gain);
        assertGt(cost, gain);
    }

    /// Whatever is ground, the wait at p0 is bounded: below twice 1 / p0 = 4 epochs, over a change of rotation too.
    function testFuzz_grindAddress_WaitIsBounded(address account, uint256 time) public view {
        time = bound(time, 1, 100 * 365 days);
        uint256 wait;
        while (DampedPolicy(system.policy).turnOf(system.pool, account, time + wait * EPOCH) >= 0.25e18) ++wait;
        assertLt(wait, 8);
    }

    function _run(address account) private returns (Sold memory) {
        _openFor(account, 100e18, 155_000e18);
        _fallTo(1830);
        return _sellInCongestion(account, vm.getBlockTimestamp());
    }

    function _grind(uint256 time, bool worst) private view returns (address best) {
        uint256 longest;
        for (uint160 i = 1; i <= 512; ++i) {
            address candidate = address(0x1000000 + i);
            uint256 wait = _waitOf(candidate, time);
            if (!worst && wait == 1) return candidate;
            if (wait > longest) (longest, best) = (wait, candidate);
        }
    }
}

/// @dev Seeded turns: the builder of a rotation's anchor block tries hashes, by reordering his block (free) or by withholding it.
contract BuilderWithholdingTest is CongestedFixture {
    /// @dev What a builder forgoes with a block, in debt tokens: 0.05 ether.
    uint256 private constant BLOCK_WORTH = 100e18;

    function _plan(SystemPlan memory plan) internal pure override returns (SystemPlan memory) {
        plan.policy.damped.turnMode = TurnMode.Seeded;
        return plan;
    }

    /// Sixty-four hashes tried for free, the best for his account kept: the bonus grows by more than the delay is worth.
    function test_grindSeed_CostsMoreThanTheDelay() public {
        (address account, uint256 start, uint256 anchor) = _anchor();
        (bytes32 best, bytes32 usual,) = _grind(account, start, anchor, 64);
        uint256 state = vm.snapshotState();
        vm.setBlockhash(anchor, best);
        Sold memory slow = _sellInCongestion(account, start);
        vm.revertToState(state);
        vm.setBlockhash(anchor, usual);
        Sold memory fast = _sellInCongestion(account, start);
        uint256 gain = slow.delayValue - fast.delayValue;
        uint256 cost = (slow.bonus - fast.bonus) / 2;
        _report("grind a seed by reordering, 64 tries", cost, gain);
        assertGt(cost, gain);
    }

    /// By withholding, each try costs a block: two cost more than any wait is worth, before any bonus.
    function test_withholdBlocks_CostsMoreThanTheLongestWait() public {
        (address account, uint256 start, uint256 anchor) = _anchor();
        (,, uint256 longest) = _grind(account, start, anchor, 256);
        assertLt(longest, 8);
        // A third of the debt restores the target; half is more than is sold.
        uint256 gain = _delayValue(lending.debtOf(account) / 2, longest * EPOCH);
        _report(
            string.concat("withhold two blocks for a seed of ", vm.toString(longest), " epochs"), 2 * BLOCK_WORTH, gain
        );
        assertGt(2 * BLOCK_WORTH, gain);
    }

    /// No seed holds anything from the end of the damped zone on: the turn is open there, whatever the hash.
    function testFuzz_grindSeed_NeverReachesTheHardZone(bytes32 hash) public {
        (address account,, uint256 anchor) = _anchor();
        vm.setBlockhash(anchor, hash);
        _fallTo(1620); // HF = 0.83 * 1,620 / 1,550 = 0.867
        _assertHard(account);
        assertTrue(_sell(account, 0, Sold(0, 0, 0)));
    }

    /// @dev Both positions fallen and the anchor named, in the block before this one.
    function _anchor() private returns (address account, uint256 start, uint256 anchor) {
        account = attacker;
        _openFor(account, 100e18, 155_000e18);
        _fallTo(1830);
        vm.prank(keeper);
        lending.liquidate(whales[0], 0, 1000e18, "");
        anchor = vm.getBlockNumber();
        _nextBlock();
        start = vm.getBlockTimestamp();
    }

    function _grind(address account, uint256 time, uint256 anchor, uint256 tries)
        private
        returns (bytes32 best, bytes32 usual, uint256 longest)
    {
        for (uint256 i; i < tries; ++i) {
            bytes32 hash = keccak256(abi.encode("ground", i));
            vm.setBlockhash(anchor, hash);
            uint256 wait = _waitOf(account, time);
            if (wait > longest) (longest, best) = (wait, hash);
            if (wait == 1) usual = hash;
        }
    }
}
