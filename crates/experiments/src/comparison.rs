//! Policies side by side: each in its own world, all on the same market, accounts and random numbers.

use breakwater_sim::WorldKind;
use breakwater_sim::config::Policy;
use breakwater_sim::trace::{COUNTERFACTUAL, Trace};
use rayon::prelude::*;

use crate::metrics::{Figures, MetricsError};

/// A world's name in results.
#[must_use]
pub const fn world_name(world: WorldKind) -> &'static str {
    match world {
        WorldKind::Policy(policy) => policy.name(),
        WorldKind::Counterfactual => COUNTERFACTUAL,
    }
}

/// A world's trace and figures.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which world.
    pub world: WorldKind,
    /// What it recorded.
    pub trace: Trace,
    /// Its figures against the counterfactual.
    pub figures: Figures,
}

impl Outcome {
    /// The world's name in results.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        world_name(self.world)
    }
}

/// All worlds of a comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The policies, in the order of [`Policy::ALL`].
    pub policies: Vec<Outcome>,
    /// The world without impact.
    pub counterfactual: Outcome,
}

/// A comparison that came to no result.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError<E: std::error::Error + 'static> {
    /// A world stopped.
    #[error("{}: {source}", world_name(*world))]
    World {
        /// Which one.
        world: WorldKind,
        /// Why.
        source: E,
    },
    /// Traces that do not belong together.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

/// Runs these policies and the counterfactual, as many at once as there are threads in rayon's pool. `simulate` must give
/// the same trace for the same world whatever else runs; then the result does not depend on the number of threads.
///
/// # Errors
/// [`ComparisonError`], of the first world in order that stopped.
pub fn compare<E>(
    policies: &[Policy],
    simulate: impl Fn(WorldKind) -> Result<Trace, E> + Sync,
) -> Result<Comparison, ComparisonError<E>>
where
    E: std::error::Error + Send + 'static,
{
    let mut worlds: Vec<WorldKind> = Policy::ALL
        .into_iter()
        .filter(|policy| policies.contains(policy))
        .map(WorldKind::Policy)
        .collect();
    worlds.push(WorldKind::Counterfactual);
    let run = |world: &WorldKind| {
        simulate(*world).map_err(|source| ComparisonError::World {
            world: *world,
            source,
        })
    };
    let results: Vec<Result<Trace, _>> = worlds.par_iter().with_max_len(1).map(run).collect();
    let mut traces = results.into_iter().collect::<Result<Vec<_>, _>>()?;
    let Some(without) = traces.pop() else {
        return Err(MetricsError::NoBlocks {
            world: COUNTERFACTUAL,
        }
        .into());
    };
    let outcome = |world: WorldKind, trace: Trace| -> Result<Outcome, MetricsError> {
        Ok(Outcome {
            world,
            figures: Figures::compute(&trace, &without)?,
            trace,
        })
    };
    let policies = worlds
        .iter()
        .zip(traces)
        .map(|(world, trace)| outcome(*world, trace))
        .collect::<Result<_, _>>()?;
    let counterfactual = outcome(WorldKind::Counterfactual, without.clone())?;
    Ok(Comparison {
        policies,
        counterfactual,
    })
}

impl Comparison {
    /// The policies, then the counterfactual: the order of all result files.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.policies.iter().chain([&self.counterfactual])
    }
}
