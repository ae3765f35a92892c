"""Functions of SQL as functions of Python, and the commands."""

import inspect

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
        for parameter in inspect.signature(function).parameters:
            assert f"    {parameter}: " in function.__doc__, (name, parameter)
    assert str(inspect.signature(hollandite.void)).startswith("(structure, radii=")


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
    assert "mine" in repr(store.models())
    assert "removed" in store.models.remove("mine")
    with pytest.raises(hollandite.UsageError, match="expected one of"):
        store.train(table="labelled", model="nothing")


def test_candidates_are_enumerated(store):
    said = store.enumerate(prototypes="SELECT id, structure FROM tmo", elements=["V", "Mo"], into="candidates")
    assert "candidates" in said
    assert {row[0] for row in store.sql("SELECT formula FROM candidates").fetchall()} == {"VO2", "MoO2"}


def test_functions_are_known_to_type_checkers():
    code = "import hollandite\nfrom hollandite import void\nhollandite.density('x')\nvoid('x', radii='ionic')"
    said, faults, code = mypy.api.run(["--no-error-summary", "-c", code])
    assert (code, faults) == (0, ""), said
