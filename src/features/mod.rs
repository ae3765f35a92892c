//! Numbers computed from a crystal: from its composition (Magpie), its volumes, its neighbourhoods, its powder pattern,
//! matrices and fingerprints of its sites; and the scope of `tmo`. Pure functions of a
//! [`Structure`](crystal::Structure), the same for every order of its sites, every wrap of its coordinates and every
//! cell of the same crystal; matrices over sites, which depend on the cell, say so.

mod assignment;
mod balls;
mod bond_valence;
mod channels;
mod coordination;
mod coulomb;
mod density;
mod environment;
mod error;
mod ewald;
mod fingerprint;
mod ionic;
mod magpie;
mod matching;
mod neutrality;
mod orbital_field;
mod radii;
mod reflections;
mod scattering;
mod scope;
mod site_energy;
mod site_matrix;
mod soap;
mod symmetry_functions;
mod tessellation;
mod void;
mod voronoi;
mod xrd;
mod xrd_profile;

pub use bond_valence::{bond_valence_sums, electrostatic_valence, global_instability_index};
pub use channels::{
    Channel, ChannelPath, Hollow, Ring, Spheres, channels, exact_spheres, hollows, largest_free_sphere,
    largest_included_sphere, largest_sphere_along_path, passes, ring_name, ring_size, spheres, tunnels,
};
pub use coordination::{COORDINATION_TOLERANCE, Coordination, coordination};
pub use coulomb::{CoulombConvention, coulomb_matrix, sine_coulomb_matrix};
pub use density::{density, packing_fraction, volume_per_atom};
pub use error::FeatureError;
pub use ewald::{CONVERGED, ewald_potentials, ewald_sum_matrix};
pub use fingerprint::{FINGERPRINT_LENGTH, fingerprint, similarity};
pub use ionic::{
    Ion, cation_radii, cation_radius, ionic_radius, oxidation_states, probe_radius, states as usual_states,
};
pub use magpie::{MAGPIE_LEN, MissingProperty, magpie, magpie_names, magpie_of};
pub use matching::{Match, Reduced, Tolerances, match_structures, matchable, same_arrangement, same_structure};
pub use neutrality::{electronegativity_balanced, neutral_states};
pub use orbital_field::{
    ORBITALS, OrbitalFieldMatrix, ValenceShells, orbital_field_matrix, site_orbital_field_matrices,
};
pub use radii::site_radii;
pub use scope::{TRANSITION_METALS, class_name, is_transition_metal_oxide};
pub use site_energy::{bvse_barrier, bvse_energies};
pub use site_matrix::{MAX_MATRIX_SITES, SiteMatrix};
pub use soap::{Average, Channels, Soap, SoapOptions, soap};
pub use symmetry_functions::{SymmetryFunctionOptions, SymmetryFunctions, symmetry_functions};
pub use tessellation::{Cell, Face, Link, Network, Node, Tessellation, tessellate};
pub use void::{default_void, void_fraction, void_fraction_among};
pub use voronoi::voronoi;
pub use xrd::{CU_KA, Family, Peak, WAVELENGTHS, wavelength, xrd_peaks};
pub use xrd_profile::{Profile, XRD_LEN, xrd_pattern, xrd_vector};
