"""scikit-learn and matminer, DuckDB, the DB-API, ASE, notebooks."""

import os

import adbc_driver_manager.dbapi
import duckdb
import numpy as np
import pandas
import polars
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import hollandite
import hollandite.dbapi
import hollandite.duckdb
import hollandite.sklearn
from test_manners import SLOW, ends_by_ctrl_c


def test_a_featurizer_of_scikit_learn(db):
    rows = db.sql("SELECT structure, formation_energy_per_atom AS ef FROM sample WHERE natoms < 30 ORDER BY id").to_pandas()
    featurizer = hollandite.sklearn.Featurizer(["density", "void(ionic, 0.76)"])
    values = featurizer.fit_transform(rows["structure"])
    assert values.shape[0] == len(rows) and list(featurizer.get_feature_names_out())[:2] == ["density", "void(ionic, 0.76)"]
    assert np.allclose(values[:, 0], hollandite.density(list(rows["structure"])))
    assert np.array_equal(featurizer.transform(rows["structure"][:5]), values[:5], equal_nan=True)
    model = make_pipeline(hollandite.sklearn.Featurizer(["magpie"]), StandardScaler(), Ridge(10.0)).fit(rows["structure"], rows["ef"])
    assert model.score(rows["structure"], rows["ef"]) > 0.8
    with pytest.raises(hollandite.UsageError, match="is no feature"):
        hollandite.sklearn.Featurizer(["nonsense"]).fit(rows["structure"])


def test_a_frame_is_featurized_as_matminer_does(db):
    frame = db.sql("SELECT id, structure FROM tmo ORDER BY id LIMIT 8").to_pandas()
    featurizer = hollandite.sklearn.Featurizer(["magpie", "density"])
    wide = featurizer.featurize_dataframe(frame, "structure")
    assert list(wide["id"]) == list(frame["id"]) and len(featurizer.feature_labels()) > 100
    assert set(featurizer.feature_labels()) < set(wide.columns) and len(frame.columns) == 2


def test_it_takes_the_keywords_of_matminer(db):
    frame = db.sql("SELECT structure FROM tmo ORDER BY id LIMIT 2").to_pandas()
    featurizer = hollandite.sklearn.Featurizer(["density", "void"])
    wide = featurizer.featurize_dataframe(frame, ["structure"], ignore_errors=True, pbar=False)
    many = featurizer.featurize_many(frame["structure"], ignore_errors=True, pbar=False)
    assert many == wide[["density", "void"]].to_numpy().tolist() and featurizer.featurize(frame["structure"][1]) == many[1]
    with pytest.warns(hollandite.HollanditeWarning):
        assert np.isnan(featurizer.featurize("no crystal")).all()
    for more, message in [({"multiindex": True}, "multiindex=True is not known"), ({"return_errors": True}, "warnings say")]:
        with pytest.raises(hollandite.UsageError, match=message):
            featurizer.featurize_dataframe(frame, "structure", **more)
    assert featurizer.featurize_dataframe(frame, "structure", inplace=True) is frame and "void" in frame


def test_functions_in_duckdb(db):
    con = duckdb.connect()
    names = hollandite.duckdb.register(con)
    assert {"void", "density", "spacegroup", "reduced_formula"} <= set(names)
    crystals = db.sql("SELECT id, structure, void, spacegroup, formula FROM tmo ORDER BY id").to_arrow()
    rows = con.sql("SELECT void(structure) - void, spacegroup(structure) = spacegroup, reduced_formula(structure) = formula FROM crystals").fetchall()
    assert len(rows) > 100 and all(abs(a) < 1e-9 and b and c for a, b, c in rows)
    hollandite.duckdb.register(con, {"open_volume": ("void", {"radii": "ionic"})})
    assert con.sql("SELECT open_volume(structure) FROM crystals WHERE id = 'rutile'").fetchall()[0][0] == pytest.approx(
        db.sql("SELECT void(structure, 'ionic') FROM tmo WHERE id = 'rutile'").fetchone()[0]
    )
    assert con.sql("SELECT void(NULL)").fetchall() == [(None,)]


