//! What one row of an expression costs.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;

use crate::cost::Cost;
use crate::functions::CrystalUdf;

impl Cost {
    /// Cost of the costliest function in `expr`.
    pub fn of(expr: &Expr) -> Self {
        let mut most = Self::Cheap;
        // The closure never fails.
        let _ = expr.apply(|e| {
            if let Expr::ScalarFunction(call) = e {
                most = most.max(Self::of_function(call));
            }
            Ok(TreeNodeRecursion::Continue)
        });
        most
    }

    fn of_function(call: &ScalarFunction) -> Self {
        call.func.inner().downcast_ref::<CrystalUdf>().map_or(Self::Cheap, CrystalUdf::cost)
    }
}

/// Whether `expr` holds a call that can be lifted.
pub(super) fn has_calls(expr: &Expr) -> bool {
    !calls(expr).is_empty()
}

/// The distinct outermost calls of `expr` that can be lifted, in order.
///
/// A call whose arguments refer to an outer query, or change from one evaluation to the next, stays where it is.
pub(super) fn calls(expr: &Expr) -> Vec<Expr> {
    let mut found: Vec<Expr> = Vec::new();
    // The closure never fails.
    let _ = expr.apply(|e| {
        if !is_call(e) {
            return Ok(TreeNodeRecursion::Continue);
        }
        if !found.contains(e) {
            found.push(e.clone());
        }
        Ok(TreeNodeRecursion::Jump)
    });
    found
}

/// Whether `expr` itself is a call that can be lifted.
pub(super) fn is_call(expr: &Expr) -> bool {
    match expr {
        Expr::ScalarFunction(call) => {
            Cost::of_function(call).is_lifted() && !expr.contains_outer() && !expr.is_volatile()
        }
        _ => false,
    }
}
