"""A table of many rows: what it costs to write, to read, to prune and to change, and how much memory each takes.

The rows are copies of crystals made here, each with a lattice and numbers of its own, which do not compress; nothing is computed from the
structures. Each statement is a program from start to end. A run that was killed goes on where it was when the same `--work` is given. The
last lines say what a billion rows take at these rates, without the start of the program.
"""

import json
import os
import subprocess
import time

from common import HOLLANDITE, arguments, crystals, rows, run, workplace

#: Crystals that are copied.
BASE = 500
#: What each copy has: its number, and a fraction of its own from a product modulo a prime.
NUMBERED = """
SELECT t.*, s.value AS copy, s.value * {base} + CAST(split_part(t.id, '-', 2) AS BIGINT) AS n
FROM tmo t CROSS JOIN generate_series({first}, {last}) s
"""
COPY = """
SELECT concat(id, '-', copy) AS id, formula, chemsys, elements, natoms,
       named_struct('lattice', make_array(structure['lattice'][1] * ({0}), 0.0, 0.0, 0.0, structure['lattice'][5] * ({0}), 0.0, 0.0, 0.0,
                                          structure['lattice'][9] * ({0})),
                    'numbers', structure['numbers'], 'frac_coords', structure['frac_coords']) AS structure,
       volume * ({1}) AS volume, {2} AS void, -4.0 * {3} AS formation_energy_per_atom, 10.0 * {4} AS band_gap
FROM ({numbered})
"""
READ = {
    "nothing": "SELECT 1",
    "count": "SELECT count(*) FROM big",
    "one filter, mean": "SELECT count(*), avg(void) FROM big WHERE void > 0.9",
    "three filters, aggregates": "SELECT count(*), min(formation_energy_per_atom) FROM big WHERE void > 0.6 AND band_gap BETWEEN 1 AND 3 "
    "AND formation_energy_per_atom < -2",
    "group by chemical system": "SELECT chemsys, count(*), avg(void) FROM big GROUP BY chemsys ORDER BY chemsys",
    "one chemical system": "SELECT count(*), avg(void) FROM big WHERE chemsys = 'O-Ti'",
    "top 20 with their crystals": "SELECT id, void, structure FROM big WHERE chemsys = 'O-Ti' ORDER BY void DESC LIMIT 20",
    "one id": "SELECT id, void FROM big WHERE id = 'c-7-{middle}'",
    "inside structures": "SELECT count(*) FROM big WHERE array_has(structure['numbers'], 22)",
}
WRITE = {
    "INSERT of 10 000 rows": "INSERT INTO big SELECT * FROM big WHERE id LIKE 'c-7-%' LIMIT 10000",
    "UPDATE of one row": "UPDATE big SET void = 0.5 WHERE id = 'c-7-{middle}'",
    "DELETE of a thousandth": "DELETE FROM big WHERE void > 0.999",
}


def by_metal(path):
    """A file of crystals with those of a chemical system together: their copies lie together too, which is what a scan can skip."""
    lines = path.read_text().splitlines()
    path.write_text("".join(line + "\n" for line in sorted(lines, key=lambda line: json.loads(line)["species"][0])))
    return path


def copies(first, last):
    """The query of the copies from `first` to `last`."""
    fraction = lambda factor: f"(n * {factor} % 999999937) / 999999937.0"
    numbers = [fraction(factor) for factor in (104729, 15485863, 32452843, 49979687, 67867967)]
    return COPY.format(*(f"0.9 + 0.2 * {number}" for number in numbers[:2]), *numbers[2:], numbered=NUMBERED.format(base=BASE, first=first, last=last))


def measured(store, statement):
    """Wall seconds, CPU seconds and the highest resident memory in MB of a statement."""
    begun = time.time()
    child = subprocess.Popen([HOLLANDITE, "--store", str(store), "sql", "--format", "csv", statement], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{statement}: exit status {status}")
    return time.time() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Notes:
    """What was measured so far, in a file that a later run reads."""

    def __init__(self, path, asked):
        self.path = path
        self.said = json.loads(path.read_text()) if path.exists() else {"asked": asked, "commits": [], "statements": {}}
        if self.said["asked"] != asked:
            raise SystemExit(f"{path.parent} has a run of {self.said['asked']}; give the same numbers, or another folder")

    def write(self):
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.said))
        draft.replace(self.path)


def fill(store, notes, commits):
    """Commits what is not in the table yet."""
    tables = {row["table_name"] for row in rows(store, "SELECT table_name FROM information_schema.tables")}
    there = int(rows(store, "SELECT count(*) AS n FROM big")[0]["n"]) if "big" in tables else 0
    done = notes.said["commits"]
    for first, last in commits[len(done) :]:
        if there >= last * BASE:
            # It was committed, and the script was killed before it said so.
            done.append(None)
        else:
            how = "INSERT INTO big" if first > 1 else "CREATE TABLE big AS"
            done.append(measured(store, how + copies(first, last)))
        notes.write()


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--each", type=int, default=1_000_000, help="rows of one commit")
    args = parser.parse_args()
    folder = workplace(args.work)
    store = folder / "scale"
    notes = Notes(folder / "scale.json", {"rows": args.rows, "each": args.each})
    if not store.exists():
        run(store, "init")
    run(store, "import", by_metal(crystals(folder / "base.jsonl", "c", BASE)))
    count, each = args.rows // BASE, args.each // BASE
    commits = [(first, min(first + each - 1, count)) for first in range(1, count + 1, each)]
    total = count * BASE
    print(f"{total} rows in {len(commits)} commits; load {os.getloadavg()[0]:.1f}", flush=True)
    if len(notes.said["commits"]) < len(commits):
        fill(store, notes, commits)
    known = [(last - first + 1, *figures) for (first, last), figures in zip(commits, notes.said["commits"]) if figures]
    written, wall, cpu = (sum(commit[i] for commit in known) for i in range(3))
    if "bytes" not in notes.said:
        files = [file.stat().st_size for file in (store / "data" / "main" / "big").glob("*.parquet")]
        notes.said |= {"bytes": sum(files), "files": len(files), "catalog": (store / "catalog.sqlite").stat().st_size}
        notes.write()
    size = notes.said["bytes"]
    print(
        f"write: {written * BASE / wall:.0f} rows/s ({wall:.0f} s, {cpu:.0f} s CPU), {size / total:.0f} bytes a row in {notes.said['files']} files, "
        f"first commit {known[0][1]:.1f} s, last {known[-1][1]:.1f} s, {max(commit[3] for commit in known):.0f} MB at most; "
        f"catalog {notes.said['catalog'] / 1e6:.1f} MB",
        flush=True,
    )
    statements = notes.said["statements"]
    for name, statement in {**READ, **WRITE}.items():
        if name not in statements:
            statements[name] = measured(store, statement.format(middle=count // 2))
            notes.write()
        w, c, m = statements[name]
        print(f"{name}: {w:.2f} s, {c:.2f} s CPU, {m:.0f} MB", flush=True)
    print(f"rows at the end: {rows(store, READ['count'])[0]['count(*)']}")
    billion = 1e9 / total
    print(f"a billion rows at these rates: {size * billion / 1e9:.0f} GB, written in {wall / written / BASE * 1e9 / 3600:.1f} h")
    start = statements.pop("nothing")[0]
    for name in list(READ)[1:]:
        print(f"  {name}: {max(0.0, statements[name][0] - start) * billion:.0f} s")


if __name__ == "__main__":
    main()
