//! What the server bounds.

use std::time::Duration;

/// Bounds for everybody together and for each request.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Memory of all queries together, bytes. What does not fit is written to temporary files, or refused.
    pub memory: usize,
    /// Temporary files of all queries together, bytes.
    pub spill: u64,
    /// How long planning and computing an answer may take.
    pub timeout: Duration,
    /// Queries that run at a time.
    pub queries: usize,
    /// Queries that wait for their turn; the next one is turned away.
    pub waiting: usize,
    /// Most rows of an answer.
    pub rows: usize,
    /// Longest text of a statement, bytes.
    pub text: usize,
    /// Most words and operators of a statement, as [`store::depth`] counts them: the time that a chain of them takes to plan grows
    /// faster than its length.
    pub depth: usize,
    /// Longest body of a request, bytes.
    pub body: usize,
    /// Most parameters of a statement.
    pub parameters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 4 << 30,
            spill: 16 << 30,
            timeout: Duration::from_secs(60),
            queries: 4,
            waiting: 16,
            rows: 1_000_000,
            text: 64 << 10,
            depth: 2_000,
            body: 1 << 20,
            parameters: 1000,
        }
    }
}

/// What is allowed beyond cheap queries, and what is kept of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Functions that walk along an energy surface, minutes for a row.
    pub relax: bool,
    /// Trainings, minutes to hours each, which write a model.
    pub train: bool,
    /// Nothing kept in the store: what models answer is computed again the next time.
    pub keep_nothing: bool,
}
