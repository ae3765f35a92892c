//! Calls of our own functions, looked at before the engine sees them: how many arguments they have, and by which names. Named
//! arguments may leave out what stands before them and has a default: it is filled in, since the engine takes no gaps.

use std::ops::ControlFlow;

use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident, ObjectName, TableFactor, Value,
    VisitorMut,
};
use store::did_you_mean;

use super::folded;
use crate::functions::{CrystalUdf, Function, Kind, Omitted, Parameter};
use crate::table_functions;

/// Completes calls; ends at one with too few or too many arguments, with a name that no argument has, or with a gap that no default
/// fills.
pub(super) struct Calls<'a>(pub &'a SessionState);

impl VisitorMut for Calls<'_> {
    type Break = String;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        let Expr::Function(call) = expr else { return ControlFlow::Continue(()) };
        let FunctionArguments::List(list) = &mut call.args else { return ControlFlow::Continue(()) };
        let udf = single(&call.name).and_then(|name| self.0.scalar_functions().get(&name));
        match udf.and_then(|udf| udf.inner().downcast_ref::<CrystalUdf>()) {
            Some(udf) => fill(udf.function(), &mut list.args).map_or_else(ControlFlow::Break, ControlFlow::Continue),
            None => ControlFlow::Continue(()),
        }
    }

    /// The engine knows no names for the arguments of what stands where a table does: they are put in order too.
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<String> {
        let (name, arguments) = match factor {
            TableFactor::Table { name, args: Some(list), .. } => (name, &mut list.args),
            TableFactor::Function { name, args, .. } => (name, args),
            _ => return ControlFlow::Continue(()),
        };
        let Some(function) = single(name).and_then(|name| table_functions::named(&name)) else {
            return ControlFlow::Continue(());
        };
        *name = ObjectName::from(vec![Ident::new(function.name)]);
        let filled = fill(&function, arguments).map(|()| order(&function, arguments));
        filled.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

/// A name of one part, as it is looked up.
fn single(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(folded),
        _ => None,
    }
}

/// Fills the gaps of a call.
fn fill<K>(function: &Function<K>, arguments: &mut Vec<FunctionArg>) -> Result<(), String> {
    let parameters = &function.parameters;
    let mut given = vec![false; parameters.len()];
    let mut positions = 0;
    for argument in arguments.iter() {
        match named(argument) {
            None => positions += 1,
            Some(name) => {
                let position =
                    parameters.iter().position(|p| p.name == name).ok_or_else(|| unknown(function, &name))?;
                if given[position] || position < positions {
                    return Err(format!("{}: {name} is given twice", function.name));
                }
                given[position] = true;
            }
        }
    }
    let count = arguments.len();
    if positions > parameters.len() || (positions == count && count < function.required()) {
        return Err(wrong_number(function, count));
    }
    let last = given.iter().rposition(|given| *given).map_or(0, |last| last + 1);
    for position in positions..last {
        if !given[position] {
            arguments.push(default(function, &parameters[position], &parameters[last - 1])?);
        }
    }
    Ok(())
}

/// The arguments of a call without gaps in the order of the parameters, and without names.
fn order<K>(function: &Function<K>, arguments: &mut Vec<FunctionArg>) {
    let mut placed: Vec<(usize, FunctionArg)> = arguments.drain(..).enumerate().collect();
    for (place, argument) in &mut placed {
        let Some(name) = named(argument) else { continue };
        *place = function.parameters.iter().position(|p| p.name == name).unwrap_or(*place);
        if let FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } = argument {
            *argument = FunctionArg::Unnamed(arg.clone());
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    arguments.extend(placed.into_iter().map(|(_, argument)| argument));
}

/// The name of an argument that has one.
fn named(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Named { name, .. } => Some(folded(name)),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), .. } => Some(folded(name)),
        _ => None,
    }
}

fn unknown<K>(function: &Function<K>, name: &str) -> String {
    let names = function.parameters.iter().map(|p| p.name);
    let like = did_you_mean(name, names, &format!("; the call is {}", function.signature()));
    format!("{} has no argument '{name}'{like}", function.name)
}

fn wrong_number<K>(function: &Function<K>, found: usize) -> String {
    let (least, most) = (function.required(), function.parameters.len());
    let wanted = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let plural = if most == 1 { "" } else { "s" };
    format!("{} takes {wanted} argument{plural}, found {found}: {}", function.name, function.signature())
}

