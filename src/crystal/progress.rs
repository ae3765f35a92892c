//! How far a job is, for the user who waits.

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What is done, in [`Done::unit`].
    pub done: u64,
    /// The total; `None` where that is known only at the end.
    pub of: Option<u64>,
    /// What is counted: `rows`, `bytes`.
    pub unit: &'static str,
    /// A remark, such as `1200 crystals, 3 refused`; may be empty.
    pub words: String,
}

impl Done {
    /// Progress in rows.
    pub fn rows(done: u64, of: u64) -> Self {
        Self { done, of: Some(of), unit: "rows", words: String::new() }
    }
}

/// An observer of a job; `()` ignores it.
pub trait Progress: Send + Sync {
    /// Called after every batch of work.
    fn step(&self, done: &Done);
}

impl Progress for () {
    fn step(&self, _: &Done) {}
}
