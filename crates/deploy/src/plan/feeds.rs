//! What an oracle keeps of its feeds for ever, looked at before.

use alloy_primitives::{Address, U256, aliases::U80};
use alloy_sol_types::sol;

use super::contracts::{self, at, unexpected};
use crate::chain::Views;
use crate::defaults::{self, CollateralPlan, SystemPlan};
use crate::error::DeployError;
use crate::scale::{Bounds, exponent, unit_of};

/// How many rounds are looked back, as in `script/Feeds.sol`.
const ROUNDS: usize = 8;

sol! {
    interface Feed {
        function decimals() external view returns (uint8);
        function latestRoundData() external view
            returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
        function getRoundData(uint80 round) external view
            returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
    }
}

/// Fills in the bounds that a plan leaves at 0 and 0, by the feeds' decimals, and compares each heartbeat with the feed's latest
/// rounds, where it tells of them; as `script/Feeds.sol` does.
///
/// # Errors
/// [`DeployError::Plan`] for a token, feed or venue that is none, a venue of other tokens, a feed that was lately silent for longer
/// than its heartbeat, or decimals and bounds of which an oracle would find no unit; [`DeployError::Rpc`].
pub async fn inspect_feeds(
    views: &impl Views,
    mut system: SystemPlan,
) -> Result<SystemPlan, DeployError> {
    contracts::inspect(views, &system).await?;
    let asset = system.asset;
    for (number, collateral) in system.collaterals.iter_mut().enumerate() {
        let quoted = !collateral.quote.source.is_zero();
        let quote = quoted.then_some((&mut collateral.quote, true));
        for (feed, is_quote) in [(&mut collateral.base, false)].into_iter().chain(quote) {
            let name = if is_quote { "quote feed" } else { "feed" };
            let name = format!("the {name} {} of collateral {number}", feed.source);
            let refuse = |reason: String| DeployError::Plan(format!("{name} {reason}"));
            if (feed.minAnswer, feed.maxAnswer) == (0, 0) {
                let decimals = views.read(feed.source, Feed::decimalsCall {}).await?;
                (feed.minAnswer, feed.maxAnswer) = defaults::feed_bounds(decimals, is_quote)
                    .map_err(|error| refuse(format!("has no default bounds: {error}")))?;
            }
            let gap = longest_gap(views, feed.source).await?;
            if gap > U256::from(feed.heartbeat) {
                return Err(refuse(format!(
                    "was silent for {gap} s between two of its latest rounds, longer than its heartbeat of {} s: it would \
                     have counted as missing",
                    feed.heartbeat
                )));
            }
        }
        require_unit(views, number, collateral, asset).await?;
    }
    Ok(system)
}

/// Refuses what the oracle's constructor would.
async fn require_unit(
    views: &impl Views,
    number: usize,
    collateral: &CollateralPlan,
    asset: Address,
) -> Result<(), DeployError> {
    let Some(exponent) = exponent(views, collateral, asset).await? else {
        let expected =
            "decimals of token, debt token and feeds of which a price scaled by 1e36 can be kept";
        let token = collateral.listing.token;
        return Err(unexpected(&at(number, "token"), token, expected));
    };
    let (base, quote) = (Bounds::of(&collateral.base), Bounds::of(&collateral.quote));
    if unit_of(exponent, base, quote).is_some() {
        return Ok(());
    }
    let (key, value) = if quote.is_wider_than(base) {
        ("quoteMaxAnswer", quote.most)
    } else {
        ("maxAnswer", base.most)
    };
    let expected = format!(
        "bounds of which an oracle can keep every price with these decimals: {base}, and {quote} of the quote feed (0 and 1 \
         without one), are too far apart or too high"
    );
    Err(unexpected(&at(number, key), value, &expected))
}

