// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {CircuitBreaker} from "../../../contracts/breaker/CircuitBreaker.sol";
import {CollateralConfig, MarketState} from "../../../contracts/interfaces/ILendingPool.sol";
import {System} from "../../../script/SystemPlan.sol";
import {IPoolAdministration} from "../../utils/IPoolUnderTest.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Governance, through the timelock alone (A2, P13), and the guardian.
contract AdministratorHandler is SystemHandler {
    struct Operation {
        address target;
        bytes data;
        bytes32 salt;
        uint256 readyAt;
    }

    mapping(uint256 p => Operation[]) private _scheduled;
    uint256 private _salt;

    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("schedule", 60);
        ledger.declare("execute", 15);
        ledger.declare("guard", 60);
        ledger.declare("usurp", 0);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.schedule.selector, this.execute.selector);
        (list[2], list[3]) = (this.guard.selector, this.usurp.selector);
    }

    function schedule(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        (address target, bytes memory data) = _operation(p, a / 3, b, c);
        bytes32 salt = bytes32(++_salt);
        address governance = world.governance();
        TimelockController timelock = TimelockController(payable(world.system(p).timelock));
        vm.prank(governance);
        timelock.schedule(target, 0, data, 0, salt, 2 days);
        _scheduled[p].push(Operation(target, data, salt, vm.getBlockTimestamp() + 2 days));
        ledger.succeeded("schedule");
    }

    /// @dev The last one scheduled: one in two at once, which must fail; else after its delay.
    function execute(uint256 a, uint256, uint256 c) external counted {
        uint256 p = a % 3;
        if (_scheduled[p].length == 0) return;
        Operation memory operation = _scheduled[p][_scheduled[p].length - 1];
        uint256 time = vm.getBlockTimestamp();
        if (c % 2 == 0) {
            if (time < operation.readyAt) _check(!_run(p, operation), S.A2);
            return;
        }
        if (time < operation.readyAt) {
            world.pass(operation.readyAt - time);
            world.refresh();
        }
        _scheduled[p].pop();
        MarketState memory before = _pool(p).marketState();
        _run(p, operation);
        _check(_pool(p).totalAssets() == before.lenderAssets, S.P13);
    }

    /// @dev The guardian freezes, one time in eight. The other calls lift what was frozen, with the timelock's delay skipped.
    function guard(uint256 a, uint256, uint256 c) external counted {
        uint256 p = a % 3;
        bool lifts = c % 8 != 0;
        bytes memory data;
        if (c % 16 == 0) data = abi.encodeCall(IPoolAdministration.freezeCollateral, (2));
        else if (!lifts) data = abi.encodeCall(IPoolAdministration.freezeNewRisk, ());
        else if (c % 2 == 0) data = abi.encodeCall(IPoolAdministration.unfreezeCollateral, (2));
        else data = abi.encodeCall(IPoolAdministration.unfreezeNewRisk, ());
        _attempt("guard", p, lifts ? world.system(p).timelock : world.guardian(), data);
    }

    /// @dev What is the owner's, tried by everybody else.
    function usurp(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        (address target, bytes memory data) = _owners(p, a / 3, b, c);
        address[4] memory others = [world.governance(), world.guardian(), world.stranger(), world.account(p, b)];
        vm.prank(others[c % 4]);
        (bool success, bytes memory answer) = target.call(data);
        _enter("usurp", p, success, answer);
        // Refused for who asks: what is refused for its content says nothing of that.
        _check(!success && bytes4(answer) == Ownable.OwnableUnauthorizedAccount.selector, S.A2);
    }

    /// @dev Of what is the owner's: what the campaign's owner does, and what would make another market of it.
    function _owners(uint256 p, uint256 kind, uint256 b, uint256 c) private view returns (address, bytes memory) {
        if (kind % 2 == 0) return _operation(p, kind / 2, b, c);
        System memory system = world.system(p);
        address taker = world.stranger();
        kind = kind / 2 % 7;
        if (kind == 0) return (system.pool, abi.encodeCall(IPoolAdministration.setPolicy, (system.policy)));
        if (kind == 1) {
            address oracle = system.oracles[b % 3];
            return (system.pool, abi.encodeCall(IPoolAdministration.setCollateralOracle, (b % 3, oracle)));
        }
        if (kind == 2) return (system.pool, abi.encodeCall(IPoolAdministration.setGuardian, (taker)));
        if (kind == 3) return (system.pool, abi.encodeCall(IPoolAdministration.transferOwnership, (taker)));
        if (kind == 4) return (system.pool, abi.encodeCall(IPoolAdministration.renounceOwnership, ()));
        if (kind == 5) return (system.breaker, abi.encodeCall(IPoolAdministration.transferOwnership, (taker)));
        CollateralConfig memory config;
        (config.token, config.oracle) = (world.tokens(p), system.oracles[b % 3]);
        return (system.pool, abi.encodeCall(IPoolAdministration.listCollateral, (config)));
    }

    function _run(uint256 p, Operation memory operation) private returns (bool success) {
        address governance = world.governance();
        TimelockController timelock = TimelockController(payable(world.system(p).timelock));
        vm.prank(governance);
        try timelock.execute(operation.target, 0, operation.data, 0, operation.salt) {
            success = true;
            _enter("execute", p, true, "");
        } catch (bytes memory answer) {
            _enter("execute", p, false, answer);
        }
    }

    function _operation(uint256 p, uint256 kind, uint256 b, uint256 c)
        private
        view
        returns (address target, bytes memory data)
    {
        System memory system = world.system(p);
        target = system.pool;
        kind %= 10;
        if (kind == 0) data = abi.encodeCall(IPoolAdministration.setReserveFactor, (uint8(_bound(b, 0, 50))));
        if (kind == 1) data = abi.encodeCall(IPoolAdministration.unfreezeCollateral, (2));
        if (kind == 2) {
            data = abi.encodeCall(IPoolAdministration.rampCollateral, (c % 3, uint16(_bound(b, 7500, 8000)), 8300));
        }
        if (kind == 3) {
            MarketState memory state = _pool(p).marketState();
            uint256 most = state.reserves < state.cash ? state.reserves : state.cash;
            data = abi.encodeCall(IPoolAdministration.withdrawReserves, (_bound(b, 0, most), world.governance()));
        }
        if (kind == 4) data = abi.encodeCall(IPoolAdministration.setCaps, (_cap(p, b), _cap(p, c)));
        if (kind == 5) {
            data = abi.encodeCall(IPoolAdministration.setMinDebt, (uint88(world.dollars(p, 1 + b % 200)), 0));
        }
        if (kind == 6) {
            uint128 cap = uint128(world.dollars(world.collateralOf(p, c % 3), 1_000_000 + b % 1e9));
            data = abi.encodeCall(IPoolAdministration.setCollateralCap, (c % 3, cap));
        }
        if (kind == 7) data = abi.encodeCall(IPoolAdministration.unfreezeNewRisk, ());
        if (kind == 8) {
            (target, data) = (system.breaker, abi.encodeCall(CircuitBreaker.halt, (target, 1 + b % 6 hours)));
        }
        if (kind == 9) (target, data) = (system.breaker, abi.encodeCall(CircuitBreaker.resume, (target)));
    }

    function _cap(uint256 p, uint256 word) private view returns (uint256) {
        return world.dollars(p, 10_000_000 + word % 1e9);
    }
}
