//! The sites of the asymmetric unit.

use super::{
    block::{Block, clip},
    lexer::Token,
    number,
};
use crate::FormatError;
use crate::{
    MAX_ATOMS, at_line,
    species::{element_of_label, element_of_symbol, is_isotope},
};
use crystal::{Composition, Element, Lattice, SymOp, expand_sites};

/// Occupancies nearer to 1 than this are full.
const FULL: f64 = 1e-3;

/// A site of the asymmetric unit.
pub(super) struct Site {
    pub element: Element,
    /// Whether it is written as deuterium or tritium.
    pub isotope: bool,
    pub coords: [f64; 3],
    pub line: usize,
    multiplicity: Option<f64>,
    /// Label and occupancy, where the site is not full.
    pub partial: Option<(String, f64)>,
}

/// The sites of a block; `formula` settles labels that may mean two elements.
pub(super) fn read(block: &Block, formula: Option<&Composition>) -> Result<Vec<Site>, FormatError> {
    const COORDS: [&str; 3] = ["_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"];
    let Some(table) = block.table_of(COORDS[0]) else {
        let message =
            format!("data block '{}' has no loop with _atom_site_fract_x; expected the sites' coordinates", block.name);
        let line = block.table_of("_atom_site_label").map_or(block.line, |l| l.line);
        return Err(FormatError::syntax(line, 0, message));
    };
    let missing = |name: &str| FormatError::syntax(table.line, 0, format!("the loop of sites has no {name}"));
    let mut columns = [0; 3];
    for (column, name) in columns.iter_mut().zip(COORDS) {
        *column = table.column(name).ok_or_else(|| missing(name))?;
    }
    let symbols = table.column("_atom_site_type_symbol");
    let labels = table.column("_atom_site_label");
    let Some(naming) = labels.or(symbols) else { return Err(missing("_atom_site_type_symbol or _atom_site_label")) };
    let occupancies = table.column("_atom_site_occupancy");
    let multiplicities =
        table.column("_atom_site_symmetry_multiplicity").or(table.column("_atom_site_site_symmetry_multiplicity"));
    let flags = table.column("_atom_site_calc_flag");
    if table.rows().len() > MAX_ATOMS {
        let message = format!("{} sites, more than the {MAX_ATOMS} atoms accepted", table.rows().len());
        return Err(FormatError::syntax(table.line, 0, message));
    }
    let mut sites = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        let known = |column: Option<usize>| column.map(|k| row[k]).filter(|t| t.known().is_some());
        let name = &row[naming];
        // A dummy site marks a place without an atom.
        if known(flags).is_some_and(|t| t.text.eq_ignore_ascii_case("dum")) {
            continue;
        }
        let symbol = known(symbols);
        let isotope = is_isotope(symbol.as_ref().unwrap_or(name).text);
        let element = match symbol {
            Some(symbol) => element_of_symbol(symbol.text),
            None => element_of_label(name.text, formula),
        };
        let element = element.map_err(at_line(name.line))?;
        let mut coords = [0.0; 3];
        for k in 0..3 {
            coords[k] = coordinate(block, &row[columns[k]], COORDS[k], name)?;
        }
        let occupancy = match known(occupancies) {
            Some(token) => number(block, &token, "_atom_site_occupancy")?,
            None => 1.0,
        };
        let partial = ((occupancy - 1.0).abs() > FULL).then(|| (clip(name.text), occupancy));
        let multiplicity = known(multiplicities).and_then(|t| t.text.parse().ok());
        sites.push(Site { element, isotope, coords, line: name.line, multiplicity, partial });
    }
    if sites.is_empty() {
        return Err(FormatError::syntax(table.line, 0, "the loop of sites has no row"));
    }
    Ok(sites)
}

/// A coordinate of a site.
fn coordinate(block: &Block, token: &Token, name: &str, site: &Token) -> Result<f64, FormatError> {
    if token.known().is_none() {
        let message = format!("site '{}' has no {name} (it is '{}'); expected a number", clip(site.text), token.text);
        return Err(block.lexer.error(token, message));
    }
    number(block, token, name)
}

/// Whether the operations give every site the multiplicity that the file states, where it states one.
pub(super) fn multiplicities_agree(lattice: &Lattice, ops: &[SymOp], sites: &[Site]) -> bool {
    sites.iter().all(|s| s.multiplicity.is_none_or(|m| expand_sites(lattice, ops, &[s.coords]).len() as f64 == m))
}
