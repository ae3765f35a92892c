//! Weights on disk: our own files, and those of other programs.
//!
//! Whatever a foreign file is, it becomes a [`checkpoint::Checkpoint`], named arrays and a few facts, and one of the files
//! named after an architecture knows which of our networks it is, what its settings are and what it was trained on. Readers
//! allocate no more than a file proves to hold and run nothing that is in it.
//!
//! ```text
//! own            *.safetensors.zst with a model card           archive    zip and tar.gz
//! torch, pickle  checkpoints of torch, both formats            hdf5       what Keras writes
//! source         which file of a folder or archive is meant    foreign    from a checkpoint to a network and its card
//! ```

mod alignn;
mod archive;
mod bytes;
mod cgcnn;
mod checkpoint;
mod chgnet;
mod deeper_gatgnn;
mod foreign;
mod gatgnn;
mod hdf5;
mod limits;
mod matgl;
mod megnet;
mod own;
mod pickle;
mod source;
mod torch;

pub use alignn::load_alignn;
pub use foreign::{Claims, Imported, import};
pub use matgl::load_matgl;
pub use own::{fitted_parameters, load, save, weights_id};
