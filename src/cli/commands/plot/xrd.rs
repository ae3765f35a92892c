//! `hollandite plot xrd ID`.

use std::path::Path;

use super::{cell_of, crystal::find};
use crate::cli::CliError;
use crate::cli::args::{Cell, PlotXrd};
use crate::error::FeatureError;
use crate::features::{Profile, xrd_pattern, xrd_peaks};
use crate::report::plots::xrd::xrd;

pub(crate) async fn run(store: Option<&Path>, args: &PlotXrd) -> Result<(), CliError> {
    let crystal = find(store, &args.crystal).await?;
    // The indices that books print are those of the conventional cell.
    let (indexed, cell) = cell_of(&crystal, Cell::Conventional)?;
    let (low, high) = args.range;
    let profile = Profile { low, high, step: args.fwhm / 12.0, fwhm: args.fwhm, wavelength: args.wavelength };
    let below = |e: FeatureError| CliError::Below(e.into());
    let peaks = xrd_peaks(&indexed, args.wavelength, args.range).map_err(below)?;
    let curve = xrd_pattern(&indexed, &profile).map_err(below)?;
    let picture = xrd(&crystal.title(), cell, &profile, &peaks, &curve);
    super::save(&picture, &crystal.out(&args.crystal, "xrd"))
}
