"""Threads, forks, Ctrl-C, and what is left behind."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import dask
import fsspec
import joblib
import jupyter_client.manager
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest

import hollandite
import hollandite.ase
import hollandite.dbapi

SLOW = "SELECT count(*) FROM tmo a JOIN tmo b ON true JOIN tmo c ON true JOIN tmo d ON true WHERE length(a.id || b.id || c.id || d.id) > 0"


def run(code, **kwargs):
    """A process of Python of its own."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)


def ends_by_ctrl_c(code):
    """A process that says "ready" is interrupted, says so, and goes on to an answer of 42."""
    process = run(code)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.5)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out.startswith("interrupted") and "(42,)" in out, (out, err)
    assert time.monotonic() - sent < 30 and process.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("way", ["slow.fetchall()", "slow.to_polars()", "slow.to_arrow()", "slow.to_pandas()", "db.register('slow', slow)"])
def test_ctrl_c_ends_the_query_and_not_the_process(db, way):
    code = f"""
import hollandite, time
db = hollandite.connect()
db.sql("SELECT 1").fetchall()
print("ready", flush=True)
begun = time.monotonic()
try:
    slow = db.sql({SLOW!r})
    {way}
    print("the query ended by itself")
except KeyboardInterrupt:
    print("interrupted", round(time.monotonic() - begun, 1))
print(db.sql("SELECT 41 + 1").fetchone())
"""
    ends_by_ctrl_c(code)


#: What takes long, over the crystals of the embedded store.
LONG = {
    "a function": "hollandite.voronoi(crystals * 20)",
    "an import": "store.import_structures(crystals * 200, into='many')",
    "a training": "db.train(table='sample', model='cgcnn', epochs=100000, name='endless')",
}


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("work", LONG)
def test_ctrl_c_ends_what_takes_long(tmp_path, work):
    code = f"""
import hollandite
db, store = hollandite.connect(), hollandite.connect({str(tmp_path / "store")!r}, create=True)
crystals = db.sql("SELECT structure FROM tmo UNION ALL SELECT structure FROM sample").to_crystals()
print("ready", flush=True)
try:
    {LONG[work]}
    print("it ended by itself")
except KeyboardInterrupt:
    print("interrupted")
print(db.sql("SELECT 41 + 1").fetchone(), store.sql("SELECT count(*) FROM snapshots").fetchone()[0])
"""
    ends_by_ctrl_c(code)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_kernel_that_shows_progress_is_interrupted():
    manager, client = jupyter_client.manager.start_new_kernel(startup_timeout=300)

    def run(code, interrupt=False):
        """What the kernel answers; it is interrupted when it shows a bar."""
        asked, said = client.execute(code), []
        while True:
            message = client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            if content.get("execution_state") == "idle":
                return said
            shown = content.get("data", {})
            if interrupt and "<progress" in shown.get("text/html", ""):
                interrupt = False
                manager.interrupt_kernel()
                said.append("shown")
            said += [one for one in (content.get("ename"), shown.get("text/plain")) if one and one != "<IPython.core.display.HTML object>"]

    try:
        assert run("import hollandite; db = hollandite.connect()") == []
        assert run(LONG["a training"].replace("endless", "another"), interrupt=True) == ["shown", "KeyboardInterrupt"]
        assert run("db.sql('SELECT 41 + 1').fetchone()") == ["(42,)"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_eight_threads_share_a_connection(db):
    def ask(i):
        assert db.sql("SELECT id FROM tmo ORDER BY id LIMIT $1", [i + 1]).to_polars().height == i + 1
        value = hollandite.void(db.sql("SELECT structure FROM tmo WHERE id = 'rutile'").to_crystals()[0])
        db.register(f"mine_{i}", {"x": [i]})
        return value, db.sql(f"SELECT x FROM mine_{i}").fetchone()[0]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(32)))
    assert [x for _, x in answers] == list(range(32)) and len({value for value, _ in answers}) == 1


