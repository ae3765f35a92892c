//! `hollandite plot`: pictures of a crystal and of a table.

mod crystal;
mod structure;

use std::path::Path;

use crate::cli::args::{Plot, PlotPicture};
use crate::cli::{CliError, render};
use crate::report::plots::Picture;

pub async fn run(store: Option<&Path>, plot: &Plot) -> Result<(), CliError> {
    match &plot.picture {
        PlotPicture::Structure(args) => structure::run(store, args).await,
    }
}

/// Write the picture to the file asked for, or to `usual` in the current folder, and tell which.
fn save(picture: &Picture, out: Option<&Path>, usual: &str) -> Result<(), CliError> {
    let path = out.unwrap_or(Path::new(usual));
    picture.save(path)?;
    render::print(&format!("wrote {}\n", path.display()))
}
