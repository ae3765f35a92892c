//! CIF: the Crystallographic Information File, as the journals and databases write it.
//!
//! A data block gives a cell, the sites of the asymmetric unit and the symmetry that makes a crystal of them. The symmetry is
//! the list of operations where there is one; else the Hall symbol, the Hermann-Mauguin symbol or the number of the space
//! group, in the setting that the cell allows and in which no two sites overlap. Open questions are refused, not guessed: partial
//! occupancies, two origins that both fit, operations that are not understood, a cell that does not hold the stated formula. Of a magnetic
//! crystal (magCIF) the atoms are read, and not the moments. The average crystal of partial occupancies goes with its refusal, to be
//! ordered later.

mod block;
mod lexer;
mod operations;
mod sites;
mod stated;
mod symmetry;
mod writer;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use block::Block;
use lexer::{Lexer, Token};

use super::{
    Format, Note, Notes, Properties, Record, Records, Refused, Rejection, at_line,
    format::{Open, Text, first_line},
    plain, poscar, stem,
};
use crate::FormatError;
use crystal::CrystalError;
use crystal::{Disordered, Lattice, Structure, SymOp, content_hash, expand_sites};
use sites::Site;
use stated::Stated;
use symmetry::{Named, Symmetry};

pub use writer::{to_cif, to_symmetrised_cif};

/// See [`Format`].
pub(super) static FORMAT: Format =
    Format { name: "CIF", extensions: &["cif", "mcif"], begins: &[], packed: true, open: Open::Text(TEXT) };

/// How such a text is read.
pub(super) const TEXT: Text = Text {
    looks: |text| {
        let word = first_line(text).split_whitespace().next().unwrap_or("").to_ascii_lowercase();
        // The comment of a POSCAR may be any.
        !poscar::has_cell(text) && (word.starts_with("data_") || word.starts_with('_') || word == "loop_")
    },
    records: |input, text, reading| plain(records(&input.path, text), input, &reading.mapping),
    parse: parse_noted,
};

/// Most listed operations: 192 is the order of the largest space group's cell; eight such cells is a supercell.
const MAX_OPERATIONS: usize = 8 * 192;

/// The one crystal of a CIF, and how it differs from the text.
pub(super) fn parse_noted(text: &str) -> Result<(Structure, Notes), FormatError> {
    let mut found: Option<(&str, (Structure, Notes))> = None;
    let mut lexer = Lexer::new(text, 0, 1);
    while let Some(block) = Block::read(&mut lexer) {
        let block = block.map_err(|(_, e)| e)?;
        if block.is_crystal() {
            if let Some((first, _)) = &found {
                let message =
                    format!("a second crystal '{}' after '{first}'; expected one data block with a cell", block.name);
                return Err(FormatError::syntax(block.line, 0, message));
            }
            found = Some((block.name, crystal(&block).map_err(|refused| refused.error)?));
        }
    }
    found.map(|(_, crystal)| crystal).ok_or_else(no_crystal)
}

fn no_crystal() -> FormatError {
    FormatError::syntax(
        1,
        0,
        "no data block holds a crystal; expected _cell_length_a ... and a loop with _atom_site_fract_x",
    )
}

/// Every crystal of a CIF file.
pub(super) fn records(path: &Path, text: String) -> Records {
    let stem = stem(path);
    let mut crystals = Crystals { path: path.to_owned(), text, at: 0, line: 1, names: HashMap::new() };
    // One crystal needs no block name behind the stem; whether there are more is known before the first is yielded.
    let first = crystals.next();
    let second = first.is_some().then(|| crystals.next()).flatten();
    if first.is_none() {
        let none = Rejection::of(path, None, no_crystal().into(), Properties::default(), &crystals.text, 1);
        return Box::new(std::iter::once(Err(none)));
    }
    let several = second.is_some();
    let all = first.into_iter().chain(second).chain(crystals);
    Box::new(all.map(move |(block, result)| {
        let id = block.map(|block| if several { format!("{stem}#{block}") } else { stem.clone() });
        match result {
            Ok(record) => Ok(Record { id: id.unwrap_or_default(), ..record }),
            Err(rejection) => Err(Rejection { id, ..rejection }),
        }
    }))
}

/// The crystals of a text, block by block, each with the name of its block where that could be read.
struct Crystals {
    path: PathBuf,
    text: String,
    /// Where the next block begins, in bytes and as a line.
    at: usize,
    line: usize,
    /// Blocks so far, and their lines.
    names: HashMap<String, usize>,
}

