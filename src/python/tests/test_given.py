"""What people pass: ids, documents, names of files, values of numpy and pandas, and what they look through."""

import datetime
import decimal
import inspect
import pathlib
import pydoc
import subprocess
import sys

import ase.build
import numpy as np
import pandas
import polars
import pydantic
import pytest
from pymatgen.core import DummySpecies, Lattice, Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry

import hollandite


@pytest.fixture(scope="module")
def hosts(db):
    return db.sql("SELECT id, source, structure, void FROM tmo ORDER BY id LIMIT 3").collect()


@pytest.fixture
def disordered():
    return Structure(Lattice.cubic(4), [{"Ti": 0.5, "V": 0.5}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_the_package_is_looked_through_where_other_packages_are_missing():
    code = """
import sys
for name in ("ase", "sklearn", "numpy", "adbc_driver_manager", "pyarrow", "pandas", "polars", "pymatgen"):
    sys.modules[name] = None
import datetime, hollandite, inspect, pydoc
try:
    hollandite.connect(":memory:").register("days", {"day": [datetime.date(2024, 1, 1)]})
except hollandite.UsageError as error:
    assert "a column of date needs pyarrow" in str(error)
else:
    raise AssertionError
for way, package in [("to_pandas", "pandas"), ("to_polars", "polars"), ("to_arrow", "pyarrow"), ("to_ase", "ase"), ("to_pymatgen", "pymatgen")]:
    try:
        getattr(hollandite.connect(":memory:").sql("SELECT structure('x') AS structure"), way)()
    except hollandite.UsageError as error:
        assert f"{way} needs the package " in str(error) and "pip install " in str(error), error
    else:
        raise AssertionError(way)
assert "connect" in pydoc.render_doc(hollandite) and "dbapi" in dict(inspect.getmembers(hollandite))
assert not hasattr(hollandite, "ase") and "ase" in dir(hollandite)
for name in ("ase", "sklearn"):
    try:
        getattr(hollandite, name)
    except AttributeError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "hollandite.ase needs the package ase: pip install ase" in done.stdout
    assert "hollandite.sklearn needs the package numpy" in done.stdout
    assert inspect.getmembers(hollandite) and "Calculator" in dir(hollandite.ase) and pydoc.render_doc(hollandite.connect)


def test_columns_of_one_name_are_all_there_or_are_to_be_named_apart(db):
    result = db.sql("SELECT a.id, b.id, a.void FROM tmo a JOIN tmo b ON a.formula = b.formula AND a.id < b.id ORDER BY 1, 2 LIMIT 3")
    rows = result.fetchall()
    assert all(first < second for first, second, _ in rows)
    frame = result.to_pandas()
    assert list(frame.columns) == ["id", "id", "void"] and [tuple(row) for row in frame.itertuples(index=False)] == rows
    assert result.to_arrow().column_names == ["id", "id", "void"]
    html = result._repr_html_()
    assert html.count(">id</th>") == 2 and all(one in html for row in rows for one in row[:2])
    for by_name in [result.dicts, result.to_polars, lambda: result["id"], lambda: result.units, lambda: result.types]:
        with pytest.raises(hollandite.UsageError, match="two columns are called 'id'.* AS "):
            by_name()
    assert result["void"] == [row[2] for row in rows]
    with pytest.raises(hollandite.UsageError, match="two columns are called 'id'"):
        db.register("mine", frame)


def test_whole_numbers_keep_their_digits_beside_null(db):
    frame = db.sql("SELECT 9007199254740993 AS a, true AS b, interval '1 day' AS c UNION ALL SELECT NULL, NULL, NULL ORDER BY a").to_pandas()
    assert frame["a"].dtype == "Int64" and int(frame["a"][0]) == 9007199254740993 and frame["a"].isna()[1]
    assert frame["b"].dtype == "boolean" and frame["c"][0] == "1 days"
    assert db.sql("SELECT arrow_cast(18446744073709551615, 'UInt64') AS x").to_pandas()["x"].tolist() == [2**64 - 1]
    span = db.sql("SELECT interval '1 day' AS c")
    assert "text-align:left'>c" in span._repr_html_()
    with pytest.raises(hollandite.UsageError, match="CAST\\(c AS TEXT\\)"):
        span.to_polars()


@pytest.mark.parametrize(
    "given, taken",
    [
        (np.datetime64("2024-01-01"), datetime.date(2024, 1, 1)),
        (np.datetime64("2024-01-01T01:02:03.123456000"), datetime.datetime(2024, 1, 1, 1, 2, 3, 123456)),
        (np.datetime64("NaT"), None),
        (pandas.NaT, None),
        (pandas.NA, None),
        (decimal.Decimal("0.1"), 0.1),
        (pandas.Timestamp("2024-01-01 12:00", tz="Europe/Berlin"), datetime.datetime(2024, 1, 1, 11)),
        (np.array(["2024-01-01"], dtype="datetime64[ns]"), [datetime.datetime(2024, 1, 1)]),
        (pandas.Series([1, 2]), [1, 2]),
    ],
)
def test_values_of_numpy_and_pandas_are_those_of_sql(db, given, taken):
    assert db.sql("SELECT $1 AS x", [given]).fetchone() == (taken,)


def test_what_sql_has_no_place_for_is_refused_by_name(db):
    for given, message in [
        ({"n": 2**63}, ":n is 9223372036854775808"),
        ([1, np.uint64(2**63)], r"\$2 is 9223372036854775808"),
        ([decimal.Decimal("1.00000000000000000001")], r"\$1 is Decimal"),
        ([np.datetime64("2024-01-01T01:02:03.123456789")], "microsecond"),
    ]:
        with pytest.raises(hollandite.UsageError, match=message):
            db.sql("SELECT $1", given)
    with pytest.raises(TypeError, match=r"write \[5\]"):
        db.sql("SELECT $1", 5)
    for query, params in [("IN ($1)", [["rutile"]]), ("IN (:ids)", {"ids": ["rutile"]}), ("in (?)", [("rutile",)])]:
        with pytest.raises(hollandite.UsageError, match="= ANY"):
            db.sql(f"SELECT id FROM tmo WHERE id {query}", params)
    assert db.sql("SELECT id FROM tmo WHERE id = ANY($1)", [["rutile"]]).fetchall() == [("rutile",)]
    assert db.sql("SELECT id FROM tmo WHERE id IN ($1)", ["rutile"]).fetchall() == [("rutile",)]


def test_ids_are_kept_and_those_that_are_made_are_of_the_crystal(store, hosts):
    crystals = hosts.to_crystals()
    assert store.import_structures(crystals[:2], into="t").added == 2
    assert store.import_structures(crystals, into="t").added == 1
    # They were in no file.
    assert store.sql("SELECT count(path) FROM t").fetchone() == (0,)
    ids = store.sql("SELECT id FROM t")["id"]
    assert len(set(ids)) == 3 and all(one.startswith("python-") for one in ids)
    assert store.import_structures([crystals[0]] * 2, into="twice", source=None).added == 2
    assert store.import_structures(hosts.to_ase(), ids=[None, "mine", float("nan")], into="some").added == 3
    assert set(store.sql("SELECT id FROM some")["id"]) == {hosts["id"][0], "mine", hosts["id"][2]}
    for i, rows in enumerate([hosts, hosts.to_pandas(), hosts.to_polars(), hosts.to_arrow()]):
        assert store.import_structures(rows, into=f"rows_{i}").added == 3
        back = store.sql(f"SELECT id, source, extra FROM rows_{i} ORDER BY id")
        assert back["id"] == hosts["id"] and back["source"] == hosts["source"] and all('"void"' in one for one in back["extra"])


def test_structures_of_a_result_know_their_ids(hosts):
    assert [one.properties["id"] for one in hosts.to_pymatgen()] == [one.info["id"] for one in hosts.to_ase()] == hosts["id"]


def test_ids_and_properties_are_as_many_as_the_structures(store, hosts):
    crystals = hosts.to_crystals()
    for more, message in [
        ({"ids": "abc"}, "ids is a list"),
        ({"ids": ["a"]}, "ids has 1 values for 3"),
        ({"properties": {"x": 1}}, r"properties\['x'\] is a list"),
        ({"properties": {"x": [1]}}, r"properties\['x'\] has 1 values"),
    ]:
        with pytest.raises(hollandite.UsageError, match=message):
            store.import_structures(crystals, into="t", **more)


def test_documents_come_one_by_one_with_nan_and_as_entries(store, hosts):
    structure = hosts.to_pymatgen()[0]
    document = {"material_id": "mp-1", "structure": structure, "formation_energy_per_atom": float("nan"), "band_gap": np.float64(2)}
    assert store.import_structures(document, into="t").added == 1
    assert store.sql("SELECT id, band_gap, formation_energy_per_atom FROM t").fetchall() == [("mp-1", 2.0, None)]
    entry = ComputedStructureEntry(structure, -50.0, entry_id="mp-2")
    assert store.import_structures([entry, {"material_id": "mp-3", "structure": None}, structure], into="t").quarantined == 1
    assert sorted(store.sql("SELECT id FROM t")["id"]) == [hosts["id"][0], "mp-1", "mp-2"]
    assert '"energy":-50' in store.sql("SELECT extra FROM t WHERE id = 'mp-2'").fetchone()[0]


def test_documents_may_be_models_of_pydantic(store, hosts):
    class Summary(pydantic.BaseModel, arbitrary_types_allowed=True):
        material_id: str
        structure: Structure
        formation_energy_per_atom: float | None = None

    documents = [Summary(material_id=f"mp-{i}", structure=one, formation_energy_per_atom=-i) for i, one in enumerate(hosts.to_pymatgen())]
    assert store.import_structures(documents, into="t").added == 3
    rows = store.sql("SELECT id, formation_energy_per_atom, structure_hash FROM t ORDER BY id")
    assert rows["id"] == ["mp-0", "mp-1", "mp-2"] and rows["formation_energy_per_atom"] == [0, -1, -2]
    assert rows["structure_hash"] == hollandite.structure_hash(hosts)
    assert store.import_structures(documents[0], into="one").added == 1


def test_one_disordered_structure_leaves_the_others(store, hosts, disordered):
    dummy = Structure(Lattice.cubic(4), [DummySpecies("X")], [[0, 0, 0]])
    said = store.import_structures([hosts.to_pymatgen()[0], disordered, dummy, disordered.as_dict()], ids=["a", "b", "c", "d"], into="t")
    assert (said.added, said.quarantined) == (1, 3)
    reasons = dict(store.sql("SELECT record_id, reason FROM quarantine").fetchall())
    assert "occupancy 0.5" in reasons["b"] and "'X' is not a chemical element" in reasons["c"] and "occupancy" in reasons["d"]
    for given, message in [(dummy, "no element"), (disordered.composition, "has no sites"), ([ase.build.molecule("H2O")], "item 0.*pbc")]:
        with pytest.raises(hollandite.CrystalError, match=message):
            hollandite.density(given)


def test_the_name_of_a_file_is_said_to_be_one(tmp_path, store, hosts):
    file = tmp_path / "a.cif"
    file.write_text(hosts.to_crystals()[0].to_cif())
    assert len(hollandite.Crystal.read(file)) == 8
    for use in [hollandite.density, hollandite.Crystal.read, lambda one: store.import_structures([one]), lambda one: store.register("x", [one])]:
        for one in [str(file), "nothing/here.cif"]:
            with pytest.raises(hollandite.UsageError, match=r"names a file: hollandite.Crystal.read\(Path"):
                use(one)
    with pytest.raises(hollandite.UsageError, match="names a file"):
        hollandite.density([pathlib.Path(file)])
    file.write_text("data_x\n_cell_length_a nine\n")
    with pytest.raises(hollandite.FormatError, match="a.cif: line 2") as raised:
        hollandite.Crystal.read(file)
    assert (raised.value.line, raised.value.file) == (2, file)
    assert store.import_files([file], into="t").quarantined == 1


def test_one_structure_is_one_row_and_nonsense_is_none(db, hosts):
    for one in [hosts.to_pymatgen()[0], hosts.to_ase()[0], hosts.to_crystals()[0]]:
        db.register("mine", one)
        assert db.sql("SELECT id, natoms(structure) FROM mine").fetchall() == [(1, 8)]
    for rows, error, message in [
        ([1, 2], TypeError, "item 0: int is no crystal"),
        ({"a": 1}, hollandite.UsageError, "column 'a' is one value"),
        ({}, hollandite.UsageError, "has none"),
        ({"a": [1], "b": [1, 2]}, hollandite.UsageError, "there are 1 in a, 2 in b values"),
        (5, TypeError, "int holds no Arrow data"),
        ("abc", hollandite.FormatError, "ends here"),
    ]:
        with pytest.raises(error, match=message):
            db.register("mine", rows)


def test_commands_take_crystals_and_refuse_rows_by_name(db, hosts, tmp_path):
    for one in [hosts.to_pymatgen()[0], hosts.to_ase()[0], hosts.to_crystals()[0]]:
        assert db.plot.structure(one, axis=np.array([0, 0, 1]))._repr_svg_() and db.plot.xrd(one)._repr_svg_()
    for rows in [hosts, hosts.to_pandas(), hosts.to_pymatgen()[0]]:
        with pytest.raises(hollandite.UsageError, match=f"query: expected .* {type(rows).__name__}: db.register"):
            db.report(rows)
        with pytest.raises(hollandite.UsageError, match="what: expected"):
            db.export(rows, to=tmp_path / "x.csv")


def test_a_view_says_which_row_there_is_not(hosts):
    for arguments, message in [
        ({"row": 10}, "no row 10: there are 3"),
        ({"row": -1}, "numbered from 0"),
        ({"row": "anatase"}, "numbered from 0"),
        ({"column": "id"}, "holds no crystals; structure does"),
    ]:
        with pytest.raises(hollandite.UsageError, match=message):
            hosts.view(**arguments)


def test_crystals_are_shown_as_formula_and_cell(db):
    html = db.sql("SELECT structure FROM tmo WHERE id = 'rutile'")._repr_html_()
    assert "TiO2 [6 atoms]\n4.59" in html and "90.0 90.0 90.0°" in html
    db.register("one", hollandite.Crystal([[3, 0, 0], [0, 3, 0], [0, 0, 3]], ["Ti"], [[0, 0, 0]]))
    assert "Ti [1 atom]" in db.sql("SELECT structure FROM one")._repr_html_()


def test_epochs_follow_each_other_in_one_line_of_a_notebook(monkeypatch, capsys):
    from hollandite import _progress

    shown = []

    class Handle:
        def update(self, html):
            shown.append(html.data)

    monkeypatch.setattr(_progress, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: Handle())
    listener = _progress.Listener()
    for line in ["epoch    1  loss 2", "epoch    2  loss 1", "kept epoch 2"]:
        listener.note(line)
    listener.ended("job")
    assert shown == ["<pre>epoch    1  loss 2</pre>", "<pre>epoch    2  loss 1</pre>"]
    assert capsys.readouterr().err == "kept epoch 2\n"


def test_docstrings_speak_of_the_types_of_python():
    assert "Returns float, for each." in hollandite.void.__doc__
    assert not any(kind in one.__doc__.split("In SQL:")[0] for kind in ("DOUBLE", "BIGINT", "VARCHAR") for one in map(hollandite.__dict__.get, hollandite.functions.__all__))


def test_polars_frames_of_crystals_are_imported_as_a_column(store, hosts):
    column = hosts.to_polars()["structure"]
    assert isinstance(column, polars.Series) and store.import_structures(column, ids=hosts["id"], into="t").added == 3


def test_what_is_wrong_with_arguments_is_said_in_words_of_python(db):
    for use, error, message in [
        (lambda: db.report(), hollandite.UsageError, r"^give query; help\(Connection.report\) lists the arguments$"),
        (lambda: db.featurize(), hollandite.UsageError, "^give features; "),
        (lambda: db.plot.structure("rutile", axis="x"), hollandite.UsageError, "^invalid value 'x' for 'axis': [^\n]*$"),
        (lambda: db.train("sample"), TypeError, "arguments are, all by name: model, "),
        (lambda: db.export("tmo", "o.csv"), TypeError, "arguments are by name, all but what: what, to, "),
        (lambda: hollandite.void(), TypeError, "^void: missing a required argument: 'structure': its arguments are structure, radii, probe$"),
    ]:
        with pytest.raises(error, match=message):
            use()


def test_a_command_that_said_nothing_leaves_no_empty_box(db, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data["text/plain"]))
    db.export("SELECT id FROM tmo LIMIT 1", to=tmp_path / "x.csv")._ipython_display_()
    said = db.info()
    said._ipython_display_()
    assert shown == [said] and not said.endswith("\n")
