"""Results as frames, and frames as tables."""

import datetime

import duckdb
import numpy as np
import pandas
import polars
import pyarrow
import pytest

import hollandite

QUERY = "SELECT id, void, natoms, structure, elements FROM tmo ORDER BY id LIMIT 30"


def test_every_library_reads_the_same_rows(db):
    rows = db.sql(QUERY).fetchall()
    ids, voids = [row[0] for row in rows], [row[1] for row in rows]
    streamed = polars.DataFrame(db.sql(QUERY))
    assert streamed["id"].to_list() == ids and streamed["void"].to_list() == voids
    assert db.sql(QUERY).to_polars().equals(streamed)
    table = pyarrow.table(db.sql(QUERY))
    assert table["void"].to_pylist() == voids and db.sql(QUERY).to_arrow().equals(table)
    frame = db.sql(QUERY).to_pandas()
    assert list(frame["id"]) == ids and list(frame["void"]) == voids and frame["natoms"].dtype.kind == "i"
    result = db.sql(QUERY)
    scanned = duckdb.sql("SELECT id, void FROM result ORDER BY id").fetchall()
    assert scanned == list(zip(ids, voids))


def test_units_travel_with_the_columns(db):
    field = pyarrow.schema(db.sql("SELECT density FROM tmo")).field("density")
    assert field.metadata[b"unit"].decode().startswith("g/cm")
    assert db.sql("SELECT density FROM tmo LIMIT 1").to_pandas().attrs["units"]["density"].startswith("g/cm")


def test_a_result_is_computed_once_and_read_again(db):
    result = db.sql("SELECT random() AS x FROM tmo")
    assert result.fetchall() == result.fetchall() == [(x,) for x in result.to_polars()["x"]]


def test_frames_become_tables(db):
    frame = {"id": ["a", "b"], "x": [1.5, None], "n": [1, 2]}
    for made in [polars.DataFrame(frame), pyarrow.table(frame), pandas.DataFrame(frame), frame]:
        db.register("mine", made)
        rows = db.sql("SELECT id, x, n FROM mine ORDER BY id").fetchall()
        assert rows == [("a", 1.5, 1), ("b", None, 2)], type(made)
    assert db.sql("SELECT count(*) FROM mine JOIN tmo ON true").fetchone()[0] > 2
    assert db.unregister("mine") and not db.unregister("mine")
    with pytest.raises(hollandite.SqlError, match="no table 'mine'"):
        db.sql("SELECT * FROM mine")


def test_a_result_becomes_a_table_and_the_store_stays_as_it_is(db):
    before = db.sql("SELECT count(*) FROM snapshots").fetchone()
    db.register("few", db.sql("SELECT * FROM tmo LIMIT 3"))
    assert db.sql("SELECT count(*) FROM few").fetchone() == (3,)
    assert db.sql("SELECT count(*) FROM snapshots").fetchone() == before
    with pytest.raises(hollandite.SqlError, match="the store has a table 'tmo'"):
        db.register("tmo", {"id": ["x"]})


def test_what_is_no_frame_is_refused(db):
    with pytest.raises(TypeError, match="holds no Arrow data|no crystal|not iterable"):
        db.register("mine", 7)
    with pytest.raises(TypeError, match="is no crystal"):
        db.register("mine", [object()])


def test_columns_of_other_types_are_rows_too(db):
    when = datetime.datetime(2024, 3, 1, 12)
    frame = pandas.DataFrame(
        {
            "when": [when, None],
            "listed": [[1, 2], [3]],
            "counted": pandas.array([1, None], dtype="Int64"),
            "named": pandas.array(["a", None], dtype="string"),
            "missing": [float("nan")] * 2,
            "array": [np.zeros(2), np.ones(2)],
        }
    )
    db.register("kinds", frame)
    first, second = db.sql("SELECT listed, counted, named, missing * 2, array, date_part('year', \"when\") FROM kinds").fetchall()
    assert first == ([1, 2], 1, "a", None, [0.0, 0.0], 2024) and second[:3] == ([3], None, None)
    assert db.sql("SELECT missing FROM kinds").to_pandas()["missing"].dtype == float
    db.register("numbers", {"a": np.arange(3), "b": np.arange(3, dtype="float32"), "c": [datetime.date(2024, 3, i) for i in (1, 2, 3)]})
    assert db.sql("SELECT sum(a), sum(b), max(c) FROM numbers").fetchall() == [(3, 3.0, datetime.date(2024, 3, 3))]
    with pytest.raises(hollandite.UsageError, match="to_frame"):
        db.register("one", frame["named"])
    with pytest.raises(hollandite.UsageError, match="collect"):
        db.register("lazy", polars.LazyFrame({"a": [1]}))


