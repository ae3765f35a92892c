//! `TABLESAMPLE`: some rows of a table or subquery, by chance.
//!
//! ```sql
//! SELECT count(*) FROM tmo TABLESAMPLE (1 PERCENT)             -- each row with a chance of 1 in 100
//! SELECT * FROM tmo TABLESAMPLE SYSTEM (10) REPEATABLE (7)     -- the same rows each time
//! SELECT * FROM tmo TABLESAMPLE (100 ROWS)                     -- so many rows, all equally likely
//! ```
//! BERNOULLI and SYSTEM are one: rows are chosen one by one. A seed ranks rows by a hash of their content (of id and
//! structure_hash, where both are there), so that neither the order of files nor the number of cores matters.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::{QualityRandomState, create_hashes};
use datafusion::common::{Column, Result, ScalarValue, plan_err};
use datafusion::functions::math::random;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, TableFactor, TableSample, TableSampleKind, TableSampleUnit, Value,
};

/// Plans relations with a sample.
#[derive(Debug)]
pub(super) struct SamplePlanner;

impl RelationPlanner for SamplePlanner {
    fn plan_relation(
        &self,
        mut relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let sample = match &mut relation {
            TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. } => sample.take(),
            _ => None,
        };
        let sample = match sample {
            None => return Ok(RelationPlanning::Original(Box::new(relation))),
            Some(TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) => sample,
        };
        let share = Share::of(&sample)?;
        let input = context.plan(relation)?;
        let plan = sampled(input, share, seed(&sample)?)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

/// How much of a relation is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Share {
    /// Each row with this chance.
    Chance(f64),
    /// So many rows.
    Rows(usize),
}

impl Share {
    fn of(sample: &TableSample) -> Result<Self> {
        let text = sample.to_string();
        let text = text.trim();
        let expected = "expected TABLESAMPLE [BERNOULLI | SYSTEM] (N PERCENT) or (N ROWS), [REPEATABLE (SEED)]";
        let quantity = match &sample.quantity {
            Some(quantity) if sample.bucket.is_none() && sample.offset.is_none() => quantity,
            _ => return plan_err!("'{text}' is not a supported sample; {expected}"),
        };
        let number = match &quantity.value {
            SqlExpr::Value(value) => match &value.value {
                Value::Number(number, _) => number.parse::<f64>().ok(),
                _ => None,
            },
            _ => None,
        };
        match (number, &quantity.unit) {
            (Some(n), Some(TableSampleUnit::Rows)) if n.fract() == 0.0 && n < 1e15 => Ok(Self::Rows(n as usize)),
            (Some(p), None | Some(TableSampleUnit::Percent)) if p <= 100.0 => Ok(Self::Chance(p / 100.0)),
            (Some(p), None | Some(TableSampleUnit::Percent)) => {
                plan_err!("'{text}': {p} percent is more than all rows; expected 0 to 100")
            }
            _ => plan_err!("'{text}': {} is not a number of rows or percent; {expected}", quantity.value),
        }
    }
}

/// The seed of a sample that can be taken again.
fn seed(sample: &TableSample) -> Result<Option<u64>> {
    let Some(seed) = &sample.seed else { return Ok(None) };
    match &seed.value.value {
        Value::Number(number, _) => match number.parse() {
            Ok(seed) => Ok(Some(seed)),
            Err(_) => plan_err!("the seed of '{sample}' is {number}, expected a whole number from 0"),
        },
        other => plan_err!("the seed of '{sample}' is {other}, expected a whole number from 0"),
    }
}

fn sampled(input: LogicalPlan, share: Share, seed: Option<u64>) -> Result<LogicalPlan> {
    let rank = match seed {
        Some(seed) => ranked(&input, seed),
        None => Expr::ScalarFunction(ScalarFunction::new_udf(random(), vec![])),
    };
    let input = LogicalPlanBuilder::from(input);
    match share {
        Share::Chance(chance) => input.filter(rank.lt(lit(chance)))?.build(),
        Share::Rows(n) => input.sort([rank.sort(true, false)])?.limit(0, Some(n))?.build(),
    }
}

/// The rank of each row under a seed.
fn ranked(input: &LogicalPlan, seed: u64) -> Expr {
    let columns = input.schema().columns();
    let named = |name: &str| columns.iter().find(|c| c.name == name).cloned();
    let key: Vec<Column> = match (named("id"), named("structure_hash")) {
        (Some(id), Some(hash)) => vec![id, hash],
        _ => columns,
    };
    let seed = Expr::Literal(ScalarValue::UInt64(Some(seed)), None);
    let arguments = std::iter::once(seed).chain(key.into_iter().map(Expr::Column)).collect();
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(Rank::new())), arguments))
}

