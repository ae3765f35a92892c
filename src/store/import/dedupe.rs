//! Crystals that a table has already under another name or in another cell.
//!
//! Two crystals are compared only where reduced formula and space group agree, so that an import looks at a few
//! candidates for each record; then [`Reduced::compare`] decides, with the tolerances of `same_structure`. Groups of one
//! formula and space group are settled side by side, and the crystals of a group in the order of the files: the first
//! stays. The crystals of the table stay in memory meanwhile, about 30 bytes an atom.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use rayon::prelude::*;

use crate::StoreError;
use crate::lake::{CATALOG, SCHEMA, Store};
use crate::tables::Row;
use columns::StructureColumn;
use crystal::Structure;
use features::{Reduced, Tolerances};
use formats::Rejection;

/// Reduced formula, and space group where there is one.
type Block = (String, Option<i32>);

/// A crystal that stays, reduced when first compared.
struct Kept {
    id: String,
    structure: Structure,
    reduced: OnceLock<Reduced>,
}

impl Kept {
    fn new(id: &str, structure: Structure) -> Self {
        Self { id: id.to_owned(), structure, reduced: OnceLock::new() }
    }

    fn reduced(&self) -> &Reduced {
        self.reduced.get_or_init(|| Reduced::of(&self.structure))
    }
}

/// The crystals of a table, as far as an import has come.
#[derive(Default)]
pub(super) struct Known(HashMap<Block, Vec<Kept>>);

/// A row and where it came from.
pub(super) struct Arrival {
    pub path: Arc<PathBuf>,
    pub line: usize,
    pub row: Row,
}

impl Known {
    /// The crystals of `table`.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn of(store: &Store, table: &str) -> Result<Self, StoreError> {
        const DOING: &str = "reading the crystals of the table";
        let lake = StoreError::lake(DOING);
        let ctx = SessionContext::new();
        store.register(&ctx, None).await?;
        let sql = format!("SELECT id, formula, spacegroup, structure FROM {CATALOG}.{SCHEMA}.{table}");
        let mut stream = ctx.sql(&sql).await.map_err(lake)?.execute_stream().await.map_err(lake)?;
        let mut known = Self::default();
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(lake)?;
            let column = |i: usize, as_type| cast(batch.column(i), as_type).map_err(|e| lake(e.into()));
            let (ids, formulas) = (column(0, &DataType::Utf8)?, column(1, &DataType::Utf8)?);
            let groups = column(2, &DataType::Int32)?;
            let (ids, formulas) = (ids.as_string::<i32>(), formulas.as_string::<i32>());
            let groups = groups.as_primitive::<Int32Type>();
            let structures = StructureColumn::try_new(batch.column(3).as_ref()).map_err(StoreError::lake(DOING))?;
            for i in 0..batch.num_rows() {
                if let Some(Ok(structure)) = structures.get(i) {
                    let group = groups.is_valid(i).then(|| groups.value(i));
                    let block = (formulas.value(i).to_owned(), group);
                    known.0.entry(block).or_default().push(Kept::new(ids.value(i), structure));
                }
            }
        }
        Ok(known)
    }

    /// Parts new rows into those that stay, in their order, and those that are the same structure as an earlier one.
    pub fn sift(&mut self, rows: Vec<Arrival>) -> (Vec<Row>, Vec<Rejection>) {
        let mut blocks: HashMap<Block, Vec<usize>> = HashMap::new();
        for (i, arrival) in rows.iter().enumerate() {
            blocks.entry(arrival.row.block()).or_default().push(i);
        }
        let settled: Vec<_> = blocks
            .into_par_iter()
            .map(|(block, members)| {
                let before = self.0.get(&block).map_or(&[][..], Vec::as_slice);
                let (mut fresh, mut doubles): (Vec<Kept>, Vec<(usize, String)>) = (Vec::new(), Vec::new());
                for i in members {
                    let row = &rows[i].row;
                    let kept = Kept::new(row.id(), row.structure().clone());
                    let twin = before.iter().chain(&fresh).find_map(|other| {
                        let found = kept.reduced().compare(other.reduced(), &Tolerances::default())?;
                        found.same.then(|| reason(&other.id, found.rms, block.1))
                    });
                    match twin {
                        Some(reason) => doubles.push((i, reason)),
                        None => fresh.push(kept),
                    }
                }
                (block, fresh, doubles)
            })
            .collect();
        let mut reasons = HashMap::new();
        for (block, fresh, doubles) in settled {
            reasons.extend(doubles);
            self.0.entry(block).or_default().extend(fresh);
        }
        let (mut stay, mut go) = (Vec::with_capacity(rows.len()), Vec::new());
        for (i, Arrival { path, line, row }) in rows.into_iter().enumerate() {
            match reasons.remove(&i) {
                Some(reason) => {
                    let id = Some(row.id().to_owned());
                    go.push(Rejection::plain(path.as_path(), line, id, reason));
                }
                None => stay.push(row),
            }
        }
        (stay, go)
    }
}

fn reason(id: &str, rms: f64, group: Option<i32>) -> String {
    let group = group.map_or_else(|| "no space group".to_owned(), |n| format!("space group {n}"));
    let Tolerances { length, site, angle } = Tolerances::default();
    format!(
        "same structure as {id}: rms {rms:.4} (V/N)^(1/3), {group}, tolerances {length}, {site}, {angle}°; \
         import it without --dedupe to have both"
    )
}
