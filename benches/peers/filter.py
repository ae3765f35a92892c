"""Filters and aggregates over 107 848 real crystals, time per query, against DuckDB on the very same Parquet files and ase.db.

The store is made once in the cache. "session" is the time from a statement to its rows inside a process that stays:
`hollandite shell` through a pipe (its printing included), DuckDB's Python API with fetchall over the Parquet files, ase.db's select with the
aggregate in Python, as it has none. "process" is a program from start to end: `hollandite sql` and the `duckdb` command.
All at their default number of threads. ase.db holds every k-th row (--ase-rows of them; building all takes long) and its time is scaled to
the whole: it scans a table without an index, so time grows as rows.
"""

import csv
import math
import sys
from pathlib import Path

from common import CACHE, SHARED, Lines, Table, arguments, fresh, machine, need, program, run, timed

FILTER = "void > 0.6 AND band_gap BETWEEN 1 AND 3 AND e_above_hull < 0.05"
QUERIES = {
    "count": "SELECT count(*) AS n FROM crystals",
    "one filter, mean": "SELECT count(*) AS n, avg(void) AS v FROM crystals WHERE void > 0.6",
    "three filters, aggregates": "SELECT count(*) AS n, avg(formation_energy_per_atom) AS m, min(e_above_hull) AS h "
    f"FROM crystals WHERE {FILTER}",
    "group by, top 10": "SELECT spacegroup, count(*) AS n, avg(formation_energy_per_atom) AS m FROM crystals "
    "WHERE void > 0.5 GROUP BY spacegroup ORDER BY n DESC, spacegroup LIMIT 10",
    "rows, top 100": "SELECT id, formula, formation_energy_per_atom FROM crystals "
    f"WHERE {FILTER} ORDER BY formation_energy_per_atom, id LIMIT 100",
    "one id": "SELECT id, formula, void FROM crystals WHERE id = 'mp-19395' ORDER BY formula, void",
    "text": "SELECT count(*) AS n FROM crystals WHERE formula LIKE '%Ti%O%'",
    "list": "SELECT count(*) AS n FROM crystals WHERE array_has(elements, 'Li') AND array_has(elements, 'O')",
    "inside structures": "SELECT sum(array_length(structure['numbers'])) AS atoms FROM crystals",
    "sites of lithium": "SELECT count(*) AS n FROM crystals WHERE array_has(structure['numbers'], 3)",
}
ASE = {
    "one filter, mean": "void>0.6",
    "three filters, aggregates": "void>0.6,band_gap>=1,band_gap<=3,e_above_hull<0.05",
}
LABELS = ["void", "band_gap", "e_above_hull", "formation_energy_per_atom"]


def store(binary):
    """The store of all crystals, in the table `crystals`."""
    path = CACHE / "store-filter"
    if not path.exists():
        half = fresh("store-filter.unfinished")
        run([binary, "init", half])
        for name in ("tmo", "tmo_unlabelled", "other"):
            file = need(SHARED / "data" / f"{name}.jsonl.gz")
            seconds, out = run([binary, "--store", half, "import", file, "--into", "crystals"])
            print(f"{out.strip().splitlines()[-1]} ({seconds[1]:.1f} s CPU)", flush=True)
        half.rename(path)
    return path


def ase_db(duck, table, rows, total):
    """An ase.db of every k-th crystal: the atoms and the four numbers that its queries need."""
    from ase import Atoms
    from ase.db import connect

    path = CACHE / f"{table}-{rows}.db"
    if not path.exists():
        half = fresh("ase.unfinished") / "half.db"
        columns = ", ".join(LABELS)
        some = duck.execute(
            f"SELECT structure, {columns} FROM (SELECT *, row_number() OVER () AS k FROM {table}) "
            f"WHERE k % {total // rows} = 0"
        ).fetchall()

        def write():
            with connect(half) as db:
                for crystal, *values in some:
                    coords = crystal["frac_coords"]
                    atoms = Atoms(
                        crystal["numbers"],
                        scaled_positions=[coords[i : i + 3] for i in range(0, len(coords), 3)],
                        cell=[crystal["lattice"][i : i + 3] for i in (0, 3, 6)],
                        pbc=True,
                    )
                    db.write(atoms, **{k: v for k, v in zip(LABELS, values) if v is not None})

        (wall, _), _ = timed(write)
        print(f"ase.db: {len(some)} rows written in {wall:.1f} s", flush=True)
        half.rename(path)
    db = connect(path)
    return db, db.count()


