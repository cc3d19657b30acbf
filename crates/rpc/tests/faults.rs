//! Nodes that die, hang, limit, lie and fall behind: requests fail over, and the follower never tells a gap.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use alloy::{
    eips::BlockId,
    providers::Provider,
    rpc::types::{BlockOverrides, TransactionRequest},
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::sol;
use breakwater_rpc::{
    Client, ConnectError, Endpoint, Endpoints, RpcError, TargetCall, connect,
    testing::{Fault, Proxy},
};
use common::{Chain, Following, LOGGER, bounded, endpoints, proxied};
use serde_json::json;

async fn two(chain: &Chain) -> (Proxy, Proxy, Client) {
    let first = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let second = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client = connect(&endpoints([first.endpoint(), second.endpoint()]))
        .await
        .unwrap();
    (first, second, client)
}

/// Every way to fail that a node has for any request.
fn faults() -> [Fault; 7] {
    [
        Fault::Hang,
        Fault::Drop,
        Fault::RateLimit,
        Fault::ServerError,
        Fault::Garbage,
        Fault::Truncate,
        Fault::Answer(json!({ "a result": "of another type" })),
    ]
}

async fn wait_until_up(client: &Client, node: usize) {
    bounded("the endpoint to be probed and taken back", async {
        while !client.health().endpoints[node].up {
            // Probes start with requests.
            let _ = client.request::<_, U256>("eth_blockNumber", ()).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_answers_whatever_fails() {
    let chain = Chain::start().await;
    let (first, second, client) = two(&chain).await;
    chain.mine(7).await;
    for fault in faults() {
        wait_until_up(&client, 0).await;
        let failovers = client.health().failovers;
        first.set(Some(fault.clone()));
        let began = Instant::now();
        let number: U256 = client.request("eth_blockNumber", ()).await.unwrap();
        assert_eq!(number, U256::from(7), "{fault:?}");
        assert!(
            began.elapsed() < Duration::from_millis(800),
            "one attempt is wasted: {:?}",
            began.elapsed()
        );
        let health = client.health();
        assert_eq!(
            (health.active, health.endpoints[0].up),
            (1, false),
            "{fault:?}"
        );
        assert_eq!(health.failovers, failovers + 1);
        // The next ones do not pay for finding out.
        let _ = first.take_counts();
        let _: U256 = client.request("eth_blockNumber", ()).await.unwrap();
        assert_eq!(
            first.take_counts().get("eth_blockNumber"),
            None,
            "{fault:?}"
        );
        first.set(None);
    }
    wait_until_up(&client, 0).await;
    // And the provider does the same.
    first.set(Some(Fault::Drop));
    assert_eq!(client.provider().get_block_number().await.unwrap(), 7);
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_endpoint_is_asked_again() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    for fault in faults() {
        for _ in 0..2 {
            proxy.next("eth_blockNumber", fault.clone());
        }
        let number: U256 = client.request("eth_blockNumber", ()).await.unwrap();
        assert_eq!(number, U256::ZERO, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_failed() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    for (fault, kind) in faults().into_iter().zip([
        "timeout",
        "unreachable",
        "rate_limited",
        "unreachable",
        "malformed",
        "unreachable",
        "malformed",
    ]) {
        proxy.set_method("eth_blockNumber", Some(fault.clone()));
        let error = client
            .request::<_, U256>("eth_blockNumber", ())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert!(error.is_transient());
        let text = error.to_string();
        assert!(text.contains(&proxy.endpoint().to_string()), "{text}");
        let counted = client.health().requests["eth_blockNumber"].errors[kind];
        assert!(counted >= 3, "{kind}: {counted}");
    }
    proxy.set_method(
        "eth_blockNumber",
        Some(Fault::Error(-32601, "no such method".into())),
    );
    let error = client
        .request::<_, U256>("eth_blockNumber", ())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RpcError::Refused { code: -32601, .. }) && !error.is_transient(),
        "{error}"
    );
    let error = client.provider().get_block_number().await.unwrap_err();
    assert_eq!(
        RpcError::from_transport("eth_blockNumber", error).kind(),
        "refused"
    );
    proxy.set_method("eth_blockNumber", Some(Fault::Garbage));
    let error = client.provider().get_block_number().await.unwrap_err();
    assert_eq!(
        RpcError::from_transport("eth_blockNumber", error).kind(),
        "malformed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_stay_secret() {
    let chain = Chain::start().await;
    let proxy = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let secret =
        format!("{}/v3/secret?key=secret", proxy.endpoint()).replacen("//", "//user:secret@", 1);
    for scheme in ["http", "ws"] {
        proxy.set(None);
        let endpoint = Endpoint::parse(&secret.replacen("http", scheme, 1)).unwrap();
        let client = connect(&endpoints([endpoint])).await.unwrap();
        for fault in faults() {
            proxy.set(Some(fault));
            let error = client
                .request::<_, U256>("eth_blockNumber", ())
                .await
                .unwrap_err();
            let everything = format!("{error} {error:?} {client:?} {:?}", client.health());
            assert!(!everything.contains("secret"), "{everything}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_every_endpoints_chain() {
    let chain = Chain::start().await;
    let other = Chain::start_with(|anvil| anvil.chain_id(99)).await;
    let first = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let wrong = Proxy::start(&other.anvil.endpoint()).await.unwrap();
    let urls = [first.endpoint(), wrong.endpoint()];
    let refused = connect(&endpoints(urls.clone())).await.unwrap_err();
    assert!(
        matches!(
            refused,
            ConnectError::WrongChain {
                expected: 31_337,
                found: 99,
                ..
            }
        ),
        "{refused}"
    );

    // Silent at start: checked when it answers, and never used.
    wrong.set(Some(Fault::Hang));
    let client = connect(&endpoints(urls)).await.unwrap();
    wrong.set(None);
    first.set(Some(Fault::Drop));
    let error = client
        .request::<_, U256>("eth_blockNumber", ())
        .await
        .unwrap_err();
    assert!(
        error.kind() == "wrong_chain" || error.kind() == "unreachable",
        "{error}"
    );
    assert_eq!(
        wrong.take_counts().keys().collect::<Vec<_>>(),
        ["eth_chainId"]
    );

    wrong.set(Some(Fault::Drop));
    let refused = connect(&endpoints([first.endpoint(), wrong.endpoint()]))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, ConnectError::AllFailed(errors) if errors.len() == 2),
        "{refused}"
    );
    assert!(matches!(
        connect(&Endpoints::new(1, [])).await,
        Err(ConnectError::NoEndpoint)
    ));
    let none = Endpoints {
        attempts: 0,
        ..endpoints([first.endpoint()])
    };
    assert!(matches!(
        connect(&none).await,
        Err(ConnectError::ZeroLimit { what: "attempts" })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_a_transaction_once_unless_it_surely_did_not_arrive() {
    let chain = Chain::start().await;
    let (first, second, client) = two(&chain).await;
    let send = |nonce: u64| {
        let transaction = TransactionRequest::default()
            .from(chain.anvil.addresses()[0])
            .to(LOGGER);
        let transaction = TransactionRequest {
            nonce: Some(nonce),
            gas: Some(60_000),
            ..transaction
        };
        let client = client.clone();
        async move {
            client
                .request::<_, B256>("eth_sendTransaction", (transaction,))
                .await
        }
    };
    let sent = |proxy: &Proxy| {
        proxy
            .take_counts()
            .get("eth_sendTransaction")
            .copied()
            .unwrap_or_default()
    };
    for (nonce, fault) in [
        Fault::SwallowAnswer,
        Fault::Hang,
        Fault::Drop,
        Fault::Garbage,
        Fault::ServerError,
    ]
    .into_iter()
    .enumerate()
    {
        wait_until_up(&client, 0).await;
        first.next("eth_sendTransaction", fault.clone());
        let error = send(nonce as u64).await.unwrap_err();
        assert!(error.is_transient(), "{fault:?}: {error}");
        assert_eq!((sent(&first), sent(&second)), (1, 0), "{fault:?}");
    }
    assert_eq!(
        chain.node.txpool_pending().await,
        1,
        "the one whose answer was swallowed"
    );
    // A limit is a promise that nothing was done.
    wait_until_up(&client, 0).await;
    first.next("eth_sendTransaction", Fault::RateLimit);
    send(1).await.unwrap();
    assert_eq!((sent(&first), sent(&second)), (1, 1));
}

trait Pool {
    async fn txpool_pending(&self) -> u64;
}

impl<P: Provider> Pool for P {
    async fn txpool_pending(&self) -> u64 {
        let status: serde_json::Value = self.raw_request("txpool_status".into(), ()).await.unwrap();
        u64::from_str_radix(
            status["pending"].as_str().unwrap().trim_start_matches("0x"),
            16,
        )
        .unwrap()
    }
}

sol! {
    function number() external view returns (uint256);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_as_if_in_the_next_block() {
    let chain = Chain::start().await;
    let (_proxy, client) = proxied(&chain).await;
    chain.mine(5).await;
    // NUMBER, TIMESTAMP and BASEFEE as words; and a contract that reverts with 0x01.
    let place = |code: Vec<u8>, at: Address| {
        let node = chain.node.clone();
        async move {
            alloy::providers::ext::AnvilApi::anvil_set_code(&node, at, code.into())
                .await
                .unwrap()
        }
    };
    let (clock, broken) = (Address::with_last_byte(0xc1), Address::with_last_byte(0xc2));
    place(hex!("435f5242602052486040526060 5ff3").to_vec(), clock).await;
    place(hex!("60015f53600160 5ffd").to_vec(), broken).await;

    let latest = BlockId::latest();
    assert_eq!(
        client.view(latest, clock, &numberCall {}).await.unwrap(),
        U256::from(5)
    );
    let nowhere = client
        .view(latest, Address::with_last_byte(0xc3), &numberCall {})
        .await
        .unwrap_err();
    assert!(
        nowhere.to_string().contains("is there a contract"),
        "{nowhere}"
    );
    let reverted = client
        .view(latest, broken, &numberCall {})
        .await
        .unwrap_err();
    assert_eq!(
        reverted,
        RpcError::Reverted {
            data: Bytes::from_static(&[1])
        }
    );

    let next = BlockOverrides {
        number: Some(U256::from(6)),
        time: Some(4_000_000_000),
        base_fee: Some(U256::from(77)),
        ..Default::default()
    };
    let transaction = TransactionRequest::default().to(clock);
    let answer = client
        .simulate(&transaction, latest, None, Some(next.clone()))
        .await
        .unwrap();
    let words: Vec<U256> = answer.chunks(32).map(U256::from_be_slice).collect();
    assert_eq!(
        words,
        [U256::from(6), U256::from(4_000_000_000_u64), U256::from(77)]
    );

    // Without a Multicall3 at that address: said, not guessed.
    let multicall = Address::with_last_byte(0xc4);
    let call = [TargetCall::new(clock, &numberCall {})];
    let missing = client
        .multicall(multicall, latest, &call, Some(next))
        .await
        .unwrap_err();
    assert_eq!(missing.kind(), "malformed", "{missing}");
    assert_eq!(
        client
            .multicall(multicall, latest, &[], None)
            .await
            .unwrap(),
        []
    );
}

/// Mines and reorganises while `proxies` fail in turn; the mirror must agree at the end of each round.
async fn follow_through(chain: &Chain, client: &Client, proxies: &[&Proxy], faults: &[Fault]) {
    let mut following = Following::start(client, 1);
    for (round, fault) in faults.iter().enumerate() {
        let round = round as u64;
        let proxy = proxies[round as usize % proxies.len()];
        chain.log(LOGGER, round).await;
        chain.mine(3).await;
        proxy.set(Some(fault.clone()));
        chain.log(LOGGER, 100 + round).await;
        chain.mine(2).await;
        chain.reorg(4, &[(200 + round, 0), (300 + round, 3)]).await;
        if proxies.len() == 1 {
            // The fault has been met.
            let before = client.health().endpoints[0].failures;
            bounded("a failure", async {
                while client.health().endpoints[0].failures == before {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await;
            proxy.set(None);
        }
        following.agree(chain).await;
        proxy.set(None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_through_the_faults_of_a_lone_endpoint() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    follow_through(&chain, &client, &[&proxy], &faults()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_through_the_faults_of_one_of_two_endpoints() {
    let chain = Chain::start().await;
    let (first, second, client) = two(&chain).await;
    follow_through(&chain, &client, &[&first, &second], &faults()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_through_the_faults_of_a_websocket() {
    let chain = Chain::start().await;
    let first = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let second = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client = connect(&endpoints([first.websocket_endpoint(), second.endpoint()]))
        .await
        .unwrap();
    follow_through(&chain, &client, &[&first, &second], &faults()).await;
    assert!(client.health().pushed_headers > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_a_node_whose_head_stands_still() {
    for websocket in [false, true] {
        let chain = Chain::start().await;
        let (first, second, _) = two(&chain).await;
        let preferred = if websocket {
            first.websocket_endpoint()
        } else {
            first.endpoint()
        };
        let client = connect(&endpoints([preferred, second.endpoint()]))
            .await
            .unwrap();
        let mut following = Following::start(&client, 1);
        chain.mine(3).await;
        following.agree(&chain).await;
        first.freeze().await.unwrap();
        for block in 0..5 {
            chain.log(LOGGER, block).await;
            chain.mine(1).await;
            following.agree(&chain).await;
        }
        let health = client.health();
        let reason = health.endpoints[0].last_failure.clone().unwrap_or_default();
        assert!(reason.contains("stale head"), "{health:?}");
        first.thaw();
        chain.log(LOGGER, 9).await;
        chain.mine(1).await;
        following.agree(&chain).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_head_of_a_lone_node_tells_nothing_twice() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.log(LOGGER, 1).await;
    chain.mine(2).await;
    following.agree(&chain).await;
    // The head moves, is told, and goes back to a block told long ago.
    let old = chain
        .node
        .raw_request::<_, serde_json::Value>("eth_getBlockByNumber".into(), json!(["0x1", false]));
    let old = old.await.unwrap();
    chain.mine(3).await;
    following.agree(&chain).await;
    proxy.set_method("eth_getBlockByNumber", Some(Fault::Answer(old)));
    following.agree_with_frozen(&proxy).await;
    proxy.set_method("eth_getBlockByNumber", None);
    chain.log(LOGGER, 2).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    assert!(following.mirror.rewinds.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_not_told() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.log(LOGGER, 1).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    let logs: serde_json::Value = chain
        .node
        .raw_request("eth_getLogs".into(), json!([{ "fromBlock": "0x1" }]))
        .await
        .unwrap();
    let header: serde_json::Value = chain
        .node
        .raw_request("eth_getBlockByNumber".into(), json!(["latest", false]))
        .await
        .unwrap();
    let forged = |field: &str, value: &str| {
        let mut forged = header.clone();
        forged[field] = json!(value);
        Fault::Answer(forged)
    };
    let lies = [
        // Another block's logs; none where the bloom has some; the same one twice; a header with another time, parent, hash.
        ("eth_getLogs", Fault::Answer(logs.clone())),
        ("eth_getLogs", Fault::Answer(json!([]))),
        ("eth_getLogs", Fault::Answer(json!([logs[0], logs[0]]))),
        ("eth_getLogs", Fault::Error(-32000, "unknown block".into())),
        ("eth_getBlockByNumber", forged("timestamp", "0x1")),
        (
            "eth_getBlockByNumber",
            forged("parentHash", &B256::with_last_byte(1).to_string()),
        ),
        (
            "eth_getBlockByNumber",
            forged("hash", &B256::with_last_byte(1).to_string()),
        ),
        ("eth_getBlockByNumber", forged("number", "0xffff")),
        ("eth_getBlockByNumber", Fault::Answer(json!(null))),
        ("eth_getBlockByHash", Fault::Answer(json!(null))),
        ("eth_getBlockByHash", Fault::Answer(header.clone())),
    ];
    for (topic, (method, lie)) in lies.into_iter().enumerate() {
        let _ = proxy.take_counts();
        proxy.next(method, lie.clone());
        chain.log(LOGGER, 10 + topic as u64).await;
        chain.mine(2).await;
        following.agree(&chain).await;
        bounded("the lie to have been told", async {
            while proxy.take_counts().get(method).is_none() {
                chain.mine(2).await;
                following.agree(&chain).await;
            }
        })
        .await;
    }
    assert!(following.mirror.rewinds.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_came_too_late_are_told_after_all() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.mine(1).await;
    following.agree(&chain).await;
    // A node that knows the block and, for as long as it is asked, not yet its logs.
    chain.log(LOGGER, 1).await;
    proxy.set_method("eth_getLogs", Some(Fault::Answer(json!([]))));
    chain.mine(1).await;
    let head = chain.head().await;
    following
        .until("the block without its log", |mirror| {
            mirror.tip() == Some(head)
        })
        .await;
    assert!(following.mirror.logs.is_empty());
    proxy.set_method("eth_getLogs", None);
    for _ in 0..20 {
        chain.mine(1).await;
        let head = chain.head().await;
        following
            .until("the next block", |mirror| mirror.tip() == Some(head))
            .await;
    }
    following.agree(&chain).await;
    assert_eq!(following.mirror.rewinds.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_and_comes_back_is_followed_again() {
    let chain = Chain::start().await;
    let (proxy, client) = proxied(&chain).await;
    let mut following = Following::start(&client, 1);
    chain.log(LOGGER, 1).await;
    chain.mine(1).await;
    following.agree(&chain).await;
    proxy.set(Some(Fault::Drop));
    proxy.disconnect();
    chain.log(LOGGER, 2).await;
    // Away for longer than can be undone.
    chain.mine(200).await;
    proxy.set(None);
    following.agree(&chain).await;
    assert!(following.mirror.ranges > 0);
}
