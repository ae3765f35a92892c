"""One job in shards beside the same job in one run: the same table, and the seconds of both.

Makes crystals, computes a feature and a column of SQL over a copy of the store each, once as a whole and once in shards that run a few at a
time, merges them, and compares the tables row for row.
"""

import argparse
import concurrent.futures
import hashlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "soak"))
from common import arguments, copy, crystals, run, workplace  # noqa: E402


def digest(store, table, columns):
    """Rows of a table, and a digest of them in order."""
    text = run(store, "sql", "--format", "csv", f"SELECT {columns} FROM {table} ORDER BY id, structure_hash").stdout
    return text.count("\n") - 1, hashlib.sha256(text.encode()).hexdigest()


def timed(call, *args):
    began = time.time()
    result = call(*args)
    return result, time.time() - began


def main():
    parser: argparse.ArgumentParser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=10_000)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--jobs", default="featurize,compute,evaluate,enumerate", help="by commas")
    parser.add_argument("--at-once", type=int, default=1, help="shards that run at the same time")
    args = parser.parse_args()
    folder = workplace(args.work)
    one = folder / "one"
    run(one, "init")
    _, seconds = timed(run, one, "import", crystals(folder / "in.jsonl", "c", args.crystals))
    print(f"import of {args.crystals} crystals: {seconds:.1f} s")
    many = copy(one, folder / "many")
    jobs = {
        "featurize": (["featurize", "--features", "void(ionic,0.5),fingerprint"], "features", "*"),
        "compute": (["compute", "void(structure, 'vdw', 0.3) AS open", "predict_ef(structure) AS ef", "--into", "made"], "made", "*"),
        "evaluate": (["evaluate"], "predictions", "*"),
        "enumerate": (
            ["enumerate", "--prototypes", "SELECT id, structure FROM tmo ORDER BY id LIMIT 20", "--elements", "Ti,V,Cr,Mn,Fe,Zr,Nb,Mo,Sn,Ge,Hf,W,Ru,Ce",
             "--split", "4"], "candidates", "* EXCLUDE (structure)"),
    }  # fmt: skip
    bad = False
    for name in args.jobs.split(","):
        command, table, columns = jobs[name]
        _, whole = timed(run, one, *command)

        def shard(i):
            return timed(run, many, *command, "--shard", f"{i}/{args.shards}", "--run", name)[1]

        began = time.time()
        with concurrent.futures.ThreadPoolExecutor(args.at_once) as pool:
            each = list(pool.map(shard, range(1, args.shards + 1)))
        shards = time.time() - began
        said, merge = timed(run, many, "merge", name, "--remove")
        expected, found = digest(one, table, columns), digest(many, table, columns)
        same = expected == found
        bad |= not same
        print(
            f"{name}: {found[0]} rows; one run {whole:.1f} s; {args.shards} shards {shards:.1f} s, the longest {max(each):.1f} s; "
            f"merge {merge:.1f} s; {'the same table' if same else f'ANOTHER TABLE, {expected} and {found}'}",
            flush=True,
        )
    for store in (one, many):
        print(run(store, "verify").stdout.strip())
    sys.exit(bad)


if __name__ == "__main__":
    main()
