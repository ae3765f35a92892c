//! `CREATE TABLE`: empty, or of a query.

use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{CreateMemoryTable, DdlStatement, LogicalPlan};
use datafusion::prelude::DataFrame;

use crate::session::Session;
use store::{Onto, is_of_the_lake};

impl Session {
    /// A table of the store; without one, in memory.
    pub(super) async fn create_table(&self, create: CreateMemoryTable) -> Result<DataFrame> {
        let name = self.resolved(&create.name);
        let there = match self.context().table_exist(create.name.clone())? {
            true => Some(self.context().table_provider(create.name.clone()).await?),
            false => None,
        };
        let onto = match &there {
            None => Onto::New,
            Some(table) if create.or_replace && is_of_the_lake(table.as_ref()) => Onto::Replaced,
            Some(_) if create.or_replace && self.store().is_some() && *name.catalog == *super::CATALOG => {
                return plan_err!(
                    "'{}' is not a table of the store, and is not replaced by one; drop it first",
                    name.table
                );
            }
            // The engine knows what to say, or that nothing is to be done.
            Some(_) => return self.made_by_the_engine(create).await,
        };
        if create.temporary || self.store().is_none() || *name.catalog != *super::CATALOG {
            return self.made_by_the_engine(create).await;
        }
        let store = self.writable()?;
        // A query, or the columns of an empty table.
        match create.input.as_ref() {
            LogicalPlan::EmptyRelation(_) if onto == Onto::New => {
                let _turn = store.lock().await?;
                self.made_by_the_engine(create).await
            }
            _ => {
                let rows = DataFrame::new(self.context().state(), Arc::unwrap_or_clone(create.input));
                store.write_rows(&name.schema, &name.table, onto, rows.execute_stream().await?).await?;
                self.context().read_empty()
            }
        }
    }

    async fn made_by_the_engine(&self, create: CreateMemoryTable) -> Result<DataFrame> {
        let plan = LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create));
        self.context().execute_logical_plan(plan).await
    }
}
