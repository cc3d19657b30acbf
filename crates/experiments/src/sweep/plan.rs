//! Which worlds a sweep runs on which markets.

use super::sobol::base_row;
use super::specification::{SeedRange, SobolInputs, Specification};

/// Which point of a base row a market is; see [`sobol`](super::sobol).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The first point.
    A,
    /// The second point.
    B,
    /// The first point with this input of the second.
    Input(usize),
    /// The first point with the seed of the second.
    Seed,
}

/// Where a market comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A cell of the grid, counted over all scenarios.
    Cell(usize),
    /// A point of a base row.
    Sample {
        /// The row.
        row: usize,
        /// Which point.
        point: Point,
    },
}

/// One market on one seed. The counterfactual and every policy run on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Market {
    /// Which of the sweep's scenarios.
    pub scenario: usize,
    /// The cell or sample.
    pub origin: Origin,
    /// x/C at the start.
    pub depth: f64,
    /// φ.
    pub pass_through: f64,
    /// Seconds; 0 for never.
    pub recovery_half_life: f64,
    /// The values of the uncertain inputs, in their order.
    pub inputs: Vec<f64>,
    /// Seed of all random numbers.
    pub seed: u64,
    /// What tells it from the scenario's other markets, as a part of a path.
    pub name: String,
}

/// Markets in the order of results: scenario, then cell, then seed.
#[must_use]
pub fn markets(
    specification: &Specification,
    scenarios: usize,
    range: SeedRange,
    seeds: u64,
) -> Vec<Market> {
    match &specification.sobol {
        None => cells(specification, scenarios, range, seeds),
        Some(sobol) => samples(specification, sobol, scenarios, range, seeds),
    }
}

/// How many seeds a range gives at most: Sobol indices need two a base row.
#[must_use]
pub const fn most_seeds(specification: &Specification, range: SeedRange) -> u64 {
    if specification.sobol.is_some() {
        range.count / 2
    } else {
        range.count
    }
}

fn cells(
    specification: &Specification,
    scenarios: usize,
    range: SeedRange,
    seeds: u64,
) -> Vec<Market> {
    let grid = &specification.grid;
    let mut markets = Vec::new();
    let mut cell = 0;
    for scenario in 0..scenarios {
        for &depth in &grid.depth {
            for &pass_through in &grid.pass_through {
                for &recovery_half_life in grid.recoveries(pass_through) {
                    markets.extend((range.first..range.first + seeds).map(|seed| Market {
                        scenario,
                        origin: Origin::Cell(cell),
                        depth,
                        pass_through,
                        recovery_half_life,
                        inputs: Vec::new(),
                        seed,
                        name: format!("{depth}x-{pass_through}-{recovery_half_life}s/{seed}"),
                    }));
                    cell += 1;
                }
            }
        }
    }
    markets
}

fn samples(
    specification: &Specification,
    sobol: &SobolInputs,
    scenarios: usize,
    range: SeedRange,
    rows: u64,
) -> Vec<Market> {
    let inputs = sobol.inputs.len();
    let most = most_seeds(specification, range);
    let mut markets = Vec::new();
    for scenario in 0..scenarios {
        for row in 0..rows {
            let (a, b) = base_row(row as u32, inputs);
            let points = [Point::A, Point::B]
                .into_iter()
                .chain((0..inputs).map(Point::Input))
                .chain([Point::Seed]);
            for point in points {
                let mut shares = if point == Point::B {
                    b.clone()
                } else {
                    a.clone()
                };
                if let Point::Input(input) = point {
                    shares[input] = b[input];
                }
                let values: Vec<f64> = sobol
                    .inputs
                    .iter()
                    .zip(&shares)
                    .map(|(input, share)| input.at(*share))
                    .collect();
                let of = |key: &str, fixed: f64| {
                    let position = sobol.inputs.iter().position(|input| input.key == key);
                    position.map_or(fixed, |position| values[position])
                };
                let grid = &specification.grid;
                // The second point's seeds come after all of the first's, so that more rows move none.
                let second = matches!(point, Point::B | Point::Seed);
                let name = match point {
                    Point::A => "a".to_owned(),
                    Point::B => "b".to_owned(),
                    Point::Input(input) => sobol.inputs[input].key.clone(),
                    Point::Seed => "seed".to_owned(),
                };
                let seed = range.first + row + if second { most } else { 0 };
                markets.push(Market {
                    scenario,
                    origin: Origin::Sample {
                        row: row as usize,
                        point,
                    },
                    depth: of("venue.depth", grid.depth[0]),
                    pass_through: of("venue.pass_through", grid.pass_through[0]),
                    recovery_half_life: of("venue.recovery_half_life", grid.recovery_half_life[0]),
                    inputs: values.clone(),
                    seed,
                    // With the seed: the same row of another range of seeds is another path.
                    name: format!("row-{row}/{name}-{seed}"),
                });
            }
        }
    }
    markets
}

/// A part of the markets, for one of several machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// All markets.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Whether a market, by its place in the order, belongs to it. Neighbours go to different shards, so that each has some of
    /// every scenario.
    #[must_use]
    pub const fn has(self, market: usize) -> bool {
        market % self.of == self.number - 1
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((number, of)) if 1 <= number && number <= of && of <= 100_000 => {
                Ok(Self { number, of })
            }
            _ => Err("expected i/n with i from 1 to n, and n at most 100000".to_owned()),
        }
    }
}
