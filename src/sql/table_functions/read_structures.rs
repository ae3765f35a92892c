//! `read_structures(path)`: the records of files as rows, without importing them.
//!
//! Files are dealt to as many streams as the session has partitions; each reads its files one after the other, a few
//! hundred records at a time, and stops when no more rows are wanted. Only what a query names is put into columns.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::table::{Table, path};
use crate::functions::kernel::Row;
use crate::functions::{FieldDoc, Function, Kind, Omitted, optional};
use columns::{structure_type, structures};
use formats::{self, Frames, Input, Mapping, Place, Reading, Record, Rejection, STATED, Stated};

/// Most records of one batch.
const BATCH: usize = 512;

pub(super) fn function() -> Function<Table> {
    Function {
        name: "read_structures",
        text: "The records of files as rows, without importing them, in every format that `hollandite import` reads. \
               A record that is refused is a row too: its structure is NULL, and reason says why and what to do.",
        parameters: vec![
            path(),
            optional(
                "map",
                Kind::Text,
                Omitted::Text(""),
                "Which columns or properties hold what: 'lattice=cell,species=symbols,positions=xyz,id=name'. Empty: columns are \
                 recognised by their names.",
            )
            .parsed(mapping),
            optional(
                "frames",
                Kind::NumberOrName,
                Omitted::Text("last"),
                "Which frames of a trajectory are read: 'last', 'all', or a number from 1, or negative from the end.",
            )
            .parsed(Frames::from_str),
        ],
        unit: None,
        example: "SELECT id, path, void(structure) AS void FROM read_structures('cifs/*.cif')",
        kernel: Table { reads_files: true, columns: columns(), call },
    }
}

fn columns() -> Vec<FieldDoc> {
    let mut columns = vec![
        FieldDoc::new("path", DataType::Utf8, None, "The file."),
        FieldDoc::new("line", DataType::Int64, None, "Line where the record begins."),
        FieldDoc::new("id", DataType::Utf8, None, "Id of the record."),
        FieldDoc::new("structure", structure_type(), None, "The crystal."),
        FieldDoc::new("formula", DataType::Utf8, None, "Its reduced formula."),
        FieldDoc::new("natoms", DataType::Int32, None, "Number of atoms in the cell."),
    ];
    columns.extend(STATED.iter().map(|stated| {
        let data_type = match stated.place {
            Place::Number(..) => DataType::Float64,
            Place::Text(..) => DataType::Utf8,
        };
        FieldDoc::new(stated.name, data_type, stated.unit, stated.summary)
    }));
    columns.extend([
        FieldDoc::new("extra", DataType::Utf8, None, "Everything else in the record, as JSON."),
        FieldDoc::new("reason", DataType::Utf8, None, "Why the record is refused, and what to do."),
    ]);
    columns
}

fn call(_: &dyn Session, row: Row) -> Result<Arc<dyn TableProvider>> {
    let reading = |mapping| Ok(Reading { mapping, frames: row.text(2).parse()?, ..Reading::default() });
    let reading = mapping(row.text(1)).and_then(reading).map_err(|e: String| plan_datafusion_err!("{e}"))?;
    let found = formats::search(&[PathBuf::from(row.text(0))], reading.frames);
    let found = found.map_err(|e| plan_datafusion_err!("{e}"))?;
    Ok(Arc::new(Files { inputs: found.inputs.into(), reading: Arc::new(reading), schema: schema() }))
}

/// Which columns hold what.
fn mapping(text: &str) -> std::result::Result<Mapping, String> {
    if text.is_empty() { Ok(Mapping::default()) } else { text.parse() }
}

fn schema() -> SchemaRef {
    let field = |column: &FieldDoc| column.field().with_nullable(!matches!(column.name, "path" | "line"));
    Arc::new(Schema::new(columns().iter().map(field).collect::<Fields>()))
}

