"""CHGNet against chgnet on PyTorch: energies, energies with forces and stress, and steps of relaxations, time per crystal and step.

Both sides are processes that stay, with as many threads as told: RAYON_NUM_THREADS and torch.set_num_threads. Each turn begins with
crystals and ends with numbers, graphs included: what a relaxation pays at every step. The peer answers in batches of 16, its
default; its relaxation is its own (FIRE of ASE with a cell filter), one crystal after another. Energies must agree.
"""

import json
import sys
import time
from pathlib import Path

from common import CACHE, SHARED, Lines, Table, arguments, crystals, machine, need, worker

# f32, summed in another order; eV/atom.
AGREEMENT = 2e-5


def serve(workload, threads):
    """The peer's side: answers as benches/peers/potential.rs does."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries greet on standard output
    import torch

    torch.set_num_threads(threads)
    from chgnet.model import CHGNet, StructOptimizer
    from pymatgen.core import Structure

    net = CHGNet.load(use_device="cpu", verbose=False)
    optimizer = StructOptimizer(net, use_device="cpu")
    with open(workload) as lines:
        rows = [json.loads(line) for line in lines]
    structures = [Structure(r["lattice"], r["species"], r["frac_coords"]) for r in rows]
    for line in sys.stdin:
        what, *rest = line.split()
        start, steps = time.perf_counter(), 0
        if what == "relax":
            values = []
            for structure in structures:
                result = optimizer.relax(structure, fmax=1e-9, steps=int(rest[0]), relax_cell=True, verbose=False)
                values.append(float(result["trajectory"].energies[-1]))
                steps += len(result["trajectory"].energies) - 1
        else:
            found = net.predict_structure(structures, task="e" if what == "energies" else "efs")
            values = [float(f["e"]) * len(s) for f, s in zip(found, structures)]
        answer = {"seconds": time.perf_counter() - start, "values": values, "steps": steps}
        print(json.dumps(answer), file=answers, flush=True)


def workload(n, largest):
    """n real oxides of at most `largest` atoms, evenly from tmo.jsonl.gz."""
    path = CACHE / f"chgnet-{n}-{largest}.jsonl"
    if not path.exists():
        rows = [r for r in crystals("tmo.jsonl.gz") if r["natoms"] <= largest]
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as out:
            for row in rows[:: len(rows) // n][:n]:
                out.write(json.dumps({key: row[key] for key in ("id", "lattice", "species", "frac_coords")}) + "\n")
    return path


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=48)
    parser.add_argument("--largest", type=int, default=60, help="most atoms of a crystal")
    parser.add_argument("--steps", type=int, default=5, help="steps of a relaxation")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--serve", nargs=2, metavar=("WORKLOAD", "THREADS"), help="be the peer's side")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve[0], int(args.serve[1]))
    weights = need(SHARED / "weights" / "chgnet" / "chgnet_0.3.0_e29f68s314m37.pth.tar")
    path, table = workload(args.crystals, args.largest), Table("ms", 1000)
    atoms = [len(json.loads(line)["species"]) for line in Path(path).read_text().splitlines()]
    for threads in args.threads:
        ours = Lines([worker(args.profile), "potential", weights, path], RAYON_NUM_THREADS=str(threads))
        peer = Lines(
            [sys.executable, "-W", "ignore", __file__, "--serve", path, threads],
            OMP_NUM_THREADS=str(threads),
            OMP_WAIT_POLICY="PASSIVE",
        )
        sides = {"hollandite": ours, "chgnet": peer}
        for turn in range(args.rounds + 1):
            for what in ("energies", "slopes", f"relax {args.steps}"):
                answers = {}
                for side, process in sides.items():
                    seconds, [line] = process.ask(what)
                    answers[side] = json.loads(line)
                    # The first turn warms up.
                    if turn:
                        name, count = what.split()[0], answers[side]["steps"] or args.crystals
                        unit = "a step" if name == "relax" else "a crystal"
                        table.add(f"{name}, {threads} threads, {unit}", side, seconds, count)
                if not what.startswith("relax"):
                    pairs = zip(answers["hollandite"]["values"], answers["chgnet"]["values"], atoms)
                    worst = max(abs(a - b) / n for a, b, n in pairs)
                    if worst > AGREEMENT:
                        sys.exit(f"{what}: energies differ by {worst:.1e} eV/atom")
        for process in sides.values():
            process.close()
    print(f"{len(atoms)} crystals of {min(atoms)} to {max(atoms)} atoms, {sum(atoms) / len(atoms):.0f} on average")
    machine()
    table.print()


if __name__ == "__main__":
    main()
