//! Addresses that follow from code and arguments: CREATE2 through the deterministic deployment proxy.

use alloy_primitives::{Address, B256, Bytes, address, hex};

/// The proxy that many chains have at this address (github.com/Arachnid/deterministic-deployment-proxy): called with a salt
/// and creation code, it creates and answers the address. Nobody owns it and it keeps nothing.
pub const FACTORY: Address = address!("4e59b44847b379578588920ca78fbf26c0b4956c");

/// Its whole code: what stands at the address is compared with it, since everything is created through it.
pub const FACTORY_CODE: [u8; 69] = hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// Where the creation code, arguments included, ends up.
#[must_use]
pub fn address_of(salt: B256, init_code: &[u8]) -> Address {
    FACTORY.create2_from_code(salt, init_code)
}

/// What the factory is called with.
#[must_use]
pub fn calldata(salt: B256, init_code: &[u8]) -> Bytes {
    [salt.as_slice(), init_code].concat().into()
}

/// Salt and creation code in what the factory is called with.
pub(crate) fn parts(calldata: &Bytes) -> Option<(B256, Bytes)> {
    let salt = calldata.get(..32)?;
    Some((B256::from_slice(salt), calldata.slice(32..)))
}
