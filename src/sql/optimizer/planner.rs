//! From the logical node to the physical one: models are loaded, names become column positions.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::Cost;
use super::exec::{EvaluateExec, Evaluation, PhysicalCall};
use super::node::{Call, Evaluate};
use super::windows::LARGEST_WINDOW;
use crate::sql::functions::CrystalUdf;
use crate::sql::options::HollanditeOptions;
use crate::sql::predictor::Predictor;
use crate::sql::reuse::Reuse;

/// The engine's planner, taught our node.
#[derive(Debug, Default)]
pub struct HollanditePlanner;

#[async_trait]
impl QueryPlanner for HollanditePlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(EvaluatePlanner)])
            .create_physical_plan(plan, session)
            .await
    }
}

struct EvaluatePlanner;

#[async_trait]
impl ExtensionPlanner for EvaluatePlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<Evaluate>(), physical_inputs) else {
            return Ok(None);
        };
        let physical = |expr: &Expr| planner.create_physical_expr(expr, node.input.schema(), session, context);
        let options = HollanditeOptions::of(session.config_options());
        let mut calls = vec![];
        for Call { expr, name, needed } in &node.calls {
            let evaluation = match prediction(expr) {
                Some((udf, structure, constants)) => Evaluation::Model {
                    structure: physical(structure)?,
                    predictor: Predictor::of_call(udf.function(), &constants, udf.environment(), options.clone())?,
                },
                None => match Reuse::of(expr).filter(|_| options.features) {
                    Some((reuse, crystal)) => {
                        Evaluation::Reused { crystal: physical(crystal)?, call: physical(expr)?, reuse }
                    }
                    None => Evaluation::Function(physical(expr)?),
                },
            };
            let needed = needed.as_ref().map(physical).transpose()?;
            let mut shown = expr.clone();
            if let Expr::ScalarFunction(call) = &mut shown {
                call.args.truncate(if matches!(evaluation, Evaluation::Model { .. }) { 1 } else { usize::MAX });
            }
            calls.push(PhysicalCall {
                name: name.clone(),
                shown: shown.human_display().to_string(),
                evaluation,
                needed,
            });
        }
        let schema = Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner());
        let windows = match node.cost {
            Cost::Surface => SURFACE_ROWS,
            _ => [options.batch_graphs.max(1), LARGEST_WINDOW],
        };
        let exec = EvaluateExec::new(Arc::clone(input), calls, schema, node.cost, windows);
        Ok(Some(Arc::new(exec)))
    }
}

/// Rows whose crystals are relaxed before the first of them is passed on: few at first, for a limit may be content with them.
const SURFACE_ROWS: [usize; 2] = [16, 256];

/// The parts of a call of a model: its function in a session, its crystal, its constants.
fn prediction(expr: &Expr) -> Option<(&CrystalUdf, &Expr, Vec<&ScalarValue>)> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = expr else { return None };
    let udf = func.inner().downcast_ref::<CrystalUdf>().filter(|udf| udf.cost() == Cost::Model)?;
    let (crystal, rest) = args.split_first()?;
    Some((udf, crystal, rest.iter().map(constant).collect::<Option<_>>()?))
}

fn constant(argument: &Expr) -> Option<&ScalarValue> {
    match argument {
        Expr::Literal(constant, _) => Some(constant),
        _ => None,
    }
}
