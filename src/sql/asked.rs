//! The models that a query asks.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::prelude::DataFrame;

use super::cost::Cost;
use super::functions::{CrystalUdf, Kind};

/// The models that a query names, each with the function that asks it; an empty name stands for the session's default.
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

/// The model in a call of one of the functions that ask one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;

    #[tokio::test(flavor = "multi_thread")]
    async fn models_are_found_wherever_they_are_asked() {
        let session = Session::without_store();
        let query = "SELECT predict_ef(s) FROM (SELECT 'x' AS s) WHERE predict(s, 'megnet')['upper'] < 0 AND natoms(s) > 1 ORDER BY predict_ef(s)";
        let asked = models_asked(&session.sql(query).await.unwrap());
        assert_eq!(asked, [("predict".to_string(), "megnet".to_string()), ("predict_ef".to_string(), String::new())]);
    }
}
