"""The functions of crystals in DuckDB: over frames, Parquet files and DuckLakes that it reads.

    >>> con = duckdb.connect()
    >>> hollandite.duckdb.register(con)
    >>> con.sql("SELECT id, void(structure) FROM 'crystals.parquet'")

DuckDB evaluates a function for each row that reaches it; put filters on other columns into a subquery, or ask the store itself:
`hollandite.connect().sql(...)` asks models last and once.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Callable, Mapping

from . import _lib
from . import functions as _functions

if TYPE_CHECKING:
    import duckdb

    from ._connection import Connection

#: The type of a crystal.
STRUCTURE = "STRUCT(lattice DOUBLE[], numbers INTEGER[], frac_coords DOUBLE[])"


def register(
    con: duckdb.DuckDBPyConnection,
    functions: Mapping[str, str | tuple[str, Mapping[str, Any]]] | None = None,
    *,
    db: Connection | None = None,
) -> list[str]:
    """Makes functions of crystals known to a connection of DuckDB; their names.

    A query gives their arguments in order, and leaves out the last ones as elsewhere: `void(structure, 'ionic', 0.76)`. DuckDB does not
    say by which name (`probe := 0.76`) one was given.

    Arguments:
        con: A connection of DuckDB.
        functions: The functions by the names that they get, each as its name or as its name and arguments that are always the same,
            as in {"open_volume": ("void", {"radii": "ionic"})}. Without it every function of one crystal.
        db: A connection of hollandite, for the models of its store.
    """
    connection = db if db is not None else _functions._shared()
    if functions is None:
        functions = {name: name for name, doc in _functions._docs.items() if _of_one_crystal(doc)}
    # By their names every version knows the kinds; the module of their types differs.
    create: Any = con.create_function
    for name, asked in functions.items():
        function, arguments = (asked, {}) if isinstance(asked, str) else asked
        doc = _functions._docs.get(function)
        if doc is None or not _of_one_crystal(doc):
            raise _lib.UsageError(f"{function} is no function of one crystal")
        call = _call(connection, doc, dict(arguments))
        with contextlib.suppress(Exception):
            # Of an earlier call: a cell of a notebook is run again.
            con.remove_function(name)
        create(name, call, [STRUCTURE], doc["type"], type="arrow", null_handling="special")
    return list(functions)


def _call(connection: _lib.Connection, doc: Mapping[str, Any], arguments: dict[str, Any]) -> Callable[..., Any]:
    """The function of columns that DuckDB calls."""
    import pyarrow

    names = [one["name"] for one in doc["parameters"][1:] if one["name"] not in arguments]

    # Under this name DuckDB takes more columns than it was given types for.
    def call(*columns: Any) -> Any:
        crystals, *rest = columns
        if len(rest) > len(names):
            raise _lib.UsageError(f"{doc['name']} takes {', '.join(names) or 'nothing'} after the crystal")
        given = {name: _argument(values) for name, values in zip(names, rest)}
        return pyarrow.array(connection._call(doc["name"], _lib.column(crystals), {**arguments, **given}))

    return call


def _argument(values: Any) -> Any:
    """A column of arguments; where all are one value, as those of a constant are, that value."""
    from pyarrow import types

    if types.is_decimal(values.type):
        # 0.76 in a query of DuckDB.
        values = values.cast("double")
    distinct: list[Any] = [] if types.is_nested(values.type) else values.unique().to_pylist()
    return distinct[0] if len(distinct) == 1 else _lib.column(values)


def _of_one_crystal(doc: Mapping[str, Any]) -> bool:
    return bool(not doc["of_a_group"] and doc["parameters"] and doc["parameters"][0]["crystal"])
