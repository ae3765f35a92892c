//! Hypothetical crystals.
//!
//! A crystal is described by [`Tokens`]: its space group, and for each orbit of atoms the species and the Wyckoff position, without any
//! coordinate. They hold all that is discrete about it, and are few: four for a hollandite of 26 atoms. [`Tokens::of`] reads them off a
//! crystal, [`decode()`] draws coordinates and a cell for them, a [`Sampler`] draws tokens ([`TemplateSampler`] from what is known,
//! [`WyckoffSampler`] by a network that has learned from it), and [`Generation`] makes crystals of its draws, each repeatable by seed and
//! number. A [`Prototype`] is a crystal that needs no drawing: octahedra around tunnels, or in blocks.
//!
//! The design, after the transformer over Wyckoff positions of N. Kazeev *et al.* (arXiv:2503.02407):
//! 1. tokens are a set: a sampler that writes them one after another has no order to learn, and is trained on every order;
//! 2. a position is named by site symmetry and number ([`Tokens::site_symmetry`]), words that space groups share;
//! 3. species carry their oxidation state, so that neutrality is a running sum ([`Tokens::charge`]), and what cannot end neutral is masked;
//! 4. a sampler is made for a [`Request`], which holds its conditions, and is a function of the seed alone ([`Sampler::sample`]); its
//!    kind is chosen by name ([`SamplerKind`]);
//! 5. coordinates are no tokens: [`decode()`] is the same for every sampler, so that their rates can be compared.

mod decode;
mod error;
mod generate;
mod places;
mod prototypes;
mod sampler;
mod species;
mod templates;
mod tokens;
pub mod wyckoff;

pub use decode::{DecodeOptions, Decoded, decode};
pub use error::GenerationError;
pub use generate::{Generated, Generation, GenerationCounts};
pub use prototypes::{Build, Prototype};
pub use sampler::{Request, Sample, Sampler, SamplerKind};
pub use species::{Charge, Species};
pub use templates::{TemplateSampler, Templates};
pub use tokens::{Orbit, Tokens};
pub use wyckoff::{Condition, Conditions, WyckoffModel, WyckoffSampler};
