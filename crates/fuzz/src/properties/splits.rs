//! Splitting a call gains nothing: the same call made in two halves, in a copy of the world as it was before.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_bindings::{ILendingPool, LendingPool};
use breakwater_evm::{Chain, Execution, MemoryChain, Transaction};
use breakwater_protocol::math::{PRICE_SCALE, WAD, mul_div_up, value_down};

use super::{Property, Violation, require};
use crate::action::Kind;
use crate::encode::{Call, Step, uint};
use crate::sample::Sample;
use crate::seen::{Answers, Halves, Seen};
use crate::world::{GAS, World, balance, view_word};

/// What is left to whoever makes a call, or to whom it is made.
#[derive(Clone, Copy, Debug)]
enum Stake {
    /// Shares of a lender.
    Shares(Address),
    /// Assets in a wallet.
    Assets(Address),
    /// Debt of a borrower: the less the better.
    Debt(Address),
    /// What liquidations handed over above what was repaid.
    Profit,
}

/// A call that is about to be made, and the world before it.
pub struct Split<'a> {
    world: &'a World,
    call: &'a Call,
    /// Which argument says how much.
    position: usize,
    stake: Stake,
    before: MemoryChain,
    /// The halves, and how they ended.
    made: Vec<(Call, Execution)>,
}

impl<'a> Split<'a> {
    /// Copies the world if halves of this call can be compared with it.
    pub fn prepare(
        world: &'a World,
        chain: &mut MemoryChain,
        kind: Kind,
        call: &'a Call,
    ) -> Option<Self> {
        let address = |index: usize| call.arguments.get(index)?.as_address();
        let (position, stake) = match kind {
            Kind::Deposit => (0, Stake::Shares(address(1)?)),
            Kind::Mint => (0, Stake::Assets(call.from)),
            Kind::Withdraw => (0, Stake::Shares(address(2)?)),
            Kind::Redeem => (0, Stake::Assets(address(1)?)),
            Kind::Borrow | Kind::Repay => (0, Stake::Debt(address(1)?)),
            Kind::Liquidate => (2, Stake::Profit),
            _ => return None,
        };
        Some(Self {
            world,
            call,
            position,
            stake,
            before: chain.fork(),
            made: Vec::new(),
        })
    }

    /// P6, after the whole call succeeded. `before` and `after` are samples around it, `logs` its events. Answers whether halves
    /// were made that can be compared: where one of them is refused, or dust makes them more than the whole, they cannot.
    pub fn check(
        &mut self,
        chain: &mut MemoryChain,
        before: &Sample,
        logs: &[Log],
        base_fee: u64,
    ) -> Result<bool, Violation> {
        let asked = self.call.arguments.get(self.position);
        let Some((asked, _)) = asked.and_then(DynSolValue::as_uint) else {
            return Ok(false);
        };
        let (repaid, profit, unit) = self.liquidated(before, logs);
        let whole = match self.stake {
            Stake::Profit => repaid,
            Stake::Debt(_) => self.most_repaid(asked)?,
            Stake::Shares(_) | Stake::Assets(_) => asked,
        };
        let half = whole / U256::from(2);
        if half.is_zero() {
            return Ok(false);
        }
        let mut events = Vec::new();
        for (index, amount) in [half, whole - half].into_iter().enumerate() {
            let (half, execution) = self.make(amount)?;
            // Half of a liquidation is to gain no more than the whole either.
            if !execution.is_success() && (index == 0 || !matches!(self.stake, Stake::Profit)) {
                return Ok(false);
            }
            events.extend_from_slice(&execution.logs);
            self.made.push((half, execution));
        }
        let told = |whole: U256, split: U256| {
            format!(
                "{}: {whole} in one call, {split} in two",
                self.call.signature
            )
        };
        if matches!(self.stake, Stake::Profit) {
            let (split_repaid, split, _) = self.liquidated(before, &events);
            if split_repaid > repaid + U256::from(2) {
                return Ok(false);
            }
            // What one call rounds off of the collateral, and a unit of debt for each half. And what it rounds off of the bonus, which
            // has 18 decimals: where an account has collateral C for debt D and the bonus is at most β = C/D − 1, a first half at
            // b ≤ β leaves the second at most β·repaid in all, and one call takes more than (β − 10^-18)·repaid.
            let rounding = unit + U256::from(2) + repaid.div_ceil(WAD);
            let most = profit + rounding + self.gas_left_over(before, base_fee);
            require(split <= most, Property::P6, || told(profit, split))?;
            return Ok(true);
        }
        let whole = self.stake.left(self.world, chain)?;
        let split = self.stake.left(self.world, &mut self.before)?;
        let gains = match self.stake {
            Stake::Debt(_) => split < whole,
            _ => split > whole,
        };
        require(!gains, Property::P6, || told(whole, split))?;
        Ok(true)
    }

