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
#: Names of types that DuckDB has too; it has lists of them as well.
TYPES = {"DOUBLE", "FLOAT", "BIGINT", "INTEGER", "VARCHAR", "BOOLEAN"}


def register(
    con: duckdb.DuckDBPyConnection,
    functions: Mapping[str, str | tuple[str, Mapping[str, Any]]] | None = None,
    *,
    db: Connection | None = None,
) -> list[str]:
    """Makes functions of crystals known to a connection of DuckDB; their names.

    Arguments:
        con: A connection of DuckDB.
        functions: The functions by the names that they get, each as its name or as its name and arguments, as in
            {"open_volume": ("void", {"radii": "ionic"})}. Without it every function of one crystal, with its usual arguments.
        db: A connection of hollandite, for the models of its store.
    """
    connection = db if db is not None else _functions._shared()
    if functions is None:
        functions = {name: name for name, doc in _functions._docs.items() if _of_one_crystal(doc) and _type(doc["returns"])}
    # By their names every version knows the kinds; the module of their types differs.
    create: Any = con.create_function
    for name, asked in functions.items():
        function, arguments = (asked, {}) if isinstance(asked, str) else asked
        doc = _functions._docs.get(function)
        if doc is None or not _of_one_crystal(doc, arguments):
            raise _lib.UsageError(f"{function} is no function of one crystal and these arguments")
        returns = _type(doc["returns"])
        if returns is None:
            raise _lib.UsageError(f"{function} returns {doc['returns']}, for which DuckDB has no type here")
        call = _call(connection, function, dict(arguments))
        with contextlib.suppress(Exception):
            # Of an earlier call: a cell of a notebook is run again.
            con.remove_function(name)
        create(name, call, [STRUCTURE], returns, type="arrow", null_handling="special")
    return list(functions)


def _call(connection: _lib.Connection, function: str, arguments: dict[str, Any]) -> Callable[[Any], Any]:
    """The function of one column that DuckDB calls."""
    import pyarrow

    return lambda rows: pyarrow.array(connection._call(function, _lib.column(rows), arguments))


def _of_one_crystal(doc: Mapping[str, Any], arguments: Mapping[str, Any] = {}) -> bool:
    first, *rest = doc["parameters"] or [{"crystal": False}]
    return not doc["of_a_group"] and first["crystal"] and all(one["omitted"] is not None or one["name"] in arguments for one in rest)


def _type(returns: str | None) -> str | None:
    """The type of DuckDB for a type of SQL; None where there is none."""
    if returns == "STRUCTURE":
        return STRUCTURE
    if returns and returns.endswith("[]"):
        items = _type(returns.removesuffix("[]"))
        return f"{items}[]" if items else None
    return returns if returns in TYPES else None
