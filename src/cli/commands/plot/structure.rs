//! `hollandite plot structure ID`.

use std::path::Path;

use super::{cell_of, crystal::find};
use crate::cli::CliError;
use crate::cli::args::PlotStructure;
use crate::cli::console::note;
use crate::crystal::Structure;
use crate::report::plots::structure::{Scene, structure};
use crate::report::plots::{Tunnels, usual_axis, usual_cells};

pub(crate) async fn run(store: Option<&Path>, args: &PlotStructure) -> Result<(), CliError> {
    let crystal = find(store, &args.crystal).await?;
    let (drawn, cell) = cell_of(&crystal, args.cell)?;
    let tunnels = if args.no_channels { None } else { wide_tunnels(&drawn, args) };
    let widest = tunnels.as_ref().and_then(|t| t.channels.first()).map(|channel| channel.axis);
    let axis = args.axis.or(widest).unwrap_or_else(|| usual_axis(&drawn));
    let cells = args.cells.unwrap_or_else(|| usual_cells(&drawn, axis));
    let picture =
        structure(&Scene { crystal: &drawn, title: crystal.title(), cell, axis, cells, tunnels, trail: None })?;
    super::save(&picture, &crystal.out(&args.crystal, "structure"))
}

/// The channels at least as wide as the probe. Where they are not defined the atoms are drawn alone, and a warning says why.
fn wide_tunnels(crystal: &Structure, args: &PlotStructure) -> Option<Tunnels> {
    let found = Tunnels::of(crystal, args.radii, args.probe);
    found.inspect_err(|reason| note(&format!("warning: no channels are drawn: {reason}"))).ok()
}
