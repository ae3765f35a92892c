//! Tables in files: their columns are found when the query is planned, their rows are read as it runs.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_datafusion_err, plan_err};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};

use crystal::{explained, guard::guarded};

/// A table of the files that a path, a folder or a glob pattern names.
pub(super) fn table(session: &dyn Session, path: &str, format: Arc<dyn FileFormat>) -> Result<Arc<dyn TableProvider>> {
    let is_pattern = path.contains(['*', '?', '[']);
    if path.contains("://") {
        return plan_err!("'{path}' is not a local file; download it first");
    }
    if !is_pattern && let Err(error) = std::fs::metadata(path) {
        return plan_err!("{path}: {error}");
    }
    let url = ListingTableUrl::parse(path)?;
    // Whatever the file is called: the function says what it is.
    let options = ListingOptions::new(format).with_file_extension("");
    let schema = schema(session, &options, &url).map_err(|e| explained(format!("{path}: {}", e.message()), e))?;
    if schema.fields().is_empty() {
        return plan_err!("{path}: no file here has a column");
    }
    let config = ListingTableConfig::new(url).with_listing_options(options).with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// The columns of the files. Planning is not asynchronous, reading files is: it is done on a thread of its own, in any runtime
/// the query is planned on.
fn schema(session: &dyn Session, options: &ListingOptions, url: &ListingTableUrl) -> Result<SchemaRef> {
    let read = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.map_err(|e| plan_datafusion_err!("{e}"))?.block_on(options.infer_schema(session, url))
    };
    // Some damage of a footer makes its decoder panic.
    let guarded = || guarded(read).unwrap_or_else(|message| plan_err!("its columns cannot be decoded: {message}"));
    std::thread::scope(|scope| {
        scope.spawn(guarded).join().unwrap_or_else(|_| plan_err!("its columns cannot be decoded"))
    })
}
