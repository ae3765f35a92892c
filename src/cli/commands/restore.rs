//! `hollandite restore`: tables as they were at a snapshot.

use std::path::Path;

use crate::cli::args::Restore;
use crate::cli::{CliError, render};
use crate::store::moment;

pub(crate) async fn run(store: Option<&Path>, restore: &Restore) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let snapshot = match restore.to.parse() {
        Ok(number) => number,
        Err(_) => store.snapshot_at(moment(&restore.to)?)?,
    };
    let before = store.snapshots()?.pop().map_or(0, |newest| newest.id);
    let done = store.restore(snapshot, restore.table.as_deref()).await?;
    let mut text = String::new();
    for (table, rows) in &done.tables {
        text += &format!("{table}: {rows} row{} as of snapshot {snapshot}\n", if *rows == 1 { "" } else { "s" });
    }
    for table in &done.dropped {
        text += &format!("{table}: dropped, it did not exist then\n");
    }
    match done.views {
        0 => {}
        n => text += &format!("{n} view{} as of snapshot {snapshot}\n", if n == 1 { "" } else { "s" }),
    }
    if text.is_empty() {
        text += &format!("nothing has changed since snapshot {snapshot}\n");
    } else {
        text += &format!("undo: hollandite restore --to {before}\n");
    }
    render::print(&text)
}
