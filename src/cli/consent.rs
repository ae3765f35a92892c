//! Who types a statement that takes a whole table with it is asked first; a program says `--yes`.

use std::io::{IsTerminal, Write};

use super::CliError;
use crate::sql::{Session, Sweep};

/// Asks the user, on a terminal; `yes` is the answer given beforehand.
///
/// # Errors
/// A no, or no terminal to ask on.
pub(crate) async fn ask(session: &Session, statement: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    match session.sweeps(statement).await? {
        Some(sweep) => tokio::task::block_in_place(|| decide(&sweep)),
        None => Ok(()),
    }
}

fn decide(Sweep { what, table, snapshot }: &Sweep) -> Result<(), CliError> {
    let back = format!("hollandite restore {table} --to {snapshot}");
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(CliError::Usage(format!("this {what}: pass --yes to confirm; `{back}` brings them back")));
    }
    let io = |source| CliError::Io { path: "terminal".into(), source };
    eprint!("this {what} (`{back}` brings them back). Do it? [y/N] ");
    std::io::stderr().flush().map_err(io)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(io)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError::Failed("left as it is".into())),
    }
}
