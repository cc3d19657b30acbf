//! Keys: where they come from, and that they go nowhere else.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

use alloy::signers::local::PrivateKeySigner;
use breakwater_operator::account::{AccountError, Secrets, unlock};
use breakwater_operator::config::AccountConfig;
use zeroize::Zeroizing;

const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const PASSWORD: &str = "correct horse";

/// A version 3 keystore of [`KEY`] under [`PASSWORD`]: PBKDF2 with few rounds, so that tests are quick.
const KEYSTORE: &str = include_str!("keystore.json");

fn config(directory: &Path, password_file: Option<&str>) -> AccountConfig {
    let keystore = directory.join("keystore.json");
    fs::write(&keystore, KEYSTORE).unwrap();
    AccountConfig {
        keystore: Some(keystore),
        password_file: password_file.map(|name| directory.join(name)),
        min_balance: alloy_primitives::U256::ZERO,
    }
}

fn without_keystore() -> AccountConfig {
    AccountConfig {
        keystore: None,
        password_file: None,
        min_balance: alloy_primitives::U256::ZERO,
    }
}

fn nobody(_: &Path) -> io::Result<Zeroizing<String>> {
    Err(io::Error::other("no terminal"))
}

fn private(file: &Path, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

fn address(signer: Result<PrivateKeySigner, AccountError>) -> String {
    signer.unwrap().address().to_string()
}

#[test]
fn a_key_comes_from_the_environment_with_or_without_0x() {
    for key in [KEY.to_owned(), format!("0x{KEY}"), format!(" 0x{KEY}\n")] {
        let secrets = Secrets::new(Some(key), None);
        assert_eq!(
            address(unlock(&without_keystore(), secrets, nobody)),
            ADDRESS
        );
    }
}

#[test]
fn a_key_that_is_none_is_refused_and_not_repeated() {
    let zero = "0".repeat(64);
    let high = "f".repeat(64);
    for key in [
        "",
        "hunter2",
        "0x1234",
        &KEY[1..],
        &format!("{KEY}00"),
        &format!("g{}", &KEY[1..]),
        &zero,
        &high,
    ] {
        let error = unlock(
            &without_keystore(),
            Secrets::new(Some(key.to_owned()), None),
            nobody,
        )
        .unwrap_err();
        assert!(matches!(error, AccountError::NotAKey), "{error}");
        assert!(key.is_empty() || !format!("{error} {error:?}").contains(key));
    }
    let none = unlock(&without_keystore(), Secrets::default(), nobody).unwrap_err();
    assert!(
        none.to_string().contains("account.keystore")
            && none.to_string().contains("BREAKWATER_PRIVATE_KEY")
    );
}

#[test]
fn the_password_comes_from_the_environment_then_the_file_then_the_prompt() {
    let directory = tempfile::tempdir().unwrap();
    private(
        &directory.path().join("good"),
        &format!("{PASSWORD}\nsecond line"),
        0o600,
    );
    private(&directory.path().join("wrong"), "no\n", 0o600);
    let asked = Cell::new(false);
    let ask = |_: &Path| {
        asked.set(true);
        Ok(Zeroizing::new(PASSWORD.to_owned()))
    };
    let from = |file: Option<&str>, password: Option<&str>| {
        unlock(
            &config(directory.path(), file),
            Secrets::new(None, password.map(str::to_owned)),
            ask,
        )
    };
    assert_eq!(address(from(Some("wrong"), Some(PASSWORD))), ADDRESS);
    assert_eq!(address(from(Some("good"), None)), ADDRESS);
    assert!(!asked.get());
    assert_eq!(address(from(None, None)), ADDRESS);
    assert!(asked.get());
    let error = from(Some("wrong"), None).unwrap_err();
    assert!(matches!(error, AccountError::Keystore { .. }), "{error}");
}

#[test]
fn mistakes_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let said = |config: &AccountConfig, secrets: Secrets| {
        unlock(config, secrets, nobody).unwrap_err().to_string()
    };
    let two = said(
        &config(path, None),
        Secrets::new(Some(KEY.to_owned()), None),
    );
    assert!(two.contains("two accounts") && !two.contains(KEY), "{two}");
    let silent = said(&config(path, None), Secrets::default());
    assert!(
        silent.contains("BREAKWATER_KEYSTORE_PASSWORD") && silent.contains("no terminal"),
        "{silent}"
    );
    for mode in [0o644, 0o640, 0o604] {
        private(&path.join("open"), PASSWORD, mode);
        let open = said(&config(path, Some("open")), Secrets::default());
        assert!(
            open.contains(&format!("mode {mode:04o}")) && !open.contains(PASSWORD),
            "{open}"
        );
    }
    private(&path.join("blank"), "\nlater\n", 0o600);
    assert!(said(&config(path, Some("blank")), Secrets::default()).contains("first line"));
    assert!(said(&config(path, Some("absent")), Secrets::default()).contains("absent"));
    let mut gone = config(path, None);
    gone.keystore = Some(path.join("gone.json"));
    // Before anybody is asked for a password.
    let error = unlock(&gone, Secrets::default(), |_: &Path| panic!("asked")).unwrap_err();
    assert!(error.to_string().contains("gone.json"), "{error}");
    fs::write(path.join("keystore.json"), "{}").unwrap();
    let mut broken = config(path, None);
    broken.keystore = Some(path.join("broken.json"));
    fs::write(path.join("broken.json"), "{}").unwrap();
    let error = said(&broken, Secrets::new(None, Some(PASSWORD.to_owned())));
    assert!(
        error.contains("broken.json") && !error.contains(PASSWORD),
        "{error}"
    );
}

#[test]
fn secrets_do_not_show() {
    let secrets = Secrets::new(Some(KEY.to_owned()), Some(PASSWORD.to_owned()));
    let shown = format!("{secrets:?}");
    assert!(!shown.contains(KEY) && !shown.contains(PASSWORD), "{shown}");
    let signer = unlock(&without_keystore(), secrets, nobody).unwrap();
    assert!(!format!("{signer:?}").contains(KEY));
}
