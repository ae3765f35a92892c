"""Results as frames, and frames as tables."""

import duckdb
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
