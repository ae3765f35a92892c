"""What Python costs, and CHGNet in ASE without torch beside chgnet's own calculator. The wheel is installed where this runs.

Queries: the README's, over 10 000 real oxides with nothing remembered. One side is Rust alone: the shell of the program that the wheel
brings, so that both sides run the very same code, with the same allocator, and only Python differs. It says itself how long a statement
took, from its text to its rows (`\\timing`). The other is `db.sql(..).to_arrow()`, timed around the call. The sides take turns in processes
that stay, and three pairs of processes are started, since no two run equally fast; each turn gives a ratio. Both print their rows, which
must be the same. What a call costs that computes nothing is measured apart: of a longer one no more than that is fixed.

Relaxation: a crystal pulled out of its place, by FIRE of ASE with a cell filter, until no force is larger than --fmax. Each side has
its calculator and everything else in common; energies must agree at every step. Where chgnet is not installed ours runs alone.

Conversions: crystals of all files of data to structures of pymatgen and Atoms of ASE; a thousand from the store by way of these into
another store, where they must have the same content hash.
"""

import contextlib
import itertools
import math
import statistics
import sys
import time

from common import SHARED, Lines, Table, arguments, crystals, fresh, machine, need, timed

# eV of the whole cell, at every step.
AGREEMENT = 1e-4
# Of 107 849 crystals.
FILES = ["tmo.jsonl.gz", "other.jsonl.gz", "tmo_unlabelled.jsonl.gz"]
QUERY = "SELECT id, formula, predict_ef(structure) AS ef FROM crystals WHERE void > 0.5 ORDER BY ef LIMIT 20"
EVERY = "SELECT count(*) AS n, sum(predict_ef(structure)) AS s FROM crystals"
# Of processes, one of each side.
PAIRS = 3


def serve(path):
    """Answers queries of standard input with rows of CSV, and the seconds of the call."""
    import hollandite

    with hollandite.connect(path) as db:
        db.sql("SET hollandite.cache = false").fetchall()
        for line in sys.stdin:
            start = time.perf_counter()
            rows = db.sql(line).to_arrow()
            seconds = time.perf_counter() - start
            print(*rows.column_names, sep=",")
            for row in rows.to_pylist():
                print(*row.values(), sep=",")
            print(f"Time: {seconds:.6f} s", flush=True)


