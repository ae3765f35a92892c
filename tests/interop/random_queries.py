"""DuckDB answers the queries of tests/sql/random_queries.rs: queries.jsonl, over kept.parquet, in the folder given."""

import json
import math
import sys
from pathlib import Path

import duckdb

folder = Path(sys.argv[1])
duck = duckdb.connect()
duck.execute(f"CREATE TABLE kept AS SELECT * FROM '{folder / 'kept.parquet'}'")


def plain(cell):
    """Numbers, true and false as the test writes them."""
    return float(cell) if isinstance(cell, (bool, int, float)) or hasattr(cell, "as_tuple") else cell


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return a == b


def equal(row, other):
    return len(row) == len(other) and all(map(same, row, other))


def answers(sql):
    """DuckDB's rows as its optimizer plans the query, and then as it is written: the one may err where the other does not."""
    yield duck.execute(sql).fetchall()
    duck.execute("PRAGMA disable_optimizer")
    yield duck.execute(sql).fetchall()


def agrees(rows, theirs, ordered):
    theirs = [[plain(cell) for cell in row] for row in theirs]
    if len(rows) != len(theirs):
        return False
    if ordered:
        return all(map(equal, rows, theirs))
    for row in rows:
        match = next((i for i, other in enumerate(theirs) if equal(row, other)), None)
        if match is None:
            return False
        theirs.pop(match)
    return True


wrong = total = 0
for line in (folder / "queries.jsonl").open():
    query = json.loads(line)
    rows = [[plain(cell) for cell in row] for row in query["rows"]]
    total += 1
    if not any(agrees(rows, theirs, query["ordered"]) for theirs in answers(query["sql"])):
        wrong += 1
        print(f"{query['sql']}\n{rows[:5]}\n{duck.execute(query['sql']).fetchmany(5)}\n")
    duck.execute("PRAGMA enable_optimizer")
print(f"{total} queries, {wrong} differ")
sys.exit(1 if wrong else 0)
