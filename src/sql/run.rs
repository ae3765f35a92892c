//! The way of a session from text to a result.

use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::DataFrame;

use super::copy;
use super::session::Session;
use super::statements::{self, Next};
use super::write::Written;
use crate::Error;

impl Session {
    /// Plans a statement. Nothing of a query runs before its rows are fetched; a statement that makes, drops, sets or writes
    /// something has run when this returns, as a whole or not at all. Tables and views are kept in the
    /// store, temporary views by the session.
    ///
    /// # Errors
    /// Text that is no SQL, names that do not exist, types that do not fit.
    pub async fn sql(&self, text: &str) -> Result<DataFrame, Error> {
        self.refresh().await?;
        let plan = match statements::begin(self, text).await? {
            Next::Done => return Ok(self.context().read_empty()?),
            Next::Plan(plan) => *plan,
        };
        match self.write(text, plan).await? {
            Written::Done(result) => Ok(result),
            Written::Nothing(LogicalPlan::Copy(copy)) => {
                let copy = LogicalPlan::Copy(copy::to_a_file(copy)?);
                Ok(self.context().execute_logical_plan(copy).await?)
            }
            Written::Nothing(plan) => Ok(self.context().execute_logical_plan(plan).await?),
        }
    }

    /// Rereads the lookup tables of functions where they have changed.
    pub(super) async fn refresh(&self) -> Result<(), Error> {
        if let Some(references) = self.environment().references() {
            references.refresh().await?;
        }
        Ok(())
    }

    /// An expression over columns, understood as in a statement.
    ///
    /// # Errors
    /// Text that is no expression, names that do not exist, arguments that do not fit.
    pub fn expression(&self, text: &str, columns: &DFSchema) -> Result<Expr, Error> {
        statements::expression(&self.context().state(), text, columns)
    }
}
