//! Which Wyckoff position an orbit of atoms lies on, in the setting at hand. The table is moyo's, which is spglib's.

use moyo::data::iter_wyckoff_positions_from_hall_number;

use crystal::{Lattice, MERGE_DISTANCE, Setting};

/// One Wyckoff position: its multiplicity, letter and representative coordinates.
pub(super) struct Wyckoff {
    pub(super) multiplicity: usize,
    pub(super) letter: char,
    pub(super) coordinates: &'static str,
    rows: [Row; 3],
}

/// One coordinate as factors of x, y, z and a constant: `-2x+1/2` is ([-2, 0, 0], 0.5).
type Row = ([f64; 3], f64);

/// The Wyckoff positions of a setting, the general one first.
pub(super) fn positions(setting: &Setting) -> Vec<Wyckoff> {
    iter_wyckoff_positions_from_hall_number(i32::from(setting.hall_number))
        .map(|entry| {
            let mut parts = entry.coordinates.split(',').map(row);
            let mut next = || parts.next().unwrap_or(([0.0; 3], 0.0));
            Wyckoff {
                multiplicity: entry.multiplicity,
                letter: entry.letter,
                coordinates: entry.coordinates,
                rows: [next(), next(), next()],
            }
        })
        .collect()
}

impl Wyckoff {
    /// Whether one of `images` is of this position's representative form, to [`MERGE_DISTANCE`].
    pub(super) fn holds(&self, lattice: &Lattice, images: &[[f64; 3]]) -> bool {
        images.iter().any(|image| {
            let free = std::array::from_fn(|axis| self.solve(axis, image));
            let delta = std::array::from_fn(|k| {
                let d = image[k] - value(&self.rows[k], free);
                d - d.round()
            });
            lattice.to_cartesian(delta).iter().map(|x| x * x).sum::<f64>().sqrt() < MERGE_DISTANCE
        })
    }

    /// The free parameter of an axis, read off a row that holds it alone and once: every tabulated position has such a row.
    fn solve(&self, axis: usize, image: &[f64; 3]) -> f64 {
        let alone = |row: &Row| (0..3).all(|k| if k == axis { row.0[k].abs() == 1.0 } else { row.0[k] == 0.0 });
        (0..3).find(|&k| alone(&self.rows[k])).map_or(0.0, |k| (image[k] - self.rows[k].1) * self.rows[k].0[axis])
    }
}

fn value((factors, constant): &Row, free: [f64; 3]) -> f64 {
    factors.iter().zip(free).map(|(factor, x)| factor * x).sum::<f64>() + constant
}

/// Reads one expression of the table: terms such as `x`, `-2x`, `1/2`, each but the first with its sign.
fn row(expression: &str) -> Row {
    let (mut factors, mut constant) = ([0.0; 3], 0.0);
    for term in expression.replace('-', "+-").split('+').map(str::trim).filter(|term| !term.is_empty()) {
        match term.char_indices().last() {
            Some((at, axis @ 'x'..='z')) => {
                factors[axis as usize - 'x' as usize] += match &term[..at] {
                    "" => 1.0,
                    "-" => -1.0,
                    digits => digits.parse().unwrap_or(f64::NAN),
                }
            }
            _ => constant += super::parser::number(term).unwrap_or(f64::NAN),
        }
    }
    (factors, constant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tabulated_position_holds_a_point_of_its_own_form() {
        let lattice = Lattice::from_parameters(7.0, 8.0, 9.0, 90.0, 90.0, 90.0).unwrap();
        for hall in 1..=530 {
            for position in positions(Setting::of_hall_number(hall).unwrap()) {
                let point = std::array::from_fn(|k| value(&position.rows[k], [0.137, 0.291, 0.437]) + 1.0);
                assert!(point.iter().all(|x: &f64| x.is_finite()), "hall {hall}: {}", position.coordinates);
                assert!(position.holds(&lattice, &[point]), "hall {hall}: {}", position.coordinates);
            }
        }
    }

    #[test]
    fn a_point_off_the_position_is_not_held() {
        let rutile = positions(Setting::of_hall_number(419).unwrap());
        let lattice = Lattice::from_parameters(4.594, 4.594, 2.959, 90.0, 90.0, 90.0).unwrap();
        let letters = |x| rutile.iter().filter(|p| p.holds(&lattice, &[x])).map(|p| p.letter).collect::<String>();
        assert_eq!(letters([0.305, 0.305, 0.0]), "kjif");
        assert_eq!(letters([0.305, 0.695, 0.0]), "kig");
        assert_eq!(letters([0.305, 0.345, 0.0]), "ki");
    }
}
