# Written by `UPDATE=1 cargo test --test docs drift`.

from os import PathLike
from pathlib import Path
from typing import Any, Mapping, Sequence

from ._view import Page

class Said(str): ...

class Picture:
    data: bytes
    said: Said
    path: Path | None
    def save(self, path: str | Path) -> None: ...

class _PLOT:
    def structure(self, id: str | PathLike[str], *, table: str = "tmo", snapshot: int | None = None, axis: str | Sequence[float] | None = None, cells: str | Sequence[float] | None = None, cell: str = "conventional", probe: float = 0.5, radii: str | Sequence[float] = "ionic", no_channels: bool = False, out: str | PathLike[str] | None = None) -> Picture:
        """A crystal as balls and sticks, seen down an axis"""
    def xrd(self, id: str | PathLike[str], *, table: str = "tmo", snapshot: int | None = None, wavelength: float | str = "CuKa", range: str | Sequence[float] = "5,90", fwhm: float = 0.25, out: str | PathLike[str] | None = None) -> Picture:
        """The powder diffraction pattern of a crystal, with the indices of its strongest peaks"""
    def density(self, file: str | PathLike[str], *, minus: Sequence[str | PathLike[str]] | str | PathLike[str] | None = None, axis: str = "c", at: float | None = None, limit: float | None = None, out: str | PathLike[str] | None = None) -> Picture:
        """A density, a potential (CHGCAR, LOCPOT, ...) or a difference of densities: a slice, and the average over planes"""
    def distribution(self, *, table: str = "tmo", where: str | None = None, out: str | PathLike[str] | None = None, snapshot: int | None = None) -> Picture:
        """What a table holds: classes of composition, formation energies and elements, training and test set apart"""
    def parity(self, model: str, *, table: str = "tmo", split: str = "test", where: str | None = None, snapshot: int | None = None, out: str | PathLike[str] | None = None) -> Picture:
        """Predictions of a model against the labels, after `db.evaluate`; or the columns label and prediction of a query"""
    def errors(self, model: str, *, table: str = "tmo", split: str = "test", where: str | None = None, snapshot: int | None = None, out: str | PathLike[str] | None = None) -> Picture:
        """How large the errors of a model are, after `db.evaluate`; or those of a query"""
    def tuning(self, name: str, *, out: str | PathLike[str] | None = None) -> Picture:
        """The trials of a search for settings: the validation error of each, and the lowest so far"""
    def funnel(self, query: str = "funnel", *, out: str | PathLike[str] | None = None, snapshot: int | None = None) -> Picture:
        """The steps of a screening, and how many rows each of them leaves"""
    def path(self, query: str, *, out: str | PathLike[str] | None = None, snapshot: int | None = None) -> Picture:
        """The energy of an ion along its path from site to site: the columns distance and energy of a query"""
    def hull(self, system: str | Sequence[float], *, table: Sequence[str] | str = "tmo", energy: str | None = None, where: str | None = None, out: str | PathLike[str] | None = None, snapshot: int | None = None) -> Picture:
        """The convex hull of two elements, or of three: formation energies, stable phases and what coexists"""

class _MODELS:
    def __call__(self, name: str | None = None, *, format: str | None = None, output: str | PathLike[str] | None = None) -> Said:
        """List the models that `predict_ef` can ask, or print the card of one"""
    def add(self, file: str | PathLike[str], *, name: str | None = None, property: str | None = None, units: str | None = None, correction_scheme: str | None = None, elements: str | None = None, licence: str | None = None, longest_bond: float | None = None, member: str | PathLike[str] | None = None) -> Said:
        """Import weights that another program trained, or that `train` wrote elsewhere"""
    def list(self, *, format: str | None = None, output: str | PathLike[str] | None = None) -> Said:
        """List the models: those that ship with the program, and those of the store"""
    def show(self, name: str, *, format: str = "table") -> Said:
        """Print the card of one"""
    def remove(self, name: str) -> Said:
        """Remove a model and its folder from the store"""
    def ensemble(self, name: str, members: Sequence[str] | str, *, weights: str = "equal", table: str = "tmo", target: str | None = None, where: str | None = None, out: str | PathLike[str] | None = None, snapshot: int | None = None) -> Said:
        """Combine models into an ensemble: their mean, with an interval that widens where they disagree"""

