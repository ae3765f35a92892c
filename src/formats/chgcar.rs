//! CHGCAR, CHG, AECCAR, PARCHG, LOCPOT and ELFCAR of VASP: a crystal and a field in its cell, on a regular grid.
//!
//! The file is a POSCAR, a blank line, the grid `NGX NGY NGZ`, and one value for each point, x running fastest; in a density
//! the values are ρ·V, so that their mean is the number of electrons. A CHGCAR goes on with the PAW occupancies of each atom.
//! A calculation with spin repeats the grid for the magnetisation (once, or along x, y and z where it is non-collinear), with
//! a line of atomic moments before it in some versions.
//!
//! Everything is read once, front to back, in a buffer of fixed size, and checked: a wrong count, a value that was too wide for its column
//! (`*****`) and a file that ends early are refused with their line.

mod number;
mod scanner;

use std::path::Path;

use super::{Rejection, poscar, source};
use crate::FormatError;
use crystal::Structure;
use number::number;
use scanner::Scanner;

/// Most points of a grid, 1024³: a header that announces more is refused.
const MAX_POINTS: usize = 1 << 30;
/// Most PAW occupancies of an atom.
const MAX_OCCUPANCIES: usize = 100_000;

/// The quantity of a file's values, known only from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Density of electrons, e/Å³ (CHGCAR, CHG, AECCAR0, AECCAR2, PARCHG, and any other name).
    Density,
    /// Local potential, eV (LOCPOT).
    Potential,
    /// Electron localisation function, 0 to 1 (ELFCAR).
    Localisation,
}

impl Quantity {
    fn of(path: &Path) -> Self {
        let name = path.file_name().map(|n| n.to_string_lossy().to_ascii_uppercase()).unwrap_or_default();
        match name {
            name if name.starts_with("LOCPOT") => Self::Potential,
            name if name.starts_with("ELFCAR") => Self::Localisation,
            _ => Self::Density,
        }
    }

    /// Symbol of the quantity.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Density => "ρ",
            Self::Potential => "V",
            Self::Localisation => "ELF",
        }
    }

    /// Unit of the values; empty where they have none.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Density => "e/Å³",
            Self::Potential => "eV",
            Self::Localisation => "",
        }
    }
}

/// A crystal and scalar fields on a grid over its cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Volumetric {
    /// The crystal.
    pub structure: Structure,
    /// What the values are.
    pub quantity: Quantity,
    /// Points along a, b and c; point (i, j, k) lies at the fractions i/n_a, j/n_b, k/n_c.
    pub shape: [usize; 3],
    /// The total; behind it, where there is spin, the magnetisation (1 field, or 3: along x, y, z). Value (i, j, k) stands at
    /// `i + n_a (j + n_b k)`, in the unit of the quantity.
    pub fields: Vec<Vec<f64>>,
}

impl Volumetric {
    /// The total density, or the potential.
    pub fn total(&self) -> &[f64] {
        &self.fields[0]
    }

    /// The density of magnetisation, µ_B/Å³: no field without spin, one where it is collinear, else three.
    pub fn magnetisation(&self) -> &[Vec<f64>] {
        &self.fields[1..]
    }

    /// Å³ around a point of the grid.
    pub fn voxel(&self) -> f64 {
        self.structure.volume() / self.total().len() as f64
    }

    /// The integral of the total over the cell: of a density, the number of electrons.
    pub fn integral(&self) -> f64 {
        self.total().iter().sum::<f64>() * self.voxel()
    }
}

/// Reads a volumetric file, plain, `.gz` or `.zst`.
///
/// # Errors
/// Where and why the file departs from the format, or ends early.
pub fn read_volumetric(path: &Path) -> Result<Volumetric, Rejection> {
    let read = || Scanner::new(source::open(path)?).volumetric(Quantity::of(path));
    read().map_err(|error| Rejection::new(path, None, &error, "", 1))
}

