"""CIF parsing and import against pymatgen and ase, time per crystal.

Ours is the whole process `hollandite import`, from its start to the committed snapshot of a fresh store: parsing, content
hash, neighbour check, density, void, space group, Parquet. `--dry-run` writes nothing; "parse" is formats::read_file alone,
in a loop on one thread as the peers'. The peers only parse, and the start of Python and its imports are not counted; "+ spglib" adds
the space group, which import finds too.
"""

import gzip
import json

from common import CACHE, SHARED, Lines, Table, arguments, crystals, fresh, machine, need, program, run, timed, worker


def pymatgen_structure(row):
    from pymatgen.core import Structure

    return Structure(row["lattice"], row["species"], row["frac_coords"])


def cifs(n):
    """Folders of CIFs: n in P1 written by pymatgen once, and the symmetrised hosts."""
    from pymatgen.io.cif import CifWriter

    folder = CACHE / f"cifs-{n}"
    if not folder.exists():
        half = fresh(f"cifs-{n}.unfinished")
        rows = list(crystals("tmo.jsonl.gz"))
        for row in rows[:: len(rows) // n][:n]:
            (half / f"{row['id']}.cif").write_text(str(CifWriter(pymatgen_structure(row))))
        half.rename(folder)
    return {"P1": folder, "symmetrised": need(SHARED / "data" / "hosts")}


def pymatgen_cif(path):
    from pymatgen.io.cif import CifParser

    return CifParser(path).parse_structures(primitive=False)[0]


def ase_cif(path):
    from ase.io import read

    return read(path)


def spacegroup(structure):
    import spglib

    cell = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    return spglib.get_spacegroup(cell, symprec=0.1)


def imported(binary, paths, *options):
    """Imports into a fresh store; seconds of the whole process and its last line."""
    store = fresh("store-import")
    run([binary, "init", store / "s"])
    seconds, out = run([binary, "--store", store / "s", "import", *paths, "--into", "crystals", *options])
    return seconds, out.strip().splitlines()[-1]


def main():
    parser = arguments(__doc__)
    parser.add_argument("--cifs", type=int, default=1000, help="P1 files")
    parser.add_argument("--peer-cifs", type=int, default=200, help="of these, how many the peers read in a turn")
    parser.add_argument("--rows", type=int, default=1000, help="rows of tmo.jsonl.gz that pymatgen reads in a turn")
    args = parser.parse_args()
    binary, table = program(args.profile), Table("ms/crystal", 1e3)
    files = {kind: sorted(folder.glob("*.cif")) for kind, folder in cifs(args.cifs).items()}
    parse = Lines([worker(args.profile), "parse"])
    jsonl = need(SHARED / "data" / "tmo.jsonl.gz")
    pymatgen_cif(files["P1"][0]), ase_cif(files["P1"][0])  # imports, not counted
    machine()
    for kind, paths in files.items():
        some = paths[:: max(1, len(paths) // args.peer_cifs)][: args.peer_cifs]
        for _ in range(args.rounds):
            seconds, line = imported(binary, [paths[0].parent])
            table.add(f"CIF {kind}", "hollandite import", seconds, len(paths))
            seconds, _ = imported(binary, [paths[0].parent], "--dry-run")
            table.add(f"CIF {kind}", "hollandite import --dry-run", seconds, len(paths))
            seconds, answer = parse.ask(json.dumps([str(p) for p in paths]))
            table.add(f"CIF {kind}", "hollandite parse", seconds, len(paths))
            seconds, structures = timed(lambda: [pymatgen_cif(p) for p in some])
            table.add(f"CIF {kind}", "pymatgen CifParser", seconds, len(some))
            more, _ = timed(lambda: [spacegroup(s) for s in structures])
            both = [a + b for a, b in zip(seconds, more)]
            table.add(f"CIF {kind}", "pymatgen CifParser + spglib", both, len(some))
            seconds, _ = timed(lambda: [ase_cif(p) for p in some])
            table.add(f"CIF {kind}", "ase.io.read", seconds, len(some))
        print(f"CIF {kind}: {line}; parsed {answer[0].strip()}")

    def read():
        with gzip.open(jsonl, "rt") as lines:
            return [pymatgen_structure(json.loads(next(lines))) for _ in range(args.rows)]

    for _ in range(min(args.rounds, 3)):
        seconds, line = imported(binary, [jsonl])
        table.add("JSONL tmo", "hollandite import", seconds, 18352)
        seconds, answer = parse.ask(json.dumps([str(jsonl)]))
        table.add("JSONL tmo", "hollandite parse", seconds, 18352)
        seconds, structures = timed(read)
        table.add("JSONL tmo", "pymatgen Structure", seconds, args.rows)
        more, _ = timed(lambda: [spacegroup(s) for s in structures])
        table.add("JSONL tmo", "pymatgen Structure + spglib", [a + b for a, b in zip(seconds, more)], args.rows)
    print(f"JSONL tmo: {line}; parsed {answer[0].strip()}")
    parse.close()
    start = [run([binary, "--store", CACHE / "store-import" / "s", "sql", "SELECT 1"])[0] for _ in range(5)]
    for seconds in start:
        table.add("of which start-up", "hollandite sql 'SELECT 1'", seconds)
    table.print()
    machine()


if __name__ == "__main__":
    main()
