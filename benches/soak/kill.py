"""kill -9 at the n-th system call that writes, for every kind of work that changes a store.

Each kind of work begins with a copy of one store and has a query that tells the state of all that it changes. The work is done once
undisturbed, under strace, which counts the calls. Then, round for round, it is begun on a fresh copy and killed on entry to its n-th
call (of some thread), n spread over all of them. Afterwards

- `verify` must find nothing wrong,
- the state must be one of whole statements: that before, that after, or one that the work itself commits on its way (lots of
  `featurize` and `evaluate`, calculations of `import-dft`: a part of the rows, each of them whole),
- the same work, done again, must end as it does undisturbed,
- and no file may be left that no snapshot names.
"""

import collections
import hashlib
import re
import shutil
import subprocess
import sys
import time

from common import HOLLANDITE, REPOSITORY, arguments, copy, crystals, rows, run, workplace

CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,ftruncate,mkdir,mkdirat,link,linkat"
TMO = "SELECT id, natoms, volume, band_gap FROM {}"


class Work:
    """A command that changes a store, and what it may leave behind."""

    def __init__(self, name, command, tables, part=False, again=True, base=None):
        self.name, self.command, self.tables, self.part, self.again, self.base = name, command, tables, part, again, base

    def state(self, store):
        """What the store holds, table by table; None for one that is not there."""
        listed = {row["table_name"] for row in rows(store, "SELECT table_name FROM information_schema.tables")}
        return tuple(self.of(store, table) if table in listed else None for table in self.tables)

    def of(self, store, table):
        """How many rows, and a digest of them."""
        found = sorted(tuple(row.values()) for row in rows(store, self.tables[table]))
        return len(found), hashlib.sha256(repr(found).encode()).hexdigest()[:12]


def works(folder):
    """Every kind of work, with the store that it begins with."""
    base = folder / "base"
    shutil.rmtree(base, ignore_errors=True)
    run(base, "init")
    run(base, "import", crystals(folder / "base.jsonl", "base", 400))
    more = crystals(folder / "more.jsonl", "more", 400)
    # A table with so many small files that the next writer merges them.
    crowded = copy(base, folder / "crowded")
    inserts = [f"INSERT INTO small VALUES ({i});" for i in range(33)]
    run(crowded, "sql", "CREATE TABLE small (a BIGINT);" + "".join(inserts[:20] + ["DELETE FROM small WHERE a = 7;"] + inserts[20:]))
    state = {"tmo": TMO.format("tmo")}
    made = {"made": TMO.format("made")}
    train = ["train", "--model", "cgcnn", "--epochs", "2", "--hidden", "16", "--layers", "1", "--threads", "1", "--name", "soak"]
    kinds = [
        Work("import", ["import", more], state),
        Work("create", ["sql", "CREATE TABLE made AS SELECT * FROM tmo WHERE void > 0.0"], made, again=False),
        Work("insert", ["sql", "INSERT INTO tmo SELECT * FROM tmo WHERE id LIKE '%7'"], state, again=False),
        Work("delete", ["sql", "DELETE FROM tmo WHERE id LIKE '%3'"], state),
        Work("update", ["sql", "UPDATE tmo SET band_gap = band_gap + 1.0 WHERE id LIKE '%5'"], state, again=False),
        Work("merge", ["sql", "INSERT INTO small VALUES (100)"], {"small": "SELECT a FROM small"}, again=False, base=crowded),
        Work("featurize", ["featurize", "--features", "density,fingerprint", "--commit-every", "100"], {"features": "SELECT * FROM features"}, part=True),
        Work("evaluate", ["evaluate", "--model", "cgcnn"], {"predictions": "SELECT id, value, lower, upper, reason FROM predictions"}, part=True),
        Work("enumerate", ["enumerate", "--prototypes", "SELECT id, structure FROM tmo ORDER BY id LIMIT 2", "--elements", "Ti,V,Cr,Mn,Zr,Sn",
                           "--split", "4", "--limit", "40"], {"candidates": TMO.format("candidates")}),
        Work("import-dft", ["import-dft", REPOSITORY / "fixtures" / "vasp" / "insertion"],
             {"adsorption": "SELECT host, ion, n, adsorption_potential, voltage FROM adsorption"}),
        Work("train", [*train, "--out", "{store}/../model"], {"models": "SELECT name FROM models"}),
    ]
    return base, kinds


