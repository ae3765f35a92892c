"""An energy model as a calculator of ASE, without torch: CHGNet, and whatever else `hollandite models` lists with forces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ase.calculators.calculator import Calculator as _Calculator
from ase.calculators.calculator import all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from . import _lib
from ._structures import pack

if TYPE_CHECKING:
    from pathlib import Path

    import ase

    from ._connection import Connection


def _again(model: str, path: Path | None) -> Calculator:
    from ._connection import connect

    with connect(path) as db:
        return Calculator(model, db)


class Calculator(_Calculator):
    """Energies (eV), forces (eV/Å), stress (eV/Å³) and magnetic moments (μ_B, without sign) of periodic atoms.

        >>> atoms.calc = hollandite.ase.Calculator("chgnet")
        >>> atoms.get_potential_energy()

    Arguments:
        model: Name of an energy model of the store, or the file or folder of one that `train` made. Install CHGNet's weights once:
            `pip download chgnet --no-deps`, then `db.models.add("chgnet-*.whl")`.
        db: The connection whose store holds the model; without one the embedded store.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "magmoms"]

    def __init__(self, model: str = "chgnet", db: Connection | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if db is None:
            from ._connection import connect

            with connect() as db:
                self._made_of = model, db.path
                self.model = _lib.Potential(model, db)
        else:
            self._made_of = model, db.path
            self.model = _lib.Potential(model, db)

    def __reduce__(self) -> Any:
        # A worker process, and a copy, opens the store for itself.
        return _again, self._made_of

    def calculate(
        self,
        atoms: ase.Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Asks the model about the atoms."""
        import numpy as np

        super().calculate(atoms, properties, system_changes)
        crystal = _lib.Crystal._unpack(*pack(self.atoms))
        energy, forces, stress, magmoms = self.model.evaluate([crystal])[0]
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": np.array(forces),
            "stress": full_3x3_to_voigt_6_stress(np.array(stress)),
        }
        # Not every energy model has them.
        if magmoms is not None:
            self.results["magmoms"] = np.array(magmoms)
