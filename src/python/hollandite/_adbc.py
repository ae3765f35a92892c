"""Connections and cursors of `adbc_driver_manager` that behave as the package does: rows without an answer are a warning of Python, and
Ctrl-C raises KeyboardInterrupt."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable

from adbc_driver_manager import dbapi

from . import _lib
from ._warnings import warn

#: What the driver says of a statement that was ended from outside.
CANCELLED = "the statement was cancelled"


class Cursor(dbapi.Cursor):
    """A cursor of a store."""

    _inside = False

    def close(self) -> None:
        if not self._closed:
            self._warn()
        super().close()

    def _warn(self) -> None:
        for sentence in self.connection.adbc_connection.get_option("hollandite.warnings").splitlines():
            warn(sentence)


class Connection(dbapi.Connection):
    """A connection to a store."""

    def cursor(self, **kwargs: Any) -> Cursor:
        cursor = super().cursor(**kwargs)
        cursor.__class__ = Cursor
        return cursor  # type: ignore[return-value]


# polars knows a connection of ADBC by the module of its class.
Connection.__module__ = dbapi.Connection.__module__


def _mannered(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(cursor: Cursor, *args: Any, **kwargs: Any) -> Any:
        if cursor._inside:
            return method(cursor, *args, **kwargs)
        # The driver can only say so in an error of its own.
        _lib.not_forked()
        cursor._inside = True
        try:
            return method(cursor, *args, **kwargs)
        except Exception as error:
            if CANCELLED in str(error):
                raise KeyboardInterrupt from None
            raise
        finally:
            cursor._inside = False
            cursor._warn()

    return call


for _name in (
    *("execute", "executemany", "executescript", "adbc_ingest"),
    *("fetchone", "fetchmany", "fetchall", "fetch_arrow_table", "fetch_df", "fetch_polars"),
):
    setattr(Cursor, _name, _mannered(getattr(dbapi.Cursor, _name)))
