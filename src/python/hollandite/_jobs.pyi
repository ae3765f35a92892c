# Written by `UPDATE=1 cargo test --test docs drift`.

from os import PathLike
from pathlib import Path
from typing import Any, Callable, Sequence

from ._view import Page

class Said(str): ...

class Picture:
    data: bytes
    said: Said
    path: Path | None
    def save(self, path: str | Path) -> None: ...

class _PLOT:
    def structure(self, id: str | PathLike[str] | float | Sequence[Any], *, table: str = "tmo", out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None, axis: str | PathLike[str] | float | Sequence[Any] | None = None, cells: str | PathLike[str] | float | Sequence[Any] | None = None, cell: str = "conventional", probe: float = 0.5, radii: str = "ionic", no_channels: bool = False) -> Picture:
        """A crystal as balls and sticks, seen down an axis"""
    def xrd(self, id: str | PathLike[str] | float | Sequence[Any], *, table: str = "tmo", out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None, wavelength: str = "CuKa", range: str = "5,90", fwhm: float = 0.25) -> Picture:
        """The powder diffraction pattern of a crystal, with the indices of its strongest peaks"""
    def density(self, file: str | PathLike[str] | float | Sequence[Any], *, minus: Sequence[Any] | Any | None = None, axis: str = "c", at: str | PathLike[str] | float | Sequence[Any] | None = None, limit: str | PathLike[str] | float | Sequence[Any] | None = None, out: str | PathLike[str] | None = None) -> Picture:
        """A density, a potential (CHGCAR, LOCPOT, ...) or a difference of densities: a slice, and the average over planes"""
    def distribution(self, *, table: str = "tmo", where: str | PathLike[str] | float | Sequence[Any] | None = None, out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Picture:
        """What a table holds: classes of composition, formation energies and elements, training and test set apart"""
    def parity(self, model: str | PathLike[str] | float | Sequence[Any], *, table: str = "tmo", split: str = "test", where: str | PathLike[str] | float | Sequence[Any] | None = None, out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Picture:
        """Predictions of a model against the labels, after `hollandite evaluate`; or the columns label and prediction of a query"""
    def errors(self, model: str | PathLike[str] | float | Sequence[Any], *, table: str = "tmo", split: str = "test", where: str | PathLike[str] | float | Sequence[Any] | None = None, out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Picture:
        """How large the errors of a model are, after `hollandite evaluate`; or those of a query"""
    def tuning(self, name: str | PathLike[str] | float | Sequence[Any], *, out: str | PathLike[str] | None = None) -> Picture:
        """The trials of a search for settings: the validation error of each, and the lowest so far"""
    def funnel(self, query: str = "funnel", *, out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Picture:
        """The steps of a screening, and how many rows each of them leaves"""
    def path(self, query: str | PathLike[str] | float | Sequence[Any], *, out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Picture:
        """The energy of an ion along its path from site to site: the columns distance and energy of a query"""
    def hull(self, system: str | PathLike[str] | float | Sequence[Any], *, table: str = "tmo", energy: str | PathLike[str] | float | Sequence[Any] | None = None, where: str | PathLike[str] | float | Sequence[Any] | None = None, out: str | PathLike[str] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Picture:
        """The convex hull of two elements, or of three: formation energies, stable phases and what coexists"""

class _MODELS:
    def __call__(self, name: str | PathLike[str] | float | Sequence[Any] | None = None, *, format: str | PathLike[str] | float | Sequence[Any] | None = None, output: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """List the models that `predict_ef` can ask, or print the card of one"""
    def add(self, file: str | PathLike[str] | float | Sequence[Any], *, name: str | PathLike[str] | float | Sequence[Any] | None = None, property: str | PathLike[str] | float | Sequence[Any] | None = None, units: str | PathLike[str] | float | Sequence[Any] | None = None, correction_scheme: str | PathLike[str] | float | Sequence[Any] | None = None, elements: str | PathLike[str] | float | Sequence[Any] | None = None, licence: str | PathLike[str] | float | Sequence[Any] | None = None, longest_bond: str | PathLike[str] | float | Sequence[Any] | None = None, member: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Import weights that another program trained, or that `train` wrote elsewhere"""
    def list(self, *, format: str | PathLike[str] | float | Sequence[Any] | None = None, output: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """List the models: those that ship with the program, and those of the store"""
    def show(self, name: str | PathLike[str] | float | Sequence[Any], *, format: str = "table") -> Said:
        """Print the card of one"""
    def remove(self, name: str | PathLike[str] | float | Sequence[Any]) -> Said:
        """Remove a model and its folder from the store"""
    def ensemble(self, name: str | PathLike[str] | float | Sequence[Any], members: Sequence[Any] | Any, *, weights: str = "equal", table: str = "tmo", target: str | PathLike[str] | float | Sequence[Any] | None = None, where: str | PathLike[str] | float | Sequence[Any] | None = None, out: str | PathLike[str] | float | Sequence[Any] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Combine models into an ensemble: their mean, with an interval that widens where they disagree"""

class Commands:
    def import_dft(self, folders: Sequence[Any] | Any, *, triples: str | PathLike[str] | float | Sequence[Any] | None = None, reference: str | PathLike[str] | float | Sequence[Any] | None = None, dry_run: bool = False) -> Said:
        """Import calculations of VASP (vasprun.xml, OUTCAR, CONTCAR), and the adsorption potentials that follow from them"""
    def export(self, what: str | PathLike[str] | float | Sequence[Any], *, to: str | PathLike[str] | float | Sequence[Any], format: str | PathLike[str] | float | Sequence[Any] | None = None, symprec: str | PathLike[str] | float | Sequence[Any] | None = None, shard: str | PathLike[str] | float | Sequence[Any] | None = None, run: str | PathLike[str] | float | Sequence[Any] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Write a table or a query's result to a file, or its crystals to a folder of CIFs or POSCARs"""
    @property
    def plot(self) -> _PLOT:
        """Draw a crystal, its diffraction pattern, its electrons, what a table holds or a search for settings, as SVG or PNG"""
    def report(self, query: str | PathLike[str] | float | Sequence[Any] | None = None, *, file: str | PathLike[str] | float | Sequence[Any] | None = None, to: str | PathLike[str] | None = None, funnel: str | PathLike[str] | float | Sequence[Any] | None = None, cards: float = 12, rows: float = 1000, table: str = "tmo", model: str | PathLike[str] | float | Sequence[Any] | None = None, title: str | PathLike[str] | float | Sequence[Any] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Page:
        """Write a screening as one page of HTML: its query, how many rows each step leaves, the ranked table, and the best crystals to turn, with their channels"""
    def charges(self, file: str | PathLike[str] | float | Sequence[Any], *, reference: Sequence[Any] | Any | None = None, valence: Sequence[Any] | Any | None = None, potcar: str | PathLike[str] | float | Sequence[Any] | None = None, vacuum: float = 0.000001, reach: float = 1, host: str | PathLike[str] | float | Sequence[Any] | None = None, ion: str | PathLike[str] | float | Sequence[Any] | None = None, average: str | PathLike[str] | float | Sequence[Any] | None = None, minus: Sequence[Any] | Any | None = None, keep: str | PathLike[str] | float | Sequence[Any] | None = None, channel: str | PathLike[str] | float | Sequence[Any] | None = None, functional: str | PathLike[str] | float | Sequence[Any] | None = None, run: str | PathLike[str] | float | Sequence[Any] | None = None, format: str | PathLike[str] | float | Sequence[Any] | None = None, output: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Net atomic charges of a calculated density (CHGCAR), by Bader's partition"""
    def featurize(self, *, features: Sequence[Any] | Any | None = None, list: bool = False, table: str = "tmo", where: str | PathLike[str] | float | Sequence[Any] | None = None, force: bool = False, lot: float = 8192, shard: str | PathLike[str] | float | Sequence[Any] | None = None, run: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Compute functions of the crystals of a table once and store the values"""
    def compute(self, columns: Sequence[Any] | Any, *, table: str = "tmo", where: str | PathLike[str] | float | Sequence[Any] | None = None, into: str | PathLike[str] | float | Sequence[Any], lot: float = 8192, shard: str | PathLike[str] | float | Sequence[Any] | None = None, run: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Compute columns of SQL for the rows of a table once and store the values, such as relaxations and adsorption potentials"""
    def enumerate(self, *, prototypes: str | PathLike[str] | float | Sequence[Any], elements: Sequence[Any] | Any, into: str = "candidates", against: str = "tmo", split: float = 0, cells: float = 1, replaced: str | PathLike[str] | float | Sequence[Any] | None = None, radius_change: str | PathLike[str] | float | Sequence[Any] | None = None, limit: str | PathLike[str] | float | Sequence[Any] | None = None, dry_run: bool = False, shard: str | PathLike[str] | float | Sequence[Any] | None = None, run: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Generate candidates: substitute elements in known crystals, keep what is charge-neutral and new"""
    def train(self, *, model: str = "megnet", from_: str | PathLike[str] | float | Sequence[Any] | None = None, hidden: str | PathLike[str] | float | Sequence[Any] | None = None, layers: str | PathLike[str] | float | Sequence[Any] | None = None, set: Sequence[Any] | Any | None = None, table: str = "tmo", target: str = "formation_energy_per_atom", where: str | PathLike[str] | float | Sequence[Any] | None = None, leave_out: str | PathLike[str] | float | Sequence[Any] | None = None, also: str | PathLike[str] | float | Sequence[Any] | None = None, split: str = "random", test: float = 0.2, validation: float = 0.2, seed: float = 42, split_seed: str | PathLike[str] | float | Sequence[Any] | None = None, epochs: float = 300, batch: float = 32, batch_atoms: str | PathLike[str] | float | Sequence[Any] | None = None, learning_rate: float = 0.002, schedule: str = "one-cycle", loss: str = "huber", weight_decay: float = 0.00001, clip: float = 3, ema: str | PathLike[str] | float | Sequence[Any] | None = None, best: str = "mae", patience: float = 50, threads: str | PathLike[str] | float | Sequence[Any] | None = None, device: str = "cpu", out: str | PathLike[str] | float | Sequence[Any] | None = None, name: str | PathLike[str] | float | Sequence[Any] | None = None, unit: str | PathLike[str] | float | Sequence[Any] | None = None, from_tuning: str | PathLike[str] | float | Sequence[Any] | None = None, data: str | PathLike[str] | float | Sequence[Any] | None = None, quote: Sequence[Any] | Any | None = None, resume: bool = False, time_limit: str | PathLike[str] | float | Sequence[Any] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Train a model on the labels of a table"""
    def tune(self, *, model: str = "megnet", name: str | PathLike[str] | float | Sequence[Any] | None = None, trials: float = 75, space: str | PathLike[str] | float | Sequence[Any] | None = None, prune: str = "median", table: str = "tmo", target: str = "formation_energy_per_atom", where: str | PathLike[str] | float | Sequence[Any] | None = None, split: str = "random", test: float = 0.2, validation: float = 0.2, seed: float = 42, epochs: float = 100, batch: float = 32, loss: str = "mse", patience: float = 50, threads: str | PathLike[str] | float | Sequence[Any] | None = None, device: str = "cpu", time_limit: str | PathLike[str] | float | Sequence[Any] | None = None, restart: bool = False, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Tune the hyperparameters of a model; the same command resumes a search"""
    def evaluate(self, *, model: str = "ensemble", table: str = "tmo", target: str | PathLike[str] | float | Sequence[Any] | None = None, where: str | PathLike[str] | float | Sequence[Any] | None = None, unlabelled: bool = False, coverage: float = 0.9, plot: str | PathLike[str] | float | Sequence[Any] | None = None, shard: str | PathLike[str] | float | Sequence[Any] | None = None, run: str | PathLike[str] | float | Sequence[Any] | None = None, snapshot: str | PathLike[str] | float | Sequence[Any] | None = None) -> Said:
        """Predict the rows of a table, keep the predictions in `predictions`, and report errors on the labels"""
    def merge(self, run: str | PathLike[str] | float | Sequence[Any], *, remove: bool = False) -> Said:
        """Merge the shards of a run into the store"""
    @property
    def models(self) -> _MODELS:
        """List the models that `predict_ef` can ask, or print the card of one"""
    def info(self, *, quarantine: bool = False, snapshots: bool = False, format: str = "table") -> Said:
        """What the store holds: tables, snapshots, imports, models, rows in quarantine"""
    def restore(self, table: str | PathLike[str] | float | Sequence[Any] | None = None, *, to: str | PathLike[str] | float | Sequence[Any]) -> Said:
        """Restore a table, or all of them, to a snapshot"""
    def verify(self, *, deep: bool = False, remove_leftovers: bool = False) -> Said:
        """Check every file's checksum and row count against the catalog, and the catalog itself"""
