//! `INSERT`, and `INSERT OVERWRITE`.

use std::sync::Arc;

use datafusion::common::{Result, not_impl_err};
use datafusion::logical_expr::DmlStatement;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::prelude::DataFrame;

use crate::session::Session;
use store::{Onto, Store};

impl Session {
    pub(super) async fn insert(&self, store: &Store, op: InsertOp, dml: DmlStatement) -> Result<DataFrame> {
        let onto = match op {
            InsertOp::Append => Onto::Kept,
            InsertOp::Overwrite => Onto::Emptied,
            InsertOp::Replace => {
                return not_impl_err!("tables have no keys by which a row could be replaced; use UPDATE");
            }
        };
        let name = self.resolved(&dml.table_name);
        let rows = DataFrame::new(self.context().state(), Arc::unwrap_or_clone(dml.input));
        let rows = store.write_rows(&name.schema, &name.table, onto, rows.execute_stream().await?).await?;
        self.counted(rows)
    }
}
