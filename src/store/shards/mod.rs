//! Shards: one job on many machines that share a folder.
//!
//! A run is divided into shards by content hash. Each works in a branch of the store, `STORE/shards/RUN/003-of-016`, which is a store
//! itself: its catalog is a copy of the one that the run found, whose files stay where they are, and what the shard writes is in the
//! branch. So every job runs as it always does, reuses what the store has, and goes on where it was killed. The catalog of the store
//! itself is read once, by the shard that begins the run; the others copy the copy. [`Store::merge_run`] adds what the branches hold to
//! the store, in one snapshot.
//!
//! ```text
//! STORE/shards/RUN/run.json            what is asked, of which snapshot, in how many shards
//! STORE/shards/RUN/base.sqlite         the catalog as the run found it
//! STORE/shards/RUN/003-of-016/         the branch of shard 3, with its manifest shard.json
//! STORE/shards/RUN/merged.json         that the run is merged, and into which snapshot
//! ```

mod branch;
mod caches;
mod lent;
mod manifest;
mod merge;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crystal::ContentHash;

use super::lake::Store;
use crate::StoreError;

pub use branch::Branch;
pub use lent::Lent;
pub(super) use manifest::main_store;
pub use manifest::{Manifest, Plan};
pub use merge::MergeSummary;

/// The folder of the runs.
const FOLDER: &str = "shards";
/// The plan of a run.
const RUN_FILE: &str = "run.json";
/// The catalog that the run found.
const BASE_FILE: &str = "base.sqlite";
/// The manifest of a shard.
const SHARD_FILE: &str = "shard.json";
/// Says that a run is merged.
const MERGED_FILE: &str = "merged.json";
/// Under which the answers for rows are counted: the table that shows them.
const PREDICTIONS: &str = "predictions";
/// Most shards of a run.
const MOST: u32 = 10_000;

/// One of so many parts of all crystals, by the leading 64 bits of their content hashes: equal ranges, so that a shard is a
/// comparison of text which the statistics of files know too, and all rows of one crystal are in the same shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// All of it.
    const WHOLE: Self = Self { number: 1, of: 1 };

    /// Shard `number`, from 1, of `of`; `None` where there is no such shard.
    pub fn new(number: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&number).then_some(Self { number, of }).filter(|_| of <= MOST)
    }

    /// Its number, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The leading bits at which the shard after `number` begins; `None` behind the last.
    fn end(self, number: u32) -> Option<u64> {
        u64::try_from((u128::from(number) << 64) / u128::from(self.of)).ok()
    }

    /// Whether a crystal belongs to it.
    pub fn holds(self, hash: ContentHash) -> bool {
        let lead = (hash.0 >> 64) as u64;
        self.end(self.number - 1).is_none_or(|begin| lead >= begin)
            && self.end(self.number).is_none_or(|end| lead < end)
    }

    /// The SQL condition on a column with content hashes, 32 hex digits. Rows without one belong to the first shard.
    pub fn condition(self, column: &str) -> String {
        let digits = |bits: u64| format!("'{bits:016x}'");
        let end = self.end(self.number).map(|end| format!("{column} < {}", digits(end)));
        let begin = self.end(self.number - 1).filter(|&begin| begin > 0);
        match (begin.map(|begin| format!("{column} >= {}", digits(begin))), end) {
            (None, None) => "true".into(),
            (None, Some(end)) => format!("({column} IS NULL OR {end})"),
            (Some(begin), None) => begin,
            (Some(begin), Some(end)) => format!("({begin} AND {end})"),
        }
    }

    /// The name of its folder, and what the name of a file that it writes ends with.
    pub fn label(self) -> String {
        format!("{:03}-of-{:03}", self.number, self.of)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pair =
            text.split_once('/').and_then(|(number, of)| Some((number.trim().parse().ok()?, of.trim().parse().ok()?)));
        let shard = pair.and_then(|(number, of)| Self::new(number, of));
        shard.ok_or_else(|| format!("expected a shard and their number, as in 3/16; from 1 and up to {MOST}"))
    }
}

/// What stands against a run.
fn refused(run: &str, message: impl Into<String>) -> StoreError {
    StoreError::Run { run: run.to_owned(), message: message.into() }
}

/// The folder of a run of the store in `store`.
fn run_folder(store: &Path, run: &str) -> PathBuf {
    store.join(FOLDER).join(run)
}

impl Store {
    /// The folder of a run.
    fn run_folder(&self, run: &str) -> PathBuf {
        run_folder(self.dir(), run)
    }

    /// The names of the runs that were begun, in order.
    pub fn runs(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir().join(FOLDER)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter(|entry| entry.path().join(RUN_FILE).is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !is_draft(Path::new(name)))
            .collect();
        names.sort();
        names
    }
}

/// Whether a folder is one that was being made when its process was killed.
fn is_draft(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_belongs_to_one_shard_and_the_condition_says_which() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let last = [0, 1, u128::MAX, u128::MAX << 64, 1 << 127, (1 << 127) - 1];
        let spread = (0..200_u128).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let hashes: Vec<ContentHash> = last.into_iter().chain(spread).map(ContentHash).collect();
        for of in [1, 2, 3, 16, 1000, MOST] {
            let shards: Vec<Shard> = (1..=of).map(|number| Shard::new(number, of).unwrap()).collect();
            for &hash in &hashes {
                let holders: Vec<&Shard> = shards.iter().filter(|shard| shard.holds(hash)).collect();
                assert_eq!(holders.len(), 1, "{hash} of {of}");
                let sql = format!("SELECT {} FROM (SELECT '{hash}' AS h)", holders[0].condition("h"));
                assert!(connection.query_row(&sql, [], |row| row.get::<_, bool>(0)).unwrap(), "{sql}");
            }
            let nulls = shards.iter().filter(|shard| {
                let sql = format!("SELECT {} FROM (SELECT NULL AS h)", shard.condition("h"));
                connection.query_row(&sql, [], |row| row.get::<_, Option<bool>>(0)).unwrap() == Some(true)
            });
            assert_eq!(nulls.count(), 1, "{of}");
        }
        let quarter = Shard::new(2, 4).unwrap();
        assert_eq!(quarter.condition("h"), "(h >= '4000000000000000' AND h < '8000000000000000')");
    }

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        assert_eq!("3/16".parse::<Shard>().unwrap().to_string(), "3/16");
        assert_eq!(Shard::new(3, 16).unwrap().label(), "003-of-016");
        for text in ["0/16", "17/16", "3", "3/", "a/b", "-1/4", "1/0", "1/10001"] {
            assert!(text.parse::<Shard>().unwrap_err().contains("3/16"), "{text}");
        }
    }
}
