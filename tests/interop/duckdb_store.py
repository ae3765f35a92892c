"""A DuckLake that DuckDB makes, and reads again once it is a store.

    duckdb_store.py FOLDER          makes it
    duckdb_store.py FOLDER again    reads it, and prints what it sees as JSON
"""

import json
import sys

from lake import attach


def make(folder):
    lake = attach(f"{folder}/catalog.sqlite", DATA_PATH=f"{folder}/data/")
    for statement in [
        "CREATE TABLE t (a INTEGER, s STRUCT(x DOUBLE[], y INTEGER), b VARCHAR DEFAULT 'none', m DECIMAL(9, 3))",
        # Many rows go to a file, few stay in the catalog.
        "INSERT INTO t SELECT i, {'x': [i + 0.5], 'y': i}, 'row ' || i, i / 4 FROM range(100) r(i)",
        "INSERT INTO t (a, s) VALUES (1000, {'x': [0.25], 'y': NULL})",
        "DELETE FROM t WHERE a = 50",
        "ALTER TABLE t RENAME COLUMN b TO word",
        "ALTER TABLE t RENAME TO things",
        "INSERT INTO things SELECT i, NULL, 'late', 1.125 FROM range(2000, 2050) r(i)",
        "CREATE TABLE divided (a INTEGER, b INTEGER)",
        "ALTER TABLE divided SET PARTITIONED BY (a)",
        "INSERT INTO divided SELECT i % 3, i FROM range(300) r(i)",
        "CREATE VIEW few AS SELECT a, word FROM things WHERE a < 3",
        "COMMENT ON COLUMN things.a IS 'a number'",
    ]:
        lake.execute(statement)
    print(json.dumps(lake.execute("SELECT count(*), sum(a) FROM things").fetchone()))


def again(folder):
    lake = attach(f"{folder}/catalog.sqlite")

    def rows(sql):
        return [list(row) for row in lake.execute(sql).fetchall()]

    lake.execute("INSERT INTO ours VALUES (3, 'duck')")
    lake.execute("ALTER TABLE ours RENAME TO shared")
    print(
        json.dumps(
            {
                "things": rows("SELECT count(*), sum(number) FROM everything"),
                "shared": rows("SELECT * FROM shared ORDER BY a"),
                "few": rows("SELECT number FROM fewer ORDER BY 1"),
                "divided": rows("SELECT a, count(*) FROM divided GROUP BY a ORDER BY a"),
            },
            default=str,
        )
    )


if __name__ == "__main__":
    (again if len(sys.argv) > 2 else make)(sys.argv[1])
