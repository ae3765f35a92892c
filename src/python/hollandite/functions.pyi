# Written by `UPDATE=1 cargo test --test docs drift`.

from typing import Any, Callable

__all__ = [
    "adsorption",
    "adsorption_interval",
    "adsorption_potential",
    "bond_valence_sums",
    "bvse_barrier",
    "capacity",
    "channels",
    "conversion_voltage",
    "coordination",
    "coulomb_eigenvalues",
    "coulomb_matrix",
    "decomposition",
    "density",
    "distance_min",
    "e_above_hull",
    "electrode_voltage",
    "electronegativity_balanced",
    "electrostatic_valence",
    "energy_correction",
    "ewald_sum_eigenvalues",
    "ewald_sum_matrix",
    "extraction_voltage",
    "fingerprint",
    "formation_energy",
    "formula",
    "gibbs",
    "global_instability_index",
    "has_element",
    "insert",
    "insertion_sites",
    "insertion_voltage",
    "ion_passes",
    "ionic_radius",
    "is_charge_neutral",
    "is_stable",
    "json_as_text",
    "json_contains",
    "json_get",
    "json_get_bool",
    "json_get_float",
    "json_get_int",
    "json_get_str",
    "json_object_keys",
    "largest_free_sphere",
    "largest_included_sphere",
    "largest_sphere_along_path",
    "magpie",
    "migration_barrier",
    "natoms",
    "orbital_field_matrix",
    "oxidation_states",
    "packing_fraction",
    "predict",
    "predict_ef",
    "predict_energy",
    "predict_forces",
    "predict_magmoms",
    "predict_stress",
    "primitive",
    "prototype",
    "reduced_formula",
    "reference_energy",
    "relax",
    "remove",
    "same_prototype",
    "same_structure",
    "similarity",
    "sine_coulomb_eigenvalues",
    "sine_coulomb_matrix",
    "site_orbital_field_matrices",
    "soap",
    "soap_average",
    "spacegroup",
    "spacegroup_symbol",
    "stability_margin",
    "structure",
    "structure_hash",
    "structure_match",
    "substitute",
    "symmetry_functions",
    "to_cif",
    "to_poscar",
    "void",
    "voltage_curve",
    "volume",
    "voronoi",
    "xrd",
    "xrd_pattern",
    "xrd_peaks",
]
_docs: dict[str, dict[str, Any]]

def _shared() -> Any: ...

