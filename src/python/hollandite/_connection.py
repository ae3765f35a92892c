"""A store that is open."""

from __future__ import annotations

import os
import re
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence

from . import _lib
from ._imports import Written
from ._jobs import Commands
from ._parameters import bound
from ._progress import Listener
from ._result import Result
from ._structures import column, columns_of, is_arrow, kind, library, read

if TYPE_CHECKING:
    from .functions import Functions


def connect(
    path: str | os.PathLike[str] | None = None,
    snapshot: int | None = None,
    read_only: bool = False,
    *,
    create: bool = False,
) -> Connection:
    """Opens a store.

    Arguments:
        path: Its folder. Without one that of HOLLANDITE_STORE, else the store in your data folder, filled with published host
            structures on first use; ":memory:" is a session without a store, for frames, files and text.
        snapshot: Read the store as it was at this snapshot; such a connection writes nothing.
        read_only: Refuse every statement and command that would change the store, and remember no prediction there.
        create: Make an empty store where the folder holds none.

    Use it in `with`, or close it.
    """
    if path is None:
        path = os.environ.get("HOLLANDITE_STORE") or None
    folder = None if path is None else os.fspath(path) if path == ":memory:" else Path(path).expanduser()
    connection = _lib.connect(Connection, folder, snapshot, read_only, create)
    connection._listen(Listener())
    return connection


class Imported:
    """What an import did."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.table: str = said["table"]
        #: Rows added.
        self.added: int = said["added"]
        #: Records that the table had already.
        self.present: int = said["present"]
        #: Crystals that are the same structure as another row; they are in the quarantine.
        self.duplicates: int = said["duplicates"]
        #: Crystals outside what the table admits; they are in the quarantine.
        self.skipped: int = said["skipped"]
        #: Records that are no crystal; they are in the quarantine, with line and reason.
        self.quarantined: int = said["quarantined"]
        self.files: int = said["files"]
        #: The snapshot of the rows; None where none was added.
        self.snapshot: int | None = said["snapshot"]
        self.seconds: float = said["seconds"]
        self.dry_run: bool = said["dry_run"]
        self._text: str = said["text"]

    def __repr__(self) -> str:
        return self._text


class Connection(Commands, _lib.Connection):
    """A store that is open: `hollandite.connect()` returns one."""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self) -> Connection:
        # A connection is open once: who copies an object that holds one, as scikit-learn does, shares it.
        return self

    def __deepcopy__(self, memo: object) -> Connection:
        return self

    def __reduce__(self) -> Any:
        if self.path is None:
            raise _lib.UsageError(
                "a session in memory stays in its process: pass its rows on, or open a store by hollandite.connect(path)"
            )
        # A worker process opens the store for itself.
        return connect, (self.path, self.snapshot, self.read_only)

    def __repr__(self) -> str:
        if self.closed:
            return "<hollandite: closed>"
        at = f", snapshot {self.snapshot}" if self.snapshot is not None else ""
        return f"<hollandite: {self.path or 'in memory'}{at}{', read-only' if self.read_only else ''}>"

    def sql(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Result:
        """Runs SQL.

        Arguments:
            query: A statement, several separated by `;`, or the name of a stored query (`hollandite.queries`).
            params: Values for `$1`, `$2` or `?` as a list, or for `:name` as a dict: None, numbers, texts, dates, lists of them,
                and crystals. They are never pasted into the text. A time with a zone becomes that of UTC; `x = ANY($1)` looks for x
                in a list.

        A SELECT is computed when its rows are asked for; every other statement has taken effect when this returns.
        """
        return Result(self._sql(query, bound(query, params)))

    def register(self, name: str, rows: Any) -> None:
        """Makes rows readable as a table of that name, while this connection is open.

        Arguments:
            name: Name of the table; an earlier one that was registered is replaced.
            rows: A frame of polars or pandas, a table of pyarrow, a result, a dict of columns, or a list of structures of pymatgen or
                ASE (or one), which becomes the columns `id` (1, 2, ..) and `structure`. Columns of pandas may hold structures.
        """
        columns = _columns(name, rows)
        if columns is None:
            self._register(name, rows)
        else:
            self._register_columns(name, columns)

    def unregister(self, name: str) -> bool:
        """Forgets a table that was registered; whether there was one."""
        return self._unregister(name)

    def import_files(
        self,
        *paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        into: str = "tmo",
        source: str | None = None,
        dedupe: bool = False,
        order: float | None = None,
        map: Mapping[str, str] | None = None,
        id: str | None = None,
        frames: str | int = "last",
        promote: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Imported:
        """Imports files, folders and patterns in one snapshot; importing twice adds nothing.

        Arguments:
            paths: CIF, POSCAR, VASP, extended XYZ, JSON of pymatgen, the Materials Project and OPTIMADE, CSV, databases of ASE, Parquet.
            into: Table; `tmo` takes only transition-metal oxides, any other name every crystal.
            source: Where the crystals come from, for the column `source`.
            dedupe: Leave out crystals that are the same structure as a row, whatever their id and cell.
            order: Order crystals with partial occupancies, changing none by more than this (0.02, say).
            map: What columns and properties hold, as in {"formation_energy_per_atom": "e_form"}.
            id: The column or property that names the rows, or "path".
            frames: Frames of a trajectory: "last", "all", or a number from 1, below 0 from the end.
            promote: Properties that become columns, as in {"my_energy": "double"}.
            dry_run: Read and check everything, write nothing.
        """
        listed = [one for path in paths for one in ([path] if isinstance(path, (str, os.PathLike)) else path)]
        if not listed:
            raise _lib.UsageError("name at least one file, folder or pattern")
        pairs = ",".join(f"{what}={name}" for what, name in map.items()) if map else None
        promoted = [f"{name}:{kind}" for name, kind in promote.items()] if promote else []
        files = [os.path.expanduser(os.fspath(path)) for path in listed]
        return Imported(
            self._import(files, into, source, dedupe, order, pairs, id, str(frames), promoted, dry_run, False)
        )

    def import_structures(
        self,
        structures: Any,
        into: str = "tmo",
        *,
        ids: Iterable[Any] | None = None,
        source: str | None = None,
        properties: Mapping[str, Iterable[Any]] | None = None,
        dedupe: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Imports crystals that are in memory, in one snapshot.

        Arguments:
            structures: Structures of pymatgen, Atoms of ASE, `hollandite.Crystal`, texts of CIF or POSCAR; summary documents of the
                Materials Project, as its client returns them or as dicts, and ComputedStructureEntry, with ids and energies of their
                own; or a frame or result with the column `structure`, whose other columns come along. One of them, or a list.
            into: Table; `tmo` takes only transition-metal oxides, any other name every crystal.
            ids: What each is called; without them the column `id`, or `material_id` or `id` of the structure's own properties, else
                the source and a hash of the crystal: the same crystal is called the same at every import.
            source: Where they come from, for the column `source`; without it the column `source` of a frame, else "python".
            properties: A list for each further value, as in {"formation_energy_per_atom": [..]}.
            dedupe: Leave out crystals that are the same structure as a row, whatever their id and cell.
            dry_run: Check everything, write nothing.

        A structure with partially occupied sites, and a document without a crystal, goes to the quarantine; the others are imported.
        """
        with tempfile.TemporaryDirectory(prefix="hollandite-") as folder, connect(":memory:") as session:
            written = Written(session, structures, ids, source, properties or {}, Path(folder))
            files = [str(file) for file in written.files]
            # They are gone soon: their paths are not kept, nor how many there were.
            said = self._import(files, into, written.source, dedupe, None, None, None, "last", [], dry_run, True)
            return Imported({**said, "text": re.sub(r" from \d+ files?", "", said["text"], count=1)})

    @cached_property
    def functions(self) -> Functions:
        """The functions of SQL on structures, with the models of this store: `db.functions.predict_ef(structure, "mine")`."""
        from .functions import Functions

        return Functions(lambda: self)

    def tables(self) -> Result:
        """The tables and views that can be read."""
        return self.sql("SHOW TABLES")

    def snapshots(self) -> Result:
        """The states of the store that stay readable: `connect(path, snapshot=n)`."""
        return self.sql("SELECT * FROM snapshots")


