"""Answers over the network beside DuckDB and DataFusion behind a server of Arrow Flight on the very same Parquet files.

All servers listen on loopback and are asked by one and the same client, pyarrow's, in the same two calls: what would this statement give,
and give it. A peer is the least server that one would write: a statement is described by its plan and run when it is fetched, with a cursor
of DuckDB for each call, or planned anew by DataFusion, the engine that ours has, with neither catalog nor snapshot nor gate. "cheap" is a
filter with an aggregate, asked by one client and by --clients at once; "stream" is every row of the table with its crystals, beside a
program that reads the same columns of the same files with pyarrow and nothing between.
"""

import contextlib
import multiprocessing
import os
import subprocess
import sys
import time

from common import Table, _build, arguments, machine
from filter import store

CHEAP = "SELECT count(*) AS n, avg(void) AS v FROM crystals WHERE void > 0.6"
COLUMNS = ["id", "formula", "void", "structure"]
STREAM = f"SELECT {', '.join(COLUMNS)} FROM crystals"


def field(number, data):
    """A field of a message of protobuf that holds bytes."""
    size, length = b"", len(data)
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


def command(query):
    """A statement as Flight SQL sends it."""
    kind = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, kind) + field(2, field(1, query.encode()))


def answer(client, query):
    """The rows of an answer."""
    from pyarrow import flight

    info = client.get_flight_info(flight.FlightDescriptor.for_command(command(query)))
    return sum(chunk.data.num_rows for chunk in client.do_get(info.endpoints[0].ticket))


def clients(at, query, n, times):
    """Seconds until `n` clients at once have asked `times` times each."""
    begin = multiprocessing.Barrier(n + 1, timeout=60)
    all_ = [multiprocessing.Process(target=ask, args=(at, query, times, begin)) for _ in range(n)]
    for one in all_:
        one.start()
    begin.wait()
    began = time.perf_counter()
    for one in all_:
        one.join()
    seconds = time.perf_counter() - began
    if any(one.exitcode for one in all_):
        sys.exit(f"a client of {at} ended before its last answer")
    return seconds


def ask(at, query, times, begin):
    from pyarrow import flight

    client = flight.connect(at)
    answer(client, query)
    begin.wait()
    for _ in range(times):
        answer(client, query)


def files(path):
    """The Parquet files of the table."""
    return [str(file) for file in sorted((path / "data" / "main" / "crystals").glob("**/*.parquet"))]


def duckdb_rows(path):
    """The rows of a query by DuckDB."""
    import duckdb
    import pyarrow

    duck = duckdb.connect()
    duck.execute(f"CREATE VIEW crystals AS SELECT * FROM read_parquet({files(path)})")
    return lambda query: pyarrow.RecordBatchReader.from_stream(duck.cursor().sql(query))


def datafusion_rows(path):
    """The rows of a query by DataFusion."""
    import datafusion
    import pyarrow

    context = datafusion.SessionContext()
    context.register_parquet("crystals", os.path.commonpath([os.path.dirname(file) for file in files(path)]))
    return lambda query: pyarrow.RecordBatchReader.from_stream(context.sql(query))


PEERS = {"DuckDB": duckdb_rows, "DataFusion": datafusion_rows}


def peer(name, path, told):
    """One of them behind Flight."""
    from pyarrow import flight

    rows = PEERS[name](path)

    class Server(flight.FlightServerBase):
        def get_flight_info(self, context, descriptor):
            query = next(text for text in (CHEAP, STREAM) if text.encode() in descriptor.command)
            schema = rows(f"SELECT * FROM ({query}) LIMIT 0").schema
            return flight.FlightInfo(schema, descriptor, [flight.FlightEndpoint(query, [])], -1, -1)

        def do_get(self, context, ticket):
            return flight.RecordBatchStream(rows(ticket.ticket.decode()))

    server = Server("grpc://127.0.0.1:0")
    told.put(f"grpc://127.0.0.1:{server.port}")
    server.serve()


@contextlib.contextmanager
def ours(binary, path, n):
    command = [binary, "serve", path, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--queries", str(n)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("Flight SQL at"):
                break
        else:
            sys.exit(f"the server ended with exit code {process.wait()}\n{said}")
        yield line.split(" at ")[1].strip()
    finally:
        process.kill()
        process.wait()


def read(path):
    """The rows of the files, a batch at a time, with nothing between."""
    from pyarrow import dataset

    return sum(batch.num_rows for batch in dataset.dataset(files(path)).to_batches(columns=COLUMNS))


def main():
    parser = arguments(__doc__)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--times", type=int, default=100, help="answers of each client in a round")
    args = parser.parse_args()
    machine()
    binary = os.environ.get("HOLLANDITE") or _build(["build", "--features", "serve", "--bin", "hollandite"], args.profile)
    path = store(binary)
    table, sides, others = Table("us", 1e6), {}, []
    for name in PEERS:
        told = multiprocessing.Queue()
        others.append(multiprocessing.Process(target=peer, args=(name, path, told), daemon=True))
        others[-1].start()
        sides[name] = told.get(timeout=60)
    with ours(binary, path, args.clients) as at:
        sides = {"hollandite": at, **sides}
        for _ in range(args.rounds):
            for side, at in sides.items():
                for n in (1, args.clients):
                    seconds = clients(at, CHEAP, n, args.times)
                    table.add(f"cheap, {n} at once", side, (seconds, None), n * args.times)
            rows = {}
            for side, work in [(side, lambda at=at: streamed(at)) for side, at in sides.items()] + [("pyarrow, no server", lambda: read(path))]:
                began = time.perf_counter()
                rows[side] = work()
                table.add("stream, a row", side, (time.perf_counter() - began, None), rows[side])
            assert len(set(rows.values())) == 1, rows
    for other in others:
        other.kill()
    table.print()
    machine()


def streamed(at):
    from pyarrow import flight

    return answer(flight.connect(at), STREAM)


if __name__ == "__main__":
    # A fork would take the threads of gRPC along.
    multiprocessing.set_start_method("spawn")
    main()
