//! POSCAR and CONTCAR of VASP 4 and 5: direct or Cartesian, selective dynamics, one or three scale factors.

use std::fmt::Write;

use super::{
    Format, Input, MAX_ATOMS, Note, Notes, Properties, Record, Records, Rejection, at_line,
    format::{Open, Text},
    plain,
    species::{element_of_symbol, is_isotope},
};
use crate::FormatError;
use crystal::{Element, Lattice, Structure};

/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "POSCAR",
    extensions: &["poscar", "vasp"],
    begins: &["poscar", "contcar"],
    packed: true,
    open: Open::Text(TEXT),
};

/// How such a text is read.
pub(super) const TEXT: Text = Text {
    looks: has_cell,
    records: |input, text, reading| plain(records(input, &text), input, &reading.mapping),
    parse: parse_noted,
};

/// Whether scale and cell stand in lines 2 to 5, whatever the comment before them is.
pub(super) fn has_cell(text: &str) -> bool {
    let numbers = |line: &str| line.split_whitespace().map_while(|w| w.parse::<f64>().ok()).count();
    let mut counts = text.lines().skip(1).map(numbers);
    counts.next().is_some_and(|n| n > 0) && counts.take(3).filter(|n| *n >= 3).count() == 3
}

/// The crystal of a POSCAR file.
pub(super) fn records(input: &Input, text: &str) -> Records {
    let id = input.name.clone();
    let result = match parse_noted(text) {
        Ok((structure, notes)) => {
            Ok(Record { id, structure, line: 1, properties: Properties { notes, ..Properties::default() } })
        }
        Err(error) => Err(Rejection::new(&input.path, Some(id), &error, text, 1)),
    };
    Box::new(std::iter::once(result))
}

/// The lines of a text, numbered.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self, expected: &str) -> Result<&'a str, FormatError> {
        self.number += 1;
        let number = self.number;
        self.lines
            .next()
            .ok_or_else(|| FormatError::syntax(number, 0, format!("the file ends here; expected {expected}")))
    }

    fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError::syntax(self.number, 0, message)
    }

    /// The first three numbers of the next line, and what follows them.
    fn triple(&mut self, expected: &str) -> Result<([f64; 3], &'a str), FormatError> {
        let line = self.next(expected)?;
        let (mut numbers, mut rest) = ([0.0; 3], line);
        for x in &mut numbers {
            let trimmed = rest.trim_start();
            let word = trimmed.split_whitespace().next().unwrap_or("");
            match word.parse::<f64>() {
                Ok(number) if number.is_finite() => *x = number,
                _ if word.is_empty() => {
                    return Err(self.error(format!("expected {expected}: three finite numbers, found fewer")));
                }
                _ => {
                    let before = line.len() - trimmed.len();
                    let column = line.get(..before).map_or(0, |before| before.chars().count() + 1);
                    let message = format!("expected {expected}: three finite numbers, found '{}'", clip(word));
                    return Err(FormatError::syntax(self.number, column, message));
                }
            }
            rest = trimmed.strip_prefix(word).unwrap_or("");
        }
        Ok((numbers, rest))
    }
}

/// Reads the crystal; velocities and other lines after the coordinates are not read.
pub(super) fn parse(text: &str) -> Result<Structure, FormatError> {
    parse_noted(text).map(|(structure, _)| structure)
}

