"""Statements, their parameters, and what a result shows of itself."""

import datetime
import re
import warnings

import nbclient
import nbformat
import pytest

import hollandite

SEED = "SELECT id, formula, predict_ef(structure) AS ef FROM tmo WHERE void > 0.5 ORDER BY ef LIMIT 20"


def test_the_first_query_of_the_readme(db):
    result = db.sql(SEED)
    assert result.columns == ["id", "formula", "ef"] and result.units == {"id": None, "formula": None, "ef": "eV/atom"}
    rows = result.fetchall()
    assert len(rows) == len(result) == 20
    assert [row[2] for row in rows] == sorted(row[2] for row in rows) and -5 < rows[0][2] < -1


def test_parameters_stand_for_values_and_are_never_text(db):
    by_number = db.sql("SELECT id FROM tmo WHERE void > $1 AND formula = $2 ORDER BY id", [0.5, "TiO2"])
    by_name = db.sql("SELECT id FROM tmo WHERE void > :least AND formula = :formula ORDER BY id", {"least": 0.5, "formula": "TiO2"})
    by_question = db.sql("SELECT id FROM tmo WHERE void > ? AND formula = ? ORDER BY id", (0.5, "TiO2"))
    assert by_number.fetchall() == by_name.fetchall() == by_question.fetchall() != []
    hostile = "x' OR 1=1; DROP TABLE tmo; --"
    assert db.sql("SELECT count(*) FROM tmo WHERE id = $1", [hostile]).fetchone() == (0,)
    assert db.sql("SELECT $1 AS said", [hostile]).fetchone() == (hostile,)
    assert db.sql("SELECT id FROM tmo ORDER BY id LIMIT $1", [2]).fetchall() == db.sql("SELECT id FROM tmo ORDER BY id LIMIT 2").fetchall()


def test_every_kind_of_value_goes_there_and_back(db):
    day, moment = datetime.date(2026, 5, 1), datetime.datetime(2026, 5, 1, 12, 30, 1)
    given = [None, True, -7, 2**40, -0.5, 1e-300, "Å ' \" \\", day, moment, [1, 2], ["a", "b"]]
    columns = ", ".join(f"${i} AS c{i}" for i in range(1, len(given) + 1))
    assert list(db.sql(f"SELECT {columns}", given).fetchone()) == given


def test_a_crystal_is_a_value(db, rutile):
    assert db.sql("SELECT reduced_formula($1)", [rutile]).fetchone() == ("TiO2",)
    same = db.sql("SELECT id FROM tmo WHERE formula = 'TiO2' AND same_structure(structure, $1)", [rutile])
    assert same.fetchall() == [("rutile",)]


def test_what_is_wrong_with_parameters_is_said(db):
    with pytest.raises(hollandite.SqlError, match=r"\$2 asks for value 2, and one is given"):
        db.sql("SELECT $1, $2", [1])
    with pytest.raises(hollandite.SqlError, match="^2 values are given, and the statement takes 1$"):
        db.sql("SELECT id FROM tmo WHERE void > $1", [0.5, 20])
    for given in ["$1", "?", ":least"]:
        with pytest.raises(hollandite.SqlError, match=f"^no value is given for {re.escape(given)}: "):
            db.sql(f"SELECT id FROM tmo WHERE void > {given}").fetchall()
    with pytest.raises(TypeError, match="write \\[text\\]"):
        db.sql("SELECT $1", "rutile")
    with pytest.raises(TypeError, match="is no value of SQL"):
        db.sql("SELECT $1", [object()])


def test_a_result_shows_itself_and_computes_only_what_it_shows(db):
    result = db.sql("SELECT id, structure, void FROM tmo ORDER BY id")
    lines = repr(result).splitlines()
    assert lines[0].split() == ["id", "structure", "void"] and "atoms]" in lines[2]
    assert lines[-1].startswith("and more:") and len(lines) < 30
    html = result._repr_html_()
    assert "<th" in html and "atoms]" in html and "first 20 rows" in html
    units = db.sql("SELECT density FROM tmo")._repr_html_()
    assert "g/cm" in units


def test_a_terminal_names_the_units_in_its_header(db):
    assert repr(db.sql("SELECT id, formation_energy_per_atom AS ef FROM sample ORDER BY id")).splitlines()[0].split() == ["id", "ef", "(eV/atom)"]


def test_html_of_a_result_is_escaped(db):
    assert "&lt;script&gt;" in db.sql("SELECT '<script>' AS \"<b>\"")._repr_html_()


