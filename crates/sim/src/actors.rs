//! Who has an address on the chain. Addresses depend on the seed, so that what contracts derive from them (an account's turn)
//! differs between seeds, and on nothing else, so that it is the same under every policy.

use alloy_primitives::{Address, keccak256};

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Deploys everything, and is the market's governance.
    Operator,
    /// Lends everything that is lent.
    Lender,
    /// An account of the population.
    Borrower,
    /// A liquidator.
    Keeper,
    /// The arbitrageur.
    Arbitrageur,
    /// A provider of the venue's liquidity.
    Provider,
    /// Those who trade without knowing anything.
    Noise,
    /// The adversary.
    Adversary,
    /// A depositor of the backstop.
    Depositor,
    /// Who triggers absorptions.
    Absorber,
    /// Who buys the backstop's inventory.
    Buyer,
}

/// The address of the `number`-th actor in a role.
#[must_use]
pub fn address(seed: u64, role: Role, number: u32) -> Address {
    Address::from_word(keccak256(format!("breakwater/{seed}/{role:?}/{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_distinct_and_repeatable() {
        let first = address(1, Role::Borrower, 0);
        assert_eq!(first, address(1, Role::Borrower, 0));
        for other in [
            address(2, Role::Borrower, 0),
            address(1, Role::Keeper, 0),
            address(1, Role::Borrower, 1),
        ] {
            assert_ne!(first, other);
        }
    }
}
