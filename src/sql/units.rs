//! The units of a query's columns, followed from each back through its plan: to a column of a table, whose unit stands in the
//! dictionary, or to a function that states it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, Operator};
use datafusion::prelude::DataFrame;

use super::aggregates::{self, CrystalUdaf};
use super::asked::model_of;
use super::functions::{CrystalUdf, FieldDoc, UNIT_OF_MODEL, themes};
use super::options::HollanditeOptions;
use super::session::Session;

/// A unit: of the dictionary, of a function, or of a model's card.
pub type Unit = Cow<'static, str>;

/// The unit of each column of a result of `session`, where it is known: `eV/atom`. What has none, as a count or a fraction, has
/// `None` too.
pub fn units(session: &Session, query: &DataFrame) -> Vec<Option<Unit>> {
    column_units(session, query).into_iter().map(|column| column.unit).collect()
}

/// The unit of a column, and those of the fields of its structs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnUnits {
    /// Of its numbers.
    pub unit: Option<Unit>,
    /// Of each field, by name.
    pub fields: Vec<(String, ColumnUnits)>,
}

/// The units of each column of a result of `session`, with those inside structs.
pub fn column_units(session: &Session, query: &DataFrame) -> Vec<ColumnUnits> {
    let plan = query.logical_plan();
    let of = |i| Units(session).of_field(plan, i).map(Known::all).unwrap_or_default();
    (0..plan.schema().fields().len()).map(of).collect()
}

/// What is known of a column: its unit, and its fields where it holds structs.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    unit: Option<Unit>,
    fields: Vec<FieldDoc>,
    /// The unit that the card of a model states, of fields that have it.
    of_model: Option<Unit>,
}

impl Known {
    fn unit(unit: impl Into<Unit>) -> Option<Self> {
        Some(Self { unit: Some(unit.into()), ..Self::default() })
    }

    fn all(self) -> ColumnUnits {
        let names = self.fields.iter().map(|field| field.name);
        let fields = names.filter_map(|name| Some((name.to_owned(), self.clone().field(name)?.all()))).collect();
        ColumnUnits { unit: self.unit.clone(), fields }
    }

    /// A field of its structs.
    fn field(self, name: &str) -> Option<Self> {
        let field = self.fields.into_iter().find(|field| field.name == name)?;
        let unit = match field.unit {
            Some(UNIT_OF_MODEL) => self.of_model,
            unit => unit.map(Cow::Borrowed),
        };
        Some(Self { unit, fields: field.fields, of_model: None })
    }
}

/// Follows columns; takes the units of models from the session.
struct Units<'a>(&'a Session);

