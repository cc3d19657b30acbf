//! What must add up where Aave lends.

use alloy_primitives::U256;

use super::{equal, wrong};
use crate::aave::Market;
use crate::aave::abi::{Pool, RAY, ScaledToken};
use crate::error::SimError;
use crate::world::World;

/// Aave rounds amounts to the nearest unit, lenders' and borrowers' apart, so that a transaction may leave claims a few units
/// above what covers them.
const ROUNDING: U256 = U256::from_limbs([4, 0, 0, 0]);

impl World<'_> {
    /// Positions add up to the totals, the collateral is there, and claims are covered. Where Breakwater's books are exact to
    /// the unit, Aave's claims are so only up to its rounding and to what compounding adds.
    pub(crate) fn check_aave_books(&mut self, market: &Market) -> Result<(), SimError> {
        let positions = self.mirror.exact();
        let sum = |amounts: &mut dyn Iterator<Item = U256>| {
            amounts.fold(U256::ZERO, |sum, amount| sum + amount)
        };
        let shares = sum(&mut positions.iter().map(|position| position.debt_shares));
        let posted = sum(&mut positions.iter().map(|position| position.collateral));
        let scaled = self.ask_contract(market.debts, &ScaledToken::scaledTotalSupplyCall {})?;
        equal("debt shares of all positions", shares, scaled)?;
        let receipts = market.collateral_receipts;
        let total = self.ask_contract(receipts, &ScaledToken::totalSupplyCall {})?;
        equal("collateral of all positions", posted, total)?;
        let held = self.balance_of(market.collateral, receipts)?;
        equal("collateral in the pool", held, total)?;

        // Both as of the last time that interest was added, for nobody has claimed the treasury's part of it since.
        let asset = market.asset;
        let reserve = self.ask_contract(market.pool, &Pool::getReserveDataCall { asset })?;
        let lent = self.ask_contract(
            market.asset_receipts,
            &ScaledToken::scaledTotalSupplyCall {},
        )?;
        let claims = (lent + U256::from(reserve.accruedToTreasury))
            * U256::from(reserve.liquidityIndex)
            / RAY;
        let index = U256::from(reserve.variableBorrowIndex);
        let debt = scaled * index / RAY;
        let cash = self.balance_of(asset, market.asset_receipts)?;
        let covered = cash + debt;
        let rounding = ROUNDING * U256::from(self.totals.transactions + 1);
        // Between two times borrowers' interest is compounded and lenders' is not. With g the growth of debt since the start
        // these differ by less than g².
        let growth = index - RAY;
        let compounded = claims * growth / RAY * growth / RAY;
        if claims > covered + rounding || covered > claims + compounded + rounding {
            return Err(wrong("lenders' claims", claims, covered));
        }
        Ok(())
    }

    /// The mirror, built from events, is what Aave's tokens say of every account.
    pub(crate) fn check_aave_mirror(&mut self, market: &Market) -> Result<(), SimError> {
        for number in 0..self.addresses.accounts.len() {
            let user = self.addresses.accounts[number];
            let balance = ScaledToken::scaledBalanceOfCall { user };
            let shares = self.ask_contract(market.debts, &balance)?;
            let collateral = self.ask_contract(market.collateral_receipts, &balance)?;
            let mirrored = self.mirror.exact()[number];
            equal(
                &format!("the mirror's debt shares of account {number}"),
                mirrored.debt_shares,
                shares,
            )?;
            equal(
                &format!("the mirror's collateral of account {number}"),
                mirrored.collateral,
                collateral,
            )?;
        }
        Ok(())
    }
}
