"""What the soak scripts share: the binary, crystals made here, one way to ask."""

import argparse
import csv
import io
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
HOLLANDITE = os.environ.get("HOLLANDITE", str(TARGET / "release" / "hollandite"))
METALS = ["Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Nb", "Mo", "W"]


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder for the stores [default: a temporary one]")
    return parser


def workplace(given):
    folder = Path(given) if given else Path(tempfile.mkdtemp(prefix="hollandite-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(store, *command, check=True, **options):
    """`hollandite --store STORE COMMAND`, its output as text."""
    done = subprocess.run(
        [HOLLANDITE, "--store", str(store), *map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
    )
    if check and done.returncode != 0:
        raise SystemExit(f"hollandite {' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    return done


def rows(store, query):
    """The rows of a query as dictionaries of text."""
    return list(csv.DictReader(io.StringIO(run(store, "sql", "--format", "csv", query).stdout)))


def rutile(id, metal, scale, energy, stretch=1.0):
    """One line of JSON: MO2 in the rutile structure, stretched along its tunnels."""
    a, c, x = 4.594 * scale, 2.959 * scale * stretch, 0.305
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [x, x, 0], [1 - x, 1 - x, 0], [0.5 - x, 0.5 + x, 0.5], [0.5 + x, 0.5 - x, 0.5]]
    return json.dumps(
        {
            "id": id,
            "lattice": [[a, 0, 0], [0, a, 0], [0, 0, c]],
            "species": [metal, metal, "O", "O", "O", "O"],
            "frac_coords": sites,
            "formation_energy_per_atom": energy,
            "band_gap": 1.0,
        }
    )


def crystals(path, prefix, count):
    """A file of `count` rutiles of unlike metals and sizes."""
    lines = [rutile(f"{prefix}-{i}", METALS[i % len(METALS)], 0.97 + 1e-4 * (i % 1000), -2.0 - 1e-6 * i, 1 + 1e-3 * (i // 1000)) for i in range(count)]
    Path(path).write_text("\n".join(lines) + "\n")
    return path


def copy(source, target):
    """A fresh copy of a store."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target
