//! Insertion electrodes whose voltage is known: which crystal is charged, which discharged, and the voltage between them.
//!
//! Such lists name crystals by id (the battery explorer of the Materials Project). Their crystals come from files of crystals beside
//! the list, or from the tables of the store: an electrode without both is left out, and comes in when the same import is
//! repeated with it. How many ions a cell takes up follows from the two crystals, whatever the list says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::prelude::SessionContext;
use serde::Deserialize;

use super::lake::{CATALOG, SCHEMA, Store};
use super::results::{Crystal, Electrode, ResultRow};
use crate::StoreError;
use crate::tables;
use adsorption::taken_up;
use columns::{StructureColumn, structure_type};
use crystal::Structure;
use features::Ion;
use formats::{self, Frames, Rejection};

/// What an import of electrodes did.
#[derive(Debug, Default)]
pub struct ElectrodeSummary {
    /// Rows added to `electrodes`.
    pub added: u64,
    /// Rows that were there already, or that came twice.
    pub present: u64,
    /// Electrodes of which a crystal is neither in the files nor in a table.
    pub without_crystals: u64,
    /// What was refused, and why.
    pub refused: Vec<Rejection>,
}

impl std::fmt::Display for ElectrodeSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { added, present, without_crystals, refused } = self;
        write!(f, "added {added} rows to {}", Electrode::TABLE)?;
        if *present > 0 {
            write!(f, "; {present} already there")?;
        }
        if *without_crystals > 0 {
            write!(
                f,
                "; {without_crystals} left out, for their crystals are in no file and no table: import these first, then the list again"
            )?;
        }
        if refused.is_empty() { Ok(()) } else { write!(f, "; {} refused", refused.len()) }
    }
}

/// An electrode of a list: JSON lines, or CSV as the battery explorer of the Materials Project names its columns.
#[derive(Debug, Clone, Deserialize)]
struct Listed {
    battery_id: String,
    #[serde(alias = "working_ion")]
    ion: String,
    #[serde(alias = "id_charge")]
    charged: String,
    #[serde(alias = "id_discharge")]
    discharged: String,
    #[serde(alias = "average_voltage")]
    voltage: f64,
    #[serde(default)]
    max_delta_volume: Option<f64>,
    #[serde(default)]
    checked: Option<bool>,
}

impl Store {
    /// Adds the electrodes that `paths` list to the table `electrodes`, in one snapshot. A file is a list where its records have a
    /// `battery_id`, JSON lines or CSV; the others hold crystals. `source` is written to the rows, the name of their file by default.
    ///
    /// # Errors
    /// A path that does not exist, no list among the files, a store that cannot be written. Faults in the files are no errors.
    pub async fn import_electrodes(
        &self,
        paths: &[PathBuf],
        source: Option<&str>,
    ) -> Result<ElectrodeSummary, StoreError> {
        let mut summary = ElectrodeSummary::default();
        let mut lists: Vec<(Listed, PathBuf, usize)> = Vec::new();
        let mut crystals: BTreeMap<String, Structure> = BTreeMap::new();
        let mut found_list = false;
        for input in formats::search(paths, Frames::default())?.inputs {
            match listed(&input.path) {
                Some(rows) => {
                    found_list = true;
                    for (line, row) in rows {
                        match row {
                            Ok(row) => lists.push((row, input.path.clone(), line)),
                            Err(reason) => summary.refused.push(rejection(&input.path, line, None, reason)),
                        }
                    }
                }
                None => {
                    for record in formats::read_file(&input.path) {
                        match record {
                            Ok(record) => drop(crystals.insert(record.id, record.structure)),
                            Err(refused) => summary.refused.push(refused),
                        }
                    }
                }
            }
        }
        if !found_list {
            let message = "none of the files lists electrodes; a list has records with battery_id, ion, charged, discharged \
                           and voltage, JSON lines or CSV";
            return Err(StoreError::lake("importing electrodes")(message));
        }
        let named = |(row, ..): &(Listed, PathBuf, usize)| [row.charged.clone(), row.discharged.clone()];
        let missing: BTreeSet<String> = lists.iter().flat_map(named).filter(|id| !crystals.contains_key(id)).collect();
        self.find(missing, &mut crystals).await?;
        let mut rows = Vec::new();
        for (row, path, line) in lists {
            let (Some(charged), Some(discharged)) = (crystals.get(&row.charged), crystals.get(&row.discharged)) else {
                summary.without_crystals += 1;
                continue;
            };
            let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            match electrode(&row, charged, discharged, source.unwrap_or(&file)) {
                Ok(row) => rows.push(row),
                Err(reason) => summary.refused.push(rejection(&path, line, Some(row.battery_id), reason)),
            }
        }
        summary.added = self.append(&rows, &format!("import {} electrodes", rows.len())).await?;
        summary.present = rows.len() as u64 - summary.added;
        Ok(summary)
    }

