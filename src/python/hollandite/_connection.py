"""A store that is open."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Sequence

from . import _lib
from ._jobs import Commands
from ._progress import Listener
from ._result import Result
from ._structures import column, crystals_of, is_arrow, kind, library

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
        snapshot: Read the store as it was at this snapshot, which is not written.
        read_only: Refuse every statement and command that would change the store.
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
                and crystals. They are never pasted into the text.

        Nothing of a SELECT is computed before its rows are asked for; every other statement has taken effect when this returns.
        """
        return Result(self._sql(query, params))

    def register(self, name: str, rows: Any) -> None:
        """Makes rows readable as a table of that name, while this connection is open.

        Arguments:
            name: Name of the table; an earlier one that was registered is replaced.
            rows: A frame of polars or pandas, a table of pyarrow, a result, a dict of columns, or a list of structures of pymatgen or
                ASE, which becomes the columns `id` (1, 2, ..) and `structure`. Columns of pandas may hold structures.
        """
        columns = _columns(rows)
        if columns is None:
            self._register(name, rows)
        else:
            self._register_columns(name, columns)

    def unregister(self, name: str) -> bool:
        """Forgets a table that was registered; whether there was one."""
        return self._unregister(name)

    def import_files(
        self,
        *paths: str | os.PathLike[str],
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
        if not paths:
            raise _lib.UsageError("name at least one file, folder or pattern")
        pairs = ",".join(f"{what}={name}" for what, name in map.items()) if map else None
        promoted = [f"{name}:{kind}" for name, kind in promote.items()] if promote else []
        files = [os.path.expanduser(os.fspath(path)) for path in paths]
        return Imported(
            self._import(files, into, source, dedupe, order, pairs, id, str(frames), promoted, dry_run)
        )

    def import_structures(
        self,
        structures: Iterable[Any],
        into: str = "tmo",
        *,
        ids: Sequence[str] | None = None,
        source: str = "python",
        properties: Mapping[str, Sequence[Any]] | None = None,
        dedupe: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Imports crystals that are in memory, in one snapshot.

        Arguments:
            structures: Structures of pymatgen, Atoms of ASE, `hollandite.Crystal`, texts of CIF or POSCAR; or summary documents of the
                Materials Project, as its client returns them or as dicts, with ids and energies of their own.
            into: Table; `tmo` takes only transition-metal oxides, any other name every crystal.
            ids: What each is called; without them `material_id` or `id` of the structure's own properties, or the source and a number.
            source: Where they come from, for the column `source`.
            properties: A list for each further value, as in {"formation_energy_per_atom": [..]}.
            dedupe: Leave out crystals that are the same structure as a row, whatever their id and cell.
            dry_run: Check everything, write nothing.
        """
        structures = crystals_of(structures)
        if kind(structures) is not None:
            structures = [structures]
        if is_arrow(structures):
            structures = column(structures).to_list()
        structures = list(structures)
        if not structures:
            raise _lib.UsageError("there are no structures to import")
        ids = None if ids is None else [str(one) for one in ids]
        with tempfile.TemporaryDirectory(prefix="hollandite-") as folder:
            if structures and all(kind(one) is None for one in structures):
                file = Path(folder) / "documents.jsonl"
                _write_documents(structures, ids, properties or {}, file)
            else:
                file = Path(folder) / "structures.parquet"
                columns = {
                    "id": ids if ids is not None else [_id(one, i, source) for i, one in enumerate(structures, 1)],
                    "structure": column(structures),
                    **{name: column(values) for name, values in (properties or {}).items()},
                }
                with connect(":memory:") as session:
                    session._register_columns("structures", columns)
                    session.sql(f"COPY structures TO {_quoted(file)} STORED AS PARQUET")
            return self.import_files(file, into=into, source=source, dedupe=dedupe, dry_run=dry_run)

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


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _columns(rows: Any) -> dict[str, Any] | None:
    """Rows as columns where they are no Arrow data as they stand."""
    if isinstance(rows, Mapping):
        return {name: column(values) for name, values in rows.items()}
    if library(rows) == "polars" and hasattr(rows, "collect"):
        raise _lib.UsageError("a LazyFrame has no rows yet: register(name, frame.collect())")
    if library(rows) == "pandas" and not hasattr(rows, "columns"):
        raise _lib.UsageError("a table has named columns: register(name, series.to_frame())")
    if library(rows) == "pandas":
        # Of pandas the columns one by one: those of structures have no type that Arrow knows.
        return {str(name): _plain(rows[name]) for name in rows.columns}
    if is_arrow(rows):
        return None
    structures = list(rows)
    return {"id": list(range(1, len(structures) + 1)), "structure": column(structures)}


def _plain(series: Any) -> Any:
    """A column of pandas, NaN as NULL."""
    values = series.tolist()
    if _structural(values):
        return column(values)
    try:
        import pyarrow

        return column(pyarrow.Array.from_pandas(series))
    except (ModuleNotFoundError, TypeError, ValueError):
        # Without pyarrow, or of mixed types: value by value.
        return column([None if missing else value for value, missing in zip(values, series.isna())])


def _structural(values: list[Any]) -> bool:
    return any(kind(value) not in (None, "text") for value in values)


def _id(structure: Any, number: int, source: str) -> str:
    own = getattr(structure, "properties", None) or getattr(structure, "info", None) or {}
    named = own.get("material_id") or own.get("id")
    return str(named) if named is not None else f"{source}-{number}"


def _write_documents(documents: list[Any], ids: list[str] | None, properties: Mapping[str, Sequence[Any]], file: Path) -> None:
    """Documents of the Materials Project as its own JSON, one a line."""
    with file.open("w", encoding="utf-8") as out:
        for i, document in enumerate(documents):
            fields = document.model_dump() if hasattr(document, "model_dump") else document
            if not isinstance(fields, Mapping) or "structure" not in fields:
                raise TypeError(
                    f"item {i} is {type(document).__name__}: expected a structure of pymatgen or ASE, or a document with the field structure"
                )
            structure = fields["structure"]
            if structure is not None and kind(structure) is not None:
                structure = column([structure]).to_list()[0].as_dict()
            more = {name: values[i] for name, values in properties.items()}
            named = {} if ids is None else {"material_id": ids[i]}
            out.write(json.dumps({**fields, **more, **named, "structure": structure}, default=_jsonable) + "\n")


def _jsonable(value: Any) -> Any:
    """A number of numpy as a number, anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
