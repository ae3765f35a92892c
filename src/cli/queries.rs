//! The stored queries of `queries/*.sql`, built in and run by name: `hollandite sql tunnels`.

use super::CliError;

/// A question with its answer in SQL.
pub struct Query {
    /// Name, that of the file.
    pub name: &'static str,
    /// The statement under its header comment.
    pub sql: &'static str,
}

/// A query of the user.
#[derive(Clone, Copy)]
pub enum Asked<'a> {
    /// A stored query, by its name.
    Stored(&'static Query),
    /// Statements of their own.
    Statements(&'a str),
}

impl<'a> Asked<'a> {
    /// The statements.
    pub fn sql(self) -> &'a str {
        match self {
            Self::Stored(query) => query.sql,
            Self::Statements(text) => text,
        }
    }
}

macro_rules! queries {
    ($($name:literal)*) => {
        [$(Query { name: $name, sql: include_str!(concat!("../../queries/", $name, ".sql")) }),*]
    };
}

/// All of them.
pub const QUERIES: [Query; 40] = queries![
    "screen" "tunnels" "classes" "polymorphs" "fig2a" "fig2b" "fig2c" "fig2d" "fig2d_bins" "fig2_elements" "porosity"
    "fig8" "fig9" "fig10a" "fig10b" "model_error" "error_by_chemistry" "error_by_class" "error_by_distance" "worst" "coverage"
    "coverage_by_kind" "errors" "label_check"
    "fig4" "fig5" "table1" "table2" "trends" "trend_points" "paper_adsorption" "screen_ca"
    "screen_ions" "voltages" "voltages_relaxed" "voltages_inserted" "voltage_errors"
    "funnel" "funnel_candidates" "sun"
];

impl Query {
    /// The query of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        QUERIES.iter().find(|q| q.name == name)
    }

    /// What `text` asks for: a stored query where it is a single word, for no statement of SQL is one; else the statements that it is.
    ///
    /// # Errors
    /// A word that is no stored query's name.
    pub fn of_text(text: &str) -> Result<Asked<'_>, CliError> {
        let word = text.trim();
        if word.is_empty() || word.contains(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-' || c == '.')) {
            return Ok(Asked::Statements(text));
        }
        Self::named(word.trim_end_matches(".sql")).map(Asked::Stored).ok_or_else(|| {
            let known = QUERIES.iter().map(|q| q.name).collect::<Vec<_>>().join(", ");
            CliError::Usage(format!(
                "there is no stored query '{word}'; there are {known}. A table is read with SELECT * FROM {word}"
            ))
        })
    }

    /// A line of the header comment, by its label: `What`, `Why` or `Figure`.
    pub fn header(&self, label: &str) -> Option<String> {
        let mut lines = self.sql.lines().map_while(|line| line.strip_prefix("--")).map(str::trim);
        let label = format!("{label}:");
        let first = lines.find_map(|line| line.strip_prefix(label.as_str()))?;
        let more = lines.take_while(|line| !["What:", "Why:", "Figure:"].iter().any(|l| line.starts_with(l)));
        Some(more.fold(first.trim().to_string(), |text, line| text + " " + line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in_and_says_what_why_and_which_figure() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|f| f.unwrap().file_name().to_str()?.strip_suffix(".sql").map(str::to_string))
            .collect();
        files.sort();
        let mut names: Vec<_> = QUERIES.iter().map(|q| q.name).collect();
        names.sort();
        assert_eq!(files, names);
        for query in &QUERIES {
            for label in ["What", "Why", "Figure"] {
                assert!(query.header(label).is_some_and(|t| t.len() > 5), "{}.sql lacks '-- {label}:'", query.name);
            }
        }
    }

    #[test]
    fn a_header_may_run_over_several_lines() {
        let query = Query { name: "x", sql: "-- What: one\n--   two\n-- Why: three\nSELECT 1" };
        assert_eq!(query.header("What").as_deref(), Some("one two"));
        assert_eq!(query.header("Figure"), None);
    }
}
