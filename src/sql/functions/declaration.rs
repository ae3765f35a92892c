//! What a function is, said once. Signature, `\df`, reference, units of result columns and plan-time checks follow from it.

use std::fmt::{self, Display};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{DocSection, Documentation, DocumentationBuilder};

use super::kernel::Kernel;
use crate::environment::Environment;
use crate::structure_type::{self, is_text, sql_type};

/// A function as it is documented, and what computes it: the [`Kernel`] of a function of each row, or what answers for a group of
/// rows or makes a table.
pub struct Function<K = Kernel> {
    /// Name in SQL.
    pub name: &'static str,
    /// What it returns, in sentences; the first one stands alone in lists. The unit is not repeated here.
    pub text: &'static str,
    /// Arguments, optional ones last.
    pub parameters: Vec<Parameter>,
    /// Unit of the numbers it returns; `None` for what has none, and for structs, whose fields have theirs.
    pub unit: Option<&'static str>,
    /// A query that runs on the default store.
    pub example: &'static str,
    /// What answers.
    pub kernel: K,
}

/// The unit of what a model predicts, known from its card.
pub const UNIT_OF_MODEL: &str = "unit of the model";

impl<K> Function<K> {
    /// Call with its arguments, optional ones in brackets: `void(structure[, radii[, probe]])`.
    pub fn signature(&self) -> String {
        let (mut text, mut brackets, mut follows) = (format!("{}(", self.name), 0, false);
        for (i, parameter) in self.parameters.iter().enumerate() {
            if parameter.is_optional() && !follows {
                text.push('[');
                brackets += 1;
            }
            text += if i == 0 { "" } else { ", " };
            text += parameter.name;
            follows = parameter.paired;
        }
        text + &"]".repeat(brackets) + ")"
    }

    /// As the engine wants it, for its own lists of functions.
    pub(crate) fn documentation(&self) -> Documentation {
        let section = DocSection { include: true, label: "Crystals", description: None };
        let new = Documentation::builder(section, self.text, self.signature()).with_sql_example(self.example);
        let argument = |new: DocumentationBuilder, p: &Parameter| new.with_argument(p.name, p.described());
        self.parameters.iter().fold(new, argument).build()
    }

    /// What a column of its answers holds, its unit first, as in the comments of the store's columns.
    pub fn comment(&self) -> String {
        self.unit.map_or_else(|| self.text.to_owned(), |unit| format!("{unit}: {}", self.text))
    }

    /// How many arguments must be given.
    pub fn required(&self) -> usize {
        self.parameters.iter().filter(|p| !p.is_optional()).count()
    }

    /// Checks types, and arguments that are constant: `None` for one that is not.
    ///
    /// # Errors
    /// What is wrong with the call, before any row is read.
    pub(crate) fn check<'a>(
        &self,
        arguments: impl ExactSizeIterator<Item = &'a Field>,
        constants: &[Option<&ScalarValue>],
        environment: &Environment,
    ) -> Result<()> {
        if let Some(alone) = arguments.len().checked_sub(1).and_then(|i| self.parameters.get(i)).filter(|p| p.paired) {
            return plan_err!("{}: {} needs the argument after it", self.name, alone.name);
        }
        for (parameter, argument) in self.parameters.iter().zip(arguments) {
            parameter.kind.check(self.name, parameter.name, argument)?;
        }
        for (parameter, constant) in self.parameters.iter().zip(constants) {
            if let Some(check) = &parameter.check {
                check(self.name, *constant, environment)?;
            }
        }
        Ok(())
    }
}

impl<K> fmt::Debug for Function<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.signature())
    }
}

/// One argument.
#[derive(Clone)]
pub struct Parameter {
    /// Name, usable as `name => value`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it means, in a sentence.
    pub text: &'static str,
    /// What holds where it is left out, with all that follow it; `None` where it must be given.
    pub omitted: Option<Omitted>,
    /// Whether it stands only with the one after it.
    paired: bool,
    check: Option<Arc<Check>>,
}

/// Checks the constant argument of a function; `None` where it is not constant.
type Check = dyn Fn(&str, Option<&ScalarValue>, &Environment) -> Result<()> + Send + Sync;

/// What stands for an argument that is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Omitted {
    /// A number.
    Number(f64),
    /// A text.
    Text(&'static str),
    /// A truth value.
    Flag(bool),
    /// What the words say.
    Means(&'static str),
    /// NULL, by which nothing is asked: in functions that make tables. Others answer NULL to it.
    Null,
}

impl Display for Omitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(x) if *x != 0.0 && x.abs() < 1e-4 => write!(f, "{x:e}"),
            Self::Number(x) => write!(f, "{x}"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Means(words) => f.write_str(words),
            Self::Null => f.write_str("NULL"),
        }
    }
}

/// An argument that must be given.
pub fn required(name: &'static str, kind: Kind, text: &'static str) -> Parameter {
    Parameter { name, kind, text, omitted: None, paired: false, check: None }
}

/// An argument that may be left out; `omitted` says what holds then.
pub fn optional(name: &'static str, kind: Kind, omitted: Omitted, text: &'static str) -> Parameter {
    Parameter { name, kind, text, omitted: Some(omitted), paired: false, check: None }
}

/// A number that may be left out.
pub fn number(name: &'static str, default: f64, text: &'static str) -> Parameter {
    optional(name, Kind::Number, Omitted::Number(default), text)
}