impl Scanner {
    fn volumetric(mut self, quantity: Quantity) -> Result<Volumetric, FormatError> {
        let structure = self.structure()?;
        let Some((line, text)) = self.words()? else {
            return Err(self.error("the file ends here; expected the grid, NGX NGY NGZ"));
        };
        let shape = grid(&text).ok_or_else(|| {
            let message = format!("expected the grid, three whole numbers NGX NGY NGZ, found '{}'", clip(text.trim()));
            FormatError::syntax(line, 0, message)
        })?;
        let points = shape.iter().try_fold(1_usize, |n, m| n.checked_mul(*m)).filter(|n| *n <= MAX_POINTS);
        let [a, b, c] = shape;
        let points = points.ok_or_else(|| {
            FormatError::syntax(
                line,
                0,
                format!("a grid of {a} x {b} x {c} is more than the {MAX_POINTS} points accepted"),
            )
        })?;
        let mut fields = Vec::new();
        loop {
            let of = format!("field {} on the grid of {a} x {b} x {c}", fields.len() + 1);
            fields.push(self.numbers(points, &of)?);
            if !self.after_field(shape, structure.len(), fields.len())? {
                break;
            }
        }
        if fields.len() == 3 {
            return Err(self.error("the file ends after 3 grids; expected 1 (no spin), 2 (spin) or 4 (non-collinear)"));
        }
        if quantity == Quantity::Density {
            let per_volume = structure.volume();
            fields.iter_mut().flatten().for_each(|value| *value /= per_volume);
        }
        Ok(Volumetric { structure, quantity, shape, fields })
    }

    /// The POSCAR up to its blank line.
    fn structure(&mut self) -> Result<Structure, FormatError> {
        let mut text = String::new();
        let mut lines = 0_usize;
        while let Some(row) = self.row()? {
            // The first line is a comment, which may be blank.
            if lines > 0 && row.trim().is_empty() {
                break;
            }
            text += &row;
            text.push('\n');
            lines += 1;
            if text.len() > 256 * super::MAX_ATOMS {
                return Err(
                    self.error("no blank line ends the crystal; expected one between its last site and the grid")
                );
            }
        }
        let structure = poscar::parse(&text)?;
        // Lines after the counted sites would be ignored.
        let mode = lines.checked_sub(structure.len() + 1).and_then(|n| text.lines().nth(n)).unwrap_or("");
        if !mode.trim_start().starts_with(|c: char| "dcfk".contains(c.to_ascii_lowercase())) {
            let n = structure.len();
            let message = format!("the counts announce {n} sites, but the blank line does not follow the last of them");
            return Err(FormatError::syntax(lines + 1, 0, message));
        }
        Ok(structure)
    }

