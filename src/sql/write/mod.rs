//! Statements that write rows to the lake: each is one snapshot, or none where it fails.
//!
//! The engine would make a table and fill it in two commits, keep what text happens to be in whichever layout, and take a condition
//! with a subquery for none at all. So these statements are carried out here, by [`Store::write_rows`] and the lake's own tables.

mod assigned;
mod change;
mod create;
mod insert;
mod subqueries;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use datafusion::catalog::TableProvider;
use datafusion::common::{ResolvedTableReference, Result, TableReference, not_impl_err, plan_datafusion_err, plan_err};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{DdlStatement, DmlStatement, LogicalPlan, TableSource, WriteOp};
use datafusion::prelude::DataFrame;

use super::session::Session;
use store::{Store, is_of_the_lake};

/// The catalog of the store.
const CATALOG: &str = "lake";

impl Session {
    /// Carries out a statement that writes to the store; any other plan is given back.
    pub(super) async fn write(&self, text: &str, plan: LogicalPlan) -> Result<Written> {
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
                self.create_table(create).await.map(Written::Done)
            }
            LogicalPlan::Dml(dml) if is_kept(&dml.target) => {
                let store = self.writable()?.clone();
                match dml.op {
                    WriteOp::Insert(op) => self.insert(&store, op, dml).await.map(Written::Done),
                    WriteOp::Update | WriteOp::Delete | WriteOp::Truncate => {
                        self.change(&store, text).await.map(Written::Done)
                    }
                    op => not_impl_err!("{} is not supported; use INSERT, UPDATE or DELETE", op.name()),
                }
            }
            LogicalPlan::Analyze(analyze) if matches!(analyze.input.as_ref(), LogicalPlan::Dml(_)) => {
                plan_err!("EXPLAIN ANALYZE would carry the statement out; EXPLAIN shows its plan")
            }
            plan => Ok(Written::Nothing(plan)),
        }
    }

    /// The store, where this session may write to it.
    fn writable(&self) -> Result<&Store> {
        match (self.store(), self.snapshot()) {
            (_, Some(snapshot)) => {
                plan_err!("this session is at snapshot {snapshot}, which is not written to; open the newest instead")
            }
            (Some(store), None) => Ok(store),
            (None, None) => plan_err!("there is no store to write to"),
        }
    }

    /// Catalog, schema and table that a name means.
    fn resolved(&self, name: &TableReference) -> ResolvedTableReference {
        let state = self.context().state_ref();
        let state = state.read();
        let catalog = &state.config_options().catalog;
        name.clone().resolve(&catalog.default_catalog, &catalog.default_schema)
    }

    /// How many rows were written, as a result of one row.
    fn counted(&self, rows: u64) -> Result<DataFrame> {
        let count: ArrayRef = Arc::new(UInt64Array::from(vec![rows]));
        self.context().read_batch(RecordBatch::try_from_iter([("count", count)])?)
    }
}

/// What became of a plan.
pub(super) enum Written {
    /// It was carried out; its result.
    Done(DataFrame),
    /// It writes no rows to the store.
    Nothing(LogicalPlan),
}

/// Whether a table is one of the lake.
fn is_kept(target: &Arc<dyn TableSource>) -> bool {
    source_as_provider(target).is_ok_and(|table| is_of_the_lake(table.as_ref()))
}

/// The table that a statement writes to.
fn table_of(dml: &DmlStatement) -> Result<Arc<dyn TableProvider>> {
    source_as_provider(&dml.target).map_err(|e| plan_datafusion_err!("{e}"))
}
