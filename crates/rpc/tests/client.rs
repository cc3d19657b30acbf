//! Requests to nodes that die, hang, limit and answer nonsense.
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
use breakwater_bindings::contracts;
use breakwater_rpc::{
    CallReverted, Client, ConnectError, Endpoint, Endpoints, RpcError, TargetCall, connect,
    testing::{Fault, Proxy},
};
use common::{Chain, LOGGER, bounded, endpoints, faults, proxied, two};

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
        let _: U256 = client.request("eth_blockNumber", ()).await.unwrap();
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
    place(hex!("60015f5360015ffd").to_vec(), broken).await;

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

    // Several at once, as if in the next block, one of them reverting.
    let multicall = Address::with_last_byte(0xc5);
    let code = contracts()
        .iter()
        .find(|contract| contract.name == "Multicall")
        .unwrap()
        .deployed_code
        .clone();
    place(code.to_vec(), multicall).await;
    let calls = [clock, broken, clock].map(|to| TargetCall::new(to, &numberCall {}));
    let results = client
        .multicall(multicall, latest, &calls, Some(next.clone()))
        .await
        .unwrap();
    assert_eq!(results[0].as_ref().unwrap(), &answer);
    assert_eq!(
        results[1],
        Err(CallReverted {
            data: Bytes::from_static(&[1])
        })
    );
    assert_eq!(results[2], results[0]);

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