def test_functions_in_duckdb_take_arguments(db):
    con = duckdb.connect()
    hollandite.duckdb.register(con)
    rows = db.sql("SELECT id, structure FROM tmo WHERE natoms < 20 ORDER BY id LIMIT 6")
    crystals, structures = rows.to_arrow(), rows.to_crystals()
    for call, expected in [
        ("void(structure, 'ionic', 0.76)", hollandite.void(structures, "ionic", 0.76)),
        # Not the same in each row.
        ("void(structure, 'ionic', length(id) / 50)", hollandite.void(structures, "ionic", [len(id) / 50 for id in rows["id"]])),
        ("predict_ef(structure, 'cgcnn')", hollandite.predict_ef(structures, "cgcnn")),
        ("has_element(structure, 'Ti')", hollandite.has_element(structures, "Ti")),
        ("same_structure(structure, structure)", [True] * len(structures)),
        ("void(structure, NULL)", [None] * len(structures)),
    ]:
        answers = [one for (one,) in con.sql(f"SELECT {call} FROM crystals ORDER BY id").fetchall()]
        assert answers == pytest.approx(expected), call
    for call, message in [
        ("void(structure, 'ionic', 0.76, 1)", "void takes radii, probe after the crystal"),
        ("void(structure, 'nonsense')", "no radius set 'nonsense'"),
        ("has_element(structure)", "has_element"),
    ]:
        with pytest.raises(duckdb.Error, match=message):
            con.sql(f"SELECT {call} FROM crystals").fetchall()


def test_functions_in_duckdb_answer_structs(db):
    con = duckdb.connect()
    hollandite.duckdb.register(con)
    crystals = db.sql("SELECT structure FROM tmo WHERE id = 'rutile'").to_arrow()
    (rutile,) = db.sql("SELECT structure FROM tmo WHERE id = 'rutile'").to_crystals()
    found = con.sql("SELECT coordination(structure), channels(structure), magpie(structure) FROM crystals").fetchall()[0]
    assert list(found) == [hollandite.coordination(rutile), hollandite.channels(rutile), hollandite.magpie(rutile)]
    assert con.sql("SELECT substitute(structure, 'Ti', 'V').numbers FROM crystals").fetchall() == [(hollandite.substitute(rutile, "Ti", "V").numbers,)]


def test_functions_are_registered_in_duckdb_twice():
    con = duckdb.connect()
    assert hollandite.duckdb.register(con) == hollandite.duckdb.register(con)
    assert con.sql("SELECT void(NULL)").fetchall() == [(None,)]


def test_a_featurizer_is_cloned_with_its_store(db):
    featurizer = clone(hollandite.sklearn.Featurizer("density", db=db))
    rows = db.sql("SELECT structure FROM tmo ORDER BY natoms").to_crystals()
    assert featurizer.fit_transform(rows[:3]).shape == (3, 1)
    # Lists of small crystals are shorter than those of fit, and of no crystal there is none.
    lists = hollandite.sklearn.Featurizer(["coulomb_eigenvalues"]).fit([rows[-1]])
    width = len(lists.feature_labels())
    assert lists.transform([rows[0], None]).shape == (2, width) and np.isnan(lists.transform([None])).all()
    with pytest.raises(hollandite.FeatureError, match="fit on the largest"):
        hollandite.sklearn.Featurizer(["coulomb_eigenvalues"]).fit([rows[0]]).transform([rows[-1]])


