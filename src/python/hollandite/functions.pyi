# Written by `UPDATE=1 cargo test --test docs drift`.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false

from typing import Any, Callable, Sequence, overload

from ._kinds import Column, Frame, Many, Object, OneCrystal, Rows, Some, Text
from ._lib import Connection, Crystal

__all__ = [
    "adsorption",
    "adsorption_interval",
    "adsorption_potential",
    "blocks",
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
    "magpie_names",
    "migration_barrier",
    "natoms",
    "orbital_field_matrix",
    "oxidation_states",
    "packing_fraction",
    "phase_diagram",
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
    "tunnels",
    "void",
    "voltage_curve",
    "voltage_profile",
    "volume",
    "voronoi",
    "xrd",
    "xrd_pattern",
    "xrd_peaks",
]
_docs: dict[str, dict[str, Any]]

def _shared() -> Connection: ...

class Functions:
    def __init__(self, connection: Callable[[], Connection]) -> None: ...
    @overload
    def adsorption(self, structure: OneCrystal | None, ion: str, n: float | None = 1.0, model: str | None = None, channel: float | str | None = "each", spacing: float | None = 0.0, sites: str | None = "", relaxes: str | None = "all") -> list[dict[str, Any]] | None: ...
    @overload
    def adsorption(self, structure: Column, ion: Some[str], n: Some[float] | None = 1.0, model: Some[str] | None = None, channel: Some[float | str] | None = "each", spacing: Some[float] | None = 0.0, sites: Some[str] | None = "", relaxes: Some[str] | None = "all") -> Column: ...
    @overload
    def adsorption(self, structure: Some[OneCrystal] | Rows, ion: Some[str], n: Some[float] | None = 1.0, model: Some[str] | None = None, channel: Some[float | str] | None = "each", spacing: Some[float] | None = 0.0, sites: Some[str] | None = "", relaxes: Some[str] | None = "all") -> list[list[dict[str, Any]] | None]: ...
    @overload
    def adsorption(self, structure: Frame, ion: Some[str], n: Some[float] | None = 1.0, model: Some[str] | None = None, channel: Some[float | str] | None = "each", spacing: Some[float] | None = 0.0, sites: Some[str] | None = "", relaxes: Some[str] | None = "all") -> Any:
        """How strongly an ion is bound in each channel of a host, by an energy model: one struct per channel, widest first, or one for the closed cavities if there is no channel. The host is relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), n ions are inserted in several ways (hollandite.insertion_starts, 4), each filled cell is relaxed and the lowest that converged is the answer. Then the ions are taken out and the host is relaxed again, which tells whether it is still the host. It takes seconds to minutes per crystal: filter first. Results are remembered in the store, and so is the relaxed host, for other ions."""
    @overload
    def adsorption_interval(self, structure: OneCrystal | None, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", coverage: float | None = 0.9, diagram: str | None = None) -> dict[str, Any] | None: ...
    @overload
    def adsorption_interval(self, structure: Column, ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", coverage: Some[float] | None = 0.9, diagram: Some[str] | None = None) -> Column: ...
    @overload
    def adsorption_interval(self, structure: Some[OneCrystal] | Rows, ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", coverage: Some[float] | None = 0.9, diagram: Some[str] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def adsorption_interval(self, structure: Frame, ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", coverage: Some[float] | None = 0.9, diagram: Some[str] | None = None) -> Any:
        """Adsorption potential of a crystal as `adsorption_potential` has it, with the interval that contains the DFT value with the given coverage. The half-width is a conformal quantile of the errors of the same protocol on insertion electrodes of known voltage, by ion where they are enough, times the charge of the ion. A host that these do not cover gets no interval, and the reason: one that is not the same again without the ions, that changes its volume more, that is larger (cations without d electrons apart) or more dilute. With a phase diagram, neither does one whose filled cell is more than 0.1 eV/atom above the hull, and would react sooner than take up the ions; without one the stability of the filled host is not considered."""
    @overload
    def adsorption_potential(self, e_inserted: OneCrystal | float | None, e_host: float | str, e_ion: float | None = None, n: float | str | None = None, spacing: float | None = 0.0, sites: str | None = "", relaxes: str | None = "all") -> float | None: ...
    @overload
    def adsorption_potential(self, e_inserted: Column, e_host: Some[float | str], e_ion: Some[float] | None = None, n: Some[float | str] | None = None, spacing: Some[float] | None = 0.0, sites: Some[str] | None = "", relaxes: Some[str] | None = "all") -> Column: ...
    @overload
    def adsorption_potential(self, e_inserted: Some[OneCrystal | float] | Rows, e_host: Some[float | str], e_ion: Some[float] | None = None, n: Some[float | str] | None = None, spacing: Some[float] | None = 0.0, sites: Some[str] | None = "", relaxes: Some[str] | None = "all") -> list[float | None]: ...
    @overload
    def adsorption_potential(self, e_inserted: Frame, e_host: Some[float | str], e_ion: Some[float] | None = None, n: Some[float | str] | None = None, spacing: Some[float] | None = 0.0, sites: Some[str] | None = "", relaxes: Some[str] | None = "all") -> Any:
        """Adsorption potential of an ion, positive = favourable: -(e_inserted - e_host - n e_ion) / n, from four energies; or of a crystal, as `adsorption_potential(structure, ion[, n[, channel[, spacing[, sites[, relaxes]]]]])`. Datta et al. (2024) write the opposite sign in their equations and this one in their text and figures. For a crystal the energy model of the session relaxes the host, n ions are inserted in several ways, each filled cell is relaxed, the best that converged is the answer, and all energies are those of that model; `adsorption` returns every step, and by what the numbers are limited. NULL if a relaxation did not converge. It takes seconds to minutes per crystal: filter first. Results are remembered in the store, and so is the relaxed host, for other ions. In eV per ion."""
    @overload
    def blocks(self, metal: str | None, n: float, m: float, anion: str | None = "O") -> Crystal | None: ...
    @overload
    def blocks(self, metal: Column, n: Some[float], m: Some[float], anion: Some[str] | None = "O") -> Column: ...
    @overload
    def blocks(self, metal: Some[str], n: Some[float], m: Some[float], anion: Some[str] | None = "O") -> list[Crystal | None]:
        """A crystal of blocks: ReO3-type columns of n x m corner-sharing octahedra that share edges with the next, as in Wadsley-Roth phases (Cava et al. 1983): 3 x 3 is TiNb2O7, 3 x 4 Nb12O29. Bonds are as long as Shannon's radii ask for in the oxidation states in which it is charge-neutral: a guess to begin a relaxation with."""
    @overload
    def bond_valence_sums(self, structure: OneCrystal | None, scale: float | None = 1.0) -> list[float] | None: ...
    @overload
    def bond_valence_sums(self, structure: Column, scale: Some[float] | None = 1.0) -> Column: ...
    @overload
    def bond_valence_sums(self, structure: Some[OneCrystal] | Rows, scale: Some[float] | None = 1.0) -> list[list[float] | None]: ...
    @overload
    def bond_valence_sums(self, structure: Frame, scale: Some[float] | None = 1.0) -> Any:
        """Bond-valence sum of each site, in the order of the sites (O'Keeffe & Brese 1991, bonds up to 4 Å, as pymatgen's `calculate_bv_sum`). Positive on cations; in a well-determined structure close to the oxidation state. In valence units."""
    @overload
    def bvse_barrier(self, structure: OneCrystal | None, ion: str, dimensions: float | None = 1.0) -> float | None: ...
    @overload
    def bvse_barrier(self, structure: Column, ion: Some[str], dimensions: Some[float] | None = 1.0) -> Column: ...
    @overload
    def bvse_barrier(self, structure: Some[OneCrystal] | Rows, ion: Some[str], dimensions: Some[float] | None = 1.0) -> list[float | None]: ...
    @overload
    def bvse_barrier(self, structure: Frame, ion: Some[str], dimensions: Some[float] | None = 1.0) -> Any:
        """Migration barrier of an ion in a rigid framework, from bond-valence site energies (softBV, Chen, Wong & Adams 2019): the energy of the lowest pass that leads from cell to cell above the lowest minimum it connects. It takes milliseconds and ranks crystals; the framework does not relax, so it is too high where the host would, between layers above all. Ions of that element in the crystal are taken out first; formal charges are those of the crystal as it is given. NULL if softBV has no parameters for the ion with an anion, or if there is no pass below 10 eV. In eV."""
    @overload
    def capacity(self, host: OneCrystal | None, ion: str, n: float, valence: float, volume: float | None = None) -> dict[str, Any] | None: ...
    @overload
    def capacity(self, host: Column, ion: Some[str], n: Some[float], valence: Some[float], volume: Some[float] | None = None) -> Column: ...
    @overload
    def capacity(self, host: Some[OneCrystal] | Rows, ion: Some[str], n: Some[float], valence: Some[float], volume: Some[float] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def capacity(self, host: Frame, ion: Some[str], n: Some[float], valence: Some[float], volume: Some[float] | None = None) -> Any:
        """Capacity of a host for n ions."""
    @overload
    def channels(self, structure: OneCrystal | None, probe: float | str | None = None, radii: str | None = "ionic") -> list[dict[str, Any]] | None: ...
    @overload
    def channels(self, structure: Column, probe: Some[float | str] | None = None, radii: Some[str] | None = "ionic") -> Column: ...
    @overload
    def channels(self, structure: Some[OneCrystal] | Rows, probe: Some[float | str] | None = None, radii: Some[str] | None = "ionic") -> list[list[dict[str, Any]] | None]: ...
    @overload
    def channels(self, structure: Frame, probe: Some[float | str] | None = None, radii: Some[str] | None = "ionic") -> Any:
        """Channels of a crystal, widest first. A channel is a connected part of the space open to the centre of the probe that repeats along a lattice vector."""
    @overload
    def conversion_voltage(self, diagram: str | None, formula: str, ef: float, ion: str, n: float) -> float | None: ...
    @overload
    def conversion_voltage(self, diagram: Column, formula: Some[str], ef: Some[float], ion: Some[str], n: Some[float]) -> Column: ...
    @overload
    def conversion_voltage(self, diagram: Some[str], formula: Some[str], ef: Some[float], ion: Some[str], n: Some[float]) -> list[float | None]:
        """Voltage, against the metal, at which a host reacts with ions to the stable phases of a phase diagram instead of taking them up: what insertion competes with. Calcium and an oxide may give CaO and a lower oxide. It is never below the voltage of insertion into a phase on or above the hull, and their difference is what the filled host gains by falling apart, per charge. In V."""
    @overload
    def coordination(self, structure: OneCrystal | None, tolerance: float | None = 0.4) -> list[dict[str, Any]] | None: ...
    @overload
    def coordination(self, structure: Column, tolerance: Some[float] | None = 0.4) -> Column: ...
    @overload
    def coordination(self, structure: Some[OneCrystal] | Rows, tolerance: Some[float] | None = 0.4) -> list[list[dict[str, Any]] | None]: ...
    @overload
    def coordination(self, structure: Frame, tolerance: Some[float] | None = 0.4) -> Any:
        """Coordination of each site. A neighbour is an ion of opposite charge (any atom in metals and other crystals without ions) whose Voronoi face spans more than `tolerance` of the largest solid angle: 6 for Ti and 3 for O in rutile, 5 for V in V2O5."""
    @overload
    def coulomb_eigenvalues(self, structure: OneCrystal | None, convention: str | None = "dscribe") -> list[float] | None: ...
    @overload
    def coulomb_eigenvalues(self, structure: Column, convention: Some[str] | None = "dscribe") -> Column: ...
    @overload
    def coulomb_eigenvalues(self, structure: Some[OneCrystal] | Rows, convention: Some[str] | None = "dscribe") -> list[list[float] | None]: ...
    @overload
    def coulomb_eigenvalues(self, structure: Frame, convention: Some[str] | None = "dscribe") -> Any:
        """Eigenvalues of `coulomb_matrix`, largest magnitude first: they do not depend on the order of the sites."""
    @overload
    def coulomb_matrix(self, structure: OneCrystal | None, convention: str | None = "dscribe") -> list[list[float]] | None: ...
    @overload
    def coulomb_matrix(self, structure: Column, convention: Some[str] | None = "dscribe") -> Column: ...
    @overload
    def coulomb_matrix(self, structure: Some[OneCrystal] | Rows, convention: Some[str] | None = "dscribe") -> list[list[list[float]] | None]: ...
    @overload
    def coulomb_matrix(self, structure: Frame, convention: Some[str] | None = "dscribe") -> Any:
        """Coulomb matrix: the repulsion Z_i Z_j / d of each pair of nuclei, and 0.5 Z^2.4 on the diagonal. Rows and columns follow the order of the sites, of which there may be at most 1000."""
    @overload
    def decomposition(self, diagram: str | None, formula: str) -> list[dict[str, Any]] | None: ...
    @overload
    def decomposition(self, diagram: Column, formula: Some[str]) -> Column: ...
    @overload
    def decomposition(self, diagram: Some[str], formula: Some[str]) -> list[list[dict[str, Any]] | None]:
        """Phases of the convex hull into which a composition decomposes, largest fraction first. A phase on the hull is its own decomposition."""
    @overload
    def density(self, structure: OneCrystal | None) -> float | None: ...
    @overload
    def density(self, structure: Column) -> Column: ...
    @overload
    def density(self, structure: Some[OneCrystal] | Rows) -> list[float | None]: ...
    @overload
    def density(self, structure: Frame) -> Any:
        """Mass density, from standard atomic weights. In g/cm³."""
    @overload
    def distance_min(self, structure: OneCrystal | None) -> float | None: ...
    @overload
    def distance_min(self, structure: Column) -> Column: ...
    @overload
    def distance_min(self, structure: Some[OneCrystal] | Rows) -> list[float | None]: ...
    @overload
    def distance_min(self, structure: Frame) -> Any:
        """Shortest distance between two atoms, periodic images included. In Å."""
    @overload
    def e_above_hull(self, diagram: str | None, formula: str, ef: float, scheme: str | None = None) -> float | None: ...
    @overload
    def e_above_hull(self, diagram: Column, formula: Some[str], ef: Some[float], scheme: Some[str] | None = None) -> Column: ...
    @overload
    def e_above_hull(self, diagram: Some[str], formula: Some[str], ef: Some[float], scheme: Some[str] | None = None) -> list[float | None]:
        """Energy above the convex hull of a phase diagram: what the phase gains by decomposing into the phases of the hull. It is 0 on the hull, and negative for a phase that is not in the diagram and would be stable. If diagram and call name different schemes, the query fails. In eV/atom."""
    @overload
    def electrode_voltage(self, charged: OneCrystal | None, discharged: OneCrystal, ion: str, geometry: str | None = "given", model: str | None = None) -> float | None: ...
    @overload
    def electrode_voltage(self, charged: Column, discharged: Some[OneCrystal], ion: Some[str], geometry: Some[str] | None = "given", model: Some[str] | None = None) -> Column: ...
    @overload
    def electrode_voltage(self, charged: Some[OneCrystal] | Rows, discharged: Some[OneCrystal], ion: Some[str], geometry: Some[str] | None = "given", model: Some[str] | None = None) -> list[float | None]: ...
    @overload
    def electrode_voltage(self, charged: Frame, discharged: Some[OneCrystal], ion: Some[str], geometry: Some[str] | None = "given", model: Some[str] | None = None) -> Any:
        """Average voltage, against the metal, between two crystals of one host, with fewer ions and with more, by an energy model: -(e_discharged - e_charged - n e_ion) / (n z). The cells may differ in size; n follows from the compositions, e_ion is the elemental reference energy by the same model. Energies are those of the crystals as given, or after both have been relaxed with their cells (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), which takes seconds per crystal and is remembered in the store. NULL if the crystals are not one host, or a relaxation did not converge. In V."""
    @overload
    def electronegativity_balanced(self, crystal: OneCrystal | None) -> bool | None: ...
    @overload
    def electronegativity_balanced(self, crystal: Column) -> Column: ...
    @overload
    def electronegativity_balanced(self, crystal: Some[OneCrystal] | Rows) -> list[bool | None]: ...
    @overload
    def electronegativity_balanced(self, crystal: Frame) -> Any:
        """True if the composition can be charge-neutral with every cation less electronegative (Pauling) than every anion: the test of SMACT."""
    @overload
    def electrostatic_valence(self, structure: OneCrystal | None) -> float | None: ...
    @overload
    def electrostatic_valence(self, structure: Column) -> Column: ...
    @overload
    def electrostatic_valence(self, structure: Some[OneCrystal] | Rows) -> list[float | None]: ...
    @overload
    def electrostatic_valence(self, structure: Frame) -> Any:
        """Root-mean-square deviation, over the anions, between the sum of the Pauling bond strengths (cation charge over coordination number) and the charge of the anion: 0 in rutile, 0.89 in V2O5. It ranks crystals; most oxides break Pauling's second rule somewhat. NULL if no oxidation states are charge-neutral. In valence units."""
    @overload
    def energy_correction(self, structure: OneCrystal | None, run_type: str, scheme: str | None = "MP2020", states: str | None = None) -> dict[str, Any] | None: ...
    @overload
    def energy_correction(self, structure: Column, run_type: Some[str], scheme: Some[str] | None = "MP2020", states: Some[str] | None = None) -> Column: ...
    @overload
    def energy_correction(self, structure: Some[OneCrystal] | Rows, run_type: Some[str], scheme: Some[str] | None = "MP2020", states: Some[str] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def energy_correction(self, structure: Frame, run_type: Some[str], scheme: Some[str] | None = "MP2020", states: Some[str] | None = None) -> Any:
        """What a correction scheme adds to the DFT energy of a crystal, so that PBE and PBE+U energies share a reference. Keep all of it beside the raw energy. NULL if the scheme requires PBE+U and the energy is PBE. U values and pseudopotentials are those of the Materials Project; `import-dft` checks them."""
    @overload
    def ewald_sum_eigenvalues(self, structure: OneCrystal | None, accuracy: float | None = 1e-12) -> list[float] | None: ...
    @overload
    def ewald_sum_eigenvalues(self, structure: Column, accuracy: Some[float] | None = 1e-12) -> Column: ...
    @overload
    def ewald_sum_eigenvalues(self, structure: Some[OneCrystal] | Rows, accuracy: Some[float] | None = 1e-12) -> list[list[float] | None]: ...
    @overload
    def ewald_sum_eigenvalues(self, structure: Frame, accuracy: Some[float] | None = 1e-12) -> Any:
        """Eigenvalues of `ewald_sum_matrix`, largest magnitude first: they do not depend on the order of the sites. In e²/Å."""
    @overload
    def ewald_sum_matrix(self, structure: OneCrystal | None, accuracy: float | None = 1e-12) -> list[list[float]] | None: ...
    @overload
    def ewald_sum_matrix(self, structure: Column, accuracy: Some[float] | None = 1e-12) -> Column: ...
    @overload
    def ewald_sum_matrix(self, structure: Some[OneCrystal] | Rows, accuracy: Some[float] | None = 1e-12) -> list[list[list[float]] | None]: ...
    @overload
    def ewald_sum_matrix(self, structure: Frame, accuracy: Some[float] | None = 1e-12) -> Any:
        """Ewald sum matrix, as dscribe's: the Coulomb energy of each pair of nuclei, with all periodic images, in a neutralising background. The upper triangle sums to the energy of the cell. In e²/Å."""
    @overload
    def extraction_voltage(self, structure: OneCrystal | None, ion: str, n: float | None = None, model: str | None = None) -> float | None: ...
    @overload
    def extraction_voltage(self, structure: Column, ion: Some[str], n: Some[float] | None = None, model: Some[str] | None = None) -> Column: ...
    @overload
    def extraction_voltage(self, structure: Some[OneCrystal] | Rows, ion: Some[str], n: Some[float] | None = None, model: Some[str] | None = None) -> list[float | None]: ...
    @overload
    def extraction_voltage(self, structure: Frame, ion: Some[str], n: Some[float] | None = None, model: Some[str] | None = None) -> Any:
        """Average voltage, against the metal, at which ions leave a crystal that contains them, such as a lithiated cathode, by an energy model: -(e_full - e_left - n e_ion) / (n z), with z the charge of the ion. Positive if the ions are bound, with the same sign as insertion_voltage. The crystal is relaxed with its cell (FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200), the ions are removed as by `remove`, and the rest is relaxed with its cell; e_ion is the elemental reference energy by the same model. It takes seconds to minutes per crystal: filter first. Its relaxations are remembered in the store. For energies of your own use insertion_voltage. In V."""
    @overload
    def fingerprint(self, structure: OneCrystal | None) -> list[float] | None: ...
    @overload
    def fingerprint(self, structure: Column) -> Column: ...
    @overload
    def fingerprint(self, structure: Some[OneCrystal] | Rows) -> list[list[float] | None]: ...
    @overload
    def fingerprint(self, structure: Frame) -> Any:
        """Structure fingerprint: 144 numbers of Euclidean norm 1. They are the radial distributions cation-cation, cation-anion and anion-anion (weighted by electronegativity, regardless of element), at 48 distances each from 0.4 to 4 (V/N)^(1/3), logarithmically spaced and smoothed by 5 % of the distance, minus those of randomly placed atoms."""
    @overload
    def formation_energy(self, crystal: OneCrystal | None, energy_per_atom: float, scheme: str) -> float | None: ...
    @overload
    def formation_energy(self, crystal: Column, energy_per_atom: Some[float], scheme: Some[str]) -> Column: ...
    @overload
    def formation_energy(self, crystal: Some[OneCrystal] | Rows, energy_per_atom: Some[float], scheme: Some[str]) -> list[float | None]: ...
    @overload
    def formation_energy(self, crystal: Frame, energy_per_atom: Some[float], scheme: Some[str]) -> Any:
        """Formation energy: a total energy minus the elemental reference energies, computed the same way. The scheme says how: 'MP2020' for PBE and PBE+U energies with the corrections of energy_correction, 'MP-PBE' for plain PBE of the Materials Project, 'MatPES-PBE', 'MatPES-r2SCAN' or 'JARVIS-OptB88vdW' for those data sets; the name of an energy model for its own energies; or a functional whose elements are in the table reference_energies. NULL with a warning if an element has no reference energy. In eV/atom."""
    @overload
    def formula(self, structure: OneCrystal | None) -> str | None: ...
    @overload
    def formula(self, structure: Column) -> Column: ...
    @overload
    def formula(self, structure: Some[OneCrystal] | Rows) -> list[str | None]: ...
    @overload
    def formula(self, structure: Frame) -> Any:
        """Formula of the whole cell, electropositive elements first: `Ti2O4` for rutile."""
    @overload
    def gibbs(self, e: float | None, p: float, dv: float, t: float, ds: float) -> float | None: ...
    @overload
    def gibbs(self, e: Column, p: Some[float], dv: Some[float], t: Some[float], ds: Some[float]) -> Column: ...
    @overload
    def gibbs(self, e: Some[float], p: Some[float], dv: Some[float], t: Some[float], ds: Some[float]) -> list[float | None]:
        """Gibbs energy e + p dv - t ds. In a solid at ambient conditions the last two terms are a few meV. In eV."""
    @overload
    def global_instability_index(self, structure: OneCrystal | None, scale: float | None = 1.0) -> float | None: ...
    @overload
    def global_instability_index(self, structure: Column, scale: Some[float] | None = 1.0) -> Column: ...
    @overload
    def global_instability_index(self, structure: Some[OneCrystal] | Rows, scale: Some[float] | None = 1.0) -> list[float | None]: ...
    @overload
    def global_instability_index(self, structure: Frame, scale: Some[float] | None = 1.0) -> Any:
        """Root-mean-square deviation, over the sites, between bond-valence sum and oxidation state: below 0.2 in well-determined, unstrained structures. NULL if no oxidation states are charge-neutral. In valence units."""
    @overload
    def has_element(self, crystal: OneCrystal | None, element: str) -> bool | None: ...
    @overload
    def has_element(self, crystal: Column, element: Some[str]) -> Column: ...
    @overload
    def has_element(self, crystal: Some[OneCrystal] | Rows, element: Some[str]) -> list[bool | None]: ...
    @overload
    def has_element(self, crystal: Frame, element: Some[str]) -> Any:
        """True if the crystal contains an element."""
    @overload
    def insert(self, structure: Object | None, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", sites: str | None = "") -> Object | None: ...
    @overload
    def insert(self, structure: Column, ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", sites: Some[str] | None = "") -> Column: ...
    @overload
    def insert(self, structure: Some[Object], ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", sites: Some[str] | None = "") -> list[Object | None]: ...
    @overload
    def insert(self, structure: Text | None, ion: str, n: float | None = 1.0, channel: float | str | None = "everywhere", sites: str | None = "") -> Crystal | None: ...
    @overload
    def insert(self, structure: Some[Text] | Rows, ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", sites: Some[str] | None = "") -> list[Crystal | None]: ...
    @overload
    def insert(self, structure: Frame, ion: Some[str], n: Some[float] | None = 1.0, channel: Some[float | str] | None = "everywhere", sites: Some[str] | None = "") -> Any:
        """The crystal with n ions inserted into its cell. They go to those of the sites that insertion_sites finds, symmetry-equivalent ones included, that minimise the electrostatic energy of the inserted ions (formal charges, rigid host, interactions between the ions included), no two of them closer than 2 Å, at sites with at least three neighbours where there are enough. The host's atoms come first, in their order; nothing is relaxed. NULL and a warning if there is no site, or no room for n ions."""
    @overload
    def insertion_sites(self, structure: OneCrystal | None, ion: str, channel: float | str | None = "everywhere") -> list[dict[str, Any]] | None: ...
    @overload
    def insertion_sites(self, structure: Column, ion: Some[str], channel: Some[float | str] | None = "everywhere") -> Column: ...
    @overload
    def insertion_sites(self, structure: Some[OneCrystal] | Rows, ion: Some[str], channel: Some[float | str] | None = "everywhere") -> list[list[dict[str, Any]] | None]: ...
    @overload
    def insertion_sites(self, structure: Frame, ion: Some[str], channel: Some[float | str] | None = "everywhere") -> Any:
        """Sites where an ion can be inserted, those with at least three neighbours first, then by score: the symmetry-distinct maxima of the void (Shannon radii) that hold a sphere of at least half the ion's radius. Maxima within 0.5 Å of each other are one site."""
    @overload
    def insertion_voltage(self, e_inserted: float | None, e_host: float, e_ion: float, n: float, valence: float) -> float | None: ...
    @overload
    def insertion_voltage(self, e_inserted: Column, e_host: Some[float], e_ion: Some[float], n: Some[float], valence: Some[float]) -> Column: ...
    @overload
    def insertion_voltage(self, e_inserted: Some[float], e_host: Some[float], e_ion: Some[float], n: Some[float], valence: Some[float]) -> list[float | None]:
        """Average insertion voltage against the metal: the adsorption potential divided by the charge of the ion. For Li the two are numerically equal; for Ca the voltage is half. In V."""
    @overload
    def ion_passes(self, structure: OneCrystal | None, ion: float | str, radii: str | None = "ionic", dimensions: float | None = 1.0) -> bool | None: ...
    @overload
    def ion_passes(self, structure: Column, ion: Some[float | str], radii: Some[str] | None = "ionic", dimensions: Some[float] | None = 1.0) -> Column: ...
    @overload
    def ion_passes(self, structure: Some[OneCrystal] | Rows, ion: Some[float | str], radii: Some[str] | None = "ionic", dimensions: Some[float] | None = 1.0) -> list[bool | None]: ...
    @overload
    def ion_passes(self, structure: Frame, ion: Some[float | str], radii: Some[str] | None = "ionic", dimensions: Some[float] | None = 1.0) -> Any:
        """True if an ion can pass through the crystal: if the space open to the centre of a sphere of its radius (Shannon, sixfold) repeats along a lattice vector."""
    @overload
    def ionic_radius(self, ion: str | None) -> float | None: ...
    @overload
    def ionic_radius(self, ion: Column) -> Column: ...
    @overload
    def ionic_radius(self, ion: Some[str]) -> list[float | None]:
        """Effective ionic radius in sixfold coordination (Shannon 1976): Li 0.76, Ca 1.00, Al 0.535. In Å."""
    @overload
    def is_charge_neutral(self, crystal: OneCrystal | None) -> bool | None: ...
    @overload
    def is_charge_neutral(self, crystal: Column) -> Column: ...
    @overload
    def is_charge_neutral(self, crystal: Some[OneCrystal] | Rows) -> list[bool | None]: ...
    @overload
    def is_charge_neutral(self, crystal: Frame) -> Any:
        """True if common oxidation states of the elements can sum to zero, with one state per element or one mixed-valence element (Fe3O4). Only the composition is used, so it is a cheap prefilter."""
    @overload
    def is_stable(self, diagram: str | None, formula: str, ef: float, tolerance: float | None = 0.0) -> bool | None: ...
    @overload
    def is_stable(self, diagram: Column, formula: Some[str], ef: Some[float], tolerance: Some[float] | None = 0.0) -> Column: ...
    @overload
    def is_stable(self, diagram: Some[str], formula: Some[str], ef: Some[float], tolerance: Some[float] | None = 0.0) -> list[bool | None]:
        """True if a phase lies on the convex hull of a phase diagram, or above it by at most a tolerance."""
    @overload
    def json_as_text(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> str | None: ...
    @overload
    def json_as_text(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_as_text(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[str | None]:
        """A member of a JSON document as text: a string without its quotes, anything else as JSON; NULL if there is none. `extra->>'name'` is short for it."""
    @overload
    def json_contains(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> bool | None: ...
    @overload
    def json_contains(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_contains(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[bool | None]:
        """True if a JSON document has a member, even if it is null."""
    @overload
    def json_get(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> str | None: ...
    @overload
    def json_get(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_get(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[str | None]:
        """A member of a JSON document as JSON text, a string with its quotes; NULL if there is none. `extra->'name'` is short for it."""
    @overload
    def json_get_bool(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> bool | None: ...
    @overload
    def json_get_bool(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_get_bool(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[bool | None]:
        """A member of a JSON document that is true or false; NULL if there is none, or it is something else."""
    @overload
    def json_get_float(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> float | None: ...
    @overload
    def json_get_float(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_get_float(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[float | None]:
        """A member of a JSON document that is a number; NULL if there is none, or it is something else."""
    @overload
    def json_get_int(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> int | None: ...
    @overload
    def json_get_int(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_get_int(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[int | None]:
        """A member of a JSON document that is a whole number, including `2.0`; NULL if there is none, or it is something else."""
    @overload
    def json_get_str(self, json: str | None, key: float | str, key2: float | str | None = None, key3: float | str | None = None) -> str | None: ...
    @overload
    def json_get_str(self, json: Column, key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> Column: ...
    @overload
    def json_get_str(self, json: Some[str], key: Some[float | str], key2: Some[float | str] | None = None, key3: Some[float | str] | None = None) -> list[str | None]:
        """A member of a JSON document that is a string; NULL if there is none, or it is something else."""
    @overload
    def json_object_keys(self, json: str | None) -> list[str] | None: ...
    @overload
    def json_object_keys(self, json: Column) -> Column: ...
    @overload
    def json_object_keys(self, json: Some[str]) -> list[list[str] | None]:
        """Names of the members of a JSON object, alphabetically; NULL if the document is something else."""
    @overload
    def largest_free_sphere(self, structure: OneCrystal | None, radii: str | None = "ionic", dimensions: float | None = 1.0, method: str | None = "exact") -> float | None: ...
    @overload
    def largest_free_sphere(self, structure: Column, radii: Some[str] | None = "ionic", dimensions: Some[float] | None = 1.0, method: Some[str] | None = "exact") -> Column: ...
    @overload
    def largest_free_sphere(self, structure: Some[OneCrystal] | Rows, radii: Some[str] | None = "ionic", dimensions: Some[float] | None = 1.0, method: Some[str] | None = "exact") -> list[float | None]: ...
    @overload
    def largest_free_sphere(self, structure: Frame, radii: Some[str] | None = "ionic", dimensions: Some[float] | None = 1.0, method: Some[str] | None = "exact") -> Any:
        """Diameter of the largest sphere that can pass through the crystal (Df of Zeo++); 0 if none can. Half of it is the radius of the largest ion that can migrate. In Å."""
    @overload
    def largest_included_sphere(self, structure: OneCrystal | None, radii: str | None = "ionic", method: str | None = "exact") -> float | None: ...
    @overload
    def largest_included_sphere(self, structure: Column, radii: Some[str] | None = "ionic", method: Some[str] | None = "exact") -> Column: ...
    @overload
    def largest_included_sphere(self, structure: Some[OneCrystal] | Rows, radii: Some[str] | None = "ionic", method: Some[str] | None = "exact") -> list[float | None]: ...
    @overload
    def largest_included_sphere(self, structure: Frame, radii: Some[str] | None = "ionic", method: Some[str] | None = "exact") -> Any:
        """Diameter of the largest sphere that fits between the atoms (Di of Zeo++); 0 if there is no room. In Å."""
    @overload
    def largest_sphere_along_path(self, structure: OneCrystal | None, radii: str | None = "ionic", method: str | None = "exact") -> float | None: ...
    @overload
    def largest_sphere_along_path(self, structure: Column, radii: Some[str] | None = "ionic", method: Some[str] | None = "exact") -> Column: ...
    @overload
    def largest_sphere_along_path(self, structure: Some[OneCrystal] | Rows, radii: Some[str] | None = "ionic", method: Some[str] | None = "exact") -> list[float | None]: ...
    @overload
    def largest_sphere_along_path(self, structure: Frame, radii: Some[str] | None = "ionic", method: Some[str] | None = "exact") -> Any:
        """Diameter of the largest sphere that fits somewhere in the channel through which the largest free sphere passes (Dif of Zeo++, where it is along one path); 0 if no sphere can pass. In Å."""
    @overload
    def magpie(self, crystal: OneCrystal | None, impute: bool | None = False) -> dict[str, Any] | None: ...
    @overload
    def magpie(self, crystal: Column, impute: Some[bool] | None = False) -> Column: ...
    @overload
    def magpie(self, crystal: Some[OneCrystal] | Rows, impute: Some[bool] | None = False) -> list[dict[str, Any] | None]: ...
    @overload
    def magpie(self, crystal: Frame, impute: Some[bool] | None = False) -> Any:
        """Magpie descriptors of a composition (Ward et al. 2016): six statistics of 22 properties of its elements, 132 numbers equal to matminer's `ElementProperty.from_preset('magpie')`. `magpie_names()` lists them; take one by its name: `magpie(structure)['mean Electronegativity']`."""
    def magpie_names(self) -> list[str]:
        """Names of the 132 numbers of `magpie`, in order, from `minimum Number` to `mode SpaceGroupNumber`."""
    @overload
    def migration_barrier(self, structure: OneCrystal | None, ion: str, channel: float | str | None = "channels", images: float | None = 5.0, spacing: float | None = 6.0, model: str | None = None) -> dict[str, Any] | None: ...
    @overload
    def migration_barrier(self, structure: Column, ion: Some[str], channel: Some[float | str] | None = "channels", images: Some[float] | None = 5.0, spacing: Some[float] | None = 6.0, model: Some[str] | None = None) -> Column: ...
    @overload
    def migration_barrier(self, structure: Some[OneCrystal] | Rows, ion: Some[str], channel: Some[float | str] | None = "channels", images: Some[float] | None = 5.0, spacing: Some[float] | None = 6.0, model: Some[str] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def migration_barrier(self, structure: Frame, ion: Some[str], channel: Some[float | str] | None = "channels", images: Some[float] | None = 5.0, spacing: Some[float] | None = 6.0, model: Some[str] | None = None) -> Any:
        """Migration barrier of an ion along a channel, by an energy model, and the path. The host is relaxed with its cell; one ion is relaxed at up to hollandite.insertion_starts (4) sites of the channel, in a supercell whose cell is held; from the lowest the way to the same site one period on is cut into hops, and each is relaxed as a climbing-image nudged elastic band (improved tangent, FIRE; options hollandite.relax_fmax, 0.05 eV/Å, and hollandite.relax_steps, 200). The barrier is the highest energy of all hops minus the lowest. Where no channel is to be followed ('everywhere'), the ways along the three shortest independent lattice vectors are computed and the one with the lowest barrier is the answer. It takes minutes per crystal: filter first, with bvse_barrier for instance. Results are remembered in the store, and so is the relaxed host. NULL and a warning if no channel has a site for the ion."""
    @overload
    def natoms(self, structure: OneCrystal | None) -> int | None: ...
    @overload
    def natoms(self, structure: Column) -> Column: ...
    @overload
    def natoms(self, structure: Some[OneCrystal] | Rows) -> list[int | None]: ...
    @overload
    def natoms(self, structure: Frame) -> Any:
        """Number of atoms in the cell."""
    @overload
    def orbital_field_matrix(self, structure: OneCrystal | None, shells: str | None = "matminer") -> list[list[float]] | None: ...
    @overload
    def orbital_field_matrix(self, structure: Column, shells: Some[str] | None = "matminer") -> Column: ...
    @overload
    def orbital_field_matrix(self, structure: Some[OneCrystal] | Rows, shells: Some[str] | None = "matminer") -> list[list[list[float]] | None]: ...
    @overload
    def orbital_field_matrix(self, structure: Frame, shells: Some[str] | None = "matminer") -> Any:
        """Orbital-field matrix, 32 x 32, averaged over the sites, as matminer's: which valence subshells of the neighbours (rows: s1, s2, p1 .. p6, d1 .. d10, f1 .. f14) meet which of a site (columns), weighted by solid angle and distance."""
    @overload
    def oxidation_states(self, crystal: OneCrystal | None) -> list[dict[str, Any]] | None: ...
    @overload
    def oxidation_states(self, crystal: Column) -> Column: ...
    @overload
    def oxidation_states(self, crystal: Some[OneCrystal] | Rows) -> list[list[dict[str, Any]] | None]: ...
    @overload
    def oxidation_states(self, crystal: Frame) -> Any:
        """Oxidation states with which a composition is charge-neutral. One state per element is preferred to mixed valence, then the more common states. NULL if no choice is neutral."""
    @overload
    def packing_fraction(self, structure: OneCrystal | None, radii: str | None = "atomic") -> float | None: ...
    @overload
    def packing_fraction(self, structure: Column, radii: Some[str] | None = "atomic") -> Column: ...
    @overload
    def packing_fraction(self, structure: Some[OneCrystal] | Rows, radii: Some[str] | None = "atomic") -> list[float | None]: ...
    @overload
    def packing_fraction(self, structure: Frame, radii: Some[str] | None = "atomic") -> Any:
        """Total volume of the atomic spheres divided by the volume of the cell. Overlaps count twice, so it may exceed 1."""
    def phase_diagram(self, formula: Some[str], ef: Some[float], scheme: Some[str] | None = None) -> str | None:
        """Phase diagram of formation energies, for e_above_hull, decomposition, is_stable and stability_margin: text (JSON of formulas and energies) to be made once in a subquery or kept in a table. The elements are included at 0. For each composition the lowest energy is kept. If a scheme is named, rows of two schemes end the query."""
    @overload
    def predict(self, structure: OneCrystal | None, model: str | None = None, coverage: float | None = None) -> dict[str, Any] | None: ...
    @overload
    def predict(self, structure: Column, model: Some[str] | None = None, coverage: Some[float] | None = None) -> Column: ...
    @overload
    def predict(self, structure: Some[OneCrystal] | Rows, model: Some[str] | None = None, coverage: Some[float] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def predict(self, structure: Frame, model: Some[str] | None = None, coverage: Some[float] | None = None) -> Any:
        """What a model predicts, and how reliable it is. The width of the interval is a quantile of the model's errors on crystals it was not fitted to (split-conformal prediction); for an ensemble it grows with the disagreement of the members. An element, number of atoms, volume per atom or shortest distance outside the training data makes in_domain false and the interval NULL. Planned and cached like `predict_ef`."""
    @overload
    def predict_ef(self, structure: OneCrystal | None, model: str | None = None) -> float | None: ...
    @overload
    def predict_ef(self, structure: Column, model: Some[str] | None = None) -> Column: ...
    @overload
    def predict_ef(self, structure: Some[OneCrystal] | Rows, model: Some[str] | None = None) -> list[float | None]: ...
    @overload
    def predict_ef(self, structure: Frame, model: Some[str] | None = None) -> Any:
        """Formation energy predicted by a trained model. NULL with a warning for elements outside the model's training data. A model of another quantity is refused: ask it with `predict`. A query asks once for each distinct crystal, after all cheaper predicates, and the result is remembered. In eV/atom."""
    @overload
    def predict_energy(self, structure: OneCrystal | None, model: str | None = None) -> float | None: ...
    @overload
    def predict_energy(self, structure: Column, model: Some[str] | None = None) -> Column: ...
    @overload
    def predict_energy(self, structure: Some[OneCrystal] | Rows, model: Some[str] | None = None) -> list[float | None]: ...
    @overload
    def predict_energy(self, structure: Frame, model: Some[str] | None = None) -> Any:
        """Total energy of the cell by an energy model, on the scale of its training data: for CHGNet, PBE and PBE+U with the corrections of the Materials Project; for Nequix, the same without them; for TensorNet on MatPES, plain PBE or r2SCAN. Energies of different models are not comparable; for a formation energy use predict_ef(structure, model). NULL if an atom has no neighbour, or an element that the model was not trained on. In eV."""
    @overload
    def predict_forces(self, structure: OneCrystal | None, model: str | None = None) -> list[list[float]] | None: ...
    @overload
    def predict_forces(self, structure: Column, model: Some[str] | None = None) -> Column: ...
    @overload
    def predict_forces(self, structure: Some[OneCrystal] | Rows, model: Some[str] | None = None) -> list[list[list[float]] | None]: ...
    @overload
    def predict_forces(self, structure: Frame, model: Some[str] | None = None) -> Any:
        """Forces on the atoms by an energy model: three numbers, along x, y and z, for each site. In eV/Å."""
    @overload
    def predict_magmoms(self, structure: OneCrystal | None, model: str | None = None) -> list[float] | None: ...
    @overload
    def predict_magmoms(self, structure: Column, model: Some[str] | None = None) -> Column: ...
    @overload
    def predict_magmoms(self, structure: Some[OneCrystal] | Rows, model: Some[str] | None = None) -> list[list[float] | None]: ...
    @overload
    def predict_magmoms(self, structure: Frame, model: Some[str] | None = None) -> Any:
        """Magnetic moments of the atoms by an energy model, without sign: one number for each site. They distinguish oxidation states: Mn4+ has about 3, Mn3+ about 4. NULL by a model that has none, such as TensorNet and Nequix. In μ_B."""
    @overload
    def predict_stress(self, structure: OneCrystal | None, model: str | None = None) -> list[list[float]] | None: ...
    @overload
    def predict_stress(self, structure: Column, model: Some[str] | None = None) -> Column: ...
    @overload
    def predict_stress(self, structure: Some[OneCrystal] | Rows, model: Some[str] | None = None) -> list[list[list[float]] | None]: ...
    @overload
    def predict_stress(self, structure: Frame, model: Some[str] | None = None) -> Any:
        """Stress tensor of the cell by an energy model, three rows of three numbers. Positive on the diagonal if the cell tends to shrink, as in ASE; the pressure is minus the mean of the diagonal. In GPa."""
    @overload
    def primitive(self, structure: Object | None, symprec: float | None = 0.1) -> Object | None: ...
    @overload
    def primitive(self, structure: Column, symprec: Some[float] | None = 0.1) -> Column: ...
    @overload
    def primitive(self, structure: Some[Object], symprec: Some[float] | None = 0.1) -> list[Object | None]: ...
    @overload
    def primitive(self, structure: Text | None, symprec: float | None = 0.1) -> Crystal | None: ...
    @overload
    def primitive(self, structure: Some[Text] | Rows, symprec: Some[float] | None = 0.1) -> list[Crystal | None]: ...
    @overload
    def primitive(self, structure: Frame, symprec: Some[float] | None = 0.1) -> Any:
        """The crystal in its primitive cell, Niggli-reduced: the smallest cell whose translations move no atom by more than symprec. What is counted per cell, such as inserted ions, then no longer depends on the cell of the file. Of a primitive cell the first vector is the shortest."""
    @overload
    def prototype(self, structure: OneCrystal | None, symprec: float | None = 0.1) -> str | None: ...
    @overload
    def prototype(self, structure: Column, symprec: Some[float] | None = 0.1) -> Column: ...
    @overload
    def prototype(self, structure: Some[OneCrystal] | Rows, symprec: Some[float] | None = 0.1) -> list[str | None]: ...
    @overload
    def prototype(self, structure: Frame, symprec: Some[float] | None = 0.1) -> Any:
        """Label of the structure type, regardless of the elements: AB2_tP6_136_a_f is rutile. It joins the anonymous formula (A is the rarest element), the Pearson symbol, the space-group number and the Wyckoff positions of each letter. It does not depend on the choice of cell or origin."""
    @overload
    def reduced_formula(self, structure: OneCrystal | None) -> str | None: ...
    @overload
    def reduced_formula(self, structure: Column) -> Column: ...
    @overload
    def reduced_formula(self, structure: Some[OneCrystal] | Rows) -> list[str | None]: ...
    @overload
    def reduced_formula(self, structure: Frame) -> Any:
        """Formula in smallest whole numbers: `TiO2` for rutile."""
    @overload
    def reference_energy(self, ion: str | None, functional: str, source: str | None = None) -> float | None: ...
    @overload
    def reference_energy(self, ion: Column, functional: Some[str], source: Some[str] | None = None) -> Column: ...
    @overload
    def reference_energy(self, ion: Some[str], functional: Some[str], source: Some[str] | None = None) -> list[float | None]:
        """Elemental reference energy, from the table reference_energies, of a scheme that formation_energy knows (MP2020), or by an energy model, which relaxed the element when it was imported. Different functionals are not comparable: where none matches, or two sources differ, the result is NULL and the warning says what is known and how to add a value. In eV/atom."""
    @overload
    def relax(self, structure: OneCrystal | None, fmax: float | None = 0.05, steps: float | None = 200.0, cell: bool | None = True, method: str | None = "fire", model: str | None = None) -> dict[str, Any] | None: ...
    @overload
    def relax(self, structure: Column, fmax: Some[float] | None = 0.05, steps: Some[float] | None = 200.0, cell: Some[bool] | None = True, method: Some[str] | None = "fire", model: Some[str] | None = None) -> Column: ...
    @overload
    def relax(self, structure: Some[OneCrystal] | Rows, fmax: Some[float] | None = 0.05, steps: Some[float] | None = 200.0, cell: Some[bool] | None = True, method: Some[str] | None = "fire", model: Some[str] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def relax(self, structure: Frame, fmax: Some[float] | None = 0.05, steps: Some[float] | None = 200.0, cell: Some[bool] | None = True, method: Some[str] | None = "fire", model: Some[str] | None = None) -> Any:
        """The crystal relaxed by an energy model, until no force exceeds fmax. The cell relaxes too, its force being the gradient of the energy with the logarithm of the deformation over the number of atoms, as in ASE's FrechetCellFilter. The order of the atoms is kept. It takes seconds per crystal: filter first. Results are remembered in the store."""
    @overload
    def remove(self, structure: Object | None, ion: str, n: float | None = None) -> Object | None: ...
    @overload
    def remove(self, structure: Column, ion: Some[str], n: Some[float] | None = None) -> Column: ...
    @overload
    def remove(self, structure: Some[Object], ion: Some[str], n: Some[float] | None = None) -> list[Object | None]: ...
    @overload
    def remove(self, structure: Text | None, ion: str, n: float | None = None) -> Crystal | None: ...
    @overload
    def remove(self, structure: Some[Text] | Rows, ion: Some[str], n: Some[float] | None = None) -> list[Crystal | None]: ...
    @overload
    def remove(self, structure: Frame, ion: Some[str], n: Some[float] | None = None) -> Any:
        """The crystal without its ions of one element, all of them or n. If n are removed, those ions stay whose electrostatic energy is lowest (formal charges, rigid framework, all periodic images), as for insert; the charges of the framework are those it has without the ions. The other atoms keep their order and positions; nothing is relaxed. NULL and a warning if the crystal has no such ion, or fewer than n."""
    @overload
    def same_prototype(self, a: OneCrystal | None, b: OneCrystal, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> bool | None: ...
    @overload
    def same_prototype(self, a: Column, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> Column: ...
    @overload
    def same_prototype(self, a: Some[OneCrystal] | Rows, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> list[bool | None]: ...
    @overload
    def same_prototype(self, a: Frame, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> Any:
        """True if two crystals are the same structure once the elements of one are mapped, one to one, onto those of the other, as for rutile TiO2 and SnO2. Tolerances as for same_structure."""
    @overload
    def same_structure(self, a: OneCrystal | None, b: OneCrystal, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> bool | None: ...
    @overload
    def same_structure(self, a: Column, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> Column: ...
    @overload
    def same_structure(self, a: Some[OneCrystal] | Rows, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> list[bool | None]: ...
    @overload
    def same_structure(self, a: Frame, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> Any:
        """True if two crystals are the same structure: their primitive cells, scaled to equal volume, can be superposed so that every atom is near one of its element. Cell, origin, orientation, order of the atoms and handedness do not matter. Criterion and default tolerances are those of pymatgen's StructureMatcher."""
    @overload
    def similarity(self, a: OneCrystal | Sequence[float] | None, b: OneCrystal | Sequence[float]) -> float | None: ...
    @overload
    def similarity(self, a: Column, b: Some[OneCrystal | Sequence[float]]) -> Column: ...
    @overload
    def similarity(self, a: Some[OneCrystal | Sequence[float]] | Rows, b: Some[OneCrystal | Sequence[float]]) -> list[float | None]: ...
    @overload
    def similarity(self, a: Frame, b: Some[OneCrystal | Sequence[float]]) -> Any:
        """Similarity of two crystals by their fingerprints, 0 to 1: (1 + cosine) / 2, which is 1 for equal structures. Isostructural compounds score above 0.99, other structures mostly below 0.95."""
    @overload
    def sine_coulomb_eigenvalues(self, structure: OneCrystal | None, convention: str | None = "dscribe") -> list[float] | None: ...
    @overload
    def sine_coulomb_eigenvalues(self, structure: Column, convention: Some[str] | None = "dscribe") -> Column: ...
    @overload
    def sine_coulomb_eigenvalues(self, structure: Some[OneCrystal] | Rows, convention: Some[str] | None = "dscribe") -> list[list[float] | None]: ...
    @overload
    def sine_coulomb_eigenvalues(self, structure: Frame, convention: Some[str] | None = "dscribe") -> Any:
        """Eigenvalues of `sine_coulomb_matrix`, largest magnitude first: they do not depend on the order of the sites."""
    @overload
    def sine_coulomb_matrix(self, structure: OneCrystal | None, convention: str | None = "dscribe") -> list[list[float]] | None: ...
    @overload
    def sine_coulomb_matrix(self, structure: Column, convention: Some[str] | None = "dscribe") -> Column: ...
    @overload
    def sine_coulomb_matrix(self, structure: Some[OneCrystal] | Rows, convention: Some[str] | None = "dscribe") -> list[list[list[float]] | None]: ...
    @overload
    def sine_coulomb_matrix(self, structure: Frame, convention: Some[str] | None = "dscribe") -> Any:
        """Sine Coulomb matrix: the Coulomb matrix with a distance that is periodic in the lattice. Rows and columns follow the order of the sites, of which there may be at most 1000."""
    @overload
    def site_orbital_field_matrices(self, structure: OneCrystal | None, shells: str | None = "matminer") -> list[list[float]] | None: ...
    @overload
    def site_orbital_field_matrices(self, structure: Column, shells: Some[str] | None = "matminer") -> Column: ...
    @overload
    def site_orbital_field_matrices(self, structure: Some[OneCrystal] | Rows, shells: Some[str] | None = "matminer") -> list[list[list[float]] | None]: ...
    @overload
    def site_orbital_field_matrices(self, structure: Frame, shells: Some[str] | None = "matminer") -> Any:
        """Orbital-field matrix of each site, row after row: 1024 numbers per site."""
    @overload
    def soap(self, structure: OneCrystal | None, channels: str | None = "own", r_cut: float | None = 5.0, n_max: float | None = 8.0, l_max: float | None = 6.0, sigma: float | None = 1.0) -> list[list[float]] | None: ...
    @overload
    def soap(self, structure: Column, channels: Some[str] | None = "own", r_cut: Some[float] | None = 5.0, n_max: Some[float] | None = 8.0, l_max: Some[float] | None = 6.0, sigma: Some[float] | None = 1.0) -> Column: ...
    @overload
    def soap(self, structure: Some[OneCrystal] | Rows, channels: Some[str] | None = "own", r_cut: Some[float] | None = 5.0, n_max: Some[float] | None = 8.0, l_max: Some[float] | None = 6.0, sigma: Some[float] | None = 1.0) -> list[list[list[float]] | None]: ...
    @overload
    def soap(self, structure: Frame, channels: Some[str] | None = "own", r_cut: Some[float] | None = 5.0, n_max: Some[float] | None = 8.0, l_max: Some[float] | None = 6.0, sigma: Some[float] | None = 1.0) -> Any:
        """SOAP power spectrum of each site, with dscribe's radial basis, order and normalisation: for each pair of elements by atomic number, then l, n, n'. Vectors of crystals with different elements can be compared only with the channels blind or electronegativity, or one list of elements."""
    @overload
    def soap_average(self, structure: OneCrystal | None, average: str | None = "inner", channels: str | None = "own", r_cut: float | None = 5.0, n_max: float | None = 8.0, l_max: float | None = 6.0, sigma: float | None = 1.0) -> list[float] | None: ...
    @overload
    def soap_average(self, structure: Column, average: Some[str] | None = "inner", channels: Some[str] | None = "own", r_cut: Some[float] | None = 5.0, n_max: Some[float] | None = 8.0, l_max: Some[float] | None = 6.0, sigma: Some[float] | None = 1.0) -> Column: ...
    @overload
    def soap_average(self, structure: Some[OneCrystal] | Rows, average: Some[str] | None = "inner", channels: Some[str] | None = "own", r_cut: Some[float] | None = 5.0, n_max: Some[float] | None = 8.0, l_max: Some[float] | None = 6.0, sigma: Some[float] | None = 1.0) -> list[list[float] | None]: ...
    @overload
    def soap_average(self, structure: Frame, average: Some[str] | None = "inner", channels: Some[str] | None = "own", r_cut: Some[float] | None = 5.0, n_max: Some[float] | None = 8.0, l_max: Some[float] | None = 6.0, sigma: Some[float] | None = 1.0) -> Any:
        """SOAP power spectrum of the crystal, averaged over its sites: one vector, where `soap` has one per site."""
    @overload
    def spacegroup(self, structure: OneCrystal | None, symprec: float | None = 0.1) -> int | None: ...
    @overload
    def spacegroup(self, structure: Column, symprec: Some[float] | None = 0.1) -> Column: ...
    @overload
    def spacegroup(self, structure: Some[OneCrystal] | Rows, symprec: Some[float] | None = 0.1) -> list[int | None]: ...
    @overload
    def spacegroup(self, structure: Frame, symprec: Some[float] | None = 0.1) -> Any:
        """Space-group number, 1 to 230."""
    @overload
    def spacegroup_symbol(self, structure: OneCrystal | None, symprec: float | None = 0.1) -> str | None: ...
    @overload
    def spacegroup_symbol(self, structure: Column, symprec: Some[float] | None = 0.1) -> Column: ...
    @overload
    def spacegroup_symbol(self, structure: Some[OneCrystal] | Rows, symprec: Some[float] | None = 0.1) -> list[str | None]: ...
    @overload
    def spacegroup_symbol(self, structure: Frame, symprec: Some[float] | None = 0.1) -> Any:
        """Hermann-Mauguin symbol of the space group: `P4_2/mnm` for rutile."""
    @overload
    def stability_margin(self, diagram: str | None, formula: str, ef: float) -> float | None: ...
    @overload
    def stability_margin(self, diagram: Column, formula: Some[str], ef: Some[float]) -> Column: ...
    @overload
    def stability_margin(self, diagram: Some[str], formula: Some[str], ef: Some[float]) -> list[float | None]:
        """How far the energy of a stable phase may rise before it decomposes into phases of other compositions; for a phase above the hull, its energy above the hull as a negative number. NULL for an element. In eV/atom."""
    @overload
    def structure(self, text: Object | None) -> Object | None: ...
    @overload
    def structure(self, text: Column) -> Column: ...
    @overload
    def structure(self, text: Some[Object]) -> list[Object | None]: ...
    @overload
    def structure(self, text: Text | None) -> Crystal | None: ...
    @overload
    def structure(self, text: Some[Text] | Rows) -> list[Crystal | None]: ...
    @overload
    def structure(self, text: Frame) -> Any:
        """Reads a crystal from text: CIF, POSCAR or pymatgen's JSON, recognised by content. Text without a crystal gives NULL and a warning."""
    @overload
    def structure_hash(self, structure: OneCrystal | None) -> str | None: ...
    @overload
    def structure_hash(self, structure: Column) -> Column: ...
    @overload
    def structure_hash(self, structure: Some[OneCrystal] | Rows) -> list[str | None]: ...
    @overload
    def structure_hash(self, structure: Frame) -> Any:
        """Content hash, 32 hexadecimal digits, as in the column structure_hash: the same for any order of the sites, any lattice translation of a site, any rotation of the crystal and float noise well below 0.001 Å. Mirror images, other cells of the same lattice and other origins have others; same_structure compares those."""
    @overload
    def structure_match(self, a: OneCrystal | None, b: OneCrystal, ltol: float | None = 0.2, stol: float | None = 0.3, angle_tol: float | None = 5.0) -> dict[str, Any] | None: ...
    @overload
    def structure_match(self, a: Column, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> Column: ...
    @overload
    def structure_match(self, a: Some[OneCrystal] | Rows, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> list[dict[str, Any] | None]: ...
    @overload
    def structure_match(self, a: Frame, b: Some[OneCrystal], ltol: Some[float] | None = 0.2, stol: Some[float] | None = 0.3, angle_tol: Some[float] | None = 5.0) -> Any:
        """How well two crystals can be superposed, and the tolerances that were used."""
    @overload
    def substitute(self, structure: Object | None, from_: str, to: str, from_2: str | None = None, to_2: str | None = None, from_3: str | None = None, to_3: str | None = None) -> Object | None: ...
    @overload
    def substitute(self, structure: Column, from_: Some[str], to: Some[str], from_2: Some[str] | None = None, to_2: Some[str] | None = None, from_3: Some[str] | None = None, to_3: Some[str] | None = None) -> Column: ...
    @overload
    def substitute(self, structure: Some[Object], from_: Some[str], to: Some[str], from_2: Some[str] | None = None, to_2: Some[str] | None = None, from_3: Some[str] | None = None, to_3: Some[str] | None = None) -> list[Object | None]: ...
    @overload
    def substitute(self, structure: Text | None, from_: str, to: str, from_2: str | None = None, to_2: str | None = None, from_3: str | None = None, to_3: str | None = None) -> Crystal | None: ...
    @overload
    def substitute(self, structure: Some[Text] | Rows, from_: Some[str], to: Some[str], from_2: Some[str] | None = None, to_2: Some[str] | None = None, from_3: Some[str] | None = None, to_3: Some[str] | None = None) -> list[Crystal | None]: ...
    @overload
    def substitute(self, structure: Frame, from_: Some[str], to: Some[str], from_2: Some[str] | None = None, to_2: Some[str] | None = None, from_3: Some[str] | None = None, to_3: Some[str] | None = None) -> Any:
        """The crystal with one element replaced by another, up to three at once. The sites are kept and the cell is scaled by the ratio of the bond lengths of its ions (mean Shannon radius of the cations plus that of the anions), new over old. It is a starting point for a relaxation or a model; nothing is relaxed. Replacing an element that the crystal does not contain changes nothing."""
    @overload
    def symmetry_functions(self, structure: OneCrystal | None, r_cut: float | None = 6.5) -> list[list[float]] | None: ...
    @overload
    def symmetry_functions(self, structure: Column, r_cut: Some[float] | None = 6.5) -> Column: ...
    @overload
    def symmetry_functions(self, structure: Some[OneCrystal] | Rows, r_cut: Some[float] | None = 6.5) -> list[list[list[float]] | None]: ...
    @overload
    def symmetry_functions(self, structure: Frame, r_cut: Some[float] | None = 6.5) -> Any:
        """Atom-centred symmetry functions of each site, in dscribe's order: for each element by atomic number, G1 and four G2 (eta r_cut² = 0.05, 4, 20, 80), then for each pair of elements four G4 (eta r_cut² = 0.005; zeta, lambda = 1, 1; 1, -1; 4, 1; 4, -1)."""
    @overload
    def to_cif(self, structure: OneCrystal | None, symprec: float | None = None) -> str | None: ...
    @overload
    def to_cif(self, structure: Column, symprec: Some[float] | None = None) -> Column: ...
    @overload
    def to_cif(self, structure: Some[OneCrystal] | Rows, symprec: Some[float] | None = None) -> list[str | None]: ...
    @overload
    def to_cif(self, structure: Frame, symprec: Some[float] | None = None) -> Any:
        """The structure as CIF text. With a tolerance it is the standardised conventional cell with its space group, in spglib's setting, and one site of each orbit."""
    @overload
    def to_poscar(self, structure: OneCrystal | None) -> str | None: ...
    @overload
    def to_poscar(self, structure: Column) -> Column: ...
    @overload
    def to_poscar(self, structure: Some[OneCrystal] | Rows) -> list[str | None]: ...
    @overload
    def to_poscar(self, structure: Frame) -> Any:
        """The structure as VASP 5 POSCAR text, with fractional coordinates."""
    @overload
    def tunnels(self, metal: str | None, m: float, n: float, ion: str | None = "", anion: str | None = "O") -> Crystal | None: ...
    @overload
    def tunnels(self, metal: Column, m: Some[float], n: Some[float], ion: Some[str] | None = "", anion: Some[str] | None = "O") -> Column: ...
    @overload
    def tunnels(self, metal: Some[str], m: Some[float], n: Some[float], ion: Some[str] | None = "", anion: Some[str] | None = "O") -> list[Crystal | None]:
        """A crystal of m x n tunnels between walls of edge-sharing octahedra, m and n wide (Turner & Buseck 1981): 1 x 1 is rutile, 2 x 2 hollandite, 2 x 3 romanechite, 3 x 3 todorokite. Bonds are as long as Shannon's radii ask for in the oxidation states in which it is charge-neutral: a guess to begin a relaxation with."""
    @overload
    def void(self, structure: OneCrystal | None, radii: str | None = "atomic", probe: float | None = 0.0) -> float | None: ...
    @overload
    def void(self, structure: Column, radii: Some[str] | None = "atomic", probe: Some[float] | None = 0.0) -> Column: ...
    @overload
    def void(self, structure: Some[OneCrystal] | Rows, radii: Some[str] | None = "atomic", probe: Some[float] | None = 0.0) -> list[float | None]: ...
    @overload
    def void(self, structure: Frame, radii: Some[str] | None = "atomic", probe: Some[float] | None = 0.0) -> Any:
        """Fraction of the cell outside all atomic spheres, or accessible to the centre of a probe sphere. It is exact, not sampled. With the structure alone it follows the convention of the column `void`."""
    @overload
    def voltage_curve(self, structure: OneCrystal | None, ion: str, max: float | None = 0.0, model: str | None = None, diagram: str | None = None) -> dict[str, Any] | None: ...
    @overload
    def voltage_curve(self, structure: Column, ion: Some[str], max: Some[float] | None = 0.0, model: Some[str] | None = None, diagram: Some[str] | None = None) -> Column: ...
    @overload
    def voltage_curve(self, structure: Some[OneCrystal] | Rows, ion: Some[str], max: Some[float] | None = 0.0, model: Some[str] | None = None, diagram: Some[str] | None = None) -> list[dict[str, Any] | None]: ...
    @overload
    def voltage_curve(self, structure: Frame, ion: Some[str], max: Some[float] | None = 0.0, model: Some[str] | None = None, diagram: Some[str] | None = None) -> Any:
        """The discharge of a host by an energy model: voltage, against the metal, over the number of ions. For each number from 1 to max the symmetry-distinct orderings over all insertion sites are ranked by electrostatics (formal charges), the lowest (hollandite.insertion_starts, 4) are relaxed with the cell, and the lowest that converged counts, as for adsorption, with which it shares what is remembered. The fillings on the convex hull over the composition give plateaus; the discharge ends where the voltage falls below 0. It takes minutes per crystal: filter first. NULL and a warning if the host has no site for the ion, or the relaxed host did not converge."""
    def voltage_profile(self, n: Some[float], energy: Some[float], e_ion: Some[float], valence: Some[float]) -> list[dict[str, Any]] | None:
        """Voltage profile of a host from the energies of its fillings: the plateaus along the lower convex hull of the energy over n. A filling above the hull does not appear."""
    @overload
    def volume(self, structure: OneCrystal | None) -> float | None: ...
    @overload
    def volume(self, structure: Column) -> Column: ...
    @overload
    def volume(self, structure: Some[OneCrystal] | Rows) -> list[float | None]: ...
    @overload
    def volume(self, structure: Frame) -> Any:
        """Volume of the cell. In Å³."""
    @overload
    def voronoi(self, structure: OneCrystal | None, tolerance: float | None = 0.0) -> list[dict[str, Any]] | None: ...
    @overload
    def voronoi(self, structure: Column, tolerance: Some[float] | None = 0.0) -> Column: ...
    @overload
    def voronoi(self, structure: Some[OneCrystal] | Rows, tolerance: Some[float] | None = 0.0) -> list[list[dict[str, Any]] | None]: ...
    @overload
    def voronoi(self, structure: Frame, tolerance: Some[float] | None = 0.0) -> Any:
        """Voronoi cells of the sites, equal to pymatgen's `VoronoiNN`. Expand the lists with `unnest`."""
    @overload
    def xrd(self, structure: OneCrystal | None) -> list[float] | None: ...
    @overload
    def xrd(self, structure: Column) -> Column: ...
    @overload
    def xrd(self, structure: Some[OneCrystal] | Rows) -> list[list[float] | None]: ...
    @overload
    def xrd(self, structure: Frame) -> Any:
        """Powder pattern as a descriptor: the density of diffracted intensity (Cu K-alpha) at 2θ = 0, 1, ... 127°, 128 numbers that sum to about 1, equal to matminer's `XRDPowderPattern`. Each peak of `xrd_peaks` counts with the integer part of its intensity and is smoothed by a Gaussian whose width is 5 % of the pattern's standard deviation. NULL for a pattern with a single line. In 1/degree."""
    @overload
    def xrd_pattern(self, structure: OneCrystal | None, low: float | None = 0.0, high: float | None = 90.0, step: float | None = 0.02, fwhm: float | None = 0.1, wavelength: float | str | None = "CuKa") -> list[dict[str, Any]] | None: ...
    @overload
    def xrd_pattern(self, structure: Column, low: Some[float] | None = 0.0, high: Some[float] | None = 90.0, step: Some[float] | None = 0.02, fwhm: Some[float] | None = 0.1, wavelength: Some[float | str] | None = "CuKa") -> Column: ...
    @overload
    def xrd_pattern(self, structure: Some[OneCrystal] | Rows, low: Some[float] | None = 0.0, high: Some[float] | None = 90.0, step: Some[float] | None = 0.02, fwhm: Some[float] | None = 0.1, wavelength: Some[float | str] | None = "CuKa") -> list[list[dict[str, Any]] | None]: ...
    @overload
    def xrd_pattern(self, structure: Frame, low: Some[float] | None = 0.0, high: Some[float] | None = 90.0, step: Some[float] | None = 0.02, fwhm: Some[float] | None = 0.1, wavelength: Some[float | str] | None = "CuKa") -> Any:
        """X-ray powder pattern as a curve to plot. Each peak of `xrd_peaks` is drawn as a pseudo-Voigt function, half Gaussian and half Lorentzian, of the same width at all angles."""
    @overload
    def xrd_peaks(self, structure: OneCrystal | None, wavelength: float | str | None = "CuKa", low: float | None = 0.0, high: float | None = 90.0) -> list[dict[str, Any]] | None: ...
    @overload
    def xrd_peaks(self, structure: Column, wavelength: Some[float | str] | None = "CuKa", low: Some[float] | None = 0.0, high: Some[float] | None = 90.0) -> Column: ...
    @overload
    def xrd_peaks(self, structure: Some[OneCrystal] | Rows, wavelength: Some[float | str] | None = "CuKa", low: Some[float] | None = 0.0, high: Some[float] | None = 90.0) -> list[list[dict[str, Any]] | None]: ...
    @overload
    def xrd_peaks(self, structure: Frame, wavelength: Some[float | str] | None = "CuKa", low: Some[float] | None = 0.0, high: Some[float] | None = 90.0) -> Any:
        """Peaks of the ideal X-ray powder pattern in order of angle, equal to pymatgen's `XRDCalculator`. Expand the list with `unnest`."""

_all: Functions
adsorption = _all.adsorption
adsorption_interval = _all.adsorption_interval
adsorption_potential = _all.adsorption_potential
blocks = _all.blocks
bond_valence_sums = _all.bond_valence_sums
bvse_barrier = _all.bvse_barrier
capacity = _all.capacity
channels = _all.channels
conversion_voltage = _all.conversion_voltage
coordination = _all.coordination
coulomb_eigenvalues = _all.coulomb_eigenvalues
coulomb_matrix = _all.coulomb_matrix
decomposition = _all.decomposition
density = _all.density
distance_min = _all.distance_min
e_above_hull = _all.e_above_hull
electrode_voltage = _all.electrode_voltage
electronegativity_balanced = _all.electronegativity_balanced
electrostatic_valence = _all.electrostatic_valence
energy_correction = _all.energy_correction
ewald_sum_eigenvalues = _all.ewald_sum_eigenvalues
ewald_sum_matrix = _all.ewald_sum_matrix
extraction_voltage = _all.extraction_voltage
fingerprint = _all.fingerprint
formation_energy = _all.formation_energy
formula = _all.formula
gibbs = _all.gibbs
global_instability_index = _all.global_instability_index
has_element = _all.has_element
insert = _all.insert
insertion_sites = _all.insertion_sites
insertion_voltage = _all.insertion_voltage
ion_passes = _all.ion_passes
ionic_radius = _all.ionic_radius
is_charge_neutral = _all.is_charge_neutral
is_stable = _all.is_stable
json_as_text = _all.json_as_text
json_contains = _all.json_contains
json_get = _all.json_get
json_get_bool = _all.json_get_bool
json_get_float = _all.json_get_float
json_get_int = _all.json_get_int
json_get_str = _all.json_get_str
json_object_keys = _all.json_object_keys
largest_free_sphere = _all.largest_free_sphere
largest_included_sphere = _all.largest_included_sphere
largest_sphere_along_path = _all.largest_sphere_along_path
magpie = _all.magpie
magpie_names = _all.magpie_names
migration_barrier = _all.migration_barrier
natoms = _all.natoms
orbital_field_matrix = _all.orbital_field_matrix
oxidation_states = _all.oxidation_states
packing_fraction = _all.packing_fraction
phase_diagram = _all.phase_diagram
predict = _all.predict
predict_ef = _all.predict_ef
predict_energy = _all.predict_energy
predict_forces = _all.predict_forces
predict_magmoms = _all.predict_magmoms
predict_stress = _all.predict_stress
primitive = _all.primitive
prototype = _all.prototype
reduced_formula = _all.reduced_formula
reference_energy = _all.reference_energy
relax = _all.relax
remove = _all.remove
same_prototype = _all.same_prototype
same_structure = _all.same_structure
similarity = _all.similarity
sine_coulomb_eigenvalues = _all.sine_coulomb_eigenvalues
sine_coulomb_matrix = _all.sine_coulomb_matrix
site_orbital_field_matrices = _all.site_orbital_field_matrices
soap = _all.soap
soap_average = _all.soap_average
spacegroup = _all.spacegroup
spacegroup_symbol = _all.spacegroup_symbol
stability_margin = _all.stability_margin
structure = _all.structure
structure_hash = _all.structure_hash
structure_match = _all.structure_match
substitute = _all.substitute
symmetry_functions = _all.symmetry_functions
to_cif = _all.to_cif
to_poscar = _all.to_poscar
tunnels = _all.tunnels
void = _all.void
voltage_curve = _all.voltage_curve
voltage_profile = _all.voltage_profile
volume = _all.volume
voronoi = _all.voronoi
xrd = _all.xrd
xrd_pattern = _all.xrd_pattern
xrd_peaks = _all.xrd_peaks