impl Iterator for Crystals {
    type Item = (Option<String>, Result<Record, Rejection>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (start, first) = (self.at, self.line);
            let mut lexer = Lexer::new(&self.text, start, first);
            let read = Block::read(&mut lexer);
            (self.at, self.line) = (lexer.at, lexer.line);
            let (name, line, result) = match read? {
                Err((line, error)) => (None, line, Err(error.into())),
                Ok(block) if !block.is_crystal() => continue,
                Ok(block) => {
                    let result = match self.names.insert(block.name.to_owned(), block.line) {
                        Some(first) => Err(twice(&block, first).into()),
                        None => crystal(&block),
                    };
                    (Some(block.name.to_owned()), block.line, result)
                }
            };
            let result = match result {
                Ok((structure, notes)) => {
                    let properties = Properties { notes, ..Properties::default() };
                    Ok(Record { id: String::new(), structure, line, properties })
                }
                Err(refused) => {
                    let text = self.text.get(start..).unwrap_or("");
                    Err(Rejection::of(&self.path, None, refused, Properties::default(), text, first))
                }
            };
            return Some((name, result));
        }
    }
}

fn twice(block: &Block, first: usize) -> FormatError {
    let message = format!("data block '{}' was already given at line {first}; rename one of them", block.name);
    FormatError::syntax(block.line, 0, message)
}

/// The crystal of a block, and how it differs from the text.
fn crystal(block: &Block) -> Result<(Structure, Notes), Refused> {
    let (lattice, cell_line) = cell(block)?;
    let stated = Stated::read(block)?;
    let sites = sites::read(block, stated.as_ref().map(|s| &s.formula))?;
    if let Some(partial) = sites.iter().find_map(|site| Some((site.line, site.partial.as_ref()?))) {
        // Which of two origins holds the shared sites, or whether more operations belong to them, is not to be guessed.
        let ops = match symmetry::read(block, &lattice)? {
            Symmetry::Operations { ops, fuller: None } => Some(ops),
            Symmetry::Named(Named { settings, .. }) if settings.len() == 1 => Some(settings[0].operations().to_vec()),
            _ => None,
        };
        return Err(shared(&lattice, ops.as_deref(), &sites, partial, cell_line, stated.as_ref())?);
    }
    let build = |ops: &[SymOp]| -> Result<Structure, FormatError> {
        let structure = expand(&lattice, ops, &sites, cell_line)?;
        stated.as_ref().map_or(Ok(()), |s| s.check(&structure))?;
        Ok(structure)
    };
    let structure = match symmetry::read(block, &lattice)? {
        Symmetry::Operations { ops, fuller } => {
            let structure = build(&ops)?;
            fuller.map_or(Ok(()), |named| complete(&named, ops.len(), &structure, build))?;
            structure
        }
        Symmetry::Named(named) => of_named(&named, &lattice, &sites, build)?,
    };
    let mut notes = Notes::new();
    notes.extend(sites.iter().any(|s| s.isotope).then_some(Note::Isotopes));
    notes.extend(operations::is_magnetic(block).then_some(Note::Magnetic));
    Ok((structure, notes))
}

/// Makes sure that a list of fewer operations than the named group has is not incomplete: that all atoms of the cell are listed, or the
/// file says how many there are.
fn complete(
    named: &Named,
    listed: usize,
    structure: &Structure,
    build: impl Fn(&[SymOp]) -> Result<Structure, FormatError>,
) -> Result<(), FormatError> {
    for setting in &named.settings {
        if build(setting.operations()).is_ok_and(|fuller| fuller.len() > structure.len()) {
            let (all, stated) = (setting.operations().len(), &named.stated);
            let message = format!(
                "{listed} of the {all} operations of {stated} are listed, and both make a crystal; \
                 list all of them, or state _chemical_formula_sum and _cell_formula_units_Z"
            );
            return Err(FormatError::syntax(named.line, 0, message));
        }
    }
    Ok(())
}

/// The crystal of a named group: in the one setting in which its sites make one.
fn of_named(
    named: &Named,
    lattice: &Lattice,
    sites: &[Site],
    build: impl Fn(&[SymOp]) -> Result<Structure, FormatError>,
) -> Result<Structure, FormatError> {
    let Named { settings, line, stated } = named;
    let mut tried: Vec<_> = settings.iter().map(|s| (*s, build(s.operations()))).collect();
    if tried.iter().filter(|(_, result)| result.is_ok()).count() > 1 {
        // Two origins give two crystals without an overlap: the sites' multiplicities may decide.
        tried.retain(|(s, result)| result.is_ok() && sites::multiplicities_agree(lattice, s.operations(), sites));
        let hashes: Vec<_> = tried.iter().flat_map(|(_, r)| r).map(content_hash).collect();
        if hashes.windows(2).any(|pair| pair[0] != pair[1]) || hashes.is_empty() {
            let choices = settings.iter().map(|s| s.choice).collect::<Vec<_>>().join(" and ");
            let message = format!(
                "{stated} leaves the setting open: choices {choices} both give a crystal; \
                 list the operations in _space_group_symop_operation_xyz or name the choice ('{stated} :2')"
            );
            return Err(FormatError::syntax(*line, 0, message));
        }
    }
    let good = tried.iter().position(|(_, result)| result.is_ok()).unwrap_or(0);
    tried.swap_remove(good).1
}

