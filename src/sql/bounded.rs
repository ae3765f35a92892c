//! Bounds for what the engine's functions make, in a session that is served to others. No memory pool counts their values:
//! the pool knows what operators hold, and `replace('xx..', 'x', 'yy..')` is folded before there is an operator.
//!
//! Every function of the engine is wrapped by [`Bounded`], and the operator `||` becomes one of them. Folding and execution both go
//! through a function's one entrance, so that both are bounded there. Those of ours are not wrapped: what they make is as large as a
//! crystal. Constants are not made by calls alone, and [`LongConstants`] refuses those of which every row would have a copy.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::compute::concat;
use arrow::compute::kernels::concat_elements::concat_elements_dyn;
use arrow::datatypes::{DataType, Field, FieldRef, Int16Type, Int32Type, Int64Type, RunEndIndexType};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Documentation, Expr, ExpressionPlacement, LogicalPlan, Operator, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, StructFieldMapping, Volatility,
};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::error::cancelled;
use crate::functions::CrystalUdf;
use crystal::stop::Stop;

/// Most that a call makes of the rows that an operator gives it at a time, bytes.
const MADE: usize = 64 << 20;
/// Most that a call makes of constants, bytes: a plan holds it as often as it is named.
const FOLDED: usize = 256 << 10;
/// Longest constant of which each row has a copy, bytes: the rows that are computed at a time have [`MADE`] together.
const COPIED: usize = MADE / 8192;
/// The same where functions of a window take it: a window may be all rows.
const IN_WINDOW: usize = COPIED / 16;

/// Functions that the engine knows by their type: they take a part of their argument, and tell of files.
const KNOWN_BY_TYPE: [&str; 3] = ["get_field", "input_file_name", "file_row_index"];

/// Functions that may put one argument in the place of each letter or item of the first.
const MULTIPLY: [&str; 7] = [
    "replace",
    "regexp_replace",
    "regexp_match",
    "array_to_string",
    "array_replace",
    "array_replace_n",
    "array_replace_all",
];
/// Functions that make up to [`WIDER`] bytes of each.
const WIDEN: [&str; 3] = ["to_char", "string_to_array", "translate"];
const WIDER: usize = 16;
/// Functions that join their constants beside the one entrance.
const JOIN_CONSTANTS: [&str; 2] = ["concat", "concat_ws"];

/// The function as it is served, where that is another.
pub(super) fn bounded(function: &Arc<ScalarUDF>) -> Option<Arc<ScalarUDF>> {
    let inner = function.inner();
    let stays = inner.is::<Bounded>() || inner.is::<CrystalUdf>() || KNOWN_BY_TYPE.contains(&function.name());
    (!stays).then(|| Arc::new(ScalarUDF::new_from_impl(Bounded(Arc::clone(function)))))
}

/// Puts the bounded functions in the place of those that the engine's own planners call, of `[a, b]` and of `a || b` for example.
#[derive(Debug)]
pub(super) struct BoundedCalls;

impl FunctionRewrite for BoundedCalls {
    fn name(&self) -> &str {
        "bounded_calls"
    }

    fn rewrite(&self, expr: Expr, _: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        Ok(rewritten(expr))
    }
}

fn rewritten(expr: Expr) -> Transformed<Expr> {
    let call = |func, args| Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(func, args)));
    match expr {
        Expr::ScalarFunction(ScalarFunction { func, args }) => match bounded(&func) {
            Some(func) => call(func, args),
            None => Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args })),
        },
        // Of lists the planner has made calls already.
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            let function = Arc::new(ScalarUDF::new_from_impl(Concatenation::new()));
            call(Arc::new(ScalarUDF::new_from_impl(Bounded(function))), vec![*left, *right])
        }
        other => Transformed::no(other),
    }
}

/// A function of the engine that makes no more than [`MADE`], and of constants no more than [`FOLDED`]. In everything else it is that
/// function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded(Arc<ScalarUDF>);

impl Bounded {
    fn inner(&self) -> &dyn ScalarUDFImpl {
        self.0.inner().as_ref()
    }

    fn too_much(&self) -> DataFusionError {
        DataFusionError::ResourcesExhausted(format!(
            "{} makes too much: more than {} MB of the rows that are computed at a time, or {} KB of constants; shorten what it is given",
            self.name(),
            MADE >> 20,
            FOLDED >> 10
        ))
    }

