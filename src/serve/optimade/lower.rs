//! Properties and filters as expressions of a plan. Nothing of a filter is ever text of a statement: its texts are literals.

use std::collections::{BTreeSet, HashMap};

use arrow::array::new_empty_array;
use arrow::datatypes::{DataType, Schema};
use columns::StructureColumn;
use datafusion::common::ScalarValue;
use datafusion::execution::FunctionRegistry;
use datafusion::functions::expr_fn::{contains, ends_with, starts_with};
use datafusion::functions_nested::expr_fn::{array_has, array_has_all, array_length, make_array};
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, ident, lit, not};
use datafusion::prelude::DataFrame;
use formats::{OPTIMADE_PREFIX, optimade_name};
use sql::{Session, sql_type};

use super::attribute;
use super::filter::{Comparison, Filter, Part, Value, Which, unsupported};
use super::properties::{FUNCTIONS, Kind, NO_PROPERTIES, STANDARD, Standard, UNKNOWN};
use crate::error::{Kind as Refused, Refusal};

/// The names of a table's properties, and what became of those that were requested.
pub(super) struct Names<'a> {
    session: &'a Session,
    schema: Schema,
    meanings: HashMap<&'static str, &'static str>,
    /// Remarks for the client.
    pub warnings: BTreeSet<String>,
    /// Whether something is computed that is in no column.
    pub calls: bool,
}

/// A property as an expression.
pub(super) struct Property {
    pub expr: Expr,
    pub kind: Kind,
}

impl<'a> Names<'a> {
    /// # Errors
    /// A table without crystals.
    pub fn of(session: &'a Session, table: &str, frame: &DataFrame) -> Result<Self, Refusal> {
        let schema = frame.schema().as_arrow().clone();
        check(table, &schema)?;
        let meanings = store::meanings(table, &schema);
        Ok(Self { session, schema, meanings, warnings: BTreeSet::new(), calls: false })
    }

    /// The columns that are properties, with their names.
    pub fn columns(&self) -> impl Iterator<Item = (String, &str)> {
        let names = self.schema.fields().iter().map(|field| field.name().as_str());
        names.filter(|name| !NO_PROPERTIES.contains(name)).map(|name| (optimade_name(name), name))
    }

    /// What distinguishes rows of one id.
    pub fn order(&self) -> Vec<Expr> {
        let known = ["id", "structure_hash"].into_iter().filter(|name| self.schema.field_with_name(name).is_ok());
        known.map(ident).collect()
    }

    /// The property of a name.
    ///
    /// # Errors
    /// An unknown name, except those of other providers.
    pub fn property(&mut self, name: &str) -> Result<Property, Refusal> {
        if let Some(known) = STANDARD.iter().find(|known| known.name == name) {
            return Ok(self.standard(known));
        }
        if UNKNOWN.contains(&name) {
            return Ok(NOTHING);
        }
        if name.contains('.') {
            return Err(unsupported("properties inside others (a.b)"));
        }
        if name.starts_with(OPTIMADE_PREFIX) {
            let column = self.columns().find(|(known, _)| known == name).map(|(_, column)| column.to_owned());
            let own = column.map(|column| self.column(&column)).or_else(|| self.function(name));
            let unknown =
                || Refusal::bad(format!("{name} is no property here; /v1/info/structures lists those that are"));
            return own.ok_or_else(unknown);
        }
        if name.starts_with('_') {
            self.warnings.insert(format!("{name} is of another provider, and unknown of every crystal here"));
            return Ok(NOTHING);
        }
        Err(Refusal::bad(format!("{name} is no property of the specification, and has no provider before it")))
    }

    /// The property of a name that a filter or an order asks for.
    ///
    /// # Errors
    /// As [`Names::property`], and those that are answered alone.
    pub fn queried(&mut self, name: &str) -> Result<Property, Refusal> {
        match STANDARD.iter().find(|known| known.name == name) {
            Some(known) if !known.queried() => {
                let message = format!("{name} is answered, and not filtered or sorted by; space_group_it_number is");
                Err(Refusal::new(Refused::Unsupported, message))
            }
            _ => self.property(name),
        }
    }

