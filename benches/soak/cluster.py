"""A cluster of processes on this machine beside the program alone: the same rows, each crystal asked once, executors killed, and the seconds.

The program must be built with the feature `cluster`. One command makes the crystals, starts scheduler and executors, and prints every figure:

    cargo build --release --features cluster
    python3 benches/soak/cluster.py --chgnet chgnet-0.4.2-*.whl

The wheel is that of CHGNet from PyPI, for the relaxations and the last steps of the funnel.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from common import HOLLANDITE, REPOSITORY, arguments, crystals, run, workplace

#: Nothing is remembered, so that there is work each time.
FRESH = "SET hollandite.cache = false; "
#: What must be row for row the same. A list of rows without an order is compared sorted.
QUERIES = {
    "the screening": "SELECT id, formula, predict_ef(structure, 'cgcnn') AS ef FROM tmo WHERE void > 0.5 ORDER BY ef, id LIMIT 20",
    "aggregate by chemical system": "SELECT chemsys, count(*) AS n, round(avg(predict_ef(structure, 'cgcnn')), 6) AS ef, max(void) AS room "
    "FROM tmo GROUP BY chemsys ORDER BY chemsys",
    "join with predictions": "SELECT t.id, t.void, p.value, p.upper FROM tmo t JOIN predictions p ON p.id = t.id "
    "WHERE p.table_name = 'tmo' AND predict_ef(t.structure, 'cgcnn') < -1",
    "funnel": (REPOSITORY / "queries" / "funnel.sql").read_text(),
    "relaxation": "SELECT id, relax(structure, 0.1, 20)['energy_per_atom'] AS energy, relax(structure, 0.1, 20)['steps'] AS steps FROM few",
}
#: What the seconds are measured with: a number that is computed, and one that a network predicts.
COSTLY = "SELECT count(*), round(avg(predict_ef(structure, 'cgcnn')), 6), round(avg(void(structure, 'ionic', 0.76)), 6) FROM tmo"


def port():
    """A free port whose next one is free too."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            found = one.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                two.bind(("127.0.0.1", found + 1))
                return found


