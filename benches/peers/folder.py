"""The tasks that queries/python.md shows on both sides, as they stand there: each block is run by a Python of its own, from its start to
its end, in a folder with the CIFs and the database of ASE that it reads. The wheel and the peers are installed where this runs.

Lines are those of the blocks, without comments and blank ones. Sizes are those of the packages with all that they require. A side that
cannot be run here is said, and has no row.
"""

import importlib.metadata
import re
import shutil
import statistics
import subprocess
import sys

from common import REPOSITORY, Table, arguments, crystals, fresh, machine, run


def blocks():
    """Task, side, packages and code."""
    guide = (REPOSITORY / "queries/python.md").read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        if match := re.match(r"# (there|here), ([^:\n]*)(?:: (.*))?\n", code):
            packages = re.findall(r"\w+", (match[3] or "hollandite").replace(" and ", " "))
            yield match[2], match[1], packages, code


def lines(code):
    return sum(1 for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def megabytes(packages):
    """What packages and all that they require take on the disk."""
    seen, asked, size = set(), [re.sub(r"[-_.]+", "-", name).lower() for name in packages], 0
    while asked:
        name = asked.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        size += sum(path.stat().st_size for file in package.files or [] if (path := package.locate_file(file)).is_file())
        needed = [one for one in package.requires or [] if "extra ==" not in one]
        asked += [re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", one)[0]).lower() for one in needed]
    return size / 1e6


def folder(n):
    """A folder with the CIFs and the database of n real oxides."""
    import ase.db

    import hollandite

    path = fresh("folder")
    rows = list(crystals("tmo.jsonl.gz"))
    rows = rows[:: max(len(rows) // n, 1)][:n]
    (path / "cifs").mkdir()
    with ase.db.connect(path / "oxides.db") as database:
        for row in rows:
            crystal = hollandite.Crystal(row["lattice"], row["species"], row["frac_coords"])
            (path / "cifs" / f"{row['id']}.cif").write_text(crystal.to_cif(row["id"]), encoding="utf-8")
            database.write(crystal.to_ase(), label=row["id"])
    return path


def imports(path, n, rounds, table):
    """Imports of the folder alone: milliseconds a crystal, and crystals a second."""
    import hollandite

    seconds = []
    for _ in range(rounds):
        with hollandite.connect(fresh("folder-store"), create=True) as store:
            said = store.import_files(path / "cifs", into="oxides")
            assert said.added == n, said
            seconds.append(said.seconds)
            table.add("import, a crystal", "here", (said.seconds, None), n)
    print(f"import: {n / statistics.median(seconds):.0f} crystals a second")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=500)
    args = parser.parse_args()
    path = folder(args.crystals)
    seconds, milliseconds = Table("s", 1.0), Table("ms", 1000)
    machine()
    # Ours first: the others are divided by it.
    tasks = sorted(blocks(), key=lambda block: block[1])
    for task, side, packages, code in tasks:
        probe = subprocess.run([sys.executable, "-c", "import " + ", ".join(packages)], capture_output=True, text=True)
        if probe.returncode:
            print(f"{task}, {side}: not run: {probe.stderr.strip().splitlines()[-1]}")
            continue
        print(f"{task}, {side}: {lines(code)} lines, {megabytes(packages):.0f} MB")
        for _ in range(args.rounds):
            # What an earlier round left is not there.
            for store in ("screening", "from-ase", "magpie"):
                shutil.rmtree(path / store, ignore_errors=True)
            seconds.add(task, side, run([sys.executable, "-c", code], cwd=path)[0])
    imports(path, args.crystals, args.rounds, milliseconds)
    machine()
    seconds.print()
    milliseconds.print()


if __name__ == "__main__":
    main()
