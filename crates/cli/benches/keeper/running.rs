//! A keeper inside this process: an optimised build whose durable writes can be listened to.

use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use breakwater_keeper::{Keeper, Options};
use breakwater_operator::config::{Environment, KeeperConfig};
use breakwater_operator::status::{BidState, Status};
use breakwater_sender::StageHook;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::harness::{PATIENCE, Setup, World, configuration};

pub struct Running {
    keeper: Keeper,
    stop: CancellationToken,
}

impl Running {
    /// Starts it and waits until it is at the head. `slot` is how far apart blocks are by the wall clock.
    pub async fn start(
        world: &World,
        setup: &Setup,
        slot: Duration,
        stage_hook: Option<StageHook>,
    ) -> Self {
        let folder = world.folder.path();
        let file = folder.join("keeper.toml");
        let text = configuration(world, setup);
        let mut config = KeeperConfig::parse(&text, &file, &Environment::default()).unwrap();
        config.chain.slot = slot;
        let key = world.anvil.keys()[setup.place].to_bytes();
        let options = Options {
            signer: Some(PrivateKeySigner::from_slice(&key).unwrap()),
            lock_directory: Some(folder.join("locks")),
            stage_hook,
            ..Options::default()
        };
        let stop = CancellationToken::new();
        let keeper = breakwater_keeper::start(config, options, stop.clone())
            .await
            .unwrap();
        let mut running = Self { keeper, stop };
        running.wait(|status| status.synced).await;
        running
    }

    /// Waits for a state of what it publishes.
    pub async fn wait(&mut self, done: impl FnMut(&Status) -> bool) -> Status {
        let found = timeout(PATIENCE, self.keeper.status.wait_for(done)).await;
        found.unwrap().unwrap().clone()
    }

    /// Waits until it has planned on block `number` to the end, and sent what it meant to.
    pub async fn planned_on(&mut self, number: u64) {
        self.wait(|status| {
            let sent =
                |bid: &breakwater_operator::status::PendingBid| bid.state != BidState::Prepared;
            status.planned.is_some_and(|planned| planned >= number)
                && status.pending.iter().all(sent)
        })
        .await;
    }

    pub async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.keeper.stopped())
            .await
            .unwrap()
            .unwrap();
    }
}
