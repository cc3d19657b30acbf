//! Every parameter of a scenario: what it means, in which unit, and what it may be.

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Dotted key; `[]` stands for each entry of a list.
    pub key: &'static str,
    /// What it means, with its unit.
    pub meaning: &'static str,
    /// The least and greatest value, both allowed, where it is a number that the market does not check itself.
    pub range: Option<(f64, f64)>,
}

/// Shortens the table below.
const fn text(key: &'static str, meaning: &'static str) -> Parameter {
    Parameter {
        key,
        meaning,
        range: None,
    }
}

/// Shortens the table below.
const fn number(key: &'static str, low: f64, high: f64, meaning: &'static str) -> Parameter {
    Parameter {
        key,
        meaning,
        range: Some((low, high)),
    }
}

/// Every parameter, in the order of a scenario file. Keys of `prices`, `gas`, `depth` and `population` depend on their
/// `source`.
pub static PARAMETERS: &[Parameter] = &[
    text("name", "short name, in results"),
    text("title", "title of the report"),
    text("description", "what happened, in a sentence or two"),
    text("sources", "where the event's figures come from"),
    text(
        "collateral_symbol",
        "the collateral's symbol; the column of reserves files that holds it",
    ),
    number(
        "lender_assets_over_debt",
        1.0,
        1e3,
        "lenders' deposits over all debt at the start; ratio",
    ),
    number("run.blocks", 1.0, 1e6, "blocks to simulate"),
    number("run.seed", 0.0, 9.3e18, "seed of all random numbers"),
    number("run.start", 0.0, 1e11, "block 0; unix seconds"),
    text(
        "prices.source",
        "file, profile, gbm, jump-diffusion or regime",
    ),
    text("prices.path", "bars: timestamp, open, high, low, close"),
    text(
        "prices.start",
        "start of the window in the file; unix seconds",
    ),
    text(
        "prices.knots",
        "points of the path, log-linear between them; seconds from block 0, debt tokens per collateral token",
    ),
    text(
        "prices.volatility_per_hour",
        "noise between knots: standard deviation of the logarithm in an hour; ratio",
    ),
    text(
        "prices.floor",
        "noise makes no lower low; debt tokens per collateral token",
    ),
    text(
        "prices.ceiling",
        "noise makes no higher high; debt tokens per collateral token",
    ),
    text(
        "prices.initial",
        "price in block 0; debt tokens per collateral token",
    ),
    text("prices.drift_per_year", "growth of the mean; ratio a year"),
    text(
        "prices.volatility_per_year",
        "standard deviation of the logarithm in a year; ratio",
    ),
    text("prices.jumps_per_year", "jumps in a mean year"),
    text("prices.jump_mean", "mean of a jump's logarithm"),
    text(
        "prices.jump_deviation",
        "standard deviation of a jump's logarithm",
    ),
    text(
        "prices.calm_volatility_per_year",
        "volatility in the calm regime; ratio a year",
    ),
    text(
        "prices.stressed_volatility_per_year",
        "volatility in the stressed regime; ratio a year",
    ),
    text(
        "prices.mean_calm_seconds",
        "mean length of a calm spell; seconds",
    ),
    text(
        "prices.mean_stressed_seconds",
        "mean length of a stressed spell; seconds",
    ),
    text(
        "native_prices",
        "price of the chain's native token, as `prices`; the collateral's own price if left out",
    ),
    number(
        "shock.fall",
        0.0,
        0.99,
        "a share by which the outside price falls at once, and stays lower; the native token's too where it has no price of its own; ratio",
    ),
    number(
        "shock.at",
        0.0,
        1e9,
        "when; 600 if left out; seconds from block 0",
    ),
    text("gas.source", "file or profile"),
    text(
        "gas.path",
        "gas prices: timestamp and gwei, wei or avgGasDay",
    ),
    text("gas.column", "column of the file"),
    text("gas.unit", "unit of that column: wei or gwei"),
    text("gas.start", "start of the window in the file; unix seconds"),
    text("gas.interpolation", "step or log-linear"),
    text(
        "gas.knots",
        "points of the going gas price, log-linear between them; seconds from block 0, gwei",
    ),
    text(
        "depth.source",
        "file, profile or multiple; if the table is left out, `venue.depth` holds throughout",
    ),
    text(
        "depth.path",
        "pool reserves: timestamp and a column named like the collateral",
    ),
    text(
        "depth.column",
        "column of the file that holds the collateral's reserve; whole tokens",
    ),
    text(
        "depth.start",
        "start of the window in the file; unix seconds",
    ),
    text("depth.interpolation", "step or log-linear"),
    text("depth.multiple", "x/C, instead of `venue.depth`; ratio"),
    text(
        "depth.knots",
        "points of x/C, log-linear between them; seconds from block 0, ratio",
    ),
    text("population.source", "generated or file"),
    text(
        "population.path",
        "accounts: account, collateral and debt, or total_collateral_usd and total_debt_usd",
    ),
    text(
        "population.unit",
        "unit of the file's amounts: usd or token",
    ),
    text(
        "population.total_collateral",
        "all collateral after rescaling the file's accounts; whole tokens",
    ),
    text(
        "population.resample",
        "accounts drawn from the file with replacement",
    ),
    text("population.groups[].name", "name of a group of accounts"),
    text("population.groups[].accounts", "accounts in the group"),
    text(
        "population.groups[].total_collateral",
        "collateral of the group; whole tokens",
    ),
    text(
        "population.groups[].sizes.law",
        "how collateral is divided: even, lognormal or pareto",
    ),
    text(
        "population.groups[].sizes.whale_share",
        "share of the collateral held by the largest 1% of accounts; ratio",
    ),
    text(
        "population.groups[].ltv.minimum",
        "lowest loan-to-value; ratio",
    ),
    text(
        "population.groups[].ltv.maximum",
        "highest loan-to-value; ratio",
    ),
    text(
        "population.groups[].ltv.mean",
        "mean loan-to-value before cutting at both ends; ratio",
    ),
    text(
        "population.groups[].ltv.deviation",
        "standard deviation of loan-to-value before cutting; ratio",
    ),
    number(
        "collateral.borrow_ltv",
        0.01,
        0.98,
        "LTV up to which new debt may be taken; ratio",
    ),
    number(
        "collateral.liquidation_threshold",
        0.02,
        0.99,
        "LT: debt over collateral at which the health factor is 1; ratio",
    ),
    number(
        "collateral.max_bonus",
        0.0,
        0.2,
        "bmax: the greatest liquidation bonus; ratio",
    ),
    number(
        "collateral.slippage_margin",
        0.0,
        0.5,
        "\u{3c3}: slippage, feed jump and inclusion delay for which the hard zone leaves room; ratio",
    ),
    number(
        "collateral.confirmation_band",
        0.0,
        0.05,
        "\u{3b4}: how far an unconfirmed fall of the feed counts; ratio",
    ),
    number(
        "venue.fee",
        500.0,
        10_000.0,
        "fee of the Uniswap v3 pool: 500, 3000 or 10000; hundredths of a basis point",
    ),
    number(
        "venue.depth",
        1e-6,
        1e6,
        "x/C: the venue's virtual collateral reserve over all posted collateral at the start; ratio",
    ),
    number(
        "venue.flighty_share",
        0.0,
        0.99,
        "share of that liquidity held by providers who withdraw as volatility rises; ratio",
    ),
    number(
        "venue.flight_volatility",
        1e-6,
        1e3,
        "one-hour realised volatility at which they have all withdrawn (they begin at half); ratio",
    ),
    number(
        "venue.pass_through",
        0.0,
        1.0,
        "\u{3c6}: share of on-chain net selling that moves the outside price; ratio",
    ),
    number(
        "venue.recovery_half_life",
        0.0,
        1e9,
        "half-life of what passed through, 0 for never; seconds",
    ),
    number(
        "feed.deviation",
        0.0,
        0.5,
        "deviation at which the feed updates; ratio",
    ),
    number(
        "feed.heartbeat",
        1.0,
        604_800.0,
        "the feed updates at least this often; seconds",
    ),
    number(
        "feed.delay",
        0.0,
        86_400.0,
        "age of the price that the feed reports; seconds",
    ),
    number(
        "feed.believed_for",
        1.0,
        2_592_000.0,
        "how long the oracle believes an answer; heartbeat, delay and ten minutes if left out; seconds",
    ),
    text(
        "feed.errors",
        "when the feed is mis-set, `from` to `until` in seconds from block 0, and by what `ratio` its answers are off",
    ),
    text(
        "feed.outages",
        "when the feed is silent, `from` to `until`; seconds from block 0",
    ),
    number(
        "network.slot_seconds",
        1.0,
        600.0,
        "time between blocks; seconds",
    ),
    number(
        "network.gas_limit",
        5e6,
        1e10,
        "gas limit of a block (the base fee's target is half of it)",
    ),
    number(
        "network.demand_elasticity",
        0.01,
        100.0,
        "price elasticity of the rest of the network's demand for gas",
    ),
    text(
        "network.missed",
        "when slots go by without a block, `from` to `until` in seconds from block 0, and which `share` of them",
    ),
    number("keepers.count", 0.0, 64.0, "keepers who compete"),
    number(
        "keepers.max_latency",
        0.0,
        1e3,
        "how old the state is that a keeper sees: keeper i (from 0) lags by i mod (this + 1), so that as many keepers are needed for the whole range; blocks",
    ),
    number(
        "keepers.min_profit",
        0.0,
        1e12,
        "the least profit, net of gas, for which a keeper acts; debt tokens",
    ),
    number(
        "keepers.risk_margin",
        0.0,
        1.0,
        "what a keeper asks for the risk that prices move before inclusion, over the repayment; ratio",
    ),
    number(
        "borrowers.top_up_share",
        0.0,
        1.0,
        "accounts that add collateral when their health factor is low; ratio",
    ),
    number(
        "borrowers.repay_share",
        0.0,
        1.0,
        "accounts that repay from savings when it is low; ratio",
    ),
    number(
        "borrowers.deleverage_share",
        0.0,
        1.0,
        "accounts that sell collateral to repay when it is low; ratio",
    ),
    number(
        "borrowers.alert_health",
        1.0,
        10.0,
        "the health factor below which borrowers act",
    ),
    number(
        "borrowers.reaction_time",
        0.0,
        1e9,
        "mean time until they notice; seconds",
    ),
    number(
        "borrowers.savings",
        0.0,
        1e3,
        "savings outside the pool, over their debt; ratio",
    ),
    number(
        "noise.hourly_volume",
        0.0,
        1e3,
        "what noise traders buy and sell in a mean hour, over the venue's virtual collateral reserve; ratio",
    ),
    number(
        "noise.trade",
        1e-6,
        0.5,
        "the mean size of such a trade, over that reserve; ratio",
    ),
    text(
        "adversary.strategy",
        "predator (sells ahead of liquidations that are due), manipulator (holds the venue down until some are) or grinder (is keeper 0, proposes blocks and chooses the seed of turns)",
    ),
    number(
        "adversary.capital",
        1.0,
        1e15,
        "the most that the adversary is short; debt tokens' worth",
    ),
    number(
        "adversary.patience",
        1.0,
        1e9,
        "how long it stays short at most; seconds",
    ),
    number(
        "adversary.push",
        0.0,
        0.5,
        "how far below the outside price a manipulator holds the venue; ratio",
    ),
    number(
        "adversary.slots",
        0.0,
        1.0,
        "share of slots that a grinder proposes; in his blocks his transactions stand first; 0.25 if left out; ratio",
    ),
    number(
        "adversary.tries",
        1.0,
        1e4,
        "hashes among which a grinder chooses for a block that seeds turns, 1 for no choice; 64 if left out",
    ),
    number(
        "adversary.slot_reward",
        0.0,
        1e12,
        "what a block that a grinder withholds would have paid him; 100 if left out; debt tokens",
    ),
    number(
        "backstop.capital",
        0.0,
        10.0,
        "deposits of the backstop that are active in block 0, over the value of all collateral; 0 for no backstop; ratio",
    ),
    number(
        "backstop.depositors",
        1.0,
        1e3,
        "depositors who hold them, in equal parts; 20 if left out",
    ),
    number(
        "backstop.newcomers",
        0.0,
        10.0,
        "depositors who may come, over those who are there; each brings as much; 0.5 if left out; ratio",
    ),
    number(
        "backstop.leaving_share",
        0.0,
        1.0,
        "depositors who asked to leave before block 0 and leave at the next start of a period; 0.1 if left out; ratio",
    ),
    number(
        "backstop.stress_share",
        0.0,
        1.0,
        "depositors who leave when the price falls; 0.3 if left out; ratio",
    ),
    number(
        "backstop.stress_fall",
        0.0,
        1.0,
        "the fall of the reference price from its highest at which the last of them leaves (the first does at half of it); 0.2 if left out; ratio",
    ),
    number(
        "backstop.loss_share",
        0.0,
        1.0,
        "depositors who leave when they have lost; 0.3 if left out; ratio",
    ),
    number(
        "backstop.loss",
        0.0,
        1.0,
        "the loss, over deposits, at which the last of them leaves (the first does at half of it); 0.1 if left out; ratio",
    ),
    number(
        "backstop.flight_share",
        0.0,
        1.0,
        "of those who leave for these two reasons, who take what was absorbed for them in kind and sell it at once; 0.5 if left out; ratio",
    ),
    number(
        "backstop.yield_share",
        0.0,
        1.0,
        "depositors who leave when the premium yields less than at the start; 0.2 if left out; ratio",
    ),
    number(
        "backstop.yield_change",
        0.0,
        10.0,
        "how much less the last of them bears, and how much more the last newcomer asks (the first half of it); 0.5 if left out; ratio",
    ),
    number(
        "backstop.reaction_time",
        0.0,
        1e9,
        "mean time until a depositor acts on what he sees; 900 if left out; seconds",
    ),
    number(
        "backstop.period_seconds",
        14_400.0,
        2_592_000.0,
        "length of a period; entries and exits take effect one to two of them after they are asked for; 43200 if left out; seconds",
    ),
    number(
        "backstop.absorption_health",
        1.000_001,
        2.0,
        "the health factor restored by an absorption; 1.05 if left out",
    ),
    number(
        "backstop.release_share",
        1e-6,
        0.049_7,
        "what may be sold of the inventory in 12 seconds, over the venue's depth within 2%; 0.00994 if left out; ratio",
    ),
    number(
        "backstop.premium_share",
        0.0,
        1.0,
        "the share of what reserves grow by that depositors are paid; 0.5 if left out; ratio",
    ),
    number(
        "backstop.caller_interest",
        0.0,
        1.0,
        "the share of depositors' discount that who triggers absorptions counts as his own gain; 0.25 if left out; ratio",
    ),
    text(
        "backstop.first",
        "whether absorptions stand first in a block, as by an agreement with builders, rather than by their bid; true if left out",
    ),
    text(
        "damped.confirmation",
        "whether a second price must confirm a fall",
    ),
    number(
        "damped.confirmation_seconds",
        1.0,
        3_600.0,
        "seconds over which the venue averages the price that confirms, and the depth beside it; 60 by the contracts' defaults",
    ),
    text(
        "damped.obeys_pause",
        "whether the damped zone waits while the breaker pauses",
    ),
    text("damped.bonus_mode", "time or health"),
    number(
        "damped.bonus_min",
        0.0,
        0.5,
        "the bonus at the start of the auction, held to the listing's greatest; ratio",
    ),
    number(
        "damped.auction_seconds",
        1.0,
        86_400.0,
        "the auction's length; seconds",
    ),
    number(
        "damped.target_health",
        1.0001,
        2.0,
        "the health factor restored",
    ),
    number(
        "damped.slice_base",
        0.0001,
        1.0,
        "the share of its debt that an account may lose in an epoch; 1 is off; ratio",
    ),
    text("damped.turn_mode", "off, systematic, seeded or bernoulli"),
    number(
        "damped.turn_floor",
        0.015_625,
        1.0,
        "the least share of open turns; ratio",
    ),
    text("damped.bucket_mode", "off, hard-stop or scaling"),
    number(
        "damped.refill_share",
        0.01,
        10.0,
        "the share of depth refilled in a minute; ratio",
    ),
    number(
        "damped.min_refill_seconds",
        60.0,
        2_592_000.0,
        "the time in which all the collateral's value is refilled at least; seconds",
    ),
    number(
        "damped.reserve_share",
        0.0,
        0.9,
        "the share of the bucket that damped calls leave; ratio",
    ),
    number(
        "damped.liquidation_gas",
        0.0,
        1e7,
        "gas that the bonus pays for in a stressed market; 0 is off",
    ),
    text(
        "damped.breaker",
        "whether the breaker has any signal; without one it never leaves Normal: nothing waits, new risk is never refused, no gas is paid for",
    ),
    number(
        "damped.slippage_margin",
        0.0,
        0.5,
        "\u{3c3} of the damped policy's listing in place of `collateral.slippage_margin`, held to what may be listed; ratio",
    ),
];

impl Parameter {
    /// The parameter that a dotted key of a file belongs to.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        let mut general = String::with_capacity(key.len());
        let mut inside = false;
        for character in key.chars() {
            if !inside || character == ']' {
                general.push(character);
            }
            inside = (inside || character == '[') && character != ']';
        }
        // The native token's price is described like the collateral's.
        let general = general
            .strip_prefix("native_")
            .filter(|rest| rest.starts_with("prices."))
            .unwrap_or(&general);
        PARAMETERS.iter().find(|parameter| parameter.key == general)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_find_their_documentation() {
        assert_eq!(
            Parameter::of("population.groups[3].sizes.law").map(|found| found.key),
            Some("population.groups[].sizes.law")
        );
        assert_eq!(
            Parameter::of("native_prices.floor").map(|found| found.key),
            Some("prices.floor")
        );
        assert!(Parameter::of("venue.depht").is_none());
    }

    #[test]
    fn documentation_names_each_key_once() {
        for (index, parameter) in PARAMETERS.iter().enumerate() {
            assert!(
                !PARAMETERS[..index]
                    .iter()
                    .any(|before| before.key == parameter.key),
                "{} twice",
                parameter.key
            );
        }
    }
}
