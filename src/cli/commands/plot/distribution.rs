//! `hollandite plot distribution`: three questions to the table, one picture.

use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};

use crate::cli::CliError;
use crate::cli::args::PlotDistribution;
use crate::crystal::Element;
use crate::features::class_name;
use crate::report::plots::distribution::{Distribution, Part};
use crate::report::plots::labels;
use crate::sql::{Session, quoted_name};

pub(crate) async fn run(store: Option<&Path>, args: &PlotDistribution) -> Result<(), CliError> {
    let (_, session) = super::super::session(store, args.at).await?;
    let data = read(&session, &args.table, args.condition.as_deref()).await?;
    let rows = data.classes.values().sum();
    let title = format!("{}: {} crystal{}", args.table, labels::count(rows), if rows == 1 { "" } else { "s" });
    let subtitle = args.condition.as_ref().map_or_else(|| "all rows".into(), |c| format!("where {c}"));
    super::save(&data.draw(&title, &subtitle, class_name), &args.out)
}

async fn read(session: &Session, table: &str, condition: Option<&str>) -> Result<Distribution, CliError> {
    let rows = format!("{} WHERE ({})", quoted_name(table), condition.unwrap_or("true"));
    let part = "CASE WHEN split IN ('train', 'test') THEN arrow_cast(split, 'Utf8') END AS part";
    let mut data = Distribution::default();

    let query =
        format!("SELECT {part}, CAST(nelements AS BIGINT) AS n, count(*) AS crystals FROM {rows} GROUP BY 1, 2");
    for batch in collect(session, &query).await? {
        let (parts, n, crystals) = (batch.column(0), batch.column(1), batch.column(2));
        for i in (0..batch.num_rows()).filter(|&i| n.is_valid(i)) {
            let class = (whole(n, i) as u32, part_at(parts, i));
            *data.classes.entry(class).or_default() += whole(crystals, i);
        }
    }
    let query = format!(
        "SELECT arrow_cast(element, 'Utf8') AS element, count(*) AS crystals \
         FROM (SELECT unnest(elements) AS element FROM {rows}) GROUP BY 1 ORDER BY 1"
    );
    for batch in collect(session, &query).await? {
        let symbols = batch.column(0).as_string::<i32>();
        for i in (0..batch.num_rows()).filter(|&i| symbols.is_valid(i)) {
            let element = Element::from_symbol(symbols.value(i)).map_err(|e| CliError::Below(e.into()))?;
            data.elements.push((element, whole(batch.column(1), i)));
        }
    }
    let query = format!(
        "SELECT {part}, CAST(formation_energy_per_atom AS DOUBLE) AS ef FROM {rows} AND formation_energy_per_atom IS NOT NULL"
    );
    for batch in collect(session, &query).await? {
        let energies = batch.column(1).as_primitive::<Float64Type>();
        for i in (0..batch.num_rows()).filter(|&i| energies.is_valid(i) && energies.value(i).is_finite()) {
            data.energies.entry(part_at(batch.column(0), i)).or_default().push(energies.value(i));
        }
    }
    Ok(data)
}

async fn collect(session: &Session, query: &str) -> Result<Vec<RecordBatch>, CliError> {
    Ok(session.sql(query).await?.collect().await?)
}

fn part_at(parts: &ArrayRef, i: usize) -> Part {
    let parts = parts.as_string::<i32>();
    Part::of(parts.is_valid(i).then(|| parts.value(i)))
}

fn whole(numbers: &ArrayRef, i: usize) -> u64 {
    numbers.as_primitive::<Int64Type>().value(i).unsigned_abs()
}
