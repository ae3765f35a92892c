//! `hollandite plot structure ID`.

use std::path::Path;

use super::{cell_of, crystal::find};
use crate::cli::CliError;
use crate::cli::args::PlotStructure;
use crate::report::plots::structure::{Scene, structure, usual_axis, usual_cells};

pub async fn run(store: Option<&Path>, args: &PlotStructure) -> Result<(), CliError> {
    let crystal = find(store, &args.crystal).await?;
    let (drawn, cell) = cell_of(&crystal, args.cell)?;
    let axis = args.axis.unwrap_or_else(|| usual_axis(&drawn));
    let cells = args.cells.unwrap_or_else(|| usual_cells(&drawn, axis));
    let picture = structure(&Scene { crystal: &drawn, title: crystal.title(), cell, axis, cells })?;
    super::save(&picture, &crystal.out(&args.crystal, "structure"))
}
