//! Sweeps: policies on scenarios, depths, pass-throughs and recoveries, over many seeds.
//!
//! ```
//! use breakwater_experiments::sweep::{Program, Selection, Sweep};
//!
//! let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sweeps/headline.toml");
//! let program = Program { commit: "unknown".to_owned(), contracts: Default::default() };
//! let selection = Selection { seeds: Some(2), ..Selection::default() };
//! let sweep = Sweep::read(&file, &selection, &program)?;
//! assert_eq!(sweep.markets().len(), 2 * sweep.scenarios.len());
//! # Ok::<(), breakwater_experiments::sweep::SweepError>(())
//! ```

mod design;
mod directory;
mod error;
mod excerpt;
mod plan;
mod publish;
mod run;
pub mod sobol;
mod specification;
pub mod statistics;
pub mod summary;
mod table;

pub use design::{Design, PathFigures, Program, REPORTING, ScenarioRecord, Selection, Sweep};
pub use directory::{DESIGN, Directory};
pub use error::SweepError;
pub use plan::{Market, Origin, Point, Shard};
pub use publish::{FIGURES_FILE, SUMMARY_FILE, merge, publish, read_summary};
pub use run::{Progress, Watch, run};
pub use specification::{
    Comparison, Grid, Input, Scale, SeedRange, SobolInputs, Specification, Variant, World,
};
