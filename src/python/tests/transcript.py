"""What other programs see of a server, from beside it: starts `hollandite serve` (the program is the first argument, or the one in PATH)
before the store of published oxides that it has built in, in an empty folder, and prints what curl, the ADBC driver of Flight SQL, and the
clients of OPTIMADE and of pymatgen are answered, in this order. queries/serve.md shows it, with the usual ports."""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import warnings

CURL = [
    "curl -s http://127.0.0.1:7701/health | grep -o '\"status\":\"[a-z]*\"'",
    """curl -s http://127.0.0.1:7701/v1/sql -H 'Content-Type: application/json' -d '{"query": "SELECT id, natoms FROM tmo WHERE formula = $1 ORDER BY id", "params": ["WO3"], "format": "csv"}'""",
    "curl -s 'http://127.0.0.1:7701/optimade/v1/structures/rutile?response_fields=chemical_formula_reduced,nsites' | grep -o '\"attributes\":{[^}]*}'",
    """curl -s http://127.0.0.1:7701/v1/sql -H 'Content-Type: application/json' -d '{"query": "DROP TABLE tmo"}'""",
]

PYTHON = [
    "import adbc_driver_flightsql.dbapi as flightsql",
    'connection = flightsql.connect("grpc://127.0.0.1:7700", autocommit=True)',
    "cursor = connection.cursor()",
    '_ = cursor.execute("SELECT id, round(void, 2) AS void FROM tmo WHERE natoms < ? AND formula = ? ORDER BY id", [13, "TiO2"])',
    "cursor.fetch_arrow_table().to_pylist()",
    'connection.adbc_get_table_schema("tmo").field("volume")',
    "cursor.close(); connection.close()",
    "from optimade.client import OptimadeClient",
    'client = OptimadeClient(base_urls=["http://127.0.0.1:7701/optimade"], silent=True)',
    """wanted = 'elements HAS ALL "Mn","O" AND nelements = 2 AND nsites < 7'""",
    'pages = client.get(wanted, response_fields=["chemical_formula_reduced", "nsites"])["structures"][wanted].values()',
    '[(entry["id"], entry["attributes"]) for page in pages for entry in page["data"]]',
    "from pymatgen.ext.optimade import OptimadeRester",
    'rester = OptimadeRester("http://127.0.0.1:7701/optimade/")',
    '(found,) = rester.get_structures(elements=["Re", "O"], nelements=2).values()',
    "{name: (structure.formula, structure.get_space_group_info()) for name, structure in found.items()}",
]


def answers(program, folder):
    """The transcript, line by line, under the usual ports, of a server that is started in a folder."""
    command = [program, "serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder)
    try:
        said = ""
        while "HTTP at" not in said:
            line = process.stderr.readline()
            if not line:
                raise SystemExit(f"the server ended: {said}")
            said += line
        ports = {
            "127.0.0.1:7700": re.search(r"Flight SQL at \S+://(\S+)", said)[1],
            "127.0.0.1:7701": re.search(r"HTTP at \S+://(\S+)", said)[1],
        }

        def there(text, back=False):
            for usual, own in ports.items():
                text = text.replace(own, usual) if back else text.replace(usual, own)
            return text

        for line in CURL:
            yield f"$ {line}"
            yield there(subprocess.run(there(line), shell=True, capture_output=True, text=True, timeout=60).stdout, True)
        names = {}
        for line in PYTHON:
            yield f">>> {line}"
            yield there(spoken(there(line), names), True)
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def spoken(line, names):
    """What an interpreter prints for a line; what clients tell of their progress is not of the answer."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = compile(line, "transcript", "eval")
        except SyntaxError:
            exec(compile(line, "transcript", "exec"), names)
            return ""
        value = eval(code, names)
    return "" if value is None else repr(value)


def main():
    warnings.simplefilter("ignore")
    program = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "hollandite"
    with tempfile.TemporaryDirectory() as folder:
        for text in answers(program, folder):
            if text:
                print(text.rstrip("\n"), flush=True)


if __name__ == "__main__":
    main()