/// The table of one call.
#[derive(Debug)]
struct Files {
    inputs: Arc<[Input]>,
    reading: Arc<Reading>,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for Files {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let streams = state.config().target_partitions().clamp(1, self.inputs.len().max(1));
        // A limit is met by the first files: others need not be opened.
        let streams = if limit.is_some() { 1 } else { streams };
        let partition = |first| -> Arc<dyn PartitionStream> {
            let rows = limit.unwrap_or(BATCH).clamp(1, BATCH);
            let (inputs, reading) = (Arc::clone(&self.inputs), Arc::clone(&self.reading));
            Arc::new(Part { inputs, reading, first, step: streams, rows, schema: Arc::clone(&schema) })
        };
        let partitions = (0..streams).map(partition).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, None, false, limit)?))
    }
}

/// Every `step`-th file from the `first` on.
#[derive(Debug)]
struct Part {
    inputs: Arc<[Input]>,
    reading: Arc<Reading>,
    first: usize,
    step: usize,
    /// Rows of a batch.
    rows: usize,
    /// The requested columns.
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 1);
        let batches = builder.tx();
        let (inputs, schema, rows) = (Arc::clone(&self.inputs), Arc::clone(&self.schema), self.rows);
        let (reading, first, step) = (Arc::clone(&self.reading), self.first, self.step);
        builder.spawn_blocking(move || {
            let read = inputs.iter().skip(first).step_by(step);
            let noted = |item: Result<Record, Rejection>| {
                item.map(|mut record| {
                    record.properties.settle_notes();
                    record
                })
            };
            let mut items = read.flat_map(|input| formats::read(input, &reading).map(move |item| (input, noted(item))));
            loop {
                let chunk: Vec<Item> = items.by_ref().take(rows).collect();
                // An error here means that the query has ended.
                if chunk.is_empty() || batches.blocking_send(batch(&schema, &chunk)).is_err() {
                    return Ok(());
                }
            }
        });
        builder.build()
    }
}

type Item<'a> = (&'a Input, Result<Record, Rejection>);

