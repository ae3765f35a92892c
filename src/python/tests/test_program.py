"""The command line of the wheel, and what the wheel holds."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import hollandite

PROGRAM = Path(sysconfig.get_path("scripts")) / "hollandite"


def call(*words, **kwargs):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=120, **kwargs)


def test_there_is_no_compiler_here():
    assert shutil.which("cargo") is None and shutil.which("rustc") is None


def test_the_program_is_the_same_program(tmp_path):
    assert call("--version").stdout == f"hollandite {hollandite.__version__}\n"
    said = call("sql", "SELECT id FROM tmo WHERE id = 'rutile'", "--format", "csv")
    assert (said.returncode, said.stdout) == (0, "id\nrutile\n"), said.stderr
    wrong = call("sql", "SELECT voidd FROM tmo")
    assert wrong.returncode == 1 and wrong.stderr.startswith("error: no column 'voidd'")
    assert call("nonsense").returncode == 2
    assert " serve " in call("--help").stdout and call("serve", "--help").returncode == 0
    module = subprocess.run([sys.executable, "-m", "hollandite", "functions", "void"], capture_output=True, text=True)
    assert module.returncode == 0 and module.stdout.startswith("void(")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_leaves_ends_it_quietly():
    process = subprocess.run(f"'{PROGRAM}' functions --format markdown | head -1", shell=True, capture_output=True, text=True)
    assert process.stdout.count("\n") == 1 and process.stderr == ""


def test_nothing_heavy_is_imported():
    code = "import sys, hollandite; print([m for m in ('numpy', 'pandas', 'polars', 'pyarrow', 'pymatgen', 'ase', 'torch', 'IPython') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_name_has_a_type():
    package = Path(hollandite.__file__).parent
    assert (package / "py.typed").exists()
    stubs = (package / "functions.pyi").read_text()
    for name in hollandite.functions.__all__:
        assert f"\n{name} = _all.{name}\n" in stubs and f"    def {name}(self" in stubs, name
