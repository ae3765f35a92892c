"""hollandite: an embedded datastore of crystals, screened by SQL, with trained graph networks inside the query.

    >>> import hollandite
    >>> db = hollandite.connect()                    # the embedded store; connect("folder") opens yours
    >>> db.sql("SELECT id, formula, void(structure) AS void FROM tmo ORDER BY void DESC LIMIT 3")
    >>> hollandite.void(structure, "ionic")          # every function of SQL, over one structure or many

Structures are those of pymatgen and of ASE, `hollandite.Crystal`, or the text of a CIF, POSCAR or JSON. Lengths are in Å, energies in
eV; the unit of a column stands in the header of a result and in the metadata of its Arrow field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import functions
from ._connection import Connection, Imported, connect
from ._lib import (
    AdsorptionError,
    Crystal,
    CrystalError,
    FeatureError,
    ForkError,
    FormatError,
    HollanditeError,
    ModelError,
    ReportError,
    SqlError,
    StoreError,
    UsageError,
    __version__,
)
from ._queries import queries
from ._result import Result
from ._warnings import HollanditeWarning
from .functions import *  # noqa: F403

__all__ = [
    "AdsorptionError",
    "Connection",
    "Crystal",
    "CrystalError",
    "FeatureError",
    "ForkError",
    "FormatError",
    "HollanditeError",
    "HollanditeWarning",
    "Imported",
    "ModelError",
    "ReportError",
    "Result",
    "SqlError",
    "StoreError",
    "UsageError",
    "__version__",
    "connect",
    "functions",
    "queries",
]
__all__ += functions.__all__


#: Modules that need another package, loaded when they are first named.
_BESIDE = ("ase", "dbapi", "duckdb", "sklearn")


if TYPE_CHECKING:
    from . import ase as ase
    from . import dbapi as dbapi
    from . import duckdb as duckdb
    from . import sklearn as sklearn
else:

    def __getattr__(name: str) -> object:
        if name not in _BESIDE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        from ._needs import sentence

        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as missing:
            # Inspection of the module, as by help(), goes on.
            raise AttributeError(sentence(f"{__name__}.{name}", missing)) from missing


def __dir__() -> list[str]:
    return sorted([*__all__, *_BESIDE])


def load_ipython_extension(ipython) -> None:
    """`%load_ext hollandite`: the cell magic `%%hollandite`."""
    from ._jupyter import HollanditeMagics

    ipython.register_magics(HollanditeMagics)
