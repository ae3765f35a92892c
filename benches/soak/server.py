"""A crowd that asks one server, while crystals are imported; and `kill -9` of the server in the midst of it.

So many clients mix cheap queries (a count, a filter, one row by a parameter, a crystal as a file, a page of OPTIMADE) with calls of a
model, whose answers are remembered in the store, and of many models at once, whose answers are not. Every answer must be whole and
right; a client that is told to come back (429) waits as it is told, and is counted. Meanwhile `import` writes files of crystals, one
after the other, and each of them must be seen as a whole or not at all. The resident memory of the server is taken every second: where
nothing is imported (--imports 0), it may not grow by more than a tenth after a tenth of the time; what is remembered of new files grows
with them. No import may block readers: the slowest hundredth of a kind may not take over a second and three times as long while one runs
as in the rest of the time.

With --kills, the server is killed so many times under that load and started again: the store must verify, with whole imports alone.
"""

import collections
import contextlib
import http.client
import json
import multiprocessing
import signal
import statistics
import subprocess
import sys
import time

from common import HOLLANDITE, arguments, crystals, rows, run, workplace
from memory import resident

BASE, ROWS = 2000, 200
PARTIAL = f"SELECT source, count(*) AS n FROM tmo WHERE source <> 'base' GROUP BY source HAVING count(*) <> {ROWS}"


def asked(body):
    return "POST", "/v1/sql", json.dumps(body)


