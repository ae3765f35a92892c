//! The Wyckoff positions of the tabulated settings. The table is moyo's, which is spglib's.

use std::sync::OnceLock;

use moyo::data::iter_wyckoff_positions_from_hall_number;

use super::setting::SETTINGS;
use super::symop::expression;
use super::{Setting, SymOp};

/// One Wyckoff position of a setting, by its representative coordinates: those of one of its points as they depend on x, y, z.
#[derive(Debug, Clone, PartialEq)]
pub struct WyckoffPosition {
    /// Letter; the 27th, α, is written A.
    pub letter: char,
    /// Number of its points in the conventional cell.
    pub multiplicity: usize,
    /// Site symmetry as the *International Tables* print it, for instance `m.2m`.
    pub site_symmetry: &'static str,
    /// The representative coordinates, for instance `x,x+1/2,0`.
    pub coordinates: &'static str,
    linear: [[i8; 3]; 3],
    origin: [f64; 3],
}

impl Setting {
    /// The Wyckoff positions of the setting, the general one first.
    pub fn wyckoff_positions(&self) -> &'static [WyckoffPosition] {
        static POSITIONS: [OnceLock<Vec<WyckoffPosition>>; SETTINGS as usize] =
            [const { OnceLock::new() }; SETTINGS as usize];
        POSITIONS[usize::from(self.hall_number) - 1].get_or_init(|| {
            let entries = iter_wyckoff_positions_from_hall_number(i32::from(self.hall_number));
            let read = entries.map(|entry| {
                let [x, y, z] = rows(entry.coordinates)?;
                Some(WyckoffPosition {
                    letter: entry.letter,
                    multiplicity: entry.multiplicity,
                    site_symmetry: entry.site_symmetry,
                    coordinates: entry.coordinates,
                    linear: [x.0, y.0, z.0],
                    origin: [x.1, y.1, z.1],
                })
            });
            read.flatten().collect()
        })
    }
}

/// The three expressions of coordinates; `None` where the text is none, which a test excludes for the whole table.
fn rows(coordinates: &str) -> Option<[([i8; 3], f64); 3]> {
    let mut parts = coordinates.split(',').map(|part| expression(part).ok());
    let mut next = || parts.next().flatten();
    Some([next()?, next()?, next()?])
}

impl WyckoffPosition {
    /// The point of the representative coordinates for x, y, z: fractions of the cell vectors, not wrapped.
    pub fn at(&self, parameters: [f64; 3]) -> [f64; 3] {
        SymOp { rotation: self.linear, translation: self.origin }.apply(parameters)
    }

    /// A point of the representative coordinates that lies on no position of higher symmetry.
    pub fn generic(&self) -> [f64; 3] {
        self.at([0.136_731_9, 0.211_937_3, 0.319_481_7])
    }

    /// Which of x, y, z the coordinates depend on.
    pub fn free(&self) -> [bool; 3] {
        std::array::from_fn(|j| self.linear.iter().any(|row| row[j] != 0))
    }

    /// Distance of `point` from the representative of its own parameters, as whole cells and fractions from -½ to ½: zero where it is of
    /// the representative's form.
    pub fn offset(&self, point: [f64; 3]) -> [f64; 3] {
        let beside: [f64; 3] = std::array::from_fn(|k| point[k] - self.origin[k]);
        // Each parameter stands alone, with the factor ±1, in one of the three coordinates.
        let parameter = |j: usize| {
            let alone = |k: &usize| {
                self.linear[*k][j].abs() == 1 && (0..3).all(|other| other == j || self.linear[*k][other] == 0)
            };
            (0..3).find(alone).map_or(0.0, |k| beside[k] * f64::from(self.linear[k][j]))
        };
        let image = self.at([parameter(0), parameter(1), parameter(2)]);
        std::array::from_fn(|k| {
            let d = point[k] - image[k];
            d - d.round()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tabulated_position_holds_a_point_of_its_own_form() {
        let mut count = 0;
        for hall in 1..=SETTINGS {
            let setting = Setting::of_hall_number(hall).unwrap();
            for position in setting.wyckoff_positions() {
                let point = position.at([0.137, 0.291, 0.437]).map(|x| x + 1.0);
                assert!(position.offset(point).iter().all(|d| d.abs() < 1e-9), "hall {hall}: {}", position.coordinates);
                count += 1;
            }
            let general = &setting.wyckoff_positions()[0];
            assert_eq!((general.multiplicity, general.free()), (setting.operations().len(), [true; 3]), "hall {hall}");
        }
        let tabulated = (1..=SETTINGS).flat_map(|hall| iter_wyckoff_positions_from_hall_number(i32::from(hall)));
        assert_eq!(count, tabulated.count());
    }

    #[test]
    fn a_point_off_the_position_is_not_held() {
        let rutile = Setting::of_hall_number(419).unwrap().wyckoff_positions();
        let holds = |p: &&WyckoffPosition, x| p.offset(x).iter().all(|d| d.abs() < 1e-9);
        let letters = |x| rutile.iter().filter(|p| holds(p, x)).map(|p| p.letter).collect::<String>();
        assert_eq!(letters([0.305, 0.305, 0.0]), "kjif");
        assert_eq!(letters([0.305, 0.695, 0.0]), "kig");
        assert_eq!(letters([0.305, 0.345, 0.0]), "ki");
        let f = rutile.iter().find(|p| p.letter == 'f').unwrap();
        assert_eq!((f.multiplicity, f.site_symmetry, f.free()), (4, "m.2m", [true, false, false]));
    }
}
