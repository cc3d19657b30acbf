// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Erc20Test} from "./Erc20.t.sol";
import {Erc4626AccountingTest} from "./Erc4626Accounting.t.sol";
import {Erc4626DepositsTest} from "./Erc4626Deposits.t.sol";
import {Erc4626WithdrawalsTest} from "./Erc4626Withdrawals.t.sol";
import {MarketsTest} from "./Markets.t.sol";

// The rules of the share again, with an asset of 8 decimals and one of 18, and as many whole tokens. A quarter of the runs: of decimals
// alone little depends.

contract MarketsOf8Test is MarketsTest {
    constructor() {
        assetDecimals = 8;
    }
}

contract MarketsOf18Test is MarketsTest {
    constructor() {
        assetDecimals = 18;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc20Of8Test is Erc20Test {
    constructor() {
        assetDecimals = 8;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc20Of18Test is Erc20Test {
    constructor() {
        assetDecimals = 18;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc4626AccountingOf8Test is Erc4626AccountingTest {
    constructor() {
        assetDecimals = 8;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc4626AccountingOf18Test is Erc4626AccountingTest {
    constructor() {
        assetDecimals = 18;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc4626DepositsOf8Test is Erc4626DepositsTest {
    constructor() {
        assetDecimals = 8;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc4626DepositsOf18Test is Erc4626DepositsTest {
    constructor() {
        assetDecimals = 18;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc4626WithdrawalsOf8Test is Erc4626WithdrawalsTest {
    constructor() {
        assetDecimals = 8;
    }
}

/// forge-config: default.fuzz.runs = 64
/// forge-config: ci.fuzz.runs = 500
/// forge-config: deep.fuzz.runs = 5000
contract Erc4626WithdrawalsOf18Test is Erc4626WithdrawalsTest {
    constructor() {
        assetDecimals = 18;
    }
}
