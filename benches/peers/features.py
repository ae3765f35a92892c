"""Features of a crystal, time per crystal on one thread: Magpie against matminer, powder XRD against pymatgen, Voronoi cells against
pymatgen's VoronoiNN, free spheres against Zeo++ (pyzeo), space groups against spglib, SOAP against dscribe.

Both sides are processes that stay and hold the crystals in memory; a line names the task, the answer is the time that all
crystals took. Crystals that a peer refuses, or on which it ends the process as Zeo++ does, are taken from both sides. Where
both answer with numbers that can be compared at once (sums over all crystals), they are printed beside one another.
"""

import contextlib
import json
import os
import signal
import sys
import time
import warnings

from common import CACHE, SHARED, Lines, Table, arguments, crystals, machine, need, worker

warnings.filterwarnings("ignore")
TASKS = ["magpie", "xrd", "voronoi", "spheres", "spacegroup", "soap"]
PEERS = {
    "magpie": "matminer",
    "xrd": "pymatgen",
    "voronoi": "pymatgen",
    "spheres": "Zeo++",
    "spacegroup": "spglib",
    "soap": "dscribe",
}
# The slow ones are asked about every k-th crystal.
EVERY = {"voronoi": 5, "soap": 5}


@contextlib.contextmanager
def quiet():
    """Zeo++ talks on C's standard output and standard error."""
    sys.stdout.flush()
    kept, null = [(fd, os.dup(fd)) for fd in (1, 2)], os.open(os.devnull, os.O_WRONLY)
    for fd, _ in kept:
        os.dup2(null, fd)
    try:
        yield
    finally:
        for fd, copy in kept:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(null)


def survives(work, seconds=20):
    """Whether `work` ends well in a child: Zeo++ calls exit() on some crystals."""
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            work()
        except BaseException:
            os._exit(9)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def zeo(rows):
    """Zeo++'s networks with its default radii, and what asks for Di, Df, Dif of one; the sum of Df."""
    import pyzeo.extension as zx
    from pymatgen.core import Structure
    from pymatgen.io.cif import CifWriter

    folder = CACHE / "zeo"
    folder.mkdir(parents=True, exist_ok=True)
    out = str(folder / f"{os.getpid()}.res")

    def network(row):
        path = folder / f"{row['id']}.cif"
        if not path.exists():
            CifWriter(Structure(row["lattice"], row["species"], row["frac_coords"])).write_file(path)
        with quiet():
            return zx.AtomNetwork.read_from_CIF(str(path), rad_flag=True)

    def ask(net):
        with quiet():
            net.calculate_free_sphere_parameters(out)
        with open(out) as lines:
            return float(lines.read().split()[2])

    return network, ask


def prepare(task, rows):
    """What is asked about, made before the clock starts, and the question about one."""
    from pymatgen.core import Structure

    structures = [Structure(r["lattice"], r["species"], r["frac_coords"]) for r in rows]
    if task == "magpie":
        from matminer.featurizers.composition import ElementProperty

        magpie = ElementProperty.from_preset("magpie", impute_nan=False)
        return [s.composition for s in structures], lambda c: sum(x for x in magpie.featurize(c) if x == x)
    if task == "xrd":
        from pymatgen.analysis.diffraction.xrd import XRDCalculator

        calculator = XRDCalculator()
        return structures, lambda s: len(calculator.get_pattern(s).x)
    if task == "voronoi":
        from pymatgen.analysis.local_env import VoronoiNN

        voronoi = VoronoiNN()
        return structures, lambda s: sum(
            face["volume"] for site in voronoi.get_all_voronoi_polyhedra(s) for face in site.values()
        )
    if task == "spheres":
        network, ask = zeo(rows)
        return [network(r) for r in rows], ask
    if task == "spacegroup":
        import spglib
        from pymatgen.core import Element

        cells = [(r["lattice"], r["frac_coords"], [Element(e).Z for e in r["species"]]) for r in rows]
        return cells, lambda c: spglib.get_symmetry_dataset(c, symprec=0.1).number
    from ase import Atoms
    from dscribe.descriptors import SOAP

    def descriptor(row):
        atoms = Atoms(row["species"], scaled_positions=row["frac_coords"], cell=row["lattice"], pbc=True)
        return SOAP(species=sorted(set(row["species"])), r_cut=5.0, n_max=8, l_max=6, periodic=True), atoms

    return [descriptor(r) for r in rows], lambda d: float(d[0].create(d[1]).sum())


def serve(workload):
    """The peers' side: "TASK" is answered with the crystals that survive; "TASK IDS" with the time over those."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with open(workload) as lines:
        rows = [json.loads(line) for line in lines]
    things = {}
    for line in sys.stdin:
        task, *rest = line.split()
        if not rest:
            chosen = rows[:: EVERY.get(task, 1)]
            made, ask = prepare(task, chosen)
            good = [k for k, thing in enumerate(made) if survives(lambda: ask(thing))]
            things[task] = [made[k] for k in good], ask
            answer = {"ids": [chosen[k]["id"] for k in good]}
        else:
            made, ask = things[task]
            start = time.perf_counter()
            total = sum(ask(thing) for thing in made)
            answer = {"seconds": time.perf_counter() - start, "sum": total}
        print(json.dumps(answer), file=answers, flush=True)


def workload(n):
    """n real oxides, evenly from tmo.jsonl.gz, with the radii that Zeo++ gives their atoms by default."""
    path = CACHE / f"features-{n}.jsonl"
    if not path.exists():
        radii = json.loads(need(SHARED / "reference" / "zeo.json").read_text())["meta"]["default_radius_A"]
        rows = [r for r in crystals("tmo.jsonl.gz") if all(s in radii for s in r["species"])]
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as out:
            for row in rows[:: len(rows) // n][:n]:
                kept = {key: row[key] for key in ("id", "lattice", "species", "frac_coords")}
                out.write(json.dumps(kept | {"radii": [radii[s] for s in row["species"]]}) + "\n")
    return path


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=300)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--serve", metavar="WORKLOAD", help="answer as the peers (used by this script)")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    path, table = workload(args.crystals), Table("us", 1e6)
    one = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    ours = Lines([worker(args.profile), "features", path], **one)
    peers = Lines([sys.executable, __file__, "--serve", path], **one)
    machine()
    for task in args.tasks:
        _, (line,) = peers.ask(task)
        ids = json.loads(line)["ids"]
        _, (line,) = ours.ask(f"{task} {' '.join(ids)}")
        for turn in range(args.rounds + 1):
            # Ours is asked again and again for about as long as it takes to time it.
            _, (mine,) = ours.ask(task)
            _, (theirs,) = peers.ask(f"{task} go")
            mine, theirs = json.loads(mine), json.loads(theirs)
            if turn > 0:  # one to warm up
                table.add(task, "hollandite", (mine["seconds"], None), len(ids))
                table.add(task, PEERS[task], (theirs["seconds"], None), len(ids))
        print(f"{task}: {len(ids)} crystals, sum {mine['sum']:.10g} beside {theirs['sum']:.10g}", flush=True)
    table.print()
    machine()


if __name__ == "__main__":
    main()
