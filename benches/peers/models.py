"""Inference and training of the graph networks against PyTorch, time per crystal: the same graphs, weights and batches.

Both sides are processes that stay, with as many threads as told: RAYON_NUM_THREADS and torch.set_num_threads. Graphs are built
once, by us, and handed to the peer laid end to end, so that what is timed is the network alone; the predictions must agree.
"GFLOP/s" counts the multiplications and additions of our matrix products; the machine's practical rate is the best that
PyTorch's own product reaches in the same run. Memory is the highest resident size of a process while it answers, less what it
held when it had loaded everything. With --sql, DuckDB with a Python function and we ask for the prediction of every crystal of a table.
"""

import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

from common import CACHE, REPOSITORY, SHARED, Lines, Table, arguments, crystals, machine, need, worker

# f32 through some 30 layers, summed in another order. With random weights and no statistics learned CGCNN is ill-conditioned: there
# PyTorch itself differs by 2e-5 between single and double precision.
AGREEMENT = 1e-4
NETWORKS = ["megnet", "deeper-gatgnn", "cgcnn", "alignn-64-2", "alignn-256-4", "alignn-atomwise-256-4"]


def memory(process, reset=False):
    """Highest resident size of a process in MB since the last reset."""
    if reset:
        Path(f"/proc/{process}/clear_refs").write_text("5")
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def element_features():
    """The 92 zeros and ones of each element, by atomic number, as schema/elements/cgcnn.csv lists their places."""
    import torch
    from pymatgen.core import Element

    table = torch.zeros(101, 92)
    lines = (REPOSITORY / "schema" / "elements" / "cgcnn.csv").read_text().splitlines()
    for line in [line for line in lines if not line.startswith("#")][1:]:
        symbol, places = line.split(",")
        table[Element(symbol).Z, [int(p) for p in places.split()]] = 1.0
    return table


