// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {VariantWorld} from "./VariantWorld.sol";

/// @notice A sequence of a campaign.
contract VariantReproductionTest is VariantWorld {
    function test_sequence_EndsInTheSameState() public {
        _call(
            actor[2],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[4], uint256(1), type(uint256).max, bytes("")
            ),
            false
        );
        _call(
            actor[5],
            pool,
            /* liquidateBatch((address,uint256,uint256)[],bytes) */
            hex"4595384f000000000000000000000000000000000000000000000000000000000000004000000000000000000000000000000000000000000000000000000000000001e000000000000000000000000000000000000000000000000000000000000000040000000000000000000000009a1b465deca692244272add365c2375083eaa09f00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002693b1d089bff5658b600000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f96828000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000009a1b465deca692244272add365c2375083eaa09f00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002693b1d089bff5658b6000000000000000000000000d2431ca38735c2fd438e2caa23f094191d89675b0000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000010100000000000000000000000000000000000000000000000000000000000000",
            false
        );
        _call(GUARDIAN, pool, abi.encodeWithSignature("freezeNewRisk()"), true);
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)",
                actor[4],
                uint256(0),
                uint256(150_000_000_000_000_000_000_000),
                bytes("")
            ),
            false
        );
        _call(
            actor[6],
            pool,
            abi.encodeWithSignature(
                "repay(uint256,address,bytes)", uint256(25_000_000_000_000_000_000_000), actor[5], bytes("")
            ),
            true
        );
        _call(STRANGER, breaker, abi.encodeWithSignature("poke(address)", pool), true);
        _call(STRANGER, policy[0], abi.encodeWithSignature("recordDepth(address,uint256)", pool, uint256(0)), true);
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature(
                "supplyCollateral(uint256,uint256,address,bytes)", uint256(1), uint256(416_250), actor[3], bytes("")
            ),
            true
        );
        _call(
            STRANGER,
            actor[6],
            abi.encodeWithSignature(
                "arm(bytes)",
                bytes(
                    hex"5cffe9de00000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f968280000000000000000000000009b7158d310616e2c2472eed038a9c07ed8aa4f0500000000000000000000000000000000000000000000c042d31c13e0aef63bf600000000000000000000000000000000000000000000000000000000000000800000000000000000000000000000000000000000000000000000000000000000"
                )
            ),
            true
        );
        _call(actor[5], pool, abi.encodeWithSignature("flag(address,uint256)", actor[4], uint256(1)), false);
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(180_722_891_567), uint256(1_700_001_860)),
            true
        );
        _call(
            STRANGER,
            venue,
            abi.encodeWithSignature("set(int24,uint128)", int256(74_999), uint256(10_000_000_000_000_000_000_000_000)),
            true
        );
        _call(
            actor[6],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[5], uint256(1), uint256(10), bytes("")
            ),
            false
        );
        _block(1_700_001_872, 1_000_156, 1_000_000_000);
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature(
                "repay(uint256,address,bytes)", uint256(150_000_001_201_416_663_011_340), actor[2], bytes("")
            ),
            true
        );
        _call(
            actor[2],
            pool,
            /* multicall(bytes[]) */
            hex"ac9650d80000000000000000000000000000000000000000000000000000000000000020000000000000000000000000000000000000000000000000000000000000000200000000000000000000000000000000000000000000000000000000000000400000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000000000000000000000000000008448ab20b50000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000abc27d735d790569000000000000000000000000612b7be154a64292aae070aaa86fcd66ba218071000000000000000000000000612b7be154a64292aae070aaa86fcd66ba2180710000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000a45cffe9de000000000000000000000000612b7be154a64292aae070aaa86fcd66ba2180710000000000000000000000009b7158d310616e2c2472eed038a9c07ed8aa4f05000000000000000000000000000000000000000000001e23c4dc01a798297be80000000000000000000000000000000000000000000000000000000000000080000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            false
        );
        _call(
            actor[6],
            pool,
            /* liquidateBatch((address,uint256,uint256)[],bytes) */
            hex"4595384f000000000000000000000000000000000000000000000000000000000000004000000000000000000000000000000000000000000000000000000000000001e0000000000000000000000000000000000000000000000000000000000000000400000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f968280000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000018eb36d090eeadf82f3454a6da690fc398d3eba10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f9682800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000612b7be154a64292aae070aaa86fcd66ba2180710000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000010100000000000000000000000000000000000000000000000000000000000000",
            false
        );
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature("approve(address,uint256)", actor[3], uint256(18_446_744_073_709_551_616)),
            true
        );
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature("withdraw(uint256,address,address)", uint256(0), actor[6], actor[5]),
            false
        );
        _call(actor[3], pool, abi.encodeWithSignature("settle(address,bytes)", actor[1], bytes("")), false);
        _call(STRANGER, oracle[0], abi.encodeWithSignature("update()"), true);
        _call(
            OWNER,
            pool,
            abi.encodeWithSignature(
                "setCollateralCap(uint256,uint128)", uint256(1), uint256(10_000_000_000_000_000_000_000_000_000)
            ),
            true
        );
        _call(
            actor[0],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)", actor[4], uint256(0), uint256(0), bytes("")
            ),
            false
        );
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature(
                "repay(uint256,address,bytes)", uint256(200_000_001_601_888_884_015_130), actor[3], bytes("")
            ),
            true
        );
        _call(
            actor[3],
            pool,
            abi.encodeWithSignature("withdraw(uint256,address,address)", uint256(0), actor[2], actor[3]),
            false
        );
        _call(STRANGER, oracle[1], abi.encodeWithSignature("updateForLiquidation()"), true);
        _call(
            actor[5],
            pool,
            /* liquidateBatch((address,uint256,uint256)[],bytes) */
            hex"4595384f000000000000000000000000000000000000000000000000000000000000004000000000000000000000000000000000000000000000000000000000000001e00000000000000000000000000000000000000000000000000000000000000004000000000000000000000000d2431ca38735c2fd438e2caa23f094191d89675b00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000612b7be154a64292aae070aaa86fcd66ba21807100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000d2431ca38735c2fd438e2caa23f094191d89675b000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002174ca3ee9ace7dd8c946c97054c72f2b384c4c200000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000000005893aed147e61457dd70000000000000000000000000000000000000000000000000000000000000000",
            false
        );
        _call(
            STRANGER,
            venue,
            abi.encodeWithSignature("set(int24,uint128)", int256(74_999), uint256(10_000_000_000_000_000_000_000_000)),
            true
        );
        _call(OWNER, pool, abi.encodeWithSignature("setReserveFactor(uint8)", uint256(35)), true);
        _call(
            actor[6],
            pool,
            abi.encodeWithSignature("borrow(uint256,address,address)", uint256(68_719_476_736), actor[0], actor[0]),
            false
        );
        _call(actor[6], pool, abi.encodeWithSignature("flag(address,uint256)", actor[5], uint256(0)), false);
        _call(
            actor[5],
            pool,
            abi.encodeWithSignature(
                "withdrawCollateral(uint256,uint256,address,address)",
                uint256(0),
                uint256(1_563_134_203_097_581_445),
                actor[5],
                actor[5]
            ),
            true
        );
        _call(
            STRANGER, feed[1], abi.encodeWithSignature("set(int256,uint256)", int256(0), uint256(1_700_001_872)), true
        );
        _call(
            actor[2],
            pool,
            abi.encodeWithSignature(
                "repay(uint256,address,bytes)", uint256(115_266_652_330_866_607_908_004), actor[4], bytes("")
            ),
            true
        );
        _call(actor[2], pool, abi.encodeWithSignature("approve(address,uint256)", actor[2], uint256(0)), true);
        _call(actor[1], pool, abi.encodeWithSignature("settle(address,bytes)", actor[6], bytes("")), false);
        _call(GUARDIAN, pool, abi.encodeWithSignature("freezeNewRisk()"), true);
        _call(
            STRANGER,
            actor[5],
            abi.encodeWithSignature(
                "arm(bytes)",
                bytes(
                    hex"eaf1d45200000000000000000000000029a65456c8aaef7a19d8371c9d811bb667f968280000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000800000000000000000000000000000000000000000000000000000000000000000"
                )
            ),
            true
        );
        _call(
            actor[5],
            pool,
            /* liquidateBatch((address,uint256,uint256)[],bytes) */
            hex"4595384f000000000000000000000000000000000000000000000000000000000000004000000000000000000000000000000000000000000000000000000000000001e0000000000000000000000000000000000000000000000000000000000000000400000000000000000000000018eb36d090eeadf82f3454a6da690fc398d3eba100000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000d2431ca38735c2fd438e2caa23f094191d89675b0000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000000000000018eb36d090eeadf82f3454a6da690fc398d3eba100000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000681ce2f439fdc80e70c1eea8b8a085dfb976d32a000000000000000000000000000000000000000000000000000000000000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
            false
        );
        _call(
            actor[0],
            pool,
            abi.encodeWithSignature(
                "supplyCollateral(uint256,uint256,address,bytes)",
                uint256(0),
                uint256(6_289_005_874_723_430_228),
                actor[0],
                bytes("")
            ),
            true
        );
        _block(1_700_001_884, 1_000_157, 1_000_000_000);
        _call(OWNER, pool, abi.encodeWithSignature("unfreezeCollateral(uint256)", uint256(0)), true);
        _call(
            OWNER,
            pool,
            abi.encodeWithSignature("rampCollateral(uint256,uint16,uint16)", uint256(0), uint256(8000), uint256(8300)),
            true
        );
        _call(
            actor[4],
            pool,
            abi.encodeWithSignature(
                "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
                actor[0],
                actor[4],
                uint256(633_813_992_523_079_270_618_753_337),
                uint256(1_700_001_884),
                uint256(27),
                bytes32(0xbb53750a3cea16603ae25b72c8d38b38c87bbd338ff02ead7f8373798b807870),
                bytes32(0x206f2969601a9fcda01e2e7e77c683a8f3b3f0103954b9991311453e79912194)
            ),
            true
        );
        _call(
            STRANGER,
            feed[0],
            abi.encodeWithSignature("set(int256,uint256)", int256(30_865_807_377), uint256(1_700_001_884)),
            true
        );
        _call(
            STRANGER,
            feed[1],
            abi.encodeWithSignature("set(int256,uint256)", int256(10_001), uint256(1_700_001_884)),
            true
        );
        _call(STRANGER, oracle[1], abi.encodeWithSignature("update()"), true);
        _call(
            actor[0],
            pool,
            abi.encodeWithSignature("repay(uint256,address,bytes)", uint256(0), actor[4], bytes("")),
            false
        );
        _call(actor[1], pool, abi.encodeWithSignature("setAuthorization(address,bool)", actor[3], true), true);
        _call(
            actor[1],
            pool,
            abi.encodeWithSignature(
                "liquidate(address,uint256,uint256,bytes)",
                actor[4],
                uint256(1),
                uint256(34_733_349_012_495_583_991_261),
                bytes("")
            ),
            true
        );
        _call(
            OWNER,
            pool,
            abi.encodeWithSignature("withdrawReserves(uint256,address)", uint256(450_153_156_114_554), OWNER),
            true
        );
        _call(
            actor[6],
            pool,
            abi.encodeWithSignature(
                "repay(uint256,address,bytes)", uint256(1_776_019_697_340_431_097_195), actor[4], bytes("")
            ),
            true
        );
        _call(
            STRANGER,
            actor[5],
            abi.encodeWithSignature(
                "arm(bytes)",
                bytes(
                    hex"48ab20b50000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000ffdce7c273eaf87b0000000000000000000000009a1b465deca692244272add365c2375083eaa09f0000000000000000000000009a1b465deca692244272add365c2375083eaa09f"
                )
            ),
            true
        );
        assertEq(_fingerprint(), 0x43550d27c248bfe7b34487d7cb98706ab651d1b411cee9350c3721faba2a187b, "another state");
        assertEq(_answered(), 0x408b3dd018cea55524bf3ebd47fb8f6652e421b68a2622dfe9439b60e240e1b6, "another answer");
    }
}
