//! Labelled crystals out of the store, for `train` and `evaluate`, and the unit of their label.

use crate::cli::CliError;
use crate::jobs::Labelled;
use crate::models::train::Sample;
use crate::sql::{Session, units};

/// Rows of `table` that have a structure and a label in column `target`, those that satisfy `condition` only.
///
/// # Errors
/// No such table or column, a label that is no number, a condition that is no SQL, or no row left.
pub(crate) async fn read(
    session: &Session,
    table: &str,
    target: &str,
    condition: Option<&str>,
) -> Result<Vec<Sample>, CliError> {
    let labelled = Labelled { table, target, condition };
    Ok(labelled.samples(&session.sql(&labelled.query()).await?.collect().await?)?)
}

/// The unit of the label in column `target` of `table`, where one is known; empty where none is.
///
/// # Errors
/// No such table or column.
pub(crate) async fn unit(session: &Session, table: &str, target: &str) -> Result<String, CliError> {
    let labelled = Labelled { table, target, condition: None };
    let unit = units(session, &session.sql(&labelled.label()).await?).pop().flatten();
    Ok(unit.unwrap_or_default().into_owned())
}
