"""What Python costs, and CHGNet in ASE without torch beside chgnet's own calculator. The wheel is installed where this runs.

Queries: the README's, over 10 000 real oxides with nothing remembered, asked of one process that stays: the shell of the program
(Rust alone), and Python (`fetchall`). Both print the rows that they found, which must be the same.

Relaxation: a crystal pulled out of its place, by FIRE of ASE with a cell filter. Each side has its calculator and
everything else in common; energies must agree at every step.

Conversions: crystals of all files of data to structures of pymatgen and Atoms of ASE; a thousand of them back into a store, and
compared by content hash.
"""

import contextlib
import itertools
import sys

from common import SHARED, Lines, Table, arguments, crystals, fresh, machine, need, timed

# eV of the whole cell, at every step.
AGREEMENT = 1e-4
# Of 107 849 crystals.
FILES = ["tmo.jsonl.gz", "other.jsonl.gz", "tmo_unlabelled.jsonl.gz"]
QUERY = "SELECT id, formula, predict_ef(structure) AS ef FROM crystals WHERE void > 0.5 ORDER BY ef LIMIT 20"
EVERY = "SELECT count(*) AS n, sum(predict_ef(structure)) AS s FROM crystals"


def serve(path):
    """Answers queries of standard input with rows of CSV."""
    import hollandite

    with hollandite.connect(path) as db:
        db.sql("SET hollandite.cache = false").fetchall()
        for line in sys.stdin:
            result = db.sql(line)
            print(*result.columns, sep=",")
            for row in result.fetchall():
                print(*row, sep=",")
            sys.stdout.flush()


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


def queries(path, rounds, table):
    shell = Lines([sys.executable, "-m", "hollandite", "--store", path, "shell", "--format", "csv"])
    python = Lines([sys.executable, __file__, "--serve", path])
    shell.ask("SET hollandite.cache = false; SELECT 1;", 2)
    for task, query, lines in (("20 rows", QUERY, 21), ("a prediction for every row", EVERY, 2)):
        for turn in range(rounds + 1):
            answers = {}
            for side, process, text in (("shell", shell, query + ";"), ("python", python, query)):
                seconds, answers[side] = process.ask(text, lines)
                # The first turn warms up.
                if turn:
                    table.add(task, side, seconds)
            values = [[line.split(",") for line in answer[1:]] for answer in answers.values()]
            if any(a[:-1] != b[:-1] or abs(float(a[-1]) - float(b[-1])) > 1e-6 for a, b in zip(*values)):
                sys.exit(f"the answers do not agree: {answers}")
    shell.close()
    python.close()


def relaxation(db, weights, rounds, steps, table):
    import torch
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE
    from chgnet.model import CHGNet
    from chgnet.model.dynamics import CHGNetCalculator

    import hollandite.ase

    db.models.add(str(weights), name="chgnet")
    model = CHGNet.load(use_device="cpu", verbose=False)
    sides = {
        "hollandite.ase": hollandite.ase.Calculator("chgnet", db),
        "chgnet": CHGNetCalculator(model, use_device="cpu"),
    }
    start = db.sql("SELECT structure FROM crystals WHERE natoms BETWEEN 20 AND 30 ORDER BY id LIMIT 1").to_ase()[0]
    start.set_cell(start.get_cell() * 1.03, scale_atoms=True)
    start.rattle(0.05, seed=1)

    def relax(calculator):
        atoms, energies = start.copy(), []
        atoms.calc = calculator
        optimizer = FIRE(FrechetCellFilter(atoms), logfile=None)
        optimizer.attach(lambda: energies.append(atoms.get_potential_energy()))
        optimizer.run(fmax=1e-9, steps=steps)
        return energies

    for turn in range(rounds + 1):
        energies = {}
        for side, calculator in sides.items():
            seconds, energies[side] = timed(lambda: relax(calculator))
            if turn:
                table.add(f"relaxation, {len(start)} atoms, a step", side, seconds, steps)
    ours, theirs = energies.values()
    worst = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    print(f"{start.get_chemical_formula()}, {len(ours) - 1} steps, {ours[0]:.4f} to {ours[-1]:.4f} eV; energies differ by {worst:.1e} eV at most")
    print(f"torch threads {torch.get_num_threads()}")
    if worst > AGREEMENT:
        sys.exit("the energies do not agree")


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
        yield db.sql("SELECT structure, structure_hash(structure) AS hash FROM lot ORDER BY k").collect()


def conversions(db, n, rounds, table):
    import hollandite

    asked = list(lots(db, n))
    count = sum(map(len, asked))
    for way in ("to_pymatgen", "to_ase"):
        for turn in range(rounds):
            wall, cpu = 0.0, 0.0
            for rows in asked:
                took, _ = timed(getattr(rows, way))
                wall, cpu = wall + took[0], cpu + took[1]
            table.add(f"{way}, a crystal of {count}", "python", (wall, cpu), count)
        made = getattr(asked[0], way)()
        with hollandite.connect(fresh(f"store-python-{way}"), create=True) as back:
            seconds, _ = timed(lambda: back.import_structures(made, ids=[str(k) for k in range(len(made))], into="back"))
            table.add(f"{way} and back, a crystal", "python", seconds, len(made))
            hashes = dict(back.sql("SELECT id, structure_hash FROM back").fetchall())
        same = sum(hashes.get(str(k)) == hash for k, hash in enumerate(asked[0]["hash"]))
        print(f"{way}: {same} of {len(made)} come back equal by content hash")
        if same < len(made):
            sys.exit("what comes back is not the same")


def main():
    parser = arguments(__doc__)
    parser.add_argument("--crystals", type=int, default=10_000)
    parser.add_argument("--converted", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=30, help="steps of the relaxation")
    parser.add_argument("--serve", metavar="STORE", help="be the side of Python")
    parser.add_argument("--only", choices=["queries", "relaxation", "conversions"], help="measure this alone")
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    path, db = store(args.crystals)
    seconds, converted = Table("s", 1.0), Table("ms", 1000)
    machine()
    if args.only in (None, "queries"):
        queries(path, args.rounds, seconds)
    if args.only in (None, "relaxation"):
        weights = need(SHARED / "weights/chgnet/chgnet_0.3.0_e29f68s314m37.pth.tar")
        relaxation(db, weights, args.rounds, args.steps, converted)
    if args.only in (None, "conversions"):
        conversions(db, args.converted, args.rounds, converted)
    machine()
    seconds.print()
    converted.print()


if __name__ == "__main__":
    main()
