"""MEGNet inference against matgl on PyTorch, time per crystal: the same weights, crystals, cutoff graphs and batches.

Both sides are processes that stay, with as many threads as told: RAYON_NUM_THREADS and torch.set_num_threads. Each turn
builds the graphs of all crystals (cutoff 4 Å, one after another on both sides), then runs the network over them in batches,
gradients off. "graphs" and "forward" are timed inside the processes, "both" is their sum; the predictions must agree.
"""

import json
import statistics
import sys
import time

from common import CACHE, SHARED, Lines, Table, arguments, crystals, machine, need, worker

# f32 through some 30 layers, summed in another order.
AGREEMENT = 1e-5


def model():
    """matgl's MEGNet with its default settings and the reference's weights."""
    import torch
    from matgl.models import MEGNet
    from safetensors.torch import load_file

    net = MEGNet().eval()
    net.load_state_dict(load_file(SHARED / "reference" / "megnet_random.safetensors"), strict=False)
    return net, torch


def serve(workload, threads):
    """The peer's side: answers a batch size with times and predictions, as benches/peers/main.rs does."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries greet on standard output
    net, torch = model()
    torch.set_num_threads(threads)
    from matgl.ext.pymatgen import Structure2Graph
    from pymatgen.core import Structure
    from torch_geometric.data import Batch

    with open(workload) as lines:
        rows = [json.loads(line) for line in lines]
    structures = [Structure(r["lattice"], r["species"], r["frac_coords"]) for r in rows]
    converter = Structure2Graph(element_types=net.element_types, cutoff=net.cutoff)

    def graph(structure):
        g, lattice, state = converter.get_graph(structure)
        g.pbc_offshift = torch.matmul(g.pbc_offset, lattice[0])
        g.pos = g.frac_coords @ lattice[0]
        return g, torch.tensor(state, dtype=torch.float32)

    for line in sys.stdin:
        size, values = int(line), []
        start = time.perf_counter()
        graphs = [graph(s) for s in structures]
        built = time.perf_counter()
        with torch.no_grad():
            for i in range(0, len(graphs), size):
                lot = graphs[i : i + size]
                if size == 1:
                    out = net(lot[0][0], state_attr=lot[0][1])
                else:
                    out = net(Batch.from_data_list([g for g, _ in lot]), state_attr=torch.stack([s for _, s in lot]))
                values += out.reshape(-1).tolist()
        end = time.perf_counter()
        edges = sum(g.edge_index.shape[1] for g, _ in graphs)
        answer = {"graphs_s": built - start, "forward_s": end - built, "edges": edges, "values": values}
        print(json.dumps(answer), file=answers, flush=True)


def workload(n):
    """n real oxides of matgl's elements, evenly from tmo.jsonl.gz."""
    path = CACHE / f"megnet-{n}.jsonl"
    if not path.exists():
        meta = json.loads((SHARED / "reference" / "megnet_random.json").read_text())["meta"]
        known = set(meta["element_types"])
        rows = [r for r in crystals("tmo.jsonl.gz") if known.issuperset(r["species"])]
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as out:
            for row in rows[:: len(rows) // n][:n]:
                kept = {key: row[key] for key in ("id", "lattice", "species", "frac_coords")}
                out.write(json.dumps(kept) + "\n")
    return path


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=300)
    parser.add_argument("--serve", nargs=2, metavar=("WORKLOAD", "THREADS"), help="be the peer's side")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve[0], int(args.serve[1]))
    weights = need(SHARED / "reference" / "megnet_random.safetensors")
    path, ours, table = workload(args.crystals), worker(args.profile), Table("ms/crystal", 1e3)
    machine()
    worst = 0.0
    for threads in (1, 2):
        sides = {
            "hollandite": Lines([ours, "megnet", path, weights], RAYON_NUM_THREADS=str(threads)),
            # Waiting threads that spin would cost torch much on a busy machine.
            "matgl": Lines(
                [sys.executable, "-W", "ignore", __file__, "--serve", path, threads],
                OMP_NUM_THREADS=str(threads),
                OMP_WAIT_POLICY="PASSIVE",
            ),
        }
        for size in (1, 32):
            answers = {}
            for turn in range(args.rounds + 1):
                for name, side in sides.items():
                    (_, cpu), lines = side.ask(str(size))
                    answers[name] = answer = json.loads(lines[0])
                    if turn == 0:
                        continue  # warm up
                    both = answer["graphs_s"] + answer["forward_s"]
                    task = f"threads {threads}, batch {size}"
                    table.add(f"{task}: graphs", name, (answer["graphs_s"], None), args.crystals)
                    table.add(f"{task}: forward", name, (answer["forward_s"], None), args.crystals)
                    table.add(f"{task}: both", name, (both, cpu), args.crystals)
            a, b = (answers[name] for name in sides)
            assert a["edges"] == b["edges"], f"{a['edges']} edges against {b['edges']}"
            worst = max([worst] + [abs(x - y) / max(1.0, abs(y)) for x, y in zip(a["values"], b["values"], strict=True)])
        for side in sides.values():
            side.close()
    table.print()
    spread = statistics.pstdev(b["values"])
    print(f"{args.crystals} crystals, {a['edges']} edges; predictions differ by at most {worst:.1e} (they spread by {spread:.2g})")
    machine()
    if worst > AGREEMENT:
        sys.exit("the predictions do not agree")


if __name__ == "__main__":
    main()
