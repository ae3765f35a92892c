"""MP2020 corrections by pymatgen, the reference of tests/parity/corrections.rs.

    python corrections.py golden                      > fixtures/golden/corrections.json
    python corrections.py real DATA.jsonl.gz.. [--every N] > fixtures/golden/corrections.tsv

`golden`: crystals of textbook structures, made here. `real`: every Nth crystal of each of the files with one JSON object a line (id, lattice,
species, frac_coords); columns id, run_type, correction in eV/atom, oxide type, the states that pymatgen guessed.
The run type is what the Materials Project takes: GGA+U where O or F is the most electronegative element and a metal has a U, else GGA.
"""

import argparse
import gzip
import itertools
import json
import sys
import warnings
from importlib.metadata import version

import numpy as np
from pymatgen.analysis.compatibility import MaterialsProject2020Compatibility
from pymatgen.core import Lattice, Structure
from pymatgen.core.entries import ComputedStructureEntry
from pymatgen.analysis.structure_analyzer import oxide_type

warnings.filterwarnings("ignore")
VERSION = version("pymatgen")
MP2020 = MaterialsProject2020Compatibility(check_potcar=False)


def corrected(structure):
    """run type, eV/atom, uncertainty, oxide type, parts and states of a crystal by pymatgen"""
    composition = structure.composition
    last = max((e for e in composition.elements if not np.isnan(e.X)), key=lambda e: e.X, default=None)
    table = MP2020.u_settings.get(last.symbol, {}) if last and len(composition) > 1 else {}
    hubbards = {e.symbol: table[e.symbol] for e in composition.elements if e.symbol in table}
    run_type = "GGA+U" if hubbards else "GGA"
    entry = ComputedStructureEntry(structure, 0.0, parameters={"run_type": run_type, "hubbards": hubbards})
    adjustments = MP2020.get_adjustments(entry)
    atoms = len(structure)
    total = sum(a.value for a in adjustments) / atoms
    uncertainty = sum(a.uncertainty**2 for a in adjustments) ** 0.5 / atoms
    parts = sorted([a.name.split("(")[-1].rstrip(")"), float(a.n_atoms)] for a in adjustments)
    states = {e: float(q) for e, q in sorted(entry.data.get("oxidation_states", {}).items())}
    return run_type, total, uncertainty, oxide_type(structure, 1.05), parts, states


def of(group, abc, species, coords, angles=(90, 90, 90)):
    """a crystal by its space group and the sites of its asymmetric unit"""
    abc = (abc, abc, abc) if isinstance(abc, (int, float)) else abc
    return Structure.from_spacegroup(group, Lattice.from_parameters(*abc, *angles), species, coords).get_primitive_structure()


def rocksalt(a, x, y):
    return of("Fm-3m", a, [x, y], [[0, 0, 0], [0.5, 0.5, 0.5]])


def zincblende(a, x, y):
    return of("F-43m", a, [x, y], [[0, 0, 0], [0.25, 0.25, 0.25]])


def fluorite(a, x, y):
    return of("Fm-3m", a, [x, y], [[0, 0, 0], [0.25, 0.25, 0.25]])


def rutile(a, c, u, x, y):
    return of("P4_2/mnm", (a, a, c), [x, y], [[0, 0, 0], [u, u, 0]])


def perovskite(a, x, y, z):
    return of("Pm-3m", a, [x, y, z], [[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0]])


def pyrite(a, u, x, y):
    return of("Pa-3", a, [x, y], [[0, 0, 0], [u, u, u]])


def molecule(box, cations, anion):
    """ions far apart in a box: Cartesian places"""
    names, places = zip(*(cations + anion))
    return Structure(Lattice.cubic(box), names, places, coords_are_cartesian=True)


