"""Functions of SQL as functions of Python, and the commands."""

import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pandas
import polars
import mypy.api
import pytest

import hollandite


def test_one_answers_a_value_and_many_a_list(db, rutile):
    alone = hollandite.void(rutile)
    assert alone == pytest.approx(0.573873, abs=1e-5)
    assert hollandite.void(rutile, "ionic") == hollandite.void(rutile, radii="ionic") != alone
    assert hollandite.void([rutile.to_pymatgen(), None, rutile.to_ase(), rutile.to_cif()])[:3] == [alone, None, pytest.approx(alone)]
    frame = db.sql("SELECT structure, void FROM tmo ORDER BY id LIMIT 20").to_pandas()
    frame.index = range(100, 120)
    answers = hollandite.void(frame["structure"])
    assert isinstance(answers, pandas.Series) and list(answers.index) == list(frame.index)
    assert np.allclose(answers, frame["void"])
    column = db.sql("SELECT structure, void FROM tmo ORDER BY id LIMIT 20").to_polars()
    assert isinstance(hollandite.void(column["structure"]), polars.Series)
    assert np.allclose(hollandite.void(column["structure"]), column["void"])


def test_crystals_come_back_as_they_came(rutile):
    assert type(hollandite.substitute(rutile, "Ti", "V")) is hollandite.Crystal
    assert type(hollandite.substitute(rutile.to_pymatgen(), "Ti", "V")).__module__.startswith("pymatgen")
    assert type(hollandite.substitute(rutile.to_ase(), "Ti", "V")).__module__.startswith("ase")


def test_every_function_says_what_it_takes_and_returns():
    assert len(hollandite.functions.__all__) > 50
    for name in hollandite.functions.__all__:
        function = getattr(hollandite, name)
        assert function.__name__ == name in dir(hollandite)
        assert "Returns" in function.__doc__ and "In SQL:" in function.__doc__, name
        assert "Arguments" in function.__doc__ or name == "magpie_names"
        for parameter in inspect.signature(function).parameters:
            assert f"    {parameter}: " in function.__doc__, (name, parameter)
    assert str(inspect.signature(hollandite.void)).startswith("(structure, radii=")


def test_every_function_of_the_reference_is_there_or_makes_a_table():
    reference = (Path(__file__).parents[3] / "queries/FUNCTIONS.md").read_text(encoding="utf-8")
    functions = dict(re.findall(r"^### `(\w+)\(.*?^Returns `(.*?)`", reference, re.M | re.DOTALL))
    tables = {name for name, returns in functions.items() if returns == "TABLE"}
    assert len(functions) > 90 and "most_similar" in tables
    assert set(hollandite.functions.__all__) == set(functions) - tables


def test_functions_of_a_group_have_one_answer(db):
    query = "SELECT formula, formation_energy_per_atom AS ef FROM sample WHERE formation_energy_per_atom IS NOT NULL"
    rows = db.sql(query).to_pandas()
    diagram = hollandite.phase_diagram(rows["formula"], rows["ef"])
    assert diagram == db.sql(f"SELECT phase_diagram(formula, ef) FROM ({query})").fetchone()[0]
    assert hollandite.phase_diagram(list(rows["formula"]), rows["ef"], scheme=["PBE"] * len(rows)) is not None
    assert hollandite.e_above_hull(diagram, "TiO2", -3) == db.sql("SELECT e_above_hull($1, 'TiO2', -3)", [diagram]).fetchone()[0]
    # The number of ions by the row, their energy and charge once for all.
    steps = hollandite.voltage_profile([0, 1, 2], [0.0, -3.0, -5.0], -1.0, 1)
    assert [(step["n_from"], step["n_to"], step["voltage"]) for step in steps] == [(0, 1, pytest.approx(2)), (1, 2, pytest.approx(1))]
    with pytest.raises(hollandite.UsageError, match="2 of formula and 1 of ef"):
        hollandite.phase_diagram(["TiO2", "VO2"], [-3.0])


def test_a_function_without_arguments(rutile):
    names = hollandite.magpie_names()
    assert len(names) == len(hollandite.magpie(rutile)) == 132 and names[0] == "minimum Number"


def test_a_function_asks_a_model(db, rutile):
    assert hollandite.predict_ef(rutile) == db.sql("SELECT predict_ef($1)", [rutile]).fetchone()[0] < -1
    assert db.functions.predict_ef(rutile, model="cgcnn") < -1
    with pytest.raises(hollandite.HollanditeError, match="void"):
        hollandite.void(rutile, "nonsense")


