//! The boundary: DataFusion's nested error becomes one sentence.

use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::catalog::SchemaProvider;
use datafusion::common::{Column, DataFusionError, SchemaError, exec_datafusion_err};

use adsorption::AdsorptionError;
use columns::structure_type;
use crystal::{CrystalError, Explained};
use features::FeatureError;
use formats::FormatError;
use models::ModelError;
use store::{StoreError, did_you_mean, nearest};

/// Any error of the layers below `sql`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// See [`CrystalError`].
    #[error(transparent)]
    Crystal(#[from] CrystalError),
    /// See [`FormatError`].
    #[error(transparent)]
    Format(#[from] FormatError),
    /// See [`FeatureError`].
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
    /// See [`AdsorptionError`].
    #[error(transparent)]
    Adsorption(#[from] AdsorptionError),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A statement that asks for what there is not.
    #[error("{0}")]
    Sql(String),
    /// A query that cannot be planned or run: one sentence, without the engine's nested prefixes.
    #[error("{}", sentence(.0))]
    Engine(#[from] DataFusionError),
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Engine(error) => error,
            error => Self::External(Box::new(error)),
        }
    }
}

/// What ends a query whose rows are no longer wanted.
pub(super) fn cancelled() -> DataFusionError {
    exec_datafusion_err!("the query was cancelled")
}

/// The message for the user.
fn sentence(error: &DataFusionError) -> String {
    let message = match root(error) {
        DataFusionError::External(inner) => inner.to_string(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => return no_column(field, valid_fields),
            other => other.to_string(),
        },
        DataFusionError::SQL(inner, _) => return format!("SQL syntax: {}", syntax(&inner.to_string())),
        DataFusionError::Internal(message) => message.clone(),
        other => other.message().into_owned(),
    };
    let message = message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default();
    let message = strip(&message.replace(&structure_type().to_string(), "STRUCTURE")).to_string();
    // A value that cannot be read is worth nothing without the value.
    match context(error) {
        Some(parsing) if parsing.starts_with("Error parsing") => format!("{parsing}: {message}"),
        _ => plainly(&without_advice(&message)),
    }
}

/// Clearer words for messages of the engine.
fn plainly(message: &str) -> String {
    if let Some(name) = message.strip_prefix("Invalid function '").and_then(|rest| rest.split('\'').next()) {
        let like = message.split_once("Did you mean '").and_then(|(_, like)| like.split('\'').next());
        let like = like.map_or_else(|| "; \\df lists them".to_owned(), |like| format!("; did you mean '{like}'?"));
        return format!("no function '{name}'{like}");
    }
    // Of a call that fits no signature: the call, and those that the engine knows.
    if let Some((_, rest)) = message.split_once("No function matches the given name and argument types '")
        && let Some((call, rest)) = rest.split_once('\'')
    {
        let candidates = rest.split_once("Candidate functions:").map_or("", |(_, list)| list);
        let candidates: Vec<&str> = candidates.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        return format!("there is no {call}; there is {}", candidates.join(", "));
    }
    if let Some(name) = message.strip_prefix("Config value \"").and_then(|rest| rest.split_once("\" not found on ")) {
        return format!("no option ends in '{}'; SHOW ALL lists them", name.0);
    }
    if message.starts_with("Uncomparable values: Struct") {
        return "crystals and other structs have no order: compare one of their fields, or use structure_hash"
            .to_owned();
    }
    message.to_owned()
}

/// The deepest error of the engine, but none that stands behind one of ours, which says all in its own words.
fn root(error: &DataFusionError) -> &DataFusionError {
    let (mut root, mut at): (_, &dyn std::error::Error) = (error, error);
    while let Some(source) = at.source() {
        if source.is::<Error>() || source.is::<StoreError>() || source.is::<Explained>() {
            break;
        }
        at = source;
        let shared = || at.downcast_ref::<Arc<DataFusionError>>().map(AsRef::as_ref);
        root = at.downcast_ref().or_else(shared).unwrap_or(root);
    }
    root
}

/// Most columns that are named where none is like the requested one.
const COLUMNS: usize = 8;

/// A column that is not there: the nearest, or some that are.
fn no_column(asked: &Column, valid: &[Column]) -> String {
    let like = valid.iter().filter(|column| asked.relation.is_none() || column.relation == asked.relation);
    let asked = asked.flat_name();
    let bare = asked.rsplit('.').next().unwrap_or_default();
    let names: Vec<&str> = like.map(Column::name).collect();
    if let Some(name) = nearest(bare, names.iter().copied()) {
        return format!("no column '{asked}'; did you mean '{name}'?");
    }
    // "TiO2" in double quotes is meant as a text as often as a name.
    let text = match bare.chars().any(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')) {
        true => format!("; texts need single quotes: '{bare}'"),
        false => String::new(),
    };
    let listed = names.iter().take(COLUMNS).copied().collect::<Vec<_>>().join(", ");
    let rest = if names.len() > COLUMNS { format!(" and {} more", names.len() - COLUMNS) } else { String::new() };
    match names.is_empty() {
        true => format!("no column '{asked}'{text}"),
        false => format!("no column '{asked}'{text}; there are {listed}{rest}"),
    }
}

/// A table that is not there, with the nearest of those of `schema`: `None` where the error says something else.
pub(super) fn no_table(error: &DataFusionError, schema: &dyn SchemaProvider) -> Option<Error> {
    let DataFusionError::Plan(message) = error.find_root() else { return None };
    let asked = message.split_once("table '")?.1.split_once("' not found")?.0;
    Some(missing_table(asked.strip_prefix("lake.main.").unwrap_or(asked), schema))
}

/// What is said of a table that is not among those of `schema`.
pub(super) fn missing_table(name: &str, schema: &dyn SchemaProvider) -> Error {
    let names = schema.table_names();
    let like = did_you_mean(name, names.iter().map(String::as_str), "; SHOW TABLES lists those that are there");
    Error::Sql(format!("no table '{name}'{like}"))
}

/// The innermost remark on the way to the root.
fn context(error: &DataFusionError) -> Option<&str> {
    match error {
        DataFusionError::Context(remark, inner) => context(inner).or(Some(remark)),
        _ => None,
    }
}

/// The engine asks for a report to its own authors, even where the query is at fault.
fn without_advice(message: &str) -> String {
    const FROM: &str = ".\nThis issue was likely caused by a bug in DataFusion's code.";
    const TO: &str = "https://github.com/apache/datafusion/issues";
    match (message.find(FROM), message.rfind(TO)) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &message[..from], &message[to + TO.len()..]),
        _ => message.to_string(),
    }
}

