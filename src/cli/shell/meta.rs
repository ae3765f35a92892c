//! The `\` commands.

use std::path::PathBuf;

use crate::cli::render::Expanded;

/// What `\?` prints.
pub const HELP: &str = r"\d            tables
\d TABLE      columns of a table, with their types and meaning
\dt           tables
\df           functions for crystals
\df NAME      one function, with its arguments and an example
\describe Q   count, mean, std, min, quartiles and max of each column of a query
\x [HOW]      print each row as a record, a line for each column: on, off, or auto (where a table is too wide for the terminal)
\full [HOW]   print lists, structs and crystals whole, and not cut to fit: on or off
\pager [HOW]  show what is longer than the terminal in $PAGER: on or off
\timing       print how long statements take, or stop to
\o FILE       write each result to FILE, in place of the one before (.csv, .json, .jsonl, .parquet, or else a table)
\o            print results here again
\?            this list
\q            leave; quit and exit do too
SUMMARIZE Q   as \describe, of a table or a query; DESCRIBE T as \d T
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
    /// `\x [on|off|auto]`; `None`: the other of on and off.
    Expanded(Option<Expanded>),
    /// `\full [on|off]`
    Full(Option<bool>),
    /// `\pager [on|off]`, `\pset pager [on|off]`
    Pager(Option<bool>),
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
    /// Words that work without `\`: `quit`, `exit`, `help`.
    pub(crate) fn of_word(text: &str) -> Option<Self> {
        let word = text.trim().trim_end_matches(';').trim_end();
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        match () {
            () if is("quit") || is("exit") => Some(Self::Quit),
            () if is("help") => Some(Self::Help),
            () => None,
        }
    }

    /// Read a line that starts with `\`.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim().trim_end_matches(';').trim_end();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = Some(rest.trim().to_string()).filter(|a| !a.is_empty());
        match (name, argument) {
            (r"\d", Some(table)) => Ok(Self::Table(table)),
            (r"\d" | r"\dt", None) => Ok(Self::Tables),
            (r"\df", name) => Ok(Self::Functions(name)),
            (r"\describe", Some(query)) => Ok(Self::Describe(query)),
            (r"\describe", None) => Err(r"\describe needs a query, for instance \describe SELECT void FROM tmo".into()),
            (r"\x", how) => expanded(how).map(Self::Expanded),
            (r"\full", how) => on_or_off(name, how).map(Self::Full),
            (r"\pager", how) => on_or_off(name, how).map(Self::Pager),
            (r"\pset", Some(setting)) => match setting.split_once(char::is_whitespace).unwrap_or((&setting, "")) {
                ("pager", how) => {
                    on_or_off(name, Some(how.trim().into()).filter(|h: &String| !h.is_empty())).map(Self::Pager)
                }
                ("expanded" | "x", how) => {
                    expanded(Some(how.trim().into()).filter(|h: &String| !h.is_empty())).map(Self::Expanded)
                }
                (other, _) => Err(format!(r"\pset knows pager and expanded, not '{other}'")),
            },
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

fn expanded(how: Option<String>) -> Result<Option<Expanded>, String> {
    match how.as_deref() {
        None => Ok(None),
        Some("on") => Ok(Some(Expanded::On)),
        Some("off") => Ok(Some(Expanded::Off)),
        Some("auto") => Ok(Some(Expanded::Auto)),
        Some(other) => Err(format!(r"\x takes on, off or auto, found '{other}'")),
    }
}

fn on_or_off(name: &str, how: Option<String>) -> Result<Option<bool>, String> {
    match how.as_deref() {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(other) => Err(format!("{name} takes on or off, found '{other}'")),
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
            (r"\x", Meta::Expanded(None)),
            (r"\x auto", Meta::Expanded(Some(Expanded::Auto))),
            (r"\full on", Meta::Full(Some(true))),
            (r"\pset pager off", Meta::Pager(Some(false))),
            (r"\pset pager", Meta::Pager(None)),
        ];
        for (line, meta) in cases {
            assert_eq!(Meta::parse(line), Ok(meta), "{line}");
        }
    }

    #[test]
    fn words_that_leave_need_no_backslash() {
        for (text, meta) in [("quit", Meta::Quit), ("EXIT;", Meta::Quit), (" help ", Meta::Help)] {
            assert_eq!(Meta::of_word(text), Some(meta), "{text}");
        }
        assert_eq!(Meta::of_word("SELECT 1"), None);
        assert_eq!(Meta::of_word("quit now"), None);
    }

    #[test]
    fn mistakes_are_answered_with_the_remedy() {
        assert!(Meta::parse(r"\z").unwrap_err().contains(r"\?"));
        assert!(Meta::parse(r"\x wide").unwrap_err().contains("on, off or auto"));
        assert!(Meta::parse(r"\pset border 2").unwrap_err().contains("pager"));
        assert!(Meta::parse(r"\q now").unwrap_err().contains("no argument"));
        assert!(Meta::parse(r"\describe").unwrap_err().contains("needs a query"));
    }

    #[test]
    fn the_help_names_every_command() {
        for name in
            [r"\x ", r"\full ", r"\pager ", r"\d ", r"\dt", r"\df", r"\describe", r"\timing", r"\o", r"\?", r"\q"]
        {
            assert!(HELP.lines().any(|l| l.starts_with(name)), "{name}");
        }
    }
}
