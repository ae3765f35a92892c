"""Writes crystals with ASE, as a database and as extended XYZ, into the folder that is named, and prints what ASE holds."""

import json
import sys

try:
    import ase.db
    import ase.io
    from ase.build import bulk
    from ase.calculators.singlepoint import SinglePointCalculator
except ImportError:
    print("null")
    sys.exit()

folder = sys.argv[1]
crystals = []
for symbol, structure, a in [("Cu", "fcc", 3.61), ("NaCl", "rocksalt", 5.64), ("Si", "diamond", 5.43), ("ZnO", "wurtzite", 3.25)]:
    atoms = bulk(symbol, structure, a=a)
    atoms = atoms.repeat((2, 1, 1))
    atoms.rattle(0.01, seed=1)
    atoms.calc = SinglePointCalculator(atoms, energy=-1.5 * len(atoms), forces=atoms.positions)
    atoms.info = {"name with blank": 'a "quoted" {text}', "array": [1, 2, 3], "flag": True, "count": 3, "band_gap": 0.5}
    crystals.append(atoms)

with ase.db.connect(f"{folder}/crystals.db") as database:
    for atoms in crystals:
        database.write(atoms, band_gap=0.5, mp_id="x-" + atoms.get_chemical_formula())
ase.io.write(f"{folder}/crystals.xyz", crystals, format="extxyz")
print(
    json.dumps(
        [
            {
                "cell": atoms.cell.array.tolist(),
                "numbers": atoms.numbers.tolist(),
                "frac_coords": atoms.get_scaled_positions(wrap=False).tolist(),
                "energy": atoms.get_potential_energy(),
                "id": "x-" + atoms.get_chemical_formula(),
            }
            for atoms in crystals
        ]
    )
)
