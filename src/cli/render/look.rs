//! How tables look on a terminal, as the user set it.

/// Whether a row is printed as a line of a table, or as a record with a line for each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expanded {
    /// Records where the table is wider than the terminal.
    #[default]
    Auto,
    /// Records.
    On,
    /// A table, however wide.
    Off,
}

/// How tables look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Lines or records.
    pub expanded: Expanded,
    /// Whether lists, structs and crystals are printed whole, and not cut to what fits a column.
    pub full: bool,
    /// Whether a result that is longer than the terminal goes through a pager.
    pub pager: bool,
}

/// Columns and rows of the terminal.
pub(crate) fn terminal() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size()?;
    Some((columns.0.into(), rows.0.into()))
}