def test_the_driver_of_adbc(tmp_path):
    with hollandite.connect() as db:
        folder = db.path
    with hollandite.dbapi.connect(folder) as con:
        frame = pandas.read_sql("SELECT id, void FROM tmo WHERE void > 0.6 ORDER BY id", con)
        assert len(frame) > 3 and (frame["void"] > 0.6).all()
        same = polars.read_database("SELECT id, void FROM tmo WHERE void > 0.6 ORDER BY id", con)
        assert same["id"].to_list() == list(frame["id"])
        with con.cursor() as cursor:
            cursor.execute("SELECT id FROM tmo WHERE void > $1 AND formula = $2 ORDER BY id", (0.5, "TiO2"))
            assert len(cursor.fetchall()) >= 2
            with pytest.raises(Exception, match="did you mean 'void'"):
                cursor.execute("SELECT voidd FROM tmo")
        tables = con.adbc_get_objects(depth="tables", table_name_filter="tmo").read_all().to_pylist()
        assert tables[0]["catalog_db_schemas"][0]["db_schema_tables"][0]["table_name"] == "tmo"
        columns = con.adbc_get_objects(depth="columns", table_name_filter="tmo").read_all().to_pylist()
        assert len(columns[0]["catalog_db_schemas"][0]["db_schema_tables"][0]["table_columns"]) > 10
        assert "structure" in con.adbc_get_table_schema("tmo").names
        assert con.adbc_get_info()["vendor_name"] == "hollandite"


def test_rows_are_written_through_adbc(store):
    with hollandite.dbapi.connect(store.path) as con:
        frame = polars.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0]})
        assert frame.write_database("mine", con) == 2
        assert frame.write_database("mine", con, if_table_exists="append") == 2
        with con.cursor() as cursor:
            cursor.execute("SELECT count(*), sum(x) FROM mine")
            assert cursor.fetchone() == (4, 6.0)
            cursor.execute("DELETE FROM mine WHERE id = $1", ("a",))
    assert store.sql("SELECT id FROM mine").fetchall() == [("b",), ("b",)]
    with hollandite.dbapi.connect(store.path, read_only=True) as con:
        assert pandas.read_sql("SELECT id FROM mine", con)["id"].to_list() == ["b", "b"]
        with pytest.raises(Exception, match="read-only"), con.cursor() as cursor:
            cursor.execute("DELETE FROM mine")
        with pytest.raises(Exception, match="read-only"):
            frame.write_database("mine", con, if_table_exists="append")
    options = {"uri": str(store.path), "hollandite.read_only": "yes"}
    with pytest.raises(Exception, match="hollandite.read_only yes: expected true or false"):
        adbc_driver_manager.dbapi.connect(driver=hollandite.dbapi.driver(), entrypoint=hollandite.dbapi.ENTRYPOINT, db_kwargs=options)


@pytest.mark.parametrize("read", ["fetchall", "fetch_arrow_table", "pandas", "polars"])
def test_what_goes_wrong_in_rows_is_a_warning_through_adbc_too(store, read):
    query = "SELECT void(structure('no crystal')) AS void"
    with hollandite.dbapi.connect(store.path) as con, pytest.warns(hollandite.HollanditeWarning, match="NULL for 1 row") as caught:
        if read == "pandas":
            pandas.read_sql(query, con)
        elif read == "polars":
            assert polars.read_database(query, con)["void"].to_list() == [None]
        else:
            with con.cursor() as cursor:
                cursor.execute(query)
                getattr(cursor, read)()
    assert len(caught) == 1 and (read in ("pandas", "polars") or caught[0].filename == __file__)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    "read",
    ["cursor.execute(SLOW); cursor.fetchall()", "cursor.execute(SLOW); cursor.fetch_arrow_table()", "pandas.read_sql(SLOW, con)"],
)
def test_ctrl_c_ends_a_statement_of_adbc(read):
    code = f"""
import hollandite, hollandite.dbapi, pandas, time
SLOW = {SLOW!r}
with hollandite.connect() as db:
    path = db.path
with hollandite.dbapi.connect(path) as con, con.cursor() as cursor:
    cursor.execute("SELECT 1"); cursor.fetchall()
    print("ready", flush=True)
    try:
        {read}
        print("it ended by itself")
    except KeyboardInterrupt:
        print("interrupted")
    cursor.execute("SELECT 41 + 1")
    print(cursor.fetchall())
"""
    ends_by_ctrl_c(code)


