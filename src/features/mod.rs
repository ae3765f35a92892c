//! Numbers computed from a crystal: density and packing, void fraction, and the scope of `tmo`. Pure functions of a
//! [`Structure`](crate::crystal::Structure), the same for every order of its sites, every wrap of its coordinates and
//! every cell of the same crystal.

mod balls;
mod density;
mod ionic;
mod radii;
mod scope;
mod tessellation;
mod void;

pub use density::{density, packing_fraction, volume_per_atom};
pub use ionic::{ionic_radius, oxidation_states};
pub use radii::site_radii;
pub use scope::{TRANSITION_METALS, class_name, is_transition_metal_oxide};
pub use tessellation::{Cell, Face, Link, Network, Node, Tessellation, tessellate};
pub use void::{default_void, void_fraction, void_fraction_among};