/// As [`parse`], with how the crystal differs from the text.
pub(super) fn parse_noted(text: &str) -> Result<(Structure, Notes), FormatError> {
    let mut lines = Lines { lines: text.lines(), number: 0 };
    let comment = lines.next("a comment line")?;
    let scale = scale(&mut lines)?;
    let mut rows = [[0.0; 3]; 3];
    let first_row = lines.number + 1;
    for (row, name) in rows.iter_mut().zip(["a", "b", "c"]) {
        *row = lines.triple(&format!("lattice vector {name}"))?.0;
    }
    let scale = match scale {
        Scale::Factors(factors) => factors,
        Scale::Volume(volume) => {
            let unscaled = Lattice::new(rows).map_err(at_line(first_row))?.volume();
            [(volume / unscaled).cbrt(); 3]
        }
    };
    let scaled = |x: [f64; 3]| -> [f64; 3] { std::array::from_fn(|k| x[k] * scale[k]) };
    let lattice = Lattice::new(rows.map(scaled)).map_err(at_line(first_row))?;

    let Species { symbols, counts, notes } = species_lines(&mut lines, comment)?;
    let natoms = counts.iter().fold(0_usize, |n, c| n.saturating_add(*c));
    if natoms > MAX_ATOMS {
        return Err(lines.error(format!("the counts announce {natoms} atoms, more than the {MAX_ATOMS} accepted")));
    }
    let mut mode = lines.next("'Direct' or 'Cartesian'")?;
    let first_letter = |line: &str| line.trim_start().chars().next().map(|c| c.to_ascii_lowercase());
    if first_letter(mode) == Some('s') {
        mode = lines.next("'Direct' or 'Cartesian'")?;
    }
    let cartesian = match first_letter(mode) {
        Some('c' | 'k') => true,
        Some('d' | 'f') => false,
        _ => return Err(lines.error(format!("expected 'Direct' or 'Cartesian', found '{}'", clip(mode.trim())))),
    };

    let (mut coords, mut labels) = (Vec::with_capacity(natoms), Vec::new());
    let first_site = lines.number + 1;
    for i in 0..natoms {
        let (x, rest) = lines.triple(&format!("the coordinates of atom {} of {natoms}", i + 1))?;
        coords.push(if cartesian { lattice.to_fractional(scaled(x)) } else { x });
        if symbols.is_none() {
            let label = rest.split_whitespace().last().and_then(element_behind);
            labels.extend(label.filter(|_| labels.len() == i));
        }
    }
    let species: Vec<Element> = match symbols {
        Some(symbols) => symbols.iter().zip(&counts).flat_map(|(e, n)| std::iter::repeat_n(*e, *n)).collect(),
        None if labels.len() == natoms => labels,
        None => {
            let message = "the elements are nowhere named; add a line of symbols (such as 'Ti O') above the counts";
            return Err(FormatError::syntax(6, 0, message));
        }
    };
    let structure = Structure::new(lattice, species, coords).map_err(|source| {
        let line = match &source {
            crystal::CrystalError::Overlap { j, .. } => first_site + j - 1,
            _ => first_site,
        };
        at_line(line)(source)
    })?;
    Ok((structure, notes))
}

/// An element named in the comment or after the coordinates. A `T` there is a flag of selective dynamics, no tritium.
fn element_behind(word: &str) -> Option<Element> {
    element_of_symbol(word).ok().filter(|_| !is_isotope(word))
}

enum Scale {
    Factors([f64; 3]),
    Volume(f64),
}

/// One positive factor, three positive factors, or minus the cell's volume in Å³.
fn scale(lines: &mut Lines) -> Result<Scale, FormatError> {
    let line = lines.next("the scale factor")?;
    let numbers: Vec<f64> = line.split_whitespace().map_while(|w| w.parse().ok()).take(3).collect();
    let positive = |x: &f64| x.is_finite() && *x > 0.0;
    match numbers[..] {
        [x, y, z] if numbers.iter().all(positive) => Ok(Scale::Factors([x, y, z])),
        [x, ..] if positive(&x) && numbers.len() < 3 => Ok(Scale::Factors([x; 3])),
        [x, ..] if x.is_finite() && x < 0.0 && numbers.len() < 3 => Ok(Scale::Volume(-x)),
        _ => Err(lines.error(format!(
            "expected a scale factor (a positive number, minus the volume in Å³, or three positive numbers), found '{}'",
            clip(line.trim())
        ))),
    }
}

/// The lines of symbols and counts.
struct Species {
    symbols: Option<Vec<Element>>,
    counts: Vec<usize>,
    notes: Notes,
}

