//! Numbers that were learned: graph networks that predict formation energies, and their training.

mod activation;
pub mod batch;
pub mod card;
pub mod graph;
pub mod megnet;
pub mod set2set;
pub mod splits;
pub mod train;
pub mod weights;
