//! `hollandite plot`: pictures of a crystal, of its electrons, of a table, of a model's errors, a search for settings, a
//! screening and a convex hull.

mod crystal;
mod density;
mod distribution;
pub mod errors;
mod funnel;
mod hull;
mod pairs;
mod path;
mod structure;
mod tuning;
mod xrd;

use std::path::Path;

use crate::cli::args::{Cell, Plot, PlotPicture};
use crate::cli::{CliError, render};
use crate::crystal::Structure;
use crate::report::plots::{self, Picture};
use crystal::Named;

pub(crate) async fn run(store: Option<&Path>, plot: &Plot) -> Result<(), CliError> {
    match &plot.picture {
        PlotPicture::Structure(args) => structure::run(store, args).await,
        PlotPicture::Xrd(args) => xrd::run(store, args).await,
        PlotPicture::Density(args) => density::run(args),
        PlotPicture::Distribution(args) => distribution::run(store, args).await,
        PlotPicture::Parity(args) => errors::run(store, args, "parity", plots::parity).await,
        PlotPicture::Errors(args) => errors::run(store, args, "errors", plots::errors).await,
        PlotPicture::Tuning(args) => tuning::run(store, args).await,
        PlotPicture::Funnel(args) => funnel::run(store, args).await,
        PlotPicture::Path(args) => path::run(store, args).await,
        PlotPicture::Hull(args) => hull::run(store, args).await,
    }
}

/// Writes the picture, and prints where.
fn save(picture: &Picture, path: &Path) -> Result<(), CliError> {
    picture.save(path)?;
    render::print(&format!("wrote {}\n", path.display()))
}

/// The cell of a crystal to draw, and what it is called. Without a consistent symmetry there is only the one given.
fn cell_of(crystal: &Named, cell: Cell) -> Result<(Structure, &'static str), CliError> {
    let below = |e: crate::error::CrystalError| CliError::Below(e.into());
    match (&crystal.symmetry, cell) {
        (Some(symmetry), Cell::Conventional) => Ok((symmetry.conventional().map_err(below)?, "conventional cell")),
        (Some(symmetry), Cell::Primitive) => Ok((symmetry.primitive().map_err(below)?, "primitive cell")),
        _ => Ok((crystal.structure.clone(), "cell")),
    }
}
