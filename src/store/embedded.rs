//! The default store, made on first use: published crystal structures that come with the program, and a sample of labelled ones.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::import::{ImportOptions, Source};
use super::lake::{Store, draft};
use super::tables::Shape;
use crate::StoreError;
use formats::{Properties, Record, hosts, record_of_row};

/// Table of the labelled sample.
const SAMPLE_TABLE: &str = "sample";
/// The sample as JSON lines, packed; whose it is stands in its first lines, and in the README beside it.
const SAMPLE: &[u8] = include_bytes!("../../fixtures/sample/materials_project.jsonl.gz");

impl Store {
    /// The store that is meant where none is named: `HOLLANDITE_STORE`, or `hollandite/store` in the user's data folder.
    /// On first use it is made and filled with the published host structures and the labelled sample, whole or not at all: another
    /// process that does the same meanwhile does no harm.
    ///
    /// # Errors
    /// No data folder, or as [`Store::open`] and [`Store::init`].
    pub async fn open_default() -> Result<Self, StoreError> {
        Self::open_or_embed(&default_dir()?).await
    }

    /// Opens the store in `dir`, after making it with the embedded structures where there is none.
    ///
    /// # Errors
    /// As [`Store::open`] and [`Store::init`].
    pub async fn open_or_embed(dir: &Path) -> Result<Self, StoreError> {
        match Self::open(dir).await {
            Err(StoreError::Missing { dir }) => embed(&dir).await,
            other => other,
        }
    }
}

fn default_dir() -> Result<PathBuf, StoreError> {
    if let Some(dir) = std::env::var_os("HOLLANDITE_STORE").filter(|dir| !dir.is_empty()) {
        return Ok(dir.into());
    }
    dirs::data_dir().map(|dir| dir.join("hollandite").join("store")).ok_or_else(|| StoreError::Folder {
        dir: PathBuf::from("."),
        message: "no data folder is known for this user; name a store with --store or HOLLANDITE_STORE".into(),
    })
}

async fn embed(dir: &Path) -> Result<Store, StoreError> {
    if let Some(parent) = dir.parent() {
        std::fs::create_dir_all(parent).map_err(|e| StoreError::io(parent, e))?;
    }
    let draft = draft(dir);
    let _ = std::fs::remove_dir_all(&draft);
    let built = fill(&draft).await;
    let renamed = built.and_then(|()| std::fs::rename(&draft, dir).map_err(|e| StoreError::io(dir, e)));
    match renamed {
        Ok(()) => Store::open(dir).await,
        Err(error) => {
            let _ = std::fs::remove_dir_all(&draft);
            // Another process was first: its store is as good as ours.
            Store::open(dir).await.map_err(|_| error)
        }
    }
}

async fn fill(draft: &Path) -> Result<(), StoreError> {
    let store = Store::build(draft).await?;
    let into = |table: &str| ImportOptions { into: table.into(), ..ImportOptions::default() };
    for (options, records) in [(ImportOptions::default(), records()), (into(SAMPLE_TABLE), sample()?)] {
        let records = Box::new(std::iter::once(records));
        store.import_from(Source::Made(records), Shape::wide(&[]), &options, &()).await?;
    }
    Ok(())
}

/// The labelled crystals.
fn sample() -> Result<Vec<Record>, StoreError> {
    let doing = "reading the sample";
    let mut text = String::new();
    flate2::read::GzDecoder::new(SAMPLE).read_to_string(&mut text).map_err(StoreError::lake(doing))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    let records = lines.map(|(i, line)| record_of_row(line, Path::new(SAMPLE_TABLE), i + 1));
    records
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()
        .map_err(|rejection| StoreError::lake(doing)(rejection.to_string()))
}

/// The published structures as records; their citation is the source.
fn records() -> Vec<Record> {
    let record = |host: hosts::Host| {
        let mut extra = serde_json::Map::from_iter([("name".to_owned(), host.name.into())]);
        extra.extend(host.note.map(|note| ("note".to_owned(), note.into())));
        let properties = Properties { source: Some(host.citation), extra, ..Properties::default() };
        Record { id: host.id, structure: host.structure, line: 0, properties }
    };
    hosts::embedded().into_iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_labelled_small_and_says_whose_it_is() {
        let sample = sample().unwrap();
        assert_eq!(sample.len(), 377);
        assert!(SAMPLE.len() < 300_000, "{}", SAMPLE.len());
        for record in &sample {
            let Properties { formation_energy_per_atom, e_above_hull, source, .. } = &record.properties;
            assert!(formation_energy_per_atom.is_some() && e_above_hull.is_some_and(|e| e >= 0.0), "{}", record.id);
            assert!(source.as_ref().is_some_and(|s| s.starts_with("Materials Project (CC BY 4.0)")), "{}", record.id);
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(SAMPLE).read_to_string(&mut text).unwrap();
        let head: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(head.contains("CC BY 4.0") && head.contains("APL Materials 1 (2013) 011002"), "{head}");
    }
}
