//! What was asked and answered, as Prometheus reads it.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::Kind;

/// Doors that are counted apart.
pub(crate) const DOORS: [&str; 3] = ["http", "flight", "mcp"];

/// Counters that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// By door: what was answered, then the kinds of refusals.
    outcomes: [[AtomicU64; Kind::ALL.len() + 1]; DOORS.len()],
    /// By door, microseconds.
    micros: [AtomicU64; DOORS.len()],
    rows: AtomicU64,
}

impl Counts {
    /// One more request by a door, and how long it took.
    pub fn ended(&self, door: &str, kind: Option<Kind>, took: Duration) {
        let door = DOORS.iter().position(|known| *known == door).unwrap_or_default();
        let outcome = kind.map_or(0, |kind| 1 + Kind::ALL.iter().position(|known| *known == kind).unwrap_or_default());
        self.outcomes[door][outcome].fetch_add(1, Ordering::Relaxed);
        self.micros[door].fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// So many rows more.
    pub fn rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// In the text format of Prometheus, with what runs and waits now.
    pub fn text(&self, (running, waiting): (usize, usize)) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: Vec<(String, String)>| {
            let _ = writeln!(text, "# HELP hollandite_{name} {help}\n# TYPE hollandite_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "hollandite_{name}{labels} {value}");
            }
        };
        let one = |value: String| vec![(String::new(), value)];
        let mut requests = Vec::new();
        let mut seconds = Vec::new();
        for (door, name) in DOORS.iter().enumerate() {
            let words = std::iter::once("ok").chain(Kind::ALL.map(Kind::word));
            for (word, count) in words.zip(&self.outcomes[door]) {
                let count = count.load(Ordering::Relaxed);
                requests.push((format!("{{door=\"{name}\",outcome=\"{word}\"}}"), count.to_string()));
            }
            let micros = self.micros[door].load(Ordering::Relaxed);
            seconds.push((format!("{{door=\"{name}\"}}"), format!("{:.6}", micros as f64 / 1e6)));
        }
        metric("requests_total", "counter", "Requests that ended, by door and outcome.", requests);
        metric("request_seconds_total", "counter", "Time that they took.", seconds);
        metric(
            "rows_total",
            "counter",
            "Rows that were given out.",
            one(self.rows.load(Ordering::Relaxed).to_string()),
        );
        metric("queries_running", "gauge", "Queries that run.", one(running.to_string()));
        metric("queries_waiting", "gauge", "Queries that wait for their turn.", one(waiting.to_string()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_counted_by_door_and_outcome() {
        let counts = Counts::default();
        counts.ended("http", None, Duration::from_millis(1500));
        counts.ended("flight", Some(Kind::Busy), Duration::ZERO);
        counts.rows(7);
        let text = counts.text((2, 1));
        for line in [
            "hollandite_requests_total{door=\"http\",outcome=\"ok\"} 1",
            "hollandite_requests_total{door=\"flight\",outcome=\"busy\"} 1",
            "hollandite_request_seconds_total{door=\"http\"} 1.500000",
            "hollandite_rows_total 7",
            "hollandite_queries_running 2",
            "# TYPE hollandite_queries_waiting gauge",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
