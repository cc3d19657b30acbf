//! What nodes say to `eth_sendRawTransaction`. There is no standard: codes are nearly always -32000 and the words differ by
//! client, so words are matched, and whatever is not known counts as unknown (the transaction may be out).

use alloy::transports::TransportError;

/// What to make of an answer that is not a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The node has these very bytes.
    AlreadyKnown,
    /// The chain (or this node's view of it) has used the nonce.
    NonceTooLow,
    /// The node wants more than what it already has at this nonce.
    Underpriced,
    /// The fee does not pay the base fee, or not what this node asks.
    FeeTooLow,
    InsufficientFunds,
    /// No waiting makes these bytes acceptable.
    Invalid(String),
    /// No answer, or one that says nothing about the transaction.
    Unknown(String),
}

/// Makes a rejection of a message.
type Make = fn(String) -> Rejection;

/// Phrases in lower case, more specific ones first: as geth, reth, erigon, nethermind, besu and anvil word it, as far as known.
const PHRASES: [(&str, Make); 34] = [
    ("unknown transaction type", Rejection::Invalid),
    ("transaction type not supported", Rejection::Invalid),
    ("unknown transaction", Rejection::Unknown),
    ("already known", |_| Rejection::AlreadyKnown),
    ("alreadyknown", |_| Rejection::AlreadyKnown),
    ("already imported", |_| Rejection::AlreadyKnown),
    ("known transaction", |_| Rejection::AlreadyKnown),
    ("nonce too low", |_| Rejection::NonceTooLow),
    ("nonce is too low", |_| Rejection::NonceTooLow),
    ("oldnonce", |_| Rejection::NonceTooLow),
    ("replacement transaction underpriced", |_| {
        Rejection::Underpriced
    }),
    ("replacementnotallowed", |_| Rejection::Underpriced),
    ("could not replace existing", |_| Rejection::Underpriced),
    ("replacement underpriced", |_| Rejection::Underpriced),
    ("transaction underpriced", |_| Rejection::FeeTooLow),
    ("less than block base fee", |_| Rejection::FeeTooLow),
    ("fee cap less than", |_| Rejection::FeeTooLow),
    ("feetoolow", |_| Rejection::FeeTooLow),
    ("fee too low", |_| Rejection::FeeTooLow),
    ("gas price below", |_| Rejection::FeeTooLow),
    ("insufficient funds", |_| Rejection::InsufficientFunds),
    ("insufficientfunds", |_| Rejection::InsufficientFunds),
    ("insufficient balance", |_| Rejection::InsufficientFunds),
    ("exceeds account balance", |_| Rejection::InsufficientFunds),
    ("intrinsic gas too", Rejection::Invalid),
    ("gas floor", Rejection::Invalid),
    ("exceeds block gas limit", Rejection::Invalid),
    ("exceeds the configured cap", Rejection::Invalid),
    ("gas limit too high", Rejection::Invalid),
    ("gas limit reached", Rejection::Invalid),
    ("invalid sender", Rejection::Invalid),
    ("invalid chain id", Rejection::Invalid),
    ("oversized data", Rejection::Invalid),
    ("sender not an eoa", Rejection::Invalid),
];

impl Rejection {
    pub fn of(error: &TransportError) -> Self {
        match error.as_error_resp() {
            Some(answer) => Self::of_message(&answer.message),
            None => Self::Unknown(error.to_string()),
        }
    }

    fn of_message(message: &str) -> Self {
        let lower = message.to_lowercase();
        PHRASES
            .iter()
            .find(|(phrase, _)| lower.contains(phrase))
            .map_or_else(
                || Self::Unknown(message.to_owned()),
                |(_, make)| make(message.to_owned()),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_client_are_known() {
        for (message, expected) in [
            ("already known", Rejection::AlreadyKnown),
            ("AlreadyKnown", Rejection::AlreadyKnown),
            ("Known transaction", Rejection::AlreadyKnown),
            ("transaction already imported", Rejection::AlreadyKnown),
            (
                "unknown transaction type: 0x2",
                Rejection::Invalid("unknown transaction type: 0x2".into()),
            ),
            (
                "transaction type not supported",
                Rejection::Invalid("transaction type not supported".into()),
            ),
            (
                "Unknown transaction",
                Rejection::Unknown("Unknown transaction".into()),
            ),
            (
                "Transaction gas limit exceeds block gas limit",
                Rejection::Invalid("Transaction gas limit exceeds block gas limit".into()),
            ),
            (
                "nonce too low: next nonce 5, tx nonce 4",
                Rejection::NonceTooLow,
            ),
            (
                "OldNonce, Current nonce: 5, nonce of rejected tx: 4",
                Rejection::NonceTooLow,
            ),
            (
                "replacement transaction underpriced",
                Rejection::Underpriced,
            ),
            (
                "ReplacementNotAllowed, existing transaction",
                Rejection::Underpriced,
            ),
            (
                "transaction underpriced: gas tip cap 0, minimum needed 1",
                Rejection::FeeTooLow,
            ),
            (
                "max fee per gas less than block base fee: address 0x0, maxFeePerGas: 1, baseFee: 7",
                Rejection::FeeTooLow,
            ),
            (
                "insufficient funds for gas * price + value: address 0x0 have 0 want 1",
                Rejection::InsufficientFunds,
            ),
            (
                "Upfront cost exceeds account balance",
                Rejection::InsufficientFunds,
            ),
            (
                "intrinsic gas too low: gas 1, minimum needed 21000",
                Rejection::Invalid("intrinsic gas too low: gas 1, minimum needed 21000".into()),
            ),
            (
                "txpool is full",
                Rejection::Unknown("txpool is full".into()),
            ),
            (
                "nonce too high",
                Rejection::Unknown("nonce too high".into()),
            ),
            (
                "internal error",
                Rejection::Unknown("internal error".into()),
            ),
        ] {
            assert_eq!(Rejection::of_message(message), expected, "{message}");
        }
    }
}
