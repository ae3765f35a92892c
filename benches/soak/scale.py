"""A table of many rows: what it costs to write, to read, to prune and to change, and how much memory each takes.

The rows are copies of crystals made here, with small structures and numbers of their own; nothing is computed from the structures. Each
statement is a program from start to end.
"""

import os
import subprocess
import time

from common import HOLLANDITE, arguments, crystals, run, workplace

#: Columns of a copy: the numbers differ from row to row, evenly and without a pattern that compresses.
COPY = """
SELECT concat(t.id, '-', s.value) AS id, t.formula, t.chemsys, t.elements, t.natoms, t.structure,
       t.volume * (0.9 + 2e-5 * (s.value * 7919 % 10007)) AS volume,
       ((s.value * 104729 + t.natoms) % 1000003) / 1000003.0 AS void,
       -4.0 * ((s.value * 15485863 + length(t.id)) % 999983) / 999983.0 AS formation_energy_per_atom,
       (s.value * 32452843 % 10007) / 1000.0 AS band_gap
FROM tmo t CROSS JOIN generate_series({first}, {last}) s
"""
READ = {
    "count": "SELECT count(*) FROM big",
    "one filter, mean": "SELECT count(*), avg(void) FROM big WHERE void > 0.9",
    "three filters, aggregates": "SELECT count(*), min(formation_energy_per_atom) FROM big WHERE void > 0.6 AND band_gap BETWEEN 1 AND 3 "
    "AND formation_energy_per_atom < -2",
    "group by chemical system": "SELECT chemsys, count(*), avg(void) FROM big GROUP BY chemsys ORDER BY chemsys",
    "top 20 with their crystals": "SELECT id, void, structure FROM big WHERE chemsys = 'O-Ti' ORDER BY void DESC LIMIT 20",
    "one id": "SELECT id, void FROM big WHERE id = 'c-7-{middle}'",
    "inside structures": "SELECT count(*) FROM big WHERE array_has(structure['numbers'], 22)",
}
WRITE = {
    "INSERT of 10 000 rows": "INSERT INTO big SELECT * FROM big WHERE id LIKE 'c-7-%' LIMIT 10000",
    "UPDATE of one row": "UPDATE big SET void = 0.5 WHERE id = 'c-7-{middle}'",
    "DELETE of a thousandth": "DELETE FROM big WHERE void > 0.999",
}


def measured(store, statement):
    """Wall seconds, CPU seconds and the highest resident memory in MB of a statement, and what it prints."""
    begun = time.time()
    child = subprocess.Popen([HOLLANDITE, "--store", str(store), "sql", "--format", "csv", statement], stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{statement}: exit status {status}")
    return time.time() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--each", type=int, default=1_000_000, help="rows of one commit")
    args = parser.parse_args()
    folder = workplace(args.work)
    store = folder / "scale"
    base = 500
    run(store, "init")
    run(store, "import", crystals(folder / "base.jsonl", "c", base))
    copies, each = args.rows // base, args.each // base
    commits = [(first, min(first + each - 1, copies)) for first in range(1, copies + 1, each)]
    print(f"{copies * base} rows in {len(commits)} commits; load {os.getloadavg()[0]:.1f}", flush=True)
    wall, cpu, most, course = 0.0, 0.0, 0.0, []
    for k, (first, last) in enumerate(commits):
        how = "CREATE TABLE big AS" if k == 0 else "INSERT INTO big"
        w, c, m, _ = measured(store, how + COPY.format(first=first, last=last))
        wall, cpu, most = wall + w, cpu + c, max(most, m)
        course.append(w)
    size = sum(file.stat().st_size for file in (store / "data" / "main" / "big").glob("*.parquet"))
    print(
        f"write: {copies * base / wall:.0f} rows/s ({wall:.0f} s, {cpu:.0f} s CPU), {size / copies / base:.0f} bytes a row, "
        f"first commit {course[0]:.1f} s, last {course[-1]:.1f} s, {most:.0f} MB at most",
        flush=True,
    )
    for name, statement in {**READ, **WRITE}.items():
        w, c, m, _ = measured(store, statement.format(middle=copies // 2))
        print(f"{name}: {w:.2f} s, {c:.2f} s CPU, {m:.0f} MB", flush=True)
    w, c, m, out = measured(store, READ["count"])
    print(f"rows at the end: {out.split()[-1]}; catalog {(store / 'catalog.sqlite').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
