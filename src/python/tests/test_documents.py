"""The notebook, the guide and what the README shows of Python are run as they stand."""

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import hollandite

QUERIES = Path(__file__).parents[3] / "queries"


def test_the_notebook_runs(tmp_path):
    notebook = nbformat.read(QUERIES / "screening.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is kept without its outputs"
    done = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [out["data"] for cell in done.cells for out in cell.get("outputs", []) if "data" in out]
    tables = [data["text/html"] for data in shown if "<table class='hollandite'>" in data.get("text/html", "")]
    assert len(tables) >= 2 and any("eV/atom" in table for table in tables)
    assert any("image/svg+xml" in data for data in shown) and any("<iframe" in data.get("text/html", "") for data in shown)
    assert (tmp_path / "open-oxides.html").stat().st_size > 100_000


GUIDE = (QUERIES / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_the_guide_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Those of other programs stand beside ours to be compared.
    ours = [block for block in BLOCKS if not block.startswith("# there, ")]
    assert len(ours) > 5 and 2 < len(BLOCKS) - len(ours) == sum(block.startswith("# here, ") for block in BLOCKS)
    names: dict = {}
    for block in ours:
        exec(compile(block, "queries/python.md", "exec"), names)
    for value in names.values():
        if isinstance(value, hollandite.Connection):
            value.close()


def test_what_the_readme_shows_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = (QUERIES.parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names: dict = {}
    exec(compile(block, "README.md", "exec"), names)
    names["db"].close()
    assert len(names["frame"]) > 10


def test_the_guide_shows_every_adaptor():
    for name in ["hollandite.sklearn", "hollandite.duckdb", "hollandite.dbapi", "hollandite.ase", "%load_ext hollandite"]:
        assert name in GUIDE