@pytest.mark.parametrize("of", ["a query", "a function"])
def test_what_computes_lets_other_threads_run(db, of):
    ticks = 0
    many = "SELECT sum(density(a.structure)) FROM tmo a, (SELECT 1 FROM tmo x, tmo y LIMIT 3000) b"
    structures = db.sql("SELECT a.structure FROM sample a, (SELECT 1 FROM tmo LIMIT 5) b").to_polars()["structure"]
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(lambda: db.sql(many).fetchall() if of == "a query" else hollandite.spacegroup(structures))
        while not job.done():
            time.sleep(0.01)
            ticks += 1
    assert len(job.result()) > 0 and ticks > 1


def test_a_stream_whose_threads_run_python_becomes_a_table(db, tmp_path):
    file = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"x": range(1000)}), file)
    files = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(fsspec.filesystem("file")))
    db.register("scanned", pyarrow.dataset.dataset(str(file), filesystem=files).scanner().to_reader())
    assert db.sql("SELECT sum(x) FROM scanned").fetchone() == (499500,)


@pytest.fixture(scope="module")
def cursor(db):
    """A cursor of the DB-API on the embedded store."""
    with hollandite.dbapi.connect(db.path) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "work",
    [
        lambda db, cursor: hollandite.void("x"),
        lambda db, cursor: db.sql("SELECT 1"),
        lambda db, cursor: db.register("x", {"a": [1]}),
        lambda db, cursor: db.unregister("x"),
        lambda db, cursor: hollandite._lib.main(["hollandite"]),
        lambda db, cursor: hollandite.ase.Calculator("chgnet", db),
        lambda db, cursor: hollandite.dbapi.connect(db.path),
        lambda db, cursor: cursor.execute("SELECT 1"),
    ],
    ids=["function", "query", "register", "unregister", "program", "calculator", "dbapi", "cursor"],
)
def test_a_forked_process_is_told_to_spawn(db, cursor, work):
    db.sql("SELECT 1").fetchall()
    queue = multiprocessing.get_context("fork").SimpleQueue()

    def child():
        try:
            work(db, cursor)
        except BaseException as error:
            queue.put((type(error).__name__, str(error)))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(30)
    assert process.exitcode == 0
    name, message = queue.get()
    assert name == "ForkError" and "spawn" in message


