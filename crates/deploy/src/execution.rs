//! Carrying out a plan, one confirmed transaction after another, from wherever it was left.

mod inclusion;
mod sending;

use std::time::Duration;

use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{B256, Bytes, U256, keccak256};
use tokio::time::{Instant, sleep};

use crate::account::Account;
use crate::calls::{Role, has_role};
use crate::chain::{RpcViews, Views, chain_id, failure};
use crate::create2::{FACTORY, FACTORY_CODE};
use crate::error::DeployError;
use crate::estimate::{Estimate, simulate};
use crate::manifest::{Deployment, ManifestFile, TransactionRecord};
use crate::plan::{Creation, Plan, Step};
use crate::verify::{require_agreement, verify, verify_history};

/// Blocks after which the system is compared again: reorganisations of a chain at work are seldom deeper.
const CONFIRMATIONS: u64 = 3;

/// Longest wait for the next of them.
const LONGEST_SLOT: Duration = Duration::from_secs(60);

/// How long an execution waits.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For a transaction to be included.
    pub inclusion: Duration,
    /// Between two questions for it.
    pub poll: Duration,
}

impl Default for Settings {
    /// Five minutes, asking twice a second.
    fn default() -> Self {
        Self {
            inclusion: Duration::from_secs(300),
            poll: Duration::from_millis(500),
        }
    }
}

/// Whether the chain shows a step's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Still to be sent.
    Open,
    /// There.
    Done,
}

/// A step that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its place in the plan.
    pub step: usize,
    /// The transaction.
    pub transaction: TransactionRecord,
}

/// A plan on its way. Whether a step is done is always asked of the chain, never of the manifest: a run may break off
/// anywhere, and what was sent without being recorded is found all the same.
#[derive(Debug)]
pub struct Execution {
    provider: DynProvider,
    views: RpcViews,
    account: Account,
    plan: Plan,
    states: Vec<StepState>,
    /// Of each step, the place of its record among the contracts or the calls.
    places: Vec<usize>,
    deployment: Deployment,
    file: ManifestFile,
    settings: Settings,
    /// The latest block when it was opened: what has changed since is in later ones.
    opened: u64,
}

