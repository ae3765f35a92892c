//! `hollandite plot`: pictures of a crystal and of a table.

mod crystal;
mod distribution;
mod structure;

use std::path::Path;

use crate::cli::args::{Plot, PlotPicture};
use crate::cli::{CliError, render};
use crate::report::plots::Picture;

pub async fn run(store: Option<&Path>, plot: &Plot) -> Result<(), CliError> {
    match &plot.picture {
        PlotPicture::Structure(args) => structure::run(store, args).await,
        PlotPicture::Distribution(args) => distribution::run(store, args).await,
    }
}

/// Write the picture, and tell where.
fn save(picture: &Picture, path: &Path) -> Result<(), CliError> {
    picture.save(path)?;
    render::print(&format!("wrote {}\n", path.display()))
}

/// A name as SQL quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