/// The columns of `schema` for some records.
fn batch(schema: &SchemaRef, items: &[Item]) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| column(field.name(), items)).collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(items.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn column(name: &str, items: &[Item]) -> Result<ArrayRef> {
    let records = || items.iter().map(|(_, item)| item.as_ref().ok());
    let text = |of: &dyn Fn(&Record) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(records().map(|r| r.and_then(of))))
    };
    Ok(match name {
        "path" => Arc::new(StringArray::from_iter_values(items.iter().map(|(input, _)| input.path.to_string_lossy()))),
        "line" => Arc::new(Int64Array::from_iter_values(items.iter().map(|(_, item)| match item {
            Ok(record) => record.line as i64,
            Err(rejection) => rejection.line as i64,
        }))),
        "id" => Arc::new(StringArray::from_iter(items.iter().map(|(_, item)| match item {
            Ok(record) => Some(&record.id),
            Err(rejection) => rejection.id.as_ref(),
        }))),
        "structure" => Arc::new(structures(records().map(|r| r.map(|r| &r.structure)))),
        "formula" => text(&|r| Some(r.structure.composition().reduced_formula())),
        "natoms" => Arc::new(Int32Array::from_iter(records().map(|r| r.map(|r| r.structure.len() as i32)))),
        "extra" => text(&|r| {
            let extra = &r.properties.extra;
            (!extra.is_empty()).then(|| serde_json::to_string(extra).ok()).flatten()
        }),
        "reason" => {
            let reasons = items.iter().map(|(_, item)| item.as_ref().err().map(|rejection| &rejection.reason));
            Arc::new(StringArray::from_iter(reasons))
        }
        other => match Stated::called(other).map(|stated| &stated.place) {
            Some(Place::Number(of, _)) => {
                Arc::new(Float64Array::from_iter(records().map(|r| r.and_then(|r| of(&r.properties)))))
            }
            Some(Place::Text(of, _)) => {
                Arc::new(StringArray::from_iter(records().map(|r| r.and_then(|r| of(&r.properties)))))
            }
            None => return plan_err!("read_structures has no column {other}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::Session;
    use arrow::util::pretty::pretty_format_batches;

    const MGO: &str = "2\nLattice=\"4.2 0 0 0 4.2 0 0 0 4.2\" band_gap=7.8 energy=-12.5\nMg 0 0 0\nO 2.1 2.1 2.1\n";

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let good = MGO.repeat(3);
        std::fs::write(dir.path().join("a.xyz"), format!("{good}{}{good}", MGO.replace("Mg 0", "Xx 0"))).unwrap();
        std::fs::write(
            dir.path().join("b.vasp"),
            "MgO\n1\n4.2 0 0\n0 4.2 0\n0 0 4.2\nMg O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n",
        )
        .unwrap();
        dir
    }

    async fn rows(query: &str) -> std::result::Result<Vec<String>, String> {
        let batches = async { Session::without_store().sql(query).await?.collect().await.map_err(crate::Error::from) };
        let batches = batches.await.map_err(|e| e.to_string())?;
        let table = pretty_format_batches(&batches).unwrap().to_string();
        let cells = |line: &str| line.split('|').map(str::trim).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" ");
        Ok(table.lines().filter(|l| l.starts_with('|')).skip(1).map(cells).collect())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_are_rows_and_refused_records_too() {
        let dir = folder();
        let from = format!("FROM read_structures('{}')", dir.path().display());
        assert_eq!(rows(&format!("SELECT count(*), count(structure), count(reason) {from}")).await.unwrap(), ["8 7 1"]);
        assert_eq!(
            rows(&format!(
                "SELECT line, id, formula, natoms, band_gap, extra {from} WHERE reason IS NULL ORDER BY id LIMIT 2"
            ))
            .await
            .unwrap(),
            ["1 a#1 MgO 2 7.8 {\"energy\":-12.5}", "5 a#2 MgO 2 7.8 {\"energy\":-12.5}"]
        );
        let refused = rows(&format!("SELECT line, reason {from} WHERE structure IS NULL")).await.unwrap();
        assert!(refused.len() == 1 && refused[0].starts_with("15 atom 1 of 2: 'Xx' is not"), "{refused:?}");
        let groups = format!("SELECT spacegroup(structure), count(*) {from} WHERE natoms = 2 GROUP BY 1");
        assert_eq!(rows(&groups).await.unwrap(), ["221 7"]);
        assert_eq!(
            rows(&format!("SELECT id FROM read_structures('{}/*.vasp')", dir.path().display())).await.unwrap(),
            ["b"]
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_limit_stops_the_reading() {
        let dir = tempfile::tempdir().unwrap();
        // 60 000 frames: reading them all would take seconds.
        std::fs::write(dir.path().join("a.xyz"), MGO.repeat(60_000)).unwrap();
        let begun = std::time::Instant::now();
        let query = format!("SELECT id FROM read_structures('{}') LIMIT 2", dir.path().display());
        assert_eq!(rows(&query).await.unwrap(), ["a#1", "a#2"]);
        let few = begun.elapsed();
        let query = format!("SELECT count(*) FROM read_structures('{}')", dir.path().display());
        assert_eq!(rows(&query).await.unwrap(), ["60000"]);
        assert!(few < begun.elapsed() / 5, "{few:?} of {:?}", begun.elapsed());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn arguments_are_checked_when_the_query_is_planned() {
        for (call, said) in [
            ("read_structures()", "takes 1 to 3 arguments"),
            ("read_structures('fixtures', 'x=y')", "nothing is called 'x'"),
            ("read_structures(1)", "needs text as path"),
            ("read_structures('fixtures', frames => 'some')", "names no frames"),
            ("read_structures('no/such/*.cif')", "no file here that can be read"),
            ("read_structures('no_such.cif')", "no such file"),
        ] {
            let error = rows(&format!("SELECT * FROM {call}")).await.unwrap_err();
            assert!(error.contains(said), "{call}: {error}");
        }
    }
}
