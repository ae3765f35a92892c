//! Which snapshot a store was at, at a moment.

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::string_to_datetime;

use super::lake::Store;
use crate::StoreError;

/// When a snapshot was made, as SQLite understands it: clients write offsets of hours alone (`+09`).
pub(super) const SNAPSHOT_TIME: &str =
    "CASE WHEN snapshot_time GLOB '* *[+-][0-9][0-9]' THEN snapshot_time || ':00' ELSE snapshot_time END";

/// `sql`, which asks the catalog what lives now (`alias.end_snapshot IS NULL`), asking what lived at a snapshot.
pub(super) fn as_of(sql: &str, snapshot: Option<i64>) -> String {
    let Some(at) = snapshot else { return sql.to_owned() };
    ["d", "f", "t"].into_iter().fold(sql.to_owned(), |sql, alias| {
        let then = format!(
            "({alias}.begin_snapshot <= {at} AND ({alias}.end_snapshot IS NULL OR {alias}.end_snapshot > {at}))"
        );
        sql.replace(&format!("{alias}.end_snapshot IS NULL"), &then)
    })
}

/// A moment in microseconds since 1970, UTC: `2026-05-01`, `2026-05-01 12:30`, with or without an offset (`+02`); without one it
/// is UTC.
///
/// # Errors
/// Text that is no date.
pub fn moment(text: &str) -> Result<i64, StoreError> {
    let refused =
        || StoreError::Statement(format!("'{text}' is not a date or time; write 2026-05-01 or 2026-05-01 12:30:00"));
    let utc: Tz = "+00:00".parse().map_err(|_| refused())?;
    // Hours and minutes alone are common, and not of the standard.
    let whole = match text.trim().split_once([' ', 'T']) {
        Some((_, time)) if time.len() == 5 => format!("{}:00", text.trim()),
        _ => text.trim().to_owned(),
    };
    Ok(string_to_datetime(&utc, &whole).map_err(|_| refused())?.timestamp_micros())
}

impl Store {
    /// The snapshot that was the newest at a moment, in microseconds since 1970, UTC.
    ///
    /// # Errors
    /// A moment before the first snapshot, or a catalog that cannot be read.
    pub fn snapshot_at(&self, micros: i64) -> Result<i64, StoreError> {
        let connection = self.connect()?;
        let mut statement = connection.prepare(&format!(
            "SELECT snapshot_id, strftime('%Y-%m-%d %H:%M:%f', {SNAPSHOT_TIME}) FROM ducklake_snapshot ORDER BY snapshot_id"
        ))?;
        let snapshots: Vec<(i64, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut newest = None;
        for (id, time) in &snapshots {
            if moment(time)? <= micros {
                newest = Some(*id);
            }
        }
        newest.ok_or_else(|| {
            let first = snapshots.first().map_or("no moment", |(_, time)| time.as_str());
            StoreError::Statement(format!("the store had no snapshot then; its first is of {first}, UTC"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_offset() {
        assert_eq!(moment("1970-01-02").unwrap(), 86_400_000_000);
        assert_eq!(moment("1970-01-01 00:00:01.5").unwrap(), 1_500_000);
        assert_eq!(moment("1970-01-01 02:00").unwrap(), 7_200_000_000);
        assert_eq!(moment("1970-01-01 02:00:00+02").unwrap(), 0);
        assert!(moment("yesterday").unwrap_err().to_string().contains("is not a date"));
    }
}
