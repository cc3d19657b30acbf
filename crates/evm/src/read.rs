//! Read-only calls. While nothing changes, a contract answers the same question of the same caller alike: what one such call had
//! others compute, the next one is told.

use alloy_primitives::{Address, Bytes, map::HashMap};
use revm::{
    context::result::{ExecutionResult, HaltReason, ResultGas},
    handler::{EvmTr, FrameResult, Handler, ItemOrResult},
    interpreter::{
        CallOutcome, CallScheme, FrameInput, Gas, InstructionResult, InterpreterResult,
        interpreter_action::FrameInit,
    },
};

use crate::memory::{Engine, EngineError, discard};

/// What was asked of whom by whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    origin: Address,
    caller: Address,
    callee: Address,
    input: Bytes,
}

#[derive(Clone, Debug)]
struct Answer {
    output: Bytes,
    gas: u64,
}

/// Answers that hold in the present state and block. Whoever changes one of the two has to forget them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memo(HashMap<Question, Answer>);

impl Memo {
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// The result of a frame, if it is known and its gas suffices.
    fn result(&self, question: &Question, init: &FrameInit) -> Option<FrameResult> {
        let FrameInput::Call(inputs) = &init.frame_input else {
            return None;
        };
        let answer = self.0.get(question)?;
        let mut gas = Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit, inputs.reservoir);
        gas.record_regular_cost(answer.gas).then(|| {
            let result =
                InterpreterResult::new(InstructionResult::Return, answer.output.clone(), gas);
            FrameResult::Call(CallOutcome::new(
                result,
                inputs.return_memory_offset.clone(),
            ))
        })
    }

    fn keep(&mut self, question: Question, result: &FrameResult) {
        if let FrameResult::Call(outcome) = result
            && outcome.result.is_ok()
        {
            let answer = Answer {
                output: outcome.result.output.clone(),
                gas: outcome.result.gas.total_gas_spent(),
            };
            self.0.insert(question, answer);
        }
    }
}

/// Executes a static call, through the memo, and discards what it warmed.
pub(crate) struct ReadOnly<'a>(pub(crate) &'a mut Memo);

impl Handler for ReadOnly<'_> {
    type Evm = Engine;
    type Error = EngineError;
    type HaltReason = HaltReason;

    fn run_exec_loop(
        &mut self,
        evm: &mut Engine,
        mut outermost: FrameInit,
    ) -> Result<FrameResult, EngineError> {
        if let FrameInput::Call(inputs) = &mut outermost.frame_input {
            inputs.is_static = true;
        }
        // Of each frame that is open, what it answers.
        let mut open: Vec<Option<Question>> = Vec::new();
        let mut item = ItemOrResult::Item(outermost);
        loop {
            let result = match item {
                ItemOrResult::Item(init) => {
                    let question = question(evm, &init);
                    let known = question
                        .as_ref()
                        .and_then(|question| self.0.result(question, &init));
                    let result = match known {
                        Some(result) => result,
                        None => match evm.frame_init(init)? {
                            ItemOrResult::Item(_) => {
                                open.push(question);
                                item = evm.frame_run()?;
                                continue;
                            }
                            ItemOrResult::Result(result) => result,
                        },
                    };
                    if open.is_empty() {
                        return Ok(result);
                    }
                    result
                }
                ItemOrResult::Result(result) => {
                    if let Some(question) = open.pop().flatten() {
                        self.0.keep(question, &result);
                    }
                    result
                }
            };
            if let Some(result) = evm.frame_return_result(result)? {
                return Ok(result);
            }
            item = evm.frame_run()?;
        }
    }

    fn execution_result(
        &mut self,
        evm: &mut Engine,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult, EngineError> {
        discard(evm, result, gas)
    }
}

/// What a frame is asked, unless it runs another contract's code on its own state.
fn question(evm: &Engine, init: &FrameInit) -> Option<Question> {
    match &init.frame_input {
        FrameInput::Call(inputs)
            if matches!(inputs.scheme, CallScheme::Call | CallScheme::StaticCall) =>
        {
            Some(Question {
                origin: evm.ctx.tx.caller,
                caller: inputs.caller,
                callee: inputs.target_address,
                input: inputs.input.bytes(&evm.ctx),
            })
        }
        _ => None,
    }
}