def test_results_and_frames_are_columns_of_crystals(db, store):
    rows = db.sql("SELECT id, structure, void FROM tmo ORDER BY id LIMIT 5")
    expected = rows["void"]
    for crystals in (rows, rows.to_polars(), rows.to_arrow(), rows.to_pandas(), rows.to_pandas()["structure"]):
        assert np.allclose(np.array(hollandite.void(crystals), dtype=float), expected)
    assert store.import_structures(rows, ids=np.arange(5), into="again").added == 5
    assert store.sql("SELECT id FROM again ORDER BY id")["id"] == ["0", "1", "2", "3", "4"]
    one = rows.to_pymatgen()[0]
    assert hollandite.void(one.as_dict()) == pytest.approx(expected[0])
    assert store.import_structures(one, into="single").added == 1
    with pytest.raises(hollandite.UsageError, match="no structures"):
        store.import_structures([])


def test_the_name_of_a_file_is_no_crystal(tmp_path, db):
    file = tmp_path / "a.cif"
    file.write_text(db.sql("SELECT to_cif(structure) FROM tmo LIMIT 1").fetchone()[0])
    with pytest.raises(hollandite.UsageError, match="names a file"):
        hollandite.density(str(file))
    assert hollandite.density(file.read_text()) > 0


class Heard:
    """Keeps what a connection says of its progress."""

    def __init__(self):
        self.calls, self.gone = [], []

    def __call__(self, name, what, done, of):
        self.calls.append((name, what, done, of))

    def ended(self, name):
        self.gone.append(name)

    def note(self, line):
        self.calls.append(("note", line, None, None))


def test_a_result_that_others_read_tells_how_far_it_is():
    for read in (polars.DataFrame, pyarrow.table, lambda result: duckdb.sql("SELECT * FROM result").fetchall()):
        with hollandite.connect() as db:
            heard = Heard()
            db._listen(heard)
            db.sql("SET hollandite.cache = false")
            result = db.sql("SELECT id, predict_ef(structure, 'cgcnn') AS ef FROM sample ORDER BY ef")
            assert len(read(result)) > 300
        names = {name for name, *_ in heard.calls}
        assert any("cgcnn" in name for name in names) and names <= set(heard.gone), (read, heard.calls)


def test_a_job_is_one_bar_whose_words_change(store, rutile):
    heard = Heard()
    store._listen(heard)
    store.import_structures([rutile] * 3000, ids=[f"r{i}" for i in range(3000)], into="many")
    steps = [call for call in heard.calls if call[0] == "job"]
    assert len({words for _, words, *_ in steps}) > 0 and heard.gone.count("job") == 1, heard.calls


def test_commands_see_the_tables_that_were_registered(store, tmp_path, rutile):
    store.register("notes", {"id": ["rutile"], "note": ["grown in March"], "structure": [rutile], "label": [1.0], "prediction": [1.1]})
    store.export("SELECT id, note FROM notes JOIN tmo USING (id)", to=tmp_path / "notes.csv")
    assert (tmp_path / "notes.csv").read_text().split("\n")[:2] == ["id,note", "rutile,grown in March"]
    page = store.report("SELECT id, note, structure FROM notes", title="Notes", cards=1)
    assert "grown in March" in page.html
    store.register("mine", store.sql("SELECT * FROM tmo"))
    assert store.plot.structure("rutile", table="mine")._repr_svg_()
    assert store.plot.parity("SELECT label, prediction FROM notes")._repr_svg_()
    store.unregister("notes")
    with pytest.raises(hollandite.SqlError, match="no table 'notes'"):
        store.export("notes", to=tmp_path / "notes.csv")
