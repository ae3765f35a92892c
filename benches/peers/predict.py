"""`SELECT predict_ef(structure, 'MODEL')` over a table, end to end, against DuckDB with a Python function on PyTorch.

Both are programs from start to end on the very same Parquet files: they read structures, build crystal and line graphs, run an
ALIGNN over them and print how many answers there are and their sum. DuckDB hands the function whole vectors (Arrow), and the function
batches them by 64, with neighbours from matscipy and the network of torch_networks.py. Nothing is remembered between runs. `--model` names
a file of ours; without it one with random weights, hidden 64, 2 + 2 layers, is made.
"""

import json
import os
import sys
from pathlib import Path

from common import CACHE, Lines, Table, arguments, crystals, fresh, machine, program, run, worker

BATCH, SHELL = 64, 1e-3


def graph(lattice, numbers, frac, count=12, cutoff=8.0):
    """The edges of our `nearest` rule, sorted by the atom that gathers them, and their line graph."""
    import numpy as np
    from matscipy.neighbours import neighbour_list

    reach, n = cutoff, len(numbers)
    while True:
        i, j, d, step = neighbour_list("ijdD", positions=frac @ lattice, cell=lattice, pbc=[True] * 3, cutoff=reach)
        degree = np.bincount(i, minlength=n)
        if degree.min() >= count or reach >= 64.0:
            break
        reach *= 1.5
    order = np.lexsort((d, i))
    i, j, d, step = i[order], j[order], d[order], step[order]
    first = np.concatenate([[0], np.cumsum(degree)])
    shell = d[first[:-1] + np.minimum(count, degree) - 1] + SHELL
    near = d <= np.maximum(shell[i], shell[j])
    i, j, d, step = i[near], j[near], d[near], step[near]
    degree = np.bincount(i, minlength=n)
    first = np.concatenate([[0], np.cumsum(degree)])
    pairs = degree[j]
    gathering = np.repeat(np.arange(len(j)), pairs)
    ends = np.cumsum(pairs)
    gathered = np.arange(ends[-1]) - np.repeat(ends - pairs, pairs) + np.repeat(first[j], pairs)
    unit = step / d[:, None]
    cosine = np.clip(-(unit[gathered] * unit[gathering]).sum(1), -1.0, 1.0)
    return {
        "numbers": numbers,
        "center": i,
        "neighbor": j,
        "distance": d.astype(np.float32),
        "gathering": gathering,
        "gathered": gathered,
        "cosine": cosine.astype(np.float32),
    }


def serve(files, folder, threads):
    """The peer's whole program."""
    from types import SimpleNamespace

    import duckdb
    import numpy as np
    import pyarrow as pa
    import torch
    from safetensors.torch import load_file

    import torch_networks
    from models import element_features

    torch.set_num_threads(int(threads))
    card = json.loads((Path(folder) / "card.json").read_text())
    config = card["config"]
    net = torch_networks.network(f"alignn-{config['hidden']}-{config['gcn_layers']}", element_features()).eval()
    torch_networks.load(net, load_file(Path(folder) / "weights.safetensors"))

    def together(graphs):
        lot, atoms, bonds = {}, 0, 0
        for k, g in enumerate(graphs):
            n, e = len(g["numbers"]), len(g["center"])
            moved = g | {"center": g["center"] + atoms, "neighbor": g["neighbor"] + atoms, "graph": np.full(n, k)}
            moved |= {"gathering": g["gathering"] + bonds, "gathered": g["gathered"] + bonds}
            for key, value in moved.items():
                lot.setdefault(key, []).append(value)
            atoms, bonds = atoms + n, bonds + e
        tensors = {key: torch.from_numpy(np.concatenate(values)) for key, values in lot.items()}
        return SimpleNamespace(graphs=len(graphs), **tensors)

    def predict(structures):
        structures = structures.combine_chunks() if isinstance(structures, pa.ChunkedArray) else structures
        columns = [structures.field(name) for name in ("lattice", "numbers", "frac_coords")]
        out = []
        for k in range(0, len(structures), BATCH):
            graphs = []
            for row in range(k, min(k + BATCH, len(structures))):
                lattice, numbers, frac = (column[row].values.to_numpy() for column in columns)
                graphs.append(graph(lattice.reshape(3, 3), numbers.astype(np.int64), frac.reshape(-1, 3)))
            with torch.no_grad():
                values = net(together(graphs)) * card["scale"] + card["mean"]
            out += values.tolist()
        return pa.array(out, pa.float64())

    con = duckdb.connect()
    con.execute(f"SET threads = {threads}")
    (kind,) = con.execute("SELECT typeof(structure) FROM read_parquet($files) LIMIT 1", {"files": files}).fetchone()
    con.create_function("predict_ef", predict, [kind], "DOUBLE", type="arrow")
    query = "SELECT count(e), sum(e) FROM (SELECT predict_ef(structure) AS e FROM read_parquet($files))"
    print(*con.execute(query, {"files": files}).fetchone())


