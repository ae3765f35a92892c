//! What a crystal is: elements, compositions, lattices, periodic structures, their neighbours and symmetry.
//! Pure values, no input or output. Lengths are Å, angles degrees, volumes Å³, masses unified atomic mass units.
//!
//! What is called in loops is marked `#[inline]`: an incremental build inlines nothing else into other packages, and calls of `dot`, `norm`
//! and `cross` were half the time of a Voronoi tessellation.

mod boxes;
mod composition;
mod disordered;
mod element;
mod error;
pub mod guard;
mod hash;
mod lattice;
mod nearest;
mod neighbors;
mod normalizer;
mod primitive;
pub mod progress;
mod prototype;
pub mod random;
mod setting;
pub mod stop;
mod structure;
mod superbase;
mod superlattice;
mod symmetry;
mod symop;
#[doc(hidden)]
pub mod testing;
pub mod threads;
mod wyckoff;

pub use composition::{Composition, amount_text, gcd};
pub use disordered::{Disordered, SharedSite};
pub use element::{Element, Radii, ShannonRadius};
pub use error::{Cause, CrystalError, Explained, explained};
pub use hash::{ContentHash, content_hash, hex};
pub use lattice::{Lattice, add, cross, dot, norm, sub};
pub use neighbors::{Neighbors, neighbors, neighbors_of, neighbors_up_to};
pub use prototype::StructureType;
pub use setting::Setting;
pub use structure::{MAX_FRACTION, MAX_SITES, MIN_SITE_DISTANCE, MIN_SITE_VOLUME, Structure};
pub use superbase::Superbase;
pub use superlattice::{HermiteForm, hermite_forms};
pub use symmetry::{DEFAULT_SYMPREC, Symmetry};
pub use symop::{MERGE_DISTANCE, SymOp, expand_sites};
pub use wyckoff::WyckoffPosition;
