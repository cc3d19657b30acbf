//! The backstop's row of a block.

use crate::backstop::Backstop;
use crate::error::SimError;
use crate::trace::BackstopRow;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, from_base};
use crate::world::World;

impl World<'_> {
    /// Reads the contract and records the state at the end of a block. Where its slot was missed the contract is as it was.
    pub(crate) fn record_backstop(&mut self, block: u64) -> Result<(), SimError> {
        let Some(mut backstop) = self.backstop.take() else {
            return Ok(());
        };
        backstop.read(&mut self.chain)?;
        let row = backstop.row(self.name(), block, self.reference());
        backstop.rows.push(row);
        self.backstop = Some(backstop);
        Ok(())
    }
}

impl Backstop {
    fn row(&self, policy: String, block: u64, reference: f64) -> BackstopRow {
        let (ledger, reading, totals) = (&self.ledger, &self.reading, &self.totals);
        let debt = |amount| from_base(amount, DEBT_UNIT);
        let collateral = |amount| from_base(amount, COLLATERAL_UNIT);
        let (sale_price, for_sale) = reading.sale.unwrap_or_default();
        BackstopRow {
            policy,
            block,
            assets: reading.assets,
            entering: reading.entering,
            leaving: reading.leaving,
            inventory: reading.inventory,
            sale_open: reading.sale.is_some(),
            sale_price,
            for_sale,
            deposits: debt(ledger.deposits),
            absorbed: debt(ledger.absorbed),
            received: collateral(ledger.received),
            discount: totals.discount,
            released: collateral(ledger.released),
            release_proceeds: debt(ledger.proceeds),
            premium: debt(ledger.premium),
            claimed_assets: debt(ledger.claimed_assets),
            claimed_collateral: collateral(ledger.claimed_collateral),
            dumped: totals.dumped,
            dump_proceeds: totals.dump_proceeds,
            depositor_gas: totals.depositor_gas,
            depositor_profit: self.profit(reference),
            caller_profit: totals.caller_profit,
            buyer_profit: totals.buyer_profit,
            entries: totals.entries,
            exits: totals.exits,
            exit_wait: totals.exit_wait,
            longest_exit_wait: totals.longest_exit_wait,
        }
    }
}