def store(n):
    """A store of n real oxides."""
    import hollandite

    path = fresh("store-python")
    rows = list(crystals("tmo.jsonl.gz"))
    rows = rows[:: max(len(rows) // n, 1)][:n]
    db = hollandite.connect(path, create=True)
    made = [hollandite.Crystal(r["lattice"], r["species"], r["frac_coords"]) for r in rows]
    db.import_structures(made, ids=[r["id"] for r in rows], into="crystals")
    return path, db


def begun(path):
    """A process of each side, with nothing remembered."""
    program = [sys.executable, "-m", "hollandite", "--store", path, "shell", "--format", "csv"]
    # The times of the shell come with its rows.
    rust = Lines(["sh", "-c", 'exec "$0" "$@" 2>&1', *program])
    rust.ask("SET hollandite.cache = false;\n\\timing")
    return {"rust": rust, "python": Lines([sys.executable, __file__, "--serve", path])}


def answered(process, text, lines):
    """The seconds that a side says of itself and those of CPU, and its rows."""
    (_, cpu), (*rows, said) = process.ask(text, lines + 1)
    return (float(said.split()[1]), cpu), [line.split(",") for line in rows[1:]]


def queries(path, rounds, table):
    ratios, nothing = {}, []
    for _ in range(PAIRS):
        sides = begun(path)
        for task, query, lines in (("20 rows", QUERY, 21), ("a prediction for every row", EVERY, 2)):
            for turn in range(rounds + 1):
                answers = {}
                # Neither is always the first.
                for side in sorted(sides, reverse=turn % 2):
                    answers[side] = answered(sides[side], query + ";", lines)
                rows = zip(*(answers[side][1] for side in sides))
                if any(a[:-1] != b[:-1] or abs(float(a[-1]) - float(b[-1])) > 1e-6 for a, b in rows):
                    sys.exit(f"the answers do not agree: {answers}")
                # The first turn warms up.
                if turn:
                    for side in sides:
                        table.add(task, side, answers[side][0])
                    for kind, ours, theirs in zip(("wall", "CPU"), *(answers[side][0] for side in sides)):
                        ratios.setdefault((task, kind), []).append(theirs / ours)
        nothing += [answered(sides["python"], "SELECT 1;", 2)[0][0] for _ in range(20)]
        for process in sides.values():
            process.close()
    for (task, kind), turns in ratios.items():
        print(f"{task}, {kind} of Python over Rust: {middle(turns)}")
    print(f"a call that computes nothing takes {1000 * statistics.median(nothing):.1f} ms")


def middle(values):
    """The median, and the interval that holds the median of all turns that could be made: that of the sign test."""
    n, ordered = len(values), sorted(values)
    below = list(itertools.accumulate(math.comb(n, k) / 2**n for k in range(n)))
    # As narrow as 95 % allow; of few turns the whole range.
    k = max(sum(p <= 0.025 for p in below), 1)
    sure = 1 - 2 * below[k - 1]
    return f"{statistics.median(values):.4f}, {ordered[k - 1]:.4f} to {ordered[n - k]:.4f} ({sure:.0%} sure, {n} turns)"


def calculators(db, weights):
    """Of each side; of ours alone where the peer is not installed."""
    import hollandite.ase

    db.models.add(str(weights), name="chgnet")
    sides = {"hollandite.ase": hollandite.ase.Calculator("chgnet", db)}
    try:
        import torch
        from chgnet.model import CHGNet
        from chgnet.model.dynamics import CHGNetCalculator
    except ModuleNotFoundError as missing:
        print(f"relaxation: without its peer, since {missing.name} is not installed")
        return sides
    sides["chgnet"] = CHGNetCalculator(CHGNet.load(use_device="cpu", verbose=False), use_device="cpu")
    print(f"torch threads {torch.get_num_threads()}")
    return sides


def relaxation(db, weights, rounds, fmax, steps, table):
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE

    start = db.sql("SELECT structure FROM crystals WHERE natoms BETWEEN 20 AND 30 ORDER BY id LIMIT 1").to_ase()[0]
    start.set_cell(start.get_cell() * 1.03, scale_atoms=True)
    start.rattle(0.05, seed=1)

    def relax(calculator):
        atoms, energies = start.copy(), []
        atoms.calc = calculator
        optimizer = FIRE(FrechetCellFilter(atoms), logfile=None)
        optimizer.attach(lambda: energies.append(atoms.get_potential_energy()))
        optimizer.run(fmax=fmax, steps=steps)
        return energies, atoms.get_volume()

    sides, ends = calculators(db, weights), {}
    for turn in range(rounds + 1):
        for side, calculator in sides.items():
            seconds, ends[side] = timed(lambda: relax(calculator))
            if turn:
                table.add(f"relaxation, {len(start)} atoms, a step", side, seconds, len(ends[side][0]) - 1)
    for side, (energies, volume) in ends.items():
        what = f"{start.get_chemical_formula()}, {len(energies) - 1} steps, {energies[0]:.4f} to {energies[-1]:.4f} eV, {volume:.3f} Å³"
        print(f"{side}: {what}")
    if len(ends) == 2:
        ours, theirs = (energies for energies, _ in ends.values())
        worst = max(abs(a - b) for a, b in zip(ours, theirs))
        print(f"energies differ by {worst:.1e} eV at most")
        if worst > AGREEMENT or len(ours) != len(theirs):
            sys.exit("the relaxations do not agree")


def real():
    """The crystals of all files."""
    import hollandite

    for row in itertools.chain.from_iterable(map(crystals, FILES)):
        # In a few of them atoms overlap.
        with contextlib.suppress(hollandite.CrystalError):
            yield hollandite.Crystal(row["lattice"], row["species"], row["frac_coords"])


def lots(db, n):
    """n different crystals as results of a thousand, so that they need not all be in memory as objects."""
    made = itertools.islice(real(), n)
    while lot := list(itertools.islice(made, 1000)):
        db.register("lot", {"k": list(range(len(lot))), "structure": lot})
        yield db.sql("SELECT structure FROM lot ORDER BY k").collect()


def conversions(db, n, rounds, table):
    asked = list(lots(db, n))
    count = sum(map(len, asked))
    for way in ("to_pymatgen", "to_ase"):
        for turn in range(rounds):
            wall, cpu = 0.0, 0.0
            for rows in asked:
                took, _ = timed(getattr(rows, way))
                wall, cpu = wall + took[0], cpu + took[1]
            table.add(f"{way}, a crystal of {count}", "python", (wall, cpu), count)
        round_trip(db, way, table)


def round_trip(db, way, table):
    """A thousand crystals out of a store and into another."""
    import hollandite

    rows = db.sql("SELECT id, structure, structure_hash FROM crystals ORDER BY id LIMIT 1000").collect()
    with hollandite.connect(fresh(f"store-python-{way}"), create=True) as back:
        seconds, _ = timed(lambda: back.import_structures(getattr(rows, way)(), ids=rows["id"], into="back"))
        table.add(f"{way} and back, a crystal", "python", seconds, len(rows))
        hashes = dict(back.sql("SELECT id, structure_hash FROM back").fetchall())
    same = sum(hashes.get(id) == hash for id, _, hash in rows)
    print(f"{way}: {same} of {len(rows)} come back equal by content hash")
    if same < len(rows):
        sys.exit("what comes back is not the same")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=10_000)
    parser.add_argument("--converted", type=int, default=100_000)
    parser.add_argument("--fmax", type=float, default=0.05, help="of the relaxation, in eV/Å")
    parser.add_argument("--steps", type=int, default=500, help="of the relaxation at most")
    parser.add_argument("--serve", metavar="STORE", help="be the side of Python")
    parser.add_argument("--only", choices=["queries", "relaxation", "conversions"], help="measure this alone")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    # What is missing is said before anything is measured.
    weights = need(SHARED / "weights/chgnet/chgnet_0.3.0_e29f68s314m37.pth.tar") if args.only in (None, "relaxation") else None
    path, db = store(args.crystals)
    seconds, converted = Table("s", 1.0), Table("ms", 1000)
    machine()
    if args.only in (None, "queries"):
        queries(path, args.rounds, seconds)
    if args.only in (None, "relaxation"):
        relaxation(db, weights, args.rounds, args.fmax, args.steps, converted)
    if args.only in (None, "conversions"):
        conversions(db, args.converted, args.rounds, converted)
    machine()
    seconds.print()
    converted.print()


if __name__ == "__main__":
    main()
