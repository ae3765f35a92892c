//! XSF of XCrySDen: a crystal, or the steps of one (`ANIMSTEPS`), in the primitive cell.
//!
//! ```text
//! CRYSTAL
//! PRIMVEC            rows a, b, c, Å; PRIMVEC 2 is that of step 2
//!  0.0 2.1 2.1
//!  ...
//! PRIMCOORD          number of atoms and a 1, then a line an atom: atomic number or symbol, x, y, z in Å, forces
//!  2 1
//!  12 0.0 0.0 0.0
//! ```
//! Conventional cells (`CONVVEC`), grids and bands of data that follow are skipped.

use super::{
    Format, Frames, Input, MAX_ATOMS, Note, Properties, Records, at_line,
    format::Open,
    frames, plain, source,
    species::{element_of_symbol, is_isotope},
};
use crate::FormatError;
use crystal::{Element, Lattice, Structure};

/// Keywords of what is no crystal.
const OTHERS: [&str; 4] = ["MOLECULE", "POLYMER", "SLAB", "ATOMS"];

/// See [`Format`].
pub(super) static FORMAT: Format = Format {
    name: "XSF",
    extensions: &["xsf", "axsf"],
    begins: &[],
    packed: true,
    open: Open::File(|input, reading| {
        let text = source::read_text(&input.path)?;
        Ok(plain(records(input, &text, reading.frames), input, &reading.mapping))
    }),
};

/// The selected frames.
pub(super) fn records(input: &Input, text: &str, which: Frames) -> Records {
    match steps(text) {
        Ok(steps) => frames::records(input, steps.len(), which, move |k| {
            let Step { vectors, atoms, line, properties } = &steps[k];
            Ok((crystal(*vectors, atoms, *line)?, *line, properties.clone()))
        }),
        Err(error) => Box::new(std::iter::once(Err(super::Rejection::new(
            &input.path,
            Some(input.name.clone()),
            &error,
            text,
            1,
        )))),
    }
}

/// One step: its cell, and where its atoms stand.
struct Step {
    vectors: ([[f64; 3]; 3], usize),
    atoms: Vec<(Element, [f64; 3])>,
    /// Line of the first atom.
    line: usize,
    properties: Properties,
}

fn crystal(
    (vectors, line): ([[f64; 3]; 3], usize),
    atoms: &[(Element, [f64; 3])],
    first: usize,
) -> Result<Structure, FormatError> {
    let lattice = Lattice::new(vectors).map_err(at_line(line))?;
    let species = atoms.iter().map(|(element, _)| *element).collect();
    let coords = atoms.iter().map(|(_, x)| lattice.to_fractional(*x)).collect();
    Structure::new(lattice, species, coords).map_err(|source| {
        let line = match &source {
            crystal::CrystalError::Overlap { j, .. } => first + j - 1,
            _ => first,
        };
        at_line(line)(source)
    })
}

/// Lines that are neither blank nor comments, numbered.
struct Lines<'a>(std::iter::Peekable<Box<dyn Iterator<Item = (usize, &'a str)> + 'a>>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
        let lines: Box<dyn Iterator<Item = _>> = Box::new(lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')));
        Self(lines.peekable())
    }

    fn next(&mut self, expected: &str) -> Result<(usize, &'a str), FormatError> {
        self.0.next().ok_or_else(|| FormatError::syntax(0, 0, format!("the file ends; expected {expected}")))
    }

    /// Three numbers that begin the next line.
    fn vector(&mut self, expected: &str) -> Result<(usize, [f64; 3]), FormatError> {
        let (number, line) = self.next(expected)?;
        triple(line.split_whitespace()).map(|x| (number, x)).ok_or_else(|| {
            FormatError::syntax(number, 0, format!("expected {expected}: three numbers, found '{}'", clip(line)))
        })
    }
}