    /// The call, made for so few rows at a time that by the lengths of its arguments none of the parts is too much.
    fn in_parts(&self, args: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (mut made, mut length) = (Vec::new(), 0);
        let mut rest = vec![(0, args.number_rows)];
        while let Some((from, rows)) = rest.pop() {
            if Stop::current().is_given() {
                return Err(cancelled());
            }
            let part = part(args, from, rows);
            if most(self.name(), &part)? > MADE {
                if rows < 2 {
                    return Err(self.too_much());
                }
                let half = rows / 2;
                rest.extend([(from + half, rows - half), (from, half)]);
                continue;
            }
            let values = self.inner().invoke_with_args(part)?.into_array(rows)?;
            length += bytes(values.as_ref());
            if length > MADE {
                return Err(self.too_much());
            }
            made.push(values);
        }
        let made: Vec<&dyn Array> = made.iter().map(|values| values.as_ref()).collect();
        Ok(ColumnarValue::Array(concat(&made)?))
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner().name()
    }

    fn aliases(&self) -> &[String] {
        self.inner().aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner().schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner().signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner().return_type(arg_types)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let updated = Arc::new(self.inner().with_updated_config(config)?);
        Some(ScalarUDF::new_from_impl(Self(updated)))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner().return_field_from_args(args)
    }

    fn is_strict(&self) -> bool {
        self.inner().is_strict()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = !args.args.is_empty() && !has_rows(&args);
        if most(self.name(), &args)? > MADE {
            return if constant { Err(self.too_much()) } else { self.in_parts(&args) };
        }
        let value = self.inner().invoke_with_args(args)?;
        let (length, longest) = match &value {
            ColumnarValue::Scalar(value) => (bytes(value.to_array()?.as_ref()), FOLDED),
            ColumnarValue::Array(values) if constant && values.len() < 2 => (bytes(values.as_ref()), FOLDED),
            ColumnarValue::Array(values) => (bytes(values.as_ref()), MADE),
        };
        if length > longest { Err(self.too_much()) } else { Ok(value) }
    }

    /// What the function makes of itself is bounded as well.
    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if JOIN_CONSTANTS.contains(&self.name()) {
            return Ok(ExprSimplifyResult::Original(args));
        }
        Ok(match self.inner().simplify(args, info)? {
            ExprSimplifyResult::Simplified(expr) => {
                ExprSimplifyResult::Simplified(expr.transform_up(|expr| Ok(rewritten(expr))).data()?)
            }
            original => original,
        })
    }

    fn preimage(&self, args: &[Expr], lit_expr: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.inner().preimage(args, lit_expr, info)
    }

    fn short_circuits(&self) -> bool {
        self.inner().short_circuits()
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner().conditional_arguments(args)
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> Result<Interval> {
        self.inner().evaluate_bounds(input)
    }

    fn propagate_constraints(&self, interval: &Interval, inputs: &[&Interval]) -> Result<Option<Vec<Interval>>> {
        self.inner().propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner().output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner().preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner().strictly_order_preserving(inputs)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner().coerce_types(arg_types)
    }

    fn struct_field_mapping(&self, literal_args: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner().struct_field_mapping(literal_args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner().documentation()
    }

    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner().placement(args)
    }
}

/// `a || b` of texts as a call: NULL where either is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Concatenation(Signature);

impl Concatenation {
    fn new() -> Self {
        Self(Signature::user_defined(Volatility::Immutable))
    }
}

impl ScalarUDFImpl for Concatenation {
    fn name(&self) -> &str {
        "||"
    }

    /// As of the operator: a column without a name of its own has the same.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let names: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
        Ok(names.join(" || "))
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = arg_types else { return plan_err!("|| stands between two values") };
        let (left, right) = BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_input_types()?;
        Ok(vec![left, right])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [left, right] = arg_types else { return plan_err!("|| stands between two values") };
        BinaryTypeCoercer::new(left, &Operator::StringConcat, right).get_result_type()
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [left, right] = arrays.as_slice() else { return plan_err!("|| stands between two values") };
        let joined = concat_elements_dyn(left.as_ref(), right.as_ref())?;
        match has_rows(&args) {
            true => Ok(ColumnarValue::Array(joined)),
            false => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?)),
        }
    }
}

