//! What a plan may hold. It is looked at after planning and before anything of it runs: kinds of nodes that are known to read, tables
//! of the store, and functions that neither open files nor make values of any length.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue, TableReference};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    BinaryExpr, Cast, Expr, ExprSchemable, Filter, Like, LogicalPlan, Operator, TableScan, TryCast,
};
use datafusion::prelude::DataFrame;
use sql::relaxes;

use super::{Allowed, ONLY_READS};
use crate::error::{Kind, Refusal};

/// Schemas whose tables are shown.
const SCHEMAS: [&str; 2] = ["main", "information_schema"];

/// Functions that make tables of their arguments alone, or of tables of the store.
const TABLES: [&str; 6] =
    ["generate_series", "range", "most_similar", "migration_paths", "generate", "predict_structure"];

/// Functions that make one value as long as a number says: no memory pool counts it. The last two are served as tables.
const LONG: [&str; 10] = [
    "repeat",
    "lpad",
    "rpad",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "space",
    "range",
    "generate_series",
];

/// Functions that show the files of a table.
const OF_FILES: [&str; 2] = ["input_file_name", "file_row_index"];

/// Functions that take as long as the lengths of two texts multiplied say, and cannot be stopped.
const SLOW: [&str; 1] = ["levenshtein"];

/// Functions whose second argument is a regular expression: each of them takes up to 10 MB, and all of a batch are kept.
const PATTERNS: [&str; 5] = ["regexp_like", "regexp_count", "regexp_instr", "regexp_match", "regexp_replace"];

/// Aggregates that gather values of all rows: over a window each row would have them all.
const GATHER: [&str; 4] = ["array_agg", "string_agg", "phase_diagram", "voltage_profile"];

/// Functions whose last argument spells a type.
const CASTS: [&str; 2] = ["arrow_cast", "arrow_try_cast"];

/// Most parts of a value whose type says how many there are.
const WIDEST: i64 = 10_000;

/// # Errors
/// Anything in a plan that is not known to be harmless.
pub(super) fn check(query: &DataFrame, allowed: Allowed) -> Result<(), Refusal> {
    let mut refused = None;
    let walked = query.logical_plan().apply_with_subqueries(|node| {
        if shows_own_option(node) {
            return Ok(TreeNodeRecursion::Jump);
        }
        refused = node_refused(node, allowed);
        if refused.is_none() {
            let mut schemas: Vec<&DFSchema> = node.inputs().into_iter().map(|input| input.schema().as_ref()).collect();
            schemas.push(node.schema());
            node.apply_expressions(|expr| {
                expr.apply(|e| {
                    refused = refused.take().or_else(|| call_refused(e, &schemas, allowed));
                    Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
                })
            })?;
        }
        Ok(if refused.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match (refused, walked) {
        (Some(message), _) => Err(Refusal::forbidden(message)),
        (None, Ok(_)) => Ok(()),
        (None, Err(_)) => Err(Refusal::new(Kind::Fault, "the plan cannot be checked")),
    }
}

/// The table of all settings, the folder of temporary files among them.
const SETTINGS: &str = "df_settings";

/// The table of the texts of views, which name files where their author did.
const DEFINITIONS: &str = "views";

/// Whether a node looks one of our options up in [`SETTINGS`], as `SHOW hollandite.model` does.
fn shows_own_option(node: &LogicalPlan) -> bool {
    let LogicalPlan::Filter(Filter { predicate, input, .. }) = node else { return false };
    let of_settings = matches!(input.as_ref(), LogicalPlan::TableScan(scan) if scan.table_name.table() == SETTINGS);
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = predicate else { return false };
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(value, _)) => {
            let ours = value.try_as_str().flatten().is_some_and(|name| name.starts_with("hollandite."));
            of_settings && column.name == "name" && ours
        }
        _ => false,
    }
}

/// Why a node is not known to only read.
fn node_refused(node: &LogicalPlan, allowed: Allowed) -> Option<String> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_) => None,
        LogicalPlan::TableScan(scan) => table_refused(scan, allowed),
        // What plans of queries have no need of, and what changes something.
        LogicalPlan::Extension(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_) => Some(ONLY_READS.into()),
    }
}

fn table_refused(scan: &TableScan, allowed: Allowed) -> Option<String> {
    let reads_files = source_as_provider(&scan.source).map(|table| table.downcast_ref::<ListingTable>().is_some());
    if reads_files.unwrap_or(true) {
        return Some(format!("{} is no table of the store", scan.table_name.table()));
    }
    if scan.table_name.table() == SETTINGS {
        return Some(
            "settings tell of folders of the host, and are not served; SHOW hollandite.model and its like are".into(),
        );
    }
    if scan.table_name.table() == DEFINITIONS && scan.table_name.schema() == Some(SCHEMAS[1]) {
        return Some(
            "the text of a view may name files of the host, and is not served; DESCRIBE tells its columns".into(),
        );
    }
    let function = scan.table_name.table().trim_end_matches("()");
    if function == "migration_paths" && !allowed.relax {
        return Some(costly(function));
    }
    match &scan.table_name {
        TableReference::Bare { table } => match table.strip_suffix("()") {
            Some(function) if !TABLES.contains(&function) => {
                Some(format!("{function} makes no table that this server gives"))
            }
            _ => None,
        },
        TableReference::Partial { schema, .. } | TableReference::Full { schema, .. } => {
            let known = SCHEMAS.contains(&schema.as_ref());
            (!known).then(|| format!("{} is no table of the store", scan.table_name.table()))
        }
    }
}

