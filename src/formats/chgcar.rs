//! CHGCAR, CHG, AECCAR, PARCHG, LOCPOT and ELFCAR of VASP: a crystal and what fills its cell, on a regular grid.
//!
//! The file is a POSCAR, a blank line, the grid `NGX NGY NGZ`, and one value for each point, x running fastest; in a density
//! the values are ρ·V, so that their mean is the number of electrons. A CHGCAR goes on with the PAW occupancies of each atom.
//! A calculation with spin repeats the grid for the magnetisation (once, or along x, y and z where it is non-collinear), with
//! a line of atomic moments before it in some versions.
//!
//! Everything is read once, front to back, in a buffer of fixed size, and checked: a count that does not come out, a value
//! that Fortran had no room for (`*****`), a file that ends early are refused with their line. Eleven digits and a small
//! exponent are converted exactly by one multiplication or division (Clinger, *PLDI* 1990); others take the longer way.

use std::{io::Read, path::Path};

use super::{Rejection, poscar, source};
use crate::{crystal::Structure, error::FormatError};

/// Most points of a grid, 1024³: a header that announces more is refused.
const MAX_POINTS: usize = 1 << 30;
/// Most values for which room is made before they are seen.
const MAX_RESERVED: usize = 1 << 24;
/// Most PAW occupancies of an atom.
const MAX_OCCUPANCIES: usize = 100_000;
/// Most bytes of a line that is no row of values, and of a number.
const MAX_LINE: usize = 1 << 16;
const MAX_NUMBER: usize = 64;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;

/// What the values of a file are, which only its name tells.
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

/// Bytes of a text, numbers and lines in turn.
struct Scanner {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// The bytes that are not yet taken.
    from: usize,
    to: usize,
    /// Line of the byte at `from`, from 1.
    line: usize,
    ended: bool,
}

impl Scanner {
    fn new(reader: impl Read + Send + 'static) -> Self {
        Self { reader: Box::new(reader), buffer: vec![0; CHUNK + MAX_LINE], from: 0, to: 0, line: 1, ended: false }
    }

    fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::syntax(self.line, 0, message)
    }

    /// Moves what is left to the front and reads on, once.
    fn fill(&mut self) -> Result<(), FormatError> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        loop {
            match self.reader.read(&mut self.buffer[self.to..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.to += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(self.error(source::words(&e))),
            }
            return Ok(());
        }
    }

    /// The next line without its end; `None` behind the last.
    fn row(&mut self) -> Result<Option<String>, FormatError> {
        let end = loop {
            let left = &self.buffer[self.from..self.to];
            match left.iter().position(|b| *b == b'\n') {
                Some(end) => break end,
                None if left.len() >= MAX_LINE => {
                    return Err(self.error(format!("the line is longer than {MAX_LINE} bytes; is this a text of lines?")));
                }
                None if self.ended && left.is_empty() => return Ok(None),
                None if self.ended => break left.len(),
                None => self.fill()?,
            }
        };
        let bytes = &self.buffer[self.from..self.from + end];
        let text = std::str::from_utf8(bytes).map_err(|_| source::not_utf8(bytes, self.line))?.trim_end().to_owned();
        self.from = (self.from + end + 1).min(self.to);
        self.line += 1;
        Ok(Some(text))
    }

    /// The next line that is not blank, with its number.
    fn words(&mut self) -> Result<Option<(usize, String)>, FormatError> {
        loop {
            let line = self.line;
            match self.row()? {
                Some(text) if text.trim().is_empty() => {}
                Some(text) => return Ok(Some((line, text))),
                None => return Ok(None),
            }
        }
    }

    /// The next `n` numbers, which fill their last line; `of` says of what there are n.
    fn numbers(&mut self, n: usize, of: &str) -> Result<Vec<f64>, FormatError> {
        let mut values: Vec<f64> = Vec::with_capacity(n.min(MAX_RESERVED));
        while values.len() < n {
            // A number that begins before `sure` ends in the buffer.
            let sure = if self.ended { self.to } else { self.to.saturating_sub(MAX_NUMBER) };
            let mut at = self.from;
            while at < sure && values.len() < n {
                let byte = self.buffer[at];
                if byte.is_ascii_whitespace() {
                    self.line += usize::from(byte == b'\n');
                    at += 1;
                    continue;
                }
                let Some((value, length)) = number(&self.buffer[at..self.to]) else {
                    let word = self.buffer[at..self.to].iter().take(24).take_while(|b| !b.is_ascii_whitespace());
                    let word: String = word.map(|&b| char::from(b)).collect();
                    let seen = values.len();
                    return Err(self.error(format!("expected value {} of {n} of {of}, found '{word}'", seen + 1)));
                };
                values.push(value);
                at += length;
            }
            self.from = at;
            if values.len() < n {
                if self.ended {
                    let seen = values.len();
                    return Err(self.error(format!("the file ends after {seen} of {n} values of {of}; fetch it again")));
                }
                self.fill()?;
            }
        }
        let line = self.line;
        match self.row()? {
            Some(rest) if !rest.trim().is_empty() => Err(FormatError::syntax(
                line,
                0,
                format!("more values than the {n} of {of}: '{}' follows the last", clip(rest.trim())),
            )),
            _ => Ok(values),
        }
    }

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
            FormatError::syntax(line, 0, format!("a grid of {a} x {b} x {c} is more than the {MAX_POINTS} points accepted"))
        })?;
        let mut fields = Vec::new();
        loop {
            let of = format!("field {} on the grid of {a} x {b} x {c}", fields.len() + 1);
            fields.push(self.numbers(points, &of)?);
            if !self.after_field(shape, structure.len())? {
                break;
            }
            if fields.len() == 4 {
                return Err(self.error("a fifth grid begins here; expected 1 (no spin), 2 (spin) or 4 (non-collinear)"));
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
                return Err(self.error("no blank line ends the crystal; expected one between its last site and the grid"));
            }
        }
        let structure = poscar::parse(&text)?;
        // Whatever follows the counted sites would be read as nothing.
        let mode = lines.checked_sub(structure.len() + 1).and_then(|n| text.lines().nth(n)).unwrap_or("");
        if !mode.trim_start().starts_with(|c: char| "dcfk".contains(c.to_ascii_lowercase())) {
            let n = structure.len();
            let message = format!("the counts announce {n} sites, but the blank line does not follow the last of them");
            return Err(FormatError::syntax(lines + 1, 0, message));
        }
        Ok(structure)
    }

    /// Reads what stands behind a field: occupancies, atomic moments. Whether another field follows.
    fn after_field(&mut self, shape: [usize; 3], sites: usize) -> Result<bool, FormatError> {
        let (mut occupied, mut moments) = (0, 0);
        loop {
            let Some((line, text)) = self.words()? else {
                if occupied > 0 && occupied < sites {
                    let message = format!("the file ends after the occupancies of atom {occupied} of {sites}; fetch it again");
                    return Err(self.error(message));
                }
                if moments > 0 {
                    return Err(self.error("the file ends after the atomic moments; expected the grid of the magnetisation"));
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
                    return error(format!("expected an atom and a number of occupancies, found '{}'", clip(rest.trim())));
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
                    return error(format!("a grid of {d} x {e} x {f} follows one of {a} x {b} x {c}; expected the same"));
                }
                return Ok(true);
            } else {
                let values: Option<Vec<f64>> =
                    text.split_whitespace().map(|w| number(w.as_bytes()).filter(|n| n.1 == w.len()).map(|n| n.0)).collect();
                match values {
                    Some(values) if moments + values.len() <= sites => moments += values.len(),
                    Some(_) => return error(format!("more values than the grid has points, or than moments of {sites} atoms")),
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

/// 10^0 to 10^22, all exact.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The finite number at the head of `text`, which white space or the end of `text` must follow, and its length in bytes.
/// Fortran's `1.5D+00` and `0.15-101` are numbers too. Correctly rounded.
#[inline]
fn number(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative || text.first() == Some(&b'+'));
    let (mut mantissa, mut exponent) = (0_u64, 0_i32);
    let begin = at;
    digits(text, &mut at, &mut mantissa);
    let mut count = at - begin;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let point = at;
        digits(text, &mut at, &mut mantissa);
        exponent -= (at - point) as i32;
        count += at - point;
    }
    let end = at;
    let letter = matches!(text.get(at), Some(b'E' | b'e' | b'D' | b'd'));
    at += usize::from(letter);
    let mut power = 0_u64;
    let sign = text.get(at).filter(|b| matches!(b, b'+' | b'-'));
    if letter || sign.is_some() {
        at += usize::from(sign.is_some());
        let first = at;
        digits(text, &mut at, &mut power);
        if at == first || at - first > 4 {
            return None;
        }
        exponent += if sign == Some(&b'-') { -(power as i32) } else { power as i32 };
    }
    if count == 0 || at > MAX_NUMBER || text.get(at).is_some_and(|b| !b.is_ascii_whitespace()) {
        return None;
    }
    // 15 digits are below 2^53.
    let magnitude = if count <= 15 && exponent.unsigned_abs() <= 22 {
        let power = POWERS[exponent.unsigned_abs() as usize];
        if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power }
    } else {
        let digits = std::str::from_utf8(&text[begin..end]).ok()?;
        let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len()) as i32;
        format!("{digits}e{}", exponent + fraction).parse().ok().filter(|x: &f64| x.is_finite())?
    };
    Some((if negative { -magnitude } else { magnitude }, at))
}