    fn standard(&mut self, known: &'static Standard) -> Property {
        let kind = known.kind;
        let column = known.column.filter(|column| self.meanings.contains_key(column));
        let expr = match (known.name, column) {
            ("id", _) => cast(ident("id"), DataType::Utf8),
            ("type", _) => lit("structures"),
            ("last_modified", _) => return NOTHING,
            (_, Some(column)) => ident(column),
            ("space_group_it_number", None) => {
                return self.function(&optimade_name("spacegroup")).unwrap_or(NOTHING);
            }
            // Of what no filter looks into it is known that it is there.
            _ if !known.queried() => ident("structure"),
            _ => attribute::call(known, ident("structure")).unwrap_or_else(|| ident("structure")),
        };
        Property { expr, kind }
    }

    fn column(&self, name: &str) -> Property {
        let kind = self.schema.field_with_name(name).map(|field| Kind::of(&sql_type(field.data_type())));
        Property { expr: ident(name), kind: kind.unwrap_or(Kind::Nothing) }
    }

    fn function(&mut self, name: &str) -> Option<Property> {
        let (_, function) = FUNCTIONS.iter().find(|(known, _)| known == name)?;
        let call = self.session.context().udf(&function.name).ok()?.call(vec![ident("structure")]);
        self.calls = true;
        Some(Property { expr: call, kind: Kind::of(&function.returns) })
    }

    /// A filter as a condition.
    ///
    /// # Errors
    /// Unknown properties, values of another type than theirs, and what is not supported.
    pub fn condition(&mut self, filter: &Filter) -> Result<Expr, Refusal> {
        match filter {
            Filter::And(parts) => Ok(joined(self.conditions(parts)?, Operator::And)),
            Filter::Or(parts) => Ok(joined(self.conditions(parts)?, Operator::Or)),
            Filter::Not(inner) => Ok(not(self.condition(inner)?)),
            Filter::Known { property, known } => {
                let expr = self.queried(property)?.expr;
                Ok(if *known { expr.is_not_null() } else { expr.is_null() })
            }
            Filter::Compare { property, operator, value } => self.compared(property, *operator, value),
            Filter::Part { property, part, value } => self.part(property, *part, value),
            Filter::Has { property, which, values } => self.has(property, *which, values),
            Filter::Length { property, operator, length } => self.length(property, *operator, *length),
        }
    }

    fn conditions(&mut self, parts: &[Filter]) -> Result<Vec<Expr>, Refusal> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn compared(&mut self, name: &str, operator: Comparison, value: &Value) -> Result<Expr, Refusal> {
        let own = self.queried(name)?;
        let other = match value {
            Value::Property(other) => self.queried(other)?,
            Value::Text(text) if own.kind == Kind::Time => Property { expr: lit(text.as_str()), kind: Kind::Time },
            literal => literal_of(literal),
        };
        let equality = matches!(operator, Comparison::Equal | Comparison::Unequal);
        match (own.kind, other.kind) {
            (Kind::Nothing, _) | (_, Kind::Nothing) => Ok(unknown()),
            (Kind::Dictionary | Kind::List(_), _) | (_, Kind::Dictionary | Kind::List(_)) => {
                Err(unsupported("comparisons of whole lists and dictionaries (HAS looks into a list)"))
            }
            (Kind::Flag, Kind::Flag) if !equality => {
                Err(Refusal::bad(format!("{name} is true or false, and compared with = and != alone")))
            }
            (a, b) if a == b || [a, b].iter().all(|kind| matches!(kind, Kind::Whole | Kind::Number)) => {
                Ok(binary_expr(own.expr, engine(operator), other.expr))
            }
            (a, b) => Err(mismatch(name, a, b)),
        }
    }

    fn part(&mut self, name: &str, part: Part, value: &Value) -> Result<Expr, Refusal> {
        let own = self.queried(name)?;
        let text = match (own.kind, value) {
            (Kind::Nothing, _) => return Ok(unknown()),
            (_, Value::Property(_)) => return Err(unsupported("properties as parts of a text")),
            (Kind::Text, Value::Text(text)) => lit(text.as_str()),
            (Kind::Text, other) => return Err(mismatch(name, own.kind, literal_of(other).kind)),
            _ => return Err(Refusal::bad(format!("{name} is not a text: STARTS, ENDS and CONTAINS need one"))),
        };
        Ok(match part {
            Part::Anywhere => contains(own.expr, text),
            Part::First => starts_with(own.expr, text),
            Part::Last => ends_with(own.expr, text),
        })
    }

