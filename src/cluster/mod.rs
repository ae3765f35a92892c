//! Queries on several machines: the same SQL, the same plan, the same rows. [Ballista](https://datafusion.apache.org/ballista/) divides
//! a plan into stages, gives their tasks to executors, moves rows between them and repeats the tasks of an executor that died.
//!
//! The query is planned where it is asked, as ever; what is sent is the finished plan. It reads tables by [`scan`], a leaf that names
//! table, snapshot, columns and filters, and is planned again by its reader; [`codec`] writes plans with our nodes and functions.
//! The store is in a folder that all machines share. Its catalog is opened by the client alone: [`workers`] open a copy that is
//! made for the query, each in a branch of its own, and what they computed comes back to the store from there. [`client`] asks,
//! [`roles`] are the other two processes.
//!
//! ```text
//! hollandite cluster scheduler --listen 0.0.0.0:50050
//! hollandite cluster executor --scheduler HOST:50050        on every machine
//! hollandite sql --cluster df://HOST:50050 "SELECT .."
//! ```

mod client;
mod codec;
mod error;
mod roles;
mod scan;
mod tables;
mod workers;

#[cfg(test)]
mod tests;

pub use client::session;
pub use error::ClusterError;
pub use roles::{Executor, Scheduler, executor, scheduler};
