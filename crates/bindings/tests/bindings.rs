//! What the build has bound.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{U256, hex};
use alloy_sol_types::{Panic, Revert, SolCall, SolError, SolInterface};
use breakwater_bindings::{IPriceOracle, SimToken, UniswapV3Pool, contracts, describe_revert};

#[test]
fn protocol_mocks_and_npm_artifacts_are_bound() {
    let names: Vec<_> = contracts().iter().map(|contract| contract.name).collect();
    for name in [
        "LendingPool",
        "TwapOracle",
        "SimFeed",
        "SimToken",
        "VenueRouter",
        "UniswapV3Factory",
        "UniswapV3Pool",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    assert!(names.is_sorted());
    // Interfaces and libraries of internal functions have nothing to deploy.
    assert!(
        !names.contains(&"ILendingPool") && !names.contains(&"RateCurve"),
        "{names:?}"
    );
}

#[test]
fn every_protocol_contract_is_within_eip_170() {
    for contract in contracts()
        .iter()
        .filter(|contract| contract.source.starts_with("contracts/"))
    {
        let size = contract.deployed_code.len();
        assert!(
            size > 0 && size <= 24_576,
            "{}: {size} bytes",
            contract.name
        );
    }
}

#[test]
fn selectors_are_those_of_the_abi() {
    // The first four bytes of keccak256("transfer(address,uint256)") and of keccak256("slot0()").
    assert_eq!(SimToken::transferCall::SELECTOR, hex!("a9059cbb"));
    assert_eq!(UniswapV3Pool::slot0Call::SELECTOR, hex!("3850c7bd"));
    // A struct and an enum decode: fast, slow, confirm, cumulative, status.
    let words = [1_u8, 2, 3, 4, 1]
        .map(|word| U256::from(word).to_be_bytes::<32>())
        .concat();
    let prices = IPriceOracle::peekCall::abi_decode_returns(&words).unwrap();
    assert_eq!(
        (prices.fast, prices.cumulative),
        (U256::from(1), U256::from(4))
    );
}

#[test]
fn reverts_are_described() {
    let data = SimToken::InsufficientAllowance {}.abi_encode();
    assert!(
        describe_revert(&data)
            .unwrap()
            .contains("InsufficientAllowance")
    );
    assert!(SimToken::SimTokenErrors::abi_decode(&data).is_ok());
    assert_eq!(
        describe_revert(&Revert::from("SPL").abi_encode()).unwrap(),
        "revert: SPL"
    );
    let overflow = Panic {
        code: U256::from(0x11),
    }
    .abi_encode();
    assert!(describe_revert(&overflow).unwrap().starts_with("panic: "));
    assert_eq!(describe_revert(&[]), None);
    assert_eq!(describe_revert(&hex!("deadbeef")), None);
    // A selector alone, where the error has arguments, is not that error.
    assert_eq!(describe_revert(&Revert::SELECTOR), None);
}
