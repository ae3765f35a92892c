//! What went wrong without ending the query. A screening query over thousands of crystals should not die of one of them: the row
//! answers NULL, its reason is counted here, and the caller prints the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// How many distinct reasons a summary lists.
const LISTED: usize = 5;
/// How many distinct reasons are listed; later ones are only counted.
const KEPT: usize = 1000;

/// Counts reasons for NULL by function.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    rows: BTreeMap<(String, String), usize>,
    others: usize,
    remarks: BTreeSet<String>,
}

impl Counts {
    fn add(&mut self, function: String, reason: String, n: usize) {
        let key = (function, reason);
        if let Some(found) = self.rows.get_mut(&key) {
            *found += n;
        } else if self.rows.len() < KEPT {
            self.rows.insert(key, n);
        } else {
            self.others += n;
        }
    }
}

/// Warnings on their way from one session to another.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Carried {
    rows: Vec<(String, String, usize)>,
    others: usize,
    remarks: BTreeSet<String>,
}

impl Warnings {
    /// One more row on which `function` answered NULL for `reason`.
    pub fn note(&self, function: &str, reason: impl Into<String>) {
        self.counts().add(function.to_owned(), reason.into(), 1);
    }

    /// Something that changed no row; said once.
    pub fn remark(&self, sentence: impl Into<String>) {
        self.counts().remarks.insert(sentence.into());
    }

    /// What was counted since the last call, to be added to the warnings of another session; `None` where that is nothing.
    pub fn carried(&self) -> Option<Carried> {
        let Counts { rows, others, remarks } = std::mem::take(&mut *self.counts());
        let rows: Vec<_> = rows.into_iter().map(|((function, reason), n)| (function, reason, n)).collect();
        let something = !rows.is_empty() || others > 0 || !remarks.is_empty();
        something.then_some(Carried { rows, others, remarks })
    }

    /// Adds what another session counted.
    pub fn add(&self, carried: Carried) {
        let mut counts = self.counts();
        for (function, reason, n) in carried.rows {
            counts.add(function, reason, n);
        }
        counts.others += carried.others;
        counts.remarks.extend(carried.remarks);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The summary since the last call, one sentence a reason, most frequent first, and forgets it.
    pub fn take(&self) -> Vec<String> {
        let counts = std::mem::take(&mut *self.counts());
        let mut reasons: Vec<_> = counts.rows.into_iter().collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let rest: usize = reasons.iter().skip(LISTED).map(|(_, n)| n).sum::<usize>() + counts.others;
        let mut lines: Vec<String> = reasons
            .into_iter()
            .take(LISTED)
            .map(|((function, reason), n)| format!("{function} is NULL for {}: {reason}", rows(n)))
            .collect();
        if rest > 0 {
            lines.push(format!("and NULL for {} for other reasons", rows(rest)));
        }
        lines.extend(counts.remarks);
        lines
    }
}

fn rows(n: usize) -> String {
    if n == 1 { "1 row".to_string() } else { format!("{n} rows") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_most_frequent_first_and_forgotten() {
        let warnings = Warnings::default();
        warnings.note("predict_ef", "Tc is not covered");
        for _ in 0..2 {
            warnings.note("void", "flat lattice");
        }
        assert_eq!(
            warnings.take(),
            ["void is NULL for 2 rows: flat lattice", "predict_ef is NULL for 1 row: Tc is not covered"]
        );
        assert!(warnings.take().is_empty());
    }

    #[test]
    fn a_flood_of_reasons_is_summed_up() {
        let warnings = Warnings::default();
        for i in 0..KEPT + 10 {
            warnings.note("structure", format!("line {i}"));
        }
        let lines = warnings.take();
        assert_eq!(lines.len(), LISTED + 1);
        assert_eq!(lines[LISTED], format!("and NULL for {} rows for other reasons", KEPT + 10 - LISTED));
    }
}