    /// Reads what follows a field: occupancies, atomic moments. Whether another field follows.
    fn after_field(&mut self, shape: [usize; 3], sites: usize, fields: usize) -> Result<bool, FormatError> {
        let (mut occupied, mut moments) = (0, 0);
        loop {
            let Some((line, text)) = self.words()? else {
                if occupied > 0 && occupied < sites {
                    let message =
                        format!("the file ends after the occupancies of atom {occupied} of {sites}; fetch it again");
                    return Err(self.error(message));
                }
                if moments > 0 {
                    return Err(
                        self.error("the file ends after the atomic moments; expected the grid of the magnetisation")
                    );
                }
                return Ok(false);
            };
            let error = |message: String| Err(FormatError::syntax(line, 0, message));
            if let Some(rest) = text.trim_start().strip_prefix("augmentation occupancies") {
                let (imaginary, rest) = match rest.trim_start().strip_prefix("(imaginary part)") {
                    Some(rest) => (true, rest),
                    None => (false, rest),
                };
                let Some((atom, n)) = atom_and_count(rest).filter(|&(_, n)| n <= MAX_OCCUPANCIES) else {
                    return error(format!(
                        "expected an atom and a number of occupancies, found '{}'",
                        clip(rest.trim())
                    ));
                };
                occupied += usize::from(!imaginary);
                if atom != occupied || atom > sites {
                    return error(format!("occupancies of atom {atom} of {sites}; expected those of atom {occupied}"));
                }
                self.numbers(n, &format!("the occupancies of atom {atom}"))?;
            } else if let Some(next) = grid(&text) {
                if occupied > 0 && occupied < sites {
                    return error(format!("a grid begins after the occupancies of atom {occupied} of {sites}"));
                }
                if next != shape {
                    let ([a, b, c], [d, e, f]) = (shape, next);
                    return error(format!(
                        "a grid of {d} x {e} x {f} follows one of {a} x {b} x {c}; expected the same"
                    ));
                }
                if fields == 4 {
                    return error("a fifth grid; expected 1 (no spin), 2 (spin) or 4 (non-collinear)".into());
                }
                return Ok(true);
            } else {
                let values: Option<Vec<f64>> = text
                    .split_whitespace()
                    .map(|w| number(w.as_bytes()).filter(|n| n.1 == w.len()).map(|n| n.0))
                    .collect();
                match values {
                    Some(values) if moments + values.len() <= sites => moments += values.len(),
                    Some(_) => {
                        return error(format!(
                            "more values than the grid has points, or than moments of {sites} atoms"
                        ));
                    }
                    None => {
                        return error(format!(
                            "expected 'augmentation occupancies', a grid or the end of the file, found '{}'",
                            clip(text.trim())
                        ));
                    }
                }
            }
        }
    }
}

/// Three whole numbers above 0, and nothing else.
fn grid(text: &str) -> Option<[usize; 3]> {
    let numbers: Option<Vec<usize>> = text.split_whitespace().map(|w| w.parse().ok().filter(|n| *n > 0)).collect();
    numbers?.try_into().ok()
}

