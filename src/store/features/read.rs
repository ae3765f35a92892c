//! Reading features back, value by value: an index in memory says in which file and row the value of a crystal stands, and
//! the values of a batch are read from there when they are needed. Of a table, only the index is held: 24 bytes a row.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_empty_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::errors::ParquetError;
use rusqlite::params;

use super::{PREFIX, registered};
use crate::StoreError;
use crate::lake::Store;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    file: u32,
    row: u32,
}

/// The values of one featurizer, as they were when they were looked up.
#[derive(Debug)]
pub struct Materialised {
    featurizer: String,
    column: String,
    files: Vec<(PathBuf, ArrowReaderMetadata)>,
    places: HashMap<u128, Place>,
}

impl Materialised {
    /// Function, constant arguments and version: `void(ionic,0.76)/1`.
    pub fn featurizer(&self) -> &str {
        &self.featurizer
    }

    /// How many crystals have a value.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Where the value stands of the crystal with this exact hash
    /// ([`columns::StructureColumn::exact_hash`]).
    pub fn find(&self, exact_hash: u128) -> Option<Place> {
        self.places.get(&exact_hash).copied()
    }

    /// The values at `places`, in order, as `data_type`.
    ///
    /// # Errors
    /// A file that cannot be read, or a type that cannot become the requested one.
    pub fn read(&self, places: &[Place], data_type: &DataType) -> Result<ArrayRef, StoreError> {
        let mut rows: BTreeMap<Place, u32> = places.iter().map(|&place| (place, 0)).collect();
        rows.values_mut().zip(0..).for_each(|(at, i)| *at = i);
        let mut parts: Vec<ArrayRef> = vec![];
        for (number, (path, metadata)) in (0..).zip(&self.files) {
            let (first, last) = (Place { file: number, row: 0 }, Place { file: number, row: u32::MAX });
            let wanted: Vec<u32> = rows.range(first..=last).map(|(place, _)| place.row).collect();
            if !wanted.is_empty() {
                parts.extend(read_rows(path, metadata, &self.column, &wanted).map_err(|e| StoreError::io(path, e))?);
            }
        }
        let doing = "reading features";
        let lake = StoreError::lake(doing);
        let whole = match parts.as_slice() {
            [] => new_empty_array(data_type),
            parts => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(lake)?,
        };
        if whole.len() != rows.len() {
            let message = format!("{} values of {} in place of {}", whole.len(), self.featurizer, rows.len());
            return Err(StoreError::lake(doing)(message));
        }
        let order: UInt32Array = places.iter().map(|place| rows.get(place).copied()).collect();
        take(&cast(&whole, data_type).map_err(lake)?, &order, None).map_err(lake)
    }
}

/// Values that calls may read in place of computing them. Shared by the queries of a session.
#[derive(Debug)]
pub struct FeatureValues {
    store: Store,
    loaded: Mutex<HashMap<String, Loaded>>,
}

/// An index and what the catalog said of the table when it was read.
#[derive(Debug)]
struct Loaded {
    stamp: Stamp,
    values: Option<Arc<Materialised>>,
}

/// What changes whenever the rows of a table do: its id, files and last file.
type Stamp = (i64, i64, i64);

impl Store {
    /// The materialised values of this store.
    pub fn feature_values(&self) -> FeatureValues {
        FeatureValues { store: self.clone(), loaded: Mutex::default() }
    }
}

