// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {Deploy} from "../../script/Deploy.s.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {SimToken} from "../mocks/SimToken.sol";

/// @dev A debt token, a collateral and its feed, and configuration files for the script.
abstract contract ScriptFixture is Test {
    address internal governance = makeAddr("governance");
    address internal guardian = makeAddr("guardian");
    /// @dev Whom forge broadcasts for.
    address internal broadcaster;
    SimToken internal asset;
    SimToken internal token;
    SimFeed internal feed;
    Deploy internal script;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        asset = new SimToken("Dai", "DAI", 18);
        token = new SimToken("Ether", "ETH", 18);
        feed = new SimFeed(8);
        feed.set(2000e8, block.timestamp);
        script = new Deploy();
        broadcaster = DEFAULT_SENDER;
    }

    /// @dev A file of this name in the cache: keys of the system and of its one collateral as text, each ending in a comma, come
    /// before those that all have.
    function _write(string memory name, string memory systemKeys, string memory collateralKeys)
        internal
        returns (string memory file)
    {
        file = string.concat(vm.projectRoot(), "/cache/script-test-", name, ".json");
        vm.createDir(string.concat(vm.projectRoot(), "/cache"), true);
        string memory roles =
            string.concat('"governance":"', vm.toString(governance), '","guardian":"', vm.toString(guardian), '",');
        string memory amounts = string.concat(
            '"name":"Breakwater DAI","symbol":"bwDAI","supplyCap":"1000000000000000000000","borrowCap":"900000000000000000000",',
            '"minDebt":"100000000000000000000","settlementStipend":"5000000000000000000",'
        );
        string memory listed = string.concat(
            '"collaterals":[{',
            collateralKeys,
            '"token":"',
            vm.toString(address(token)),
            '","cap":"10000000000000000000000"}]}'
        );
        vm.writeFile(
            file, string.concat("{", systemKeys, '"asset":"', vm.toString(address(asset)), '",', roles, amounts, listed)
        );
    }

    function _feedKeys() internal view returns (string memory) {
        return string.concat('"feed":"', vm.toString(address(feed)), '","heartbeat":3900,');
    }
}
