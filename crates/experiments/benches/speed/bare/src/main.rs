//! Executes a file of transactions by `transact_commit`, once for every line of standard input, and answers each with the thread's
//! nanoseconds and the gas. The file is written by `bare.rs` of the benchmark.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::str::FromStr;
use std::{collections::BTreeMap, env, fs};

use revm::bytecode::Bytecode;
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, TxKind, U256};
use revm::state::AccountInfo;
use revm::{ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext};
use rustix::time::{ClockId, clock_gettime};

enum Step {
    Block(BlockEnv),
    Transaction(TxEnv),
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args_os().nth(1).ok_or("expected a file")?;
    let (state, steps) = read(&fs::read_to_string(file)?)?;
    let mut output = io::stdout();
    for line in io::stdin().lock().lines() {
        line?;
        let (nanoseconds, gas) = execute(&state, &steps)?;
        writeln!(output, "{nanoseconds} {gas}")?;
        output.flush()?;
    }
    Ok(())
}

fn execute(state: &CacheDB<EmptyDB>, steps: &[Step]) -> Result<(u64, u64), Box<dyn Error>> {
    let mut configuration = CfgEnv::new_with_spec(SpecId::CANCUN).with_chain_id(31_337);
    configuration.limit_contract_code_size = Some(usize::MAX);
    configuration.tx_chain_id_check = false;
    let mut evm = Context::mainnet()
        .with_db(state.clone())
        .with_cfg(configuration)
        .build_mainnet();
    // Every transaction is handed over, as if it had just been made.
    let prepared: Vec<Step> = steps
        .iter()
        .map(|step| match step {
            Step::Block(block) => Step::Block(block.clone()),
            Step::Transaction(transaction) => Step::Transaction(transaction.clone()),
        })
        .collect();
    let mut gas = 0;
    let began = now();
    for step in prepared {
        match step {
            Step::Block(block) => evm.set_block(block),
            Step::Transaction(transaction) => {
                gas += evm.transact_commit(transaction)?.tx_gas_used()
            }
        }
    }
    Ok((now() - began, gas))
}

/// CPU time of this thread.
fn now() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn read(text: &str) -> Result<(CacheDB<EmptyDB>, Vec<Step>), Box<dyn Error>> {
    let mut state = CacheDB::new(EmptyDB::default());
    let mut steps = Vec::new();
    let mut nonces: BTreeMap<Address, u64> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["account", address, balance, nonce, code] => {
                let address = Address::from_str(address)?;
                let nonce = nonce.parse()?;
                nonces.insert(address, nonce);
                let code = Bytecode::new_raw(Bytes::from_str(code)?);
                let info = AccountInfo::from_bytecode(code)
                    .with_balance(balance.parse()?)
                    .with_nonce(nonce);
                state.insert_account_info(address, info);
            }
            ["slot", address, slot, value] => {
                state.insert_account_storage(
                    Address::from_str(address)?,
                    slot.parse()?,
                    value.parse()?,
                )?;
            }
            ["block", number, timestamp, gas_limit, base_fee, prevrandao] => {
                steps.push(Step::Block(BlockEnv {
                    number: number.parse::<U256>()?,
                    timestamp: timestamp.parse::<U256>()?,
                    gas_limit: gas_limit.parse()?,
                    basefee: base_fee.parse()?,
                    prevrandao: Some(B256::from_str(prevrandao)?),
                    blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
                        excess_blob_gas: 0,
                        blob_gasprice: 1,
                    }),
                    ..BlockEnv::default()
                }));
            }
            ["call", from, to, gas_limit, input] => {
                let caller = Address::from_str(from)?;
                let nonce = nonces.entry(caller).or_default();
                steps.push(Step::Transaction(TxEnv {
                    caller,
                    gas_limit: gas_limit.parse()?,
                    kind: TxKind::Call(Address::from_str(to)?),
                    data: Bytes::from_str(input)?,
                    nonce: *nonce,
                    ..TxEnv::default()
                }));
                *nonce += 1;
            }
            _ => return Err(format!("unknown line: {line}").into()),
        }
    }
    Ok((state, steps))
}
