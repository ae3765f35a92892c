"""From nothing to the first answer: `install.py WHEEL`, and with --peers the packages that people do the same with.

Each round makes a virtual environment, installs into it, and asks the first query of queries/python.md as somebody who has never asked:
with an empty data folder, then once more. Nothing of pip's cache is used: ours needs no network, and the peers' seconds are mostly those
of the network, so that their CPU time and megabytes are what compares. --peers downloads gigabytes, once. Sizes are of what the
installation added to the environment.
"""

import os
import re
import sys
from pathlib import Path

from common import REPOSITORY, Table, arguments, fresh, machine, run

PEERS = ["pymatgen", "matminer", "matgl"]


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def installed(packages, side, table):
    """A new environment with packages: its Python."""
    folder = fresh(f"install-{side}")
    run([sys.executable, "-m", "venv", folder / "venv"])
    python, before = folder / "venv/bin/python", size(folder)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    table.add("pip install", side, run([*pip, *packages])[0])
    print(f"{side}: {size(folder) - before:.0f} MB installed")
    return folder, python


def ours(wheel, table):
    folder, python = installed([wheel], "hollandite", table)
    guide = (REPOSITORY / "queries/python.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", guide, re.DOTALL)[1]
    # Whatever store this machine has is not the one of somebody new.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HOLLANDITE_")}
    environment |= {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
    for task in ("the first answer", "the next answer"):
        seconds, said = run([python, "-c", code], cwd=folder, env=environment)
        assert len(said.splitlines()) == 23, said
        table.add(task, "hollandite", seconds)
    table.add("import", "hollandite", run([python, "-c", "import hollandite"], cwd=folder)[0])


def main():
    parser = arguments(__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--peers", action="store_true", help="install the peers too")
    args = parser.parse_args()
    table = Table("s", 1.0)
    machine()
    print(f"{args.wheel.name}: {args.wheel.stat().st_size / 1e6:.1f} MB")
    for _ in range(args.rounds):
        ours(args.wheel.resolve(), table)
    if args.peers:
        _, python = installed(PEERS, "peers", table)
        for turn in range(args.rounds + 1):
            seconds, _ = run([python, "-c", "import " + ", ".join(PEERS)])
            # The first one compiles what it imports.
            if turn:
                table.add("import", "peers", seconds)
    machine()
    table.print()


if __name__ == "__main__":
    main()
