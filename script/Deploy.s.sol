// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Script} from "forge-std/Script.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

import {FeedParameters} from "../contracts/oracle/TwapOracle.sol";
import {Defaults} from "./Defaults.sol";
import {Deployment} from "./Deployment.sol";
import {CollateralPlan, System, SystemPlan} from "./SystemPlan.sol";
import {Venues} from "./Venues.sol";

/// @title Deploys a system to a chain
/// @notice `BREAKWATER_CONFIG` names a JSON file with the chain's addresses, its feeds' heartbeats, names and caps; every other
/// parameter is a default. See README.md for the keys, `script/config/example.json`, and `Defaults.sol` for the parameters.
contract Deploy is Script {
    using stdJson for string;

    /// @notice The configuration file has no such key, or an empty value.
    error ConfigKeyMissing(string file, string key);
    /// @notice A key that nothing reads: misspelt, or of something that is not there.
    error ConfigKeyUnknown(string file, string key);
    /// @notice A value that no system can have.
    error ConfigValueInvalid(string file, string key, uint256 value);
    /// @notice The file's addresses are of another chain.
    error WrongChain(uint256 expected, uint256 found);

    function run() external returns (System memory system) {
        return deploy(vm.envString("BREAKWATER_CONFIG"));
    }

    /// @notice Deploys what `file` says; checks come before and after, and forge executes all of it before it sends any of it.
    function deploy(string memory file) public returns (System memory system) {
        SystemPlan memory plan = readPlan(file);
        vm.startBroadcast();
        // The broadcaster's address; forge sets it as the sender of every call between start and stop.
        (, address deployer,) = vm.readCallers();
        Venues.grow(plan);
        system = Deployment.deploy(plan, deployer);
        vm.stopBroadcast();
        Venues.requireAgreement(plan, system);
    }

    /// @notice The defaults with what the file says.
    function readPlan(string memory file) public view returns (SystemPlan memory plan) {
        string memory json = vm.readFile(file);
        _requireKnown(json, file, "", _keys());
        if (vm.keyExistsJson(json, ".chainId") && json.readUint(".chainId") != block.chainid) {
            revert WrongChain(json.readUint(".chainId"), block.chainid);
        }
        plan = Defaults.system();
        plan.asset = _address(json, file, ".asset");
        plan.governance = _address(json, file, ".governance");
        plan.guardian = _address(json, file, ".guardian");
        plan.name = _string(json, file, ".name");
        plan.symbol = _string(json, file, ".symbol");
        plan.supplyCap = _uint(json, file, ".supplyCap");
        plan.borrowCap = _uint(json, file, ".borrowCap");
        plan.minDebt = SafeCastLib.toUint88(_uint(json, file, ".minDebt"));
        plan.settlementStipend = _uint(json, file, ".settlementStipend");
        uint256 count;
        while (vm.keyExistsJson(json, _key(count, ""))) ++count;
        if (count == 0) revert ConfigKeyMissing(file, ".collaterals[0]");
        // The gas-aware bonus needs the collateral that is the chain's native coin.
        if (vm.keyExistsJson(json, ".nativeCollateral")) {
            plan.nativeCollateral = json.readUint(".nativeCollateral");
            if (plan.nativeCollateral >= count) {
                revert ConfigValueInvalid(file, ".nativeCollateral", plan.nativeCollateral);
            }
        } else {
            plan.policy.damped.liquidationGas = 0;
        }
        plan.collaterals = new CollateralPlan[](count);
        for (uint256 i; i < count; ++i) {
            plan.collaterals[i] = _collateral(json, file, i);
        }
    }

    function _collateral(string memory json, string memory file, uint256 i)
        private
        view
        returns (CollateralPlan memory collateral)
    {
        _requireKnown(json, file, _key(i, ""), _collateralKeys());
        collateral = Defaults.collateral();
        collateral.listing.token = _address(json, file, _key(i, ".token"));
        string[4] memory base = [".feed", ".heartbeat", ".minAnswer", ".maxAnswer"];
        string[4] memory quote = [".quoteFeed", ".quoteHeartbeat", ".quoteMinAnswer", ".quoteMaxAnswer"];
        collateral.base = _feed(json, file, i, base);
        if (vm.keyExistsJson(json, _key(i, quote[0]))) {
            collateral.quote = _feed(json, file, i, quote);
        } else {
            for (uint256 k = 1; k < quote.length; ++k) {
                _requireAbsent(json, file, _key(i, quote[k]));
            }
        }
        if (vm.keyExistsJson(json, _key(i, ".venue"))) {
            collateral.venue = _address(json, file, _key(i, ".venue"));
            collateral.venueMinDepth = _uint(json, file, _key(i, ".venueMinDepth"));
        } else {
            _requireAbsent(json, file, _key(i, ".venueMinDepth"));
            collateral.listing.confirmationBand = 200;
        }
        collateral.listing.cap = SafeCastLib.toUint128(_uint(json, file, _key(i, ".cap")));
    }

    /// @dev Both bounds or neither; 0 and 0 in the plan stand for the default ones.
    function _feed(string memory json, string memory file, uint256 i, string[4] memory keys)
        private
        view
        returns (FeedParameters memory feed)
    {
        feed.source = _address(json, file, _key(i, keys[0]));
        uint256 heartbeat = _uint(json, file, _key(i, keys[1]));
        if (heartbeat == 0) revert ConfigValueInvalid(file, _key(i, keys[1]), heartbeat);
        feed.heartbeat = SafeCastLib.toUint32(heartbeat);
        if (vm.keyExistsJson(json, _key(i, keys[2])) || vm.keyExistsJson(json, _key(i, keys[3]))) {
            feed.minAnswer = SafeCastLib.toUint128(_uint(json, file, _key(i, keys[2])));
            feed.maxAnswer = SafeCastLib.toUint128(_uint(json, file, _key(i, keys[3])));
            if (feed.maxAnswer <= uint256(feed.minAnswer) + 1) {
                revert ConfigValueInvalid(file, _key(i, keys[3]), feed.maxAnswer);
            }
        }
    }

    function _keys() private pure returns (string[] memory keys) {
        keys = new string[](12);
        (keys[0], keys[1], keys[2], keys[3]) = ("chainId", "asset", "governance", "guardian");
        (keys[4], keys[5], keys[6], keys[7]) = ("name", "symbol", "supplyCap", "borrowCap");
        (keys[8], keys[9], keys[10], keys[11]) = ("minDebt", "settlementStipend", "nativeCollateral", "collaterals");
    }

    function _collateralKeys() private pure returns (string[] memory keys) {
        keys = new string[](12);
        (keys[0], keys[1], keys[2], keys[3]) = ("token", "feed", "heartbeat", "minAnswer");
        (keys[4], keys[5], keys[6], keys[7]) = ("maxAnswer", "quoteFeed", "quoteHeartbeat", "quoteMinAnswer");
        (keys[8], keys[9], keys[10], keys[11]) = ("quoteMaxAnswer", "venue", "venueMinDepth", "cap");
    }

    function _requireKnown(string memory json, string memory file, string memory at, string[] memory known)
        private
        pure
    {
        string[] memory keys = vm.parseJsonKeys(json, string.concat("$", at));
        for (uint256 i; i < keys.length; ++i) {
            bool found;
            for (uint256 k; k < known.length && !found; ++k) {
                found = keccak256(bytes(keys[i])) == keccak256(bytes(known[k]));
            }
            if (!found) revert ConfigKeyUnknown(file, string.concat(at, ".", keys[i]));
        }
    }

    function _key(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".collaterals[", vm.toString(i), "]", field);
    }

    function _require(string memory json, string memory file, string memory key) private view {
        if (!vm.keyExistsJson(json, key)) revert ConfigKeyMissing(file, key);
    }

    function _requireAbsent(string memory json, string memory file, string memory key) private view {
        if (vm.keyExistsJson(json, key)) revert ConfigKeyUnknown(file, key);
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
