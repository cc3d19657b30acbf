// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Script} from "forge-std/Script.sol";
import {stdJson} from "forge-std/StdJson.sol";

import {Defaults} from "./Defaults.sol";
import {Deployment} from "./Deployment.sol";
import {CollateralPlan, System, SystemPlan} from "./SystemPlan.sol";

/// @title Deploys a system to a chain
/// @notice `BREAKWATER_CONFIG` names a JSON file with the chain's addresses; every other parameter is a default. See
/// `script/config/example.json`, and `Defaults.sol` for the parameters.
contract Deploy is Script {
    using stdJson for string;

    /// @notice The configuration file has no such key, or an empty value.
    error ConfigKeyMissing(string file, string key);

    function run() external returns (System memory system) {
        SystemPlan memory plan = readPlan(vm.envString("BREAKWATER_CONFIG"));
        vm.startBroadcast();
        // The broadcaster's address; forge sets it as the sender of every call between start and stop.
        (, address deployer,) = vm.readCallers();
        system = Deployment.deploy(plan, deployer);
        vm.stopBroadcast();
    }

    /// @notice The defaults with the file's addresses, name, symbol and caps.
    function readPlan(string memory file) public view returns (SystemPlan memory plan) {
        string memory json = vm.readFile(file);
        plan = Defaults.system();
        plan.asset = _address(json, file, ".asset");
        plan.governance = _address(json, file, ".governance");
        plan.guardian = _address(json, file, ".guardian");
        plan.name = _string(json, file, ".name");
        plan.symbol = _string(json, file, ".symbol");
        plan.supplyCap = _uint(json, file, ".supplyCap");
        plan.borrowCap = _uint(json, file, ".borrowCap");
        plan.minDebt = uint88(_uint(json, file, ".minDebt"));
        plan.settlementStipend = _uint(json, file, ".settlementStipend");
        uint256 count;
        while (vm.keyExistsJson(json, _key(count, ""))) ++count;
        if (count == 0) revert ConfigKeyMissing(file, ".collaterals[0]");
        plan.collaterals = new CollateralPlan[](count);
        for (uint256 i; i < count; ++i) {
            CollateralPlan memory collateral = Defaults.collateral();
            collateral.listing.token = _address(json, file, _key(i, ".token"));
            collateral.base.source = _address(json, file, _key(i, ".feed"));
            collateral.venue =
                vm.keyExistsJson(json, _key(i, ".venue")) ? json.readAddress(_key(i, ".venue")) : address(0);
            collateral.listing.cap = uint128(_uint(json, file, _key(i, ".cap")));
            plan.collaterals[i] = collateral;
        }
    }

    function _key(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".collaterals[", vm.toString(i), "]", field);
    }

    function _require(string memory json, string memory file, string memory key) private view {
        if (!vm.keyExistsJson(json, key)) revert ConfigKeyMissing(file, key);
    }

    function _address(string memory json, string memory file, string memory key) private view returns (address value) {
        _require(json, file, key);
        value = json.readAddress(key);
        if (value == address(0)) revert ConfigKeyMissing(file, key);
    }

    function _string(string memory json, string memory file, string memory key) private view returns (string memory) {
        _require(json, file, key);
        return json.readString(key);
    }

    function _uint(string memory json, string memory file, string memory key) private view returns (uint256) {
        _require(json, file, key);
        return json.readUint(key);
    }
}
