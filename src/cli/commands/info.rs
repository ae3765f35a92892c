//! `hollandite info`: what a store holds, or what its imports refused.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::cli::CliError;
use crate::cli::args::{Format, Info};
use crate::cli::render::{self, Printer};
use crate::store::{Quarantined, Snapshot, Store};

pub async fn run(store: Option<&Path>, options: &Info) -> Result<(), CliError> {
    let store = super::open(store).await?;
    if options.quarantine {
        let rows = store.quarantine()?;
        return Printer::stdout(options.format)?.print_batch(&quarantine(&rows)?);
    }
    if options.snapshots {
        return Printer::stdout(options.format)?.print_batch(&snapshots(&store.snapshots()?)?);
    }
    match options.format {
        Format::Table => render::print(&summary(&store)?)?,
        format => Printer::stdout(format)?.print_batch(&facts(&store)?)?,
    }
    Ok(())
}

/// Label and value of everything worth knowing, in the order in which it is printed.
fn pairs(store: &Store) -> Result<Vec<(String, String)>, CliError> {
    let info = store.info()?;
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
    for (model, rows) in &info.predictions {
        pairs.push((format!("predictions {model}"), format!("{rows} remembered")));
    }
    pairs.push(("quarantine".into(), count(info.quarantined, "row")));
    Ok(pairs)
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn summary(store: &Store) -> Result<String, CliError> {
    let pairs = pairs(store)?;
    let width = pairs.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    Ok(pairs.iter().map(|(label, value)| format!("{label:width$}  {value}\n")).collect())
}

fn facts(store: &Store) -> Result<RecordBatch, CliError> {
    let (labels, values): (Vec<_>, Vec<_>) = pairs(store)?.into_iter().unzip();
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

fn quarantine(rows: &[Quarantined]) -> Result<RecordBatch, CliError> {
    fn text<'a>(rows: &'a [Quarantined], f: impl Fn(&'a Quarantined) -> Option<String>) -> ArrayRef {
        Arc::new(rows.iter().map(f).collect::<StringArray>())
    }
    let lines = rows.iter().map(|r| (r.line > 0).then_some(r.line as i64)).collect::<Int64Array>();
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("file", text(rows, |r| Some(r.path.display().to_string())), true),
        ("line", Arc::new(lines), true),
        ("id", text(rows, |r| r.id.clone()), true),
        ("meant_for", text(rows, |r| Some(r.table.clone())), true),
        ("reason", text(rows, |r| Some(r.reason.clone())), true),
    ])?)
}