class Commands:
    def import_dft(self, folders: Sequence[str | PathLike[str]] | str | PathLike[str], *, triples: str | PathLike[str] | None = None, reference: str | None = None, dry_run: bool = False) -> Said:
        """Import calculations of VASP (vasprun.xml, OUTCAR, CONTCAR), and the adsorption potentials that follow from them"""
    def export(self, what: str, *, to: str | PathLike[str], format: str | None = None, symprec: float | None = None, shard: str | None = None, run: str | None = None, snapshot: int | None = None) -> Said:
        """Write a table or a query's result to a file, or its crystals to a folder of CIFs or POSCARs"""
    @property
    def plot(self) -> _PLOT:
        """Draw a crystal, its diffraction pattern, its electron density, what a table holds or a search for settings, as SVG or PNG"""
    def report(self, query: str | None = None, *, file: str | PathLike[str] | None = None, to: str | PathLike[str] | None = None, funnel: str | None = None, cards: int = 12, rows: int = 1000, table: str = "tmo", model: str | None = None, title: str | None = None, snapshot: int | None = None) -> Page:
        """Write a screening as one page of HTML: its query, how many rows each step leaves, the ranked table, and interactive 3D views of the best crystals, with their channels"""
    def charges(self, file: str | PathLike[str], *, reference: Sequence[str | PathLike[str]] | str | PathLike[str] | None = None, valence: Mapping[str, Any] | Sequence[str] | str | Sequence[float] | None = None, potcar: str | PathLike[str] | None = None, vacuum: float = 0.000001, reach: float = 1, host: str | PathLike[str] | None = None, ion: str | None = None, average: str | None = None, minus: Sequence[str | PathLike[str]] | str | PathLike[str] | None = None, keep: str | None = None, channel: str | None = None, functional: str | None = None, run: str | None = None, format: str | None = None, output: str | PathLike[str] | None = None) -> Said:
        """Net atomic charges of a calculated density (CHGCAR), by Bader's partition"""
    def featurize(self, *, features: Sequence[str] | str | None = None, list: bool = False, table: str = "tmo", where: str | None = None, force: bool = False, commit_every: int = 8192, shard: str | None = None, run: str | None = None) -> Said:
        """Compute functions of the crystals of a table once and store the values"""
    def compute(self, columns: Sequence[str] | str, *, table: str = "tmo", where: str | None = None, into: str, commit_every: int = 8192, shard: str | None = None, run: str | None = None) -> Said:
        """Compute columns of SQL for the rows of a table once and store the values, such as relaxations and adsorption potentials"""
    def enumerate(self, *, prototypes: str, elements: Sequence[str] | str, into: str = "candidates", against: Sequence[str] | str = "tmo", split: int = 0, cells: int = 1, replaced: int | None = None, radius_change: float | None = None, limit: int | None = None, dry_run: bool = False, shard: str | None = None, run: str | None = None) -> Said:
        """Generate candidates: substitute elements in known crystals, keep what is charge-neutral and new"""
    def generate(self, request: str, *, n: int = 1000, seed: int = 0, sites: int = 60, sampler: str | Sequence[float] = "templates", largest_free_sphere: float | None = None, dimensions: float | None = None, void: float | None = None, volume_per_atom: float | None = None, e_above_hull: float | None = None, from_: str = "tmo", against: Sequence[str] | str | None = None, relax: int = 0, into: str = "generated") -> Said:
        """Draw hypothetical crystals, count what passes each step, and relax the best"""
    def train(self, *, model: str = "megnet", table: str = "tmo", target: str = "formation_energy_per_atom", where: str | None = None, split: str = "random", test: float = 0.2, validation: float = 0.2, seed: int = 42, batch: int = 32, patience: int = 50, threads: int | None = None, device: str = "cpu", time_limit: float | None = None, snapshot: int | None = None, from_: str | PathLike[str] | None = None, hidden: int | None = None, layers: int | None = None, set: Mapping[str, Any] | Sequence[str] | str | None = None, leave_out: str | None = None, also: str | None = None, split_seed: int | None = None, epochs: int = 300, batch_atoms: int | None = None, learning_rate: float = 0.002, schedule: str = "one-cycle", loss: str = "huber", weight_decay: float = 0.00001, clip: float = 3, ema: float | None = None, best: str = "mae", out: str | PathLike[str] | None = None, name: str | None = None, unit: str | None = None, from_tuning: str | None = None, data: str | None = None, quote: Sequence[str | PathLike[str]] | str | PathLike[str] | None = None, resume: bool = False) -> Said:
        """Train a model on the labels of a table"""
    def tune(self, *, model: str = "megnet", table: str = "tmo", target: str = "formation_energy_per_atom", where: str | None = None, split: str = "random", test: float = 0.2, validation: float = 0.2, seed: int = 42, batch: int = 32, patience: int = 50, threads: int | None = None, device: str = "cpu", time_limit: float | None = None, snapshot: int | None = None, name: str | None = None, trials: int = 75, space: str | None = None, prune: str = "median", epochs: int = 100, loss: str = "mse", restart: bool = False) -> Said:
        """Tune the hyperparameters of a model; the same command resumes a search"""
    def evaluate(self, *, model: str | PathLike[str] = "ensemble", table: str = "tmo", target: str | None = None, where: str | None = None, unlabelled: bool = False, coverage: float = 0.9, plot: str | PathLike[str] | None = None, shard: str | None = None, run: str | None = None, snapshot: int | None = None) -> Said:
        """Predict the rows of a table, keep the predictions in `predictions`, and report errors on the labels"""
    def merge(self, run: str, *, remove: bool = False) -> Said:
        """Merge the shards of a run into the store"""
    @property
    def models(self) -> _MODELS:
        """List the models that `predict_ef` can ask, or print the card of one"""
    def info(self, *, quarantine: bool = False, snapshots: bool = False, format: str = "table", snapshot: int | None = None) -> Said:
        """What the store holds: tables, snapshots, imports, models, rows in quarantine"""
    def restore(self, table: str | None = None, *, to: int | str) -> Said:
        """Restore a table, or all of them, to a snapshot"""
    def verify(self, *, deep: bool = False, remove_leftovers: bool = False) -> Said:
        """Check every file's checksum and row count against the catalog, and the catalog itself"""
