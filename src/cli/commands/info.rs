//! `hollandite info`: what a store holds, or what its imports refused.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::cli::CliError;
use crate::cli::args::{Format, Info};
use crate::cli::render::{self, Printer};
use crate::sql::Session;
use crate::store::{Quarantined, Snapshot, Store};

pub(crate) async fn run(store: Option<&Path>, options: &Info) -> Result<(), CliError> {
    let store = super::open(store).await?;
    if options.quarantine {
        let rows = store.quarantine()?;
        return Printer::stdout(options.format)?.print_batch(&quarantine(&rows)?);
    }
    if options.snapshots {
        return Printer::stdout(options.format)?.print_batch(&snapshots(&store.snapshots()?)?);
    }
    let pairs = pairs(&store, options.at.snapshot).await?;
    match options.format {
        Format::Table => render::print(&summary(&pairs)),
        format => Printer::stdout(format)?.print_batch(&facts(pairs)?),
    }
}

/// Label and value of everything worth knowing, in the order in which it is printed.
async fn pairs(store: &Store, snapshot: Option<i64>) -> Result<Vec<(String, String)>, CliError> {
    let info = store.info(snapshot)?;
    let registry = Session::open(store, snapshot).await?;
    let mut pairs = vec![("store".to_string(), info.dir.display().to_string())];
    if !info.writable {
        pairs.push(("access".into(), "read-only".into()));
    }
    if let Some(s) = &info.snapshot {
        let what = s.message.as_ref().or(s.changes.as_ref()).map(|m| format!(", {m}")).unwrap_or_default();
        pairs.push(("snapshot".into(), format!("{} of {}{what}", s.id, s.time)));
    }
    for t in &info.tables {
        let rows = t.rows.map_or_else(|| "rows not counted".into(), |n| count(n, "row"));
        let files = count(t.files, "file");
        pairs.push((format!("table {}", t.name), format!("{rows}, {files}, {}", indicatif::BinaryBytes(t.bytes))));
    }
    for f in &info.features {
        let nulls = if f.nulls == 0 { String::new() } else { format!(", {} NULL", f.nulls) };
        let (rows, files) = (count(f.rows, "row"), count(f.files, "file"));
        let size = indicatif::BinaryBytes(f.bytes);
        pairs.push((format!("feature {}", f.name), format!("{}, {rows}{nulls}, {files}, {size}", f.featurizer)));
    }
    // One that added nothing made no snapshot, and is left out of an older one.
    let then = snapshot.map(|at| format!(" AND snapshot_id <= {at}")).unwrap_or_default();
    let imports = format!("SELECT count(*), max(started) FROM imports WHERE state = 'done'{then}");
    for row in texts(&registry, &imports).await? {
        let last = if row[1].is_empty() { String::new() } else { format!(", the last of {}", row[1]) };
        pairs.push(("imports".into(), format!("{}{last}", row[0])));
    }
    pairs.push(("quarantine".into(), count(info.quarantined, "row")));
    let models = store.asked_models().map_err(|e| CliError::Below(e.into()))?.into_iter();
    pairs.extend(models.map(|(name, id, n)| (format!("model {name}"), format!("{id}, {n} predictions remembered"))));
    Ok(pairs)
}

/// The rows of a query as text, NULL as nothing.
async fn texts(session: &Session, query: &str) -> Result<Vec<Vec<String>>, CliError> {
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in session.sql(query).await?.collect().await? {
        let columns =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c, &options)).collect::<Result<Vec<_>, _>>()?;
        rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|c| c.value(row).to_string()).collect()));
    }
    Ok(rows)
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn summary(pairs: &[(String, String)]) -> String {
    let width = pairs.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    pairs.iter().map(|(label, value)| format!("{label:width$}  {value}\n")).collect()
}

fn facts(pairs: Vec<(String, String)>) -> Result<RecordBatch, CliError> {
    let (labels, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    Ok(RecordBatch::try_from_iter([
        ("item", Arc::new(StringArray::from(labels)) as ArrayRef),
        ("value", Arc::new(StringArray::from(values))),
    ])?)
}

fn snapshots(list: &[Snapshot]) -> Result<RecordBatch, CliError> {
    let text = |f: fn(&Snapshot) -> Option<&str>| -> ArrayRef { Arc::new(list.iter().map(f).collect::<StringArray>()) };
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("snapshot", Arc::new(list.iter().map(|s| Some(s.id)).collect::<Int64Array>()) as ArrayRef, false),
        ("time", text(|s| Some(&s.time)), false),
        ("changes", text(|s| s.changes.as_deref()), true),
        ("message", text(|s| s.message.as_deref()), true),
    ])?)
}

/// Some of the columns of the table of that name.
fn quarantine(rows: &[Quarantined]) -> Result<RecordBatch, CliError> {
    fn text<'a>(rows: &'a [Quarantined], f: impl Fn(&'a Quarantined) -> Option<String>) -> ArrayRef {
        Arc::new(rows.iter().map(f).collect::<StringArray>())
    }
    let lines = rows.iter().map(|r| (r.line > 0).then_some(r.line as i64)).collect::<Int64Array>();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("path", text(rows, |r| Some(r.path.display().to_string())), true),
        ("line", Arc::new(lines), true),
        ("record_id", text(rows, |r| r.id.clone()), true),
        ("table_name", text(rows, |r| Some(r.table.clone())), true),
        ("reason", text(rows, |r| Some(r.reason.clone())), true),
    ])?)
}
