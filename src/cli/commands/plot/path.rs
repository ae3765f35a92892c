//! `hollandite plot path QUERY`: the energy of an ion on its way, and the way in the crystal where the query has its structures.

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::pairs;
use crate::cli::CliError;
use crate::cli::args::PlotPath;
use crate::columns::StructureColumn;
use crate::report::plots::{Image, path, through};

pub(crate) async fn run(store: Option<&Path>, args: &PlotPath) -> Result<(), CliError> {
    let Some(query) = pairs::query(&args.query) else {
        return Err(CliError::Usage(format!(
            "'{}' is not a query: give one such as \"SELECT * FROM migration_paths('hollandite-mno2', 'Li')\"",
            args.query
        )));
    };
    let (_, session) = super::super::session(store, args.at).await?;
    let rows = pairs::rows(&session, query, ["distance", "energy"]).await?;
    let (mut points, mut images) = (Vec::new(), Vec::new());
    for batch in &rows.batches {
        let numbers: Vec<_> = rows.numbers(batch)?.collect();
        points.extend(numbers.iter().filter_map(|&(distance, energy)| Some((distance?, energy?))));
        images.extend(shown(batch, numbers.iter().map(|numbers| numbers.1))?);
    }
    if points.is_empty() {
        return Err(CliError::Failed("no row of the query has both a distance and an energy".into()));
    }
    let crystal = if images.is_empty() { None } else { Some(through(&images)?) };
    super::save(&path(&points, crystal.as_ref()), &args.out)
}

/// The images of a batch with a column `structure`; of one hop where there is no column `hop`.
fn shown(batch: &RecordBatch, energies: impl Iterator<Item = Option<f64>>) -> Result<Vec<Image>, CliError> {
    let Some(column) = batch.column_by_name("structure") else { return Ok(Vec::new()) };
    let crystals = StructureColumn::try_new(column.as_ref()).map_err(CliError::Failed)?;
    let hops = batch.column_by_name("hop").and_then(|hop| cast(hop, &DataType::Int64).ok());
    let hops = hops.as_ref().map(|hops| hops.as_primitive::<Int64Type>());
    let mut images = Vec::new();
    for (i, energy) in energies.enumerate() {
        let (Some(energy), Some(structure)) = (energy, crystals.get(i)) else { continue };
        let structure = structure.map_err(|e| CliError::Below(e.into()))?;
        images.push(Image { hop: hops.map_or(1, |hops| hops.value(i)), energy, structure });
    }
    Ok(images)
}
