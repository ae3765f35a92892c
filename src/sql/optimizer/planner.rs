//! From the logical node to the physical one: models are loaded, names become column positions.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, ScalarValue, plan_datafusion_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::statistics::StatisticsContext;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::Cost;
use super::blocks::{FIRST_BLOCK, LARGEST_BLOCK};
use super::call::{PhysicalCall, Way};
use super::copies::of_short_rows;
use super::exec::EvaluateExec;
use super::interrupt::interruptible;
use super::node::{Call, Evaluate};
use crate::asked::model_of;
use crate::environment::Environment;
use crate::functions::{CrystalUdf, ENERGY};
use crate::options::HollanditeOptions;
use crate::pass::Pass;
use crate::predictor::Predictor;
use crate::reuse::Reuse;
use crystal::stop::Stop;

tokio::task_local! {
    /// Set while a query is planned.
    static PLANNING: ();
}

/// The engine's planner, taught our node.
#[derive(Debug, Default)]
pub struct HollanditePlanner;

#[async_trait]
impl QueryPlanner for HollanditePlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let stop = Stop::new();
        // A table that is a query in disguise is planned within the query that reads it, and ends with it.
        let within = PLANNING.try_with(|()| ()).is_ok();
        let planned = planned(plan, session, &stop).await?;
        if within {
            return Ok(planned);
        }
        let environment = session.config().get_extension::<Environment>();
        let served = environment.is_some_and(|environment| !environment.has_files());
        interruptible(if served { of_short_rows(planned)? } else { planned }, &stop)
    }
}

/// The plan, ended by `stop` in our own nodes only.
///
/// # Errors
/// Those of planning: a model that is not there.
pub async fn planned(plan: &LogicalPlan, session: &dyn Session, stop: &Stop) -> Result<Arc<dyn ExecutionPlan>> {
    let ours = EvaluatePlanner { stop: stop.clone() };
    let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(ours)]);
    PLANNING.scope((), stop.clone().over(planner.create_physical_plan(plan, session))).await
}

struct EvaluatePlanner {
    /// Ends the plan.
    stop: Stop,
}

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
            if node.cost == Cost::Surface {
                energy_model_is_there(expr, &options)?;
            }
            let way = match prediction(expr) {
                Some((udf, structure, constants)) => Way::Model {
                    structure: physical(structure)?,
                    predictor: Predictor::of_call(udf.function(), &constants, udf.environment(), options.clone())?,
                },
                None => match Reuse::of(expr).filter(|_| options.features) {
                    Some((reuse, crystal)) => Way::Reused { crystal: physical(crystal)?, call: physical(expr)?, reuse },
                    None => Way::Function(physical(expr)?),
                },
            };
            let needed = needed.as_ref().map(physical).transpose()?;
            let mut shown = expr.clone();
            if let Expr::ScalarFunction(call) = &mut shown {
                call.args.truncate(if matches!(way, Way::Model { .. }) { 1 } else { usize::MAX });
            }
            calls.push(PhysicalCall {
                name: name.clone(),
                last: udf(expr).is_some_and(|udf| udf.function().name == ENERGY),
                shown: shown.human_display().to_string(),
                way,
                needed,
            });
        }
        let schema = Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner());
        let reads = calls.iter().any(|call| matches!(call.way, Way::Reused { .. }));
        let blocks = match node.cost {
            Cost::Surface => SURFACE_ROWS,
            // So few that the progress shows each.
            Cost::Costly if !reads => [FIRST_BLOCK, COSTLY_ROWS],
            _ => [FIRST_BLOCK, LARGEST_BLOCK],
        };
        let pass = pass(&calls, node, input);
        let divided = options.partitioned && node.cost >= Cost::Model && !ordered(&node.input);
        let key = key(node, session).filter(|_| divided).map(|key| physical(&key)).transpose()?;
        let exec = EvaluateExec::new(Arc::clone(input), calls, schema, node.cost, blocks, self.stop.clone(), pass);
        Ok(Some(Arc::new(exec.divided_by(key))))
    }
}

/// What the node does, for watchers: its calls, and how many rows it has where its input knows.
fn pass(calls: &[PhysicalCall], node: &Evaluate, input: &Arc<dyn ExecutionPlan>) -> Arc<Pass> {
    let shown = calls.iter().map(|call| match &call.way {
        Way::Model { predictor, .. } => format!("{} by {}", call.shown, predictor.label()),
        _ => call.shown.clone(),
    });
    let rows = StatisticsContext::new().compute(input.as_ref(), &StatisticsArgs::new()).map(|s| s.num_rows);
    let of = match rows {
        Ok(Precision::Exact(rows)) => Some(rows as u64),
        _ => None,
    };
    let environment = node.calls.iter().find_map(|call| udf(&call.expr)).map(|udf| udf.environment().clone());
    Pass::new(shown.collect::<Vec<_>>().join(", "), of, environment.unwrap_or_default())
}

/// Whether rows come in an order, which a limit above or a reader may need: they stay in one stream. The columns of the order may be
/// gone by now, so the physical plan does not tell.
fn ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Extension(_) => plan.inputs().iter().any(|input| ordered(input)),
        _ => false,
    }
}

/// The content of the crystal that all calls of the node are about; `None` where they are about several.
fn key(node: &Evaluate, session: &dyn Session) -> Option<Expr> {
    let mut crystals = node.calls.iter().map(|call| match &call.expr {
        Expr::ScalarFunction(call) => call.args.first(),
        _ => None,
    });
    let crystal = crystals.next()??;
    let hash = session.scalar_functions().get(CONTENT)?;
    crystals.all(|other| other == Some(crystal)).then(|| hash.call(vec![crystal.clone()]))
}

/// The function that hashes the content of a crystal.
const CONTENT: &str = "structure_hash";

/// Crystals of costly functions that are evaluated at a time.
const COSTLY_ROWS: usize = 512;
/// Rows whose crystals are relaxed before the first of them is passed on: few at first, because they may be enough for a limit.
const SURFACE_ROWS: [usize; 2] = [16, 256];

/// The parts of a call of a model: its function in a session, its crystal, its constants.
fn prediction(expr: &Expr) -> Option<(&CrystalUdf, &Expr, Vec<&ScalarValue>)> {
    let Expr::ScalarFunction(ScalarFunction { args, .. }) = expr else { return None };
    let udf = udf(expr).filter(|udf| udf.cost() == Cost::Model)?;
    let (crystal, rest) = args.split_first()?;
    Some((udf, crystal, rest.iter().map(constant).collect::<Option<_>>()?))
}

/// The function of ours that is called.
fn udf(expr: &Expr) -> Option<&CrystalUdf> {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<CrystalUdf>(),
        _ => None,
    }
}

/// That the energy model of a call is there, before anything is worked out for it.
fn energy_model_is_there(expr: &Expr, options: &HollanditeOptions) -> Result<()> {
    let (Expr::ScalarFunction(call), Some(udf)) = (expr, udf(expr)) else { return Ok(()) };
    let Some((function, named)) = model_of(call) else { return Ok(()) };
    let name = if named.is_empty() { &options.energy_model } else { &named };
    udf.environment().potential(name).map(drop).map_err(|e| plan_datafusion_err!("{function}: {e}"))
}

fn constant(argument: &Expr) -> Option<&ScalarValue> {
    match argument {
        Expr::Literal(constant, _) => Some(constant),
        _ => None,
    }
}
