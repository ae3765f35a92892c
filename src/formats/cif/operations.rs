//! The operations that a data block lists: those of a space group, or those of a magnetic group (magCIF) as far as they move atoms.
//!
//! A magnetic operation is a motion and a sign, which says whether it turns the moments over: `-x,-y,z+1/2,-1`. Where atoms stand
//! does not depend on the sign. magCIF keeps the centring translations, and those that turn the moments over, in a loop of their
//! own: the group is each operation after each of them. Dots and underscores of its data names are used in several ways
//! (`_space_group_symop_magn_operation.xyz`, `_space_group_symop.magn_operation_xyz`), which are one name to [`Block`].

use super::{
    MAX_OPERATIONS,
    block::{Block, clip, starts},
    lexer::Token,
    symmetry::FIT,
};
use crate::FormatError;
use crystal::{Lattice, SymOp};

/// Where the operations of a space group stand.
const USUAL: [&str; 2] = ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"];
/// Where those of a magnetic group stand.
const MAGNETIC: [&str; 1] = ["_space_group_symop_magn_operation_xyz"];
/// Where its centring translations stand.
const CENTRINGS: [&str; 1] = ["_space_group_symop_magn_centering_xyz"];
/// Beginnings of data names that hold operations, in whatever notation.
const OF_OPERATIONS: [&str; 2] = ["_space_group_symop", "_symmetry_equiv"];

/// The listed operations, the identity first; none where the block lists none.
///
/// # Errors
/// An operation that is none, or does not fit the cell; a list in a notation that is not read here.
pub(super) fn read(block: &Block, lattice: &Lattice) -> Result<Option<Vec<SymOp>>, FormatError> {
    let mut ops = column(block, lattice, &MAGNETIC, magnetic)?;
    let centrings = column(block, lattice, &CENTRINGS, magnetic)?;
    if ops.is_empty() && centrings.is_empty() {
        ops = column(block, lattice, &USUAL, SymOp::parse)?;
        if ops.is_empty() {
            return unread(block).map_or(Ok(None), Err);
        }
    } else if ops.is_empty() {
        let message = "centring translations are listed, and no operations (_space_group_symop_magn_operation_xyz): atoms would be missing";
        return Err(FormatError::syntax(block.line, 0, message));
    } else {
        ops = product(block, ops, centrings)?;
    }
    // Every group holds the identity; a few programs leave it out, and it belongs first.
    match ops.iter().position(|op| *op == SymOp::IDENTITY) {
        Some(at) => ops[..=at].rotate_right(1),
        None => ops.insert(0, SymOp::IDENTITY),
    }
    Ok(Some(ops))
}

/// Whether the block is about a magnetic crystal.
pub(super) fn is_magnetic(block: &Block) -> bool {
    block.names().any(|(name, _)| starts(name, "_atom_site_moment") || starts(name, MAGNETIC[0]))
}

/// The operations of one column, or of the one item.
fn column(
    block: &Block,
    lattice: &Lattice,
    names: &[&str],
    parse: fn(&str) -> Result<SymOp, String>,
) -> Result<Vec<SymOp>, FormatError> {
    let read = |token: &Token| {
        let op = parse(token.text).map_err(|e| block.lexer.error(token, e))?;
        if op.fits(lattice, FIT) {
            return Ok(op);
        }
        let message = format!(
            "operation '{}' does not map the cell onto itself; check the cell's lengths and angles",
            token.text
        );
        Err(block.lexer.error(token, message))
    };
    let listed = names.iter().find_map(|name| block.table_of(name).and_then(|t| Some((t, t.column(name)?))));
    match listed {
        Some((table, column)) => table.rows().map(|row| read(&row[column])).collect(),
        None => block.first(names).iter().map(read).collect(),
    }
}

/// A magnetic operation without its sign. A few files keep the signs in a column of their own.
fn magnetic(text: &str) -> Result<SymOp, String> {
    match text.rsplit_once(',') {
        Some((motion, sign)) if motion.matches(',').count() == 2 => match sign.trim() {
            "+1" | "-1" | "1" => SymOp::parse(motion),
            other => Err(format!(
                "operation '{}' ends with '{}', expected +1 or -1 for time reversal",
                clip(text),
                clip(other)
            )),
        },
        _ => SymOp::parse(text),
    }
}

/// Every operation after every centring; operations that differ in the sign alone are one.
fn product(block: &Block, ops: Vec<SymOp>, centrings: Vec<SymOp>) -> Result<Vec<SymOp>, FormatError> {
    let centrings = if centrings.is_empty() { vec![SymOp::IDENTITY] } else { centrings };
    if ops.len().saturating_mul(centrings.len()) > 2 * MAX_OPERATIONS {
        let (n, m) = (ops.len(), centrings.len());
        let message = format!("{n} operations with {m} centrings are more than the {MAX_OPERATIONS} accepted");
        return Err(FormatError::syntax(block.line, 0, message));
    }
    let mut all: Vec<SymOp> = Vec::with_capacity(ops.len() * centrings.len());
    for centring in &centrings {
        for op in &ops {
            let op = centring.after(op);
            if !all.iter().any(|known| same(known, &op)) {
                all.push(op);
            }
        }
    }
    Ok(all)
}

/// Whether two operations are one: equal rotations, and translations equal to printed digits and whole cells.
fn same(a: &SymOp, b: &SymOp) -> bool {
    let near = |k: usize| {
        let d = a.translation[k] - b.translation[k];
        (d - d.round()).abs() < 1e-3
    };
    a.rotation == b.rotation && (0..3).all(near)
}

/// A list of operations in another notation: superspace, generators. Ignoring it would take the sites for all atoms.
fn unread(block: &Block) -> Option<FormatError> {
    let is_list = |name: &str| {
        let tail = name.rsplit(['_', '.']).next().unwrap_or("");
        OF_OPERATIONS.iter().any(|prefix| starts(name, prefix))
            && !["id", "description"].iter().any(|word| tail.eq_ignore_ascii_case(word))
    };
    let (name, token) = block.names().find(|(name, value)| is_list(name) && value.known().is_some())?;
    let message = format!(
        "the symmetry operations in {} are of a kind that is not read; list those on x,y,z in {}",
        name, USUAL[0]
    );
    Some(block.lexer.error(&token, message))
}
