//! The symmetry that a data block states, from the surest statement to the weakest.

use super::{
    block::{Block, clip},
    number,
};
use crate::{
    crystal::{Lattice, Setting, SymOp},
    error::FormatError,
};

/// How well an operation must map the cell onto itself: cells are printed with a few digits and refined with none.
const FIT: f64 = 0.03;

/// What the symmetry of a block may be.
pub(super) enum Symmetry {
    /// Listed operations, or none stated at all.
    Operations(Vec<SymOp>),
    /// Settings of one space group that the cell allows: more than one where the origin was left open.
    Settings { settings: Vec<&'static Setting>, line: usize, stated: String },
}

pub(super) fn read(block: &Block, lattice: &Lattice) -> Result<Symmetry, FormatError> {
    if let Some(ops) = listed(block, lattice)? {
        return Ok(Symmetry::Operations(ops));
    }
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
        return fitting(vec![setting], token.line, token.text, lattice);
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
                return fitting(of_symbol.into_iter().filter(agrees).collect(), token.line, token.text, lattice);
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
                    "'{}' is no Hermann-Mauguin symbol that is known here; list the operations in _space_group_symop_operation_xyz",
                    clip(token.text)
                );
                return Err(block.lexer.error(&token, message));
            }
            // An unusual symbol with a number: the number's usual setting, if the cell and the formula allow it.
            (None, _) => {}
        }
    }
    let Some((token, value)) = number_token.zip(stated_number) else {
        // No statement of symmetry at all: the sites listed are the cell's atoms.
        return Ok(Symmetry::Operations(vec![SymOp::IDENTITY]));
    };
    let settings = if value.fract() == 0.0 && (1.0..=230.0).contains(&value) {
        Setting::of_number(value as u16)
    } else {
        Vec::new()
    };
    if settings.is_empty() {
        let message = format!("the space-group number is {value}, expected 1 to 230");
        return Err(block.lexer.error(&token, message));
    }
    fitting(settings, token.line, &format!("space group {value}"), lattice)
}

/// The listed operations.
fn listed(block: &Block, lattice: &Lattice) -> Result<Option<Vec<SymOp>>, FormatError> {
    const NAMES: [&str; 2] = ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"];
    let mut ops = Vec::new();
    let mut add = |token: &super::Token| {
        let op = SymOp::parse(token.text).map_err(|e| block.lexer.error(token, e))?;
        if !op.fits(lattice, FIT) {
            let message = format!(
                "operation '{}' does not map the cell onto itself; check the cell's lengths and angles",
                token.text
            );
            return Err(block.lexer.error(token, message));
        }
        ops.push(op);
        Ok(())
    };
    if let Some(table) = NAMES.iter().find_map(|name| block.table_of(name)) {
        let column = NAMES.iter().find_map(|name| table.column(name)).unwrap_or_default();
        for row in table.rows() {
            add(&row[column])?;
        }
    } else if let Some(token) = block.first(&NAMES) {
        add(&token)?;
    }
    if ops.is_empty() {
        return Ok(None);
    }
    // Every group holds the identity; a few programs leave it out, and it belongs first.
    match ops.iter().position(|op| *op == SymOp::IDENTITY) {
        Some(at) => ops[..=at].rotate_right(1),
        None => ops.insert(0, SymOp::IDENTITY),
    }
    Ok(Some(ops))
}

/// Of the settings that one statement may mean, those that the cell allows and that differ from the first only in the origin.
fn fitting(
    settings: Vec<&'static Setting>,
    line: usize,
    stated: &str,
    lattice: &Lattice,
) -> Result<Symmetry, FormatError> {
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
    Ok(Symmetry::Settings { settings: fitting, line, stated })
}
