//! Atomic scattering factors of X-rays: how strongly an atom scatters at s = sin θ / λ.
//!
//! ```text
//! f(s) = Z - 41.78214 s² Σ_i a_i exp(-b_i s²)        s in 1/Å, four Gaussians an element
//! ```
//!
//! M. De Graef, M. E. McHenry, *Structure of Materials* (2012), by way of pymatgen's table in
//! `schema/elements/scattering.csv`. Neutral atoms, no anomalous dispersion.
//!
//! A pattern needs f at every reflection, and four exponentials would cost more than all else. f is smooth, so each element is tabulated
//! once, at first use, with its derivative, and read by cubic Hermite interpolation; the error stays below 5e-8 electrons.

use std::sync::{LazyLock, OnceLock};

use crate::FeatureError;
use crystal::Element;

const CSV: &str = include_str!("../../schema/elements/scattering.csv");
/// The constant of Mott and Bethe, which relates the scattering of electrons and of X-rays, as published.
const MOTT: f64 = 41.78214;
/// The coefficients were fitted up to this s, 1/Å, and the table ends here.
const LAST: f64 = 2.0;
/// Intervals of the table in 1/Å.
const DENSITY: f64 = 512.0;

/// The scattering factor of one element.
pub(super) struct Scattering {
    z: f64,
    gaussians: [[f64; 2]; 4],
    /// f and df/ds · step at s = 0, step, 2 step ...
    table: OnceLock<Box<[[f64; 2]]>>,
}

/// By atomic number - 1.
static ELEMENTS: LazyLock<Vec<Option<Scattering>>> = LazyLock::new(|| {
    let mut elements: Vec<_> = Element::all().map(|_| None).collect();
    for line in CSV.lines().filter(|l| !l.starts_with('#')).skip(1) {
        let (symbol, numbers) = line.split_once(',').expect("schema/elements/scattering.csv has columns");
        let element = Element::from_symbol(symbol).expect("schema/elements/scattering.csv names elements");
        let mut numbers = numbers.split(',').map(|x| x.parse().expect("schema/elements/scattering.csv holds numbers"));
        let mut next = || numbers.next().expect("schema/elements/scattering.csv has eight numbers an element");
        let gaussians = std::array::from_fn(|_| [next(), next()]);
        elements[usize::from(element.z()) - 1] =
            Some(Scattering { z: f64::from(element.z()), gaussians, table: OnceLock::new() });
    }
    elements
});

impl Scattering {
    /// The factor of `element`, tabulated.
    ///
    /// # Errors
    /// [`FeatureError::Undefined`] beyond californium, for which no coefficients are published.
    pub fn of(element: Element) -> Result<&'static Self, FeatureError> {
        let scattering = ELEMENTS[usize::from(element.z()) - 1].as_ref().ok_or_else(|| {
            FeatureError::Undefined(format!("{element} has no X-ray scattering factor in the table, which ends at Cf"))
        })?;
        scattering.table();
        Ok(scattering)
    }

    fn table(&self) -> &[[f64; 2]] {
        self.table.get_or_init(|| {
            let last = (LAST * DENSITY) as usize;
            (0..=last)
                .map(|i| self.exact(i as f64 / DENSITY))
                .map(|[f, derivative]| [f, derivative / DENSITY])
                .collect()
        })
    }

    /// f and df/ds by the formula.
    fn exact(&self, s: f64) -> [f64; 2] {
        let u = s * s;
        let (mut sum, mut derivative) = (0.0, 0.0);
        for [a, b] in self.gaussians {
            let term = a * (-b * u).exp();
            sum += term;
            derivative += term * (1.0 - b * u);
        }
        [self.z - MOTT * u * sum, -2.0 * MOTT * s * derivative]
    }

    /// f(s), electrons; s >= 0 in 1/Å.
    pub fn at(&self, s: f64) -> f64 {
        let x = s * DENSITY;
        let i = x as usize;
        let Some(&[[f0, d0], [f1, d1]]) = self.table().get(i..).and_then(|rest| rest.first_chunk()) else {
            return self.exact(s)[0];
        };
        let t = x - i as f64;
        let rise = f1 - f0;
        f0 + t * (d0 + t * ((3.0 * rise - 2.0 * d0 - d1) + t * (d0 + d1 - 2.0 * rise)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_follows_the_formula_for_every_element() {
        let mut worst: f64 = 0.0;
        for scattering in ELEMENTS.iter().flatten() {
            for i in 0..4000 {
                let s = f64::from(i) * 0.000_537;
                worst = worst.max((scattering.at(s) - scattering.exact(s)[0]).abs());
            }
        }
        assert!(worst < 5e-8, "{worst}");
    }

    #[test]
    fn forward_scattering_counts_the_electrons_and_unknown_elements_are_named() {
        let of = |symbol: &str| Scattering::of(Element::from_symbol(symbol).unwrap());
        assert_eq!(of("O").ok().unwrap().at(0.0), 8.0);
        // By hand: a = .455 .917 .472 .138, b = 23.78 7.622 2.144 .296 at s = 0.25.
        let u: f64 = 0.0625;
        let sum = 0.455 * (-23.78 * u).exp()
            + 0.917 * (-7.622 * u).exp()
            + 0.472 * (-2.144 * u).exp()
            + 0.138 * (-0.296 * u).exp();
        assert!((of("O").ok().unwrap().at(0.25) - (8.0 - 41.78214 * u * sum)).abs() < 1e-9);
        let message = of("Es").err().unwrap().to_string();
        assert!(message.starts_with("Es has no X-ray scattering factor"), "{message}");
        assert_eq!(ELEMENTS.iter().flatten().count(), 98);
    }
}
