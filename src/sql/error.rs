//! The boundary: DataFusion's nested error becomes one sentence.

use datafusion::common::DataFusionError;

use crate::columns::structure_type;
use crate::error::Error;

impl From<DataFusionError> for Error {
    /// Keeps our own error if one is inside, otherwise the innermost message without the engine's prefixes.
    fn from(error: DataFusionError) -> Self {
        Self::Sql(sentence(&error))
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

/// What a person is told.
fn sentence(error: &DataFusionError) -> String {
    let root = error.find_root();
    let message = match root {
        DataFusionError::External(inner) => inner.to_string(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::SQL(inner, _) => return format!("SQL syntax: {}", syntax(&inner.to_string())),
        DataFusionError::Internal(message) => message.clone(),
        other => other.message().into_owned(),
    };
    let message = message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default();
    let message = strip(&message.replace(&structure_type().to_string(), "STRUCTURE")).to_string();
    // A value that cannot be read is worth nothing without the value.
    match context(error) {
        Some(parsing) if parsing.starts_with("Error parsing") => format!("{parsing}: {message}"),
        _ => without_advice(&message),
    }
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
    const PREFIXES: [&str; 11] = [
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
        "DataFusion error: ",
    ];
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        message = rest;
    }
    message.trim_end()
}

fn syntax(message: &str) -> &str {
    message.strip_prefix("sql parser error: ").unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CrystalError;

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

    #[test]
    fn our_own_error_crosses_the_engine_unchanged() {
        let ours = Error::Crystal(CrystalError::UnknownElement("Xx".into()));
        let text = ours.to_string();
        assert_eq!(Error::from(DataFusionError::from(ours).context("while optimising")).to_string(), text);
    }
}
