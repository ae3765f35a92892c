//! A costly call in a physical plan, and the way in which its values are found.

use std::sync::Arc;

use datafusion::physical_expr::PhysicalExpr;

use crate::predictor::Predictor;
use crate::reuse::Reuse;

/// A call, ready to run.
#[derive(Debug, Clone)]
pub(super) struct PhysicalCall {
    /// Name of its column.
    pub name: String,
    /// The call as the query has it.
    pub shown: String,
    /// How to find its values.
    pub way: Way,
    /// Whether it comes after the other calls, because what they find may answer it.
    pub last: bool,
    /// Rows for which they matter; on the others the column is NULL.
    pub needed: Option<Arc<dyn PhysicalExpr>>,
}

/// How values are found.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// By a model, in batches.
    Model { structure: Arc<dyn PhysicalExpr>, predictor: Predictor },
    /// By a function, row by row.
    Function(Arc<dyn PhysicalExpr>),
    /// By a function too, but read for the crystals whose values are materialised.
    Reused { crystal: Arc<dyn PhysicalExpr>, call: Arc<dyn PhysicalExpr>, reuse: Reuse },
}