/// Reads both; VASP 4 has the counts only, and its comment often names the elements.
fn species_lines(lines: &mut Lines, comment: &str) -> Result<Species, FormatError> {
    let line = lines.next("element symbols or counts")?;
    let begins_with_digit = |line: &str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    if begins_with_digit(line) {
        let counts = counts(lines, line)?;
        let named: Vec<Element> = comment.split_whitespace().map_while(element_behind).collect();
        let symbols = (named.len() == counts.len()).then_some(named);
        return Ok(Species { symbols, counts, notes: Notes::new() });
    }
    let notes = line.split_whitespace().any(is_isotope).then_some(Note::Isotopes).into_iter().collect();
    let symbols: Vec<Element> =
        line.split_whitespace().map(element_of_symbol).collect::<Result<_, _>>().map_err(at_line(lines.number))?;
    let line = lines.next("the number of atoms of each element")?;
    if !begins_with_digit(line) {
        return Err(lines.error(format!("expected the number of atoms of each element, found '{}'", clip(line.trim()))));
    }
    let counts = counts(lines, line)?;
    if symbols.len() != counts.len() {
        let (n, m) = (symbols.len(), counts.len());
        return Err(lines.error(format!("{n} element symbols but {m} counts; expected one count for each symbol")));
    }
    Ok(Species { symbols: Some(symbols), counts, notes })
}

