"""Hides known tunnel oxides and looks whether `hollandite enumerate` makes them again from the rest, and where a screening ranks them.

    python3 benches/rediscovery.py --hollandite target/debug/hollandite --data tmo.jsonl.gz --work /tmp/rediscovery

The data are JSON lines as `hollandite import` reads them, with `seed_split`. Hidden are oxides of the test split, which the models of the
program were never fitted to, and with each every row that is the same structure. A hidden oxide is found where a candidate has its
formula and the label of its structure type; how many of these `same_structure` confirms is told beside it. The rank is by the energy
above the hull of what is left, by prediction, among every 256th candidate that passes the cheap steps, and among those of one formula.
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
    parser.add_argument("--others", type=Path, help="labelled crystals without a transition metal or oxygen, for the hull")
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--hide", type=int, default=50)
    parser.add_argument("--ion", default="Mg", help="ion that the tunnels let pass")
    parser.add_argument("--radius-change", default="0.4")
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

    tunnel = f"{OPEN} AND nelements <= 4 AND ion_passes(structure, '{args.ion}')"
    labels = "SELECT formula, formation_energy_per_atom FROM"
    phases = f"({labels} tmo UNION ALL {labels} other)" if args.others else "tmo"
    everything, rest = "all", "rest"
    if not (args.work / everything).exists():
        run(everything, "init")
        run(everything, "import", str(args.data))
    tunnels = rows(
        everything,
        f"SELECT id FROM tmo WHERE split = 'test' AND {tunnel} AND is_charge_neutral(formula) ORDER BY id",
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
    if args.others:
        run(rest, "import", str(args.others), "--into", "other")
    text, seconds = run(
        rest,
        "enumerate",
        "--prototypes",
        f"SELECT id, structure FROM tmo WHERE {tunnel} ORDER BY id",
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
        "SELECT count(DISTINCT h.id) AS n, count(DISTINCT CASE WHEN same_prototype(h.structure, t.structure) THEN h.id END) AS alike "
        f"FROM hidden h JOIN (SELECT structure, prototype(structure) AS p FROM tmo WHERE {tunnel}) t ON prototype(h.structure) = t.p",
    )
    known = types[0]
    print(f"of the hidden, {known['n']} have the label of a structure type of the prototypes, {known['alike']} its arrangement: no more can be found")

    begun = time.time()
    of_formula = f"c.formula IN (SELECT formula FROM hidden) AND electronegativity_balanced(c.formula) AND {OPEN}"
    sampled = f"c.structure_hash LIKE '00%' AND electronegativity_balanced(c.formula) AND {OPEN} AND ion_passes(c.structure, '{args.ion}')"
    for table, condition in [("same_formula", of_formula), ("sampled", sampled)]:
        run(
            rest,
            "sql",
            f"CREATE TABLE {table} AS WITH known AS (SELECT phase_diagram(formula, formation_energy_per_atom) AS hull FROM {phases}) SELECT c.id, c.formula, c.prototype, "
            f"e_above_hull(hull, c.formula, predict_ef(c.structure)) AS above FROM candidates c, known WHERE {condition}",
        )
    print(f"asked the model and the hull in {time.time() - begun:.0f} s")
    total = rows(rest, "SELECT count(*) AS n, avg(CASE WHEN above < 0.1 THEN 1.0 ELSE 0.0 END) AS near FROM sampled")[0]
    print(f"of every 256th candidate, {total['n']} pass the cheap steps; {100 * total['near']:.1f} % of these lie less than 0.1 eV/atom above the hull")
    ranks = rows(
        rest,
        "WITH r AS (SELECT *, rank() OVER (PARTITION BY formula ORDER BY above) AS place, "
        "count(*) OVER (PARTITION BY formula) AS formulas FROM same_formula) "
        "SELECT h.id, h.formula, r.id AS candidate, r.above, r.place, r.formulas, same_structure(h.structure, c.structure) AS same "
        "FROM r JOIN hidden h ON h.formula = r.formula JOIN candidates c ON c.id = r.id "
        "WHERE prototype(h.structure) = r.prototype ORDER BY same DESC, above",
    )
    # Of each the candidate that is the same structure; where none is, the lowest of its type.
    first = {}
    for row in ranks:
        first.setdefault(row["id"], row)
    ranks = sorted(first.values(), key=lambda row: row["above"])
    sample = [row["above"] for row in rows(rest, "SELECT above FROM sampled")]
    for row in ranks:
        share = 100 * sum(above < row["above"] for above in sample) / len(sample)
        print(
            f"  {row['formula']:<14} {row['id']:<12} {row['above']:+.3f} eV/atom above the hull: {share:.1f} % of the sample lie lower; "
            f"{row['place']} of {row['formulas']} of its formula, as {row['candidate']}{'' if row['same'] else ' (not the same structure)'}"
        )
    near = sum(row["above"] < 0.1 for row in ranks)
    print(f"{near} of {len(ranks)} lie less than 0.1 eV/atom above it")


if __name__ == "__main__":
    main()