def role(*words):
    """A process of the cluster, which has said where it is."""
    child = subprocess.Popen([HOLLANDITE, "cluster", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.readline().decode()
    if " at " not in said:
        raise SystemExit(f"hollandite cluster {words[0]}: {said.strip()}; was it built with --features cluster?")
    # Nobody reads the rest, and the pipe must not fill.
    subprocess.Popen(["cat"], stdin=child.stderr, stdout=subprocess.DEVNULL)
    return child


class Cluster:
    """A scheduler and executors, each of a number of cores."""

    def __init__(self, executors, cores=1):
        self.place, self.cores = f"127.0.0.1:{port()}", cores
        self.scheduler = role("scheduler", "--listen", self.place)
        self.executors = [self.executor() for _ in range(executors)]
        time.sleep(1)

    def executor(self):
        return role("executor", "--scheduler", self.place, "--listen", f"127.0.0.1:{port()}", "--cores", self.cores)

    def replace(self, number):
        """kill -9 of an executor; another takes its place."""
        self.executors[number].kill()
        self.executors[number].wait()
        self.executors[number] = self.executor()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in [*self.executors, self.scheduler]:
            child.kill()
            child.wait()


def ask(store, query, cluster=None):
    """The running program that answers a query."""
    where = ["--cluster", f"df://{cluster.place}"] if cluster else []
    line = [HOLLANDITE, "--store", str(store), "sql", *where, "--format", "csv", FRESH + query]
    return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(asked, query):
    """The rows, in the order that the query says."""
    out, told = asked.communicate()
    if asked.returncode:
        raise SystemExit(f"{query}: exit code {asked.returncode}\n{told}")
    lines = out.splitlines()
    return lines if "ORDER BY" in query else sorted(lines)


def timed(store, query, cluster=None):
    """Rows and seconds, the start of the program included."""
    began = time.time()
    rows = answer(ask(store, query, cluster), query)
    return rows, time.time() - began


def filled(folder, count):
    """A store with `count` crystals."""
    store = folder / f"store-{count}"
    if not store.exists():
        run(store, "init")
        run(store, "import", crystals(folder / "in.jsonl", "c", count))
    return store


def passes(store, cluster):
    """Crystals that the network was asked about, over all executors, and distinct ones in a join that names each several times."""
    query = "SELECT count(predict_ef(a.structure, 'cgcnn')) FROM tmo a, (SELECT id FROM tmo LIMIT 3) b"
    plan = "\n".join(answer(ask(store, f"EXPLAIN ANALYZE {query}", cluster), query))
    found = re.search(r"ClusterExec.*\bpredictions=(\d+)\b(?!\.)", plan)
    distinct = answer(ask(store, "SELECT count(DISTINCT structure_hash) FROM tmo"), query)[-1]
    return found.group(1) if found else "none", distinct


def equal(store, expected, cluster):
    """Compares every query; how many are unlike, and the seconds of each on the cluster."""
    bad, seconds = 0, {}
    for name, query in QUERIES.items():
        found, seconds[name] = timed(store, query, cluster)
        same = found == expected[name]
        bad += not same
        print(f"{name}: {len(found) - 1} rows in {seconds[name]:.1f} s, {'those of one machine' if same else 'OTHER ROWS'}", flush=True)
    return bad, seconds


def killed(store, expected, cluster, seconds, rounds):
    """Kills an executor in the middle of each query in turn; how many answers are unlike, or came before the kill."""
    bad = early = 0
    for number in range(rounds):
        name = list(QUERIES)[number % len(QUERIES)]
        asked = ask(store, QUERIES[name], cluster)
        time.sleep(seconds[name] * (number + 1) / (rounds + 1))
        early += asked.poll() is not None
        cluster.replace(number % len(cluster.executors))
        if answer(asked, QUERIES[name]) != expected[name]:
            bad += 1
            print(f"BAD {name}, killed in round {number}: other rows", flush=True)
    print(f"{rounds} kills, {early} of them after the answer; {bad} answers unlike", flush=True)
    return bad + (early > rounds // 2)


def measure(folder, counts):
    """Seconds of one executor beside the program alone, and of two executors of one thread beside one."""
    bad, cores = 0, os.cpu_count()
    for count in counts:
        store = filled(folder, count)
        alone, here = timed(store, COSTLY)
        with Cluster(1, cores) as cluster:
            far, there = timed(store, COSTLY, cluster)
        print(f"{count} crystals: alone {here:.1f} s, one executor of {cores} cores {there:.1f} s, ratio {there / here:.2f} (aim 1.3)", flush=True)
        bad += alone != far
    store, seconds = filled(folder, counts[-1]), []
    for executors in (1, 2):
        with Cluster(executors) as cluster:
            far, took = timed(store, COSTLY, cluster)
        seconds.append(took)
        bad += far != alone
    one, two = seconds
    print(f"{counts[-1]} crystals: one executor of one thread {one:.1f} s, two {two:.1f} s, gain {one / two:.2f} (aim 1.7)", flush=True)
    return bad


def main():
    parser = arguments(__doc__)
    parser.add_argument("--chgnet", type=Path, required=True, help="wheel of CHGNet")
    parser.add_argument("--crystals", type=int, default=900, help="crystals whose rows are compared")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--counts", default="10000,100000", help="crystals whose seconds are measured, by commas")
    parser.add_argument("--shards", type=int, default=16, help="shards into which the largest of these is divided; 0: none")
    args = parser.parse_args()
    if args.crystals > 999:
        parser.error("--crystals: at most 999, since the engine rounds larger counts")
    folder = workplace(args.work)
    counts = [int(count) for count in args.counts.split(",")]
    store = filled(folder, args.crystals)
    run(store, "models", "add", args.chgnet)
    run(store, "evaluate", "--model", "cgcnn")
    run(store, "sql", "--yes", "DROP TABLE IF EXISTS few; CREATE TABLE few AS SELECT id, structure FROM tmo ORDER BY id LIMIT 100")
    print(f"{args.crystals} crystals; load {os.getloadavg()[0]:.1f}", flush=True)
    expected = {name: answer(ask(store, query), query) for name, query in QUERIES.items()}
    with Cluster(2) as cluster:
        bad, seconds = equal(store, expected, cluster)
        asked, distinct = passes(store, cluster)
        print(f"asked of the network over all executors: {asked}; distinct crystals: {distinct}", flush=True)
        bad += asked != distinct
        bad += killed(store, expected, cluster, seconds, args.kills)
    print(run(store, "verify").stdout.strip(), flush=True)
    bad += measure(folder, counts)
    if args.shards:
        script = Path(__file__).resolve().parents[1] / "shards.py"
        line = [sys.executable, str(script), "--crystals", str(counts[-1]), "--shards", str(args.shards), "--jobs", "featurize", "--work", str(folder / "shards")]
        bad += subprocess.run(line).returncode != 0
    print("all as one machine has it" if not bad else f"{bad} BAD")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
