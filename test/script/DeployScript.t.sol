// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {TwapOracle} from "../../contracts/oracle/TwapOracle.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {Deploy} from "../../script/Deploy.s.sol";
import {Deployment} from "../../script/Deployment.sol";
import {Feeds} from "../../script/Feeds.sol";
import {System, SystemPlan} from "../../script/SystemPlan.sol";
import {RoundsFeed} from "../mocks/RoundsFeed.sol";
import {SimFeed} from "../mocks/SimFeed.sol";
import {ScriptFixture} from "./ScriptFixture.sol";

contract DeployScriptTest is ScriptFixture {
    function test_deploy_DeploysWithAQuoteFeed() public {
        // 2,000 dollars an ether, 0.8 dollars a debt token: 2,500. The quote feed has 18 decimals.
        SimFeed quote = new SimFeed(18);
        quote.set(0.8e18, block.timestamp);
        System memory system = script.deploy(_write("quote", "", _quoted(address(quote), 90_000, "")));
        TwapOracle oracle = TwapOracle(system.oracles[0]);
        assertEq(oracle.peek().fast, 2500e36);
        assertEq(oracle.BASE_HEARTBEAT(), 3900);
        assertEq(oracle.QUOTE_SOURCE(), address(quote));
        assertEq(oracle.QUOTE_HEARTBEAT(), 90_000);
        assertEq(oracle.BASE_MIN_ANSWER(), 1e4, "0.0001");
        assertEq(oracle.BASE_MAX_ANSWER(), 1e16, "10^8");
        assertEq(oracle.QUOTE_MIN_ANSWER(), 0.01e18, "0.01");
        assertEq(oracle.QUOTE_MAX_ANSWER(), 100e18, "100");
        assertTrue(ILendingPool(system.pool).collateralState(0).oracle == address(oracle));
    }

    function test_deploy_TakesBoundsFromTheFile() public {
        // A debt token worth 3,000 dollars is outside of the default bounds.
        SimFeed quote = new SimFeed(8);
        quote.set(3000e8, block.timestamp);
        vm.expectRevert(TwapOracle.FeedMissing.selector);
        script.deploy(_write("bounds-default", "", _quoted(address(quote), 3900, "")));
        vm.stopBroadcast();
        string memory bounds = '"quoteMinAnswer":"1000000000","quoteMaxAnswer":"10000000000000",';
        System memory system = script.deploy(_write("bounds", "", _quoted(address(quote), 3900, bounds)));
        assertEq(TwapOracle(system.oracles[0]).QUOTE_MIN_ANSWER(), 1e9);
        assertEq(TwapOracle(system.oracles[0]).QUOTE_MAX_ANSWER(), 1e13);
    }

    /// @dev A feed that reports once a day is no more missing after four hours.
    function test_deploy_ADailyFeedStaysUpForADay() public {
        string memory daily = string.concat('"feed":"', vm.toString(address(feed)), '","heartbeat":90000,');
        System memory system = script.deploy(_write("daily", "", daily));
        vm.warp(block.timestamp + 24 hours);
        assertTrue(TwapOracle(system.oracles[0]).peek().status == PriceStatus.Ok);
        vm.warp(block.timestamp + 1 hours + 1);
        assertTrue(TwapOracle(system.oracles[0]).peek().status == PriceStatus.Down);
    }

    function test_RevertWhen_deploy_HeartbeatIsShorterThanAGapOfTheFeed() public {
        RoundsFeed rounds = new RoundsFeed(8);
        uint256 gap = 3900;
        rounds.push(1990e8, block.timestamp - gap - 20);
        rounds.push(2000e8, block.timestamp - 20);
        rounds.push(2001e8, block.timestamp);
        string memory keys = string.concat('"feed":"', vm.toString(address(rounds)), '","heartbeat":');
        string memory file = _write("gap", "", string.concat(keys, "3899,"));
        vm.expectRevert(abi.encodeWithSelector(Feeds.HeartbeatTooShort.selector, address(rounds), 3899, gap));
        script.deploy(file);
        vm.stopBroadcast();
        // To the second.
        script.deploy(_write("no-gap", "", string.concat(keys, "3900,")));
    }

    function test_RevertWhen_deploy_QuoteHeartbeatIsShorterThanAGapOfItsFeed() public {
        RoundsFeed rounds = new RoundsFeed(8);
        rounds.push(1e8, block.timestamp - 86_400);
        rounds.push(1e8, block.timestamp);
        string memory file = _write("quote-gap", "", _quoted(address(rounds), 3900, ""));
        vm.expectRevert(abi.encodeWithSelector(Feeds.HeartbeatTooShort.selector, address(rounds), 3900, 86_400));
        script.deploy(file);
    }

    function test_RevertWhen_deploy_HeartbeatIsMissing() public {
        string memory file = _write("beatless", "", string.concat('"feed":"', vm.toString(address(feed)), '",'));
        vm.expectRevert(abi.encodeWithSelector(Deploy.ConfigKeyMissing.selector, file, ".collaterals[0].heartbeat"));
        script.deploy(file);
        file = _write("zero-beat", "", string.concat('"feed":"', vm.toString(address(feed)), '","heartbeat":0,'));
        vm.expectRevert(
            abi.encodeWithSelector(Deploy.ConfigValueInvalid.selector, file, ".collaterals[0].heartbeat", 0)
        );
        script.deploy(file);
        SimFeed quote = new SimFeed(8);
        file = _write(
            "quote-beatless", "", string.concat('"quoteFeed":"', vm.toString(address(quote)), '",', _feedKeys())
        );
        vm.expectRevert(
            abi.encodeWithSelector(Deploy.ConfigKeyMissing.selector, file, ".collaterals[0].quoteHeartbeat")
        );
        script.deploy(file);
    }

    function test_RevertWhen_deploy_GovernanceIsTheBroadcaster() public {
        governance = broadcaster;
        string memory file = _write("own", "", _feedKeys());
        vm.expectRevert(abi.encodeWithSelector(Deployment.RoleInvalid.selector, bytes32("governance"), broadcaster));
        script.deploy(file);
    }

    function test_RevertWhen_deploy_GuardianIsTheBroadcaster() public {
        guardian = broadcaster;
        string memory file = _write("own-guardian", "", _feedKeys());
        vm.expectRevert(abi.encodeWithSelector(Deployment.RoleInvalid.selector, bytes32("guardian"), broadcaster));
        script.deploy(file);
    }

    function test_RevertWhen_deploy_GovernanceIsNobody() public {
        governance = address(0);
        string memory file = _write("nobody", "", _feedKeys());
        vm.expectRevert(abi.encodeWithSelector(Deploy.ConfigKeyMissing.selector, file, ".governance"));
        script.deploy(file);
    }

    function test_deploy_LeavesTheBroadcasterNothing() public {
        System memory system = script.deploy(_write("nothing", "", _feedKeys()));
        assertEq(Ownable(system.pool).owner(), system.timelock, "pool");
        assertEq(Ownable(system.poolExtension).owner(), system.timelock, "extension");
        assertEq(Ownable(system.breaker).owner(), system.timelock, "breaker");
    }

    function test_RevertWhen_readPlan_AKeyIsUnknown() public {
        _refuses(
            "quotefeed", "", '"quotefeed":"0x0000000000000000000000000000000000000007",', ".collaterals[0].quotefeed"
        );
        _refuses("Venue", "", '"Venue":"0x0000000000000000000000000000000000000006",', ".collaterals[0].Venue");
        _refuses("top", '"supplycap":"1",', "", ".supplycap");
        // Known, but of something that is not there.
        _refuses("no-quote", "", '"quoteHeartbeat":3900,', ".collaterals[0].quoteHeartbeat");
        _refuses("no-venue", "", '"venueMinDepth":"1",', ".collaterals[0].venueMinDepth");
    }

    function test_RevertWhen_readPlan_AddressesAreOfAnotherChain() public {
        string memory file = _write("chain", '"chainId":1,', _feedKeys());
        vm.expectRevert(abi.encodeWithSelector(Deploy.WrongChain.selector, 1, block.chainid));
        script.readPlan(file);
        file = _write("this-chain", string.concat('"chainId":', vm.toString(block.chainid), ","), _feedKeys());
        assertEq(script.readPlan(file).asset, address(asset));
    }

    function test_RevertWhen_readPlan_BoundsOrNumbersAreImpossible() public {
        string memory file = _write("half", "", string.concat('"minAnswer":"1",', _feedKeys()));
        vm.expectRevert(abi.encodeWithSelector(Deploy.ConfigKeyMissing.selector, file, ".collaterals[0].maxAnswer"));
        script.readPlan(file);
        file = _write("empty", "", string.concat('"minAnswer":"0","maxAnswer":"0",', _feedKeys()));
        vm.expectRevert(
            abi.encodeWithSelector(Deploy.ConfigValueInvalid.selector, file, ".collaterals[0].maxAnswer", 0)
        );
        script.readPlan(file);
        file = _write("native", '"nativeCollateral":1,', _feedKeys());
        vm.expectRevert(abi.encodeWithSelector(Deploy.ConfigValueInvalid.selector, file, ".nativeCollateral", 1));
        script.readPlan(file);
    }

    function test_RevertWhen_script_KeyIsMissing() public {
        string memory file = string.concat(vm.projectRoot(), "/cache/script-test-missing.json");
        vm.createDir(string.concat(vm.projectRoot(), "/cache"), true);
        vm.writeFile(file, "{\"asset\":\"0x0000000000000000000000000000000000000001\"}");
        vm.expectRevert(abi.encodeWithSelector(Deploy.ConfigKeyMissing.selector, file, ".governance"));
        script.readPlan(file);
    }

    function test_script_ExampleConfigurationIsComplete() public view {
        SystemPlan memory plan = script.readPlan(string.concat(vm.projectRoot(), "/script/config/example.json"));
        assertEq(plan.collaterals.length, 1);
        assertEq(plan.collaterals[0].base.heartbeat, 3900);
        assertEq(plan.collaterals[0].venue, address(6));
        assertEq(plan.collaterals[0].venueMinDepth, 100_000e18);
        assertGt(plan.policy.damped.liquidationGas, 0);
    }

    function _quoted(address quote, uint256 heartbeat, string memory bounds) private view returns (string memory) {
        string memory keys = string.concat('"quoteFeed":"', vm.toString(quote), '","quoteHeartbeat":');
        return string.concat(keys, vm.toString(heartbeat), ",", bounds, _feedKeys());
    }

    function _refuses(string memory name, string memory systemKeys, string memory keys, string memory unknown) private {
        string memory file = _write(name, systemKeys, string.concat(keys, _feedKeys()));
        vm.expectRevert(abi.encodeWithSelector(Deploy.ConfigKeyUnknown.selector, file, unknown));
        script.readPlan(file);
    }
}