    /// The halves that were made, for a printed test. `answers` are those before the whole call.
    pub fn halves(mut self, mut answers: Answers, armed: bool) -> Halves {
        let mut steps = Vec::new();
        for (call, execution) in self.made {
            answers.add(&execution, armed);
            steps.push(Step::Call(call, execution.is_success()));
        }
        let seen = Seen::look(&mut self.before, self.world, answers);
        Halves { steps, seen }
    }

    fn make(&mut self, amount: U256) -> Result<(Call, Execution), Violation> {
        let mut half = self.call.clone();
        half.arguments[self.position] = uint(amount);
        let transaction = Transaction {
            gas_limit: GAS,
            ..Transaction::call(half.from, half.to, half.data())
        };
        let executed = self.before.execute(&transaction);
        executed
            .map(|execution| (half, execution))
            .map_err(|error| Violation::new(Property::Views, error.to_string()))
    }

    /// Repaid, profit at the fast price, and a unit of the collateral, in debt rounded up.
    fn liquidated(&self, before: &Sample, logs: &[Log]) -> (U256, U256, U256) {
        let own = logs
            .iter()
            .filter(|log| log.address == self.world.place.pool);
        let events = own.filter_map(|log| ILendingPool::Liquidated::decode_log(log).ok());
        let (mut repaid, mut worth, mut unit) = (U256::ZERO, U256::ZERO, U256::ZERO);
        for event in events {
            let id = usize::try_from(event.collateralId).unwrap_or_default();
            let price = before.view.collaterals[id].prices.fast;
            repaid += event.repaid;
            worth += value_down(event.seized, price).unwrap_or_default();
            unit = mul_div_up(U256::ONE, price, PRICE_SCALE).unwrap_or_default();
        }
        (repaid, worth.saturating_sub(repaid), unit)
    }

    /// The gas bonus is sized for x, and x then falls by up to that bonus where all the collateral is taken: so much of it, at most
    /// the largest bonus, is left to a second call. That call costs the liquidator a whole liquidation's gas.
    fn gas_left_over(&self, before: &Sample, base_fee: u64) -> U256 {
        let Some(damped) = self.world.damped_at(before.view.policy) else {
            return U256::ZERO;
        };
        let parameters = damped.parameters();
        let cost = U256::from(base_fee) * U256::from(parameters.liquidation_gas);
        let cost = value_down(cost, before.view.collaterals[0].prices.fast).unwrap_or_default();
        mul_div_up(cost, parameters.bonus_max, WAD).unwrap_or(U256::MAX >> 1)
    }

    /// A repayment beyond the debt is one of the debt.
    fn most_repaid(&mut self, asked: U256) -> Result<U256, Violation> {
        if !self.call.signature.starts_with("repay") {
            return Ok(asked);
        }
        Ok(asked.min(self.stake.left(self.world, &mut self.before)?))
    }
}

impl Stake {
    /// How much of it there is.
    fn left(self, world: &World, chain: &mut MemoryChain) -> Result<U256, Violation> {
        let place = &world.place;
        let data = match self {
            Self::Assets(owner) => return Ok(balance(chain, place.asset, owner)),
            Self::Profit => return Ok(U256::ZERO),
            Self::Shares(account) => LendingPool::balanceOfCall { account }.abi_encode(),
            Self::Debt(account) => ILendingPool::debtOfCall { account }.abi_encode(),
        };
        view_word(chain, place.pool, data.into())
            .map_err(|error| Violation::new(Property::Views, error.to_string()))
    }
}