/// Whether an argument is another in each row.
fn has_rows(args: &ScalarFunctionArgs) -> bool {
    args.args.iter().any(|arg| matches!(arg, ColumnarValue::Array(_)))
}

/// Some of the rows of a call.
fn part(args: &ScalarFunctionArgs, from: usize, rows: usize) -> ScalarFunctionArgs {
    let of = |value: &ColumnarValue| match value {
        ColumnarValue::Array(values) => ColumnarValue::Array(values.slice(from, rows)),
        constant @ ColumnarValue::Scalar(_) => constant.clone(),
    };
    ScalarFunctionArgs { args: args.args.iter().map(of).collect(), number_rows: rows, ..args.clone() }
}

/// No less than a call makes, or holds while it does, bytes. Most functions make each constant as long as their columns first.
fn most(function: &str, args: &ScalarFunctionArgs) -> Result<usize> {
    let rows = if has_rows(args) { args.number_rows } else { 1 };
    let (mut given, mut first, mut others) = (0_usize, 0, 0_usize);
    for (place, arg) in args.args.iter().enumerate() {
        let (one, all) = match arg {
            ColumnarValue::Array(values) => (bytes(values.as_ref()), bytes(values.as_ref())),
            ColumnarValue::Scalar(value) => {
                let one = bytes(value.to_array()?.as_ref());
                (one, one.saturating_mul(rows))
            }
        };
        given = given.saturating_add(all);
        match place {
            0 => first = all,
            _ => others = others.saturating_add(one),
        }
    }
    Ok(match function {
        // A pattern is in the place of a text: it names the whole of what was found as often as it has two letters.
        name if MULTIPLY.contains(&name) => {
            first.saturating_mul(others.saturating_mul(2).saturating_add(WIDER)).saturating_add(given)
        }
        name if WIDEN.contains(&name) => given.saturating_mul(WIDER),
        // The first stands between all others.
        "concat_ws" => first.saturating_mul(args.args.len()).saturating_add(given),
        _ => given.saturating_mul(2),
    })
}

/// Bytes of values, one at least for each: those that an array has a part in, and no more, where it shares them with others. Those that
/// its rows share are counted for each row: whatever makes plain texts and lists of them copies them.
pub(super) fn bytes(values: &dyn Array) -> usize {
    // The lower half of a view begins with the length.
    let views = |views: &[u128]| views.iter().map(|view| (*view & u128::from(u32::MAX)) as usize).sum::<usize>();
    let items = match values.data_type() {
        DataType::Utf8 => within(values.as_string::<i32>().value_offsets()).1,
        DataType::LargeUtf8 => within(values.as_string::<i64>().value_offsets()).1,
        DataType::Binary => within(values.as_binary::<i32>().value_offsets()).1,
        DataType::LargeBinary => within(values.as_binary::<i64>().value_offsets()).1,
        DataType::Utf8View => views(values.as_string_view().views()),
        DataType::BinaryView => views(values.as_binary_view().views()),
        DataType::FixedSizeBinary(size) => values.len() * usize::try_from(*size).unwrap_or(0),
        DataType::List(_) => {
            let lists = values.as_list::<i32>();
            let (from, length) = within(lists.value_offsets());
            bytes(lists.values().slice(from, length).as_ref())
        }
        DataType::LargeList(_) => {
            let lists = values.as_list::<i64>();
            let (from, length) = within(lists.value_offsets());
            bytes(lists.values().slice(from, length).as_ref())
        }
        DataType::ListView(_) => viewed::<i32>(values),
        DataType::LargeListView(_) => viewed::<i64>(values),
        DataType::Map(..) => {
            let maps = values.as_map();
            let (from, length) = within(maps.value_offsets());
            bytes(&maps.entries().slice(from, length))
        }
        DataType::FixedSizeList(..) => bytes(values.as_fixed_size_list().values().as_ref()),
        DataType::Struct(_) => values.as_struct().columns().iter().map(|column| bytes(column.as_ref())).sum(),
        DataType::Dictionary(..) => {
            let dictionary = values.as_any_dictionary();
            let words = dictionary.values();
            let keys = if words.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            let known = keys.into_iter().enumerate().filter(|(row, _)| values.is_valid(*row));
            of_rows(known.map(|(_, key)| words.slice(key, 1)))
        }
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(values),
            DataType::Int32 => runs::<Int32Type>(values),
            _ => runs::<Int64Type>(values),
        },
        other => values.len() * other.primitive_width().unwrap_or(0),
    };
    values.len() + items
}

