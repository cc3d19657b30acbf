//! Code on chain against code as compiled.

/// `PUSH1`; `PUSH32` is 31 above it.
const PUSH1: u8 = 0x60;
const PUSH32: u8 = 0x7f;

/// Whether `found` is `compiled` with its immutables filled in. The compiler leaves 32 zero bytes behind a `PUSH32` for each
/// immutable, and for nothing else: a constant zero is pushed shorter.
///
/// # Errors
/// What differs, in words.
pub fn compare(compiled: &[u8], found: &[u8]) -> Result<(), String> {
    if found.is_empty() {
        return Err("none".to_owned());
    }
    if compiled.len() != found.len() {
        return Err(format!(
            "{} bytes long instead of {}",
            found.len(),
            compiled.len()
        ));
    }
    let mut at = 0;
    while at < compiled.len() {
        let operation = compiled[at];
        let operand = if (PUSH1..=PUSH32).contains(&operation) {
            usize::from(operation - PUSH1) + 1
        } else {
            0
        };
        let end = (at + 1 + operand).min(compiled.len());
        let is_immutable = operation == PUSH32
            && end - at == 33
            && compiled[at + 1..end].iter().all(|byte| *byte == 0);
        let compared = if is_immutable { at + 1 } else { end };
        if compiled[at..compared] != found[at..compared] {
            return Err(format!("other code from byte {at} on"));
        }
        at = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn immutables_may_differ_and_nothing_else() {
        let mut compiled = vec![0x5f, PUSH32];
        compiled.extend([0; 32]);
        compiled.extend([0x60, 0x07, 0x00]);
        assert_eq!(compare(&compiled, &compiled), Ok(()));
        let mut found = compiled.clone();
        found[9] = 0xff;
        assert_eq!(compare(&compiled, &found), Ok(()));
        for at in [0, 1, 34, 35, 36] {
            let mut found = compiled.clone();
            found[at] ^= 0x81;
            assert!(compare(&compiled, &found).is_err(), "byte {at}");
        }
        assert!(compare(&compiled, &compiled[..36]).is_err());
        assert_eq!(compare(&compiled, &[]), Err("none".to_owned()));
        // A pushed constant that is not zero is no immutable.
        let mut constant = compiled.clone();
        constant[20] = 1;
        assert!(compare(&constant, &compiled).is_err());
    }

    #[test]
    fn every_bound_contract_equals_itself() {
        for contract in breakwater_bindings::contracts() {
            assert_eq!(
                compare(contract.deployed_code, contract.deployed_code),
                Ok(()),
                "{}",
                contract.name
            );
        }
    }
}
