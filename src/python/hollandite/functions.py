"""Every function of SQL over one structure or many: `hollandite.void(structures, "ionic")`.

The first argument is one value or many: a structure of pymatgen or ASE, a `hollandite.Crystal`, the text of a CIF, POSCAR or JSON; or a
list, a column of pandas, polars or pyarrow of them. One answers a value, a list a list, a column a column. Rows for which a function is
not defined answer None, with a warning that says why. All cores compute, without the interpreter's lock.
"""

from __future__ import annotations

import inspect
import json
import os
import threading
from typing import Any, Callable

from . import _lib
from ._names import name_of
from ._progress import Listener
from ._structures import column as column_of
from ._structures import crystals_like, crystals_of, is_arrow, kind, library

_lock = threading.Lock()
_session: _lib.Connection | None = None


def _shared() -> _lib.Connection:
    """A session without a store, for calls that name no connection."""
    global _session
    with _lock:
        if _session is None:
            session = _lib.connect(_lib.Connection, ":memory:", None, False, False)
            session._listen(Listener())
            _session = session
        return _session


def _made(doc: dict[str, Any], connection: Callable[[], _lib.Connection]) -> Callable[..., Any]:
    """The function of Python that asks this function of SQL."""
    parameters = [
        inspect.Parameter(
            name_of(one["name"]),
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if one["omitted"] is None else one["default"],
        )
        for one in doc["parameters"]
    ]
    signature = inspect.Signature(parameters)
    first = parameters[0].name

    def function(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        rows = given.pop(first)
        # None stands for what is left out.
        rest = {name.rstrip("_"): value for name, value in given.items() if value is not None}
        for name, value in rest.items():
            if isinstance(value, (list, tuple)) and any(kind(one) not in (None, "text") for one in value):
                raise _lib.UsageError(f"{doc['name']}: {name} is one crystal; only {first} may be many")
        return _answers(connection(), doc, rows, rest)

    function.__name__ = function.__qualname__ = doc["name"]
    function.__module__ = __name__
    setattr(function, "__signature__", signature)
    function.__doc__ = _docstring(doc)
    return function


def _docstring(doc: dict[str, Any]) -> str:
    unit = f", in {doc['unit']}" if doc["unit"] else ""
    lines = [doc["text"], "", "Arguments:"]
    for i, one in enumerate(doc["parameters"]):
        many = " One, or many." if i == 0 else ""
        default = f" Default: {one['omitted']}." if one["omitted"] is not None else ""
        lines.append(f"    {name_of(one['name'])}: {one['text']}{many}{default}")
    return "\n".join([*lines, "", f"Returns {doc['returns']}{unit}.", "", "In SQL:", f"    {doc['example']}"])


def _answers(connection: _lib.Connection, doc: dict[str, Any], rows: Any, rest: dict[str, Any]) -> Any:
    rows = crystals_of(rows)
    _check_text(doc, rows)
    pandas_series = library(rows) == "pandas"
    arrow = not pandas_series and is_arrow(rows)
    one = not arrow and (kind(rows) is not None or rows is None or not hasattr(rows, "__iter__"))
    if arrow:
        items, like = rows, None
    else:
        items = [rows] if one else list(rows)
        like = next((kind(item) for item in items if item is not None), None)
    answer = connection._call(doc["name"], column_of(items), rest)
    if arrow:
        return _as_column(answer, rows)
    values = crystals_like(answer, like) if answer.is_crystals else answer.to_list()
    if one:
        return values[0]
    if pandas_series:
        import pandas

        return pandas.Series(values, index=rows.index, name=doc["name"])
    return values


def _check_text(doc: dict[str, Any], rows: Any) -> None:
    """The name of a file is no text of a crystal."""
    if doc["parameters"][0]["crystal"] and isinstance(rows, str) and "\n" not in rows and os.path.isfile(rows):
        raise _lib.UsageError(
            f"{rows!r} names a file: pass its text, Path({rows!r}).read_text(), or import it by connect(..).import_files({rows!r})"
        )


def _as_column(answer: _lib.Column, rows: Any) -> Any:
    """A column of the library that the rows came from; without one ours."""
    if library(rows) == "polars":
        import polars

        return polars.Series(answer)
    if library(rows) == "pyarrow":
        import pyarrow

        return pyarrow.array(answer)
    return answer


class Functions:
    """The functions of SQL on one connection: with the models of its store."""

    def __init__(self, connection: Callable[[], _lib.Connection]) -> None:
        for name, doc in _docs.items():
            setattr(self, name, _made(doc, connection))

    def __dir__(self) -> list[str]:
        return list(_docs)


_docs: dict[str, dict[str, Any]] = {
    doc["name"]: doc for doc in json.loads(_lib.functions()) if doc["parameters"] and doc["name"].isidentifier()
}

__all__ = sorted(_docs)

for _name, _doc in _docs.items():
    globals()[_name] = _made(_doc, _shared)