def serve(name, folder, threads):
    """The peer's side: answers as benches/peers/networks.rs does, and "gemm" with the best rate of a matrix product."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries greet on standard output
    import torch
    from safetensors.torch import load_file

    import torch_networks

    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    net = torch_networks.network(name, element_features())
    if name == "megnet":
        net.net.load_state_dict(load_file(SHARED / "reference" / "megnet_random.safetensors"), strict=False)
    else:
        torch_networks.load(net, load_file(Path(folder) / "weights.safetensors"))
    graphs = torch_networks.Graphs(load_file(Path(folder) / "graphs.safetensors"))
    everything = range(len(graphs))
    lots = {}

    def infer(size):
        if size not in lots:
            lots[size] = [graphs.batch(everything[i : i + size]) for i in range(0, len(graphs), size)]
        net.eval()
        start = time.perf_counter()
        with torch.no_grad():
            values = [value for lot in lots[size] for value in net(lot).tolist()]
        return {"seconds": time.perf_counter() - start, "values": values}

    def train():
        targets = torch.randn(len(graphs))
        order = torch.randperm(len(graphs)).tolist()
        batches = [order[i : i + 32] for i in range(0, len(order), 32)]
        net.train()
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
        for epoch in range(2):  # the first warms up
            start = time.perf_counter()
            for chosen in batches:
                optimizer.zero_grad()
                torch.nn.functional.huber_loss(net(graphs.batch(chosen)), targets[chosen]).backward()
                optimizer.step()
            seconds = time.perf_counter() - start
        return {"seconds": seconds, "crystals": len(graphs)}

    def gemm():
        best = 0.0
        for m, k, n in ((1024, 1024, 1024), (4096, 256, 256), (4096, 64, 256)):
            a, b = torch.randn(m, k), torch.randn(k, n)
            for _ in range(20):
                start = time.perf_counter()
                a @ b
                best = max(best, 2 * m * k * n / (time.perf_counter() - start))
        return {"rate": best}

    for line in sys.stdin:
        question = line.strip()
        answer = gemm() if question == "gemm" else train() if question == "train" else infer(int(question))
        print(json.dumps(answer), file=answers, flush=True)


def workload(n):
    """n real oxides of at most 120 atoms, evenly from tmo.jsonl.gz, of matgl's elements up to bismuth."""
    path = CACHE / f"networks-{n}.jsonl"
    if not path.exists():
        meta = json.loads((SHARED / "reference" / "megnet_random.json").read_text())["meta"]
        light = set(meta["element_types"]) - {"Ac", "Th", "Pa", "U", "Np", "Pu"}
        fits = lambda row: len(row["species"]) <= 120 and light.issuperset(row["species"])
        rows = [r for r in crystals("tmo.jsonl.gz") if fits(r)]
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as out:
            for row in rows[:: len(rows) // n][:n]:
                kept = {key: row[key] for key in ("id", "lattice", "species", "frac_coords")}
                out.write(json.dumps(kept | {"target": row["formation_energy_per_atom"]}) + "\n")
    return path


def operations(name, folder):
    """Multiplications and additions of our matrix products over all graphs."""
    from safetensors.numpy import load_file

    graphs = load_file(Path(folder) / "graphs.safetensors")
    n, e, t = (int(graphs[key].sum()) if key in graphs else 0 for key in ("atoms", "bonds", "pairs"))
    if name == "megnet":
        first, inner, last = 100 * 64 + 64 * 32, 32 * 64 + 64 * 64 + 64 * 32, 32 * 64 + 64 * 32
        return 2 * (e * (first + 3 * inner + 2 * last) + n * (3 * (32 * 128 + inner + 32 * 64) + 2 * last))
    if name == "deeper-gatgnn":
        return 2 * (e * (50 * 64 + 10 * 64 * 256) + n * 10 * 64 * (256 + 16 + 10))
    if name == "cgcnn":
        return 2 * (e * 4 * 41 * 128 + n * 4 * 64 * 256)
    h, layers = map(int, name.split("-")[-2:])
    gated = lambda nodes, edges: nodes * 4 * h * h + edges * h * h
    embedded = e * (80 + h) * 64 + t * (40 + h) * 64
    return 2 * (embedded + layers * (gated(n, e) + gated(e, t)) + layers * gated(n, e))


def compare(args):
    matgl = need(SHARED / "reference" / "megnet_random.safetensors")
    path, ours, table = workload(args.crystals), worker(args.profile), Table("ms/crystal", 1e3)
    machine()
    notes, worst = [], 0.0
    for name in args.networks:
        folder = CACHE / "networks" / name
        folder.mkdir(parents=True, exist_ok=True)
        for threads in args.threads:
            environment = {"RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
            sides = {"hollandite": Lines([ours, "networks", name, path, matgl, folder], **environment)}
            sides["hollandite"].ask(str(args.crystals))  # it has written graphs and weights
            sides["torch"] = Lines(
                [sys.executable, "-W", "ignore", __file__, "--serve", name, folder, threads],
                **environment,
                OMP_WAIT_POLICY="PASSIVE",
            )
            rate = json.loads(sides["torch"].ask("gemm")[1][0])["rate"]
            for size in (1, 64):
                answers, best, peak = {}, {}, {}
                before = {side: memory(process.process.pid, reset=True) for side, process in sides.items()}
                for turn in range(args.rounds + 1):
                    for side, process in sides.items():
                        (_, cpu), lines = process.ask(str(size))
                        answers[side] = answer = json.loads(lines[0])
                        best[side] = min(best.get(side, 1e9), answer["seconds"])
                        if turn > 0:
                            table.add(f"{name}, threads {threads}, batch {size}", side, (answer["seconds"], cpu), args.crystals)
                for side, process in sides.items():
                    peak[side] = memory(process.process.pid)
                pairs = zip(answers["hollandite"]["values"], answers["torch"]["values"], strict=True)
                difference = max(abs(x - y) / max(1.0, abs(y)) for x, y in pairs)
                worst = max(worst, difference)
                reached = operations(name, folder) / best["hollandite"]
                notes.append(
                    f"{name}, threads {threads}, batch {size}: "
                    f"{args.crystals / best['hollandite']:.0f} crystals/s against {args.crystals / best['torch']:.0f}, "
                    f"ratio of the best turns {best['torch'] / best['hollandite']:.2f}; "
                    f"{reached / 1e9:.0f} GFLOP/s, {100 * reached / rate:.0f} % of a product's {rate / 1e9:.0f}; "
                    f"peak {peak['hollandite']:.0f} MB (+{peak['hollandite'] - before['hollandite']:.0f}) against "
                    f"{peak['torch']:.0f} (+{peak['torch'] - before['torch']:.0f}); predictions differ by {difference:.0e}"
                )
                print(notes[-1], flush=True)
            if args.train:
                for _ in range(args.train):
                    for side, process in sides.items():
                        (_, cpu), lines = process.ask("train")
                        answer = json.loads(lines[0])
                        table.add(f"{name}, threads {threads}, epoch", side, (answer["seconds"], None), answer["crystals"])
            for process in sides.values():
                process.close()
    table.print()
    print(f"{args.crystals} crystals; predictions differ by at most {worst:.1e}")
    machine()
    if worst > AGREEMENT:
        sys.exit("the predictions do not agree")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=64)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="names as in the default: " + " ".join(NETWORKS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--train", type=int, default=1, help="training epochs to compare, each after one to warm up")
    parser.add_argument("--serve", nargs=3, metavar=("NAME", "FOLDER", "THREADS"), help="be the peer's side")
    args = parser.parse_args()
    if args.serve:
        return serve(*args.serve)
    return compare(args)


if __name__ == "__main__":
    main()