fn counts(lines: &Lines, line: &str) -> Result<Vec<usize>, FormatError> {
    // A comment may follow the counts: `2 4 ! Ti O`.
    let words = line.split_whitespace().take_while(|w| !w.starts_with(['!', '#']));
    let count = |word: &str| match word.parse::<usize>() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(lines.error(format!("'{}' is not a number of atoms; expected a whole number above 0", clip(word)))),
    };
    words.map(count).collect()
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// POSCAR text of a structure (VASP 5, direct) that reads back as exactly the same rows and coordinates. Sites keep their order:
/// a symbol is repeated where its sites are not together.
pub fn to_poscar(structure: &Structure, comment: &str) -> String {
    let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut text = format!("{comment}\n1.0\n");
    let out = &mut text;
    // Writing to a string cannot fail.
    for [x, y, z] in structure.lattice().rows() {
        let _ = writeln!(out, "  {x:?} {y:?} {z:?}");
    }
    let runs: Vec<&[Element]> = structure.species().chunk_by(|a, b| a == b).collect();
    let symbols: Vec<&str> = runs.iter().map(|run| run[0].symbol()).collect();
    let counts: Vec<String> = runs.iter().map(|run| run.len().to_string()).collect();
    let _ = writeln!(out, "{}\n{}\nDirect", symbols.join(" "), counts.join(" "));
    for (element, [x, y, z]) in structure.species().iter().zip(structure.frac_coords()) {
        let _ = writeln!(out, "  {x:?} {y:?} {z:?} {element}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUTILE: &str = "TiO2 rutile\n1.0\n4.594 0 0\n0 4.594 0\n0 0 2.959\nTi O\n2 4\nDirect\n0 0 0\n.5 .5 .5\n\
        .305 .305 0\n.695 .695 0\n.195 .805 .5\n.805 .195 .5\n";

    #[test]
    fn vasp_5_direct() {
        let rutile = parse(RUTILE).unwrap();
        assert_eq!(rutile.composition().formula(), "Ti2O4");
        assert_eq!(rutile.frac_coords()[4], [0.195, 0.805, 0.5]);
    }

    #[test]
    fn vasp_4_names_its_elements_in_the_comment_or_behind_the_coordinates() {
        let rutile = parse(RUTILE).unwrap();
        let text = RUTILE.replacen("Ti O\n", "", 1).replacen("TiO2 rutile", "Ti O", 1);
        assert_eq!(parse(&text).unwrap(), rutile);
        let error = parse(&RUTILE.replacen("Ti O\n", "", 1)).unwrap_err().to_string();
        assert!(error.contains("add a line of symbols"), "{error}");
        let mut labelled = RUTILE.replacen("Ti O\n", "", 1);
        for (site, label) in [("0 0 0\n.5", "Ti"), (".5 .5 .5", "Ti"), (".305 .305 0", "O"), (".695 .695 0", "O")] {
            let line = site.lines().next().unwrap();
            labelled = labelled.replacen(
                &format!("\n{line}\n"),
                &format!("\n{line} {label}\n"),
                if line == "0 0 0" { 1 } else { 9 },
            );
        }
        let labelled =
            labelled.replace(".195 .805 .5\n", ".195 .805 .5 O\n").replace(".805 .195 .5\n", ".805 .195 .5 O2-\n");
        assert_eq!(parse(&labelled).unwrap(), rutile);
    }

    #[test]
    fn deuterium_is_hydrogen_and_a_flag_is_no_tritium() {
        let ice = RUTILE.replacen("Ti O\n2 4", "O D\n2 4", 1);
        let (structure, notes) = parse_noted(&ice).unwrap();
        assert_eq!((structure.composition().formula().as_str(), notes), ("H4O2", Notes::from([Note::Isotopes])));
        assert!(parse_noted(RUTILE).unwrap().1.is_empty());
        let flagged = RUTILE.replacen("Ti O\n", "", 1).replace("\n.", "\n .").replace(" 0\n", " 0 T T T\n");
        assert!(parse(&flagged).unwrap_err().to_string().contains("add a line of symbols"));
    }

    #[test]
    fn cartesian_selective_and_scaled() {
        let rutile = parse(RUTILE).unwrap();
        let mut text =
            "x\n2 1 0.5\n2.297 0 0\n0 4.594 0\n0 0 5.918\nTi O\n2 4\nSelective dynamics\nCartesian\n".to_owned();
        for [x, y, z] in rutile.cart_coords() {
            text += &format!("{:?} {y:?} {:?} T F T\n", x / 2.0, z / 0.5);
        }
        let read = parse(&text).unwrap();
        assert_eq!(read.lattice(), rutile.lattice());
        let same = |a: &[f64; 3], b: &[f64; 3]| (0..3).all(|k| (a[k] - b[k]).abs() < 1e-14);
        assert!(read.frac_coords().iter().zip(rutile.frac_coords()).all(|(a, b)| same(a, b)));
    }

    #[test]
    fn a_negative_scale_is_the_volume() {
        let text = RUTILE.replacen("1.0\n", "-100\n", 1);
        assert!((parse(&text).unwrap().volume() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn faults_are_located() {
        for (from, to, line, said) in [
            ("1.0\n", "0.0\n", 2, "scale factor"),
            ("0 4.594 0", "0 4.594", 4, "lattice vector b"),
            ("Ti O", "Ti Ox", 6, "'Ox' is not"),
            ("2 4\n", "2\n", 7, "2 element symbols but 1 counts"),
            ("2 4\n", "2 1000000\n", 7, "1000002 atoms"),
            ("2 4\n", "2 5\n", 15, "atom 7 of 7"),
            ("Direct", "0 0 0", 8, "expected 'Direct'"),
            (".5 .5 .5", ".5 nan .5", 10, "found 'nan'"),
            (".5 .5 .5", ".01 0 0", 10, "apart"),
        ] {
            let error = parse(&RUTILE.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.position().map(|p| p.line), Some(line), "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn printing_keeps_the_order_of_sites() {
        let rutile = parse(RUTILE).unwrap();
        let mixed: Vec<usize> = vec![2, 0, 3, 1, 4, 5];
        let species = mixed.iter().map(|&i| rutile.species()[i]).collect();
        let coords = mixed.iter().map(|&i| rutile.frac_coords()[i]).collect();
        let mixed = Structure::new(*rutile.lattice(), species, coords).unwrap();
        let text = to_poscar(&mixed, "two\nlines");
        assert!(text.contains("O Ti O Ti O\n1 1 1 1 2\n"), "{text}");
        assert_eq!(parse(&text).unwrap(), mixed);
    }
}
