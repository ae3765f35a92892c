"""The stored queries."""

from __future__ import annotations

from . import _lib


class Queries(dict[str, str]):
    """Stored queries by name: `db.sql("tunnels")` runs one, `queries["tunnels"]` is its SQL."""

    def __init__(self) -> None:
        rows = _lib.queries()
        super().__init__((name, sql) for name, _, sql in rows)
        self._answers = {name: what for name, what, _ in rows}

    def __repr__(self) -> str:
        width = max(map(len, self))
        return "\n".join(f"{name:{width}}  {what}" for name, what in self._answers.items())

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


queries = Queries()