def textbook():
    hexagonal = (90, 90, 120)
    layered = lambda x, a, c, zo, zh: of("P-3m1", (a, a, c), [x, "O", "H"], [[0, 0, 0], [1 / 3, 2 / 3, zo], [1 / 3, 2 / 3, zh]], hexagonal)
    tetrahedron = lambda x, y, d: [(x, [4, 4, 4])] + [
        (y, [4 + d * i / 3**0.5, 4 + d * j / 3**0.5, 4 + d * i * j / 3**0.5]) for i in (1, -1) for j in (1, -1)]
    yield "TiO2 rutile", rutile(4.594, 2.959, 0.305, "Ti", "O")
    yield "MgO", rocksalt(4.21, "Mg", "O")
    yield "Li2O", fluorite(4.62, "O", "Li")
    yield "NiO", rocksalt(4.18, "Ni", "O")
    yield "CoO", rocksalt(4.26, "Co", "O")
    yield "MnO2 rutile", rutile(4.40, 2.87, 0.305, "Mn", "O")
    yield "VO2 rutile", rutile(4.55, 2.85, 0.305, "V", "O")
    yield "CrO2", rutile(4.42, 2.92, 0.303, "Cr", "O")
    yield "MoO2 rutile", rutile(4.86, 2.80, 0.28, "Mo", "O")
    yield "WO3 cubic", of("Pm-3m", 3.78, ["W", "O"], [[0, 0, 0], [0.5, 0, 0]])
    yield "SrTiO3", perovskite(3.905, "Sr", "Ti", "O")
    yield "LaFeO3", perovskite(3.93, "La", "Fe", "O")
    yield "KMnF3", perovskite(4.19, "K", "Mn", "F")
    yield "FeF2", rutile(4.70, 3.31, 0.30, "Fe", "F")
    yield "VF3", of("Pm-3m", 3.94, ["V", "F"], [[0, 0, 0], [0.5, 0, 0]])
    yield "CaF2", fluorite(5.46, "Ca", "F")
    yield "TiOF2", Structure(Lattice.cubic(3.80), ["Ti", "O", "F", "F"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]])
    yield "FeOF", Structure(Lattice.tetragonal(4.65, 3.05), ["Fe", "Fe", "O", "O", "F", "F"],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.3, 0.3, 0], [0.2, 0.8, 0.5], [0.7, 0.7, 0], [0.8, 0.2, 0.5]])
    yield "BaO2 peroxide", of("I4/mmm", (3.81, 3.81, 6.84), ["Ba", "O"], [[0, 0, 0], [0, 0, 0.3926]])
    yield "Na2O2 peroxide", of("P-62m", (6.207, 6.207, 4.471), ["Na", "Na", "O", "O"],
        [[0.295, 0, 0], [0.632, 0, 0.5], [0, 0, 0.167], [1 / 3, 2 / 3, 0.333]], hexagonal)
    yield "KO2 superoxide", of("I4/mmm", (4.033, 4.033, 6.699), ["K", "O"], [[0, 0, 0], [0, 0, 0.405]])
    yield "NaO2 superoxide", pyrite(5.49, 0.43, "Na", "O")
    yield "KO3 ozonide", molecule(8, [("K", [0, 0, 0])], [("O", [4, 4, 4]), ("O", [5.13, 4.73, 4]), ("O", [2.87, 4.73, 4])])
    yield "Mg(OH)2", layered("Mg", 3.142, 4.766, 0.22, 0.42)
    yield "Ni(OH)2", layered("Ni", 3.12, 4.60, 0.24, 0.445)
    yield "NaH", rocksalt(4.88, "Na", "H")
    yield "MgH2", rutile(4.52, 3.02, 0.304, "Mg", "H")
    yield "NaBH4", molecule(8, [("Na", [0, 0, 0])], tetrahedron("B", "H", 1.21))
    yield "NH4Cl", molecule(8, [("Cl", [0, 0, 0])], tetrahedron("N", "H", 1.03))
    yield "CH4", molecule(8, [], tetrahedron("C", "H", 1.09))
    yield "NaCl", rocksalt(5.64, "Na", "Cl")
    yield "KBr", rocksalt(6.60, "K", "Br")
    yield "LiI", rocksalt(6.03, "Li", "I")
    yield "BiOCl", of("P4/nmm", (3.89, 3.89, 7.37), ["Bi", "O", "Cl"], [[0, 0.5, 0.17], [0, 0, 0], [0, 0.5, 0.645]])
    yield "NaClO4", molecule(8, [("Na", [0, 0, 0])], tetrahedron("Cl", "O", 1.44))
    yield "ZnS", zincblende(5.41, "Zn", "S")
    yield "FeS", rocksalt(5.1, "Fe", "S")
    yield "FeS2 pyrite", pyrite(5.42, 0.385, "Fe", "S")
    yield "Na2S2 polysulfide", molecule(9, [("Na", [0, 0, 3]), ("Na", [0, 3, 0])], [("S", [4, 4, 4]), ("S", [6.1, 4, 4])])
    yield "K2SO4 sulfate", molecule(9, [("K", [0, 0, 0]), ("K", [0, 4, 0])], tetrahedron("S", "O", 1.49))
    yield "La2O2S", of("P-3m1", (4.05, 4.05, 6.94), ["La", "O", "S"], [[1 / 3, 2 / 3, 0.28], [1 / 3, 2 / 3, 0.63], [0, 0, 0]], hexagonal)
    yield "MnSe", rocksalt(5.46, "Mn", "Se")
    yield "CdTe", zincblende(6.48, "Cd", "Te")
    yield "GaN zincblende", zincblende(4.50, "Ga", "N")
    yield "CrN", rocksalt(4.15, "Cr", "N")
    yield "Li3N", of("P6/mmm", (3.65, 3.65, 3.87), ["Li", "Li", "N"], [[0, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0]], hexagonal)
    yield "InSb", zincblende(6.48, "In", "Sb")
    yield "Mg2Si", fluorite(6.35, "Si", "Mg")
    yield "SiC", zincblende(4.36, "Si", "C")
    yield "Ni3Al", of("Pm-3m", 3.57, ["Al", "Ni"], [[0, 0, 0], [0.5, 0.5, 0]])
    yield "TiNiSn", of("F-43m", 5.92, ["Ti", "Sn", "Ni"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]])
    yield "LaFeAsO", of("P4/nmm", (4.03, 4.03, 8.74), ["La", "Fe", "As", "O"],
        [[0, 0.5, 0.142], [0, 0, 0.5], [0, 0.5, 0.651], [0, 0, 0]])
    yield "Fe", of("Im-3m", 2.87, ["Fe"], [[0, 0, 0]])
    yield "O2", molecule(8, [], [("O", [4, 4, 4]), ("O", [5.23, 4, 4])])