WEIGHTS = os.environ.get("HOLLANDITE_CHGNET")


@pytest.mark.skipif(not WEIGHTS, reason="HOLLANDITE_CHGNET names no weights of CHGNet")
def test_a_calculator_of_ase(store, rutile):
    import ase.optimize
    import hollandite.ase

    store.models.add(WEIGHTS, name="chgnet")
    atoms = rutile.to_ase()
    atoms.rattle(0.05, seed=1)
    atoms.calc = hollandite.ase.Calculator("chgnet", store)
    energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
    assert energy / 6 < -8 and forces.shape == (6, 3) and abs(forces.sum(axis=0)).max() < 1e-3 and stress.shape == (6,)
    assert atoms.get_magnetic_moments().shape == (6,)
    # The forces are the negative gradient of the energy.
    moved = atoms.copy()
    moved.calc = atoms.calc
    moved.positions[0, 0] += 0.01
    higher = moved.get_potential_energy()
    moved.positions[0, 0] -= 0.02
    assert (moved.get_potential_energy() - higher) / 0.02 == pytest.approx(forces[0, 0], abs=0.05)
    # The stress is the derivative of the energy by the strain, over the volume.
    wide = atoms.copy()
    wide.set_cell(atoms.cell.array * 1.03, scale_atoms=True)
    wide.calc = atoms.calc
    pulled = wide.get_stress()[0]

    def strained(by):
        other = wide.copy()
        other.set_cell(wide.cell.array @ np.diag([1 + by, 1, 1]), scale_atoms=True)
        other.calc = atoms.calc
        return other.get_potential_energy()

    derivative = (strained(0.002) - strained(-0.002)) / (0.004 * wide.get_volume())
    assert pulled > 0.02 and pulled == pytest.approx(derivative, abs=0.01)
    ase.optimize.FIRE(atoms, logfile=None).run(fmax=0.1, steps=50)
    assert atoms.get_potential_energy() < energy


def test_a_calculator_without_weights_says_how_to_get_them(store):
    import hollandite.ase

    with pytest.raises(hollandite.ModelError, match="chgnet"):
        hollandite.ase.Calculator("chgnet", store)
    with pytest.raises(hollandite.ModelError, match="no forces"):
        hollandite.ase.Calculator("cgcnn", store)


def test_cells_of_a_notebook(store):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "hollandite")
    shell.user_ns.update(db=store, wanted="rutile")
    shell.run_line_magic("hollandite", "db")
    shell.run_cell_magic("hollandite", "found <<", "SELECT id, ':no' AS said FROM tmo WHERE id = :wanted -- :comment")
    assert shell.user_ns["found"].fetchall() == [("rutile", ":no")]
    shell.run_cell_magic("hollandite", "frame<< --polars", "SELECT id FROM tmo")
    assert shell.user_ns["frame"]["id"].to_list() == ["rutile"]
    assert shell.run_cell_magic("hollandite", "--polars", "SELECT id FROM tmo")["id"].to_list() == ["rutile"]
    with pytest.raises(hollandite.UsageError, match=":missing is no variable"):
        shell.run_cell_magic("hollandite", "", "SELECT :missing")


def test_the_tab_key_finds_functions_methods_and_parameters(store):
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.user_ns.update(db=store, hollandite=hollandite)
    for typed, found in [
        ("hollandite.vo", {"void", "volume", "voronoi"}),
        ("hollandite.void(crystal, ra", {"radii="}),
        ("db.import_", {"import_files", "import_structures", "import_dft"}),
        ("db.train(ep", {"epochs="}),
        ("db.plot.st", {"structure"}),
        ("db.functions.predict_e", {"predict_ef"}),
    ]:
        with provisionalcompleter():
            assert found <= {one.text for one in shell.Completer.completions(typed, len(typed))}, typed