def test_rows_without_an_answer_are_none_with_a_warning():
    with pytest.warns(hollandite.HollanditeWarning):
        assert hollandite.void(["no crystal"]) == [None]


def test_commands_are_methods_that_say_what_they_take(db):
    for name in ["train", "evaluate", "featurize", "enumerate", "report", "export", "verify", "import_dft", "tune", "restore"]:
        method = getattr(hollandite.Connection, name)
        assert "Arguments:" in method.__doc__
    takes = inspect.signature(hollandite.Connection.train).parameters
    assert takes["epochs"].kind is inspect.Parameter.KEYWORD_ONLY and takes["epochs"].default > 0
    with pytest.raises(TypeError, match="epoch"):
        db.train(epoch=1)


def test_a_store_is_featurized_and_verified(store):
    said = store.featurize(features=["void(ionic,0.76)", "density"])
    assert "density" in said and "1 row" in repr(said)
    assert "density" in store.info()
    assert store.verify()


def test_pictures_and_pages(db, tmp_path):
    picture = db.plot.structure("rutile")
    assert picture._repr_svg_().startswith("<") and picture.path is None
    kept = db.plot.xrd("rutile", out=tmp_path / "xrd.png")
    assert kept._repr_png_()[:4] == b"\x89PNG" and (tmp_path / "xrd.png").read_bytes() == kept.data
    page = db.report("SELECT id, structure, void FROM tmo WHERE void > 0.6 ORDER BY void DESC LIMIT 3", title="Open", cards=1)
    assert "<h1>Open</h1>" in page.html and page._repr_html_().startswith("<iframe srcdoc='")
    view = db.sql("SELECT id, structure FROM tmo WHERE id = 'rutile'").view()
    assert "3Dmol" in view.html and "rutile" in view.html
    with pytest.raises(TypeError, match="structure, xrd"):
        db.plot()


def test_a_model_is_trained_evaluated_and_asked(store, capfd):
    with hollandite.connect() as embedded:
        rows = embedded.sql("SELECT id, structure, formation_energy_per_atom FROM sample WHERE natoms < 12").to_pandas("crystal")
    store.import_structures(
        list(rows["structure"]), into="labelled", ids=list(rows["id"]),
        properties={"formation_energy_per_atom": list(rows["formation_energy_per_atom"])},
    )
    said = store.train(table="labelled", model="cgcnn", name="mine", epochs=2, layers=1, hidden=8, threads=1)
    assert "predict_ef(structure, 'mine')" in said
    assert "epoch" in capfd.readouterr().err
    assert "RMSE" in store.evaluate(model="mine", table="labelled")
    assert isinstance(store.functions.predict_ef(rows["structure"][0], "mine"), float)
    with pytest.raises(hollandite.SqlError, match=r"^no model 'mine'.* are asked by db\.functions\.predict_ef\(\.\.\)$"):
        hollandite.predict_ef(rows["structure"][0], "mine")
    with pytest.raises(hollandite.SqlError, match=r"no energy model 'chgnet' .* are asked by db\.functions\.relax\(\.\.\)$"):
        hollandite.relax(rows["structure"][0])
    assert "mine" in repr(store.models())
    assert "removed" in store.models.remove("mine")
    with pytest.raises(hollandite.UsageError, match="expected one of"):
        store.train(table="labelled", model="nothing")


