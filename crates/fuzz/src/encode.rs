//! Calls as they are sent, and as Solidity writes them.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, Bytes, I256, U256, hex, keccak256};

/// One call of a sequence, its numbers fixed.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who sends it.
    pub from: Address,
    /// To which contract.
    pub to: Address,
    /// As Solidity's `abi.encodeWithSignature` takes it.
    pub signature: &'static str,
    /// Its arguments.
    pub arguments: Vec<DynSolValue>,
}

impl Call {
    /// A call of `signature` with these arguments.
    #[must_use]
    pub fn new(
        from: Address,
        to: Address,
        signature: &'static str,
        arguments: impl Into<Vec<DynSolValue>>,
    ) -> Self {
        Self {
            from,
            to,
            signature,
            arguments: arguments.into(),
        }
    }

    /// The calldata.
    #[must_use]
    pub fn data(&self) -> Bytes {
        let mut data = keccak256(self.signature)[..4].to_vec();
        data.extend(DynSolValue::Tuple(self.arguments.clone()).abi_encode_params());
        data.into()
    }

    /// The calldata as an expression of Solidity. Structs and lists are written as bytes.
    #[must_use]
    pub fn solidity(&self, name: &dyn Fn(Address) -> String) -> String {
        let arguments: Option<Vec<String>> = self
            .arguments
            .iter()
            .map(|value| expression(value, name))
            .collect();
        match arguments {
            Some(arguments) => {
                let all = std::iter::once(format!("\"{}\"", self.signature)).chain(arguments);
                format!(
                    "abi.encodeWithSignature({})",
                    all.collect::<Vec<_>>().join(", ")
                )
            }
            None => format!(
                "/* {} */ hex\"{}\"",
                self.signature,
                hex::encode(self.data())
            ),
        }
    }
}

fn expression(value: &DynSolValue, name: &dyn Fn(Address) -> String) -> Option<String> {
    Some(match value {
        DynSolValue::Uint(number, _) if *number == U256::MAX => "type(uint256).max".to_owned(),
        DynSolValue::Uint(number, _) => format!("uint256({number})"),
        DynSolValue::Int(number, _) => format!("int256({number})"),
        DynSolValue::Bool(flag) => flag.to_string(),
        DynSolValue::Address(address) => name(*address),
        DynSolValue::Bytes(bytes) if bytes.is_empty() => "bytes(\"\")".to_owned(),
        DynSolValue::Bytes(bytes) => format!("bytes(hex\"{}\")", hex::encode(bytes)),
        DynSolValue::FixedBytes(word, _) => format!("bytes32({word})"),
        _ => return None,
    })
}

/// An unsigned argument of any width.
#[must_use]
pub fn uint(number: U256) -> DynSolValue {
    DynSolValue::Uint(number, 256)
}

/// A signed argument of any width.
#[must_use]
pub fn int(number: I256) -> DynSolValue {
    DynSolValue::Int(number, 256)
}

/// An argument of `bytes`.
#[must_use]
pub fn bytes(data: &[u8]) -> DynSolValue {
    DynSolValue::Bytes(data.to_vec())
}

/// The block that what follows happens in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockAt {
    /// Unix seconds.
    pub timestamp: u64,
    /// Height.
    pub number: u64,
    /// Wei per gas.
    pub base_fee: u64,
}

/// What happened: what a counterexample is written from.
#[derive(Clone, Debug)]
pub enum Step {
    /// A block began.
    Block(BlockAt),
    /// A call, and whether it succeeded.
    Call(Call, bool),
}