/// The lattice and the line of its first length.
fn cell(block: &Block) -> Result<(Lattice, usize), FormatError> {
    const NAMES: [&str; 6] = [
        "_cell_length_a",
        "_cell_length_b",
        "_cell_length_c",
        "_cell_angle_alpha",
        "_cell_angle_beta",
        "_cell_angle_gamma",
    ];
    let mut values = [90.0; 6];
    let mut tokens: [Option<Token>; 6] = [None; 6];
    for (k, name) in NAMES.iter().enumerate() {
        match block.first(&[name]) {
            Some(token) => (values[k], tokens[k]) = (number(block, &token, name)?, Some(token)),
            // The dictionary's default for an angle is 90°.
            None if k >= 3 => {}
            None => {
                let message = format!("data block '{}' has no {name}; a crystal needs its unit cell", block.name);
                return Err(FormatError::syntax(block.line, 0, message));
            }
        }
    }
    let [a, b, c, alpha, beta, gamma] = values;
    let impossible = |k: usize| if k < 3 { values[k] <= 0.0 } else { !(values[k] > 0.0 && values[k] < 180.0) };
    let line_of = |k: usize| tokens[k].map(|t| t.line);
    let first = line_of(0).unwrap_or(block.line);
    let faulty = (0..6).find(|k| impossible(*k)).and_then(line_of).unwrap_or(first);
    Lattice::from_parameters(a, b, c, alpha, beta, gamma).map(|lattice| (lattice, first)).map_err(at_line(faulty))
}

/// A number, its standard uncertainty in parentheses aside: `1.234(5)`.
fn number(block: &Block, token: &Token, name: &str) -> Result<f64, FormatError> {
    let text = token.text.trim();
    let plain = match text.split_once('(') {
        Some((plain, uncertainty))
            if uncertainty.strip_suffix(')').is_some_and(|u| u.bytes().all(|c| c.is_ascii_digit())) =>
        {
            plain
        }
        _ => text,
    };
    match plain.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err(block.lexer.error(token, format!("{name} is '{}', expected a finite number", block::clip(text)))),
        Err(_) => Err(block
            .lexer
            .error(token, format!("{name} is '{}', expected a number such as 1.234(5)", block::clip(text)))),
    }
}

/// Why a crystal with partially occupied sites, `partial` one of them, is refused, with the average crystal; another fault of it goes
/// first.
fn shared(
    lattice: &Lattice,
    ops: Option<&[SymOp]>,
    sites: &[Site],
    partial: (usize, &(String, f64)),
    cell_line: usize,
    stated: Option<&Stated>,
) -> Result<Refused, FormatError> {
    let (line, (site, occupancy)) = partial;
    let refused = CrystalError::PartialOccupancy { site: site.clone(), occupancy: *occupancy };
    let error = at_line(line)(refused);
    let Some(ops) = ops else { return Ok(error.into()) };
    let held = |site: &Site| site.partial.as_ref().map_or(1.0, |(_, occupancy)| *occupancy);
    let atoms: Vec<_> = atoms(lattice, ops, sites, cell_line)?
        .into_iter()
        .map(|(site, x)| (sites[site].element, x, held(&sites[site])))
        .collect();
    let crystal = Disordered::new(*lattice, &atoms).map_err(at_line(line))?;
    if let Some(message) = stated.and_then(|s| s.differs_on_average(&crystal.composition())) {
        let message = format!("site {site} has occupancy {occupancy}, and {message}");
        return Err(FormatError::syntax(line, 0, message));
    }
    Ok(Refused { error, disordered: Some(Box::new(crystal)) })
}

/// The cell's atoms: the site of each and its coordinates.
fn atoms(
    lattice: &Lattice,
    ops: &[SymOp],
    sites: &[Site],
    cell_line: usize,
) -> Result<Vec<(usize, [f64; 3])>, FormatError> {
    // A special position takes up to 192 operations for one atom: the product may exceed the atoms, but not without limit.
    if ops.len() > MAX_OPERATIONS || sites.len() * ops.len() > 10 * super::MAX_ATOMS {
        let (n, m) = (sites.len(), ops.len());
        let message = format!("{n} sites under {m} operations are more than the {} atoms accepted", super::MAX_ATOMS);
        return Err(FormatError::syntax(cell_line, 0, message));
    }
    let coords: Vec<_> = sites.iter().map(|s| s.coords).collect();
    Ok(expand_sites(lattice, ops, &coords))
}

/// The cell's crystal.
fn expand(lattice: &Lattice, ops: &[SymOp], sites: &[Site], cell_line: usize) -> Result<Structure, FormatError> {
    let atoms = atoms(lattice, ops, sites, cell_line)?;
    let species = atoms.iter().map(|(site, _)| sites[*site].element).collect();
    let frac_coords = atoms.iter().map(|(_, x)| *x).collect();
    Structure::new(*lattice, species, frac_coords).map_err(|source| {
        let line = match &source {
            CrystalError::Overlap { j, .. } => atoms.get(j - 1).map_or(cell_line, |(site, _)| sites[*site].line),
            _ => sites.first().map_or(cell_line, |s| s.line),
        };
        at_line(line)(source)
    })
}

#[cfg(test)]
mod tests;