def ase_query(db, name):
    """The counterpart of a query: ase.db returns rows, Python does the rest."""
    rows = list(db.select(ASE[name]))
    if name == "one filter, mean":
        return len(rows), sum(r.void for r in rows) / len(rows)
    energies = [r.formation_energy_per_atom for r in rows if "formation_energy_per_atom" in r]
    return len(rows), sum(energies) / len(energies), min(r.e_above_hull for r in rows)


def same(ours, theirs):
    """Whether lines of CSV hold the same values as tuples, floats to 1e-9."""

    def equal(text, value):
        if value is None:
            return text == ""
        if isinstance(value, (int, float)):
            return math.isclose(float(text), float(value), rel_tol=1e-9)
        return text == value

    rows = list(csv.reader(ours))[1:]
    return [len(row) for row in rows] == [len(row) for row in theirs] and all(
        all(map(equal, a, b)) for a, b in zip(rows, theirs)
    )


def main():
    import duckdb

    parser = arguments(__doc__)
    parser.add_argument("--ase-rows", type=int, default=10_000)
    parser.add_argument("--store", type=Path, help="a store to read in place of the one with all crystals")
    parser.add_argument("--table", default="crystals", help="its table")
    args = parser.parse_args()
    binary, table = program(args.profile), Table("ms", 1e3)
    path = args.store or store(binary)
    files = sorted(path.glob(f"data/main/{args.table}/*.parquet"))
    queries = {name: query.replace("FROM crystals", f"FROM {args.table}") for name, query in QUERIES.items()}
    view = f"CREATE VIEW {args.table} AS SELECT * FROM read_parquet({[str(f) for f in files]})"
    duck = duckdb.connect()
    duck.execute(view)
    (total,) = duck.execute(queries["count"]).fetchone()
    megabytes = sum(f.stat().st_size for f in files) / 1e6
    print(f"{total} crystals in {len(files)} Parquet files, {megabytes:.1f} MB; DuckDB {duckdb.__version__}")
    ase, ase_rows = ase_db(duck, args.table, args.ase_rows, total)
    shell = Lines([binary, "--store", path, "shell", "--format", "csv"])
    command = Path(sys.executable).with_name("duckdb")  # of the duckdb-cli package
    machine()
    for name, query in queries.items():
        for turn in range(2 * args.rounds + 2):
            duck_s, rows = timed(lambda: duck.execute(query).fetchall())
            ours_s, lines = shell.ask(query + ";", answers=len(rows) + 1)
            if turn == 0:
                assert same(lines, rows), f"{query}\n{lines}\n{rows}"
            if turn > 1:  # two to warm up
                table.add(f"session: {name}", "hollandite", ours_s)
                table.add(f"session: {name}", "duckdb", duck_s)
        for _ in range(args.rounds if name in ASE else 0):
            (wall, cpu), _ = timed(lambda: ase_query(ase, name))
            scale = total / ase_rows
            table.add(f"session: {name}", f"ase.db (x {scale:.1f})", (wall * scale, cpu * scale))
    shell.close()
    for name in ("start", "three filters, aggregates"):
        query = queries.get(name, "SELECT 1")
        for _ in range(2 * args.rounds):
            seconds, _ = run([binary, "--store", path, "sql", query])
            table.add(f"process: {name}", "hollandite sql", seconds)
            if command.exists():
                seconds, _ = run([command, "-c", query if name == "start" else f"{view}; {query}"])
                table.add(f"process: {name}", "duckdb -c", seconds)
    table.print()
    machine()


if __name__ == "__main__":
    main()
