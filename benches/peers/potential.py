"""CHGNet and TensorNet against their own programs on PyTorch, Nequix against its own on JAX: energies, energies with forces and stress, and steps of relaxations, time
per crystal and step.

Both sides are processes that stay, with as many threads as told: RAYON_NUM_THREADS and torch.set_num_threads; JAX, which has no such
setting, is kept to as many cores. Each turn begins with
crystals and ends with numbers, graphs included: what a relaxation pays at every step. The peers answer in batches of
--batch crystals (16 is chgnet's default; try 1 and 4 too, and take its best), and without recording gradients where energies alone are asked
for; their relaxation is their own (FIRE of ASE with a cell filter), one crystal after another. Energies must agree.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

from common import CACHE, SHARED, Lines, Table, arguments, crystals, machine, need, worker

# f32, summed in another order; eV/atom.
AGREEMENT = 2e-5


# The weights of each model, below ../shared/weights.
MODELS = {
    "chgnet": "chgnet/chgnet_0.3.0_e29f68s314m37.pth.tar",
    "tensornet": "tensornet/TensorNet-MatPES-PBE-v2025.1-PES",
    "nequix": "nequix/nequix-oam-1.nqx",
}


class Chgnet:
    def __init__(self, _, batch):
        from chgnet.model import CHGNet, StructOptimizer

        self.batch = batch
        self.net = CHGNet.load(use_device="cpu", verbose=False)
        self.optimizer = StructOptimizer(self.net, use_device="cpu")

    def energies(self, structures, forces):
        found = self.net.predict_structure(structures, task="efs" if forces else "e", batch_size=self.batch)
        return [float(f["e"]) * len(s) for f, s in zip(found, structures)]

    def relax(self, structure, steps):
        result = self.optimizer.relax(structure, fmax=1e-9, steps=steps, relax_cell=True, verbose=False)
        return result["trajectory"].energies


class Tensornet:
    def __init__(self, weights, batch):
        import matgl
        from matgl.ext.ase import Relaxer
        from matgl.ext.pymatgen import Structure2Graph

        self.batch = batch
        self.net = matgl.load_model(weights)
        self.converter = Structure2Graph(element_types=self.net.model.element_types, cutoff=self.net.model.cutoff)
        self.relaxer = Relaxer(self.net)

    def energies(self, structures, forces):
        import torch
        from torch_geometric.data import Batch

        self.net.calc_forces = self.net.calc_stresses = forces
        values = []
        for first in range(0, len(structures), self.batch):
            found = [self.converter.get_graph(s) for s in structures[first : first + self.batch]]
            graphs = Batch.from_data_list([graph for graph, _, _ in found])
            answer = self.net(graphs, torch.cat([lattice for _, lattice, _ in found]))
            values += answer[0].detach().reshape(-1).tolist()
        return values

    def relax(self, structure, steps):
        self.net.calc_forces = self.net.calc_stresses = True
        return self.relaxer.relax(structure, fmax=1e-9, steps=steps)["trajectory"].energies


class Nequix:
    """As its calculator has it: one crystal after another, compiled for each size in the turn that warms up."""

    def __init__(self, weights, _):
        import equinox
        from nequix.calculator import NequixCalculator

        self.calculator = NequixCalculator(model_path=weights, use_kernel=False)
        self.compiled = equinox.filter_jit(lambda model, *graph: model.node_energies(*graph))

    def energies(self, structures, forces):
        from pymatgen.io.ase import AseAtomsAdaptor

        crystals = [AseAtomsAdaptor.get_atoms(s) for s in structures]
        if not forces:
            return [self.alone(atoms) for atoms in crystals]
        values = []
        for atoms in crystals:
            self.calculator.calculate(atoms, ["energy", "forces", "stress"], ["positions", "numbers", "cell", "pbc"])
            values.append(self.calculator.results["energy"])
        return values

    def alone(self, atoms):
        """the energy without forces, for which the calculator has no call"""
        from nequix.data import preprocess_graph

        calculator = self.calculator
        graph = preprocess_graph(atoms, calculator.atom_indices, calculator.cutoff, False)
        ends = graph["senders"], graph["receivers"]
        apart = graph["positions"][ends[0]] - graph["positions"][ends[1]] + graph["shifts"] @ graph["cell"]
        return float(self.compiled(calculator.model, apart, graph["species"], *ends).sum())

    def relax(self, structure, steps):
        from ase.filters import FrechetCellFilter
        from ase.optimize import FIRE
        from pymatgen.io.ase import AseAtomsAdaptor

        atoms, energies = AseAtomsAdaptor.get_atoms(structure), []
        atoms.calc = self.calculator
        run = FIRE(FrechetCellFilter(atoms), logfile=None)
        run.attach(lambda: energies.append(atoms.get_potential_energy()))
        run.run(fmax=1e-9, steps=steps)
        return energies + energies[-1:]


def serve(model, weights, workload, threads, batch):
    """The peer's side: answers as benches/peers/potential.rs does."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries greet on standard output
    if model == "nequix":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        recording = lambda _: contextlib.nullcontext()
    else:
        import torch

        torch.set_num_threads(threads)
        recording = torch.set_grad_enabled
    from pymatgen.core import Structure

    peer = {"chgnet": Chgnet, "tensornet": Tensornet, "nequix": Nequix}[model](weights, batch)
    with open(workload) as lines:
        rows = [json.loads(line) for line in lines]
    structures = [Structure(r["lattice"], r["species"], r["frac_coords"]) for r in rows]
    for line in sys.stdin:
        what, *rest = line.split()
        start, steps = time.perf_counter(), 0
        if what == "relax":
            values = []
            for structure in structures:
                energies = peer.relax(structure, int(rest[0]))
                values.append(float(energies[-1]))
                # The first is that of no step, the last is asked for twice.
                steps += len(energies) - 2
        else:
            with recording(what == "forces"):
                values = peer.energies(structures, what == "forces")
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
    parser.add_argument("--model", choices=MODELS, default="chgnet")
    parser.add_argument("--batch", type=int, default=16, help="crystals that the peer takes at once")
    parser.add_argument("--serve", nargs=2, metavar=("WORKLOAD", "THREADS"), help="be the peer's side")
    args = parser.parse_args()
    weights = need(SHARED / "weights" / MODELS[args.model])
    if args.serve:
        return serve(args.model, weights, args.serve[0], int(args.serve[1]), args.batch)
    path, table = workload(args.crystals, args.largest), Table("ms", 1000)
    atoms = [len(json.loads(line)["species"]) for line in Path(path).read_text().splitlines()]
    for threads in args.threads:
        ours = Lines([worker(args.profile), "potential", weights, path], RAYON_NUM_THREADS=str(threads))
        peer = Lines(
            [sys.executable, "-W", "ignore", __file__, "--model", args.model, "--batch", args.batch, "--serve", path, threads],
            OMP_NUM_THREADS=str(threads),
            OMP_WAIT_POLICY="PASSIVE",
        )
        sides = {"hollandite": ours, args.model: peer}
        for turn in range(args.rounds + 1):
            for what in ("energies", "forces", f"relax {args.steps}"):
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
                    pairs = zip(answers["hollandite"]["values"], answers[args.model]["values"], atoms)
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
