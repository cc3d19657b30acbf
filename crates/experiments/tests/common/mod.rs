//! Traces that look like a crash, made without a chain, for tests of what happens after a simulation.

#![allow(dead_code, reason = "each test binary uses its own part")]

use breakwater_sim::trace::{BlockRow, COUNTERFACTUAL, HEALTH_BINS, LiquidationRow, Trace};

/// A world of `blocks` blocks in which liquidations of strength `impact` deepen a fall by half.
pub fn trace(policy: &str, blocks: u64, impact: f64) -> Trace {
    let damped = policy == "damped";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ policy.len() as u64;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut trace = Trace::default();
    let (mut pushed, mut debt, mut profit, mut written_off) = (0.0_f64, 1e8, 0.0, 0.0);
    for block in 0..=blocks {
        let share = block as f64 / blocks as f64;
        let exogenous_price = 195.0 - 80.0 / (1.0 + (-40.0 * (share - 0.45)).exp())
            + 4.0 * (share * 60.0).sin()
            + 1.5 * (share * 900.0).sin();
        let busy = (0.40..0.62).contains(&share) && block > 0;
        let mut transactions = 2;
        if busy && noise() < 0.35 {
            let repaid = impact * 2e5 * noise().powi(3) + 1.0;
            let before = 0.93 + 0.07 * noise();
            let price = exogenous_price * (1.0 - pushed);
            trace.liquidations.push(LiquidationRow {
                policy: policy.to_owned(),
                block,
                index: 0,
                keeper: (noise() * 8.0) as u32,
                account: (noise() * 1000.0) as u32,
                settlement: noise() < 0.02,
                repaid,
                seized: repaid * 1.05 / price,
                written_off: 0.0,
                bonus: 0.05,
                debt: repaid * 2.0,
                waited: 12,
                health_before: before,
                health_after: if noise() < 0.1 { before - 0.01 } else { 1.05 },
                health_hard: 0.95,
                fast_price: price,
                reference_price: price,
                venue_price_before: price,
                venue_price_after: price * 0.999,
                gas_used: 400_000,
                gas_price_gwei: 50.0,
                profit: repaid * 0.01,
            });
            debt -= repaid;
            profit += repaid * 0.01;
            transactions += 5;
            pushed += if policy == COUNTERFACTUAL {
                0.0
            } else {
                repaid / 2e8
            };
            written_off += if noise() < 0.1 { 3e3 * impact } else { 0.0 };
        }
        pushed *= 0.997;
        let reference_price = exogenous_price * (1.0 - pushed);
        let low = ((195.0 - reference_price) / 195.0 * 400.0) as u32;
        let mut health_histogram = [0; HEALTH_BINS];
        for (bin, count) in health_histogram.iter_mut().enumerate() {
            *count = 30
                + (bin as u32) * 8
                + if bin < 4 {
                    low / 8
                } else {
                    40_u32.saturating_sub(low / 6)
                };
        }
        let unhealthy = if busy { u64::from(low) } else { 0 };
        trace.blocks.push(BlockRow {
            policy: policy.to_owned(),
            block,
            timestamp: 1_583_971_200 + 12 * block,
            exogenous_price,
            reference_price,
            venue_price: reference_price * (1.0 - pushed - 0.002 * noise()),
            fast_price: reference_price,
            slow_price: reference_price * 1.01,
            confirm_price: reference_price,
            base_fee_gwei: 10.0
                * (1.0 + 30.0 * (-(share - 0.5).powi(2) * 80.0).exp())
                * (0.9 + 0.2 * noise()),
            gas_used: 400_000 * transactions,
            background_gas: 14_000_000,
            transactions,
            reverted: u64::from(busy && noise() < 0.2),
            waiting: 0,
            dropped: 0,
            breaker_level: if (0.43..0.47).contains(&share) {
                2
            } else {
                u8::from((0.41..0.6).contains(&share))
            },
            bucket_level: if damped {
                1e6 * (1.0 - (share - 0.5).abs().mul_add(-1.5, 0.8).max(0.0))
            } else {
                0.0
            },
            bucket_capacity: if damped { 1e6 } else { 0.0 },
            accounts: 1000,
            unhealthy,
            insolvent: unhealthy / 20,
            shortfall: if busy { 2e3 * impact * noise() } else { 0.0 },
            written_off,
            lender_loss: written_off / 2.0,
            debt,
            collateral: 1.2e6,
            lender_assets: 1.2e8,
            cash: 1.2e8 - debt,
            utilisation: debt / 1.2e8,
            keeper_profit: profit,
            arbitrage_profit: profit / 3.0,
            adversary_profit: profit / 30.0,
            venue_liquidity: if busy { 0.6 } else { 1.0 },
            health_histogram,
        });
    }
    trace
}

/// The worlds of a comparison: rigid, target-health, damped, and the counterfactual.
pub fn worlds(blocks: u64) -> [Trace; 4] {
    [
        trace("rigid", blocks, 1.0),
        trace("target-health", blocks, 0.8),
        trace("damped", blocks, 0.55),
        trace(COUNTERFACTUAL, blocks, 0.5),
    ]
}
