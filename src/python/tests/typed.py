"""What type checkers know of the package: checked, never run."""

import os
from pathlib import Path
from typing import Any, assert_type

import ase
import polars
from pymatgen.core.structure import Structure

import hollandite
from hollandite import Crystal, Result

structure = Structure.from_file("rutile.cif")
atoms = ase.Atoms("TiO2", cell=[4, 4, 3], pbc=True)
crystal = Crystal.read(Path("POSCAR").read_text())

# One answers a value, many a list, a column a column.
assert_type(hollandite.void(structure, "ionic"), float | None)
assert_type(hollandite.void("a CIF", radii="ionic"), float | None)
assert_type(hollandite.void([structure, atoms, None]), list[float | None])
assert_type(hollandite.void(polars.Series([1])), polars.Series)
assert_type(hollandite.spacegroup(crystal), int | None)
assert_type(hollandite.reduced_formula(atoms), str | None)
assert_type(hollandite.same_structure(structure, [structure, atoms]), list[bool | None])
assert_type(hollandite.capacity("LiCoO2", ["Li", "Na"], 1, 1), list[dict[str, Any] | None])
assert_type(hollandite.xrd([structure]), list[list[float] | None])
assert_type(hollandite.phase_diagram(["TiO2"], [-3.3]), str | None)
assert_type(hollandite.magpie_names(), list[str])

# A crystal comes back as it came.
assert_type(hollandite.substitute(structure, "Ti", "V"), Structure | None)
assert_type(hollandite.substitute([structure], "Ti", "V"), list[Structure | None])
assert_type(hollandite.substitute(crystal, "Ti", "V"), Crystal | None)
assert_type(hollandite.substitute("a CIF", "Ti", "V"), Crystal | None)

with hollandite.connect("store", create=True) as db:
    assert_type(db, hollandite.Connection)
    result = db.sql("SELECT id, structure FROM tmo WHERE void > :least", {"least": 0.5})
    assert_type(result, Result)
    assert_type(result.fetchone(), tuple[Any, ...] | None)
    assert_type(result.units, dict[str, str | None])
    assert_type(result.to_pymatgen(), list[Structure | None])
    assert_type(result.to_crystals(), list[Crystal | None])
    assert_type(result.to_polars(), polars.DataFrame)
    assert_type(hollandite.void(result), list[float | None])
    assert_type(db.functions.predict_ef(structure, "mine"), float | None)
    assert_type(db.import_files(Path("a.cif"), "b", into="mine").added, int)
    assert_type(db.snapshots(), Result)
    assert_type(db.path, Path | None)
    db.train(model="cgcnn", epochs=3, out=Path("out"), set={"width": 32})
    db.report(result.columns[0], to=os.path.join("a", "b.html"), cards=3).save("page.html")
    db.restore(to=7)
    assert_type(db.plot.structure("rutile", cells="2x2x2").data, bytes)
    assert_type(str(db.models()), str)

assert_type(crystal.to_pymatgen(), Structure)
assert_type(hollandite.StoreError().file, Path | None)
assert_type(crystal.lattice, list[list[float]])
assert_type(hollandite.queries["tunnels"], str)
assert_type(Crystal.read(Path("a.cif")), Crystal)

# What needs another package is there by its name too.
assert_type(hollandite.ase.Calculator("chgnet"), hollandite.ase.Calculator)
assert_type(hollandite.sklearn.Featurizer("magpie").feature_labels(), list[str])
assert_type(hollandite.dbapi.driver(), str)
