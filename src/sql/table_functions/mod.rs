//! SQL functions that stand where a table stands, `SELECT .. FROM read_structures('cifs/')`, one file each: a [`Function`] whose
//! kernel makes the table of a call. Their arguments are constants, known when the query is planned.

mod files;
mod generate;
mod generated;
mod migration_paths;
mod most_similar;
mod predict_structure;
mod query;
mod read_csv;
mod read_json;
mod read_parquet;
mod read_structures;
mod table;

use super::functions::Function;
pub(super) use table::{Guarded, Table};

/// All of them, each with its section of the reference.
pub(super) fn all() -> Vec<(&'static str, Function<Table>)> {
    let functions = [
        generate::function(),
        migration_paths::function(),
        most_similar::function(),
        predict_structure::function(),
        read_csv::function(),
        read_json::function(),
        read_parquet::function(),
        read_structures::function(),
    ];
    functions.map(|function| ("Tables", function)).into()
}

/// That of a name.
pub(super) fn named(name: &str) -> Option<Function<Table>> {
    all().into_iter().map(|(_, function)| function).find(|function| function.name == name)
}

/// Whether a function reads files that a query names.
pub fn reads_files(name: &str) -> bool {
    named(name).is_some_and(|function| function.kernel.reads_files)
}
