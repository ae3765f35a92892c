"""DuckDB reads a table at every snapshot since it was made, changes it, and removes the files that nothing needs.

    duckdb_versions.py STORE TABLE

The table has numbers a and b. Prints their sums at each snapshot, and after the change, as JSON.
"""

import json
import sys

from lake import attach


def main(store, table):
    lake = attach(f"{store}/catalog.sqlite")

    def sums(at=""):
        found = lake.execute(f"SELECT count(*), sum(a)::BIGINT, sum(b)::BIGINT FROM {table} {at}").fetchone()
        return dict(zip("nab", found))

    made = f"list_contains(changes['tables_created'], 'main.{table}')"
    (made,) = lake.execute(f"SELECT min(snapshot_id) FROM lake.snapshots() WHERE {made}").fetchone()
    since = lake.execute(f"SELECT snapshot_id FROM lake.snapshots() WHERE snapshot_id > {made} ORDER BY 1").fetchall()
    seen = {"versions": {snapshot: sums(f"AT (VERSION => {snapshot})") for (snapshot,) in since}}
    lake.execute(f"UPDATE {table} SET b = b + 100 WHERE a = 0")
    lake.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
    seen["changed"] = sums()
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
