"""Every function of SQL that answers a value, over one structure or many: `hollandite.void(structures, "ionic")`.

A crystal is a structure of pymatgen or ASE, a `hollandite.Crystal`, or the text of a CIF, POSCAR or JSON. Every argument is one value or
many: a list, or a column of pandas, polars or pyarrow, as many of each as there are of the others. Of one crystal the answer is a
value, of a list a list, of a column a column. `phase_diagram` and `voltage_profile` have one answer for all rows. Rows for which a
function is not defined answer None, with a warning that says why. All cores compute, without the interpreter's lock.

Functions that make a table, `most_similar` among them, are for queries: `db.sql("SELECT * FROM most_similar('rutile', 5)")`.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
from numbers import Real
from typing import Any, Callable, Iterable, Mapping

from . import _lib
from ._progress import Listener
from ._structures import column as column_of
from ._structures import check_text, crystals_like, crystals_of, is_arrow, kind, library

_lock = threading.Lock()
_session: _lib.Connection | None = None


def _shared() -> _lib.Connection:
    """A session without a store, for calls that name no connection."""
    global _session
    with _lock:
        session = _session
        if session is None:
            session = _lib.connect(_lib.Connection, ":memory:", None, False, False)
            session._listen(Listener())
            _session = session
        return session


def _made(doc: dict[str, Any], connection: Callable[[], _lib.Connection]) -> Callable[..., Any]:
    """The function of Python that asks this function of SQL."""
    parameters = {one["argument"]: one for one in doc["parameters"]}
    signature = inspect.Signature(
        [
            inspect.Parameter(
                argument,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if one["omitted"] is None else one["default"],
            )
            for argument, one in parameters.items()
        ]
    )
    first = next(iter(parameters), None)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{doc['name']}: {error}: its arguments are {', '.join(parameters)}") from None
        # None stands for what is left out.
        given = {argument: value for argument, value in given.items() if value is not None or argument == first}
        asked = [_Argument(parameters[name], value) for name, value in given.items()]
        if not asked:
            return connection()._sql(f"SELECT {doc['name']}()").fetchall()[0][0]
        try:
            return _answers(connection(), doc["name"], asked, doc["of_a_group"])
        except _lib.SqlError as error:
            if connection is _shared and re.search(r"\bno (energy )?model '", str(error)):
                raise _lib.SqlError(f"{error}; the models of a store are asked by db.functions.{doc['name']}(..)") from None
            raise

    function.__name__ = function.__qualname__ = doc["name"]
    function.__module__ = __name__
    setattr(function, "__signature__", signature)
    function.__doc__ = _docstring(doc)
    return function


#: What the types of SQL are here.
_KINDS = {"DOUBLE": "float", "BIGINT": "int", "INTEGER": "int", "VARCHAR": "str", "BOOLEAN": "bool", "STRUCT": "dict", "STRUCTURE": "crystal"}


def _kind(returns: str) -> str:
    items = returns.removesuffix("[]")
    return f"list[{_kind(items)}]" if items != returns else _KINDS[returns]


def _docstring(doc: dict[str, Any]) -> str:
    unit = f", in {doc['unit']}" if doc["unit"] else ""
    many = "one of each row of the group, or one for all" if doc["of_a_group"] else "each one value or many"
    lines = [doc["text"], *(["", f"Arguments, {many}:"] if doc["parameters"] else [])]
    for one in doc["parameters"]:
        default = f" Default: {one['omitted']}." if one["omitted"] is not None else ""
        lines.append(f"    {one['argument']}: {one['text']}{default}")
    each = "" if doc["of_a_group"] or not doc["parameters"] else ", for each"
    return "\n".join([*lines, "", f"Returns {_kind(doc['returns'])}{unit}{each}.", "", "In SQL:", f"    {doc['example']}"])


class _Argument:
    """What was given for a parameter: one value, or many."""

    def __init__(self, parameter: dict[str, Any], value: Any) -> None:
        self.name: str = parameter["name"]
        self.crystal: bool = parameter["crystal"]
        if self.crystal:
            value = crystals_of(value)
            for one in value if isinstance(value, (list, tuple)) else [value]:
                check_text(one)
        self.many = _is_many(value)
        if self.many and not hasattr(value, "__len__"):
            value = list(value)
        if self.many and parameter["kind"] == "CrystalOrFingerprint" and isinstance(next(iter(value), None), Real):
            # A list of numbers stands for one crystal.
            self.many, value = False, [float(x) for x in value]
        self.value: Any = value

    @property
    def items(self) -> Iterable[Any]:
        return self.value if self.many else [self.value]


def _is_many(value: Any) -> bool:
    if value is None or kind(value) is not None or isinstance(value, Mapping):
        return False
    # A number of numpy has an iterator that it cannot give.
    return hasattr(value, "__iter__") and getattr(value, "ndim", 1) > 0


def _answers(connection: _lib.Connection, function: str, given: list[_Argument], of_a_group: bool) -> Any:
    """The answers to arguments, that of the first parameter first."""
    asked = {one.name: column_of(one.value) if one.many else one.value for one in given}
    counts = {one.name: len(asked[one.name]) for one in given if one.many}
    if len(set(counts.values())) > 1:
        said = " and ".join(f"{count} of {name}" for name, count in counts.items())
        raise _lib.UsageError(f"{function}: there are {said}: give as many of each, or one for all")
    first = asked.pop(given[0].name)
    if not counts and given[0].crystal and (first is None or kind(first) is not None):
        # One crystal alone costs less as a column than as text.
        first = column_of([first])
    answer = connection._call(function, first, asked)
    if of_a_group:
        return answer.to_list()[0]
    shaped = next((one.value for one in given if one.many), None)
    if shaped is not None and is_arrow(shaped) and library(shaped) != "pandas":
        return _as_column(answer, shaped)
    values = answer.to_list()
    if answer.is_crystals:
        # As the crystals came.
        items = next((one.items for one in given if one.crystal), ())
        values = crystals_like(answer, next((kind(item) for item in items if item is not None), None))
    if shaped is None:
        return values[0]
    if library(shaped) == "pandas":
        import pandas

        return pandas.Series(values, index=shaped.index, name=function)
    return values


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
    doc["name"]: doc for doc in json.loads(_lib.functions()) if doc["name"].isidentifier()
}

__all__ = sorted(_docs)

for _name, _doc in _docs.items():
    globals()[_name] = _made(_doc, _shared)
