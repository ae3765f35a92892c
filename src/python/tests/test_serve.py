"""The server and the assistant's door, in the program of the wheel; the guide is run against a server that listens."""

import json
import re
import signal
import ssl
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(sysconfig.get_path("scripts")) / "hollandite"
GUIDE = (Path(__file__).parents[3] / "queries" / "serve.md").read_text(encoding="utf-8")
TOKEN = "a-token-of-the-tests"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server before the embedded store: the process, and its addresses of Flight and HTTP."""
    monkeypatch.chdir(tmp_path)
    command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log"]
    with started(tmp_path, command) as server:
        yield server


@contextmanager
def started(folder, command, known=True):
    """The server that a command starts, with the token of the tests or without one."""
    token = folder / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    token = ["--token-file", token] if known else []
    process = subprocess.Popen([*command, *token], stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while "HTTP at" not in said:
            line = process.stderr.readline()
            assert line, f"it ended: {said}"
            said += line
        yield process, re.search(r"Flight SQL at \S+://(\S+)", said)[1], re.search(r"HTTP at \S+://(\S+)", said)[1]
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def test_the_guide_runs_against_a_server(server):
    _, flight, http = server
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(blocks) >= 3
    names = {}
    for block in blocks:
        block = block.replace("127.0.0.1:7700", flight).replace("127.0.0.1:7701", http)
        exec(compile(block, "queries/serve.md", "exec"), names)


def test_the_validator_of_optimade_finds_the_server_valid(server):
    from optimade.validator import ImplementationValidator

    _, _, http = server
    headers = {"Authorization": f"Bearer {TOKEN}"}
    validator = ImplementationValidator(base_url=f"http://{http}/optimade/v1", http_headers=headers, respond_json=True)
    validator.validate_implementation()
    results = validator.results
    failed = results.failure_messages + results.internal_failure_messages + results.optional_failure_messages
    assert validator.valid and results.success_count > 30 and not failed, failed


def test_clients_of_optimade_read_the_server(tmp_path, monkeypatch):
    from optimade.client import OptimadeClient
    from pymatgen.ext.optimade import OptimadeRester

    monkeypatch.chdir(tmp_path)
    command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with started(tmp_path, command, known=False) as (_, _, http):
        url = f"http://{http}/optimade"
        with OptimadeRester(url + "/") as rester:
            (found,) = rester.get_structures(elements=["Ti", "O"], nelements=2).values()
        assert found["rutile"].composition.reduced_formula == "TiO2" and len(found["rutile"]) == 6
        client = OptimadeClient(base_urls=[url], max_results_per_provider=10, silent=True)
        wanted = 'chemical_formula_reduced = "O2Ti"'
        (page,) = client.get(wanted)["structures"][wanted].values()
        assert "rutile" in [entry["id"] for entry in page["data"]] and not page["errors"]


def test_the_transcript_of_the_guide_is_what_other_programs_are_answered():
    (shown,) = re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)
    script = Path(__file__).with_name("transcript.py")
    said = subprocess.run([sys.executable, script, PROGRAM], capture_output=True, text=True, timeout=300)
    assert said.stdout == shown, said.stderr


TYPES = [
    "arrow_cast('x', 'Utf8View')",
    "arrow_cast(['x'], 'LargeList(Utf8View)')",
    "arrow_cast([1], 'ListView(Int64)')",
    "map(['x'], [1])",
    "[{a: 'x', b: [1.5]}]",
    "arrow_cast('x', 'Dictionary(Int32, Utf8View)')",
    "DATE '2026-05-01'",
    "TIMESTAMP '2026-05-01 12:00:00'",
    "CAST(1.5 AS DECIMAL(10, 2))",
    "X'00ff'",
    "true",
    "NULL",
]


def test_values_of_every_type_come_over_flight(server):
    import adbc_driver_flightsql.dbapi as flightsql

    _, flight, _ = server
    options = {"adbc.flight.sql.authorization_header": f"Bearer {TOKEN}"}
    with flightsql.connect(f"grpc://{flight}", options, autocommit=True) as connection, connection.cursor() as cursor:
        for column in TYPES:
            for fetch in (cursor.fetch_arrow_table, cursor.fetchall, cursor.fetch_polars, cursor.fetch_df):
                cursor.execute(f"SELECT {column} AS x FROM generate_series(1, 3)")
                rows = fetch()
                assert len(rows) == 3 and repr(rows), column
                assert "view" not in str(getattr(rows, "schema", "")).lower(), column
        cursor.execute("SELECT * FROM tmo LIMIT 5")
        assert len(cursor.fetch_df()) == 5


def test_frames_come_over_flight(server):
    import adbc_driver_flightsql.dbapi as flightsql
    import polars

    _, flight, _ = server
    options = {"adbc.flight.sql.authorization_header": f"Bearer {TOKEN}"}
    with flightsql.connect(f"grpc://{flight}", options, autocommit=True) as connection:
        frame = polars.read_database("SELECT id, void FROM tmo ORDER BY id", connection)
        assert frame.height > 100 and frame["void"].null_count() == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, void FROM tmo WHERE void > $1 AND id <> $2", [0.6, "'; DROP TABLE tmo; --"])
            assert len(cursor.fetch_df()) > 1
            names = connection.adbc_get_info()
            assert names["vendor_name"] == "hollandite"
    with pytest.raises(Exception, match="(?i)unauthenticated|token"):
        with flightsql.connect(f"grpc://{flight}", autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_kill_ends_it_cleanly_and_requests_are_logged(server):
    process, _, http = server
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{http}/v1/tables")
    assert refused.value.code == 401
    assert json.load(urllib.request.urlopen(f"http://{http}/health"))["status"] == "ok"
    process.send_signal(signal.SIGTERM)
    said = process.stderr.read()
    assert process.wait(timeout=20) == 0, said
    *lines, last = said.splitlines()
    assert last == "ended"
    assert [json.loads(line)["outcome"] for line in lines] == ["unauthorized", "ok"]


def test_listings_are_logged_as_statements_are(server):
    import adbc_driver_flightsql.dbapi as flightsql

    process, flight, _ = server
    options = {"adbc.flight.sql.authorization_header": f"Bearer {TOKEN}"}
    with flightsql.connect(f"grpc://{flight}", options, autocommit=True) as connection:
        connection.adbc_get_objects(depth="tables").read_all()
        connection.adbc_get_table_schema("tmo")
        connection.adbc_get_info()
    process.send_signal(signal.SIGTERM)
    *lines, last = process.stderr.read().splitlines()
    assert last == "ended"
    seen = {line["what"]: line for line in map(json.loads, lines)}
    for what in ["GetSqlInfo", "GetDbSchemas", "GetTables"]:
        for line in (seen[what], seen[f"DoGet {what}"]):
            assert (line["door"], line["outcome"]) == ("flight", "ok")
    assert seen["DoGet GetTables"]["rows"] >= 1


def test_what_other_machines_reach_is_refused_or_encrypted(tmp_path, monkeypatch):
    import adbc_driver_flightsql.dbapi as flightsql

    monkeypatch.chdir(tmp_path)
    everywhere = [PROGRAM, "serve", "--listen", "0.0.0.0:0", "--http", "0.0.0.0:0"]
    said = subprocess.run(everywhere, capture_output=True, text=True, timeout=60)
    assert said.returncode == 2 and "--tls-cert" in said.stderr and "--token-file" in said.stderr
    files = Path(__file__).parents[2] / "serve" / "testing"
    certificate = files / "certificate.pem"
    tls = ["--tls-cert", certificate, "--tls-key", files / "key.pem"]
    said = subprocess.run(everywhere + tls, capture_output=True, text=True, timeout=60)
    assert said.returncode == 2 and "--tls-cert" not in said.stderr and "--token-file" in said.stderr
    with started(tmp_path, everywhere + tls) as (_, flight, http):
        trusting = ssl.create_default_context(cafile=certificate)
        url = f"https://localhost:{http.rsplit(':')[-1]}/health"
        assert json.load(urllib.request.urlopen(url, context=trusting))["status"] == "ok"
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(url)
        options = {
            "adbc.flight.sql.authorization_header": f"Bearer {TOKEN}",
            "adbc.flight.sql.client_option.tls_root_certs": certificate.read_text(),
        }
        uri = f"grpc+tls://localhost:{flight.rsplit(':')[-1]}"
        with flightsql.connect(uri, options, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 6 * 7 AS n")
            assert cursor.fetchone() == (42,)


def test_an_assistant_is_answered():
    call = {"name": "query", "arguments": {"sql": "SELECT id, void FROM tmo WHERE id = 'rutile'"}}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    text = "".join(json.dumps(message) + "\n" for message in messages)
    said = subprocess.run([PROGRAM, "mcp"], input=text, capture_output=True, text=True, timeout=60)
    answers = {answer["id"]: answer["result"] for answer in map(json.loads, said.stdout.splitlines())}
    assert answers[1]["serverInfo"]["name"] == "hollandite"
    assert answers[2]["structuredContent"]["rows"][0]["id"] == "rutile", said.stderr


def test_the_client_of_the_protocol_speaks_with_the_assistants_door():
    import asyncio

    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def spoken():
        async with stdio_client(StdioServerParameters(command=str(PROGRAM), args=["mcp"])) as (read, write):
            async with ClientSession(read, write) as session:
                about = await session.initialize()
                tools = {tool.name for tool in (await session.list_tools()).tools}
                query = "SELECT id, void, density(structure) AS density FROM tmo WHERE id = $1"
                answer = await session.call_tool("query", {"sql": query, "params": ["rutile"]})
                refused = await session.call_tool("query", {"sql": "DROP TABLE tmo"})
                return about, tools, answer, refused, await session.call_tool("structure", {"id": "rutile"})

    about, tools, answer, refused, crystal = asyncio.run(asyncio.wait_for(spoken(), 60))
    assert about.server_info.name == "hollandite"
    assert tools == {"query", "tables", "describe", "functions", "structure", "stored_queries"}
    assert answer.structured_content["rows"][0]["id"] == "rutile" and not answer.is_error
    assert answer.structured_content["columns"][2]["unit"] == "g/cm³"
    assert refused.is_error and "only reads" in refused.content[0].text
    assert "_atom_site_fract_x" in crystal.content[0].text
