"""Climbing-image nudged elastic bands beside ASE's NEB with chgnet: lithium along the tunnel of rutile VO2, the same images on both sides.

The ends are those of fixtures/golden/band_chgnet.json, relaxed by chgnet; --repeat puts as many cells side by side, with a lithium in each, which
move as one. The images between them lie on an arc, --bend Å off the straight line, so that there is something to do. Both sides take springs of
0.1 eV/Å², the improved tangent and FIRE, let the highest image climb once no force is longer than 0.5 eV/Å, and end at 0.05 eV/Å. ASE
asks its calculators image by image, which is its ordinary way; ours asks for all images at once, so the row of one thread is the one to
read. Both sides are processes that stay, with as many threads as told; the first turn warms up. Barriers must agree to 0.01 eV an ion.
"""

import json
import math
import sys
import time

from common import CACHE, REPOSITORY, SHARED, Lines, Table, arguments, machine, need, worker

AGREEMENT, FMAX, CLIMBS, STEPS = 0.01, 0.05, 0.5, 500
WEIGHTS = "weights/chgnet/chgnet_0.3.0_e29f68s314m37.pth.tar"


def path(images, repeat, bend):
    """The images, one a line, and where they are written; ions come last."""
    golden = json.loads((REPOSITORY / "fixtures/golden/band_chgnet.json").read_text())["values"]
    cells = [(i, j) for i in range(repeat) for j in range(repeat)]
    lattice = [[x * n for x in row] for row, n in zip(golden["lattice"], (repeat, repeat, 1))]
    edge = math.hypot(*golden["lattice"][0])
    sites = range(len(golden["species"]))
    lines = []
    for k in range(images + 2):
        t = k / (images + 1)
        frac = []
        for site in sites:
            x = [a + t * (b - a) for a, b in zip(golden["first"][site], golden["last"][site])]
            if golden["species"][site] == "Li":
                x[0] += bend * math.sin(math.pi * t) / edge
            frac += [[(x[0] + i) / repeat, (x[1] + j) / repeat, x[2]] for i, j in cells]
        species = [golden["species"][site] for site in sites for _ in cells]
        lines.append(json.dumps({"lattice": lattice, "species": species, "frac_coords": frac}))
    written = CACHE / f"neb-{images}-{repeat}-{bend}.jsonl"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("\n".join(lines) + "\n")
    return written, len(species), len(cells)


def serve(workload, threads):
    """The peer's side: answers as benches/peers/potential.rs does."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries greet on standard output
    import torch

    torch.set_num_threads(threads)
    from ase import Atoms
    from ase.mep import NEB
    from ase.optimize import FIRE
    from chgnet.model import CHGNet, CHGNetCalculator

    net = CHGNet.load(use_device="cpu", verbose=False)
    with open(workload) as lines:
        rows = [json.loads(line) for line in lines]
    start = [Atoms(r["species"], scaled_positions=r["frac_coords"], cell=r["lattice"], pbc=True) for r in rows]
    for _ in sys.stdin:
        begun = time.perf_counter()
        images = [atoms.copy() for atoms in start]
        for image in images:
            image.calc = CHGNetCalculator(net, use_device="cpu")
        neb = NEB(images, k=0.1, method="improvedtangent", allow_shared_calculator=False)
        steps = 0
        for climb, fmax in ((False, CLIMBS), (True, FMAX)):
            neb.climb = climb
            run = FIRE(neb, logfile=None)
            converged = run.run(fmax=fmax, steps=STEPS)
            steps += run.nsteps
        if not converged:
            sys.exit(f"ASE's band has not converged in {steps} steps")
        values = [float(image.get_potential_energy()) for image in images]
        answer = {"seconds": time.perf_counter() - begun, "values": values, "steps": steps}
        print(json.dumps(answer), file=answers, flush=True)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--images", type=int, default=5, help="moving images")
    parser.add_argument("--repeat", type=int, default=2, help="cells of 13 atoms along each of the two edges across the tunnel")
    parser.add_argument("--bend", type=float, default=0.3, help="how far the middle of the first path is off the straight line, Å")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--serve", nargs=2, metavar=("WORKLOAD", "THREADS"), help="be the peer's side")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve[0], int(args.serve[1]))
    weights = need(SHARED / WEIGHTS)
    workload, atoms, ions = path(args.images, args.repeat, args.bend)
    table, found = Table("ms", 1000), {}
    for threads in args.threads:
        ours = Lines([worker(args.profile), "potential", weights, workload], RAYON_NUM_THREADS=str(threads))
        peer = Lines(
            [sys.executable, "-W", "ignore", __file__, "--serve", workload, threads],
            OMP_NUM_THREADS=str(threads),
            OMP_WAIT_POLICY="PASSIVE",
        )
        sides = {"hollandite": ours, "ase, chgnet": peer}
        for turn in range(args.rounds + 1):
            for side, process in sides.items():
                seconds, [line] = process.ask(f"band {FMAX} {STEPS}")
                answer = json.loads(line)
                values = answer["values"]
                found[side] = ((max(values) - values[0]) / ions, answer["steps"])
                # The first turn warms up.
                if turn:
                    table.add(f"band, {threads} threads", side, seconds)
                    table.add(f"a step of an image, {threads} threads", side, seconds, answer["steps"] * args.images)
            (ours_is, _), (theirs_is, _) = found.values()
            if abs(ours_is - theirs_is) > AGREEMENT:
                sys.exit(f"barriers of {ours_is:.4f} and {theirs_is:.4f} eV an ion do not agree")
        for process in sides.values():
            process.close()
    for side, (barrier, steps) in found.items():
        print(f"{side}: {barrier:.4f} eV an ion, {steps} steps")
    print(f"{args.images} moving images of {atoms} atoms, {ions} of them Li; barriers differ by {abs(ours_is - theirs_is):.1e} eV an ion")
    machine()
    table.print()


if __name__ == "__main__":
    main()
