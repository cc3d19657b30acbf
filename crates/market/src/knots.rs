//! Piecewise-linear interpolation of a logarithm through typed-in points.

use crate::error::MarketError;
use crate::request::{Request, check_amount};

/// A point of a profile: seconds from the start, and the value there.
pub(crate) type Point = (u64, f64);

/// Checks that there are points, that the first is at 0 seconds, that times increase and values are amounts.
pub(crate) fn check(
    request: &Request<'_>,
    points: &[Point],
    value_name: &str,
) -> Result<(), MarketError> {
    let Some(first) = points.first() else {
        return Err(MarketError::impossible(
            request.key("knots"),
            "an empty list",
            "at least one knot",
        ));
    };
    if first.0 != 0 {
        return Err(MarketError::impossible(
            request.key("knots[0].seconds"),
            first.0,
            "0: a profile begins at its own start",
        ));
    }
    for (index, pair) in points.windows(2).enumerate() {
        if pair[1].0 <= pair[0].0 {
            return Err(MarketError::impossible(
                request.key(&format!("knots[{}].seconds", index + 1)),
                pair[1].0,
                format!("more than the knot before, {}", pair[0].0),
            ));
        }
    }
    for (index, &(_, value)) in points.iter().enumerate() {
        check_amount(request.key(&format!("knots[{index}].{value_name}")), value)?;
    }
    Ok(())
}

/// Value between two points, linear in the logarithm.
pub(crate) fn between(from: Point, to: Point, seconds: u64) -> f64 {
    if seconds <= from.0 {
        return from.1;
    }
    if seconds >= to.0 {
        return to.1;
    }
    let share = (seconds - from.0) as f64 / (to.0 - from.0) as f64;
    (from.1.ln() + share * (to.1.ln() - from.1.ln())).exp()
}

/// One value per block through checked points; the last value holds from the last point on.
pub(crate) fn resolve(request: &Request<'_>, points: &[Point]) -> Vec<f64> {
    let mut segment = 0;
    request
        .grid
        .seconds()
        .map(|seconds| {
            while points
                .get(segment + 1)
                .is_some_and(|next| next.0 <= seconds)
            {
                segment += 1;
            }
            match points.get(segment + 1) {
                Some(&next) => between(points[segment], next, seconds),
                None => points[segment].1,
            }
        })
        .collect()
}
