"""DuckDB reads and writes a hollandite store as the plain DuckLake that it is.

    duckdb_roundtrip.py STORE

The store holds rutile, salt and 20 rows 'x0'..'x19' in `tmo`. Deletes one row, updates one, inserts one and then fifty,
makes a table of its own, and prints what it sees as JSON.
"""

import json
import sys

from lake import attach


def main(store):
    lake = attach(f"{store}/catalog.sqlite")

    def one(sql):
        return lake.execute(sql).fetchone()

    (made,) = one("SELECT snapshot_id FROM lake.snapshots() WHERE list_contains(changes['tables_created'], 'main.tmo')")
    seen = {
        "rows": one("SELECT count(*) FROM tmo")[0],
        "structure": one("SELECT structure.lattice, structure.numbers, structure.frac_coords FROM tmo WHERE id = 'rutile'"),
        "elements": one("SELECT elements FROM tmo WHERE id = 'rutile'")[0],
        "comment": one("SELECT comment FROM duckdb_columns() WHERE table_name = 'tmo' AND column_name = 'void'")[0],
        "features": one(
            "SELECT count(*), min(m.featurizer), max(m.magpie['maximum Number']) FROM tmo"
            " JOIN features_density d USING (id, structure_hash) JOIN features_magpie m USING (id, structure_hash)"
            " WHERE abs(d.density - tmo.density) < 1e-9"
        ),
        "peak": one("SELECT xrd_peaks[1].hkl FROM features_xrd_peaks WHERE id = 'rutile'")[0],
        "old_rows": one(f"SELECT count(*) FROM tmo AT (VERSION => {made})")[0],
    }
    lake.execute("DELETE FROM tmo WHERE id = 'x3'")
    lake.execute("UPDATE tmo SET split = 'duck' WHERE id = 'x4'")
    lake.execute("INSERT INTO tmo SELECT * REPLACE ('duck' AS id) FROM tmo WHERE id = 'rutile'")
    lake.execute("INSERT INTO tmo SELECT t.* REPLACE ('flock-' || i AS id) FROM tmo t, range(50) r(i) WHERE t.id = 'rutile'")
    lake.execute("CREATE TABLE ducks AS SELECT id, void, structure FROM tmo WHERE id LIKE 'flock-%'")
    seen["rows_after"] = one("SELECT count(*) FROM tmo")[0]
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1])
