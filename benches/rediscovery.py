"""Hides known tunnel oxides and looks whether `hollandite enumerate` makes them again from the rest, and where a screening ranks them.

    python3 benches/rediscovery.py --hollandite target/debug/hollandite --data tmo.jsonl.gz --work /tmp/rediscovery

The data are JSON lines as `hollandite import` reads them, with `seed_split`. Hidden are oxides of the test split, which the models of the
program were never fitted to, and with each every row that is the same structure. A hidden oxide is found where a candidate has its
formula and the label of its structure type; how many of these `same_structure` confirms is told beside it. The rank is by the energy
above the hull of what is left, by prediction, among all candidates that pass the cheap steps.
"""

import argparse
import gzip
import json
import random
import subprocess
import sys
import time
from pathlib import Path

CATIONS = (
    "Li,Na,K,Rb,Cs,Be,Mg,Ca,Sr,Ba,Sc,Y,La,Ce,Pr,Nd,Sm,Eu,Gd,Tb,Dy,Ho,Er,Tm,Yb,Lu,Ti,Zr,Hf,V,Nb,Ta,Cr,Mo,W,Mn,Fe,Ru,Co,Rh,Ir,Ni,Pd,Pt,"
    "Cu,Ag,Zn,Cd,Hg,B,Al,Ga,In,Tl,Si,Ge,Sn,Pb,P,As,Sb,Bi,S,Se,Te"
)
OPEN = "void > 0.5 AND natoms <= 40"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hollandite", required=True)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--hide", type=int, default=50)
    parser.add_argument("--ion", default="Mg", help="ion that the tunnels let pass")
    parser.add_argument("--radius-change", default="0.2")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)

    def run(store, *command):
        begun = time.time()
        done = subprocess.run([args.hollandite, "--store", str(args.work / store), *command], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"hollandite {command[0]}: {done.stderr}")
        return done.stdout, time.time() - begun

    def rows(store, query):
        lines = run(store, "sql", query, "--format", "jsonl")[0].splitlines()
        return [json.loads(line) for line in lines]

    everything, rest = "all", "rest"
    if not (args.work / everything).exists():
        run(everything, "init")
        run(everything, "import", str(args.data))
    tunnels = rows(
        everything,
        f"SELECT id FROM tmo WHERE split = 'test' AND {OPEN} AND nelements <= 4 AND is_charge_neutral(formula) "
        f"AND ion_passes(structure, '{args.ion}') ORDER BY id",
    )
    hidden = random.Random(args.seed).sample([row["id"] for row in tunnels], args.hide)
    listed = ", ".join(f"'{name}'" for name in hidden)
    twins = rows(
        everything,
        "SELECT DISTINCT t.id FROM tmo h JOIN tmo t ON h.formula = t.formula "
        f"WHERE h.id IN ({listed}) AND (h.id = t.id OR prototype(h.structure) = prototype(t.structure) "
        "OR same_structure(h.structure, t.structure))",
    )
    gone = {row["id"] for row in twins}
    print(f"{len(tunnels)} tunnel oxides in the test split; {len(hidden)} hidden, with {len(gone) - len(hidden)} rows of the same structure")

    left, taken = args.work / "rest.jsonl", args.work / "hidden.jsonl"
    with gzip.open(args.data, "rt") as lines, left.open("w") as kept, taken.open("w") as out:
        for line in lines:
            name = json.loads(line)["id"]
            if name in hidden:
                out.write(line)
            if name not in gone:
                kept.write(line)
    run(rest, "init")
    run(rest, "import", str(left))
    run(rest, "import", str(taken), "--into", "hidden")
    text, seconds = run(
        rest,
        "enumerate",
        "--prototypes",
        f"SELECT id, structure FROM tmo WHERE {OPEN} AND nelements <= 4 ORDER BY id",
        "--elements",
        CATIONS,
        "--radius-change",
        args.radius_change,
    )
    print(f"{text}enumerated in {seconds:.0f} s")

    found = rows(
        rest,
        "SELECT h.id AS hidden, h.formula, min(c.id) AS candidate, bool_or(same_structure(h.structure, c.structure)) AS same "
        "FROM hidden h JOIN candidates c ON h.formula = c.formula WHERE prototype(h.structure) = c.prototype GROUP BY h.id, h.formula",
    )
    again = sum(row["same"] for row in found)
    print(f"found again: {len(found)} of {len(hidden)}, {again} of them the same structure by same_structure")
    types = rows(
        rest,
        "SELECT count(DISTINCT h.id) AS n FROM hidden h JOIN (SELECT DISTINCT prototype(structure) AS p FROM tmo "
        f"WHERE {OPEN} AND nelements <= 4) t ON prototype(h.structure) = t.p",
    )
    print(f"of the hidden, {types[0]['n']} are of a structure type that the rest has: no more can be found")

    begun = time.time()
    run(
        rest,
        "sql",
        "CREATE TABLE ranked AS WITH known AS (SELECT phase_diagram(formula, coalesce(formation_energy_per_atom, "
        "predict_ef(structure))) AS hull FROM tmo) SELECT c.id, c.formula, c.prototype, "
        "e_above_hull(hull, c.formula, predict_ef(c.structure)) AS above FROM candidates c, known "
        f"WHERE electronegativity_balanced(c.formula) AND {OPEN} AND ion_passes(c.structure, '{args.ion}')",
    )
    print(f"asked the model and the hull in {time.time() - begun:.0f} s")
    ranks = rows(
        rest,
        "WITH r AS (SELECT *, rank() OVER (ORDER BY above) AS place, rank() OVER (PARTITION BY formula ORDER BY above) AS of_formula, "
        "count(*) OVER (PARTITION BY formula) AS formulas, count(*) OVER () AS total FROM ranked) "
        "SELECT h.id, h.formula, r.id AS candidate, r.above, r.place, r.total, r.of_formula, r.formulas, h.formation_energy_per_atom AS dft, "
        "predict_ef(h.structure) AS predicted FROM r JOIN hidden h ON h.formula = r.formula "
        "WHERE prototype(h.structure) = r.prototype ORDER BY place",
    )
    for row in ranks:
        share = 100 * row["place"] / row["total"]
        print(
            f"  {row['formula']:<14} {row['id']:<12} {row['above']:+.3f} eV/atom above the hull, place {row['place']} of {row['total']} "
            f"(best {share:.1f} %), {row['of_formula']} of {row['formulas']} of its formula, as {row['candidate']}"
        )
    near = sum(row["above"] < 0.1 for row in ranks)
    share = rows(rest, "SELECT avg(CASE WHEN above < 0.1 THEN 1.0 ELSE 0.0 END) AS share FROM ranked")[0]["share"]
    print(f"{near} of {len(ranks)} that reach the hull lie less than 0.1 eV/atom above it; of all candidates there {100 * share:.1f} %")


if __name__ == "__main__":
    main()
