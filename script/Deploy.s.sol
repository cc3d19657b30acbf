// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Script} from "forge-std/Script.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

import {Defaults} from "./Defaults.sol";
import {Deployment} from "./Deployment.sol";
import {CollateralPlan, System, SystemPlan} from "./SystemPlan.sol";

/// @title Deploys a system to a chain
/// @notice `BREAKWATER_CONFIG` names a JSON file with the chain's addresses; every other parameter is a default. See
/// `script/config/example.json`, and `Defaults.sol` for the parameters. Of a collateral, `quoteFeed` (where `feed` does not
/// answer in the debt token) and `venue` are optional; so is `nativeCollateral`, the number of the one that is the native coin.
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
        plan.minDebt = SafeCastLib.toUint88(_uint(json, file, ".minDebt"));
        // The gas-aware bonus needs the collateral that is the chain's native coin.
        if (vm.keyExistsJson(json, ".nativeCollateral")) plan.nativeCollateral = json.readUint(".nativeCollateral");
        else plan.policy.damped.liquidationGas = 0;
        plan.settlementStipend = _uint(json, file, ".settlementStipend");
        uint256 count;
        while (vm.keyExistsJson(json, _key(count, ""))) ++count;
        if (count == 0) revert ConfigKeyMissing(file, ".collaterals[0]");
        plan.collaterals = new CollateralPlan[](count);
        for (uint256 i; i < count; ++i) {
            CollateralPlan memory collateral = Defaults.collateral();
            collateral.listing.token = _address(json, file, _key(i, ".token"));
            collateral.base.source = _address(json, file, _key(i, ".feed"));
            if (vm.keyExistsJson(json, _key(i, ".quoteFeed"))) {
                collateral.quote = collateral.base;
                collateral.quote.source = json.readAddress(_key(i, ".quoteFeed"));
            }
            if (vm.keyExistsJson(json, _key(i, ".venue"))) {
                collateral.venue = json.readAddress(_key(i, ".venue"));
                collateral.venueMinDepth = _uint(json, file, _key(i, ".venueMinDepth"));
            } else {
                collateral.listing.confirmationBand = 200;
            }
            collateral.listing.cap = SafeCastLib.toUint128(_uint(json, file, _key(i, ".cap")));
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
