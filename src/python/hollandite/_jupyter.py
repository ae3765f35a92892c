"""`%load_ext hollandite`: SQL in a cell of a notebook."""

from __future__ import annotations

import re
import shlex
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from . import _lib
from ._connection import Connection, connect
from ._result import Result

#: A name of Python behind a colon, which takes its value from the notebook.
_NAME = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
#: What no name is looked for in: texts, quoted names and comments.
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


@magics_class
class HollanditeMagics(Magics):
    """`%hollandite PATH` opens a store, `%%hollandite [NAME <<] [--polars | --pandas | --arrow]` runs the SQL of a cell."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._names: dict[str, Any] = shell.user_ns
        self._connection: Connection | None = None

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect()
        return self._connection

    @line_magic("hollandite")  # type: ignore[arg-type]
    def open(self, line: str) -> Connection:
        """`%hollandite PATH` opens a store for the cells that follow, `%hollandite NAME` takes a connection that has that name."""
        words = shlex.split(line)
        if words:
            named = self._names.get(words[0])
            self._connection = named if isinstance(named, Connection) else connect(words[0])
        return self._open()

    @cell_magic("hollandite")  # type: ignore[arg-type]
    def run(self, line: str, cell: str) -> Any:
        """Runs the SQL of a cell. `:name` takes the value of a variable; `df <<` keeps the result under a name."""
        words = shlex.split(line.replace("<<", " << "))
        kept = None
        if len(words) > 1 and words[1] == "<<":
            kept, words = words[0], words[2:]
        ways = {
            "--polars": Result.to_polars,
            "--pandas": Result.to_pandas,
            "--arrow": Result.to_arrow,
        }
        unknown = [word for word in words if word not in ways]
        if unknown:
            raise _lib.UsageError(f"{unknown[0]}: expected NAME <<, --polars, --pandas or --arrow")
        names = set(_NAME.findall(_QUOTED.sub(" ", cell)))
        missing = sorted(name for name in names if name not in self._names)
        if missing:
            raise _lib.UsageError(f":{missing[0]} is no variable of the notebook")
        params = {name: self._names[name] for name in names} or None
        result: Any = self._open().sql(cell, params)
        for word in words:
            result = ways[word](result)
        if kept is None:
            return result
        self._names[kept] = result
        return None