impl Execution {
    /// Looks at what is there already. Sends nothing, and writes nothing unless the manifest says of a system that is not
    /// complete that it is. Waits for earlier transactions of the account, but not for one of this plan that is to be replaced.
    ///
    /// # Errors
    /// [`DeployError`]: the manifest holds another system on this chain, the chain is another, it lacks the factory,
    /// transactions of the account remain pending.
    pub async fn open(
        provider: DynProvider,
        account: Account,
        plan: Plan,
        file: ManifestFile,
        settings: Settings,
    ) -> Result<Self, DeployError> {
        let expected = plan.deployment.chain_id;
        let found = chain_id(&provider).await?;
        if found != expected {
            return Err(DeployError::WrongChain { expected, found });
        }
        file.check(expected, plan.deployment.configuration_hash)?;
        let views = RpcViews::new(provider.clone());
        require_factory(&views).await?;
        let mut execution = Self {
            deployment: plan.deployment.clone(),
            states: vec![StepState::Open; plan.steps.len()],
            places: places(&plan.steps),
            provider,
            views,
            account,
            plan,
            file,
            settings,
            opened: 0,
        };
        execution.opened = execution.block_number().await?;
        execution.recall();
        execution.await_earlier().await?;
        execution.look().await?;
        execution.judge().await?;
        Ok(execution)
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether each step of the plan is done.
    #[must_use]
    pub fn states(&self) -> &[StepState] {
        &self.states
    }

    /// What is recorded so far.
    #[must_use]
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What the open steps cost, by the RPC's own execution of them.
    ///
    /// # Errors
    /// [`DeployError::Refused`] with the first step that a contract would refuse, [`DeployError::Rpc`].
    pub async fn estimate(&self) -> Result<Estimate, DeployError> {
        let fee = self.fees().await?.0;
        let mut open = Vec::new();
        let mut calls = Vec::new();
        for (number, step) in self.plan.steps.iter().enumerate() {
            if self.states[number] == StepState::Open {
                open.push(number);
                let (to, data) = step.request();
                calls.push((step.to_string(), to, data));
            }
        }
        let mut steps = vec![None; self.plan.steps.len()];
        if calls.is_empty() {
            return Ok(Estimate {
                steps,
                total: Some(0),
                fee,
            });
        }
        let gas = simulate(&self.provider, self.account.address(), &calls).await?;
        let total = gas.as_ref().map(|gas| gas.iter().sum());
        for (number, gas) in open.into_iter().zip(gas.into_iter().flatten()) {
            steps[number] = Some(gas);
        }
        Ok(Estimate { steps, total, fee })
    }

    /// Whether the account can pay for an estimate.
    ///
    /// # Errors
    /// [`DeployError::InsufficientFunds`], [`DeployError::Rpc`].
    pub async fn require_funds(&self, estimate: &Estimate) -> Result<(), DeployError> {
        let gas = estimate.total.unwrap_or_default();
        let needed = U256::from(gas) * U256::from(estimate.fee);
        let account = self.account.address();
        let balance = self
            .provider
            .get_balance(account)
            .await
            .map_err(|error| failure("read the account's balance", error))?;
        if balance < needed {
            return Err(DeployError::InsufficientFunds {
                account,
                balance,
                needed,
                gas,
                fee: estimate.fee,
            });
        }
        Ok(())
    }

    /// Carries out the first open step and waits until it is confirmed and the chain shows its effect; `None` where no step
    /// is open.
    ///
    /// # Errors
    /// [`DeployError`]; a new [`Execution`] continues.
    pub async fn advance(&mut self) -> Result<Option<Progress>, DeployError> {
        let Some(number) = self.first_open() else {
            return Ok(None);
        };
        let step = self.plan.steps[number].clone();
        let label = step.to_string();
        if !self.is_on_its_way(number).await? {
            self.send(number, &label).await?;
        }
        let transaction = self.await_inclusion(number, &label).await?;
        self.await_effect(&step, &label, transaction.hash).await?;
        self.states[number] = StepState::Done;
        self.record()?;
        Ok(Some(Progress {
            step: number,
            transaction,
        }))
    }

    /// Compares the whole system with the plan, again some blocks later where the chain makes blocks by itself, and marks the
    /// deployment complete. One that was complete is compared once; where it differs the manifest no longer says so.
    ///
    /// # Errors
    /// [`DeployError::Mismatches`], [`DeployError::TakenBack`], [`DeployError::Rpc`], [`DeployError::Manifest`].
    pub async fn finish(mut self) -> Result<Deployment, DeployError> {
        self.compare().await?;
        if !self.deployment.complete {
            require_agreement(&self.views, &self.plan).await?;
        }
        if !self.deployment.complete && self.let_blocks_pass().await? {
            self.look().await?;
            if let Some(number) = self.first_open() {
                let step = self.plan.steps[number].to_string();
                return Err(DeployError::TakenBack { step });
            }
            self.compare().await?;
            for number in 0..self.plan.steps.len() {
                self.doubt_record(number);
            }
        }
        for number in 0..self.plan.steps.len() {
            self.complete_record(number).await?;
        }
        self.deployment.complete = true;
        self.record()?;
        Ok(self.deployment)
    }

    async fn compare(&mut self) -> Result<(), DeployError> {
        let mut compared = verify(&self.views, &self.plan).await;
        if compared.is_ok() {
            let first_block = self.deployment.first_block;
            compared = verify_history(&self.provider, &self.plan, first_block).await;
        }
        // An RPC that fails says nothing of the system.
        if compared.is_err() && !matches!(compared, Err(DeployError::Rpc { .. })) {
            self.withdraw()?;
        }
        compared
    }

    /// Writes that the system is not complete, where the manifest says that it is. Nothing else in it changes.
    fn withdraw(&mut self) -> Result<(), DeployError> {
        self.deployment.complete = false;
        let known = self.file.manifest().chains.get(&self.deployment.chain_id);
        if let Some(known) = known.filter(|known| known.complete) {
            let mut known = known.clone();
            known.complete = false;
            self.file.record(known)?;
        }
        Ok(())
    }

    /// Waits for [`CONFIRMATIONS`] more blocks; says whether they came. An anvil without an interval makes none by itself and is
    /// not waited for; of another chain that makes none, that is found by waiting for [`LONGEST_SLOT`].
    async fn let_blocks_pass(&self) -> Result<bool, DeployError> {
        // Seconds, rounded down; others do not know the method.
        let interval = self
            .provider
            .raw_request::<_, Option<u64>>("anvil_getIntervalMining".into(), ());
        if matches!(interval.await, Ok(None)) {
            return Ok(false);
        }
        let mut seen = self.block_number().await?;
        let last = seen + CONFIRMATIONS;
        let mut since = Instant::now();
        while seen < last {
            if since.elapsed() >= LONGEST_SLOT.min(self.settings.inclusion) {
                tracing::warn!(block = seen, "no blocks come: the system was compared once");
                return Ok(false);
            }
            sleep(self.settings.poll).await;
            let now = self.block_number().await?;
            if now > seen {
                (seen, since) = (now, Instant::now());
            }
        }
        Ok(true)
    }

    fn first_open(&self) -> Option<usize> {
        let mut states = self.states.iter();
        states.position(|state| *state == StepState::Open)
    }

    /// Which steps the chain shows to be done.
    async fn look(&mut self) -> Result<(), DeployError> {
        let timelock = self.plan.deployment.timelock;
        let handed_over = !self.views.code(timelock).await?.is_empty()
            && !has_role(&self.views, timelock, Role::Admin, self.plan.deployer).await?;
        for (number, step) in self.plan.steps.iter().enumerate() {
            let done = match step {
                Step::Create(creation) => {
                    let code = self.views.code(creation.address).await?;
                    set_code_hash(&mut self.deployment, creation, &code);
                    !code.is_empty()
                }
                // Giving up the last right is the last step; what governance changed since is not for us to change back.
                Step::Call(call) if handed_over && call.is_deployers() => true,
                Step::Call(call) => {
                    !self.views.code(call.target()).await?.is_empty()
                        && call.is_done(&self.views).await?
                }
            };
            self.states[number] = if done {
                StepState::Done
            } else {
                StepState::Open
            };
        }
        Ok(())
    }

    /// Takes over what the manifest knows of this system.
    fn recall(&mut self) {
        let chain_id = self.deployment.chain_id;
        let Some(known) = self.file.manifest().chains.get(&chain_id) else {
            return;
        };
        self.deployment.first_block = known.first_block;
        self.deployment.complete = known.complete;
        for record in &mut self.deployment.contracts {
            record.transaction = known
                .contract(&record.role)
                .and_then(|other| other.transaction);
        }
        for record in &mut self.deployment.calls {
            let same = known.calls.iter().find(|other| other.step == record.step);
            record.transaction = same.and_then(|other| other.transaction);
        }
    }

    /// Whether what the manifest says is still so: a chain may have begun anew, or gone back. Finds the first block.
    async fn judge(&mut self) -> Result<(), DeployError> {
        if self.first_open().is_some() {
            self.withdraw()?;
        }
        let mut steps = self.plan.steps.iter().zip(&self.states);
        let begun = steps.any(|(step, state)| {
            matches!(step, Step::Create(creation) if creation.role != "multicall")
                && *state == StepState::Done
        });
        let chain_id = self.deployment.chain_id;
        if !begun {
            self.deployment.first_block = self.opened;
            for number in 0..self.plan.steps.len() {
                if !self.is_on_its_way(number).await? {
                    *self.slot(number) = None;
                }
            }
        } else if !self.file.manifest().chains.contains_key(&chain_id) {
            self.deployment.first_block = self.first_block().await?;
        }
        Ok(())
    }

    /// The block before the system's first contract came to be, found by halving; 0 where the node has forgotten old states,
    /// which costs a reader of events time and nothing else.
    async fn first_block(&self) -> Result<u64, DeployError> {
        let timelock = self.plan.deployment.timelock;
        let (mut before, mut there) = (0, self.block_number().await?);
        while there - before > 1 {
            let middle = before + (there - before) / 2;
            match self.provider.get_code_at(timelock).number(middle).await {
                Ok(code) if code.is_empty() => before = middle,
                Ok(_) => there = middle,
                Err(error) => {
                    tracing::warn!(%error, block = middle, "cannot look back for the first block; taking 0");
                    return Ok(0);
                }
            }
        }
        Ok(before)
    }

    async fn block_number(&self) -> Result<u64, DeployError> {
        let number = self.provider.get_block_number().await;
        number.map_err(|error| failure("read the block number", error))
    }

    /// Behind one address there may be several nodes, one of which lags.
    async fn await_effect(
        &mut self,
        step: &Step,
        label: &str,
        hash: B256,
    ) -> Result<(), DeployError> {
        let deadline = Instant::now() + self.settings.inclusion;
        loop {
            let done = match step {
                Step::Create(creation) => {
                    let code = self.views.code(creation.address).await?;
                    set_code_hash(&mut self.deployment, creation, &code);
                    !code.is_empty()
                }
                Step::Call(call) => call.is_done(&self.views).await?,
            };
            if done {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(DeployError::NoEffect {
                    step: label.to_owned(),
                    hash,
                });
            }
            sleep(self.settings.poll).await;
        }
    }

    fn record(&mut self) -> Result<(), DeployError> {
        Ok(self.file.record(self.deployment.clone())?)
    }

    /// Where a step's transaction is recorded.
    fn slot(&mut self, number: usize) -> &mut Option<TransactionRecord> {
        let place = self.places[number];
        match &self.plan.steps[number] {
            Step::Create(_) => &mut self.deployment.contracts[place].transaction,
            Step::Call(_) => &mut self.deployment.calls[place].transaction,
        }
    }
}

/// The plan made a record for every step, contracts and calls each in the order of the steps.
fn places(steps: &[Step]) -> Vec<usize> {
    let (mut contracts, mut calls) = (0.., 0..);
    let place = |step: &Step| match step {
        Step::Create(_) => contracts.next(),
        Step::Call(_) => calls.next(),
    };
    steps.iter().filter_map(place).collect()
}

fn set_code_hash(deployment: &mut Deployment, creation: &Creation, code: &Bytes) {
    let mut contracts = deployment.contracts.iter_mut();
    if let Some(record) = contracts.find(|record| record.role == creation.role) {
        record.code_hash = (!code.is_empty()).then(|| keccak256(code));
    }
}

async fn require_factory(views: &RpcViews) -> Result<(), DeployError> {
    let code = views.code(FACTORY).await?;
    if code.is_empty() {
        return Err(DeployError::FactoryMissing { address: FACTORY });
    }
    if code.as_ref() != FACTORY_CODE {
        return Err(DeployError::FactoryForeign {
            address: FACTORY,
            found: keccak256(&code),
        });
    }
    Ok(())
}
