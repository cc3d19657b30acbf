//! A backstop's books as its events tell them, to the base unit: what came in, what went out. The audit holds them against the
//! contract's own.

use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::SolEventInterface;
use breakwater_bindings::IBackstopPool;

use IBackstopPool::IBackstopPoolEvents as Event;

/// Sums since the deployment. Base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Deposits.
    pub deposits: U256,
    /// Debt repaid with them.
    pub absorbed: U256,
    /// Collateral received for it.
    pub received: U256,
    /// Collateral released.
    pub released: U256,
    /// What it was sold for.
    pub proceeds: U256,
    /// Premium.
    pub premium: U256,
    /// Debt asset that depositors took.
    pub claimed_assets: U256,
    /// Collateral that depositors took.
    pub claimed_collateral: U256,
    /// How often an account was brought up to date and stored.
    pub updates: u64,
    /// When the release's auction began, a time stamp in microseconds; `None` while nobody recorded anything.
    pub clock: Option<u64>,
}

/// What one transaction did. Base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Debt repaid by the backstop.
    pub absorbed: U256,
    /// Debt repaid by who called.
    pub from_caller: U256,
    /// Collateral that depositors received.
    pub received: U256,
    /// Collateral that who called received.
    pub handed_over: U256,
    /// What the pool paid who called.
    pub stipend: U256,
    /// Collateral claimed in kind.
    pub claimed: U256,
    /// What inventory was bought for.
    pub paid: U256,
    /// Premium that was paid.
    pub premium: U256,
    /// Deposits that were asked for, by count.
    pub entries: u64,
    /// The period for which an exit waits.
    pub exit_period: Option<u64>,
}

impl Ledger {
    /// Takes one transaction's logs.
    pub fn apply(&mut self, backstop: Address, logs: &[Log]) -> Taken {
        let mut taken = Taken::default();
        for log in logs.iter().filter(|log| log.address == backstop) {
            let Ok(event) = Event::decode_log(log) else {
                continue;
            };
            self.count(event.data, &mut taken);
        }
        self.absorbed += taken.absorbed;
        self.received += taken.received;
        self.claimed_collateral += taken.claimed;
        self.proceeds += taken.paid;
        self.premium += taken.premium;
        taken
    }

    fn count(&mut self, event: Event, taken: &mut Taken) {
        match event {
            Event::DepositQueued(event) => {
                self.deposits += event.assets;
                taken.entries += 1;
            }
            Event::ExitQueued(event) => taken.exit_period = Some(event.period.saturating_to()),
            Event::Absorbed(event) => {
                taken.absorbed += event.repaid;
                taken.received += event.kept;
                taken.handed_over += event.reward;
            }
            Event::SettlementCollateral(event) => {
                taken.received += event.kept;
                taken.handed_over += event.handedOver;
            }
            Event::WaterfallSettled(event) => {
                taken.absorbed += event.fromBackstop;
                taken.from_caller += event.fromCaller;
                taken.stipend += event.stipend;
            }
            Event::InventorySold(event) => {
                self.released += event.amount;
                taken.paid += event.paid;
            }
            Event::PremiumPaid(event) => taken.premium += event.assets,
            Event::AssetsClaimed(event) => self.claimed_assets += event.assets,
            Event::CollateralClaimed(event) => taken.claimed += event.amount,
            Event::AccountUpdated(_) => self.updates += 1,
            Event::SaleUpdated(event) => self.clock = Some(event.clock.saturating_to()),
            _ => {}
        }
    }

    /// The debt asset that the backstop must hold.
    #[must_use]
    pub fn cash(&self) -> U256 {
        self.deposits + self.premium + self.proceeds - self.absorbed - self.claimed_assets
    }

    /// The collateral that it must hold.
    #[must_use]
    pub fn inventory(&self) -> U256 {
        self.received - self.released - self.claimed_collateral
    }
}