def test_files_are_named_as_in_a_shell(store, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    store.export("tmo", to="~/tmo.csv")
    assert (tmp_path / "tmo.csv").is_file()
    (tmp_path / "weights-1.pt").write_text("no weights")
    with pytest.raises(hollandite.ModelError, match="weights-1.pt"):
        store.models.add("~/weights-*.pt")
    with pytest.raises(hollandite.HollanditeError, match=r"nothing-\*.pt"):
        store.models.add("~/nothing-*.pt")


def test_candidates_are_enumerated(store):
    said = store.enumerate(prototypes="SELECT id, structure FROM tmo", elements=["V", "Mo"], into="candidates")
    assert "candidates" in said
    assert {row[0] for row in store.sql("SELECT formula FROM candidates").fetchall()} == {"VO2", "MoO2"}


def checked(*what):
    """What a type checker has against it, of what was installed here."""
    said, faults, _ = mypy.api.run(["--no-error-summary", "--config-file=", "--python-executable", sys.executable, *what])
    return said + faults


def test_type_checkers_know_what_is_taken_and_returned():
    assert checked("--strict", str(Path(__file__).with_name("typed.py"))) == ""
    for wrong in ["hollandite.void(3)", "hollandite.void('x', radii=3)", "hollandite.connect('x').train(epochs='many')"]:
        assert "error:" in checked("-c", f"import hollandite\n{wrong}"), wrong


def test_every_argument_may_be_many(db, rutile):
    hosts = db.sql("SELECT id, structure, formula FROM tmo ORDER BY id LIMIT 4")
    crystals, ids = hosts.to_pymatgen(), hosts["id"]
    other = hollandite.same_structure(crystals, crystals[::-1])
    assert other == [hollandite.same_structure(a, b) for a, b in zip(crystals, crystals[::-1])]
    assert hollandite.same_structure(crystals[0], crystals) == [True, *(hollandite.same_structure(crystals[0], b) for b in crystals[1:])]
    alone = [hollandite.bvse_barrier(rutile, ion) for ion in ("Li", "Na")]
    assert hollandite.bvse_barrier(rutile, ["Li", "Na"]) == alone and len(set(alone)) == 2
    assert hollandite.capacity("LiCoO2", ["Li", "Na"], 1, [1, 1])[0] == hollandite.capacity("LiCoO2", "Li", 1, 1)
    # What comes back has the form of the first that is many.
    series = polars.Series([0.1, 0.5])
    spheres = hollandite.void(rutile, "ionic", series)
    assert isinstance(spheres, polars.Series) and spheres.to_list() == [hollandite.void(rutile, "ionic", x) for x in series]
    frame = pandas.Series(["Ti", "O"], index=[7, 8])
    assert list(hollandite.has_element(rutile, frame).index) == [7, 8]
    made = hollandite.substitute(rutile.to_ase(), "Ti", ["V", "Sn"])
    assert [atoms.get_chemical_formula(mode="hill") for atoms in made] == ["O4V2", "O4Sn2"]
    assert hollandite.void([], []) == []
    with pytest.raises(hollandite.UsageError, match="4 of a and 2 of b: give as many of each"):
        hollandite.same_structure(crystals, crystals[:2])
    assert ids


def test_a_list_of_numbers_stands_for_one_crystal(rutile):
    numbers = hollandite.soap_average(rutile)
    assert isinstance(numbers, list) and hollandite.similarity(numbers, numbers) == pytest.approx(1)
    assert hollandite.similarity(np.array(numbers), [numbers, numbers]) == pytest.approx([1, 1])


def test_the_package_speaks_python():
    """No text of the package asks for a word of the command line."""
    texts = {name: getattr(hollandite, name).__doc__ for name in hollandite.functions.__all__}
    commands = [vars(hollandite.Connection).get(name) or getattr(hollandite.Connection, name) for name in dir(hollandite.Connection)]
    texts |= {str(command): inspect.getdoc(command) or "" for command in commands}
    with hollandite.connect() as db:
        for group in (db.plot, db.models):
            texts |= {str(run): run.__doc__ or "" for run in vars(group).values() if inspect.ismethod(run)}
    assert len(texts) > 120
    for name, text in texts.items():
        # What is of Python alone may name the program; the commands and functions are shown in its words.
        assert not re.search(r"(?<![\w-])--[a-z]|`hollandite (?!models add)[a-z-]+", text), (name, text)


def test_remedies_are_in_the_words_of_python(store, tmp_path):
    for wrong, remedy in [
        (lambda: store.train(table="tmo", model="cgcnn", resume=True, name="a b"), r"give one with name"),
        (lambda: store.export("tmo", to=tmp_path / "a"), r"or add format"),
        (lambda: store.export("tmo", to=tmp_path / "a.csv", symprec=0.1), r"symprec is the tolerance"),
        (lambda: store.evaluate(model="cgcnn", shard="1/2"), r"run"),
        (lambda: store.restore("tmo", to=1), r"`db\.info\(snapshots=True\)` lists"),
        (lambda: hollandite.connect(tmp_path / "none"), r"hollandite\.connect\(.*create=True\)"),
    ]:
        with pytest.raises(hollandite.HollanditeError, match=remedy) as raised:
            wrong()
        assert "--" not in str(raised.value), raised.value
    newest = store.sql("SELECT max(snapshot_id) FROM snapshots").fetchone()[0]
    store.sql("DELETE FROM tmo")
    assert f"undo: db.restore(to={newest + 1})" in store.restore("tmo", to=newest)
