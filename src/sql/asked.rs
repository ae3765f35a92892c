//! The models that a query uses.

use std::collections::BTreeSet;

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::prelude::DataFrame;

use super::cost::Cost;
use super::functions::{CrystalUdf, Kind};
use super::options::HollanditeOptions;
use super::session::Session;
use models::DEFAULT_MODEL;

/// The models that a query names, each with the function that calls it; an empty name stands for the session's default.
pub fn models_asked(query: &DataFrame) -> Vec<(String, String)> {
    let mut asked = Vec::new();
    let visited = query.logical_plan().apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                if let Expr::ScalarFunction(call) = e {
                    asked.extend(model_of(call));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    debug_assert!(visited.is_ok(), "nothing in the walk fails");
    asked.sort();
    asked.dedup();
    asked
}

impl Session {
    /// The names of the models that a query uses in this session, those of its options where the query names none.
    pub fn models_of(&self, query: &DataFrame) -> BTreeSet<String> {
        let config = self.context().copied_config();
        let options = HollanditeOptions::of(config.options());
        let named = |(function, name): (String, String)| match function.as_str() {
            _ if !name.is_empty() => name,
            "predict_ef" | "predict" if options.model.is_empty() => DEFAULT_MODEL.to_owned(),
            "predict_ef" | "predict" => options.model.clone(),
            _ => options.energy_model.clone(),
        };
        models_asked(query).into_iter().map(named).collect()
    }
}

/// The model in a call of a function that takes one.
pub(super) fn model_of(call: &ScalarFunction) -> Option<(String, String)> {
    let function = call.func.inner().downcast_ref::<CrystalUdf>()?.function();
    let text = |i: usize| match call.args.get(i) {
        Some(Expr::Literal(value, _)) => value.try_as_str().flatten(),
        _ => None,
    };
    let name = match function.parameters.iter().position(|parameter| parameter.kind == Kind::Model) {
        // A column of names is known only row by row.
        Some(i) if call.args.get(i).is_some_and(|name| !matches!(name, Expr::Literal(..))) => return None,
        Some(i) => text(i).unwrap_or_default(),
        // With a crystal in front, and so an ion, it runs the whole loop by the session's model; with energies it is arithmetic.
        None if function.kernel.cost() >= Cost::Model && text(1).is_some() => "",
        None => return None,
    };
    Some((function.name.to_string(), name.to_string()))
}

/// Whether a call, over the columns of `schemas`, walks along an energy surface: seconds to minutes for a row.
pub fn relaxes(call: &ScalarFunction, schemas: &[&DFSchema]) -> bool {
    let Some(udf) = call.func.inner().downcast_ref::<CrystalUdf>() else { return false };
    // `adsorption_potential` of four energies is arithmetic.
    let known = |argument: &Expr| schemas.iter().find_map(|schema| argument.get_type(*schema).ok());
    let of_energies = || call.args.len() == 4 && call.args.iter().all(|a| known(a).is_some_and(|t| t.is_numeric()));
    udf.function().kernel.cost() >= Cost::Surface && !of_energies()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn models_are_found_wherever_they_are_asked() {
        let session = Session::without_store();
        let query = "SELECT predict_ef(s) FROM (SELECT 'x' AS s) WHERE predict(s, 'megnet')['upper'] < 0 AND natoms(s) > 1 ORDER BY predict_ef(s)";
        let asked = models_asked(&session.sql(query).await.unwrap());
        assert_eq!(asked, [("predict".to_string(), "megnet".to_string()), ("predict_ef".to_string(), String::new())]);
        let named = session.models_of(&session.sql(query).await.unwrap());
        assert_eq!(named.into_iter().collect::<Vec<_>>(), [DEFAULT_MODEL, "megnet"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_relaxes_is_not_taken_for_arithmetic() {
        let session = Session::without_store();
        let first = async |query: &str| {
            let plan = session.sql(query).await.unwrap().logical_plan().clone();
            let Expr::ScalarFunction(call) = plan.expressions()[0].clone().unalias() else { panic!("no call: {plan}") };
            relaxes(&call, &plan.inputs().iter().map(|input| input.schema().as_ref()).collect::<Vec<_>>())
        };
        assert!(first("SELECT relax(s) FROM (SELECT 'x' AS s)").await);
        assert!(first("SELECT adsorption_potential(s, 'Li') FROM (SELECT 'x' AS s)").await);
        assert!(!first("SELECT adsorption_potential(a, 1, 2, 3) FROM (SELECT 1.5 AS a)").await);
        assert!(!first("SELECT predict_ef(s) FROM (SELECT 'x' AS s)").await);
    }
}
