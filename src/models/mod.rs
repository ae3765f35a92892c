//! Numbers that were learned: graph networks that predict formation energies, and their training.

mod activation;
pub mod alignn;
mod atoms;
pub mod batch;
pub mod card;
pub mod cgcnn;
mod checkpoint;
pub mod cnn;
pub mod conformal;
pub mod deeper_gatgnn;
pub mod domain;
pub mod ensemble;
pub mod graph;
mod kernels;
pub mod line_graph;
mod loss;
pub mod megnet;
mod model;
pub mod network;
mod passes;
pub mod reliability;
mod running;
mod segments;
pub mod set2set;
pub mod splits;
pub mod train;
pub mod weights;

pub use card::{Metrics, ModelCard};
pub use model::{DEFAULT_MODEL, Model};
