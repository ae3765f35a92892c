//! The `\` commands.

use std::path::PathBuf;

/// What `\?` prints.
pub const HELP: &str = r"\d            tables
\d TABLE      columns of a table, with their types and meaning
\dt           tables
\df           functions for crystals
\df NAME      one function, with its arguments and an example
\describe Q   count, mean, std, min, quartiles and max of each column of a query
\timing       print how long statements take, or stop to
\o FILE       write each result to FILE, in place of the one before (.csv, .json, .jsonl, .parquet, or else a table)
\o            print results here again
\?            this list
\q            leave
Statements end with ; and may run over several lines. Ctrl-C stops a query, Ctrl-D leaves.
";

/// A parsed command.
#[derive(Debug, PartialEq, Eq)]
pub enum Meta {
    /// `\d`, `\dt`
    Tables,
    /// `\d TABLE`
    Table(String),
    /// `\df [NAME]`
    Functions(Option<String>),
    /// `\describe QUERY`
    Describe(String),
    /// `\timing`
    Timing,
    /// `\o [FILE]`
    Output(Option<PathBuf>),
    /// `\?`
    Help,
    /// `\q`
    Quit,
}

impl Meta {
    /// Read a line that starts with `\`.
    pub fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = Some(rest.trim().to_string()).filter(|a| !a.is_empty());
        match (name, argument) {
            (r"\d", Some(table)) => Ok(Self::Table(table)),
            (r"\d" | r"\dt", None) => Ok(Self::Tables),
            (r"\df", name) => Ok(Self::Functions(name)),
            (r"\describe", Some(query)) => Ok(Self::Describe(query)),
            (r"\describe", None) => Err(r"\describe needs a query, for instance \describe SELECT void FROM tmo".into()),
            (r"\timing", None) => Ok(Self::Timing),
            (r"\o", file) => Ok(Self::Output(file.map(PathBuf::from))),
            (r"\?" | r"\h", None) => Ok(Self::Help),
            (r"\q", None) => Ok(Self::Quit),
            (r"\dt" | r"\timing" | r"\?" | r"\h" | r"\q", Some(extra)) => {
                Err(format!("{name} takes no argument, found '{extra}'"))
            }
            _ => Err(format!(r"there is no command {name}; \? lists them")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_their_arguments() {
        let cases = [
            (r"\d", Meta::Tables),
            (r" \dt ", Meta::Tables),
            (r"\d tmo;", Meta::Table("tmo".into())),
            (r"\df void", Meta::Functions(Some("void".into()))),
            (r"\describe SELECT void FROM tmo;", Meta::Describe("SELECT void FROM tmo".into())),
            (r"\o a b.csv", Meta::Output(Some("a b.csv".into()))),
            (r"\o", Meta::Output(None)),
            (r"\q", Meta::Quit),
        ];
        for (line, meta) in cases {
            assert_eq!(Meta::parse(line), Ok(meta), "{line}");
        }
    }

    #[test]
    fn mistakes_are_answered_with_the_remedy() {
        assert!(Meta::parse(r"\x").unwrap_err().contains(r"\?"));
        assert!(Meta::parse(r"\q now").unwrap_err().contains("no argument"));
        assert!(Meta::parse(r"\describe").unwrap_err().contains("needs a query"));
    }

    #[test]
    fn the_help_names_every_command() {
        for name in [r"\d ", r"\dt", r"\df", r"\describe", r"\timing", r"\o", r"\?", r"\q"] {
            assert!(HELP.lines().any(|l| l.starts_with(name)), "{name}");
        }
    }
}