    fn has(&mut self, name: &str, which: Which, values: &[Value]) -> Result<Expr, Refusal> {
        let own = self.queried(name)?;
        let item = match own.kind {
            Kind::Nothing => return Ok(unknown()),
            Kind::List(Kind::List(_) | Kind::Dictionary) => return Err(unsupported("lists of lists or dictionaries")),
            Kind::List(item) => *item,
            _ => return Err(Refusal::bad(format!("{name} is not a list; HAS needs one"))),
        };
        let literals: Vec<Expr> = values
            .iter()
            .map(|value| match (item, value) {
                (_, Value::Property(_)) => Err(unsupported("properties among the values of a list")),
                (Kind::Text, Value::Text(text)) => Ok(lit(text.as_str())),
                (Kind::Whole, Value::Whole(n)) => Ok(lit(*n)),
                (Kind::Number, Value::Whole(n)) => Ok(lit(*n as f64)),
                (Kind::Whole | Kind::Number, Value::Number(x)) => Ok(lit(*x)),
                (_, other) => Err(mismatch(name, item, literal_of(other).kind)),
            })
            .collect::<Result<_, _>>()?;
        let each = |list: Expr| literals.iter().map(move |value| array_has(list.clone(), value.clone())).collect();
        Ok(match which {
            Which::All => joined(each(own.expr), Operator::And),
            Which::Any => joined(each(own.expr), Operator::Or),
            Which::Only => array_has_all(make_array(literals), own.expr),
        })
    }

    fn length(&mut self, name: &str, operator: Comparison, length: i64) -> Result<Expr, Refusal> {
        let own = self.queried(name)?;
        match own.kind {
            Kind::Nothing => Ok(unknown()),
            Kind::List(Kind::List(_) | Kind::Dictionary) => {
                Err(unsupported("lengths of lists of lists or dictionaries"))
            }
            Kind::List(_) => {
                let counted = cast(array_length(own.expr), DataType::Int64);
                Ok(binary_expr(counted, engine(operator), lit(length)))
            }
            _ => Err(Refusal::bad(format!("{name} is not a list; LENGTH needs one"))),
        }
    }
}

/// # Errors
/// A table without crystals.
pub(super) fn check(table: &str, schema: &Schema) -> Result<(), Refusal> {
    let column = schema.field_with_name("structure").ok().map(|field| new_empty_array(field.data_type()));
    let crystals = column.is_some_and(|column| StructureColumn::try_new(&column).is_ok());
    if crystals && schema.field_with_name("id").is_ok() {
        return Ok(());
    }
    let message = format!("{table} is no table of crystals: it has no columns id and structure");
    Err(Refusal::new(Refused::Missing, message))
}

/// What is unknown of every crystal.
const NOTHING: Property = Property { expr: Expr::Literal(ScalarValue::Null, None), kind: Kind::Nothing };

/// A condition that is neither true nor false.
fn unknown() -> Expr {
    lit(ScalarValue::Boolean(None))
}

/// Conditions in one, as deep as the logarithm of their number.
fn joined(mut parts: Vec<Expr>, operator: Operator) -> Expr {
    if parts.len() > 1 {
        let rest = parts.split_off(parts.len() / 2);
        return binary_expr(joined(parts, operator), operator, joined(rest, operator));
    }
    parts.pop().unwrap_or_else(unknown)
}

fn literal_of(value: &Value) -> Property {
    let (expr, kind) = match value {
        Value::Text(text) => (lit(text.as_str()), Kind::Text),
        Value::Whole(n) => (lit(*n), Kind::Whole),
        Value::Number(x) => (lit(*x), Kind::Number),
        Value::Flag(flag) => (lit(*flag), Kind::Flag),
        Value::Property(_) => return NOTHING,
    };
    Property { expr, kind }
}

fn engine(operator: Comparison) -> Operator {
    match operator {
        Comparison::Equal => Operator::Eq,
        Comparison::Unequal => Operator::NotEq,
        Comparison::Less => Operator::Lt,
        Comparison::AtMost => Operator::LtEq,
        Comparison::Greater => Operator::Gt,
        Comparison::AtLeast => Operator::GtEq,
    }
}

fn mismatch(name: &str, own: Kind, other: Kind) -> Refusal {
    Refusal::bad(format!("{name} is of type {}, and the filter compares it with type {}", own.word(), other.word()))
}
