"""Phase diagrams against pymatgen's PhaseDiagram, one thread: time to build the diagram of a chemical system, and to ask energy above
the hull and decomposition of a phase.

Real oxides with formation energies for labels, the elements at 0. A system's diagram has all oxides that are made of its elements alone,
and each of them is asked about. Both sides are processes that hold compositions and energies; every turn builds the diagrams
anew. Energies must agree to 1e-6 eV/atom. Where several phases lie on one facet the products are a matter of choice: how many
agree is printed. Ours is then asked about the whole set as one diagram, a hull of as many dimensions as elements to the peer, who is
left out.
"""

import json
import sys
import time

from common import CACHE, Lines, Table, arguments, crystals, machine, worker

# eV/atom.
AGREEMENT = 1e-6
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


def serve(workload):
    """The peer's side: answers as benches/peers/hull.rs does."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries greet on standard output
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Composition

    systems, diagrams = [], []
    with open(workload) as lines:
        for row in map(json.loads, lines):
            pairs = [(Composition(formula), energy) for formula, energy in row["phases"]]
            phases = [PDEntry(c, energy * c.num_atoms) for c, energy in pairs]
            elements = sorted({element for c, _ in pairs for element in c})
            systems.append((phases + [PDEntry(Composition({e: 1}), 0.0) for e in elements], row["asked"]))
    for line in sys.stdin:
        start, found = time.perf_counter(), []
        if line.strip() == "build":
            diagrams = [PhaseDiagram(entries) for entries, _ in systems]
        else:
            for diagram, (entries, asked) in zip(diagrams, systems):
                for k in asked:
                    parts, above = diagram.get_decomp_and_e_above_hull(entries[k])
                    found.append((above, [(p.composition.reduced_formula, x) for p, x in parts.items()]))
        answer = {"seconds": time.perf_counter() - start, "answers": found}
        print(json.dumps(answer, default=float), file=answers, flush=True)


def workloads(n):
    """n systems of the real set, evenly by number of elements and name; and the whole set as one."""
    paths = CACHE / f"hull-{n}.jsonl", CACHE / "hull-all.jsonl"
    if all(path.exists() for path in paths):
        return paths
    labelled = [r for r in crystals("tmo.jsonl.gz") if r["formation_energy_per_atom"] is not None]
    rows = [(frozenset(r["species"]), (r["formula"], r["formation_energy_per_atom"])) for r in labelled]
    names = sorted({system for system, _ in rows}, key=lambda system: (len(system), sorted(system)))
    chosen = names[len(names) // n // 2 :: len(names) // n][:n]
    systems = [[phase for elements, phase in rows if elements <= system] for system in chosen]
    CACHE.mkdir(parents=True, exist_ok=True)
    for path, groups in zip(paths, (systems, [[phase for _, phase in rows]])):
        lines = (json.dumps({"phases": phases, "asked": list(range(len(phases)))}) for phases in groups)
        path.write_text("\n".join(lines) + "\n")
    return paths


def compare(ours, peers):
    """The largest difference of energies, and how many have the same products."""
    from pymatgen.core import Composition

    def products(parts):
        return {Composition(formula).reduced_composition: x for formula, x in parts if x > 1e-6}

    worst, same = 0.0, 0
    for (above, parts), (other, others) in zip(ours, peers, strict=True):
        worst = max(worst, abs(above - other))
        a, b = products(parts), products(others)
        same += a.keys() == b.keys() and all(abs(a[k] - b[k]) < 1e-5 for k in a)
    return worst, same


def main():
    parser = arguments(__doc__)
    parser.add_argument("--systems", type=int, default=120)
    parser.add_argument("--serve", metavar="WORKLOAD", help="be the peer's side")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    path, whole = workloads(args.systems)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    asked, table = sum(len(row["asked"]) for row in rows), Table("ms", 1000)
    sides = {
        "hollandite": Lines([worker(args.profile), "hull", path], **SINGLE),
        "pymatgen": Lines([sys.executable, "-W", "ignore", __file__, "--serve", path], **SINGLE),
    }
    for turn in range(args.rounds + 1):
        both = {}
        for what, n, task in (("build", len(rows), "a diagram"), ("ask", asked, "a phase asked about")):
            answers = {}
            for side, process in sides.items():
                seconds, [line] = process.ask(what)
                answers[side] = json.loads(line)["answers"]
                both[side] = [a + b for a, b in zip(both.get(side, (0.0, 0.0)), seconds)]
                # The first turn warms up.
                if turn:
                    table.add(task, side, seconds, n)
        if turn:
            for side, seconds in both.items():
                table.add("both, a phase", side, seconds, asked)
        worst, same = compare(answers["hollandite"], answers["pymatgen"])
        if worst > AGREEMENT:
            sys.exit(f"energies above the hull differ by {worst:.1e} eV/atom")
    for process in sides.values():
        process.close()
    alone = Lines([worker(args.profile), "hull", whole], **SINGLE)
    for _ in range(args.rounds):
        build, _ = alone.ask("build")
        ask, [line] = alone.ask("ask")
        n = len(json.loads(line)["answers"])
        table.add(f"one diagram of all {n}, a phase", "hollandite", [a + b for a, b in zip(build, ask)], n)
    alone.close()
    print(
        f"{asked} phases asked about in {len(rows)} systems; energies differ by at most {worst:.1e} eV/atom, "
        f"{same} have the same products"
    )
    machine()
    table.print()


if __name__ == "__main__":
    main()
