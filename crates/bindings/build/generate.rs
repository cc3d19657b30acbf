//! Writes the Rust source of the bindings, and the JSON that its `sol!` macros read.

use crate::Binding;
use std::{fmt::Write, fs, io, path::Path};

pub(crate) fn generate(bindings: &[Binding], out: &Path) -> io::Result<()> {
    let mut rust = String::new();
    let directory = out.join("abi");
    // Nothing of a contract that is gone stays behind.
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir(&directory)?;
    for binding in bindings {
        let Binding { name, source, .. } = binding;
        let module = snake_case(name);
        // In a file of its own: inline, every type error about the contract would print its bytecode.
        fs::write(
            directory.join(format!("{name}.json")),
            contract_json(binding),
        )?;
        let _ = write!(
            rust,
            "#[doc = \"`{name}` of `{source}`.\"]\n\
             #[allow(missing_docs, clippy::all, rustdoc::all)]\n\
             pub mod {module} {{\n\
             alloy_sol_types::sol!(\n\
             #[sol(extra_derives(Debug, PartialEq, Eq))]\n\
             {name}, concat!(env!(\"OUT_DIR\"), \"/abi/{name}.json\"));\n\
             }}\n\
             pub use {module}::{name};\n"
        );
    }
    catalogue(&mut rust, bindings);
    reverts(&mut rust, bindings);
    fs::write(out.join("bindings.rs"), rust)
}

fn contract_json(
    Binding {
        abi,
        creation_code,
        deployed_code,
        ..
    }: &Binding,
) -> String {
    if creation_code.is_empty() {
        return format!("{{\"abi\":{abi}}}");
    }
    format!(
        "{{\"abi\":{abi},\"bytecode\":\"0x{creation_code}\",\"deployedBytecode\":\"0x{deployed_code}\"}}"
    )
}

fn catalogue(rust: &mut String, bindings: &[Binding]) {
    rust.push_str("static CATALOGUE: &[Contract] = &[\n");
    for Binding { name, source, .. } in bindings
        .iter()
        .filter(|binding| !binding.creation_code.is_empty())
    {
        let _ = writeln!(
            rust,
            "Contract {{ name: {name:?}, source: {source:?}, \
             creation_code: &{name}::BYTECODE, deployed_code: &{name}::DEPLOYED_BYTECODE }},"
        );
    }
    rust.push_str("];\n");
}

fn reverts(rust: &mut String, bindings: &[Binding]) {
    rust.push_str("fn describe_custom_error(data: &[u8]) -> Option<String> {\nuse alloy_sol_types::SolInterface;\n");
    for Binding { name, .. } in bindings.iter().filter(|binding| binding.has_errors) {
        let _ = writeln!(
            rust,
            "if let Ok(error) = {name}::{name}Errors::abi_decode(data) {{ return Some(format!(\"{{error:?}}\")); }}"
        );
    }
    rust.push_str("None\n}\n");
}

/// `ILendingPool` to `i_lending_pool`, `UniswapV3Pool` to `uniswap_v3_pool`, `TWAPOracle` to `twap_oracle`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let starts_word = letter.is_uppercase()
            && index > 0
            && (!letters[index - 1].is_uppercase()
                || letters
                    .get(index + 1)
                    .is_some_and(|next| next.is_lowercase()));
        if starts_word && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
