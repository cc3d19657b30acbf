//! Statuses to show and test with: a filled one in a falling market, one of long and hostile texts.

use alloy_primitives::{Address, B256, U256, address, b256};
use breakwater_operator::status::{
    BackstopStatus, BidState, BreakerLevel, BreakerStatus, BucketStatus, CollateralStatus,
    FallStep, Head, Identity, MirrorStatus, MissedLiquidation, MissedReason, PendingBid,
    PositionStatus, PriceStatus, Profit, RpcEndpoint, SenderStatus, Status, TaskStatus, Warning,
    Zone, ZoneTotal,
};

/// Text that is markup, script and a quote breaker at once, as a token's symbol could be.
pub const HOSTILE: &str =
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>'\"&amp;";

const POOL: Address = address!("5fbdb2315678afecb367f032d93f642f64180aa3");

fn account(number: u8) -> Address {
    let mut bytes = [number; 20];
    bytes[0] = 0xa0 | (number & 0x0f);
    bytes[19] = number.wrapping_mul(37);
    bytes.into()
}

fn identity(now: u64) -> Identity {
    Identity {
        version: "0.1.0".to_owned(),
        chain_id: 31337,
        pool: POOL,
        debt_symbol: "USDC".to_owned(),
        started_at: now - 93_600,
        dry_run: false,
    }
}

/// Before the first block.
pub fn empty(now: u64) -> Status {
    Status::starting(Identity {
        started_at: now,
        ..identity(now)
    })
}

/// A keeper at work while prices fall; every metric and every part of a page has something to show.
pub fn filled(now: u64) -> Status {
    let mut status = Status::starting(identity(now));
    status.updated_at = now;
    status.synced = true;
    status.planned = Some(19_482_113);
    status.head = Some(Head {
        number: 19_482_113,
        hash: b256!("9c1185a5c5e9fc54612808977ee8f548b2258d31b5d3b8f1e7a4f5b3c2d1e0f9"),
        timestamp: now - 4,
        received_at: now - 3,
        base_fee: 84_310_000_000,
    });
    status.breaker = BreakerStatus {
        level: BreakerLevel::Stressed,
        until: Some(now + 175),
    };
    status.collaterals = vec![
        collateral(0, "WETH", 1_873.42, 1_951.10, Some(0.58)),
        collateral(1, "wstETH", 2_204.9, 2_296.75, Some(0.21)),
        CollateralStatus {
            price_status: PriceStatus::Degraded,
            venue: None,
            ..collateral(2, "WBTC", 31_210.0, 33_020.4, None)
        },
    ];
    status.backstop = Some(BackstopStatus {
        address: account(200),
        absorbable: 912_345.25,
        inventory: 48_210.5,
        spendable: 20_000.0,
    });
    status.positions = (0..24).map(|number| position(number, now)).collect();
    status.positions_total = 4_812;
    status.debt_total = 61_482_900.55;
    let zones = [
        (4_796, 60_991_000.0),
        (13, 452_310.25),
        (2, 38_120.3),
        (1, 1_470.0),
    ];
    status.zones = Zone::ALL
        .into_iter()
        .zip(zones)
        .map(|(zone, (positions, debt))| (zone, ZoneTotal { positions, debt }))
        .collect();
    status.falls = [(0, 1_873.42, 1.0), (1, 2_204.9, 0.35)]
        .into_iter()
        .flat_map(|(id, price, size)| (1..=20).map(move |step| fall(id, price, size, step)))
        .collect();
    status.pending = vec![
        bid(0, BidState::Submitted, now),
        bid(1, BidState::Replaced, now),
    ];
    status.profit = Profit {
        gross: 18_244.61,
        gas: 2_950.13,
        net: 15_294.48,
        succeeded: 212,
        reverted: 3,
    };
    status.missed = (0..6).map(|number| miss(number, now)).collect();
    status.missed_total = MissedReason::ALL
        .into_iter()
        .zip([0, 14, 9, 1, 2, 6, 0])
        .collect();
    status.mirror = MirrorStatus {
        accounts: 5_077,
        drift: U256::ZERO,
        audited: 1_269,
        last_audit: Some(now - 1_260),
        reorgs: 4,
        deepest_reorg: 2,
    };
    status.rpc = vec![
        node("http://127.0.0.1:8545", true, 184_220, 3, Some(0.0021)),
        node("https://rpc.example.org/…", false, 902, 377, Some(0.184)),
    ];
    status.sender = Some(SenderStatus {
        address: address!("f39fd6e51aad88f6f4ce6ab8827279cfffb92266"),
        unlocked: true,
        balance: 3.118_2,
        nonce: 241,
    });
    status.tasks = ["collector", "planner", "sender"]
        .into_iter()
        .map(|name| TaskStatus {
            name: name.to_owned(),
            alive: true,
            last_progress: Some(now - 2),
        })
        .collect();
    status.warnings = vec![Warning {
        since: now - 400,
        text: "https://rpc.example.org/… answers 429 (too many requests); the other node is used"
            .to_owned(),
    }];
    status
}

