//! Calls of our own functions, looked at before the engine sees them: how many arguments they have, and by which names. Named
//! arguments may leave out what stands before them and has a default: it is filled in, since the engine takes no gaps.

use datafusion::execution::SessionState;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{
    Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident, Value,
};
use store::did_you_mean;

use super::{each_expression, folded};
use crate::functions::{CrystalUdf, Function, Omitted, Parameter};

/// # Errors
/// A call with too few or too many arguments, with a name that no argument has, or with a gap that no default fills.
pub(super) fn complete(state: &SessionState, statement: &mut EngineStatement) -> Result<(), String> {
    each_expression(statement, |expression| {
        let Expr::Function(call) = expression else { return Ok(()) };
        let name = call.name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
        let udf = state.scalar_functions().get(&name).filter(|_| call.name.0.len() == 1);
        match udf.and_then(|udf| udf.inner().downcast_ref::<CrystalUdf>()) {
            Some(udf) => filled(udf.function(), call),
            None => Ok(()),
        }
    })
}

/// Fills the gaps of a call.
fn filled(function: &Function, call: &mut Call) -> Result<(), String> {
    let FunctionArguments::List(list) = &mut call.args else { return Ok(()) };
    let parameters = &function.parameters;
    let mut given = vec![false; parameters.len()];
    let mut positions = 0;
    for argument in &list.args {
        match named(argument) {
            None => positions += 1,
            Some(name) => {
                let position =
                    parameters.iter().position(|p| p.name == name).ok_or_else(|| unknown(function, &name))?;
                given[position] = true;
            }
        }
    }
    let count = list.args.len();
    let most = parameters.len();
    if positions > most || (positions == count && count < function.required()) {
        return Err(wrong_number(function, count));
    }
    let last = given.iter().rposition(|given| *given).map_or(0, |last| last + 1);
    for position in positions..last {
        if !given[position] {
            list.args.push(default(function, &parameters[position], &parameters[last - 1])?);
        }
    }
    Ok(())
}

/// The name of an argument that has one.
fn named(argument: &FunctionArg) -> Option<String> {
    match argument {
        FunctionArg::Named { name, .. } => Some(folded(name)),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), .. } => Some(folded(name)),
        _ => None,
    }
}

fn unknown(function: &Function, name: &str) -> String {
    let names = function.parameters.iter().map(|p| p.name);
    let like = did_you_mean(name, names, &format!("; the call is {}", function.signature()));
    format!("{} has no argument '{name}'{like}", function.name)
}

fn wrong_number(function: &Function, found: usize) -> String {
    let (least, most) = (function.required(), function.parameters.len());
    let wanted = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let plural = if most == 1 { "" } else { "s" };
    format!("{} takes {wanted} argument{plural}, found {found}: {}", function.name, function.signature())
}

/// What stands for an argument that is left out before `after`.
fn default(function: &Function, parameter: &Parameter, after: &Parameter) -> Result<FunctionArg, String> {
    let value = match parameter.omitted {
        Some(Omitted::Number(x)) => Value::Number(x.to_string(), false),
        Some(Omitted::Text(text)) => Value::SingleQuotedString(text.to_owned()),
        Some(Omitted::Flag(flag)) => Value::Boolean(flag),
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
            (
                "void('a', nothing => 3)",
                "void has no argument 'nothing'; the call is void(structure[, radii[, probe]])",
            ),
        ] {
            let found = asked(&format!("SELECT {call}")).await;
            assert!(found.contains(said) && !found.contains('\n'), "{call}: {found}");
        }
    }
}