class Functions:
    def __init__(self, connection: Callable[[], Any]) -> None: ...
    def adsorption(self, structure: Any, ion: str, n: float | None = 1.0, model: str | None = None, channel: float | str | None = "each", spacing: float | None = 0.0, sites: str | None = "", relaxes: str | None = "all") -> Any: ...
    def adsorption_interval(self, structure: Any, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", coverage: float | None = 0.9) -> Any: ...
    def adsorption_potential(self, e_inserted: Any, e_host: float | str, e_ion: float | None = None, n: float | str | None = None, spacing: float | None = 0.0, sites: str | None = "", relaxes: str | None = "all") -> Any: ...
    def bond_valence_sums(self, structure: Any, scale: float | None = 1.0) -> Any: ...
    def bvse_barrier(self, structure: Any, ion: str, dimensions: float | None = 1.0) -> Any: ...
    def capacity(self, host: Any, ion: str, n: float, valence: float, volume: float | None = None) -> Any: ...
    def channels(self, structure: Any, probe: float | str | None = None, radii: str | None = "ionic") -> Any: ...
    def conversion_voltage(self, diagram: str, formula: str, ef: float, ion: str, n: float) -> Any: ...
    def coordination(self, structure: Any, tolerance: float | None = 0.4) -> Any: ...
    def coulomb_eigenvalues(self, structure: Any, convention: str | None = "dscribe") -> Any: ...
    def coulomb_matrix(self, structure: Any, convention: str | None = "dscribe") -> Any: ...
    def decomposition(self, diagram: str, formula: str) -> Any: ...
    def density(self, structure: Any) -> Any: ...
    def distance_min(self, structure: Any) -> Any: ...
    def e_above_hull(self, diagram: str, formula: str, ef: float, scheme: str | None = None) -> Any: ...
    def electrode_voltage(self, charged: Any, discharged: Any, ion: str, geometry: str | None = "given", model: str | None = None) -> Any: ...
    def electronegativity_balanced(self, crystal: Any) -> Any: ...
    def electrostatic_valence(self, structure: Any) -> Any: ...
    def energy_correction(self, structure: Any, run_type: str, scheme: str | None = "MP2020", states: str | None = None) -> Any: ...
    def ewald_sum_eigenvalues(self, structure: Any, accuracy: float | None = 1e-12) -> Any: ...
    def ewald_sum_matrix(self, structure: Any, accuracy: float | None = 1e-12) -> Any: ...
    def extraction_voltage(self, structure: Any, ion: str, n: float | None = None, model: str | None = None) -> Any: ...
    def fingerprint(self, structure: Any) -> Any: ...
    def formation_energy(self, crystal: Any, energy_per_atom: float, scheme: str) -> Any: ...
    def formula(self, structure: Any) -> Any: ...
    def gibbs(self, e: float, p: float, dv: float, t: float, ds: float) -> Any: ...
    def global_instability_index(self, structure: Any, scale: float | None = 1.0) -> Any: ...
    def has_element(self, crystal: Any, element: str) -> Any: ...
    def insert(self, structure: Any, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", sites: str | None = "") -> Any: ...
    def insertion_sites(self, structure: Any, ion: str, channel: float | str | None = "everywhere") -> Any: ...
    def insertion_voltage(self, e_inserted: float, e_host: float, e_ion: float, n: float, valence: float) -> Any: ...
    def ion_passes(self, structure: Any, ion: float | str, radii: str | None = "ionic", dimensions: float | None = 1.0) -> Any: ...
    def ionic_radius(self, ion: str) -> Any: ...
    def is_charge_neutral(self, crystal: Any) -> Any: ...
    def is_stable(self, diagram: str, formula: str, ef: float, tolerance: float | None = 0.0) -> Any: ...
    def json_as_text(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_contains(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_get(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_get_bool(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_get_float(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_get_int(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_get_str(self, json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any: ...
    def json_object_keys(self, json: str) -> Any: ...
    def largest_free_sphere(self, structure: Any, radii: str | None = "ionic", dimensions: float | None = 1.0, method: str | None = "exact") -> Any: ...
    def largest_included_sphere(self, structure: Any, radii: str | None = "ionic", method: str | None = "exact") -> Any: ...
    def largest_sphere_along_path(self, structure: Any, radii: str | None = "ionic", method: str | None = "exact") -> Any: ...
    def magpie(self, crystal: Any, impute: bool | None = False) -> Any: ...
    def migration_barrier(self, structure: Any, ion: str, channel: float | str | None = "channels", images: float | None = 5.0, spacing: float | None = 6.0, model: str | None = None) -> Any: ...
    def natoms(self, structure: Any) -> Any: ...
    def orbital_field_matrix(self, structure: Any, shells: str | None = "matminer") -> Any: ...
    def oxidation_states(self, crystal: Any) -> Any: ...
    def packing_fraction(self, structure: Any, radii: str | None = "atomic") -> Any: ...
    def predict(self, structure: Any, model: str | None = None, coverage: float | None = None) -> Any: ...
    def predict_ef(self, structure: Any, model: str | None = None) -> Any: ...
    def predict_energy(self, structure: Any, model: str | None = None) -> Any: ...
    def predict_forces(self, structure: Any, model: str | None = None) -> Any: ...
    def predict_magmoms(self, structure: Any, model: str | None = None) -> Any: ...
    def predict_stress(self, structure: Any, model: str | None = None) -> Any: ...
    def primitive(self, structure: Any, symprec: float | None = 0.1) -> Any: ...
    def prototype(self, structure: Any, symprec: float | None = 0.1) -> Any: ...
    def reduced_formula(self, structure: Any) -> Any: ...
    def reference_energy(self, ion: str, functional: str, source: str | None = None) -> Any: ...
    def relax(self, structure: Any, fmax: float | None = 0.05, steps: float | None = 200.0, cell: bool | None = True, method: str | None = "fire", model: str | None = None) -> Any: ...
    def remove(self, structure: Any, ion: str, n: float | None = None) -> Any: ...
    def same_prototype(self, a: Any, b: Any, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> Any: ...
    def same_structure(self, a: Any, b: Any, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> Any: ...
    def similarity(self, a: Any, b: Any) -> Any: ...
    def sine_coulomb_eigenvalues(self, structure: Any, convention: str | None = "dscribe") -> Any: ...
    def sine_coulomb_matrix(self, structure: Any, convention: str | None = "dscribe") -> Any: ...
    def site_orbital_field_matrices(self, structure: Any, shells: str | None = "matminer") -> Any: ...
    def soap(self, structure: Any, channels: str | None = "own", r_cut: float | None = 5.0, n_max: float | None = 8.0, l_max: float | None = 6.0, sigma: float | None = 1.0) -> Any: ...
    def soap_average(self, structure: Any, average: str | None = "inner", channels: str | None = "own", r_cut: float | None = 5.0, n_max: float | None = 8.0, l_max: float | None = 6.0, sigma: float | None = 1.0) -> Any: ...
    def spacegroup(self, structure: Any, symprec: float | None = 0.1) -> Any: ...
    def spacegroup_symbol(self, structure: Any, symprec: float | None = 0.1) -> Any: ...
    def stability_margin(self, diagram: str, formula: str, ef: float) -> Any: ...
    def structure(self, text: Any) -> Any: ...
    def structure_hash(self, structure: Any) -> Any: ...
    def structure_match(self, a: Any, b: Any, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> Any: ...
    def substitute(self, structure: Any, from_: str, to: str, from_2: str | None = None, to_2: str | None = None, from_3: str | None = None, to_3: str | None = None) -> Any: ...
    def symmetry_functions(self, structure: Any, r_cut: float | None = 6.5) -> Any: ...
    def to_cif(self, structure: Any, symprec: float | None = None) -> Any: ...
    def to_poscar(self, structure: Any) -> Any: ...
    def void(self, structure: Any, radii: str | None = "atomic", probe: float | None = 0.0) -> Any: ...
    def voltage_curve(self, structure: Any, ion: str, max: float | None = 0.0, model: str | None = None, diagram: str | None = None) -> Any: ...
    def volume(self, structure: Any) -> Any: ...
    def voronoi(self, structure: Any, tolerance: float | None = 0.0) -> Any: ...
    def xrd(self, structure: Any) -> Any: ...
    def xrd_pattern(self, structure: Any, low: float | None = 0.0, high: float | None = 90.0, step: float | None = 0.02, fwhm: float | None = 0.1, wavelength: float | str | None = "CuKa") -> Any: ...
    def xrd_peaks(self, structure: Any, wavelength: float | str | None = "CuKa", low: float | None = 0.0, high: float | None = 90.0) -> Any: ...

def adsorption(structure: Any, ion: str, n: float | None = 1.0, model: str | None = None, channel: float | str | None = "each", spacing: float | None = 0.0, sites: str | None = "", relaxes: str | None = "all") -> Any:
    """How strongly an ion is bound in each channel of a host, by an energy model: one struct per channel, widest first, or one for the closed cavities if there is no channel. The host is relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), n ions are inserted in several ways (hollandite.insertion_starts, 4), each filled cell is relaxed and the lowest that converged is the answer. Then the ions are taken out and the host is relaxed again, which tells whether it is still the host. It takes seconds to minutes per crystal: filter first. Results are remembered in the store, and so is the relaxed host, for other ions."""

def adsorption_interval(structure: Any, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", coverage: float | None = 0.9) -> Any:
    """Adsorption potential of a crystal as `adsorption_potential` has it, with the interval that contains the DFT value with the given coverage. The half-width is a conformal quantile of the errors of the same protocol on insertion electrodes of known voltage, by ion where they are enough, times the charge of the ion. A host that these do not cover gets no interval, and the reason: one that is not the same again without the ions, that changes its volume more, that is larger (cations without d electrons apart) or more dilute. Stability of the filled host is not considered: see conversion_voltage."""

def adsorption_potential(e_inserted: Any, e_host: float | str, e_ion: float | None = None, n: float | str | None = None, spacing: float | None = 0.0, sites: str | None = "", relaxes: str | None = "all") -> Any:
    """Adsorption potential of an ion, positive = favourable: -(e_inserted - e_host - n e_ion) / n, from four energies; or of a crystal, as `adsorption_potential(structure, ion[, n[, channel[, spacing[, sites[, relaxes]]]]])`. Datta et al. (2024) write the opposite sign in their equations and this one in their text and figures. For a crystal the energy model of the session relaxes the host, n ions are inserted in several ways, each filled cell is relaxed, the best that converged is the answer, and all energies are those of that model; `adsorption` returns every step, and by what the numbers are limited. NULL if a relaxation did not converge. It takes seconds to minutes per crystal: filter first. Results are remembered in the store, and so is the relaxed host, for other ions. In eV per ion."""

def bond_valence_sums(structure: Any, scale: float | None = 1.0) -> Any:
    """Bond-valence sum of each site, in the order of the sites (O'Keeffe & Brese 1991, bonds up to 4 Å, as pymatgen's `calculate_bv_sum`). Positive on cations; in a well-determined structure close to the oxidation state. In valence units."""

def bvse_barrier(structure: Any, ion: str, dimensions: float | None = 1.0) -> Any:
    """Migration barrier of an ion in a rigid framework, from bond-valence site energies (softBV, Chen, Wong & Adams 2019): the energy of the lowest pass that leads from cell to cell above the lowest minimum it connects. It takes milliseconds and ranks crystals; the framework does not relax, so it is too high where the host would, between layers above all. Ions of that element in the crystal are taken out first; formal charges are those of the crystal as it is given. NULL if softBV has no parameters for the ion with an anion, or if there is no pass below 10 eV. In eV."""

def capacity(host: Any, ion: str, n: float, valence: float, volume: float | None = None) -> Any:
    """Capacity of a host for n ions."""

def channels(structure: Any, probe: float | str | None = None, radii: str | None = "ionic") -> Any:
    """Channels of a crystal, widest first. A channel is a connected part of the space open to the centre of the probe that repeats along a lattice vector."""

def conversion_voltage(diagram: str, formula: str, ef: float, ion: str, n: float) -> Any:
    """Voltage, against the metal, at which a host reacts with ions to the stable phases of a phase diagram instead of taking them up: what insertion competes with. Calcium and an oxide may give CaO and a lower oxide. It is never below the voltage of insertion into a phase on or above the hull, and their difference is what the filled host gains by falling apart, per charge. In V."""

def coordination(structure: Any, tolerance: float | None = 0.4) -> Any:
    """Coordination of each site. A neighbour is an ion of opposite charge (any atom in metals and other crystals without ions) whose Voronoi face spans more than `tolerance` of the largest solid angle: 6 for Ti and 3 for O in rutile, 5 for V in V2O5."""

def coulomb_eigenvalues(structure: Any, convention: str | None = "dscribe") -> Any:
    """Eigenvalues of `coulomb_matrix`, largest magnitude first: they do not depend on the order of the sites."""

def coulomb_matrix(structure: Any, convention: str | None = "dscribe") -> Any:
    """Coulomb matrix: the repulsion Z_i Z_j / d of each pair of nuclei, and 0.5 Z^2.4 on the diagonal. Rows and columns follow the order of the sites, of which there may be at most 1000."""

def decomposition(diagram: str, formula: str) -> Any:
    """Phases of the convex hull into which a composition decomposes, largest fraction first. A phase on the hull is its own decomposition."""

def density(structure: Any) -> Any:
    """Mass density, from standard atomic weights. In g/cm³."""

def distance_min(structure: Any) -> Any:
    """Shortest distance between two atoms, periodic images included. In Å."""

def e_above_hull(diagram: str, formula: str, ef: float, scheme: str | None = None) -> Any:
    """Energy above the convex hull of a phase diagram: what the phase gains by decomposing into the phases of the hull. It is 0 on the hull, and negative for a phase that is not in the diagram and would be stable. If diagram and call name different schemes, the query fails. In eV/atom."""

def electrode_voltage(charged: Any, discharged: Any, ion: str, geometry: str | None = "given", model: str | None = None) -> Any:
    """Average voltage, against the metal, between two crystals of one host, with fewer ions and with more, by an energy model: -(e_discharged - e_charged - n e_ion) / (n z). The cells may differ in size; n follows from the compositions, e_ion is the elemental reference energy by the same model. Energies are those of the crystals as given, or after both have been relaxed with their cells (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), which takes seconds per crystal and is remembered in the store. NULL if the crystals are not one host, or a relaxation did not converge. In V."""

def electronegativity_balanced(crystal: Any) -> Any:
    """True if the composition can be charge-neutral with every cation less electronegative (Pauling) than every anion: the test of SMACT."""

def electrostatic_valence(structure: Any) -> Any:
    """Root-mean-square deviation, over the anions, between the sum of the Pauling bond strengths (cation charge over coordination number) and the charge of the anion: 0 in rutile, 0.89 in V2O5. It ranks crystals; most oxides break Pauling's second rule somewhat. NULL if no oxidation states are charge-neutral. In valence units."""

def energy_correction(structure: Any, run_type: str, scheme: str | None = "MP2020", states: str | None = None) -> Any:
    """What a correction scheme adds to the DFT energy of a crystal, so that PBE and PBE+U energies share a reference. Keep all of it beside the raw energy. NULL if the scheme requires PBE+U and the energy is PBE. U values and pseudopotentials are those of the Materials Project; `import-dft` checks them."""

def ewald_sum_eigenvalues(structure: Any, accuracy: float | None = 1e-12) -> Any:
    """Eigenvalues of `ewald_sum_matrix`, largest magnitude first: they do not depend on the order of the sites. In e²/Å."""

def ewald_sum_matrix(structure: Any, accuracy: float | None = 1e-12) -> Any:
    """Ewald sum matrix, as dscribe's: the Coulomb energy of each pair of nuclei, with all periodic images, in a neutralising background. The upper triangle sums to the energy of the cell. In e²/Å."""

def extraction_voltage(structure: Any, ion: str, n: float | None = None, model: str | None = None) -> Any:
    """Average voltage, against the metal, at which ions leave a crystal that contains them, such as a lithiated cathode, by an energy model: -(e_full - e_left - n e_ion) / (n z), with z the charge of the ion. Positive if the ions are bound, with the same sign as insertion_voltage. The crystal is relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), the ions are removed as by `remove`, and the rest is relaxed with its cell; e_ion is the elemental reference energy by the same model. It takes seconds to minutes per crystal: filter first. Its relaxations are remembered in the store. For energies of your own use insertion_voltage. In V."""

def fingerprint(structure: Any) -> Any:
    """Structure fingerprint: 144 numbers of Euclidean norm 1. They are the radial distributions cation-cation, cation-anion and anion-anion (weighted by electronegativity, regardless of element), at 48 distances each from 0.4 to 4 (V/N)^(1/3), logarithmically spaced and smoothed by 5 % of the distance, minus those of randomly placed atoms."""

def formation_energy(crystal: Any, energy_per_atom: float, scheme: str) -> Any:
    """Formation energy: a total energy minus the elemental reference energies, computed the same way. The scheme says how: 'MP2020' for PBE and PBE+U energies with the corrections of energy_correction, 'MP-PBE' for plain PBE of the Materials Project, 'MatPES-PBE', 'MatPES-r2SCAN' or 'JARVIS-OptB88vdW' for those data sets; the name of an energy model for its own energies; or a functional whose elements are in the table reference_energies. NULL with a warning if an element has no reference energy. In eV/atom."""

def formula(structure: Any) -> Any:
    """Formula of the whole cell, electropositive elements first: `Ti2O4` for rutile."""

def gibbs(e: float, p: float, dv: float, t: float, ds: float) -> Any:
    """Gibbs energy e + p dv - t ds. In a solid at ambient conditions the last two terms are a few meV. In eV."""

def global_instability_index(structure: Any, scale: float | None = 1.0) -> Any:
    """Root-mean-square deviation, over the sites, between bond-valence sum and oxidation state: below 0.2 in well-determined, unstrained structures. NULL if no oxidation states are charge-neutral. In valence units."""

def has_element(crystal: Any, element: str) -> Any:
    """True if the crystal contains an element."""

def insert(structure: Any, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", sites: str | None = "") -> Any:
    """The crystal with n ions inserted into its cell. They go to those of the sites that insertion_sites finds, symmetry-equivalent ones included, that minimise the electrostatic energy of the inserted ions (formal charges, rigid host, interactions between the ions included), no two of them closer than 2 Å, at sites with at least three neighbours where there are enough. The host's atoms come first, in their order; nothing is relaxed. NULL and a warning if there is no site, or no room for n ions."""

def insertion_sites(structure: Any, ion: str, channel: float | str | None = "everywhere") -> Any:
    """Sites where an ion can be inserted, those with at least three neighbours first, then by score: the symmetry-distinct maxima of the void (Shannon radii) that hold a sphere of at least half the ion's radius. Maxima within 0.5 Å of each other are one site."""

def insertion_voltage(e_inserted: float, e_host: float, e_ion: float, n: float, valence: float) -> Any:
    """Average insertion voltage against the metal: the adsorption potential divided by the charge of the ion. For Li the two are numerically equal; for Ca the voltage is half. In V."""

def ion_passes(structure: Any, ion: float | str, radii: str | None = "ionic", dimensions: float | None = 1.0) -> Any:
    """True if an ion can pass through the crystal: if the space open to the centre of a sphere of its radius (Shannon, sixfold) repeats along a lattice vector."""

def ionic_radius(ion: str) -> Any:
    """Effective ionic radius in sixfold coordination (Shannon 1976): Li 0.76, Ca 1.00, Al 0.535. In Å."""

def is_charge_neutral(crystal: Any) -> Any:
    """True if common oxidation states of the elements can sum to zero, with one state per element or one mixed-valence element (Fe3O4). Only the composition is used, so it is a cheap prefilter."""

def is_stable(diagram: str, formula: str, ef: float, tolerance: float | None = 0.0) -> Any:
    """True if a phase lies on the convex hull of a phase diagram, or above it by at most a tolerance."""

def json_as_text(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """A member of a JSON document as text: a string without its quotes, anything else as JSON; NULL if there is none. `extra->>'name'` is short for it."""

def json_contains(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """True if a JSON document has a member, even if it is null."""

def json_get(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """A member of a JSON document as JSON text, a string with its quotes; NULL if there is none. `extra->'name'` is short for it."""

def json_get_bool(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """A member of a JSON document that is true or false; NULL if there is none, or it is something else."""

def json_get_float(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """A member of a JSON document that is a number; NULL if there is none, or it is something else."""

def json_get_int(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """A member of a JSON document that is a whole number, including `2.0`; NULL if there is none, or it is something else."""

def json_get_str(json: str, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> Any:
    """A member of a JSON document that is a string; NULL if there is none, or it is something else."""

def json_object_keys(json: str) -> Any:
    """Names of the members of a JSON object, alphabetically; NULL if the document is something else."""

def largest_free_sphere(structure: Any, radii: str | None = "ionic", dimensions: float | None = 1.0, method: str | None = "exact") -> Any:
    """Diameter of the largest sphere that can pass through the crystal (Df of Zeo++); 0 if none can. Half of it is the radius of the largest ion that can migrate. In Å."""

def largest_included_sphere(structure: Any, radii: str | None = "ionic", method: str | None = "exact") -> Any:
    """Diameter of the largest sphere that fits between the atoms (Di of Zeo++); 0 if there is no room. In Å."""

def largest_sphere_along_path(structure: Any, radii: str | None = "ionic", method: str | None = "exact") -> Any:
    """Diameter of the largest sphere that fits somewhere in the channel through which the largest free sphere passes (Dif of Zeo++, where it is along one path); 0 if no sphere can pass. In Å."""

def magpie(crystal: Any, impute: bool | None = False) -> Any:
    """Magpie descriptors of a composition (Ward et al. 2016): six statistics of 22 properties of its elements, 132 numbers equal to matminer's `ElementProperty.from_preset('magpie')`. `magpie_names()` lists them; take one by its name: `magpie(structure)['mean Electronegativity']`."""

def migration_barrier(structure: Any, ion: str, channel: float | str | None = "channels", images: float | None = 5.0, spacing: float | None = 6.0, model: str | None = None) -> Any:
    """Migration barrier of an ion along a channel, by an energy model, and the path. The host is relaxed with its cell; one ion is relaxed at up to hollandite.insertion_starts (4) sites of the channel, in a supercell whose cell is held; from the lowest the way to the same site one period on is cut into hops, and each is relaxed as a climbing-image nudged elastic band (improved tangent, FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200). The barrier is the highest energy of all hops minus the lowest. It takes minutes per crystal: filter first, with bvse_barrier for instance. Results are remembered in the store, and so is the relaxed host. NULL and a warning if no channel has a site for the ion."""

def natoms(structure: Any) -> Any:
    """Number of atoms in the cell."""

def orbital_field_matrix(structure: Any, shells: str | None = "matminer") -> Any:
    """Orbital-field matrix, 32 x 32, averaged over the sites, as matminer's: which valence subshells of the neighbours (rows: s1, s2, p1 .. p6, d1 .. d10, f1 .. f14) meet which of a site (columns), weighted by solid angle and distance."""

def oxidation_states(crystal: Any) -> Any:
    """Oxidation states with which a composition is charge-neutral. One state per element is preferred to mixed valence, then the more common states. NULL if no choice is neutral."""

def packing_fraction(structure: Any, radii: str | None = "atomic") -> Any:
    """Total volume of the atomic spheres divided by the volume of the cell. Overlaps count twice, so it may exceed 1."""

def predict(structure: Any, model: str | None = None, coverage: float | None = None) -> Any:
    """What a model predicts, and how reliable it is. The width of the interval is a quantile of the model's errors on crystals it was not fitted to (split-conformal prediction); for an ensemble it grows with the disagreement of the members. An element, number of atoms, volume per atom or shortest distance outside the training data makes in_domain false and the interval NULL. Planned and cached like `predict_ef`."""

def predict_ef(structure: Any, model: str | None = None) -> Any:
    """Formation energy predicted by a graph network. NULL with a warning for elements outside the model's training data. A model of another quantity is refused: ask it with `predict`. A query asks once for each distinct crystal, after all cheaper predicates, and the result is remembered. In eV/atom."""

def predict_energy(structure: Any, model: str | None = None) -> Any:
    """Total energy of the cell by an energy model, on the scale of its training data: for CHGNet, PBE and PBE+U with the corrections of the Materials Project; for TensorNet on MatPES, plain PBE or r2SCAN. Energies of different models are not comparable; for a formation energy use predict_ef(structure, model). NULL if an atom has no neighbour, or an element that the model was not trained on. In eV."""

def predict_forces(structure: Any, model: str | None = None) -> Any:
    """Forces on the atoms by an energy model: three numbers, along x, y and z, for each site. In eV/Å."""

def predict_magmoms(structure: Any, model: str | None = None) -> Any:
    """Magnetic moments of the atoms by an energy model, without sign: one number for each site. They distinguish oxidation states: Mn4+ has about 3, Mn3+ about 4. NULL by a model that has none, such as TensorNet. In μ_B."""

def predict_stress(structure: Any, model: str | None = None) -> Any:
    """Stress tensor of the cell by an energy model, three rows of three numbers. Positive on the diagonal if the cell tends to shrink, as in ASE; the pressure is minus the mean of the diagonal. In GPa."""

def primitive(structure: Any, symprec: float | None = 0.1) -> Any:
    """The crystal in its primitive cell, Niggli-reduced: the smallest cell whose translations move no atom by more than symprec. What is counted per cell, such as inserted ions, then no longer depends on the cell of the file. Of a primitive cell the first vector is the shortest."""

def prototype(structure: Any, symprec: float | None = 0.1) -> Any:
    """Label of the structure type, regardless of the elements: AB2_tP6_136_a_f is rutile. It joins the anonymous formula (A is the rarest element), the Pearson symbol, the space-group number and the Wyckoff positions of each letter. It does not depend on the choice of cell or origin."""

def reduced_formula(structure: Any) -> Any:
    """Formula in smallest whole numbers: `TiO2` for rutile."""

def reference_energy(ion: str, functional: str, source: str | None = None) -> Any:
    """Elemental reference energy, from the table reference_energies, of a scheme that formation_energy knows (MP2020), or by an energy model, which relaxed the element when it was imported. Different functionals are not comparable: where none matches, or two sources differ, the result is NULL and the warning says what is known and how to add a value. In eV/atom."""

def relax(structure: Any, fmax: float | None = 0.05, steps: float | None = 200.0, cell: bool | None = True, method: str | None = "fire", model: str | None = None) -> Any:
    """The crystal relaxed by an energy model, until no force exceeds fmax. The cell relaxes too, its force being the gradient of the energy with the logarithm of the deformation over the number of atoms, as in ASE's FrechetCellFilter. The order of the atoms is kept. It takes seconds per crystal: filter first. Results are remembered in the store."""

def remove(structure: Any, ion: str, n: float | None = None) -> Any:
    """The crystal without its ions of one element, all of them or n. If n are removed, those ions stay whose electrostatic energy is lowest (formal charges, rigid framework, all periodic images), as for insert; the charges of the framework are those it has without the ions. The other atoms keep their order and positions; nothing is relaxed. NULL and a warning if the crystal has no such ion, or fewer than n."""

def same_prototype(a: Any, b: Any, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> Any:
    """True if two crystals are the same structure once the elements of one are mapped, one to one, onto those of the other, as for rutile TiO2 and SnO2. Tolerances as for same_structure."""

def same_structure(a: Any, b: Any, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> Any:
    """True if two crystals are the same structure: their primitive cells, scaled to equal volume, can be superposed so that every atom is near one of its element. Cell, origin, orientation, order of the atoms and handedness do not matter. Criterion and default tolerances are those of pymatgen's StructureMatcher."""

def similarity(a: Any, b: Any) -> Any:
    """Similarity of two crystals by their fingerprints, 0 to 1: (1 + cosine) / 2, which is 1 for equal structures. Isostructural compounds score above 0.99, other structures mostly below 0.95."""

def sine_coulomb_eigenvalues(structure: Any, convention: str | None = "dscribe") -> Any:
    """Eigenvalues of `sine_coulomb_matrix`, largest magnitude first: they do not depend on the order of the sites."""

def sine_coulomb_matrix(structure: Any, convention: str | None = "dscribe") -> Any:
    """Sine Coulomb matrix: the Coulomb matrix with a distance that is periodic in the lattice. Rows and columns follow the order of the sites, of which there may be at most 1000."""

def site_orbital_field_matrices(structure: Any, shells: str | None = "matminer") -> Any:
    """Orbital-field matrix of each site, row after row: 1024 numbers per site."""

def soap(structure: Any, channels: str | None = "own", r_cut: float | None = 5.0, n_max: float | None = 8.0, l_max: float | None = 6.0, sigma: float | None = 1.0) -> Any:
    """SOAP power spectrum of each site, with dscribe's radial basis, order and normalisation: for each pair of elements by atomic number, then l, n, n'. Vectors of crystals with different elements can be compared only with the channels blind or electronegativity, or one list of elements."""

def soap_average(structure: Any, average: str | None = "inner", channels: str | None = "own", r_cut: float | None = 5.0, n_max: float | None = 8.0, l_max: float | None = 6.0, sigma: float | None = 1.0) -> Any:
    """SOAP power spectrum of the crystal, averaged over its sites: one vector, where `soap` has one per site."""

def spacegroup(structure: Any, symprec: float | None = 0.1) -> Any:
    """Space-group number, 1 to 230."""

def spacegroup_symbol(structure: Any, symprec: float | None = 0.1) -> Any:
    """Hermann-Mauguin symbol of the space group: `P4_2/mnm` for rutile."""

def stability_margin(diagram: str, formula: str, ef: float) -> Any:
    """How far the energy of a stable phase may rise before it decomposes into phases of other compositions; for a phase above the hull, its energy above the hull as a negative number. NULL for an element. In eV/atom."""

def structure(text: Any) -> Any:
    """Reads a crystal from text: CIF, POSCAR or pymatgen's JSON, recognised by content. Text without a crystal gives NULL and a warning."""

def structure_hash(structure: Any) -> Any:
    """Content hash, 32 hexadecimal digits, as in the column structure_hash: the same for any order of the sites, any lattice translation of a site, any rotation of the crystal and float noise well below 0.001 Å. Mirror images, other cells of the same lattice and other origins have others; same_structure compares those."""

def structure_match(a: Any, b: Any, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> Any:
    """How well two crystals can be superposed, and the tolerances that were used."""

def substitute(structure: Any, from_: str, to: str, from_2: str | None = None, to_2: str | None = None, from_3: str | None = None, to_3: str | None = None) -> Any:
    """The crystal with one element replaced by another, up to three at once. The sites are kept and the cell is scaled by the ratio of the bond lengths of its ions (mean Shannon radius of the cations plus that of the anions), new over old. It is a starting point for a relaxation or a model; nothing is relaxed. Replacing an element that the crystal does not contain changes nothing."""

def symmetry_functions(structure: Any, r_cut: float | None = 6.5) -> Any:
    """Atom-centred symmetry functions of each site, in dscribe's order: for each element by atomic number, G1 and four G2 (eta r_cut² = 0.05, 4, 20, 80), then for each pair of elements four G4 (eta r_cut² = 0.005; zeta, lambda = 1, 1; 1, -1; 4, 1; 4, -1)."""

def to_cif(structure: Any, symprec: float | None = None) -> Any:
    """The structure as CIF text. With a tolerance it is the standardised conventional cell with its space group, in spglib's setting, and one site of each orbit."""

def to_poscar(structure: Any) -> Any:
    """The structure as VASP 5 POSCAR text, with fractional coordinates."""

def void(structure: Any, radii: str | None = "atomic", probe: float | None = 0.0) -> Any:
    """Fraction of the cell outside all atomic spheres, or accessible to the centre of a probe sphere. It is exact, not sampled. With the structure alone it follows the convention of the column `void`."""

def voltage_curve(structure: Any, ion: str, max: float | None = 0.0, model: str | None = None, diagram: str | None = None) -> Any:
    """The discharge of a host by an energy model: voltage, against the metal, over the number of ions. For each number from 1 to max the symmetry-distinct orderings over all insertion sites are ranked by electrostatics (formal charges), the lowest (hollandite.insertion_starts, 4) are relaxed with the cell, and the lowest that converged counts, as for adsorption, with which it shares what is remembered. The fillings on the convex hull over the composition give plateaus; the discharge ends where the voltage falls below 0. It takes minutes per crystal: filter first. NULL and a warning if the host has no site for the ion, or the relaxed host did not converge."""

def volume(structure: Any) -> Any:
    """Volume of the cell. In Å³."""

def voronoi(structure: Any, tolerance: float | None = 0.0) -> Any:
    """Voronoi cells of the sites, equal to pymatgen's `VoronoiNN`. Expand the lists with `unnest`."""

def xrd(structure: Any) -> Any:
    """Powder pattern as a descriptor: the density of diffracted intensity (Cu K-alpha) at 2θ = 0, 1, ... 127°, 128 numbers that sum to about 1, equal to matminer's `XRDPowderPattern`. Each peak of `xrd_peaks` counts with the integer part of its intensity and is smoothed by a Gaussian whose width is 5 % of the pattern's standard deviation. NULL for a pattern with a single line. In 1/degree."""

def xrd_pattern(structure: Any, low: float | None = 0.0, high: float | None = 90.0, step: float | None = 0.02, fwhm: float | None = 0.1, wavelength: float | str | None = "CuKa") -> Any:
    """X-ray powder pattern as a curve to plot. Each peak of `xrd_peaks` is drawn as a pseudo-Voigt function, half Gaussian and half Lorentzian, of the same width at all angles."""

def xrd_peaks(structure: Any, wavelength: float | str | None = "CuKa", low: float | None = 0.0, high: float | None = 90.0) -> Any:
    """Peaks of the ideal X-ray powder pattern in order of angle, equal to pymatgen's `XRDCalculator`. Expand the list with `unnest`."""
