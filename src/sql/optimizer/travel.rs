//! A node in parts, to be made again in another process: what goes as text, and its expressions beside it. Functions and models are
//! named there, and found in the session of that process.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::{Result, internal_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use super::Cost;
use super::call::{PhysicalCall, Way};
use super::exec::EvaluateExec;
use crate::Session;
use crate::feature::Feature;
use crate::functions::CrystalUdf;
use crate::options::HollanditeOptions;
use crate::pass::Pass;
use crate::predictor::Predictor;
use crate::reuse::Reuse;
use crystal::stop::Stop;

/// What there is to say of an [`EvaluateExec`] besides its expressions.
#[derive(Debug, Serialize, Deserialize)]
pub struct Carried {
    calls: Vec<CarriedCall>,
    cost: Cost,
    blocks: [usize; 2],
    divided: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct CarriedCall {
    name: String,
    shown: String,
    way: CarriedWay,
    last: bool,
    guarded: bool,
}

#[derive(Debug, Serialize, Deserialize)]
enum CarriedWay {
    Model { function: String, name: String, id: String, coverage: Option<f64> },
    Function,
    Reused { featurizer: String },
}

impl EvaluateExec {
    /// The node in parts; its expressions are in the order of [`Carried::into_exec`].
    pub fn carried(&self) -> (Carried, Vec<&Arc<dyn PhysicalExpr>>) {
        let call = |call: &PhysicalCall| CarriedCall {
            name: call.name.clone(),
            shown: call.shown.clone(),
            way: match &call.way {
                Way::Model { predictor, .. } => {
                    let (function, name, id, coverage) = predictor.asked();
                    CarriedWay::Model { function: function.into(), name: name.into(), id: id.into(), coverage }
                }
                Way::Function(_) => CarriedWay::Function,
                Way::Reused { reuse, .. } => CarriedWay::Reused { featurizer: reuse.featurizer().to_owned() },
            },
            last: call.last,
            guarded: call.needed.is_some(),
        };
        let calls = self.calls().iter().map(call).collect();
        let carried = Carried { calls, cost: self.cost(), blocks: self.blocks(), divided: self.key().is_some() };
        (carried, self.exprs().collect())
    }
}

impl Carried {
    /// The node over `input` in `session`, with the options of its query. `schema`: that of its rows.
    ///
    /// # Errors
    /// A function or model that the session does not have, or a model of other weights.
    pub fn into_exec(
        self,
        input: Arc<dyn ExecutionPlan>,
        exprs: Vec<Arc<dyn PhysicalExpr>>,
        schema: SchemaRef,
        session: &Session,
        options: &HollanditeOptions,
    ) -> Result<EvaluateExec> {
        let mut exprs = exprs.into_iter();
        let mut next = || exprs.next().ok_or_else(|| internal_datafusion_err!("a call lost an expression on its way"));
        let mut calls = Vec::with_capacity(self.calls.len());
        for CarriedCall { name, shown, way, last, guarded } in self.calls {
            let main = next()?;
            let way = match way {
                CarriedWay::Model { function, name, id, coverage } => Way::Model {
                    structure: main,
                    predictor: predictor(session, &function, name, &id, coverage, options)?,
                },
                CarriedWay::Function => Way::Function(main),
                CarriedWay::Reused { featurizer } => {
                    let crystal = next()?;
                    match reuse(session, &featurizer)? {
                        Some(reuse) => Way::Reused { crystal, call: main, reuse },
                        None => Way::Function(main),
                    }
                }
            };
            let needed = if guarded { Some(next()?) } else { None };
            calls.push(PhysicalCall { name, shown, way, last, needed });
        }
        let key = if self.divided { Some(next()?) } else { None };
        let shown = calls.iter().map(|call| call.shown.as_str()).collect::<Vec<_>>().join(", ");
        let pass = Pass::new(shown, None, session.environment().clone());
        Ok(EvaluateExec::new(input, calls, schema, self.cost, self.blocks, Stop::new(), pass).divided_by(key))
    }
}

fn predictor(
    session: &Session,
    function: &str,
    name: String,
    id: &str,
    coverage: Option<f64>,
    options: &HollanditeOptions,
) -> Result<Predictor> {
    let found = session.context().state().scalar_functions().get(function).cloned();
    let found = found.ok_or_else(|| plan_datafusion_err!("there is no function {function} here"))?;
    let Some(udf) = found.inner().downcast_ref::<CrystalUdf>() else {
        return plan_err!("{function} is another function here");
    };
    let predictor = Predictor::of_model(udf.function(), name, coverage, session.environment(), options.clone())?;
    let (_, name, here, _) = predictor.asked();
    if here != id {
        return plan_err!("model '{name}' has the hash {here:.8} here and {id:.8} where the query was planned");
    }
    Ok(predictor)
}

/// Materialised values, where the session has them: without them the values are computed, and are the same.
fn reuse(session: &Session, featurizer: &str) -> Result<Option<Reuse>> {
    let known: Vec<_> = session.context().state().scalar_functions().values().cloned().collect();
    let feature = featurizer.rsplit_once('/').map_or(featurizer, |(feature, _)| feature);
    let features = Feature::parse_all(feature, &known)?;
    Ok(features.first().filter(|feature| feature.id() == featurizer).and_then(Reuse::of_feature))
}
