//! What identifies a run beside its seed: the configuration and the input.

use std::path::Path;

use alloy_primitives::Keccak256;
use breakwater_sim::config::WorldInput;

use crate::report::Setting;

/// Keys and values; paths by file name only, since the input's hash stands for what the files hold.
pub(super) fn hash_settings(settings: &[Setting]) -> String {
    let mut hash = Keccak256::new();
    for setting in settings {
        let path = setting
            .key
            .ends_with(".path")
            .then(|| Path::new(&setting.value).file_name())
            .flatten();
        let value = path.map_or(setting.value.as_str().into(), |name| name.to_string_lossy());
        hash.update(format!("{} = {value}\n", setting.key));
    }
    hash.finalize().to_string()
}

/// Every bit of the series and accounts.
pub(super) fn hash_input(input: &WorldInput) -> String {
    let mut hash = Keccak256::new();
    hash.update(input.start.to_be_bytes());
    for series in [
        &input.prices,
        &input.gas_gwei,
        &input.native_prices,
        &input.depth,
    ] {
        hash.update((series.len() as u64).to_be_bytes());
        for value in series {
            hash.update(value.to_bits().to_be_bytes());
        }
    }
    for account in &input.accounts {
        hash.update(account.collateral.to_bits().to_be_bytes());
        hash.update(account.debt.to_bits().to_be_bytes());
    }
    hash.finalize().to_string()
}
