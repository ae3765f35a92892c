//! What is read of a file: no more than the query returns, and what its filters ask of the scan.
//!
//! A query that asks for `structure['numbers']` has a projection of that field above its scan, and where the scan takes the projection
//! in, the Parquet reader leaves the other fields alone: lattice and coordinates are nearly all of the bytes. So are columns that a
//! filter alone needs, which the scan has applied. DuckLake puts nodes between the two that hold filters back and hand everything else
//! on; the engine stops there. This rule does not, and runs when every filter has found its place.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::functions::core::getfield::GetFieldFunc;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::projection::ProjectionExec;

/// The nodes of DuckLake that take part in the placing of filters alone.
const BARRIERS: [&str; 2] = ["OpenTimeFilterBarrierExec", "NanPruningBarrierExec"];

/// Takes projections of columns and of their fields into the scans below them.
#[derive(Debug)]
pub struct ProjectionsInScans;

impl PhysicalOptimizerRule for ProjectionsInScans {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return Ok(Transformed::no(node)) };
            let plain = projection.expr().iter().all(|of| is_plain(&of.expr));
            let taken = if plain { taken_in(projection.input(), projection)? } else { None };
            Ok(match taken.filter(|scan| scan.schema() == projection.schema()) {
                Some(scan) => Transformed::yes(scan),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "projections_in_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `node`, nothing but barriers and a scan, with the projection in the scan.
fn taken_in(node: &Arc<dyn ExecutionPlan>, projection: &ProjectionExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if !BARRIERS.contains(&node.name()) {
        return node.try_swapping_with_projection(projection);
    }
    let scan = taken_in(node.children()[0], projection)?;
    let anew = || ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    scan.map(|scan| Arc::clone(node).replace_children(vec![scan], anew())).transpose()
}

/// Whether an expression is a column, or a field of one.
fn is_plain(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let is_field = || {
        let field = ScalarFunctionExpr::try_downcast_func::<GetFieldFunc>(expr.as_ref());
        field
            .and_then(|field| field.args().split_first())
            .is_some_and(|(of, keys)| is_plain(of) && keys.iter().all(|key| key.is::<Literal>()))
    };
    expr.is::<Column>() || is_field()
}