def strace(store, work, *options):
    """The work under strace; its exit code."""
    command = [str(word).replace("{store}", str(store)) for word in work.command]
    line = ["strace", "-f", "-qq", "-o", *options, HOLLANDITE, "--store", str(store), *command]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done


def calls(log):
    """The most calls that one thread makes: `when=n` counts by thread."""
    counts = collections.Counter(re.match(r"\d+", line).group() for line in log.read_text().splitlines() if "(" in line and "resumed" not in line)
    return max(counts.values()), sum(counts.values())


def is_part(work, before, state, after):
    """Whether the state is a part of the work: of each table, rows between those before and those after."""
    if not work.part:
        return False
    count = lambda found: 0 if found is None else found[0]
    return all(count(b) <= count(s) <= count(a) for b, s, a in zip(before, state, after))


def soak(base, work, rounds, folder):
    """Kills the work `rounds` times; what went wrong."""
    store, log = folder / "store", folder / "calls"
    copy(base, store)
    before = work.state(store)
    whole = strace(store, work, str(log), "-e", f"trace={CALLS}")
    if whole.returncode != 0:
        print(f"{work.name}: undisturbed it ends with exit code {whole.returncode}: {whole.stderr.strip()}")
        return 0, ["undisturbed"]
    after = work.state(store)
    most, total = calls(log)
    step = max(1.0, most / rounds)
    bad, seen, began, n, done = [], collections.Counter(), time.time(), 1.0, 0
    while done < rounds:
        # Past the last call the work ends as if undisturbed; then again from the first: threads differ from run to run.
        at, n, done = int(n), (n + step if n <= most else 1.0), done + 1
        shutil.rmtree(folder / "model", ignore_errors=True)
        copy(base, store)
        killed = strace(store, work, "/dev/null", "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=KILL:when={at}")
        ended = killed.returncode == 0
        faults = examine(work, store, before, after, ended, seen)
        bad += [f"{work.name} killed at call {at}: {fault}" for fault in faults]
        for fault in faults:
            print(f"BAD {work.name} killed at call {at}: {fault}", flush=True)
    states = ", ".join(f"{n} {name}" for name, n in sorted(seen.items()))
    print(f"{work.name}: {done} rounds over {most} calls of a thread ({total} in all), {len(bad)} bad; {states}; {time.time() - began:.0f} s", flush=True)
    return done, bad


def examine(work, store, before, after, ended, seen):
    """What is wrong with a store after a kill."""
    verify = run(store, "verify", check=False)
    if verify.returncode != 0:
        return [f"verify: {verify.stdout.strip()} {verify.stderr.strip()}"]
    try:
        state = work.state(store)
    except SystemExit as fault:
        return [f"a table cannot be read: {fault}"]
    whole = "after" if state == after else "before" if state == before else "part" if is_part(work, before, state, after) else None
    seen["ended" if ended else whole or "BAD"] += 1
    faults = [] if whole else [f"state {state}, neither {before} nor {after}"]
    if ended and whole != "after":
        faults.append(f"it said that it was done, and left {state}")
    # The same again ends as it does undisturbed; a statement that is not idempotent is only done again where it was not done.
    if work.again or whole == "before":
        command = [str(word).replace("{store}", str(store)) for word in work.command]
        again = run(store, *command, check=False)
        if again.returncode != 0:
            faults.append(f"done again it fails: {again.stderr.strip()[-300:]}")
        elif (state := work.state(store)) != after:
            faults.append(f"done again it ends with {state}, undisturbed with {after}")
        elif "leftover" in (said := run(store, "verify", check=False).stdout):
            faults.append(f"files are left behind the next writer: {said.strip()}")
    return faults


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=1000, help="rounds in all, divided among the kinds of work")
    parser.add_argument("--only", help="kinds of work, by commas")
    args = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("strace is needed")
    folder = workplace(args.work)
    base, kinds = works(folder)
    kinds = [work for work in kinds if not args.only or work.name in args.only.split(",")]
    done, bad = 0, []
    for work in kinds:
        rounds, faults = soak(work.base or base, work, -(-args.rounds // len(kinds)), folder)
        done, bad = done + rounds, bad + faults
    print(f"{done} rounds, {len(bad)} bad")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