/// `   1  33`; Fortran's columns of four run together from atom 1000 on (`1000 138`, `12341138`).
fn atom_and_count(text: &str) -> Option<(usize, usize)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [atom, n] => Some((atom.parse().ok()?, n.parse().ok()?)),
        [both] => {
            let (atom, n) = both.split_at_checked(both.len().checked_sub(4)?)?;
            Some((atom.parse().ok()?, n.parse().ok()?))
        }
        _ => None,
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = "x\n1.0\n2 0 0\n0 2 0\n0 0 2\nLi H\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n\n";

    fn read(text: &str) -> Result<Volumetric, FormatError> {
        Scanner::new(std::io::Cursor::new(text.to_owned().into_bytes())).volumetric(Quantity::Density)
    }

    fn file(rest: &str) -> String {
        format!("{CELL}{rest}")
    }

    const FIELD: &str = " 2 1 3\n 0.1E+01 0.2E+01 0.3E+01 -.4E+01\n 5. 6.0D0\n";
    const OCCUPANCIES: &str = "augmentation occupancies   1   2\n 0.1 0.2\naugmentation occupancies   2   1\n -.3\n";

    #[test]
    fn a_density_is_per_volume_and_integrates_to_its_electrons() {
        let read = read(&file(FIELD)).unwrap();
        assert_eq!((read.shape, read.total().len()), ([2, 1, 3], 6));
        assert_eq!(read.total(), [1.0, 2.0, 3.0, -4.0, 5.0, 6.0].map(|x| x / 8.0));
        assert!((read.integral() - 13.0 / 6.0).abs() < 1e-14 && read.magnetisation().is_empty());
    }

    #[test]
    fn spin_follows_occupancies_and_moments() {
        let moments = " 0.1000E+01 0.0000E+00\n";
        for between in ["", OCCUPANCIES, moments, &format!("{OCCUPANCIES}{moments}")] {
            let read = read(&file(&format!("{FIELD}{between}{FIELD}{OCCUPANCIES}"))).unwrap();
            assert_eq!((read.fields.len(), &read.fields[0]), (2, &read.fields[1]));
        }
        assert_eq!(read(&file(&FIELD.repeat(4))).unwrap().magnetisation().len(), 3);
        let complex = OCCUPANCIES
            .replace("   1   2\n 0.1 0.2\n", "   1   1\n 1\naugmentation occupancies (imaginary part)   1   1\n 1\n");
        assert!(read(&file(&format!("{FIELD}{complex}"))).is_ok());
    }

    #[test]
    fn zeros_may_fill_the_last_row() {
        let padded = FIELD.replace("6.0D0\n", "6.0D0 0.0000E+00 0.\n");
        assert_eq!(read(&file(&padded)).unwrap(), read(&file(FIELD)).unwrap());
    }

    #[test]
    fn counts_of_four_columns_run_together() {
        assert_eq!(
            ["   1  33", "1000 138", "12341138"].map(atom_and_count),
            [(1, 33), (1000, 138), (1234, 1138)].map(Some)
        );
        assert_eq!(atom_and_count("x"), None);
    }

    #[test]
    fn faults_are_located() {
        let spin = format!("{FIELD}{OCCUPANCIES}{FIELD}");
        for (text, line, said) in [
            (CELL.to_owned(), 12, "expected the grid"),
            (file("2 1\n1 2\n"), 12, "found '2 1'"),
            (file("2 0 3\n"), 12, "three whole numbers"),
            (file("2000 2000 2000\n"), 12, "points accepted"),
            (file(" 2 1 3\n 1 2 3\n 4 5"), 14, "ends after 5 of 6 values"),
            (
                file(" 2 1 3\n 1 2 3\n 4 ****** 6\n"),
                14,
                "value 5 of 6 of field 1 on the grid of 2 x 1 x 3, found '******'",
            ),
            (file(" 2 1 3\n 1 2 3\n 4 NaN 6\n"), 14, "found 'NaN'"),
            (file(" 2 1 3\n 1 2 3\n 4 5 6 7\n"), 14, "'7' follows the last"),
            (file(" 2 1 3\n 1 2 3\n 4 5 6\n 7. 8. 9.\n"), 15, "more values than"),
            (file(&format!("{FIELD}augmentation occupancies   2   1\n 1\n")), 15, "expected those of atom 1"),
            (
                file(&format!("{FIELD}augmentation occupancies   1   3\n 1 2\n")),
                17,
                "2 of 3 values of the occupancies of atom 1",
            ),
            (
                file(&format!("{FIELD}augmentation occupancies   1   1\n 1\n")),
                17,
                "after the occupancies of atom 1 of 2",
            ),
            (file(&format!("{FIELD}augmentation occupancies   1   1\n 1\n{FIELD}")), 17, "a grid begins after"),
            (
                file(&spin.replace(" 2 1 3\n", " 2 1 2\n").replacen(" 2 1 2\n", " 2 1 3\n", 1)),
                19,
                "a grid of 2 x 1 x 2 follows",
            ),
            (file(&spin[..spin.len() - 8]), 21, "ends after 5 of 6 values of field 2"),
            (file(&spin[..spin.len() - 1]), 21, "ends within the last of 6 values of field 2"),
            (file(&FIELD.repeat(3)), 21, "ends after 3 grids"),
            (file(&FIELD.repeat(5)), 24, "a fifth grid"),
            (file(&format!("{FIELD}Direct configuration= 2\n")), 15, "found 'Direct configuration= 2'"),
            (file(FIELD).replace("1 1\nDirect", "1\nDirect"), 7, "2 element symbols but 1 counts"),
            (file(FIELD).replace("Li H\n1 1", "Li\n1"), 11, "the counts announce 1 sites"),
        ] {
            let error = read(&text).unwrap_err();
            assert_eq!(error.position().map(|p| p.line), Some(line), "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn the_name_tells_the_quantity() {
        let of = |name: &str| Quantity::of(Path::new(name));
        assert_eq!(
            ["a/CHGCAR.gz", "AECCAR0", "LOCPOT", "run/ELFCAR.gz"].map(of).map(Quantity::unit),
            ["e/Å³", "e/Å³", "eV", ""]
        );
    }
}