fn of_rows(rows: impl Iterator<Item = ArrayRef>) -> usize {
    rows.map(|items| bytes(items.as_ref())).sum()
}

fn viewed<O: OffsetSizeTrait>(values: &dyn Array) -> usize {
    let lists = values.as_list_view::<O>();
    of_rows((0..lists.len()).map(|row| lists.value(row)))
}

fn runs<R: RunEndIndexType>(values: &dyn Array) -> usize {
    let runs = values.as_run::<R>();
    of_rows((0..runs.len()).map(|row| runs.values().slice(runs.get_physical_index(row), 1)))
}

/// Where the items of lists begin, and how many there are.
fn within<O: OffsetSizeTrait>(offsets: &[O]) -> (usize, usize) {
    match offsets {
        [first, .., last] => (first.as_usize(), last.as_usize() - first.as_usize()),
        _ => (0, 0),
    }
}

/// Refuses plans that copy a long constant into every row: an aggregate, a projection or a join would, and calls that are given one do
/// not. The last of the rules: constants are folded by then.
#[derive(Debug)]
pub(super) struct LongConstants;

impl OptimizerRule for LongConstants {
    fn name(&self) -> &str {
        "long_constants"
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let (mut in_one_row, mut in_many, mut copies) = (false, false, false);
        plan.apply_with_subqueries(|node| {
            copies |= matches!(node, LogicalPlan::Join(_) | LogicalPlan::Unnest(_));
            let one_row = node.inputs().into_iter().all(|input| matches!(input, LogicalPlan::EmptyRelation(_)));
            let of_node = if one_row { &mut in_one_row } else { &mut in_many };
            node.apply_expressions(|expr| {
                *of_node |= is_long(expr, COPIED) || expr.exists(|within| Ok(copies_constant(within)))?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if in_many || in_one_row && copies {
            return Err(DataFusionError::ResourcesExhausted(format!(
                "every row would have its copy of a constant of more than {} KB, or {IN_WINDOW} bytes in a window: keep it in a table, or write structure('..') around a crystal",
                COPIED >> 10
            )));
        }
        Ok(Transformed::no(plan))
    }
}

fn is_long(expr: &Expr, most: usize) -> bool {
    matches!(expr, Expr::Literal(value, _) if value.to_array().is_ok_and(|value| bytes(value.as_ref()) > most))
}

/// Whether a long constant stands in an expression that makes as many of it as there are rows.
fn copies_constant(expr: &Expr) -> bool {
    let takes = |constant: &Expr| match expr {
        Expr::BinaryExpr(_) | Expr::Like(_) | Expr::SimilarTo(_) | Expr::InList(_) | Expr::Between(_) => true,
        // Ours are not given less at a time for a long text, and many a crystal is long.
        Expr::ScalarFunction(call) => {
            let crystal = matches!(constant, Expr::Literal(ScalarValue::Struct(_), _));
            crystal || call.func.inner().is::<Bounded>() || expr.column_refs().is_empty()
        }
        _ => false,
    };
    let most = if matches!(expr, Expr::WindowFunction(_)) { IN_WINDOW } else { COPIED };
    let mut copies = false;
    let walked = expr.apply_children(|child| {
        copies |= is_long(child, most) && !takes(child);
        Ok(TreeNodeRecursion::Continue)
    });
    copies || walked.is_err()
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, RunArray};

    use super::*;

    #[test]
    fn what_rows_share_is_counted_for_each() {
        let words = ["abc", "abc", "defghi", "abc"];
        let dictionary: DictionaryArray<Int32Type> = words.into_iter().collect();
        let runs: RunArray<Int32Type> = words.into_iter().collect();
        let arrays: [&dyn Array; 2] = [&dictionary, &runs];
        for values in arrays {
            // A byte for each row, and one for each of its words, beside the letters.
            assert_eq!(bytes(values), 4 + 4 + 15, "{}", values.data_type());
            assert_eq!(bytes(values.slice(1, 2).as_ref()), 2 + 2 + 9, "{}", values.data_type());
            assert_eq!(bytes(values.slice(4, 0).as_ref()), 0, "{}", values.data_type());
        }
        let unknown: DictionaryArray<Int32Type> = [None::<&str>, None].into_iter().collect();
        assert_eq!(bytes(&unknown), 2);
    }
}