def requests(turn):
    """Name, request, and what the answer must be, of each kind; one call of a model in every four."""
    i = turn * 7919 % BASE
    model = "SELECT id, predict_ef(structure, 'cgcnn') AS ef FROM tmo WHERE id = $1"
    several = f"SELECT count(predict_ef(structure, 'cgcnn')) AS n FROM tmo WHERE source = 'base' AND id LIKE '%{i % 100:02}'"
    fresh = {"cache": False}
    optimade = "/optimade/v1/structures?filter=elements%20HAS%20%22Ti%22&page_limit=5&response_fields=nsites"
    return [
        ("count", asked({"query": "SELECT count(*) AS n FROM tmo WHERE source = 'base'"}), lambda a: a == [{"n": BASE}]),
        ("filter", asked({"query": "SELECT id FROM tmo WHERE void > 0.1 AND source = 'base' ORDER BY volume DESC, id LIMIT 5"}), lambda a: len(a) == 5),
        ("row", asked({"query": "SELECT id, formula FROM tmo WHERE id = $1", "params": [f"base-{i}"]}), lambda a: a[0]["id"] == f"base-{i}"),
        ("model", asked({"query": model, "params": [f"base-{i}"]}), lambda a: a[0]["ef"] < 0),
        ("crystal", ("GET", f"/v1/structures/base-{i}.json", None), lambda a: len(a["sites"]) == 6),
        ("optimade", ("GET", optimade, None), lambda a: len(a["data"]) == 5),
        ("whole", asked({"query": PARTIAL}), lambda a: a == []),
        ("models", asked({"query": several, "options": fresh}), lambda a: a[0]["n"] >= BASE // 100 - 1),
    ]  # fmt: skip


def ask(connection, request):
    method, path, body = request
    connection.request(method, path, body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    return reply.status, reply.read()


def client(at, seed, end, told):
    """Asks until the end; tells kind, beginning, seconds, and what was wrong."""
    turn, connection = seed, http.client.HTTPConnection(at, timeout=120)
    while time.time() < end.value:
        known = requests(turn)
        name, request, right = known[turn % len(known)]
        turn += 1
        began, fault = time.time(), None
        try:
            status, body = ask(connection, request)
            if status == 429:
                told.put(("busy", began, time.time() - began, None))
                time.sleep(1)
                continue
            if status != 200 or not right(json.loads(body)):
                fault = f"{name}: {status} {body[:300]!r}"
        except (OSError, http.client.HTTPException) as gone:
            fault = f"{name}: {gone!r}"
            connection.close()
        except (ValueError, LookupError, TypeError) as other:
            # Sent with 200, and no such answer: half of it, or of another form.
            fault = f"{name}: {other!r} in {body[:300]!r}"
        told.put((name, began, time.time() - began, fault))
        if fault:
            time.sleep(0.2)


def writer(store, folder, most, end, told):
    """Imports file after file, at most so many; tells when each began and how long it took."""
    turn = 0
    while turn < most and time.time() < end.value:
        source = f"import-{time.time():.0f}-{turn}"
        turn += 1
        path, began = crystals(folder / "more.jsonl", source, ROWS), time.time()
        done = run(store, "import", path, "--source", source, check=False)
        told.put(("import", began, time.time() - began, None if done.returncode == 0 else done.stderr[-300:]))
        time.sleep(2)


@contextlib.contextmanager
def served(store, queries):
    """A server: its process and its address."""
    command = [HOLLANDITE, "serve", str(store), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--queries", str(queries)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        for line in process.stderr:
            said += line
            if "HTTP at" in line:
                break
        else:
            sys.exit(f"the server ended with exit code {process.wait()}\n{said}")
        yield process, line.split("://")[1].strip()
    finally:
        process.kill()
        process.wait()


def crowd(at, store, folder, clients, most, seconds, watched):
    """What was told by all of them, and the course of the server's memory."""
    end, told = multiprocessing.Value("d", time.time() + seconds), multiprocessing.Queue()
    all_ = [multiprocessing.Process(target=client, args=(at, i, end, told)) for i in range(clients)]
    all_.append(multiprocessing.Process(target=writer, args=(store, folder, most, end, told)))
    for one in all_:
        one.start()
    begun, events, course = time.time(), [], []
    while any(one.is_alive() for one in all_) or not told.empty():
        with contextlib.suppress(Exception):
            events.append(told.get(timeout=1))
            while not told.empty():
                events.append(told.get())
        if time.time() - begun - (course[-1][0] if course else -2) > 1:
            if not watched(time.time() - begun, course):
                # Whoever asks for something gets to the end of it.
                end.value = 0
    for one in all_:
        one.join()
    events += [("client", begun, 0, f"ended with exit code {one.exitcode}") for one in all_ if one.exitcode]
    return events, course


def tell(events, course, seconds):
    """Prints times and memory; the faults."""
    imports = [(began, began + took) for name, began, took, _ in events if name == "import"]
    within = lambda began, took: any(began < b and a < began + took for a, b in imports)
    kinds = collections.defaultdict(list)
    for name, began, took, fault in events:
        if fault is None:
            kinds[name].append((took, within(began, took)))
    faults = [f"{name} at {began:.1f}: {fault}" for name, began, _, fault in events if fault]
    faults += [f"{name}: no answer" for name, *_ in requests(0) if name not in kinds]
    percent = lambda times, p: sorted(times)[min(len(times) - 1, int(p / 100 * len(times)))] * 1e3 if times else float("nan")
    print(f"{'asked for':10} {'answers':>8} {'p50 ms':>8} {'p99 ms':>8} {'p99 ms, importing':>18} {'p99 ms, not':>12}")
    for name, times in kinds.items():
        if name in ("import", "busy"):
            continue
        took, during, else_ = [t for t, _ in times], [t for t, i in times if i], [t for t, i in times if not i]
        if during and percent(during, 99) > max(1000, 3 * percent(else_, 99)):
            faults.append(f"{name}: blocked while an import runs")
        print(f"{name:10} {len(took):8} {percent(took, 50):8.1f} {percent(took, 99):8.1f} {percent(during, 99):18.1f} {percent(else_, 99):12.1f}")
    answers = sum(len(times) for name, times in kinds.items() if name not in ("import", "busy"))
    print(
        f"{answers} answers, {answers / seconds:.0f} a second; {len(kinds['busy'])} told to come back; {len(kinds['import'])} imports of {ROWS}, "
        f"median {statistics.median([t for t, _ in kinds['import']] or [0]):.1f} s; {len(faults)} bad"
    )
    settled = [m for t, m in course if t > seconds / 10]
    if not settled:
        faults.append("its memory was not seen: the server ended early")
    else:
        tenth = len(settled) // 10 + 1
        first, last = statistics.mean(settled[:tenth]), statistics.mean(settled[-tenth:])
        course = ", ".join(f"{statistics.mean(settled[i * len(settled) // 10 : (i + 1) * len(settled) // 10] or [0]):.0f}" for i in range(10))
        print(f"resident: {first:.0f} MB at first, {last:.0f} MB at last, {max(settled):.0f} MB at most; by tenths {course} MB")
        if last > 1.1 * first and not kinds["import"]:
            faults.append(f"the memory grew from {first:.0f} to {last:.0f} MB")
    return faults


def examine(store):
    """What is wrong with a store that nobody serves or writes."""
    verify = run(store, "verify", check=False)
    print(verify.stdout.strip())
    faults = [] if verify.returncode == 0 else [f"verify: {verify.stdout} {verify.stderr}"]
    return faults + [f"a part of an import: {row}" for row in rows(store, PARTIAL)]


def main():
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--queries", type=int, default=8, help="queries that the server runs at a time; four times as many wait")
    parser.add_argument("--imports", type=int, default=10**9, help="most files that are imported; 0: the memory is judged")
    parser.add_argument("--kills", type=int, default=3)
    args = parser.parse_args()
    # Who is asked to end ends the server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    folder = workplace(args.work)
    store, seconds = folder / "served", 60 * args.minutes
    run(store, "init")
    run(store, "import", crystals(folder / "base.jsonl", "base", BASE), "--source", "base")
    with served(store, args.queries) as (process, at):

        def watched(passed, course):
            if process.poll() is not None:
                return False
            course.append((passed, resident(process.pid)))
            return True

        faults = tell(*crowd(at, store, folder, args.clients, args.imports, seconds, watched), seconds)
        if process.poll() is not None:
            faults.append(f"the server ended under the load with exit code {process.returncode}\n{process.stderr.read()[-2000:]}")
        else:
            process.send_signal(signal.SIGTERM)
            if (code := process.wait(timeout=30)) != 0:
                faults.append(f"asked to end, the server ended with exit code {code}")
    faults += examine(store)
    for turn in range(args.kills):
        with served(store, args.queries) as (process, at):

            def killed(passed, course):
                course.append((passed, 0))
                if passed > 4 + turn and process.poll() is None:
                    process.kill()
                return process.poll() is None

            events, _ = crowd(at, store, folder, args.clients, args.imports, 60, killed)
        whole = sum(1 for *_, fault in events if fault is None)
        with served(store, args.queries) as (_, at):
            answer = ask(http.client.HTTPConnection(at, timeout=60), requests(0)[0][1])
        print(f"kill {turn + 1}: after {whole} answers; started again it answers {answer[0]}", flush=True)
        faults += [] if answer[0] == 200 else [f"started again it answers {answer}"]
        faults += examine(store)
    for fault in faults[:50]:
        print("BAD", fault)
    print(f"{len(faults)} bad")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