/// The longest time between two of the latest rounds, seconds; 0 where the feed does not tell of earlier ones.
async fn longest_gap(views: &impl Views, feed: Address) -> Result<U256, DeployError> {
    let latest = views.read(feed, Feed::latestRoundDataCall {}).await?;
    let (mut round, mut later) = (latest.roundId, latest.updatedAt);
    let mut gap = U256::ZERO;
    for _ in 0..ROUNDS {
        if round.is_zero() {
            break;
        }
        round -= U80::from(1);
        let earlier = match views.read(feed, Feed::getRoundDataCall { round }).await {
            Ok(data) => data.updatedAt,
            // The first round of an aggregator, or a feed that does not remember.
            Err(DeployError::Refused { .. } | DeployError::Answer { .. }) => break,
            Err(error) => return Err(error),
        };
        if earlier.is_zero() || earlier > later {
            break;
        }
        gap = gap.max(later - earlier);
        later = earlier;
    }
    Ok(gap)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_primitives::{Bytes, I256};
    use alloy_sol_types::SolCall;
    use breakwater_bindings::system_deployer::SystemDeployer::FeedParameters;

    use super::*;

    /// A feed of 18 decimals whose rounds, numbered from 1, were at these times.
    struct Rounds(Vec<u64>);

    impl Views for Rounds {
        async fn view(&self, what: &str, _: Address, data: Bytes) -> Result<Bytes, DeployError> {
            let round = if data[..4] == Feed::decimalsCall::SELECTOR {
                return Ok(Feed::decimalsCall::abi_encode_returns(&18).into());
            } else if data[..4] == Feed::latestRoundDataCall::SELECTOR {
                self.0.len()
            } else {
                let call = Feed::getRoundDataCall::abi_decode(&data).unwrap();
                call.round.to::<usize>()
            };
            let time = round.checked_sub(1).map(|round| self.0[round]);
            let Some(time) = time else {
                return Err(DeployError::Refused {
                    step: what.to_owned(),
                    reason: "No data present".to_owned(),
                });
            };
            let answer = Feed::getRoundDataReturn {
                roundId: U80::from(round),
                answer: I256::ONE,
                startedAt: U256::from(time),
                updatedAt: U256::from(time),
                answeredInRound: U80::from(round),
            };
            Ok(Feed::getRoundDataCall::abi_encode_returns(&answer).into())
        }

        async fn code(&self, address: Address) -> Result<Bytes, DeployError> {
            let there = !address.is_zero();
            Ok(if there {
                Bytes::from_static(&[1])
            } else {
                Bytes::new()
            })
        }
    }

    fn system(heartbeat: u32) -> SystemPlan {
        let mut system = defaults::system_plan();
        system.asset = Address::repeat_byte(2);
        let collateral = &mut system.collaterals[0];
        collateral.listing.token = Address::repeat_byte(3);
        collateral.base.source = Address::repeat_byte(1);
        collateral.base.heartbeat = heartbeat;
        collateral.quote = collateral.base.clone();
        system
    }

    #[tokio::test]
    async fn bounds_follow_the_decimals() {
        let system = inspect_feeds(&Rounds(vec![7]), system(10)).await.unwrap();
        let (base, quote) = (&system.collaterals[0].base, &system.collaterals[0].quote);
        let ether = 10_u128.pow(18);
        assert_eq!(
            (base.minAnswer, base.maxAnswer),
            (ether / 10_000, ether * 100_000_000)
        );
        assert_eq!(
            (quote.minAnswer, quote.maxAnswer),
            (ether / 100, ether * 100)
        );
    }

    #[tokio::test]
    async fn bounds_that_were_chosen_stay() {
        let mut chosen = system(10);
        let ether = 10_u128.pow(18);
        let quote = &mut chosen.collaterals[0].quote;
        (quote.minAnswer, quote.maxAnswer) = (ether / 7, 7 * ether);
        let system = inspect_feeds(&Rounds(vec![7]), chosen).await.unwrap();
        assert_eq!(system.collaterals[0].quote.maxAnswer, 7 * ether);
    }

    /// The default bounds of the feed are a ratio of 10^12.
    #[tokio::test]
    async fn bounds_that_no_unit_suits_are_refused_by_their_key() {
        let ether = 10_u128.pow(18);
        let said = async |feed: fn(&mut CollateralPlan) -> &mut FeedParameters, least, most| {
            let mut chosen = system(10);
            let feed = feed(&mut chosen.collaterals[0]);
            (feed.minAnswer, feed.maxAnswer) = (least, most);
            let found = inspect_feeds(&Rounds(vec![7]), chosen).await;
            found.map(drop).map_err(|error| error.to_string())
        };
        let wide = said(|plan| &mut plan.quote, 0, 7 * ether)
            .await
            .unwrap_err();
        assert!(
            wide.contains(
                "`collaterals[0].quoteMaxAnswer` is 7000000000000000000: expected bounds"
            ),
            "{wide}"
        );
        let wide = said(|plan| &mut plan.base, 0, 7 * ether).await.unwrap_err();
        assert!(
            wide.contains("`collaterals[0].maxAnswer` is 7000000000000000000: expected bounds"),
            "{wide}"
        );
        said(|plan| &mut plan.base, ether, 7 * ether).await.unwrap();
    }

    #[tokio::test]
    async fn a_heartbeat_shorter_than_a_gap_is_refused() {
        let rounds = Rounds(vec![1_000, 4_900, 5_000]);
        let said = inspect_feeds(&rounds, system(3_899)).await.unwrap_err();
        let said = said.to_string();
        assert!(said.contains("was silent for 3900 s"), "{said}");
        inspect_feeds(&rounds, system(3_900)).await.unwrap();
        // The ninth round back is no concern any more.
        let mut times = vec![1_000];
        times.extend(5_000..5_009);
        inspect_feeds(&Rounds(times), system(10)).await.unwrap();
    }

    #[tokio::test]
    async fn a_feed_without_code_is_named() {
        let mut system = system(10);
        system.collaterals[0].base.source = Address::ZERO;
        let said = inspect_feeds(&Rounds(vec![7]), system).await.unwrap_err();
        let expected = "`collaterals[0].feed` is 0x0000000000000000000000000000000000000000: expected a contract";
        assert!(said.to_string().contains(expected), "{said}");
    }
}
