//! Weights on disk: our own files, and those of other programs.
//!
//! Whatever a foreign file is, it becomes a [`checkpoint::Checkpoint`], named arrays and a few facts, and one of the files
//! named after an architecture knows which of our networks it is, what its settings are and what it was trained on. Readers
//! allocate no more than a file proves to hold and run nothing that is in it.
//!
//! ```text
//! own        *.safetensors.zst with a model card           archive    zip and tar.gz
//! torch      checkpoints of torch                          found      what is found out from a checkpoint
//! source     which file of a folder or archive is meant    foreign    from a checkpoint to a network and its card
//! ```

mod alignn;
mod archive;
mod cgcnn;
mod checkpoint;
mod chgnet;
mod deeper_gatgnn;
mod foreign;
mod found;
mod gatgnn;
mod limits;
mod matgl;
mod megnet;
mod own;
mod source;
mod torch;

pub use alignn::load_alignn;
pub use foreign::{Claims, Imported, import};
pub use matgl::load_matgl;
pub use own::{fitted_parameters, load, save, weights_id};
