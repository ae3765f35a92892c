//! SQL is the contract: `tests/slt/*.slt` hold queries with their answers, error messages and frozen plans.
//!
//! `SLT_COMPLETE=1 cargo test --test sql slt` rewrites the expectations; read the difference before you commit it.

use crate::common::crystals;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use hollandite::crystal::testing;
use hollandite::jobs::{FeaturizeOptions, featurize};
use hollandite::sql::Session;
use hollandite::store::{ImportOptions, Store};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, default_column_validator, default_validator};

struct Database(Session);

/// Numbers rounded to twelve digits: the last bits of a sum are not part of the contract.
fn cell(text: String) -> String {
    match text.parse::<f64>() {
        Ok(x) if text.contains('.') => {
            let rounded = format!("{x:.12e}").parse::<f64>().unwrap_or(x);
            format!("{rounded}")
        }
        _ if text.is_empty() => "(empty)".into(),
        _ => text,
    }
}

#[async_trait::async_trait]
impl AsyncDB for Database {
    type Error = hollandite::Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, hollandite::Error> {
        let batches = self.0.sql(sql).await?.collect().await?;
        let explain = sql.trim_start().to_uppercase().starts_with("EXPLAIN");
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = vec![];
        for batch in &batches {
            let columns: Vec<ArrayFormatter> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("a printable column"))
                .collect();
            for i in 0..batch.num_rows() {
                let row: Vec<String> = columns.iter().map(|column| column.value(i).to_string()).collect();
                match explain {
                    // One line a row, indented by dots, which survive the comparison of words.
                    true => rows.extend(row[1].lines().map(|line| {
                        let depth = line.len() - line.trim_start().len();
                        vec![format!("{}{}", ".".repeat(depth), line.trim())]
                    })),
                    false => rows.push(row.into_iter().map(cell).collect()),
                }
            }
        }
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 {
            return Ok(DBOutput::StatementComplete(0));
        }
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Text; width], rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "hollandite"
    }
}

/// A session over a store with rutile, SrTiO3 and WO3, of which rutile's density and all space groups are materialised.
async fn featurized() -> Session {
    let dir = tempfile::tempdir().expect("a temporary folder").keep();
    let store = Store::init(&dir.join("store")).await.expect("a store");
    let crystals = [("rutile", testing::rutile()), ("SrTiO3", testing::srtio3())];
    let poscar = |(id, crystal): (&str, _)| {
        let path = dir.join(format!("{id}.vasp"));
        std::fs::write(&path, hollandite::formats::to_poscar(&crystal, id)).expect("a file");
        path
    };
    let files: Vec<_> = crystals.into_iter().chain([("WO3", testing::wo3())]).map(poscar).collect();
    store.import(&files, &ImportOptions::default(), &()).await.expect("an import");
    let session = Session::open(&store, None).await.expect("a session");
    for (features, condition) in [("density", Some("id = 'rutile'".to_string())), ("spacegroup,void(ionic,1)", None)] {
        let options = FeaturizeOptions { features: vec![features.into()], condition, ..FeaturizeOptions::default() };
        featurize(&session, &store, &options, &()).await.expect("features");
    }
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/slt");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "slt"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let complete = std::env::var_os("SLT_COMPLETE").is_some();
    for file in files {
        // Two files are about a store on disk, the others about tables in memory.
        let stored = file.file_stem().is_some_and(|stem| ["features", "adsorption"].iter().any(|s| stem == *s));
        let mut runner =
            Runner::new(|| async { Ok(Database(if stored { featurized().await } else { crystals::session().0 })) });
        if complete {
            runner
                .update_test_file(
                    &file,
                    "\t",
                    default_validator,
                    sqllogictest::default_normalizer,
                    default_column_validator,
                )
                .await
                .unwrap();
        } else {
            runner.run_file_async(&file).await.unwrap_or_else(|e| panic!("{}", e.display(false)));
        }
    }
}
