"""pymatgen and ASE read crystals that hollandite wrote, and say what they find.

    written.py FOLDER

The folder holds the same crystals as a.xyz, a.db, a.json.gz (pymatgen), cif/, symmetrised/ and poscar/. Prints for each the
id, the formula, the volume per atom and the space group of every crystal, and what stands beside the first.
"""

import gzip
import json
import sys
import warnings
from pathlib import Path

import ase.db
import ase.io
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

warnings.filterwarnings("ignore")


def seen(name, structure):
    number = structure.get_space_group_info(symprec=0.01)[1]
    return [name, structure.composition.reduced_formula, round(structure.volume / len(structure), 6), number]


def main(folder):
    folder = Path(folder)
    found, beside = {}, {}
    frames = ase.io.read(folder / "a.xyz", index=":")
    found["a.xyz"] = [seen(atoms.info["id"], AseAtomsAdaptor.get_structure(atoms)) for atoms in frames]
    beside["a.xyz"] = {
        "note": frames[0].info["note"],
        "code": frames[0].info["code"],
        "void": frames[0].info["void"],
        "energy": frames[0].get_potential_energy(),
        "elements": frames[0].info["elements"],
    }
    with ase.db.connect(folder / "a.db") as database:
        rows = list(database.select())
        first = rows[0]
        assert database.count(material_id=first.material_id) == 1
        assert database.count("void<2") == len(rows) and database.count("O") == len(rows)
        # ASE writes into it as into one of its own.
        database.update(first.id, checked=True)
        database.write(first.toatoms(), copy=True)
        assert database.count() == len(rows) + 1 and database.get(first.id).checked
    found["a.db"] = [seen(row.material_id, AseAtomsAdaptor.get_structure(row.toatoms())) for row in rows]
    beside["a.db"] = {
        "note": first.note,
        "code": first.code,
        "void": first.void,
        "energy": first.toatoms().get_potential_energy(),
        "elements": first.data["elements"],
    }
    with gzip.open(folder / "a.json.gz", "rt") as file:
        crystals = [Structure.from_dict(document) for document in json.load(file)]
    found["a.json.gz"] = [seen(crystal.properties["id"], crystal) for crystal in crystals]
    beside["a.json.gz"] = {key: crystals[0].properties[key] for key in ["note", "code", "void", "energy", "elements"]}
    for kind in ["cif", "symmetrised", "poscar"]:
        files = sorted((folder / kind).iterdir(), key=lambda file: file.stem)
        found[kind] = [seen(file.stem, Structure.from_file(file)) for file in files]
    print(json.dumps({"found": found, "beside": beside}))


if __name__ == "__main__":
    main(sys.argv[1])
