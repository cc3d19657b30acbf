//! The normal distribution function and its inverse.

/// Probability that a standard normal is at most `x`.
pub(crate) fn distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The `x` that a standard normal exceeds with probability `tail`, for `tail` within [10^-300, 1 − 10^-16]; values
/// outside are taken as the nearest of these.
pub(crate) fn upper_quantile(tail: f64) -> f64 {
    let tail = tail.clamp(1e-300, 1.0 - 1e-16);
    if tail > 0.5 {
        return -upper_quantile(1.0 - tail);
    }
    // Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23: good to 4.5e-4.
    let t = (-2.0 * tail.ln()).sqrt();
    let mut x = t
        - (2.515517 + t * (0.802853 + t * 0.010328))
            / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    // Newton on the logarithm of the tail, which is nearly straight: each step squares the error.
    for _ in 0..3 {
        let found = distribution(-x);
        let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
        x += (found.ln() - tail.ln()) * found / density;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distribution_matches_tables() {
        // NIST/SEMATECH e-Handbook table of the normal distribution.
        for (x, p) in [
            (0.0, 0.5),
            (1.0, 0.841344746),
            (1.96, 0.975002105),
            (-3.0, 0.001349898),
        ] {
            assert!((distribution(x) - p).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn quantile_inverts_distribution() {
        assert!((upper_quantile(0.025) - 1.959963984540054).abs() < 1e-12);
        for step in -370..=80 {
            let x = f64::from(step) / 10.0;
            let tail = distribution(-x);
            if (1e-290..1.0 - 1e-12).contains(&tail) {
                let found = upper_quantile(tail);
                assert!((found - x).abs() < 1e-6 * (1.0 + x.abs()), "{x} {found}");
            }
        }
        assert!(upper_quantile(0.0).is_finite());
        assert!(upper_quantile(1.0).is_finite());
    }
}