def golden():
    entries = []
    for name, s in textbook():
        run_type, total, uncertainty, kind, parts, states = corrected(s)
        crystal = [[round(x, 6) for x in s.lattice.matrix.flatten().tolist()], [e.symbol for e in s.species],
                   [round(x, 6) for x in s.frac_coords.flatten().tolist()]]
        # What is compared is computed from the very numbers that are written.
        s = Structure(Lattice(crystal[0]), crystal[1], np.array(crystal[2]).reshape(-1, 3))
        run_type, total, uncertainty, kind, parts, states = corrected(s)
        entries.append([name, *crystal, run_type, round(total, 9), round(uncertainty, 9), kind, parts, states])
    meta = {
        "peer": f"pymatgen {VERSION} MaterialsProject2020Compatibility",
        "origin": "computed for this project by benches/peers/corrections.py from textbook structures",
        "settings": "check_potcar=False; ComputedStructureEntry, strict_anions='require_bound'; states: pymatgen's guess",
    }
    columns = ["name", "lattice", "species", "frac_coords", "run_type", "correction", "uncertainty", "oxide_type", "parts", "states"]
    rows = ",\n".join(json.dumps(e) for e in entries)
    print(f'{{"meta":{json.dumps(meta, indent=1)},\n"columns":{json.dumps(columns)},\n"entries":[\n{rows}\n]}}')


def real(files, every):
    print(f"# MP2020 corrections of every {every}th crystal of the real set by pymatgen {VERSION}, eV/atom: benches/peers/corrections.py")
    print("id\trun_type\tcorrection\toxide_type\tstates")
    for file in files:
        with gzip.open(file, "rt") as lines:
            for line in itertools.islice(lines, every - 1, None, every):
                r = json.loads(line)
                s = Structure(Lattice(r["lattice"]), r["species"], r["frac_coords"])
                try:
                    run_type, total, _, kind, _, states = corrected(s)
                except Exception as error:  # a fault of the peer is a row too
                    print(r["id"], "error", "", type(error).__name__, "", sep="\t")
                    continue
                print(r["id"], run_type, f"{total:.9f}", kind, " ".join(f"{e}{q:+.4g}" for e, q in states.items()), sep="\t", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["golden", "real"])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    golden() if args.what == "golden" else real(args.files, args.every)
    sys.exit(0)