    /// Reads crystals by their ids from the tables of crystals; of namesakes the first.
    async fn find(
        &self,
        mut missing: BTreeSet<String>,
        crystals: &mut BTreeMap<String, Structure>,
    ) -> Result<(), StoreError> {
        let doing = "reading crystals of electrodes";
        let lake = StoreError::lake(doing);
        let ctx = SessionContext::new();
        self.register(&ctx, None).await?;
        for table in self.info(None)?.tables {
            let holds = |schema: SchemaRef| {
                let is = |name: &str, kind: &DataType| {
                    schema.field_with_name(name).is_ok_and(|field| tables::same_type(field.data_type(), kind))
                };
                is("id", &DataType::Utf8) && is("structure", &structure_type())
            };
            if missing.is_empty() || !self.table_schema(&table.name).await?.is_some_and(holds) {
                continue;
            }
            let ids: Vec<String> = missing.iter().map(|id| format!("'{}'", id.replace('\'', "''"))).collect();
            let sql = format!(
                "SELECT id, structure FROM {CATALOG}.{SCHEMA}.\"{}\" WHERE id IN ({})",
                table.name,
                ids.join(", ")
            );
            let batches = ctx.sql(&sql).await.map_err(lake)?.collect().await.map_err(lake)?;
            for batch in batches {
                let ids = cast(batch.column(0), &DataType::Utf8).map_err(StoreError::lake(doing))?;
                let structures = StructureColumn::try_new(batch.column(1)).map_err(StoreError::lake(doing))?;
                for (i, id) in ids.as_string::<i32>().iter().enumerate() {
                    if let (Some(id), Some(Ok(structure))) = (id, structures.get(i))
                        && missing.remove(id)
                    {
                        crystals.insert(id.to_owned(), structure);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The electrodes of a file with the lines where they stand; `None` where it lists none.
fn listed(path: &Path) -> Option<Vec<(usize, Result<Listed, String>)>> {
    let text = formats::read_text(path).ok()?;
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    if first.trim_start().starts_with('{') {
        let keys: serde_json::Map<String, serde_json::Value> = serde_json::from_str(first).ok()?;
        keys.contains_key("battery_id").then(|| {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            lines.map(|(i, line)| (i + 1, serde_json::from_str(line).map_err(|e| e.to_string()))).collect()
        })
    } else {
        first.split(',').any(|name| name.trim() == "battery_id").then(|| {
            let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize().enumerate();
            rows.map(|(i, row)| (i + 2, row.map_err(|e: csv::Error| e.to_string()))).collect()
        })
    }
}

fn rejection(path: &Path, line: usize, id: Option<String>, reason: String) -> Rejection {
    Rejection { path: path.to_owned(), line, id, reason, raw_hint: None, disordered: None }
}

/// The row of an electrode.
///
/// # Errors
/// What is no cation, or two crystals that are not one host with more and with fewer ions.
fn electrode(row: &Listed, charged: &Structure, discharged: &Structure, source: &str) -> Result<Electrode, String> {
    let ion = Ion::parse(&row.ion).map_err(|e| e.to_string())?;
    if ion.charge < 1 {
        return Err(format!("{} is not a cation", row.ion));
    }
    let [empty, full] = [charged.composition(), discharged.composition()];
    let (n, cells) = taken_up(&empty, &full, ion.element).map_err(|e| e.to_string())?;
    if !row.voltage.is_finite() {
        return Err(format!("a voltage of {} V", row.voltage));
    }
    Ok(Electrode {
        battery_id: row.battery_id.clone(),
        ion: ion.element.symbol().into(),
        valence: i32::from(ion.charge),
        formula_charged: Some(empty.reduced_formula()),
        formula_discharged: Some(full.reduced_formula()),
        charged_id: Some(row.charged.clone()),
        discharged_id: Some(row.discharged.clone()),
        charged: Some(Crystal::from(charged)),
        discharged: Some(Crystal::from(discharged)),
        n: Some(n),
        cells: Some(cells),
        voltage: row.voltage,
        volume_change: row.max_delta_volume,
        checked: row.checked,
        method: "DFT".into(),
        source: source.into(),
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = r#""lattice": [[4,0,0],[0,4,0],[0,0,4]]"#;

    #[tokio::test(flavor = "multi_thread")]
    async fn lists_come_in_with_crystals_of_files_and_tables_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let crystal = |id: &str, species: &str, coords: &str| {
            format!(r#"{{"id": "{id}", {CELL}, "species": [{species}], "frac_coords": [{coords}]}}"#) + "\n"
        };
        let empty = crystal("empty", r#""W","O","O","O""#, "[0,0,0],[0.5,0,0],[0,0.5,0],[0,0,0.5]");
        let full = crystal("full", r#""W","O","O","O","Li""#, "[0,0,0],[0.5,0,0],[0,0.5,0],[0,0,0.5],[0.5,0.5,0.5]");
        let row = |id: &str, discharged: &str| {
            format!(
                r#"{{"battery_id": "{id}", "ion": "Li", "charged": "empty", "discharged": "{discharged}", "voltage": 2.5}}"#
            ) + "\n"
        };
        let list =
            write("list.jsonl", row("a", "full") + &row("b", "nowhere") + &row("c", "empty") + "{\"battery_id\": 1}\n");
        let store = Store::init(&dir.path().join("s")).await.unwrap();
        let crystals = write("crystals.jsonl", empty + &full);
        let before = store.results::<Electrode>().await.unwrap().len();
        let refused = store.import_electrodes(std::slice::from_ref(&crystals), None).await.unwrap_err().to_string();
        assert!(refused.contains("battery_id"), "{refused}");
        let summary = store.import_electrodes(&[list.clone(), crystals.clone()], Some("somebody")).await.unwrap();
        assert_eq!((summary.added, summary.without_crystals, summary.refused.len()), (1, 1, 2), "{summary:?}");
        let rows = store.results::<Electrode>().await.unwrap();
        let row = rows.iter().find(|row| row.battery_id == "a").unwrap();
        assert_eq!(
            (rows.len(), row.n, row.cells, row.valence, row.voltage),
            (before + 1, Some(1.0), Some(1.0), 1, 2.5)
        );
        assert_eq!((row.source.as_str(), row.formula_discharged.as_deref()), ("somebody", Some("LiWO3")));
        // The same crystals out of a table, by the names of the battery explorer: the same electrode is there already.
        store.import(&[crystals], &super::super::ImportOptions::default(), &()).await.unwrap();
        let csv =
            "battery_id,working_ion,id_charge,id_discharge,average_voltage\na,Li,empty,full,2.5\nd,Li,empty,full,2.6\n";
        let summary = store.import_electrodes(&[write("more.csv", csv.into())], Some("somebody")).await.unwrap();
        // tmo takes the oxides of tungsten, with or without lithium.
        assert_eq!((summary.added, summary.present), (1, 1), "{summary}");
    }
}
