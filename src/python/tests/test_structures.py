"""Crystals between the store, pymatgen and ASE."""

import pickle

import ase
import numpy as np
import pandas
import pytest
from pymatgen.core import Lattice, Structure

import hollandite


@pytest.fixture(scope="module")
def crystals(db):
    """Every crystal of the embedded store: published hosts and labelled phases."""
    result = db.sql(
        "SELECT id, structure, structure_hash FROM tmo UNION ALL SELECT id, structure, structure_hash FROM sample ORDER BY id"
    ).collect()
    assert len(result) > 400
    return result


@pytest.mark.parametrize("way", ["to_pymatgen", "to_ase", "to_crystals"])
def test_there_and_back_is_the_same_crystal(crystals, tmp_path, way):
    structures = getattr(crystals, way)()
    with hollandite.connect(tmp_path / "store", create=True) as store:
        ids = [f"row-{i}" for i in range(len(structures))]
        said = store.import_structures(structures, into="back", ids=ids, source="round trip")
        # A crystal that is there twice under two names comes back twice.
        assert said.added == len(structures) and said.quarantined == 0, said
        hashes = dict(store.sql("SELECT id, structure_hash FROM back").fetchall())
    assert [hashes[one] for one in ids] == crystals["structure_hash"]


def test_the_numbers_are_those_of_pymatgen_and_ase(crystals):
    for theirs, atoms, ours in zip(crystals.to_pymatgen(), crystals.to_ase(), crystals.to_crystals()):
        assert list(theirs.atomic_numbers) == list(atoms.numbers) == ours.numbers
        assert theirs.volume == pytest.approx(ours.volume, rel=1e-12)
        assert np.allclose(atoms.get_scaled_positions(wrap=False), ours.frac_coords, atol=1e-12)
        assert theirs.composition.reduced_formula.replace(" ", "") and all(atoms.pbc)


def test_null_stays_null(db):
    result = db.sql("SELECT NULL::VARCHAR AS id, structure(NULL) AS structure")
    assert result.to_pymatgen() == result.to_ase() == result.to_crystals() == [None]


def test_a_crystal_is_light_hashable_and_picklable(rutile):
    assert repr(rutile).startswith("Crystal(TiO2, 6 atoms, 4.592") and len(rutile) == 6
    assert repr(hollandite.Crystal([[3, 0, 0], [0, 3, 0], [0, 0, 3]], ["Ti"], [[0, 0, 0]])) == "Crystal(Ti, 1 atom, 3.000 3.000 3.000 Å)"
    again = pickle.loads(pickle.dumps(rutile))
    assert again == rutile and hash(again) == hash(rutile) and again is not rutile
    assert hollandite.Crystal.read(rutile.to_cif()).formula == "TiO2"
    assert hollandite.Crystal.read(rutile.to_poscar()) == rutile
    assert Structure.from_dict(rutile.as_dict()) == rutile.to_pymatgen()
    made = hollandite.Crystal(rutile.lattice, rutile.species, rutile.frac_coords)
    assert made == rutile == hollandite.Crystal(rutile.lattice, rutile.numbers, rutile.frac_coords)


def test_frames_of_pandas_hold_structures(db, rutile):
    frame = db.sql("SELECT id, structure, void FROM tmo WHERE formula = 'TiO2' ORDER BY id").to_pandas()
    assert isinstance(frame["structure"][0], Structure)
    db.register("frame", frame)
    back = db.sql("SELECT id, void(structure) AS void FROM frame ORDER BY id").to_pandas()
    assert np.allclose(back["void"], frame["void"])
    db.register("listed", [rutile.to_pymatgen(), rutile.to_ase(), rutile])
    assert db.sql("SELECT id, reduced_formula(structure) FROM listed ORDER BY id").fetchall() == [(i, "TiO2") for i in (1, 2, 3)]


def test_disordered_and_molecular_structures_are_refused_with_a_remedy(db):
    disordered = Structure(Lattice.cubic(4), [{"Ti": 0.5, "V": 0.5}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(hollandite.CrystalError, match="order"):
        hollandite.density(disordered)
    with pytest.raises(hollandite.CrystalError, match="pbc"):
        hollandite.density(ase.Atoms("O2", positions=[[0, 0, 0], [0, 0, 1.2]]))


def test_documents_of_the_materials_project_are_imported_with_their_energies(tmp_path, rutile):
    documents = [
        {"material_id": "mp-2657", "structure": rutile.to_pymatgen(), "formation_energy_per_atom": -3.3, "energy_above_hull": 0.04},
        {"material_id": "mp-1", "structure": rutile.to_pymatgen().as_dict(), "formation_energy_per_atom": -3.2, "energy_above_hull": 0.1},
    ]
    with hollandite.connect(tmp_path / "store", create=True) as store:
        said = store.import_structures(documents, source="Materials Project")
        assert said.added == 2, said
        rows = store.sql("SELECT id, formation_energy_per_atom, source FROM tmo ORDER BY id").fetchall()
    assert [row[:2] for row in rows] == [("mp-1", -3.2), ("mp-2657", -3.3)]


def test_properties_become_columns(tmp_path, rutile):
    with hollandite.connect(tmp_path / "store", create=True) as store:
        said = store.import_structures([rutile], ids=["r"], properties={"formation_energy_per_atom": [-3.3], "band_gap": [1.8]})
        assert repr(said).startswith("added 1 row to tmo (snapshot ")
        assert store.sql("SELECT id, formation_energy_per_atom, band_gap FROM tmo").fetchall() == [("r", -3.3, 1.8)]


def test_files_are_imported_and_what_is_refused_is_said(tmp_path, rutile):
    (tmp_path / "good.cif").write_text(rutile.to_cif("rutile"))
    (tmp_path / "bad.cif").write_text("data_x\n_cell_length_a 4.0\n")
    with hollandite.connect(tmp_path / "store", create=True) as store:
        said = store.import_files(tmp_path / "good.cif", tmp_path / "bad.cif")
        assert (said.added, said.quarantined, said.files) == (1, 1, 2) and "in quarantine" in repr(said)
        assert store.import_files(tmp_path / "good.cif").present == 1
        assert isinstance(store.sql("SELECT line FROM quarantine").fetchone()[0], int)


def test_columns_that_hold_no_crystals_are_said(db):
    with pytest.raises(hollandite.UsageError, match="no column holds crystals; there are id"):
        db.sql("SELECT id FROM tmo").to_pymatgen()
    assert isinstance(db.sql("SELECT id, structure FROM tmo LIMIT 1").to_pandas("crystal"), pandas.DataFrame)