/// Takes the digits at `at` into `value`, eight at once where there are as many. More than 19 overflow, and are not used.
#[inline]
fn digits(text: &[u8], at: &mut usize, value: &mut u64) {
    if let Some(Ok(eight)) = text.get(*at..*at + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(eight);
        let below = word.wrapping_sub(0x3030_3030_3030_3030);
        let above = word.wrapping_add(0x4646_4646_4646_4646);
        if (below | above) & 0x8080_8080_8080_8080 == 0 {
            // Pairs, then fours, then eights (D. Lemire, "Number parsing at a gigabyte per second", 2021).
            let pairs = below.wrapping_mul(10).wrapping_add(below >> 8);
            let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
            let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
            *value = value.wrapping_mul(100_000_000).wrapping_add(low.wrapping_add(high) >> 32);
            *at += 8;
        }
    }
    while let Some(digit) = text.get(*at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        *at += 1;
    }
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
    fn numbers_are_the_nearest_doubles() {
        for text in [
            "0.15246059033E+03", "-.11993042387E-03", "0", "-0.0", "152.46", "1e22", "123456789012345678901234", "1e-22",
            "0.10283642961E-07", "-0.87468511150E-30", "0.49406564584E-323", "9007199254740993", "12345678", "123456789",
            "00000000000000000000000000000000001.5", "0.1",
        ] {
            let (value, length) = number(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
            assert_eq!((length, number(format!("{text}\n8").as_bytes()).unwrap().1), (text.len(), text.len()));
        }
        assert_eq!(number(b"0.15D+02 "), Some((15.0, 8)));
        assert_eq!(number(b"0.15-101"), Some((0.15e-101, 8)));
        for text in ["", "-", ".", "E5", "1e", "1e+", "nan", "inf", "*****", "0.1-.2", "1.2.3", "1x", "1e99999", "1e400"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

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
        let complex = OCCUPANCIES.replace("   1   2\n 0.1 0.2\n", "   1   1\n 1\naugmentation occupancies (imaginary part)   1   1\n 1\n");
        assert!(read(&file(&format!("{FIELD}{complex}"))).is_ok());
    }

    #[test]
    fn counts_of_four_columns_run_together() {
        assert_eq!(["   1  33", "1000 138", "12341138"].map(atom_and_count), [(1, 33), (1000, 138), (1234, 1138)].map(Some));
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
            (file(" 2 1 3\n 1 2 3\n 4 ****** 6\n"), 14, "value 5 of 6 of field 1 on the grid of 2 x 1 x 3, found '******'"),
            (file(" 2 1 3\n 1 2 3\n 4 NaN 6\n"), 14, "found 'NaN'"),
            (file(" 2 1 3\n 1 2 3\n 4 5 6 7\n"), 14, "'7' follows the last"),
            (file(" 2 1 3\n 1 2 3\n 4 5 6\n 7. 8. 9.\n"), 15, "more values than"),
            (file(&format!("{FIELD}augmentation occupancies   2   1\n 1\n")), 15, "expected those of atom 1"),
            (file(&format!("{FIELD}augmentation occupancies   1   3\n 1 2\n")), 17, "2 of 3 values of the occupancies of atom 1"),
            (file(&format!("{FIELD}augmentation occupancies   1   1\n 1\n")), 17, "after the occupancies of atom 1 of 2"),
            (file(&format!("{FIELD}augmentation occupancies   1   1\n 1\n{FIELD}")), 17, "a grid begins after"),
            (file(&spin.replace(" 2 1 3\n", " 2 1 2\n").replacen(" 2 1 2\n", " 2 1 3\n", 1)), 19, "a grid of 2 x 1 x 2 follows"),
            (file(&spin[..spin.len() - 8]), 21, "ends after 5 of 6 values of field 2"),
            (file(&FIELD.repeat(3)), 21, "ends after 3 grids"),
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
    fn values_that_straddle_the_buffer_are_whole() {
        let n: usize = 60_000;
        let values: Vec<String> = (0..n).map(|i| format!("{:.10E}", (i as f64).sin())).collect();
        let text = file(&format!("100 100 6\n{}\n", values.join(" ").replace("E", "E+")).replace("E+-", "E-"));
        let read = read(&text).unwrap();
        let expected: Vec<f64> = values.iter().map(|v| v.parse::<f64>().unwrap() / 8.0).collect();
        assert!(text.len() > 3 * CHUNK && read.total() == expected);
    }

    #[test]
    fn the_name_tells_the_quantity() {
        let of = |name: &str| Quantity::of(Path::new(name));
        assert_eq!(["a/CHGCAR.gz", "AECCAR0", "LOCPOT", "run/ELFCAR.gz"].map(of).map(Quantity::unit), ["e/Å³", "e/Å³", "eV", ""]);
    }
}
