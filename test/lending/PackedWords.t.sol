// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Test} from "forge-std/Test.sol";

import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {
    CollateralListing,
    CollateralRisk,
    CollateralTotal,
    Market,
    Position,
    StoredMarket,
    StoredPosition
} from "../../contracts/lending/PoolStorage.sol";
import {ListingWord, PoolWords, RiskWord} from "../../contracts/lending/PoolWords.sol";
import {BonusClock, Flag} from "../../contracts/libraries/BonusClock.sol";
import {Bucket, VolumeBucket} from "../../contracts/libraries/VolumeBucket.sol";
import {KinkedRateModel} from "../../contracts/rates/KinkedRateModel.sol";

/// @dev What the pool packs by hand, and what the compiler makes of the same slots.
contract PackedHarness is PoolPositions {
    constructor(address rateModel)
        Ownable(msg.sender)
        PoolAccounting(address(1), rateModel)
        PoolPositions(address(0))
    {}

    function setMarket(StoredMarket memory market) external {
        _market = market;
    }

    function storedMarket() external view returns (StoredMarket memory) {
        return _market;
    }

    function load() external view returns (Market memory market, uint256 lastAccrual) {
        lastAccrual = _load(market);
    }

    function store(Market memory market) external {
        _store(market);
    }

    function setPosition(StoredPosition memory value) external {
        _positions[address(2)] = value;
    }

    function storedPosition() external view returns (StoredPosition memory) {
        return _positions[address(2)];
    }

    function position() external view returns (Position memory) {
        return _load(address(2));
    }

    function storePosition(Position memory value) external {
        _store(value);
    }

    function setTotal(uint256 total, uint256 cap) external {
        _setTotal(3, total > cap, total, cap);
    }

    function totals() external view returns (CollateralTotal memory stored, uint256 total, uint256 cap) {
        stored = _totals[3];
        (total, cap) = _totalOf(3);
    }
}

/// @notice Slots that are read and written as whole words mean what the compiler's structs mean.
contract PackedWordsTest is Test {
    PackedHarness private pool;
    CollateralRisk private risk;
    CollateralListing private listing;
    Bucket private bucket;
    Flag private flag;

    function setUp() public {
        pool = new PackedHarness(address(new KinkedRateModel(0.5e18, 1e18, 1e18, 1e9)));
    }

    function testFuzz_market(StoredMarket memory stored, uint32 time) public {
        pool.setMarket(stored);
        (Market memory market, uint256 lastAccrual) = pool.load();
        assertEq(market.lenderAssets, stored.lenderAssets);
        assertEq(market.supplyShares, stored.supplyShares);
        assertEq(lastAccrual, stored.lastAccrual);
        assertEq(market.reserveFactor, stored.reserveFactor);
        assertEq(market.newRiskFrozen, stored.newRiskFrozen);
        assertEq(market.totalDebt, stored.totalDebt);
        assertEq(market.debtShares, stored.debtShares);
        assertEq(market.logRateAtTarget, stored.logRateAtTarget);
        // and back, at the time of the block
        pool.setMarket(StoredMarket(1, 1, 1, 1, true, 1, 1, -1));
        vm.warp(time);
        pool.store(market);
        stored.lastAccrual = time;
        assertEq(abi.encode(pool.storedMarket()), abi.encode(stored));
    }

    function testFuzz_position(StoredPosition memory stored) public {
        pool.setPosition(stored);
        Position memory position = pool.position();
        assertEq(position.debtShares, stored.debtShares);
        assertEq(position.bitmap, stored.bitmap);
        assertEq(position.primary, stored.primary);
        assertEq(position.primaryAmount, stored.primaryAmount);
        pool.setPosition(StoredPosition(1, 1, 1, 1));
        pool.storePosition(position);
        assertEq(abi.encode(pool.storedPosition()), abi.encode(stored));
    }

    function testFuzz_collateralTotal(uint128 total, uint128 cap) public {
        pool.setTotal(total, cap);
        (CollateralTotal memory stored, uint256 totalRead, uint256 capRead) = pool.totals();
        assertEq(abi.encode(stored), abi.encode(total, cap));
        assertEq(totalRead, total);
        assertEq(capRead, cap);
    }

    function testFuzz_risk(CollateralRisk memory value) public {
        risk = value;
        RiskWord word = PoolWords.load(risk);
        assertEq(word.oracle(), value.oracle);
        assertEq(word.ltvFrom(), value.ltvFrom);
        assertEq(word.ltvTo(), value.ltvTo);
        assertEq(word.thresholdFrom(), value.thresholdFrom);
        assertEq(word.thresholdTo(), value.thresholdTo);
        assertEq(word.rampStart(), value.rampStart);
    }

    function testFuzz_listing(CollateralListing memory value) public {
        listing = value;
        ListingWord word = PoolWords.load(listing);
        assertEq(word.token(), value.token);
        assertEq(word.maxBonus(), value.maxBonus);
        assertEq(word.slippageMargin(), value.slippageMargin);
        assertEq(word.confirmationBand(), value.confirmationBand);
        assertEq(word.group(), value.group);
        assertEq(word.damped(), value.damped);
        assertEq(word.frozen(), value.frozen);
    }

    function testFuzz_bucket(Bucket memory value) public {
        bucket = value;
        Bucket memory read;
        VolumeBucket.load(read, bucket);
        assertEq(abi.encode(read), abi.encode(value));
        bucket = Bucket(1, 1, 1);
        VolumeBucket.store(read, bucket);
        assertEq(abi.encode(bucket), abi.encode(value));
    }

    function testFuzz_flag(Flag memory value) public {
        flag = value;
        assertEq(abi.encode(BonusClock.load(flag)), abi.encode(value));
    }
}
