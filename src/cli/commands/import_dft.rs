//! `hollandite import-dft DIR...`: a bar while it runs (on a terminal), then what was added, every potential, and everything
//! that was refused by name and reason.

use std::path::Path;

use super::job_bar::JobBar;
use crate::cli::args::ImportDft;
use crate::cli::console::note;
use crate::cli::{CliError, render};
use crate::store::{AdsorptionRow, DftOptions};

pub(crate) async fn run(store: Option<&Path>, args: &ImportDft) -> Result<(), CliError> {
    let store = super::open(store).await?;
    let options =
        DftOptions { triples: args.triples.clone(), reference: args.reference.clone(), dry_run: args.dry_run };
    let bar = JobBar::new("looking for calculations");
    let summary = store.import_dft(&args.folders, &options, &bar).await;
    bar.close();
    let summary = summary?;
    let mut text = format!("{summary}\n");
    for row in &summary.potentials {
        text += &line(row);
    }
    render::print(&text)?;
    for refused in &summary.refused_files {
        note(&format!("refused {refused}"));
    }
    for refused in &summary.refused_triples {
        match &refused.id {
            Some(name) => note(&format!("refused {name}: {}", refused.reason)),
            None => note(&format!("refused {refused}")),
        }
    }
    Ok(())
}

/// A potential in words.
fn line(row: &AdsorptionRow) -> String {
    let channel = row.channel.as_ref().map_or(String::new(), |channel| format!(", {channel}"));
    let number = |x: Option<f64>| x.map_or("?".into(), |x| format!("{x:.3}"));
    format!(
        "{} + {} {}{channel}: {} eV per ion, {} V against the metal\n",
        row.host,
        row.n,
        row.ion,
        number(row.adsorption_potential),
        number(row.voltage)
    )
}
