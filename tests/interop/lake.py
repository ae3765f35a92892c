"""DuckDB with the extensions of the wheels: nothing is downloaded. As a program it runs what it reads from its input, and prints the rows."""

import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb


def connect():
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("sqlite_scanner", "ducklake"):
        folder = Path(find_spec(f"duckdb_extension_{name}").origin).parent
        (file,) = folder.glob(f"extensions/*/{name}.duckdb_extension")
        connection.execute(f"LOAD '{file}'")
    return connection


def attach(catalog, **options):
    """DuckDB in the lake of a catalog."""
    connection = connect()
    options = ", ".join(f"{name} '{value}'" for name, value in options.items())
    connection.execute(f"ATTACH 'ducklake:sqlite:{catalog}' AS lake{f' ({options})' if options else ''}; USE lake")
    return connection


def main():
    connection = connect()
    for statement in sys.stdin.read().split(";"):
        # They are loaded from the wheels.
        if statement.strip() and not statement.strip().removeprefix("-- DuckDB").lstrip().startswith("INSTALL"):
            for row in connection.execute(statement).fetchall():
                print(*row, sep="\t")


if __name__ == "__main__":
    main()
