//! `hollandite report`: the options of a page.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::At;

/// `hollandite report`
#[derive(Debug, ClapArgs)]
pub struct Report {
    /// The screening: a query, best first, or the name of a stored one (see `hollandite sql --list`); statements before it, such
    /// as SET, are run
    #[arg(value_name = "QUERY|NAME", required_unless_present = "file")]
    pub query: Option<String>,
    /// Read the query from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "query")]
    pub file: Option<PathBuf>,
    /// File to write
    #[arg(long, value_name = "FILE.html")]
    pub to: PathBuf,
    /// Query that counts the steps of the screening, with the columns what and count, or the name of a stored one, as for `plot
    /// funnel` [default: the conditions of the query itself, where it reads one table]
    #[arg(long, value_name = "QUERY|NAME")]
    pub funnel: Option<String>,
    /// How many of the first crystals get a card
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub cards: usize,
    /// How many of the first rows stand in the table
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: u32,
    /// Table in which a row's crystal is looked up by its id, where the query returns no crystals
    #[arg(long, value_name = "NAME", default_value = "tmo")]
    pub table: String,
    /// Model whose prediction and interval stand on the cards [default: the one that the query asks, else the embedded one]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Heading of the page [default: the name of the stored query, or "Screening"]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Which state of the store to read
    #[command(flatten)]
    pub at: At,
}