fn call_refused(expr: &Expr, schemas: &[&DFSchema], allowed: Allowed) -> Option<String> {
    let call = match expr {
        Expr::ScalarFunction(call) => call,
        Expr::AggregateFunction(call) => return aggregate_refused(call),
        Expr::WindowFunction(call) if GATHER.contains(&call.fun.name()) => {
            return Some(format!(
                "{} OVER gives all values to every row, and is not served: GROUP BY gives them once",
                call.fun.name()
            ));
        }
        Expr::BinaryExpr(BinaryExpr {
            op:
                Operator::RegexMatch
                | Operator::RegexIMatch
                | Operator::RegexNotMatch
                | Operator::RegexNotIMatch
                | Operator::LikeMatch
                | Operator::ILikeMatch
                | Operator::NotLikeMatch
                | Operator::NotILikeMatch,
            right,
            ..
        }) => return pattern_refused(right),
        Expr::Like(Like { pattern, .. }) | Expr::SimilarTo(Like { pattern, .. }) => return pattern_refused(pattern),
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) => {
            return type_refused(field.data_type());
        }
        _ => return None,
    };
    if LONG.contains(&call.name()) {
        return Some(format!("{} makes values of any length, and is not served", call.name()));
    }
    if SLOW.contains(&call.name()) {
        return Some(format!("{} takes any time, and is not served", call.name()));
    }
    if OF_FILES.contains(&call.name()) {
        return Some(format!("{} tells of files of the host, and is not served", call.name()));
    }
    if PATTERNS.contains(&call.name())
        && let Some(refused) = call.args.get(1).and_then(pattern_refused)
    {
        return Some(refused);
    }
    if CASTS.contains(&call.name()) {
        let kind = schemas.iter().find_map(|schema| expr.get_type(*schema).ok());
        return kind.and_then(|kind| type_refused(&kind));
    }
    (!allowed.relax && relaxes(call, schemas)).then(|| costly(call.name()))
}

/// Why there are no regular expressions, and no patterns of LIKE, that are another in each row: each is compiled, and that cannot be
/// stopped.
fn pattern_refused(pattern: &Expr) -> Option<String> {
    let of_row = |part: &Expr| matches!(part, Expr::Column(_) | Expr::OuterReferenceColumn(..));
    let varies = pattern.is_volatile() || pattern.exists(|part| Ok(of_row(part))).unwrap_or(true);
    varies.then(|| "a pattern of LIKE, and a regular expression, is a constant here, and no column".into())
}

/// An approximation of quantiles makes room for as many centroids as a number says, before any row is there.
fn aggregate_refused(call: &AggregateFunction) -> Option<String> {
    let many = |argument: &Expr| match argument {
        Expr::Literal(number, _) => {
            number.cast_to(&DataType::Float64).is_ok_and(|n| n > ScalarValue::from(WIDEST as f64))
        }
        // What is computed of constants alone is one too when it runs, and a column never.
        other => other.column_refs().is_empty(),
    };
    let approximate = call.func.name().starts_with("approx_percentile") || call.func.name() == "approx_median";
    (approximate && call.params.args.iter().any(many))
        .then(|| format!("{} takes plain numbers here, and at most {WIDEST} centroids", call.func.name()))
}

/// Why there are no values of a type: each of them would have as many parts as the type says.
fn type_refused(kind: &DataType) -> Option<String> {
    (parts(kind) > WIDEST).then(|| format!("values of more than {WIDEST} parts each are not served"))
}

/// Parts of a value, of NULL as well, as far as its type says.
fn parts(kind: &DataType) -> i64 {
    match kind {
        DataType::FixedSizeBinary(size) => i64::from(*size),
        DataType::FixedSizeList(item, size) => i64::from(*size).saturating_mul(parts(item.data_type())),
        DataType::Struct(fields) => fields.iter().map(|field| parts(field.data_type())).fold(0, i64::saturating_add),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::Map(item, _)
        | DataType::RunEndEncoded(_, item) => parts(item.data_type()),
        DataType::Dictionary(_, values) => parts(values),
        _ => 1,
    }
}

fn costly(function: &str) -> String {
    format!(
        "{function} relaxes crystals, seconds to minutes a row: the operator of this server allows it with --allow relax"
    )
}