impl Units<'_> {
    /// What is known of the `i`th column of a plan.
    fn of_field(&self, plan: &LogicalPlan, i: usize) -> Option<Known> {
        match plan {
            LogicalPlan::Projection(node) => self.of(&node.expr[i], &node.input),
            LogicalPlan::TableScan(scan) => {
                Known::unit(of_column(scan.table_name.table(), scan.projected_schema.field(i).name())?)
            }
            LogicalPlan::Filter(node) => self.of_field(&node.input, i),
            LogicalPlan::SubqueryAlias(node) => self.of_field(&node.input, i),
            LogicalPlan::Sort(node) => self.of_field(&node.input, i),
            LogicalPlan::Limit(node) => self.of_field(&node.input, i),
            LogicalPlan::Window(node) if i < node.input.schema().fields().len() => self.of_field(&node.input, i),
            LogicalPlan::Aggregate(node) => {
                let grouped = node.group_expr.len();
                match node.aggr_expr.get(i.wrapping_sub(grouped)) {
                    _ if i < grouped => self.of(&node.group_expr[i], &node.input),
                    Some(aggregate) => self.of(aggregate, &node.input),
                    None => None,
                }
            }
            LogicalPlan::Join(join) => {
                let left = join.left.schema().fields().len();
                match join.join_type {
                    JoinType::RightSemi | JoinType::RightAnti => self.of_field(&join.right, i),
                    _ if i < left => self.of_field(&join.left, i),
                    _ => join.right.schema().fields().get(i - left).and_then(|_| self.of_field(&join.right, i - left)),
                }
            }
            LogicalPlan::Union(union) => same(union.inputs.iter().map(|input| self.of_field(input, i))),
            // The items of a list are as the list; a struct becomes a column for each field, named after both.
            LogicalPlan::Unnest(node) => {
                let below = *node.dependency_indices.get(i)?;
                let known = self.of_field(&node.input, below)?;
                match node.struct_type_columns.contains(&below) {
                    true => known.field(plan.schema().field(i).name().rsplit('.').next()?),
                    false => Some(known),
                }
            }
            _ => None,
        }
    }

    /// What is known of an expression over the columns of a plan.
    fn of(&self, expr: &Expr, input: &Arc<LogicalPlan>) -> Option<Known> {
        match expr {
            Expr::Alias(alias) => self.of(&alias.expr, input),
            Expr::Column(column) => self.of_field(input, input.schema().index_of_column(column).ok()?),
            Expr::Cast(cast) => self.of(&cast.expr, input),
            Expr::Negative(inner) => self.of(inner, input),
            Expr::ScalarFunction(call) => self.of_call(call, input),
            Expr::AggregateFunction(call) => match call.func.name() {
                "min" | "max" | "avg" | "sum" | "median" | "stddev" | "stddev_pop" | "first_value" | "last_value" => {
                    self.of(call.params.args.first()?, input)
                }
                _ => {
                    let ours = call.func.inner().downcast_ref::<CrystalUdaf>()?;
                    Some(Known { fields: ours.fields().to_vec(), ..Known::default() })
                }
            },
            Expr::Case(case) => same(
                (case.when_then_expr.iter().map(|(_, then)| then.as_ref()))
                    .chain(case.else_expr.as_deref())
                    .filter(|e| !is_number(e))
                    .map(|e| self.of(e, input)),
            ),
            Expr::BinaryExpr(binary) => {
                let [left, right] = [self.of(&binary.left, input), self.of(&binary.right, input)];
                match binary.op {
                    Operator::Plus | Operator::Minus if left == right || is_number(&binary.right) => left,
                    Operator::Multiply | Operator::Divide if is_number(&binary.right) => left,
                    Operator::Multiply if is_number(&binary.left) => right,
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_call(&self, call: &ScalarFunction, input: &Arc<LogicalPlan>) -> Option<Known> {
        if let Some(ours) = call.func.inner().downcast_ref::<CrystalUdf>() {
            let function = ours.function();
            let fields = function.kernel.fields().to_vec();
            let of_model = fields.iter().any(|field| field.unit == Some(UNIT_OF_MODEL)).then(|| self.of_model(call));
            return Some(Known { unit: function.unit.map(Cow::Borrowed), fields, of_model: of_model.flatten() });
        }
        let argument = |i: usize| call.args.get(i).and_then(|e| self.of(e, input));
        match call.name() {
            // An item of a list is as the list.
            "abs" | "round" | "trunc" | "floor" | "ceil" | "nullif" | "arrow_cast" | "array_element" => argument(0),
            "coalesce" | "greatest" | "least" => {
                same(call.args.iter().filter(|e| !is_number(e)).map(|e| self.of(e, input)))
            }
            "get_field" => {
                let names = call.args.get(1..)?.iter().map(|name| match name {
                    Expr::Literal(name, _) => name.try_as_str().flatten(),
                    _ => None,
                });
                names.into_iter().try_fold(argument(0)?, |known, name| known.field(name?))
            }
            _ => None,
        }
    }

    /// The unit of what a call of a model answers.
    fn of_model(&self, call: &ScalarFunction) -> Option<Unit> {
        let (_, named) = model_of(call)?;
        let options = HollanditeOptions::of(self.0.context().copied_config().options());
        let model = self.0.model(if named.is_empty() { &options.model } else { &named }).ok()?;
        let unit = model.quantity().unit;
        (!unit.is_empty()).then(|| unit.to_owned().into())
    }
}

/// What all agree on.
fn same(mut all: impl Iterator<Item = Option<Known>>) -> Option<Known> {
    let first = all.next()?;
    all.all(|known| known == first).then_some(first).flatten()
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}

/// The unit of a column of a table. A table that imports filled has the columns of tmo, under any name.
fn of_column(table: &str, column: &str) -> Option<&'static str> {
    let columns = store::dictionary(table).unwrap_or_else(store::columns);
    columns.iter().find(|c| c.name == column).and_then(|c| in_comment(&c.comment))
}

/// The unit in a comment of the dictionary: what stands alone between commas, or begins it, and is made of the symbols that make the
/// units of functions.
fn in_comment(comment: &'static str) -> Option<&'static str> {
    static SYMBOLS: LazyLock<HashSet<&str>> = LazyLock::new(|| declared_units().flat_map(symbols).collect());
    let unit = |part: &&str| symbols(part).all(|symbol| SYMBOLS.contains(symbol));
    comment.split([',', ';', ':']).map(str::trim).find(unit)
}

/// eV and Å of `eV/Å³`, e and atom of `e per atom`.
fn symbols(unit: &str) -> impl Iterator<Item = &str> {
    unit.split('/').flat_map(|part| part.split(" per ")).map(|symbol| symbol.trim_end_matches(['²', '³']))
}

/// The units that functions and the fields of what they return are declared with.
fn declared_units() -> impl Iterator<Item = &'static str> {
    fn of(unit: Option<&'static str>, fields: &[FieldDoc]) -> Vec<&'static str> {
        let within = fields.iter().flat_map(|field| of(field.unit, &field.fields));
        unit.into_iter().chain(within).collect()
    }
    let rows = themes().into_iter().flat_map(|(_, functions)| functions);
    let rows = rows.flat_map(|function| of(function.unit, function.kernel.fields()));
    let groups = aggregates::themes().into_iter();
    let groups = groups.flat_map(|(_, function)| of(function.unit, &function.kernel.fields));
    rows.chain(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PropertyModel;
    use crystal::Structure;
    use models::ModelError;
    use models::Quantity;

    async fn of_query(query: &str) -> Vec<Option<String>> {
        of_query_in(&Session::without_store(), query).await
    }

    async fn of_query_in(session: &Session, query: &str) -> Vec<Option<String>> {
        let table = "CREATE TABLE tmo AS SELECT 'x' AS id, 'TiO2' AS formula, 1.0 AS density, 0.5 AS void, 60.0 AS volume, \
                     -3.0 AS formation_energy_per_atom, 6 AS natoms, 'x' AS structure";
        session.sql(table).await.unwrap();
        units(session, &session.sql(query).await.unwrap()).into_iter().map(|unit| unit.map(Cow::into_owned)).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn units_follow_columns_through_the_plan() {
        let query = "WITH e AS (SELECT id, void, volume AS v, coalesce(formation_energy_per_atom, predict_ef(structure)) AS ef FROM tmo)
                     SELECT e.id, e.void, v, ef, ef - 1.0 AS low, round(ef, 2) AS short, ef * e.void AS odd, volume / natoms AS each
                     FROM e JOIN tmo ON e.id = tmo.id WHERE ef < 0 ORDER BY ef LIMIT 3";
        let found = of_query(query).await;
        let some = |unit: &str| Some(unit.to_owned());
        let ev = some("eV/atom");
        assert_eq!(found, [None, None, some("Å³"), ev.clone(), ev.clone(), ev.clone(), None, None]);
        let query = "SELECT formula, min(formation_energy_per_atom) AS best, avg(density) AS d, count(*) AS n FROM tmo GROUP BY formula";
        assert_eq!(of_query(query).await, [None, ev.clone(), some("g/cm³"), None]);
        let query = "SELECT predict(structure)['upper'] AS u, CASE WHEN void > 0.5 THEN density END AS d, largest_free_sphere(structure) AS f FROM tmo";
        assert_eq!(of_query(query).await, [ev, some("g/cm³"), some("Å")]);
        let query = "SELECT s['volume'] AS v, s['coordination'] AS n, f['area'] AS a FROM (SELECT s, unnest(s['faces']) AS f \
                     FROM (SELECT unnest(voronoi(structure)) AS s FROM tmo))";
        assert_eq!(of_query(query).await, [some("Å³"), None, some("Å²")]);
        let query = "SELECT unnest(capacity(formula, 'Li', 1, 1)) FROM tmo";
        assert_eq!(of_query(query).await, [some("mAh/g"), some("mAh/cm³")]);
        let query = "SELECT voltage_profile(natoms, density, 0, 1)[1]['voltage'] AS v FROM tmo GROUP BY formula";
        assert_eq!(of_query(query).await, [some("V")]);
        let query = "SELECT density FROM tmo UNION ALL SELECT volume FROM tmo";
        assert_eq!(of_query(query).await, [None], "two units are none");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn fields_of_structs_have_theirs() {
        let session = Session::without_store();
        let frame = session.sql("SELECT capacity('TiO2', 'Li', 1, 1) AS c, 1 AS n").await.unwrap();
        let [capacity, number] = column_units(&session, &frame).try_into().unwrap();
        let units: Vec<_> = capacity.fields.iter().filter_map(|(_, field)| field.unit.as_deref()).collect();
        assert_eq!((capacity.unit, units), (None, vec!["mAh/g", "mAh/cm³"]));
        assert_eq!(number, ColumnUnits::default());
    }

    /// Answers nothing, in electronvolts.
    struct Gaps;

    impl PropertyModel for Gaps {
        fn id(&self) -> &str {
            "gaps"
        }

        fn quantity(&self) -> Quantity<'_> {
            Quantity { target: "band_gap", unit: "eV" }
        }

        fn predict(&self, structures: &[Structure]) -> Vec<Result<f64, ModelError>> {
            structures.iter().map(|_| Ok(0.0)).collect()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_prediction_has_the_unit_of_its_model() {
        let session = Session::without_store().with_model("gaps", Arc::new(Gaps));
        let query = "SELECT predict(structure, 'gaps')['value'] AS gap, predict(structure)['lower'] AS low FROM tmo";
        assert_eq!(of_query_in(&session, query).await, [Some("eV".to_owned()), Some("eV/atom".to_owned())]);
        // Asked for a formation energy, the model answers none.
        let frame = session.sql("SELECT predict_ef(structure, 'gaps') FROM tmo").await;
        let refused = match frame {
            Ok(frame) => frame.collect().await.unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(refused.contains("model gaps predicts band_gap in eV") && refused.contains("['value']"), "{refused}");
    }

    #[test]
    fn the_dictionary_s_comments_state_units() {
        for (table, column, unit) in [
            ("tmo", "volume", Some("Å³")),
            ("tmo", "density", Some("g/cm³")),
            ("tmo", "e_above_hull", Some("eV/atom")),
            ("tmo", "band_gap", Some("eV")),
            ("tmo", "void", None),
            ("adsorption", "voltage", Some("V")),
            ("adsorption", "adsorption_potential", Some("eV per ion")),
            ("candidates", "density", Some("g/cm³")),
            ("charges", "charge_transfer", Some("e per atom")),
            ("charges", "net_charge", Some("e")),
            ("dft_runs", "stress", Some("eV/Å³")),
            ("dft_runs", "energy", Some("eV")),
            ("dft_runs", "nelect", None),
            ("dft_runs", "ispin", None),
        ] {
            assert_eq!(of_column(table, column), unit, "{table}.{column}");
        }
    }
}
