//! Choosing a network's settings by trial: Bayesian optimisation, with trials that are pruned where they are hopeless, and kept so that a
//! killed search goes on.
//!
//! [`space`] is what may be chosen, each architecture offers its own and [`Choice`] says what it means to a training; [`surrogate`]
//! models the error over a space, [`search`] takes the next trial from it, [`pruning`] decides which trials to stop, and [`study`] runs
//! them.

mod choice;
mod definition;
mod fit;
pub mod pruning;
pub mod search;
pub mod space;
pub mod study;
pub mod surrogate;

pub use choice::Choice;
pub use definition::Definition;
pub use fit::tune;
pub use pruning::Pruning;
pub use space::{Settings, Space, Value};
pub use study::{Journal, State, Study, Trial, TrialObserver, winner};