def rows_of(db, table):
    return db.path, db.read_only, db.sql(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_workers_open_the_store_of_a_connection_for_themselves(store):
    with hollandite.connect(store.path, read_only=True) as reader:
        answers = joblib.Parallel(n_jobs=2)(joblib.delayed(rows_of)(reader, table) for table in ["tmo", "snapshots"])
        assert answers == [rows_of(reader, table) for table in ["tmo", "snapshots"]] and answers[0] == (store.path, True, 1)
        with pytest.raises(hollandite.UsageError, match="to_arrow"):
            pickle.dumps(reader.sql("SELECT 1"))
    newest = store.sql("SELECT max(snapshot_id) FROM snapshots").fetchone()[0]
    with hollandite.connect(store.path, snapshot=newest) as older, pickle.loads(pickle.dumps(older)) as again:
        assert again.snapshot == newest
    with pytest.raises(hollandite.UsageError, match="hollandite.connect"):
        pickle.dumps(hollandite.connect(":memory:"))


def asked_by(db, crystal):
    """The process, and its listeners of a store and of a crystal."""
    return os.getpid(), db.sql("SELECT count(*) FROM tmo").fetchone()[0], hollandite.density(crystal)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask_works_by_threads_and_by_processes(store, rutile, scheduler):
    tasks = [dask.delayed(asked_by)(store, rutile) for _ in range(4)]
    answers = dask.compute(*tasks, scheduler=scheduler, num_workers=2)
    assert {answer[1:] for answer in answers} == {(1, hollandite.density(rutile))}
    assert all((process == os.getpid()) == (scheduler == "threads") for process, _, _ in answers)


def test_spawned_processes_work(rutile):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(hollandite.density, [rutile] * 4) == [hollandite.density(rutile)] * 4


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_no_file_stays_open(tmp_path):
    def files():
        targets = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
        return [target for target in targets if str(tmp_path) in target]

    connection = hollandite.connect(tmp_path / "store", create=True)
    connection.import_structures([hollandite.Crystal([[3, 0, 0], [0, 3, 0], [0, 0, 3]], ["Ti"], [[0, 0, 0]])], into="other")
    assert connection.sql("SELECT count(*) FROM other").fetchone() == (1,)
    connection.close()
    del connection
    for _ in range(50):
        if not files():
            break
        time.sleep(0.1)
    assert files() == []


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs /proc")
def test_no_thread_and_no_file_stays_behind(tmp_path):
    code = f"""
import hollandite, os, time
from concurrent.futures import ThreadPoolExecutor

def use(i):
    with hollandite.connect({str(tmp_path)!r} + f"/store-{{i % 8}}", create=True) as db:
        db.import_structures([hollandite.Crystal([[3, 0, 0], [0, 3, 0], [0, 0, 3]], ["Ti"], [[0, 0, 0]])], into="other", ids=[f"a{{i}}"])
        assert len(db.sql("SELECT id FROM other").fetchall()) >= 1
        db.export("other", to={str(tmp_path)!r} + f"/{{i}}.csv")

def left():
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

def eight():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))

eight()
for _ in range(100):
    time.sleep(0.1)
    before, previous = left(), locals().get("before")
    if before == previous:
        break
for _ in range(3):
    eight()
for _ in range(200):
    if left()[0] <= before[0] and left()[1] <= before[1]:
        break
    time.sleep(0.1)
print(before, left(), left()[0] <= before[0] and left()[1] <= before[1])
"""
    out, err = run(code).communicate(timeout=180)
    assert out.strip().endswith("True"), (out, err)


def test_the_process_ends_at_once():
    begun = time.monotonic()
    process = run("import hollandite; db = hollandite.connect(); r = db.sql('SELECT id FROM tmo'); print(len(r)); it = iter(r)")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and int(out) > 100 and err == "" and time.monotonic() - begun < 50


def test_reading_while_another_process_writes(store, tmp_path, rutile):
    code = f"""
import hollandite
with hollandite.connect({str(store.path)!r}) as db:
    crystal = hollandite.Crystal.read({rutile.to_cif()!r})
    for i in range(6):
        scaled = hollandite.Crystal([[x * (1 + 0.01 * i) for x in row] for row in crystal.lattice], crystal.species, crystal.frac_coords)
        assert db.import_structures([scaled], ids=[f"other-{{i}}"]).added == 1
"""
    process = run(code)
    seen = set()
    while process.poll() is None:
        seen.add(store.sql("SELECT count(*) FROM tmo").fetchone()[0])
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert store.sql("SELECT count(*) FROM tmo").fetchone() == (7,) and seen <= set(range(1, 8))


def test_reading_while_the_shell_writes(store, tmp_path):
    store.sql("CREATE TABLE counted AS SELECT 0 AS x")
    statements = tmp_path / "statements.sql"
    statements.write_text("".join(f"INSERT INTO counted VALUES ({i});\n" for i in range(1, 7)))
    command = [sys.executable, "-m", "hollandite", "--store", str(store.path), "shell"]
    with statements.open() as asked:
        shell = subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = []
    while shell.poll() is None:
        seen.append(store.sql("SELECT count(*) FROM counted").fetchone()[0])
    out, err = shell.communicate()
    assert shell.returncode == 0, (out, err)
    assert store.sql("SELECT count(*) FROM counted").fetchone() == (7,) and seen == sorted(seen) and set(seen) <= set(range(1, 8))
