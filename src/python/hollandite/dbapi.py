"""The driver of ADBC: a store for whatever speaks the DB-API of Python, as `pandas.read_sql` and `polars.read_database`.

    >>> with hollandite.dbapi.connect("crystals") as con:
    ...     pandas.read_sql("SELECT id, void FROM tmo", con)

It needs `adbc-driver-manager` and pyarrow. Every statement takes effect by itself: there are no transactions over several. Rows without
an answer are a `HollanditeWarning`. Ctrl-C stops a statement of a cursor and raises KeyboardInterrupt; `polars.read_database` raises it
when the statement is done.
"""

from __future__ import annotations

import os
from typing import Any

from . import _lib

#: The function of the library that makes the driver, for other clients of ADBC.
ENTRYPOINT = "AdbcHollanditeInit"


def driver() -> str:
    """The file of the driver, for clients of ADBC in any language: `driver=driver(), entrypoint=ENTRYPOINT`."""
    return _lib.__file__


def connect(
    path: str | os.PathLike[str] | None = None, snapshot: int | None = None, read_only: bool = False, **kwargs: Any
) -> Any:
    """A connection of `adbc_driver_manager.dbapi` to a store.

    Arguments:
        path: The folder of the store; without one the embedded store. ":memory:" is a session without a store.
        snapshot: Read the store as it was at this snapshot.
        read_only: Refuse every statement that would change the store.
    """
    from adbc_driver_manager import dbapi

    from ._adbc import Connection

    _lib.not_forked()
    options = {"uri": "" if path is None else os.path.expanduser(os.fspath(path))}
    if snapshot is not None:
        options["hollandite.snapshot"] = str(snapshot)
    if read_only:
        options["hollandite.read_only"] = "true"
    connection = dbapi.connect(driver=driver(), entrypoint=ENTRYPOINT, db_kwargs=options, autocommit=True, **kwargs)
    connection.__class__ = Connection
    return connection
