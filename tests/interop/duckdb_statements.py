"""DuckDB's statements on a hollandite store, one after the other.

    duckdb_statements.py STORE

The store holds the tables `t` (a INTEGER, s STRUCT(x DOUBLE[], y INTEGER), b VARCHAR) with two rows in two files, and `u` (a
INTEGER). Prints what DuckDB sees as JSON; the caller reads the store afterwards.
"""

import json
import sys

from lake import attach


def main(store):
    lake = attach(f"{store}/catalog.sqlite")

    def rows(sql):
        return [list(row) for row in lake.execute(sql).fetchall()]

    seen = {"view": rows("SELECT a, b FROM ours ORDER BY a")}
    for statement in [
        "ALTER TABLE t RENAME TO renamed",
        "ALTER TABLE renamed RENAME COLUMN a TO number",
        "ALTER TABLE renamed ADD COLUMN c DOUBLE DEFAULT 0.5",
        "ALTER TABLE renamed ADD COLUMN l VARCHAR[]",
        "ALTER TABLE renamed ADD COLUMN s.z INTEGER",
        "ALTER TABLE renamed RENAME COLUMN s.y TO w",
        "COMMENT ON TABLE renamed IS 'by a duck'",
        "INSERT INTO renamed (number, b, s) VALUES (500, 'duck', {'x': [0.25], 'w': 4, 'z': 5})",
        "UPDATE renamed SET b = 'ONE' WHERE number = 1",
        "DELETE FROM renamed WHERE number = 2",
        "CREATE VIEW theirs AS SELECT number AS n, b FROM renamed WHERE c > 0",
        "CREATE OR REPLACE VIEW theirs (k, word) AS SELECT number, b FROM renamed",
        "ALTER VIEW theirs RENAME TO aliased",
        "CREATE TABLE part (a INTEGER, b INTEGER)",
        "ALTER TABLE part SET PARTITIONED BY (a)",
        "INSERT INTO part SELECT i % 2, i FROM range(6) r(i)",
        "CREATE SCHEMA other",
        "CREATE TABLE other.x AS SELECT 1 AS a",
        "DROP TABLE other.x",
        "ALTER TABLE u DROP COLUMN extra",
        "CREATE TABLE widened AS SELECT 1::INTEGER AS a",
        # Last, and not asked again here: DuckDB 1.5.5 loses rows of a column that was widened, in lakes of its own too.
        "ALTER TABLE widened ALTER COLUMN a SET DATA TYPE BIGINT",
    ]:
        lake.execute(statement)
    seen["renamed"] = rows("SELECT * FROM renamed ORDER BY number")
    # Three small files become one.
    for i in range(3):
        lake.execute(f"INSERT INTO u VALUES ({10 + i})")
    (newest,) = lake.execute("SELECT max(snapshot_id) FROM lake.snapshots()").fetchone()
    seen["changes"] = rows(f"SELECT change_type, a FROM lake.table_changes('u', {newest - 2}, {newest}) ORDER BY a")
    seen["merged"] = rows("CALL lake.merge_adjacent_files()")
    lake.execute("INSERT INTO u VALUES (100)")
    lake.execute("DELETE FROM u WHERE a = 10")
    seen["u"] = rows("SELECT a FROM u ORDER BY a")
    print(json.dumps(seen, default=str))


def maintain(store):
    """What no snapshot needs goes away."""
    lake = attach(f"{store}/catalog.sqlite")
    old = [row[0] for row in lake.execute("SELECT snapshot_id FROM lake.snapshots() ORDER BY 1").fetchall()][:-1]
    lake.execute(f"CALL ducklake_expire_snapshots('lake', versions => {old})")
    lake.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    lake.execute("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)")
    tables = {
        name: lake.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in ("tmo", "renamed", "u", "part", "aliased")
    }
    print(json.dumps({"snapshots": lake.execute("SELECT count(*) FROM lake.snapshots()").fetchone()[0], "tables": tables}))


if __name__ == "__main__":
    {"statements": main, "maintain": maintain}[sys.argv[2] if len(sys.argv) > 2 else "statements"](sys.argv[1])