impl FeatureValues {
    /// The values that feature `name` holds of `featurizer`, as of the newest snapshot; `None` where it holds none, or
    /// where another DuckLake client has deleted rows of it or keeps some inside the catalog.
    ///
    /// # Errors
    /// A catalog or file that cannot be read.
    pub fn get(&self, name: &str, featurizer: &str) -> Result<Option<Arc<Materialised>>, StoreError> {
        let connection = self.store.connect()?;
        if registered(&connection, name)?.is_none_or(|found| found != featurizer) {
            return Ok(None);
        }
        let table = format!("{PREFIX}{name}");
        let (stamp, foreign): (Stamp, i64) = connection.query_row(
            "SELECT coalesce(max(t.table_id), -1), count(f.data_file_id), coalesce(max(f.data_file_id), -1),
                    (SELECT count(*) FROM ducklake_delete_file d
                     WHERE d.table_id = t.table_id AND d.end_snapshot IS NULL)
                  + (SELECT count(*) FROM ducklake_inlined_data_tables i WHERE i.table_id = t.table_id)
                  + (SELECT count(*) FROM sqlite_master WHERE name = 'ducklake_inlined_delete_' || t.table_id)
             FROM ducklake_table t LEFT JOIN ducklake_data_file f ON f.table_id = t.table_id AND f.end_snapshot IS NULL
             WHERE t.table_name = ? AND t.end_snapshot IS NULL",
            params![table],
            |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get::<_, Option<i64>>(3)?.unwrap_or(0))),
        )?;
        let mut loaded = self.loaded.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(loaded) = loaded.get(featurizer)
            && loaded.stamp == stamp
        {
            return Ok(loaded.values.clone());
        }
        let values = match stamp.1 > 0 && foreign == 0 {
            true => Some(Arc::new(load(self.store.live_files(&connection, &table)?, name, featurizer)?)),
            false => None,
        };
        loaded.insert(featurizer.to_owned(), Loaded { stamp, values: values.clone() });
        Ok(values)
    }
}

/// Reads the index of a feature's files.
fn load(paths: Vec<PathBuf>, column: &str, featurizer: &str) -> Result<Materialised, StoreError> {
    let (mut files, mut places) = (Vec::new(), HashMap::new());
    for (number, path) in (0..).zip(paths) {
        let metadata = index(&path, featurizer, |exact, row| {
            places.insert(exact, Place { file: number, row });
        });
        files.push((path.clone(), metadata.map_err(|e| StoreError::io(&path, e))?));
    }
    Ok(Materialised { featurizer: featurizer.to_owned(), column: column.to_owned(), files, places })
}

/// Passes on the exact hash and the number of every row of `featurizer` in a file.
fn index(
    path: &PathBuf,
    featurizer: &str,
    mut found: impl FnMut(u128, u32),
) -> Result<ArrowReaderMetadata, ParquetError> {
    let file = File::open(path)?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["exact_hash", "featurizer"]);
    let mut row = 0;
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        let text = |name: &str| {
            let column = batch.column_by_name(name);
            cast(column.ok_or_else(|| ParquetError::General(format!("no column {name}")))?, &DataType::Utf8)
                .map_err(ParquetError::from)
        };
        let (exact, ids) = (text("exact_hash")?, text("featurizer")?);
        for (exact, id) in exact.as_string::<i32>().iter().zip(ids.as_string::<i32>()) {
            if let (Some(Ok(exact)), true) = (exact.map(|hex| u128::from_str_radix(hex, 16)), id == Some(featurizer)) {
                found(exact, row);
            }
            row += 1;
        }
    }
    Ok(metadata)
}

/// The values of `column` in `rows`, which rise.
fn read_rows(
    path: &PathBuf,
    metadata: &ArrowReaderMetadata,
    column: &str,
    rows: &[u32],
) -> Result<Vec<ArrayRef>, ParquetError> {
    // Row groups without a row that is asked for are not read at all.
    let (mut groups, mut selectors, mut begin, mut rest) = (vec![], vec![], 0, rows);
    for (number, group) in metadata.metadata().row_groups().iter().enumerate() {
        let end = begin + group.num_rows() as u32;
        let here;
        (here, rest) = rest.split_at(rest.partition_point(|&row| row < end));
        if !here.is_empty() {
            groups.push(number);
            let mut at = begin;
            for &row in here {
                selectors.extend([RowSelector::skip((row - at) as usize), RowSelector::select(1)]);
                at = row + 1;
            }
            selectors.push(RowSelector::skip((end - at) as usize));
        }
        begin = end;
    }
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone());
    let roots = builder.parquet_schema().root_schema().get_fields();
    let root = roots.iter().position(|field| field.name() == column);
    let root = root.ok_or_else(|| ParquetError::General(format!("no column {column}")))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [root]);
    let reader: ParquetRecordBatchReader = builder
        .with_projection(mask)
        .with_row_groups(groups)
        .with_row_selection(RowSelection::from(selectors))
        .with_batch_size(rows.len())
        .build()?;
    reader.map(|batch| Ok(batch?.column(0).clone())).collect()
}
