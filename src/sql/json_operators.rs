//! `->` and `->>` on JSON text: `json_get` and `json_as_text`.
//!
//! The parser gives these operators a lower rank than comparisons and arithmetic have, so that `extra->>'gap' > 1` comes as
//! `extra ->> ('gap' > 1)`. A key is a name or a place and never a comparison: what stands to the right of the key is taken to be
//! meant for the member.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Between, Cast, InList, Like, ScalarFunction, TryCast};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Plans both operators.
pub(super) struct JsonOperators {
    get: Arc<ScalarUDF>,
    as_text: Arc<ScalarUDF>,
}

impl JsonOperators {
    /// With the functions of a session, among which are those that the operators stand for.
    pub fn new(functions: &[Arc<ScalarUDF>]) -> Option<Self> {
        let named = |name: &str| functions.iter().find(|f| f.name() == name).cloned();
        Some(Self { get: named("json_get")?, as_text: named("json_as_text")? })
    }
}

impl fmt::Debug for JsonOperators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonOperators")
    }
}

impl ExprPlanner for JsonOperators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let (function, sign) = match expr.op {
            BinaryOperator::Arrow => (&self.get, "->"),
            BinaryOperator::LongArrow => (&self.as_text, "->>"),
            _ => return Ok(PlannerResult::Original(expr)),
        };
        Ok(PlannerResult::Planned(member(expr.left, expr.right, &|json, key| {
            let name = format!("{}{sign}{}", short(&json), short(&key));
            Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), vec![json, key])).alias(name)
        })))
    }
}

/// A document or a key as a heading shows it.
fn short(expr: &Expr) -> String {
    match expr {
        Expr::Column(column) => column.name.clone(),
        Expr::Alias(alias) => alias.name.clone(),
        Expr::Literal(value, _) => match value.try_as_str() {
            Some(Some(text)) => format!("'{text}'"),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// The member of `left` that the key at the head of `right` names, and what the rest of `right` makes of it.
fn member(left: Expr, right: Expr, of: &dyn Fn(Expr, Expr) -> Expr) -> Expr {
    let inside = |left: Expr, key: Box<Expr>| Box::new(member(left, *key, of));
    match (left, right) {
        // `a->>'x' = b->>'y'`: the document is what the comparison ends with.
        (Expr::BinaryExpr(BinaryExpr { left, op, right: document }), key) if compares(op) => {
            Expr::BinaryExpr(BinaryExpr::new(left, op, inside(*document, Box::new(key))))
        }
        (left, Expr::BinaryExpr(BinaryExpr { left: key, op, right })) if takes_member(op) => {
            Expr::BinaryExpr(BinaryExpr::new(inside(left, key), op, right))
        }
        (left, Expr::Cast(cast)) => Expr::Cast(Cast { expr: inside(left, cast.expr), ..cast }),
        (left, Expr::TryCast(cast)) => Expr::TryCast(TryCast { expr: inside(left, cast.expr), ..cast }),
        (left, Expr::IsNull(key)) => Expr::IsNull(inside(left, key)),
        (left, Expr::IsNotNull(key)) => Expr::IsNotNull(inside(left, key)),
        (left, Expr::Like(like)) => Expr::Like(Like { expr: inside(left, like.expr), ..like }),
        (left, Expr::Between(between)) => Expr::Between(Between { expr: inside(left, between.expr), ..between }),
        (left, Expr::InList(list)) => Expr::InList(InList { expr: inside(left, list.expr), ..list }),
        (json, key) => of(json, key),
    }
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, RegexMatch, RegexNotMatch};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom | RegexMatch | RegexNotMatch)
}

/// Operators that bind more closely than `->` in the parser.
fn takes_member(op: Operator) -> bool {
    use Operator::{Divide, Minus, Modulo, Multiply, Plus, StringConcat};
    compares(op) || matches!(op, Plus | Minus | Multiply | Divide | Modulo | StringConcat)
}

#[cfg(test)]
mod tests {
    use arrow::util::pretty::pretty_format_batches;

    use crate::Session;

    const DOCUMENT: &str = r#"{"name": "MnO2", "gap": 1.5, "n": 2, "whole": 3.0, "ok": true, "none": null, "list": [1, {"a": "x"}], "a b": {"c": 7}}"#;

    /// The one value of an expression over the document `d` (and `e`, the same).
    async fn value(expression: &str) -> String {
        let session = Session::without_store();
        let query = format!("SELECT {expression} AS v FROM (SELECT '{DOCUMENT}' AS d, '{DOCUMENT}' AS e)");
        let batches =
            session.sql(&query).await.unwrap_or_else(|e| panic!("{expression}: {e}")).collect().await.unwrap();
        let table = pretty_format_batches(&batches).unwrap().to_string();
        let cell = table.lines().nth(3).unwrap().trim_matches('|').trim().to_owned();
        assert!(session.warnings().is_empty(), "{expression}");
        cell
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn members_by_function_and_by_operator() {
        for (expression, expected) in [
            ("d->>'name'", "MnO2"),
            ("d->'name'", "\"MnO2\""),
            ("d->'list'->1->>'a'", "x"),
            ("d->'list'->-2", "1"),
            ("d->>'list'", "[1,{\"a\":\"x\"}]"),
            ("d->>'none'", ""),
            ("d->'none'", "null"),
            ("d->>'nothing'", ""),
            ("json_get_float(d, 'gap')", "1.5"),
            ("json_get_float(d, 'n')", "2.0"),
            ("json_get_float(d, 'name')", ""),
            ("json_get_int(d, 'whole')", "3"),
            ("json_get_int(d, 'gap')", ""),
            ("json_get_int(d, 'a b', 'c')", "7"),
            ("json_get_str(d, 'list', 1, 'a')", "x"),
            ("json_get_str(d, 'gap')", ""),
            ("json_get_bool(d, 'ok')", "true"),
            ("json_contains(d, 'none')", "true"),
            ("json_contains(d, 'nothing')", "false"),
            ("array_length(json_object_keys(d))", "8"),
            ("json_get_float(NULL, 'gap')", ""),
            ("json_get_float(d, NULL)", ""),
        ] {
            assert_eq!(value(expression).await, expected, "{expression}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_follows_a_key_is_about_the_member() {
        for (expression, expected) in [
            ("d->>'name' = 'MnO2'", "true"),
            ("d->>'name' = e->>'name' AND d->>'n' <> e->>'gap'", "true"),
            ("'MnO2' = d->>'name'", "true"),
            ("d->>'gap'::double + 1", "2.5"),
            ("(d->>'gap')::double * 2 > 2.5", "true"),
            ("d->>'name' LIKE 'Mn%'", "true"),
            ("d->>'nothing' IS NULL", "true"),
            ("d->>'name' IN ('a', 'MnO2')", "true"),
            ("d->>'n' BETWEEN '1' AND '3'", "true"),
            ("d->>'name' || '!'", "MnO2!"),
        ] {
            assert_eq!(value(expression).await, expected, "{expression}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_text_that_is_no_json_is_null_with_a_reason() {
        let session = Session::without_store();
        let batches = session.sql("SELECT json_get_float('{', 'a') AS v").await.unwrap().collect().await.unwrap();
        assert_eq!(batches[0].column(0).null_count(), 1);
        let warnings = session.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains("not JSON"), "{warnings:?}");
        let headed = session.sql("SELECT d->>'a' FROM (SELECT '{}' AS d)").await.unwrap();
        assert_eq!(headed.schema().field(0).name(), "d->>'a'");
    }
}
