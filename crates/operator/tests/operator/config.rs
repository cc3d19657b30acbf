//! The file, the environment, and what is said of mistakes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::U256;
use breakwater_operator::config::{
    Capital, ConfigError, Environment, KeeperConfig, Kind, LogFormat, Presence, SETTINGS, redacted,
};

const FILE: &str = "/etc/keeper/keeper.toml";

const LEAST: &str =
    "[chain]\nrpc_urls = [\"http://127.0.0.1:8545\"]\nchain_id = 31337\nmanifest = \"m.json\"\n";

fn environment(variables: &[(&str, &str)]) -> Result<Environment, ConfigError> {
    Environment::from_variables(
        variables
            .iter()
            .map(|(name, value)| (name.into(), value.into())),
    )
}

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<KeeperConfig, String> {
    environment(variables)
        .and_then(|environment| KeeperConfig::parse(text, Path::new(FILE), &environment))
        .map_err(|error| error.to_string())
}

/// The least file with a line in a section of its own or in `[chain]`.
fn with(section: &str, line: &str) -> String {
    if section == "chain" {
        format!("{LEAST}{line}\n")
    } else {
        format!("{LEAST}[{section}]\n{line}\n")
    }
}

#[test]
fn the_example_parses_and_holds_every_default() {
    let example = parse(&KeeperConfig::example(), &[]).unwrap();
    let mut least = parse(LEAST, &[]).unwrap();
    least.chain.manifest = PathBuf::from("/etc/keeper/manifest.json");
    assert_eq!(example, least);
    for setting in SETTINGS {
        let name = setting.key.split_once('.').unwrap().1;
        assert!(
            KeeperConfig::example().contains(&format!("{name} = ")),
            "{} is not in the example",
            setting.key
        );
    }
}

#[test]
fn defaults_are_what_they_are_documented_to_be() {
    let config = parse(LEAST, &[]).unwrap();
    assert_eq!(config.chain.slot, Duration::from_secs(12));
    assert_eq!(config.account.keystore, None);
    assert_eq!(
        config.account.min_balance,
        U256::from(50_000_000_000_000_000_u64)
    );
    assert_eq!(config.strategy.capital, Capital::Flash);
    assert_eq!(config.strategy.max_gas_price, 2_000_000_000_000);
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9464");
    assert!(!config.http.allow_non_loopback);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.state.directory, Path::new("/etc/keeper/state"));
}