/// A number in [0, 1) that follows from a seed and the content of a row: `sample_rank(seed, column, ..)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Rank(Signature);

impl Rank {
    fn new() -> Self {
        Self(Signature::variadic_any(Volatility::Immutable))
    }
}

impl ScalarUDFImpl for Rank {
    fn name(&self) -> &str {
        "sample_rank"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let seed = match args.args.first() {
            Some(ColumnarValue::Scalar(ScalarValue::UInt64(Some(seed)))) => *seed,
            _ => 0,
        };
        let columns =
            args.args[1..].iter().map(|column| column.to_array(args.number_rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let mut hashes = vec![0; args.number_rows];
        create_hashes(&columns, &QualityRandomState::with_seed(seed), &mut hashes)?;
        // 53 bits are what a double holds.
        let ranks = hashes.iter().map(|hash| (hash >> 11) as f64 / (1_u64 << 53) as f64);
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from_iter_values(ranks))))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use crate::Session;

    /// The numbers that a query over the table `t` of 0 to 9999 answers.
    async fn numbers(query: &str) -> Result<Vec<i64>, String> {
        let session = Session::without_store();
        session.sql("CREATE TABLE t AS SELECT value AS n FROM generate_series(0, 9999)").await.unwrap();
        let batches = session.sql(query).await.map_err(|e| e.to_string())?.collect().await.unwrap();
        Ok(batches.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec()).collect())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_share_of_the_rows_is_taken() {
        for sample in ["(10 PERCENT)", "BERNOULLI (10)", "SYSTEM (10 PERCENT)", "(10) REPEATABLE (3)"] {
            let n = numbers(&format!("SELECT n FROM t TABLESAMPLE {sample}")).await.unwrap().len();
            // Six standard deviations of a binomial distribution: 30 each.
            assert!((820..1180).contains(&n), "{sample}: {n}");
        }
        assert_eq!(numbers("SELECT count(*) FROM t TABLESAMPLE (100 PERCENT)").await.unwrap(), [10_000]);
        assert_eq!(numbers("SELECT count(*) FROM t TABLESAMPLE (0 PERCENT)").await.unwrap(), [0]);
        assert_eq!(numbers("SELECT count(DISTINCT n) FROM t TABLESAMPLE (25 ROWS)").await.unwrap(), [25]);
        let sub = "SELECT count(*) FROM (SELECT n FROM t WHERE n < 100) AS s TABLESAMPLE (10 ROWS) WHERE s.n >= 100";
        assert_eq!(numbers(sub).await.unwrap(), [0]);
        let two = numbers("SELECT n FROM t TABLESAMPLE (40 ROWS)").await.unwrap();
        assert_ne!(two, numbers("SELECT n FROM t TABLESAMPLE (40 ROWS)").await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_seed_gives_the_same_rows_in_any_order() {
        let of = |seed: u32| format!("SELECT n FROM t TABLESAMPLE (5 PERCENT) REPEATABLE ({seed}) ORDER BY n");
        let first = numbers(&of(7)).await.unwrap();
        let turned =
            "SELECT n FROM (SELECT n FROM t ORDER BY n DESC) TABLESAMPLE (5 PERCENT) REPEATABLE (7) ORDER BY n";
        assert_eq!(numbers(turned).await.unwrap(), first);
        assert_ne!(numbers(&of(8)).await.unwrap(), first);
        let rows = "SELECT n FROM t TABLESAMPLE (40 ROWS) REPEATABLE (7) ORDER BY n";
        assert_eq!(numbers(rows).await.unwrap(), numbers(rows).await.unwrap());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_no_sample_is_refused_by_name() {
        for (sample, said) in [
            ("(101 PERCENT)", "101 percent is more than all rows"),
            ("(BUCKET 1 OUT OF 4)", "BUCKET 1 OUT OF 4"),
            ("(2.5 ROWS)", "2.5 is not a number of rows"),
            ("('x' PERCENT)", "'x' is not a number"),
            ("(1) REPEATABLE (1.5)", "expected a whole number"),
        ] {
            let message = numbers(&format!("SELECT n FROM t TABLESAMPLE {sample}")).await.unwrap_err();
            assert!(message.contains(said), "{sample}: {message}");
        }
    }
}
