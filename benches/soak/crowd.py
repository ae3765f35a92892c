"""Readers and writers of one store at once.

A writer imports a file of so many crystals under a source of its own, updates it, deletes it, in turn. A reader asks again and again
for sources that are not there in full: there must be none, and no query may fail. At the end the store must verify.
"""

import collections
import multiprocessing
import sys
import time

from common import arguments, crystals, rows, run, workplace

ROWS = 200
PARTIAL = (
    "SELECT source, count(*) AS n, count(DISTINCT band_gap) AS gaps FROM tmo WHERE source <> 'base' GROUP BY source "
    f"HAVING count(*) <> {ROWS} OR count(DISTINCT band_gap) <> 1"
)
READS = [
    PARTIAL,
    "SELECT count(*) AS n, avg(density(structure)) AS d FROM tmo WHERE natoms < 9",
    "SELECT spacegroup, count(*) AS n FROM tmo GROUP BY 1 ORDER BY 2 DESC",
    "SELECT id FROM tmo ORDER BY volume DESC LIMIT 5",
]


def write(store, folder, name, end, told):
    turn = 0
    while time.time() < end:
        turn += 1
        source = f"{name}-{turn}"
        path = crystals(folder / f"{name}.jsonl", source, ROWS)
        steps = [
            ["import", path, "--source", source],
            ["sql", f"UPDATE tmo SET band_gap = 2.0 WHERE source = '{source}'"],
            ["sql", f"DELETE FROM tmo WHERE source = '{source}'"],
        ]
        for step in steps if turn % 4 else steps[:2]:
            done = run(store, *step, check=False)
            told.put(("writes", None if done.returncode == 0 else f"{step[:2]}: {done.stderr.strip()[-300:]}"))


def read(store, seed, end, told):
    turn = seed
    while time.time() < end:
        query, turn = READS[turn % len(READS)], turn + 1
        done = run(store, "sql", "--format", "csv", query, check=False)
        lines = done.stdout.strip().splitlines()
        fault = None
        if done.returncode != 0:
            fault = f"{query}: {done.stderr.strip()[-300:]}"
        elif query == PARTIAL and len(lines) > 1:
            fault = f"a part of an import was seen: {lines[1:]}"
        told.put(("reads", fault))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--writers", type=int, default=2)
    args = parser.parse_args()
    folder = workplace(args.work)
    store = folder / "crowd"
    run(store, "init")
    run(store, "import", crystals(folder / "base.jsonl", "base", 1000), "--source", "base")
    end, told = time.time() + 60 * args.minutes, multiprocessing.Queue()
    crowd = [multiprocessing.Process(target=write, args=(store, folder, f"w{i}", end, told)) for i in range(args.writers)]
    crowd += [multiprocessing.Process(target=read, args=(store, i, end, told)) for i in range(args.readers)]
    for one in crowd:
        one.start()
    counts, faults = collections.Counter(), []
    while any(one.is_alive() for one in crowd) or not told.empty():
        try:
            kind, fault = told.get(timeout=1)
        except Exception:
            continue
        counts[kind] += 1
        if fault:
            faults.append(fault)
            print("BAD", fault, flush=True)
    verify = run(store, "verify", check=False)
    print(verify.stdout.strip())
    left = rows(store, "SELECT count(*) AS n, count(DISTINCT source) AS sources FROM tmo")[0]
    print(f"{counts['reads']} reads, {counts['writes']} writes, {len(faults)} bad; {left['n']} rows of {left['sources']} sources")
    sys.exit(1 if faults or verify.returncode else 0)


if __name__ == "__main__":
    main()