impl Parameter {
    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        self.omitted.is_some()
    }

    /// Its meaning, with what holds where it is left out.
    pub fn described(&self) -> String {
        match self.omitted {
            Some(omitted) => format!("{} Default: {omitted}.", self.text),
            None => self.text.to_owned(),
        }
    }

    /// Stands only with the one after it.
    pub fn paired(mut self) -> Self {
        self.paired = true;
        self
    }

    /// Checks it while the query is planned.
    pub fn checked(
        mut self,
        check: impl Fn(&str, Option<&ScalarValue>, &Environment) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.check = Some(Arc::new(check));
        self
    }

    /// Refuses a constant text that `parse` refuses while the query is planned.
    pub fn parsed<T, E: Display>(self, parse: impl Fn(&str) -> Result<T, E> + Send + Sync + 'static) -> Self {
        self.checked(move |function, constant, _| match constant.and_then(|value| value.try_as_str()).flatten() {
            Some(text) => parse(text).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}")),
            None => Ok(()),
        })
    }

    /// Refuses a constant number that `read` refuses while the query is planned.
    pub fn measured<T, E: Display>(self, read: impl Fn(f64) -> Result<T, E> + Send + Sync + 'static) -> Self {
        self.checked(move |function, constant, _| {
            match constant.filter(|value| !value.is_null()).and_then(|value| value.cast_to(&DataType::Float64).ok()) {
                Some(ScalarValue::Float64(Some(x))) => {
                    read(x).map(drop).map_err(|reason| plan_datafusion_err!("{function}: {reason}"))
                }
                _ => Ok(()),
            }
        })
    }
}

/// What an argument holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A structure, or CIF, POSCAR or JSON text.
    Crystal,
    /// As [`Kind::Crystal`]; a text may also be a formula.
    Composition,
    /// A crystal, or the list of numbers that stands for it.
    CrystalOrFingerprint,
    /// As [`Kind::Crystal`], or a number.
    CrystalOrNumber,
    /// Any text.
    Text,
    /// The name or path of a model.
    Model,
    /// A phase diagram as text, which may be long.
    Diagram,
    /// Any number.
    Number,
    /// A number, or the text that names one.
    NumberOrName,
    /// True or false.
    Boolean,
}

impl Kind {
    /// Refuses a column of another type as the argument `name` of `function`.
    pub(crate) fn check(self, function: &str, name: &str, field: &Field) -> Result<()> {
        let found = field.data_type();
        let wanted = match self {
            Self::CrystalOrFingerprint if is_numbers(found) => return Ok(()),
            Self::CrystalOrNumber if found.is_numeric() => return Ok(()),
            Self::Crystal | Self::Composition | Self::CrystalOrFingerprint | Self::CrystalOrNumber => {
                return structure_type::check(function, field);
            }
            Self::Text | Self::Model | Self::Diagram | Self::NumberOrName if is_text(found) => return Ok(()),
            Self::Number | Self::NumberOrName if found.is_numeric() => return Ok(()),
            Self::Boolean if *found == DataType::Boolean => return Ok(()),
            _ if *found == DataType::Null => return Ok(()),
            Self::Text | Self::Model | Self::Diagram => "text",
            Self::Number => "a number",
            Self::NumberOrName => "a number or a name",
            Self::Boolean => "true or false",
        };
        plan_err!("{function} needs {wanted} as {name}, but '{}' is {}", field.name(), sql_type(found))
    }
}

/// Whether a column holds lists of numbers.
pub(super) fn is_numbers(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type().is_numeric()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(parameters: Vec<Parameter>) -> Function<()> {
        Function { name: "f", text: "", parameters, unit: None, example: "", kernel: () }
    }

    #[test]
    fn optional_arguments_stand_in_brackets_and_pairs_together() {
        let a = || required("a", Kind::Number, "");
        assert_eq!(function(vec![]).signature(), "f()");
        assert_eq!(function(vec![a(), number("b", 1.0, ""), number("c", 1.0, "")]).signature(), "f(a[, b[, c]])");
        let pair = || vec![a(), number("b", 1.0, "").paired(), number("c", 1.0, "")];
        assert_eq!(function(pair()).signature(), "f(a[, b, c])");
        let field = |name| Field::new(name, DataType::Float64, true);
        let (x, y) = (field("x"), field("y"));
        let error = function(pair()).check([&x, &y].into_iter(), &[None, None], &Environment::default()).unwrap_err();
        assert!(error.to_string().contains("f: b needs the argument after it"), "{error}");
    }

    #[test]
    fn what_stands_for_an_argument_is_said() {
        assert_eq!(number("b", 1e-12, "Where sums are cut.").described(), "Where sums are cut. Default: 1e-12.");
        assert_eq!(Omitted::Text("ionic").to_string(), "'ionic'");
    }

    #[test]
    fn constants_are_checked_when_planned() {
        let environment = Environment::default();
        let half = number("x", 1.0, "").measured(|x| if x < 0.5 { Err("too small") } else { Ok(()) });
        let check = half.check.unwrap();
        let message = check("f", Some(&ScalarValue::Float64(Some(0.4))), &environment).unwrap_err().to_string();
        assert!(message.contains("f: too small"), "{message}");
        for fine in [Some(&ScalarValue::Int64(Some(7))), Some(&ScalarValue::Float64(None)), None] {
            check("f", fine, &environment).unwrap();
        }
    }
}