/// What stands for an argument that is left out before `after`.
fn default<K>(function: &Function<K>, parameter: &Parameter, after: &Parameter) -> Result<FunctionArg, String> {
    let value = match parameter.omitted {
        Some(Omitted::Number(x)) => Value::Number(x.to_string(), false),
        Some(Omitted::Text(text)) => Value::SingleQuotedString(text.to_owned()),
        Some(Omitted::Flag(flag)) => Value::Boolean(flag),
        Some(Omitted::Null) => Value::Null,
        // No name is that of the session's option.
        Some(Omitted::Means(_)) if parameter.kind == Kind::Model => Value::SingleQuotedString(String::new()),
        Some(Omitted::Means(_)) | None => {
            return Err(format!("{}: {} => needs {} too", function.name, after.name, parameter.name));
        }
    };
    Ok(FunctionArg::Named {
        name: Ident::new(parameter.name),
        arg: FunctionArgExpr::Expr(Expr::Value(value.into())),
        operator: FunctionArgOperator::RightArrow,
    })
}

#[cfg(test)]
mod tests {
    use crate::Session;

    /// What a session answers, or says.
    async fn asked(sql: &str) -> String {
        let session = Session::without_store();
        let rows = match session.sql(sql).await {
            Ok(frame) => frame.collect().await,
            Err(error) => return error.to_string(),
        };
        arrow::util::pretty::pretty_format_batches(&rows.unwrap()).unwrap().to_string()
    }

    const CELL: &str = "structure('x
1.0
4 0 0
0 4 0
0 0 4
Mg O
1 1
Direct
0 0 0
0.5 0.5 0.5
')";

    #[tokio::test]
    async fn defaults_fill_the_gaps_before_a_named_argument() {
        for (short, long) in [
            ("void({CELL}, probe => 0.5)", "void({CELL}, 'atomic', 0.5)"),
            ("void(probe => 0.5, structure => {CELL})", "void({CELL}, 'atomic', 0.5)"),
        ] {
            let of = |call: &str| format!("SELECT {} AS x", call.replace("{CELL}", CELL));
            assert_eq!(asked(&of(short)).await, asked(&of(long)).await, "{short}");
        }
        let nested = asked(&format!("EXPLAIN SELECT 1 WHERE (SELECT void({CELL}, probe => 0.5)) > 2")).await;
        assert!(nested.contains("plan"), "{nested}");
    }

    #[tokio::test]
    async fn a_call_that_cannot_be_is_answered_in_one_sentence() {
        for (call, said) in [
            ("void()", "void takes 1 to 3 arguments, found 0: void(structure[, radii[, probe]])"),
            ("void('a', 'b', 3, 4)", "void takes 1 to 3 arguments, found 4"),
            ("substitute('a', 'Li')", "substitute takes 3 to"),
            ("void('a', prob => 3)", "void has no argument 'prob'; did you mean 'probe'?"),
            ("void('a', radii => 'vdw', radii => 'atomic')", "void: radii is given twice"),
            ("void('a', structure => 'b')", "void: structure is given twice"),
            (
                "void('a', nothing => 3)",
                "void has no argument 'nothing'; the call is void(structure[, radii[, probe]])",
            ),
        ] {
            let found = asked(&format!("SELECT {call}")).await;
            assert!(found.contains(said) && !found.contains('\n'), "{call}: {found}");
        }
    }

    #[tokio::test]
    async fn tables_take_arguments_by_name_and_say_what_is_wrong_with_them() {
        for (call, said) in [
            ("read_csv()", "read_csv takes 1 to 2 arguments, found 0: read_csv(path[, delimiter])"),
            ("read_csv(delimiter => ';', path => 'no_such.csv')", "no_such.csv: "),
            ("READ_CSV('no_such.csv')", "no_such.csv: "),
            ("LATERAL read_csv('no_such.csv', delimiter => 'ab')", "delimiter = 'ab'; it must be one character"),
            ("read_csv('a.csv', delimeter => ';')", "read_csv has no argument 'delimeter'; did you mean 'delimiter'?"),
            ("read_csv('a.csv', path => 'b.csv')", "read_csv: path is given twice"),
            ("read_csv(7)", "read_csv needs text as path, but '7' is BIGINT"),
            ("read_csv(NULL)", "read_csv: path is NULL"),
            ("read_csv(path)", "read_csv needs path as a constant"),
            ("most_similar('a', table => 'tmo')", "most_similar: table => needs k too"),
            ("most_similar('a', 0)", "most_similar: k = 0"),
        ] {
            let found = asked(&format!("SELECT * FROM {call}")).await;
            assert!(found.contains(said) && !found.contains('\n'), "{call}: {found}");
        }
        let named = "EXPLAIN SELECT * FROM migration_paths('no id', ion => 'Li', \"table\" => 'nowhere')";
        assert!(asked(named).await.contains("nowhere"), "a default for each argument between");
    }
}