def test_statements_one_after_the_other_and_stored_queries(store):
    result = store.sql("CREATE TABLE kept AS SELECT id FROM tmo; INSERT INTO kept VALUES ('mine'); SELECT count(*) AS n FROM kept")
    assert result.fetchone() == (2,)
    assert "tunnels" in hollandite.queries and store.sql("polymorphs").columns
    with pytest.raises(hollandite.HollanditeError, match="no stored query 'tunels'"):
        store.sql("tunels")


def test_a_statement_that_writes_has_written_when_it_returns(store, tmp_path):
    file = tmp_path / "out.csv"
    store.sql(f"COPY (SELECT id FROM tmo) TO '{file}'")
    assert file.read_text().split() == ["id", "rutile"]
    assert "done" in repr(store.sql("SET hollandite.relax_steps = 3"))


def test_errors_are_one_hierarchy_and_name_the_remedy(db, tmp_path):
    with pytest.raises(hollandite.SqlError, match="did you mean 'void'") as raised:
        db.sql("SELECT voidd FROM tmo")
    assert isinstance(raised.value, hollandite.HollanditeError) and raised.value.line is None
    with pytest.raises(hollandite.SqlError, match="Line: 2") as raised:
        db.sql("SELECT id\nFROM tmo WHERE ORDER BY")
    assert raised.value.line == 2 and raised.value.column > 10
    for arguments, message in [
        (([[4, 0, 0]], ["O"], [[0, 0, 0]]), "lattice: expected three vectors"),
        (("abc", ["O"], [[0, 0, 0]]), "lattice: .* this is 'abc'"),
        (([[4, 0, 0], [0, 4, 0], [0, 0, 4]], [1.5], [[0, 0, 0]]), "species: expected the symbol"),
        (([[4, 0, 0], [0, 4, 0], [0, 0, 4]], ["O"], [[0, 0]]), "frac_coords: expected three fractions"),
    ]:
        with pytest.raises(hollandite.UsageError, match=message):
            hollandite.Crystal(*arguments)
    with pytest.raises(hollandite.StoreError, match="no store in .*create=True") as raised:
        hollandite.connect(tmp_path / "nothing")
    assert (raised.value.file, raised.value.line) == (tmp_path / "nothing", None)
    errors = [getattr(hollandite, name) for name in hollandite.__all__ if name.endswith("Error")]
    assert len(errors) > 10
    for error in errors:
        assert issubclass(error, hollandite.HollanditeError) and [error("x").file, error("x").line, error("x").column] == [None] * 3
    with pytest.raises(hollandite.HollanditeError, match="known models"):
        db.sql("SELECT predict_ef(structure, 'nothing') FROM tmo").fetchall()
    with pytest.raises(hollandite.FormatError) as raised:
        hollandite.Crystal.read("data_x\n_cell_length_a nine\n")
    assert raised.value.line and f"line {raised.value.line}" in str(raised.value)
    with pytest.raises(hollandite.CrystalError, match="nearer than"):
        hollandite.Crystal([[4, 0, 0], [0, 4, 0], [0, 0, 4]], ["O", "O"], [[0, 0, 0], [0.01, 0, 0]])


def test_rows_without_an_answer_are_a_warning_where_the_person_called(db):
    with pytest.warns(hollandite.HollanditeWarning, match="void is NULL for 1 row") as caught:
        assert db.sql("SELECT void(structure('H\n1\n3 0 0\n0 3 0\n0 0 3\nRn\n1\nDirect\n0 0 0\n'), 'ionic')").fetchone() == (None,)
    assert caught[0].filename == __file__


def test_the_same_warning_is_given_for_each_query(db):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            hollandite.void(["no crystal"])
    assert len(caught) == 2


def test_a_displayed_result_warns_at_its_cell_each_time():
    shown = "db.sql(\"SELECT structure('no crystal') AS x\")"
    cells = ["import hollandite; db = hollandite.connect(':memory:')", shown, shown]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    done = nbclient.NotebookClient(notebook, timeout=300, startup_timeout=300).execute()
    for cell in done.cells[1:]:
        (said,) = [out["text"] for out in cell["outputs"] if out.get("name") == "stderr"]
        assert "HollanditeWarning: structure is NULL for 1 row" in said and shown in said


