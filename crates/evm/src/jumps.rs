//! Which jumps an execution took: what a coverage-guided search steers by.

use alloy_primitives::B256;
use revm::{
    bytecode::opcode,
    context::{BlockEnv, CfgEnv, Context, Journal, TxEnv},
    handler::instructions::EthInstructions,
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, instructions::control,
        interpreter::EthInterpreter, interpreter_types::Jumps,
    },
};

use crate::state::Overlay;

/// What the engine's instructions see of a chain: its state and, while jumps are counted, the counter.
pub(crate) type EngineContext =
    Context<BlockEnv, TxEnv, CfgEnv, Overlay, Journal<Overlay>, Option<Box<JumpCounter>>>;

/// Gas of `JUMP` and of `JUMPI`, unchanged since Frontier.
const JUMP_GAS: u16 = 8;
const JUMPI_GAS: u16 = 10;

/// Counts the jumps between program counters of chosen contracts, in 2^16 saturating counters that a hash of (code, from, to)
/// selects, as AFL does. A conditional jump that is not taken counts too.
#[derive(Clone, Debug)]
pub struct JumpCounter {
    /// The first eight bytes of each watched code's hash: no two contracts here share them.
    codes: Vec<u64>,
    counts: Vec<u8>,
    touched: Vec<u16>,
}

impl JumpCounter {
    /// Counts in contracts with these code hashes.
    #[must_use]
    pub fn new(codes: &[B256]) -> Self {
        Self {
            codes: codes.iter().map(head).collect(),
            counts: vec![0; 1 << 16],
            touched: Vec::new(),
        }
    }

    /// Hands over what was counted since the last time, each counter once, in the order first touched, and forgets it.
    pub fn drain(&mut self, mut each: impl FnMut(u16, u8)) {
        for edge in self.touched.drain(..) {
            each(edge, std::mem::take(&mut self.counts[usize::from(edge)]));
        }
    }

    fn count(&mut self, code: u64, from: usize, to: usize) {
        if !self.codes.contains(&code) {
            return;
        }
        // Fibonacci hashing: the high bits of the product depend on all of the operand's.
        let place = code ^ ((from as u64) << 32) ^ to as u64;
        let edge = (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16;
        let count = &mut self.counts[usize::from(edge)];
        if *count == 0 {
            self.touched.push(edge);
        }
        *count = count.saturating_add(1);
    }
}

fn head(hash: &B256) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(bytes)
}

/// Replaces the two jumps by the same jumps, counted.
pub(crate) fn instrument(instructions: &mut EthInstructions<EthInterpreter, EngineContext>) {
    instructions.insert_instruction(opcode::JUMP, Instruction::new(jump), JUMP_GAS);
    instructions.insert_instruction(opcode::JUMPI, Instruction::new(jumpi), JUMPI_GAS);
}

type Frame<'a> = InstructionContext<'a, EngineContext, EthInterpreter>;

fn jump(context: Frame<'_>) -> InstructionExecResult {
    counted(context, control::jump)
}

fn jumpi(context: Frame<'_>) -> InstructionExecResult {
    counted(context, control::jumpi)
}

fn counted(
    context: Frame<'_>,
    instruction: impl FnOnce(Frame<'_>) -> InstructionExecResult,
) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let from = interpreter.bytecode.pc();
    let result = instruction(InstructionContext {
        interpreter: &mut *interpreter,
        host: &mut *host,
    });
    if let Some(counter) = &mut host.chain
        && let Some(hash) = interpreter.bytecode.hash()
    {
        counter.count(head(&hash), from, interpreter.bytecode.pc());
    }
    result
}