fn triple<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<[f64; 3]> {
    let mut number = || words.next()?.parse::<f64>().ok().filter(|x| x.is_finite());
    Some([number()?, number()?, number()?])
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

fn steps(text: &str) -> Result<Vec<Step>, FormatError> {
    let mut lines = Lines::of(text);
    let (mut vectors, mut steps) = (None, Vec::new());
    while let Some((number, line)) = lines.0.next() {
        let word = line.split_whitespace().next().unwrap_or("");
        match word {
            "PRIMVEC" => {
                let (first, a) = lines.vector("the lattice vector a")?;
                vectors = Some((
                    [a, lines.vector("the lattice vector b")?.1, lines.vector("the lattice vector c")?.1],
                    first,
                ));
            }
            "PRIMCOORD" => {
                let vectors = vectors.ok_or_else(|| FormatError::syntax(number, 0, "PRIMCOORD before any PRIMVEC"))?;
                steps.push(atoms(&mut lines, vectors)?);
            }
            other if OTHERS.contains(&other) => {
                let message = format!("{other}: only crystals, which repeat in three directions, are accepted");
                return Err(FormatError::syntax(number, 0, message));
            }
            _ => {}
        }
    }
    match steps.is_empty() {
        true => Err(FormatError::syntax(1, 0, "no PRIMVEC and PRIMCOORD; expected the crystal of an XSF file")),
        false => Ok(steps),
    }
}

/// The atoms of a step.
fn atoms(lines: &mut Lines, vectors: ([[f64; 3]; 3], usize)) -> Result<Step, FormatError> {
    let (number, line) = lines.next("the number of atoms")?;
    let count = line.split_whitespace().next().and_then(|word| word.parse::<usize>().ok());
    let count = match count {
        Some(n) if (1..=MAX_ATOMS).contains(&n) => n,
        _ => {
            let message = format!("expected a number of atoms from 1 to {MAX_ATOMS}, found '{}'", clip(line));
            return Err(FormatError::syntax(number, 0, message));
        }
    };
    let (mut atoms, mut first, mut properties) = (Vec::with_capacity(count), number + 1, Properties::default());
    for i in 0..count {
        let expected = format!("atom {} of {count}", i + 1);
        let (number, line) = lines.next(&expected)?;
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or("");
        let element = match name.parse::<i64>() {
            Ok(z) => Element::from_z(z),
            Err(_) => element_of_symbol(name),
        };
        if is_isotope(name) {
            properties.notes.insert(Note::Isotopes);
        }
        let at = triple(words).ok_or_else(|| {
            FormatError::syntax(
                number,
                0,
                format!("expected {expected}: an element and three numbers, found '{}'", clip(line)),
            )
        })?;
        atoms.push((element.map_err(at_line(number))?, at));
        first = if i == 0 { number } else { first };
    }
    Ok(Step { vectors, atoms, line: first, properties })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reading, Record, Rejection, read};

    const MGO: &str = "# MgO\nCRYSTAL\nPRIMVEC\n 0 2.1 2.1\n 2.1 0 2.1\n 2.1 2.1 0\nCONVVEC\n 4.2 0 0\n 0 4.2 0\n 0 0 4.2\nPRIMCOORD\n 2 1\n\
        12 0 0 0 0.1 0.0 0.0\nO 2.1 0 0\n";

    fn of(text: &str, which: &str) -> Vec<Result<Record, Rejection>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mgo.xsf");
        std::fs::write(&path, text).unwrap();
        let reading = Reading { frames: which.parse().unwrap(), ..Reading::default() };
        read(&Input::new(path), &reading).collect()
    }

    #[test]
    fn a_crystal_and_the_steps_of_one() {
        let read = of(MGO, "last");
        let record = read[0].as_ref().unwrap();
        assert_eq!((record.id.as_str(), record.structure.composition().formula()), ("mgo", "MgO".into()));
        assert_eq!(record.structure.frac_coords()[1], [-0.5, 0.5, 0.5]);
        let steps = format!(
            "ANIMSTEPS 2\n{}{}",
            MGO.replace("PRIMCOORD", "PRIMCOORD 1"),
            "PRIMCOORD 2\n2 1\n12 0 0 0\n8 2.2 0 0\n"
        );
        let ids: Vec<String> = of(&steps, "all").into_iter().map(|r| r.unwrap().id).collect();
        assert_eq!(ids, ["mgo#1", "mgo#2"]);
        assert_eq!(of(&steps, "last")[0].as_ref().unwrap().properties.notes, [Note::LastFrame].into());
    }

    #[test]
    fn faults_are_located() {
        for (from, to, line, said) in [
            ("CRYSTAL", "SLAB", 2, "SLAB: only crystals"),
            ("PRIMVEC", "VEC", 11, "before any PRIMVEC"),
            ("PRIMCOORD", "COORD", 1, "no PRIMVEC and PRIMCOORD"),
            (" 2.1 0 2.1", " 2.1 x 2.1", 5, "lattice vector b"),
            ("O 2.1 0 0", "Q 2.1 0 0", 14, "'Q' is not"),
            ("O 2.1 0 0", "O 2.1 0", 14, "atom 2 of 2"),
            ("O 2.1 0 0", "O 0.1 0 0", 14, "apart"),
            (" 2 1\n", " 0 1\n", 12, "number of atoms"),
            ("\nO 2.1 0 0", "", 0, "the file ends; expected atom 2 of 2"),
        ] {
            assert!(MGO.contains(from), "{from}");
            let read = of(&MGO.replacen(from, to, 1), "last");
            let rejection = read[0].as_ref().unwrap_err();
            assert!(rejection.line == line && rejection.reason.contains(said), "{to}: {rejection}");
        }
    }
}