def test_read_only_and_older_snapshots_are_not_written(store, tmp_path):
    newest = store.sql("SELECT max(snapshot_id) FROM snapshots").fetchone()[0]
    with hollandite.connect(store.path, snapshot=newest) as older:
        assert older.sql("SELECT id FROM tmo").fetchall() == [("rutile",)]
        with pytest.raises(hollandite.HollanditeError, match="snapshot"):
            older.sql("DELETE FROM tmo")
        with pytest.raises(hollandite.StoreError, match="older snapshots are not written"):
            older.featurize(features=["density"])
        store.sql("CREATE TABLE later AS SELECT 1 AS one; DELETE FROM tmo")
        told, now = older.info(), store.info()
        assert f"snapshot    {newest} of" in told or f"{newest} of " in told.split("\n")[1]
        assert "later" not in told and "table tmo" in told and "1 row," in told and "later" in now
        with pytest.raises(hollandite.StoreError, match="no snapshot 999"):
            store.info(snapshot=999)
        store.sql("DROP TABLE later; INSERT INTO tmo SELECT * FROM tmo AT (VERSION => " + str(newest) + ")")
    with hollandite.connect(store.path, read_only=True) as reader:
        assert reader.sql("SELECT count(*) FROM tmo").fetchone() == (1,)
        for statement in [
            "DELETE FROM tmo", "CREATE TABLE x AS SELECT 1", "DROP TABLE tmo", "INSERT INTO tmo SELECT * FROM tmo",
            "EXPLAIN ANALYZE DELETE FROM tmo", f"COPY tmo TO '{tmp_path}/x.csv'", "UPDATE tmo SET id = 'x'",
        ]:
            with pytest.raises(hollandite.HollanditeError):
                reader.sql(statement).fetchall()
        with pytest.raises(hollandite.StoreError, match="read-only"):
            reader.import_structures([hollandite.Crystal([[3, 0, 0], [0, 3, 0], [0, 0, 3]], ["Ti"], [[0, 0, 0]])], into="other")
        with pytest.raises(hollandite.StoreError, match="read-only"):
            reader.featurize(features=["void"])
    assert store.sql("SELECT count(*) FROM tmo").fetchone() == (1,)


def test_who_only_reads_leaves_the_store_as_it_is(tmp_path, rutile):
    def content():
        # What SQLite keeps beside the catalog while it is open is not the store.
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
        return {path: path.read_bytes() for path in files}

    folder = tmp_path / "store"
    with hollandite.connect(folder, create=True) as store:
        store.import_structures([rutile], ids=["rutile"])
    before = content()
    with hollandite.connect(folder, read_only=True) as reader:
        assert reader.sql("SELECT predict_ef(structure, 'cgcnn') FROM tmo").fetchone()[0] < -1
        assert reader.functions.predict_ef(rutile) < -1
        reader.report("SELECT id, structure, predict_ef(structure, 'schnet') AS ef FROM tmo", cards=1)
    assert before and content() == before
    with hollandite.connect(folder) as writer:
        writer.sql("SELECT predict_ef(structure, 'cgcnn') FROM tmo").fetchall()
    assert content() != before


def test_a_closed_connection_says_so(tmp_path):
    connection = hollandite.connect(tmp_path / "s", create=True)
    result = connection.sql("SELECT 1 AS one").collect()
    connection.close()
    assert connection.closed and result.fetchone() == (1,)
    with pytest.raises(hollandite.HollanditeError, match="closed"):
        connection.sql("SELECT 1")


def test_warnings_can_be_errors(db):
    with warnings.catch_warnings():
        warnings.simplefilter("error", hollandite.HollanditeWarning)
        with pytest.raises(hollandite.HollanditeWarning):
            db.sql("SELECT structure('no crystal')").fetchall()


def test_structs_and_lists_that_are_null_are_found(store):
    nulls = """SELECT count(*) FILTER (WHERE s IS NULL), count(*) FILTER (WHERE l IS NULL),
               (SELECT count(*) FROM t WHERE s IS NULL) AS found, (SELECT count(*) FROM t WHERE l IS NOT NULL) AS other FROM t"""
    store.sql("""CREATE TABLE t AS SELECT 1 AS a, named_struct('x', 1, 'y', 2) AS s, [1, 2] AS l
                 UNION ALL SELECT 2, named_struct('x', 3, 'y', NULL), [3]""")
    assert store.sql(nulls).fetchall() == [(0, 0, 0, 2)]
    store.sql("INSERT INTO t VALUES (3, NULL, NULL)")
    assert store.sql(nulls).fetchall() == [(1, 1, 1, 2)]
    store.sql("UPDATE t SET s = NULL, l = NULL WHERE a = 1")
    assert store.sql(nulls).fetchall() == [(2, 2, 2, 1)]
    store.sql("UPDATE t SET s = NULL, l = NULL")
    assert store.sql(nulls).fetchall() == [(3, 3, 3, 0)]
