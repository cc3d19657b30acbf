// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopWorld} from "./BackstopWorld.sol";

/// @notice A sequence of a campaign.
contract BackstopReproductionTest is BackstopWorld {
    function test_sequence_EndsInTheSameState() public {
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(7_643_312_102), uint256(1_700_090_000)),
            true
        );
        _call(
            STRANGER,
            feed[1],
            abi.encodeWithSignature("set(int256,uint256)", int256(114_649_681_529), uint256(1_700_090_000)),
            true
        );
        _call(STRANGER, policy[1], abi.encodeWithSignature("recordDepth(address,uint256)", pool, uint256(0)), true);
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(160_618_817_700), uint256(1_700_090_000)),
            true
        );
        _call(
            STRANGER,
            venue,
            abi.encodeWithSignature("set(int24,uint128)", int256(-202_504), uint256(10_000_000_000_000_000_000)),
            true
        );
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[4], uint256(0), uint256(150_000_000_000), bytes("")
            ),
            true
        );
        _block(1_700_090_012, 1_007_501, 1_000_000_000);
        _call(
            actor[4],
            pool,
            abi.encodeWithSignature("redeem(uint256,address,address)", uint256(100_000_000), actor[2], actor[4]),
            false
        );
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature(
                "withdrawCollateral(uint256,uint256,address,address)", uint256(0), uint256(1), actor[4], actor[5]
            ),
            false
        );
        _call(
            OWNER,
            steward,
            abi.encodeWithSignature(
                "execute(bytes)",
                bytes(
                    hex"f552a3e900000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000204fce5e3e25026110000000"
                )
            ),
            true
        );
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(181_508_603_695), uint256(1_700_090_012)),
            true
        );
        _call(actor[5], pool, abi.encodeWithSignature("transfer(address,uint256)", actor[4], uint256(0)), true);
        _block(1_700_090_024, 1_007_502, 1_000_000_000);
        _call(actor[6], pool, abi.encodeWithSignature("flag(address,uint256)", actor[3], uint256(1)), true);
        _block(1_700_090_036, 1_007_503, 1_000_000_000);
        _call(actor[3], backstop, abi.encodeWithSignature("absorb(address,uint256)", actor[3], uint256(1)), false);
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature("borrow(uint256,address,address)", uint256(500_184_657), actor[5], actor[5]),
            true
        );
        _call(actor[6], backstop, abi.encodeWithSignature("transfer(address,uint256)", actor[6], uint256(0)), true);
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature(
                "supplyCollateral(uint256,uint256,address,bytes)",
                uint256(1),
                uint256(18_446_744_073_709_551_616),
                actor[3],
                bytes("")
            ),
            true
        );
        _call(actor[5], pool, abi.encodeWithSignature("settle(address,bytes)", actor[4], bytes("")), true);
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[1], uint256(1), uint256(100_000_001), bytes("")
            ),
            false
        );
        _call(actor[4], pool, abi.encodeWithSignature("transfer(address,uint256)", actor[6], uint256(0)), true);
        _call(
            STRANGER,
            feed[1],
            abi.encodeWithSignature("set(int256,uint256)", int256(34_843_636_332), uint256(1_700_090_036)),
            true
        );
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(199_998_474_097), uint256(1_700_090_036)),
            true
        );
        _call(actor[5], backstop, abi.encodeWithSignature("deposit(uint256)", uint256(100_000_000_010)), true);
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature(
                "supplyCollateral(uint256,uint256,address,bytes)",
                uint256(0),
                uint256(3_370_107_576_104_371_709),
                actor[3],
                bytes("")
            ),
            true
        );
        _call(STRANGER, breaker, abi.encodeWithSignature("poke(address)", pool), true);
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature(
                "withdrawCollateral(uint256,uint256,address,address)", uint256(1), uint256(0), actor[5], actor[5]
            ),
            false
        );
        _block(1_700_090_040, 1_007_504, 1_000_000_000);
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(199_998_474_097), uint256(1_700_090_040)),
            true
        );
        _call(
            STRANGER,
            feed[1],
            abi.encodeWithSignature("set(int256,uint256)", int256(34_843_636_332), uint256(1_700_090_040)),
            true
        );
        _call(
            actor[1],
            pool,
            abi.encodeWithSignature("repay(uint256,address,bytes)", uint256(93_105_975_931), actor[2], bytes("")),
            true
        );
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(59_738_728_697), uint256(1_700_090_040)),
            true
        );
        _call(
            actor[6],
            pool,
            abi.encodeWithSignature("repay(uint256,address,bytes)", uint256(25_500_185_202), actor[5], bytes("")),
            true
        );
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(59_175_727_388), uint256(1_700_090_040)),
            true
        );
        _call(
            STRANGER,
            venue,
            abi.encodeWithSignature("set(int24,uint128)", int256(-212_490), uint256(10_000_000_000_000_000_000)),
            true
        );
        _call(actor[5], pool, abi.encodeWithSignature("flag(address,uint256)", actor[2], uint256(0)), true);
        _call(
            actor[2],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[2], uint256(0), uint256(43_719_893_436), bytes("")
            ),
            true
        );
        _call(OWNER, breaker, abi.encodeWithSignature("halt(address,uint256)", pool, uint256(1513)), true);
        _call(
            STRANGER,
            venue,
            abi.encodeWithSignature("set(int24,uint128)", int256(-212_490), uint256(10_000_000_000_000_000_000)),
            true
        );
        _call(
            actor[5],
            backstop,
            abi.encodeWithSignature(
                "buy(uint256,uint256,uint256,address)", uint256(0), uint256(0), type(uint256).max, actor[3]
            ),
            false
        );
        _call(
            actor[6],
            backstop,
            abi.encodeWithSignature(
                "buy(uint256,uint256,uint256,address)", uint256(0), uint256(0), type(uint256).max, actor[6]
            ),
            false
        );
        _call(STRANGER, policy[1], abi.encodeWithSignature("recordDepth(address,uint256)", pool, uint256(0)), true);
        _call(
            STRANGER,
            actor[5],
            abi.encodeWithSignature(
                "arm(bytes)",
                bytes(
                    hex"d5164184000000000000000000000000000000000000000000000000000000000000000000000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f9682800000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f96828"
                )
            ),
            true
        );
        _block(1_700_091_900, 1_007_659, 1_000_000_000);
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(59_175_727_389), uint256(1_700_091_900)),
            true
        );
        _call(
            STRANGER,
            venue,
            abi.encodeWithSignature("set(int24,uint128)", int256(-212_490), uint256(10_000_000_000_000_000_000)),
            true
        );
        _call(STRANGER, backstop, abi.encodeWithSignature("observe(uint256)", uint256(0)), true);
        _call(
            actor[6],
            backstop,
            abi.encodeWithSignature(
                "buy(uint256,uint256,uint256,address)", uint256(0), uint256(0), type(uint256).max, actor[5]
            ),
            false
        );
        _call(actor[3], pool, abi.encodeWithSignature("settle(address,bytes)", actor[3], bytes("")), false);
        _call(actor[5], backstop, abi.encodeWithSignature("absorb(address,uint256)", actor[4], uint256(0)), false);
        _call(
            actor[4],
            pool,
            abi.encodeWithSignature(
                "supplyCollateral(uint256,uint256,address,bytes)",
                uint256(0),
                uint256(4_450_751_506_828_412_298),
                actor[6],
                bytes("")
            ),
            false
        );
        _call(
            OWNER,
            steward,
            abi.encodeWithSignature(
                "execute(bytes)",
                bytes(
                    hex"ab3799490000000000000000000000000000000000000000000000000000000000003fe00000000000000000000000000000000000000000000000000000000000000e12"
                )
            ),
            true
        );
        _call(STRANGER, actor[5], abi.encodeWithSignature("register(address,bool)", token[1], true), true);
        _call(
            actor[1],
            pool,
            abi.encodeWithSignature("transferFrom(address,address,uint256)", actor[3], actor[1], uint256(0)),
            true
        );
        _call(actor[1], backstop, abi.encodeWithSignature("claimAssets(address)", actor[5]), true);
        _call(
            actor[5],
            pool,
            /* liquidateBatch((address,uint256,uint256)[],bytes) */
            hex"4595384f000000000000000000000000000000000000000000000000000000000000004000000000000000000000000000000000000000000000000000000000000001e00000000000000000000000000000000000000000000000000000000000000004000000000000000000000000612b7be154a64292aae070aaa86fcd66ba218071000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003113d7bcf000000000000000000000000681ce2f439fdc80e70c1eea8b8a085dfb976d32a00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002e90f0356f000000000000000000000000612b7be154a64292aae070aaa86fcd66ba218071000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003113d7bcf00000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f96828000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            true
        );
        _block(1_700_091_912, 1_007_660, 1_000_000_000);
        _call(
            actor[2],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[2], uint256(0), uint256(8_323_191_032), bytes("")
            ),
            true
        );
        assertEq(_fingerprint(), 0x6e4d62577efed7aa0fe488448136af3cd1d32a44aacc7267316e31f728321325, "another state");
        assertEq(_answered(), 0xc7f8bc2d0258494239083a565b1287ee385208f8fe1b4de820e66d6ec1998344, "another answer");
    }
}
