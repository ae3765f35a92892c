//! Limits that keep their place.
//!
//! Two things that the engine does below a limit change which rows are the first:
//!
//! - A join or a top-k passes down to the scans which rows can still matter, and a filter that stops after some rows hands
//!   that on to its input. `FROM (SELECT .. WHERE predict_ef(structure) < 0 ORDER BY void LIMIT 5) p JOIN t ON ..` would
//!   keep the five that `t` has in place of the first five. A limit in a node of its own hands nothing on.
//! - An order that is asked for above a limit is made below it where the rows of the limit have no order of their own,
//!   and they seem to have none once a projection has dropped the columns that they were sorted by. So the limit comes first.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// The engine's rules with the two of this file where they belong.
pub fn keeping_limits(
    mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>,
) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let sorting = rules.iter().position(|rule| rule.name() == "EnsureRequirements");
    rules.insert(sorting.unwrap_or(0), Arc::new(LimitsFirst));
    let last = rules.iter().rposition(|rule| rule.name().starts_with("FilterPushdown"));
    rules.insert(last.unwrap_or(rules.len()), Arc::new(LimitsApart));
    rules
}

/// Puts a limit below the projection that stands under it.
#[derive(Debug)]
struct LimitsFirst;

impl PhysicalOptimizerRule for LimitsFirst {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| {
            let Some(limit) = node.downcast_ref::<GlobalLimitExec>() else { return Ok(Transformed::no(node)) };
            let Some(projection) = limit.input().downcast_ref::<ProjectionExec>() else {
                return Ok(Transformed::no(node));
            };
            let limited = GlobalLimitExec::new(Arc::clone(projection.input()), limit.skip(), limit.fetch());
            let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            let projection = Arc::clone(limit.input()).replace_children(vec![Arc::new(limited)], anew)?;
            Ok(Transformed::yes(projection))
        })
        .data()
    }

    fn name(&self) -> &str {
        "limits_first"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Puts a limit above each node that stops early and would pass filters on.
#[derive(Debug)]
struct LimitsApart;

impl PhysicalOptimizerRule for LimitsApart {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let passes =
                node.downcast_ref::<FilterExec>().is_some() || node.downcast_ref::<CoalescePartitionsExec>().is_some();
            let Some(fetch) = node.fetch().filter(|_| passes) else { return Ok(Transformed::no(node)) };
            let limit: Arc<dyn ExecutionPlan> = match node.output_partitioning().partition_count() {
                1 => Arc::new(GlobalLimitExec::new(node, 0, Some(fetch))),
                _ => Arc::new(LocalLimitExec::new(node, fetch)),
            };
            Ok(Transformed::yes(limit))
        })
        .data()
    }

    fn name(&self) -> &str {
        "limits_apart"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