def _columns(name: str, rows: Any) -> dict[str, Any] | None:
    """The rows of a table as columns; None where they are Arrow data as they stand."""
    if library(rows) == "polars" and hasattr(rows, "collect"):
        raise _lib.UsageError(f"a LazyFrame has no rows yet: register({name!r}, frame.collect())")
    if library(rows) == "pandas" and not hasattr(rows, "columns"):
        raise _lib.UsageError(f"a table has named columns: register({name!r}, series.to_frame())")
    if kind(rows) is not None:
        # One structure is one row: what it iterates over are its sites.
        rows = [rows]
    if isinstance(rows, Mapping) or library(rows) == "pandas":
        named = columns_of(rows) or {}
        if not named:
            raise _lib.UsageError(f"a table has columns, and this {type(rows).__name__} has none")
        scalar = next((one for one, values in named.items() if isinstance(values, str) or not hasattr(values, "__iter__")), None)
        if scalar is not None:
            raise _lib.UsageError(f"column {scalar!r} is one value, {named[scalar]!r}: give a list of values")
        columns = {one: _plain(values) if library(values) == "pandas" else column(values) for one, values in named.items()}
        if len({len(one) for one in columns.values()}) > 1:
            said = ", ".join(f"{len(values)} in {one}" for one, values in columns.items())
            raise _lib.UsageError(f"columns of a table are of one length, and there are {said} values")
        return columns
    if isinstance(rows, Result):
        # What is computed here can be interrupted.
        rows.collect()
    if is_arrow(rows):
        return None
    if not hasattr(rows, "__iter__"):
        raise TypeError(f"{type(rows).__name__} holds no Arrow data: expected a frame, a dict of columns, or a list of structures")
    structures = list(rows)
    # A list of texts is one of crystals here, not of names.
    structures = [read(one) if isinstance(one, str) else one for one in structures]
    for i, one in enumerate(structures):
        if one is not None and kind(one) is None:
            raise TypeError(f"item {i}: {type(one).__name__} is no crystal: expected a frame, a dict of columns, or a list of structures")
    return {"id": list(range(1, len(structures) + 1)), "structure": column(structures)}


def _plain(series: Any) -> Any:
    """A column of pandas, NaN as NULL."""
    values = series.tolist()
    # Of pandas those of structures have no type that Arrow knows.
    if any(kind(value) not in (None, "text") for value in values):
        return column(values)
    try:
        import pyarrow

        return column(pyarrow.Array.from_pandas(series))
    except (ModuleNotFoundError, TypeError, ValueError):
        # Without pyarrow, or of mixed types: value by value.
        return column([None if missing else value for value, missing in zip(values, series.isna())])