/// Nothing but trouble: everything long, hostile, missing or beyond its range.
pub fn troubled(now: u64) -> Status {
    let mut status = filled(now);
    status.synced = false;
    status.keeper.debt_symbol = HOSTILE.to_owned();
    status.breaker.level = BreakerLevel::Halted;
    status.breaker.until = None;
    status.profit.net = -1.0e21;
    status.mirror.drift = U256::MAX;
    status.tasks[1].alive = false;
    status.tasks[1].name = HOSTILE.to_owned();
    status.collaterals[0].symbol = HOSTILE.to_owned();
    status.collaterals[0].fast = f64::NAN;
    status.collaterals[1].symbol = "W".repeat(300);
    status.positions[0].collateral = HOSTILE.to_owned();
    status.positions[0].why_not = Some(HOSTILE.to_owned());
    status.positions[0].health = f64::INFINITY;
    status.positions[1].why_not = Some("very-long-word-without-a-break".repeat(20));
    status.positions[1].debt = 123_456_789_012_345_678.0;
    status.pending[0].order = HOSTILE.to_owned();
    status.missed[0].collateral = HOSTILE.to_owned();
    status.missed[0].detail = HOSTILE.to_owned();
    status.rpc[0].name = HOSTILE.to_owned();
    status.warnings = vec![
        Warning {
            since: now - 9,
            text: HOSTILE.to_owned(),
        },
        Warning {
            since: u64::MAX,
            text: "a warning that goes on and on, ".repeat(30),
        },
    ];
    status
}

fn collateral(id: u32, symbol: &str, fast: f64, slow: f64, full: Option<f64>) -> CollateralStatus {
    CollateralStatus {
        id,
        token: account(0x40 + id as u8),
        symbol: symbol.to_owned(),
        price_status: PriceStatus::Ok,
        fast,
        slow,
        venue: Some(fast * 1.0012),
        bucket: full.map(|full| BucketStatus {
            level: 840_000.0 * full,
            cap: 840_000.0,
            reserve: 0.3,
            refill_per_minute: 210_000.0,
        }),
        venue_depth: full.map(|_| 420_000.0),
    }
}

fn position(number: u8, now: u64) -> PositionStatus {
    let distance = f64::from(number) * 0.004 - 0.021;
    let health = 1.0 / (1.0 - distance);
    let amount = 4.2 + 3.7 * f64::from(number % 7);
    let below = distance < 0.0;
    PositionStatus {
        account: account(number + 1),
        collateral_id: u32::from(number % 2),
        collateral: ["WETH", "wstETH"][usize::from(number % 2)].to_owned(),
        amount,
        debt: amount * 1_873.42 * 0.83 / health,
        health,
        liquidation_price: Some(1_873.42 * (1.0 - distance)),
        distance: Some(distance),
        zone: match number {
            0 => Zone::Hard,
            1..=5 => Zone::Damped,
            _ => Zone::Healthy,
        },
        flagged_since: below.then(|| now - 300 + u64::from(number) * 20),
        next_turn: below.then(|| now + u64::from(number) * 60 - 4),
        bonus: below.then(|| 0.031 - 0.003 * f64::from(number)),
        planned_at: below.then(|| now + u64::from(number) * 60 + 8),
        expected_profit: below.then(|| 41.3 - 6.0 * f64::from(number)),
        why_not: match number {
            0 => None,
            1..=3 => Some("its turn is not open".to_owned()),
            4 | 5 => Some("the bonus does not pay for gas at 84 gwei yet".to_owned()),
            _ => Some("healthy".to_owned()),
        },
    }
}

fn fall(collateral_id: u32, price: f64, size: f64, step: u8) -> FallStep {
    let drop = f64::from(step) * 0.025;
    let centred = (drop - 0.19) / 0.11;
    FallStep {
        collateral_id,
        drop,
        price: price * (1.0 - drop),
        debt: size * 610_000.0 * (-centred * centred).exp(),
        positions: u64::from(step) * 9,
    }
}

fn bid(number: u8, state: BidState, now: u64) -> PendingBid {
    PendingBid {
        order: format!("{}", B256::repeat_byte(0x30 + number)),
        action: ["liquidate", "absorb"][usize::from(number) % 2].to_owned(),
        account: account(number + 1),
        nonce: Some(241 + u64::from(number)),
        transaction: Some(B256::repeat_byte(0x70 + number)),
        max_fee_gwei: 181.5,
        tip_gwei: 4.25,
        since: now - 9 - u64::from(number) * 14,
        state,
    }
}

fn miss(number: u8, now: u64) -> MissedLiquidation {
    let reason = MissedReason::ALL[usize::from(number) % MissedReason::ALL.len()];
    MissedLiquidation {
        block: 19_482_100 - u64::from(number) * 31,
        timestamp: now - 160 - u64::from(number) * 372,
        transaction: B256::repeat_byte(0x90 + number),
        account: account(number + 40),
        liquidator: account(number + 90),
        collateral: "WETH".to_owned(),
        repaid: 5_120.75 * f64::from(number + 1),
        seized: 2.81 * f64::from(number + 1),
        bonus: 0.0174,
        reason,
        detail: match reason {
            MissedReason::Outbid => "tip 4.25 gwei against 9.1".to_owned(),
            MissedReason::Unprofitable => "expected 0.62 USDC, least 1".to_owned(),
            _ => String::new(),
        },
    }
}

fn node(
    name: &str,
    healthy: bool,
    requests: u64,
    failures: u64,
    latency: Option<f64>,
) -> RpcEndpoint {
    RpcEndpoint {
        name: name.to_owned(),
        healthy,
        requests,
        failures,
        latency,
    }
}