#[test]
fn every_key_can_be_set_by_its_variable_and_changes_the_configuration() {
    let plain = parse(LEAST, &[]).unwrap();
    for setting in SETTINGS {
        let mut variables = Vec::new();
        let value = match setting.kind {
            Kind::Urls => "http://a.example, wss://b.example/x",
            Kind::Integer(..) => "100",
            Kind::Number(..) => "0.25",
            Kind::Choice(words) => words[1],
            Kind::Flag => "true",
            Kind::Path => "elsewhere/file",
            Kind::Address => "0x00000000000000000000000000000000000000b5",
            Kind::Socket => "[::1]:9000",
            Kind::Hosts => "keeper.example,10.0.0.7",
            Kind::Filter => "warn,breakwater_rpc=debug",
        };
        variables.push((setting.variable(), value));
        if setting.key == "account.password_file" {
            variables.push(("BREAKWATER_ACCOUNT__KEYSTORE".to_owned(), "k.json"));
        }
        if setting.key == "chain.slot_seconds" {
            variables.push(("BREAKWATER_CHAIN__MAX_HEAD_AGE_SECONDS".to_owned(), "200"));
        }
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let changed =
            parse(LEAST, &variables).unwrap_or_else(|error| panic!("{}: {error}", setting.key));
        assert_ne!(changed, plain, "{}", setting.key);
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let config = parse(
        &with("strategy", "min_profit = 3.5"),
        &[
            ("BREAKWATER_STRATEGY__MIN_PROFIT", "7"),
            (
                "BREAKWATER_CHAIN__RPC_URLS",
                "https://a.example/v3/key,ws://b.example",
            ),
            ("BREAKWATER_CHAIN__MANIFEST", "here.json"),
        ],
    )
    .unwrap();
    assert_eq!(config.strategy.min_profit, 7.0);
    assert_eq!(config.chain.rpc_urls.len(), 2);
    // Of the file: relative to it. Of the environment: relative to the working directory.
    assert_eq!(config.chain.manifest, Path::new("here.json"));
    assert_eq!(config.state.directory, Path::new("/etc/keeper/state"));
}

#[test]
fn amounts_are_scaled_exactly() {
    let text =
        format!("{LEAST}[account]\nmin_balance = 0.1\n[strategy]\nmax_gas_price_gwei = 0.007\n");
    let config = parse(&text, &[]).unwrap();
    assert_eq!(
        config.account.min_balance,
        U256::from(100_000_000_000_000_000_u64)
    );
    assert_eq!(config.strategy.max_gas_price, 7_000_000);
}

#[test]
fn unknown_keys_name_the_nearest_one_and_the_line() {
    assert_eq!(
        parse(&with("strategy", "min_profits = 1"), &[]).unwrap_err(),
        "/etc/keeper/keeper.toml: line 6: unknown key `strategy.min_profits`, the nearest known key is `strategy.min_profit`"
    );
    assert_eq!(
        parse(&with("chian", "slot_seconds = 1"), &[]).unwrap_err(),
        "/etc/keeper/keeper.toml: line 5: unknown key `chian`, the nearest known key is `chain`"
    );
    assert_eq!(
        parse(LEAST, &[("BREAKWATER_CHAIN__RPC_URL", "x")]).unwrap_err(),
        "BREAKWATER_CHAIN__RPC_URL (environment): unknown key `BREAKWATER_CHAIN__RPC_URL`, the nearest known key is `BREAKWATER_CHAIN__RPC_URLS`"
    );
    assert!(
        parse(LEAST, &[("BREAKWATER_PRIVAT_KEY", "x")])
            .unwrap_err()
            .ends_with("the nearest known key is `BREAKWATER_PRIVATE_KEY`")
    );
    // Another tool's variable is none of ours.
    parse(
        LEAST,
        &[("BREAKWATER_CONFIG", "script/config/example.json")],
    )
    .unwrap();
}

#[test]
fn wrong_types_and_ranges_name_key_place_value_and_what_was_expected() {
    let cases = [
        (
            "chain",
            "slot_seconds = 0",
            "line 5: chain.slot_seconds is 0, expected a whole number from 1 to 600",
        ),
        (
            "chain",
            "slot_seconds = \"12\"",
            "line 5: chain.slot_seconds is \"12\", expected a whole number",
        ),
        (
            "chain",
            "slot_seconds = 12.5",
            "line 5: chain.slot_seconds is 12.5, expected a whole number",
        ),
        ("chain", "slot_seconds = 99999999999999999999", "line 5: "),
        (
            "chain",
            "backstop = \"0x0000000000000000000000000000000000000000\"",
            "line 5: chain.backstop is \"0x0000000000000000000000000000000000000000\", expected an address, 0x and 40",
        ),
        (
            "chain",
            "backstop = \"backstop\"",
            "line 5: chain.backstop is \"backstop\", expected an address",
        ),
        (
            "strategy",
            "min_profit = -1",
            "line 6: strategy.min_profit is -1, expected a number from 0",
        ),
        (
            "strategy",
            "min_profit = nan",
            "line 6: strategy.min_profit is NaN, expected a number",
        ),
        (
            "strategy",
            "capital = \"loan\"",
            "line 6: strategy.capital is \"loan\", expected \"flash\" or \"inventory\"",
        ),
        (
            "strategy",
            "capital = true",
            "line 6: strategy.capital is true, expected",
        ),
        (
            "http",
            "listen = \"9464\"",
            "line 6: http.listen is \"9464\", expected an IP address with a port",
        ),
        (
            "http",
            "allowed_hosts = [1]",
            "line 6: http.allowed_hosts is a list of other things than text",
        ),
        (
            "http",
            "allowed_hosts = [\"a b\"]",
            "line 6: http.allowed_hosts is [\"a b\"], expected",
        ),
        (
            "log",
            "filter = \"a=b=c\"",
            "line 6: log.filter is \"a=b=c\", expected a log level",
        ),
        (
            "state",
            "directory = \"\"",
            "line 6: state.directory is \"\", expected a path",
        ),
        (
            "state",
            "directory = 2024-01-01",
            "line 6: state.directory is a date, expected a path",
        ),
    ];
    for (section, line, said) in cases {
        let error = parse(&with(section, line), &[]).unwrap_err();
        assert!(error.contains(said), "{line}: {error}");
        assert!(error.starts_with(FILE) && !error.contains('\n'), "{error}");
    }
    let error = parse(LEAST, &[("BREAKWATER_HTTP__ALLOW_NON_LOOPBACK", "yes")]).unwrap_err();
    assert_eq!(
        error,
        "BREAKWATER_HTTP__ALLOW_NON_LOOPBACK (environment): http.allow_non_loopback is \"yes\", expected true or false"
    );
}

#[test]
fn what_is_missing_is_named_with_its_variable() {
    for setting in SETTINGS {
        let Presence::Required(_) = setting.presence else {
            continue;
        };
        let name = setting.key.split_once('.').unwrap().1;
        let text: String = LEAST
            .lines()
            .filter(|line| !line.starts_with(name))
            .map(|line| format!("{line}\n"))
            .collect();
        let error = parse(&text, &[]).unwrap_err();
        assert!(
            error.contains(&format!("`{}` is missing", setting.key)),
            "{error}"
        );
        assert!(error.ends_with(&setting.variable()), "{error}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    let cases = [
        (
            "http",
            "listen = \"0.0.0.0:9464\"",
            "http.listen is 0.0.0.0:9464, expected a loopback address",
        ),
        (
            "http",
            "listen = \"[::]:9464\"",
            "http.listen is [::]:9464, expected a loopback address",
        ),
        (
            "chain",
            "max_head_age_seconds = 23",
            "chain.max_head_age_seconds is 23, expected at least two slots, 24",
        ),
        (
            "account",
            "password_file = \"p\"",
            "account.password_file is given, expected account.keystore",
        ),
    ];
    for (section, line, said) in cases {
        let error = parse(&with(section, line), &[]).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    parse(
        &with(
            "http",
            "listen = \"0.0.0.0:9464\"\nallow_non_loopback = true",
        ),
        &[],
    )
    .unwrap();
    parse(&with("http", "listen = \"[::1]:0\""), &[]).unwrap();
}

#[test]
fn secrets_are_refused_in_the_file_and_never_repeated() {
    let secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    for key in [
        "private_key",
        "password",
        "mnemonic",
        "keystore_password",
        "secret",
    ] {
        let error = parse(&with("account", &format!("{key} = \"{secret}\"")), &[]).unwrap_err();
        assert!(
            error.contains("looks like a secret") && error.contains("BREAKWATER_PRIVATE_KEY"),
            "{error}"
        );
        assert!(!error.contains(secret), "{error}");
    }
    // A node's address is often a password: neither a wrong one nor broken TOML around it is shown.
    for line in [
        format!("rpc_urls = [\"ftp://node.example/{secret}\"]"),
        format!("rpc_urls = \"https://node.example/{secret}\""),
        format!("rpc_urls = [\"https://node.example/{secret}\""),
        format!("rpc_urls = [\"https://node.example/{secret}\"] trailing"),
    ] {
        let error = parse(&format!("[chain]\n{line}\nchain_id = 1\n"), &[]).unwrap_err();
        assert!(!error.contains(secret), "{error}");
    }
    let config = parse(
        LEAST,
        &[(
            "BREAKWATER_CHAIN__RPC_URLS",
            &format!("https://u:pass@n.example/v3/{secret}?k={secret}"),
        )],
    )
    .unwrap();
    let shown = format!("{config:?} {}", redacted(&config.chain.rpc_urls[0]));
    assert!(
        !shown.contains(secret) && !shown.contains("pass@"),
        "{shown}"
    );
    assert_eq!(redacted(&config.chain.rpc_urls[0]), "https://n.example/…");
}

#[test]
fn text_that_is_no_toml_names_the_line() {
    let error = parse("[chain]\nchain_id = = 3\n", &[]).unwrap_err();
    assert!(
        error.starts_with("/etc/keeper/keeper.toml: line 2: "),
        "{error}"
    );
    let error = parse("chain = 3\n", &[]).unwrap_err();
    assert!(error.contains("expected [chain]"), "{error}");
    let error = parse(&format!("{LEAST}chain_id = 5\n"), &[]).unwrap_err();
    assert!(
        error.contains("line 5: ") && error.contains("duplicate"),
        "{error}"
    );
}

#[test]
fn nothing_is_expanded() {
    let config = parse(
        &with("state", "directory = \"${HOME}/x\""),
        &[("HOME", "/root")],
    )
    .unwrap();
    assert_eq!(config.state.directory, Path::new("/etc/keeper/${HOME}/x"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("none.toml");
    let error = KeeperConfig::load(&file).unwrap_err().to_string();
    assert!(error.starts_with(&file.display().to_string()), "{error}");
}