/// Without the prefixes that a nested error may have carried along as text.
fn strip(mut message: &str) -> &str {
    const PREFIXES: [&str; 12] = [
        "Internal error: ",
        "Error during planning: ",
        "Execution error: ",
        "External error: ",
        "External: ",
        "Schema error: ",
        "Arrow error: ",
        "Invalid argument error: ",
        "Invalid or Unsupported Configuration: ",
        "Parquet error: ",
        "Cast error: ",
        "DataFusion error: ",
    ];
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        message = rest;
    }
    message.trim_end()
}

fn syntax(message: &str) -> &str {
    match message.strip_prefix("sql parser error: ").unwrap_or(message) {
        "recursion limit exceeded" => "parentheses, calls or subqueries lie in one another too deep",
        said => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::errors::ParquetError;

    #[test]
    fn prefixes_and_contexts_go_and_the_sentence_stays() {
        let error = DataFusionError::Plan("no table 'tmoo'".into()).context("planning");
        assert_eq!(Error::from(error).to_string(), "no table 'tmoo'");
        let nested = DataFusionError::Execution("Execution error: External error: disk full".into());
        assert_eq!(Error::from(nested).to_string(), "disk full");
    }

    #[test]
    fn a_value_that_cannot_be_read_is_named_and_foreign_advice_is_dropped() {
        let parse = "x".parse::<usize>().unwrap_err();
        let error = DataFusionError::External(Box::new(parse)).context("Error parsing 'x' as usize");
        assert_eq!(Error::from(error).to_string(), "Error parsing 'x' as usize: invalid digit found in string");
        let internal = DataFusionError::Plan(DataFusionError::Internal("sum of a STRUCT".into()).to_string());
        assert_eq!(Error::from(internal).to_string(), "sum of a STRUCT");
    }

    #[tokio::test]
    async fn what_the_engine_says_of_calls_and_options_is_one_sentence() {
        let session = crate::Session::without_store();
        for (sql, said) in [
            ("SELECT voi('a')", "no function 'voi'; did you mean 'void'?"),
            ("SELECT sqrt('x')", "there is no sqrt(Utf8); there is sqrt("),
            ("SET hollandite.nope = 3", "no option ends in 'nope'; SHOW ALL lists them"),
            ("SELECT CAST('a' AS INT)", "Cannot cast string 'a'"),
        ] {
            let error = match session.sql(sql).await {
                Ok(frame) => frame.collect().await.map_err(Error::from).unwrap_err(),
                Err(error) => error,
            };
            let error = error.to_string();
            assert!(error.starts_with(said) && !error.contains('\n'), "{sql}: {error}");
        }
    }

    #[test]
    fn an_unknown_column_names_the_nearest_or_a_few() {
        let valid: Vec<Column> =
            ["id", "void", "volume", "density", "natoms", "band_gap", "split", "extra", "class", "source"]
                .map(|name| Column::new(Some("tmo"), name))
                .to_vec();
        let ask = |name: &str| no_column(&Column::new_unqualified(name), &valid);
        assert_eq!(ask("voidd"), "no column 'voidd'; did you mean 'void'?");
        let far = ask("TiO2");
        assert!(far.contains("single quotes: 'TiO2'") && far.ends_with("extra and 2 more"), "{far}");
        assert!(!ask("xyzzy").contains("single quotes"));
    }

    #[tokio::test]
    async fn a_truncated_parquet_file_is_named_once_and_its_error_is_the_source() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"PAR1 and no footer").unwrap();
        let path = file.path().to_str().unwrap();
        let query = format!("SELECT * FROM read_parquet('{path}')");
        let error = crate::Session::without_store().sql(&query).await.unwrap_err();
        let first: &dyn std::error::Error = &error;
        let cause = std::iter::successors(Some(first), |e| e.source()).find_map(|e| e.downcast_ref::<ParquetError>());
        let cause = cause.unwrap_or_else(|| panic!("no source: {error:?}")).to_string();
        let (text, cause) = (error.to_string(), cause.trim_start_matches("Parquet error: "));
        assert_eq!((text.matches(path).count(), text.matches(cause).count()), (1, 1), "{text}");
    }

    #[test]
    fn what_stands_behind_an_error_of_ours_does_not_take_its_place() {
        let engine = DataFusionError::Execution("the disk is full".into());
        let ours = StoreError::lake("importing")(engine.context("writing"));
        let text = ours.to_string();
        assert_eq!(Error::from(DataFusionError::from(ours)).to_string(), text);
    }

    #[test]
    fn our_own_error_crosses_the_engine_unchanged() {
        let ours = Error::Crystal(CrystalError::UnknownElement("Xx".into()));
        let text = ours.to_string();
        assert_eq!(Error::from(DataFusionError::from(ours).context("while optimising")).to_string(), text);
    }
}