def store(binary, n):
    """A store of n real oxides of at most 120 atoms, evenly from tmo.jsonl.gz."""
    path = CACHE / f"store-predict-{n}"
    if not path.exists():
        half = fresh(f"store-predict-{n}.unfinished")
        lines = half / "crystals.jsonl"
        rows = [r for r in crystals("tmo.jsonl.gz") if len(r["species"]) <= 120]
        with open(lines, "w") as out:
            for row in rows[:: max(len(rows) // n, 1)][:n]:
                out.write(json.dumps({k: row[k] for k in ("id", "lattice", "species", "frac_coords")}) + "\n")
        run([binary, "init", half / "store"])
        print(run([binary, "--store", half / "store", "import", lines, "--into", "crystals"])[1].strip())
        (half / "store").rename(path)
    return path


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=10_000)
    parser.add_argument("--model", type=Path, help="an ALIGNN of ours on the 12 nearest neighbours (*.safetensors.zst)")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--serve", nargs="+", metavar="ARGUMENT", help="be the peer's side: FOLDER THREADS FILE...")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve[2:], *args.serve[:2])
    binary, table = program(args.profile), Table("s", 1.0)
    path = store(binary, args.crystals)
    files = sorted(path.glob("data/main/crystals/*.parquet"))
    folder = CACHE / "predict-model"
    folder.mkdir(parents=True, exist_ok=True)
    model = (args.model or folder / "random.safetensors.zst").resolve()
    # Our worker makes the model where there is none, and unpacks its weights and card for the peer.
    unpack = Lines([worker(args.profile), "unpack", model, folder])
    print(unpack.ask("")[1][0].strip())
    unpack.close()
    machine()
    query = f"SELECT count(e) AS n, sum(e) AS s FROM (SELECT predict_ef(structure, '{model}') AS e FROM crystals)"
    for threads in args.threads:
        environment = os.environ | {"RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        environment |= {"TOKIO_WORKER_THREADS": str(threads)}
        sides = {
            "hollandite sql": [binary, "--store", path, "sql", "--format", "csv", f"SET hollandite.cache = false; {query}"],
            "duckdb, python": [sys.executable, "-W", "ignore", __file__, "--serve", folder, threads, *files],
        }
        answers = {}
        for _ in range(args.rounds):
            for side, command in sides.items():
                seconds, out = run(command, env=environment)
                last = out.strip().splitlines()[-1].replace(",", " ").split()
                answers[side] = int(last[0]), float(last[1])
                table.add(f"{args.crystals} crystals, threads {threads}", side, seconds)
        (n, a), (m, b) = answers.values()
        print(f"threads {threads}: {n} and {m} answers, sums {a:.4f} and {b:.4f}", flush=True)
        if n != m or abs(a - b) > 1e-4 * max(n, abs(a)):
            sys.exit("the answers do not agree")
    table.print()
    machine()


if __name__ == "__main__":
    main()
