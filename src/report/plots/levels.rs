//! Levels of a map: at which values its colours change.

use super::colors::{Rgb, diverging, scale};
use super::labels;
use formats::Quantity;

/// Most levels of a density or a potential; levels on either side of zero of a difference.
const MOST: usize = 12;
const SIDES: i32 = 5;

/// Bounds between the colours of a map, ascending, with one colour more than bounds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    pub bounds: Vec<f64>,
    pub colours: Vec<Rgb>,
}

impl Levels {
    /// Of a quantity: a density spans orders of magnitude, and has levels at 1, 2, 5, 10, ...; others have equal steps.
    pub fn of(quantity: Quantity, values: &[f64]) -> Self {
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
        let bounds: Vec<f64> = if quantity == Quantity::Density {
            let highest = high.max(1e-9).log10().floor() as i32;
            let all: Vec<f64> = (highest - 4..=highest)
                .flat_map(|decade| [1, 2, 5].map(|x| times_ten(x, decade)))
                .filter(|x| *x > low && *x < high)
                .collect();
            all[all.len().saturating_sub(MOST)..].to_vec()
        } else {
            let step = round_up((high - low) / MOST as f64);
            let first = (low / step).floor() as i64 + 1;
            (first..first + MOST as i64).map(|k| k as f64 * step).filter(|x| *x < high).collect()
        };
        let colours = (0..=bounds.len()).map(|k| scale(k as f64 / bounds.len().max(1) as f64)).collect();
        Self { bounds, colours }
    }

    /// Of a difference: equal steps to either side of zero, up to `limit` or what a hundredth of the values exceeds.
    pub fn difference(values: &[f64], limit: Option<f64>) -> Self {
        let limit = limit.unwrap_or_else(|| {
            let mut sizes: Vec<f64> = values.iter().map(|x| x.abs()).collect();
            sizes.sort_unstable_by(f64::total_cmp);
            round_up(sizes.get(sizes.len() * 99 / 100).copied().unwrap_or(0.0))
        });
        let share = |k: i32| f64::from(k) / f64::from(SIDES);
        let bounds = (-SIDES..=SIDES).filter(|k| *k != 0).map(|k| share(k) * limit).collect();
        Self { bounds, colours: (-SIDES..=SIDES).map(|k| diverging(share(k))).collect() }
    }
}

/// `x` times a power of ten, the nearest double to how it is written.
fn times_ten(x: i32, power: i32) -> f64 {
    if power < 0 { f64::from(x) / 10_f64.powi(-power) } else { f64::from(x) * 10_f64.powi(power) }
}

/// The next of 1, 2, 5, 10, ... and their tenths; 1 for what is no positive number.
pub(super) fn round_up(x: f64) -> f64 {
    if !(x.is_finite() && x > 0.0) {
        return 1.0;
    }
    let decade = x.log10().floor() as i32;
    let steps = [1, 2, 5, 10].map(|k| times_ten(k, decade));
    steps.into_iter().find(|y| *y >= x * (1.0 - 1e-9)).unwrap_or(steps[3])
}

/// A number with as many decimals as a level of its size needs.
pub(super) fn level(x: f64) -> String {
    let decimals = if x == 0.0 { 0 } else { (1.0 - x.abs().log10().floor()).clamp(0.0, 9.0) as usize };
    labels::number(x, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_cover_the_values_with_a_colour_more() {
        let values: Vec<f64> = (0..=800).map(|k| f64::from(k) / 100.0).collect();
        let density = Levels::of(Quantity::Density, &values);
        assert_eq!(density.bounds, [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]);
        assert_eq!(density.colours.len(), 13);
        let potential = Levels::of(Quantity::Potential, &values);
        assert_eq!(potential.bounds, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(Levels::of(Quantity::Density, &[3.0; 4]).bounds.is_empty());
    }

    #[test]
    fn a_difference_has_steps_about_zero() {
        let given = Levels::difference(&[-1.0, 1.0], Some(0.05));
        assert_eq!((given.bounds.len(), given.colours.len()), (10, 11));
        assert!((given.bounds[0] + 0.05).abs() < 1e-12 && (given.bounds[5] - 0.01).abs() < 1e-12);
        assert_eq!(given.colours[5], diverging(0.0));
        let mut values = vec![0.015; 1000];
        values[0] = 9.0;
        assert_eq!(Levels::difference(&values, None).bounds[9], 0.02);
    }

    #[test]
    fn numbers_are_rounded_for_a_scale() {
        assert_eq!([0.0, 0.9, 1.0, 1.1, 0.03, 7.0].map(round_up), [1.0, 1.0, 1.0, 2.0, 0.05, 10.0]);
        assert_eq!([0.0045, -0.01, 20.0, 0.5].map(level), ["0.0045", "−0.01", "20", "0.5"]);
    }
}
