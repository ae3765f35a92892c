//! `hollandite plot structure ID`.

use std::path::Path;

use super::crystal::{Named, find};
use crate::cli::CliError;
use crate::cli::args::{Cell, PlotStructure};
use crate::crystal::Structure;
use crate::report::plots::structure::{Scene, structure, usual_axis, usual_cells};

pub async fn run(store: Option<&Path>, args: &PlotStructure) -> Result<(), CliError> {
    let crystal = find(store, &args.crystal).await?;
    let (drawn, cell) = cell_of(&crystal, args.cell)?;
    let axis = args.axis.unwrap_or_else(|| usual_axis(&drawn));
    let cells = args.cells.unwrap_or_else(|| usual_cells(&drawn, axis));
    let picture = structure(&Scene { crystal: &drawn, title: crystal.title(), cell, axis, cells })?;
    super::save(&picture, &crystal.out(&args.crystal, "structure"))
}

/// The cell to draw and what it is called. Without a consistent symmetry there is only the one given.
fn cell_of(crystal: &Named, cell: Cell) -> Result<(Structure, &'static str), CliError> {
    let below = |e: crate::error::CrystalError| CliError::Below(e.into());
    match (&crystal.symmetry, cell) {
        (Some(symmetry), Cell::Conventional) => Ok((symmetry.conventional().map_err(below)?, "conventional cell")),
        (Some(symmetry), Cell::Primitive) => Ok((symmetry.primitive().map_err(below)?, "primitive cell")),
        _ => Ok((crystal.structure.clone(), "cell")),
    }
}
