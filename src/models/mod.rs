//! Numbers that were learned: graph networks that predict formation energies, and their training.

mod activation;
pub mod batch;
pub mod card;
mod checkpoint;
pub mod evaluate;
pub mod graph;
mod loss;
pub mod megnet;
mod model;
mod passes;
pub mod set2set;
pub mod splits;
pub mod train;
pub mod weights;

pub use card::{Metrics, ModelCard};
pub use model::{DEFAULT_MODEL, Model};
