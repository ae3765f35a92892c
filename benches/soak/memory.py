"""The resident memory of one shell that is asked query after query.

After a tenth of the time the shell has seen every kind of query; from there on its memory may not grow by more than a tenth, however
many files its UPDATEs make.
"""

import subprocess
import sys
import time

from common import HOLLANDITE, arguments, crystals, run, workplace

QUERIES = [
    "SELECT count(*) FROM tmo;",
    "SELECT id, density(structure), void(structure, 'ionic', 0.76) FROM tmo ORDER BY 2 LIMIT 10;",
    "SELECT spacegroup(structure), count(*) FROM tmo GROUP BY 1;",
    "SELECT max(predict_ef(structure, 'cgcnn')) FROM tmo;",
    "SELECT a.id FROM tmo a JOIN tmo b ON a.spacegroup = b.spacegroup AND a.id < b.id WHERE a.volume < b.volume LIMIT 5;",
    "UPDATE tmo SET band_gap = band_gap + 1.0 WHERE id = 'base-7';",
    "SELECT density('no crystal');",
]


def resident(pid):
    """Megabytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    args = parser.parse_args()
    folder = workplace(args.work)
    store = folder / "memory"
    run(store, "init")
    run(store, "import", crystals(folder / "base.jsonl", "base", 500))
    command = [HOLLANDITE, "--store", str(store), "shell", "--format", "csv"]
    shell = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    begun, asked, course = time.time(), 0, []
    while (passed := time.time() - begun) < 60 * args.minutes:
        for query in QUERIES:
            shell.stdin.write(query + "\n")
        # The answer to the last query says that the ones before it are done.
        shell.stdin.write(f"SELECT 'turn {asked}' AS turn;\n")
        shell.stdin.flush()
        for line in shell.stdout:
            if line.strip() == f"turn {asked}":
                break
        else:
            sys.exit("the shell ended")
        asked += len(QUERIES)
        course.append((passed, resident(shell.pid)))
    shell.stdin.close()
    shell.wait()
    settled = [m for t, m in course if t > 6 * args.minutes]
    first, last = settled[: len(settled) // 10 + 1], settled[-(len(settled) // 10 + 1) :]
    mean = lambda x: sum(x) / len(x)
    made = len(list(store.glob("data/**/*.parquet")))
    print(f"{asked} queries in {args.minutes:g} minutes: {mean(first):.0f} MB at first, {mean(last):.0f} MB at last, {max(m for _, m in course):.0f} MB at most; {made} Parquet files were made")
    sys.exit(1 if mean(last) > 1.1 * mean(first) else 0)


if __name__ == "__main__":
    main()
