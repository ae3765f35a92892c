//! Weights on disk: our own files, and those of other programs.
//!
//! Every foreign file becomes a [`checkpoint::Checkpoint`], named arrays and a few facts, from which one of the
//! architectures reads its network, settings and training set. Readers allocate no more than a file proves to hold and
//! run nothing that is in it.
//!
//! ```text
//! own        *.safetensors.zst with a model card           archive    zip and tar.gz
//! torch      checkpoints of torch                          nqx        weights of the package nequix
//! found      what is found out from a checkpoint
//! source     which file of a folder or archive is meant    foreign    from a checkpoint to a network and its card
//! ```

mod archive;
pub(super) mod checkpoint;
mod foreign;
pub(super) mod found;
pub(super) mod limits;
mod nqx;
mod own;
mod source;
mod torch;

pub use foreign::{Imported, import};
pub use found::Claims;
pub use own::{fitted_parameters, load, save, weights_id};
