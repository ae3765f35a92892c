"""Stores for the tests: the embedded one in a data folder of its own, and empty ones."""

import os
import tempfile

# Before the package looks for it.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="hollandite-tests-")
os.environ.pop("HOLLANDITE_STORE", None)

import pytest

import hollandite

RUTILE = """TiO2
1.0
4.5922 0 0
0 4.5922 0
0 0 2.9574
Ti O
2 4
Direct
0 0 0
0.5 0.5 0.5
0.30496 0.30496 0
0.69504 0.69504 0
0.19504 0.80496 0.5
0.80496 0.19504 0.5
"""


@pytest.fixture(scope="session")
def db():
    """The embedded store."""
    with hollandite.connect() as connection:
        yield connection


@pytest.fixture
def store(tmp_path):
    """A store with rutile in it."""
    with hollandite.connect(tmp_path / "store", create=True) as connection:
        connection.import_structures([RUTILE], ids=["rutile"])
        yield connection


@pytest.fixture(scope="session")
def rutile():
    """Rutile as the package has it."""
    return hollandite.Crystal.read(RUTILE)
