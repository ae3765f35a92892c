//! The symmetry that a data block states, from the surest statement to the weakest.

use super::{
    block::{Block, clip, starts},
    number, operations,
};
use crate::FormatError;
use crystal::{Lattice, Setting, SymOp};

/// How well an operation must map the cell onto itself: cells are printed with few digits and refined without
/// constraints.
pub(super) const FIT: f64 = 0.03;

/// What the symmetry of a block may be.
pub(super) enum Symmetry {
    /// Listed operations, with the settings of the named group that have more of them; or none stated at all.
    Operations { ops: Vec<SymOp>, fuller: Option<Named> },
    /// A named group alone.
    Named(Named),
}

/// Settings of one space group that the cell allows: more than one where the origin was left open.
pub(super) struct Named {
    pub settings: Vec<&'static Setting>,
    pub line: usize,
    pub stated: String,
}

pub(super) fn read(block: &Block, lattice: &Lattice) -> Result<Symmetry, FormatError> {
    modulated(block)?;
    if let Some(ops) = operations::read(block, lattice)? {
        // A name without meaning, or that does not fit, does not matter beside the list.
        let mut fuller = named(block, lattice).ok().flatten();
        if let Some(named) = &mut fuller {
            named.settings.retain(|s| s.operations().len() > ops.len());
        }
        return Ok(Symmetry::Operations { ops, fuller: fuller.filter(|named| !named.settings.is_empty()) });
    }
    match named(block, lattice)? {
        Some(named) => Ok(Symmetry::Named(named)),
        None => match unknown_group(block) {
            Some(error) => Err(error),
            // No statement of symmetry at all: the sites listed are the cell's atoms.
            None => Ok(Symmetry::Operations { ops: vec![SymOp::IDENTITY], fuller: None }),
        },
    }
}

/// The group that the block names, if it names one by a symbol or a number.
fn named(block: &Block, lattice: &Lattice) -> Result<Option<Named>, FormatError> {
    let hall = block.first(&["_space_group_name_Hall", "_symmetry_space_group_name_Hall"]);
    let symbol = block.first(&[
        "_space_group_name_H-M_alt",
        "_symmetry_space_group_name_H-M",
        "_space_group_name_H-M_full",
        "_space_group_name_H-M_ref",
    ]);
    let number_token =
        block.first(&["_space_group_IT_number", "_symmetry_Int_Tables_number", "_symmetry_group_IT_number"]);
    if let Some((setting, token)) = hall.and_then(|t| Some((Setting::of_hall_symbol(t.text)?, t))) {
        return fitting(vec![setting], token.line, token.text, lattice).map(Some);
    }
    let stated_number = match &number_token {
        Some(token) => Some(number(block, token, "the space-group number")?),
        None => None,
    };
    if let Some(token) = symbol {
        let of_symbol = Setting::of_symbol(token.text);
        let agrees = |s: &&Setting| stated_number.is_none_or(|n| f64::from(s.number) == n);
        match (of_symbol.first(), of_symbol.iter().any(agrees)) {
            (Some(_), true) => {
                let settings = of_symbol.into_iter().filter(agrees).collect();
                return fitting(settings, token.line, token.text, lattice).map(Some);
            }
            (Some(found), false) => {
                let message = format!(
                    "'{}' is space group {} but the stated number is {}; correct one of them or list the operations",
                    token.text,
                    found.number,
                    stated_number.unwrap_or_default()
                );
                return Err(block.lexer.error(&token, message));
            }
            (None, _) if stated_number.is_none() => {
                let message = format!(
                    "'{}' is not a known Hermann-Mauguin symbol; list the operations in _space_group_symop_operation_xyz",
                    clip(token.text)
                );
                return Err(block.lexer.error(&token, message));
            }
            // An unusual symbol with a number: the number's usual setting, if the cell and the formula allow it.
            (None, _) => {}
        }
    }
    let Some((token, value)) = number_token.zip(stated_number) else { return Ok(None) };
    let settings = if value.fract() == 0.0 && (1.0..=230.0).contains(&value) {
        Setting::of_number(value as u16)
    } else {
        Vec::new()
    };
    if settings.is_empty() {
        let message = format!("the space-group number is {value}, expected 1 to 230");
        return Err(block.lexer.error(&token, message));
    }
    fitting(settings, token.line, &format!("space group {value}"), lattice).map(Some)
}

/// A group whose name gives no operations: a Hall symbol that is unknown, a magnetic or a parent group. To take the sites for all atoms of
/// the cell would be a guess.
fn unknown_group(block: &Block) -> Option<FormatError> {
    const NAMES: [&str; 4] =
        ["_space_group_name", "_symmetry_space_group_name", "_space_group_magn", "_parent_space_group"];
    const KINDS: [&str; 2] = ["name", "number"];
    let names_group = |name: &str| {
        let name = name.to_ascii_lowercase().replace('.', "_");
        NAMES.iter().any(|prefix| starts(&name, prefix)) && KINDS.iter().any(|kind| name.contains(kind))
    };
    let is_p1 = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
        ["P1", "1", "1.1", "1.1.1"].contains(&text.as_str())
    };
    let (name, token) = block.names().find(|(name, value)| names_group(name) && !is_p1(value.text))?;
    let message = format!(
        "{name} is '{}', from which no operations follow here; list them in _space_group_symop_operation_xyz",
        clip(token.text)
    );
    Some(block.lexer.error(&token, message))
}

/// A modulated crystal has no unit cell: what its sites make is an average.
fn modulated(block: &Block) -> Result<(), FormatError> {
    match block.item("_cell_modulation_dimension") {
        Some(token) if token.text.trim() != "0" => {
            let message = "the crystal is modulated and repeats in no cell of three dimensions; \
                           import a commensurate approximant";
            Err(block.lexer.error(&token, message))
        }
        _ => Ok(()),
    }
}

/// Of the settings that one statement may mean, those that the cell allows and that differ from the first only in the origin.
fn fitting(
    settings: Vec<&'static Setting>,
    line: usize,
    stated: &str,
    lattice: &Lattice,
) -> Result<Named, FormatError> {
    let stated = stated.trim().to_owned();
    let fits = |s: &&Setting| s.operations().iter().all(|op| op.fits(lattice, FIT));
    let mut fitting: Vec<_> = settings.into_iter().filter(fits).collect();
    let Some(first) = fitting.first().copied() else {
        let [a, b, c, alpha, beta, gamma] = lattice.parameters();
        let message = format!(
            "'{stated}' does not fit the cell a = {a:.4}, b = {b:.4}, c = {c:.4} Å, α = {alpha:.2}, β = {beta:.2}, γ = {gamma:.2}°; \
             list the operations in _space_group_symop_operation_xyz"
        );
        return Err(FormatError::syntax(line, 0, message));
    };
    let axes = |s: &Setting| s.choice.trim_start_matches(s.origin());
    fitting.retain(|s| s.number == first.number && axes(s) == axes(first));
    Ok(Named { settings: fitting, line, stated })
}
