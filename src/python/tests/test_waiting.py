"""Many threads that wait at once, and arguments by name after some that are left out."""

import json
import subprocess
import sys

import pytest

import hollandite

#: Eight threads ask for two predictions a row each, and the listener of their progress is slow.
THREADS = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import hollandite

class Slow:
    heard = 0
    def __call__(self, *_):
        Slow.heard += 1
        time.sleep(0.05)
    def ended(self, *_):
        time.sleep(0.05)
    def note(self, line):
        pass

with hollandite.connect() as db:
    db.sql("SET hollandite.cache = false")
    db._listen(Slow())
    def ask(i):
        query = "SELECT id, predict_ef(structure, 'cgcnn') AS a, predict_ef(structure, 'schnet') AS b FROM tmo WHERE natoms < 30"
        return len(db.sql(query).fetchall())
    with ThreadPoolExecutor(8) as pool:
        counts = set(pool.map(ask, range(16)))
    assert len(counts) == 1 and counts.pop() > 20 and Slow.heard > 0
    print("all are back")
"""


def test_eight_threads_wait_while_a_slow_listener_is_told():
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", THREADS], capture_output=True, text=True, timeout=240)
    assert done.stdout.strip() == "all are back", done.stderr[-2000:]


#: A value for each argument that must be given.
GIVEN = {
    "ion": "Li",
    "run_type": "GGA",
    "e_host": "Li",
    "from_": "Ti",
    "to": "V",
    "json": '{"a": {"b": 1}}',
    "key": "a",
    "metal": "Ti",
    "m": 2,
    "n": 2,
}
#: Models of energies are not shipped: these functions say so, whatever their arguments are.
OF_ENERGIES = {
    *("adsorption", "adsorption_interval", "adsorption_potential", "extraction_voltage", "voltage_curve", "electrode_voltage"),
    *("relax", "migration_barrier"),
}


def gaps():
    """Every function with each of its optional arguments alone, those before it left out."""
    for doc in json.loads(hollandite._lib.functions()):
        optional = [one for one in doc["parameters"] if one["omitted"] is not None]
        # What has no value when it is left out cannot be left out before another: a call says so.
        known = [one["default"] is not None or one["kind"] == "Model" for one in optional]
        for at, one in enumerate(optional):
            if at > 0 and one["default"] is not None and all(known[:at]):
                yield pytest.param(doc, one, id=f"{doc['name']}-{one['argument']}")


@pytest.mark.filterwarnings("ignore::hollandite.HollanditeWarning")
@pytest.mark.parametrize("doc, argument", list(gaps()))
def test_an_argument_by_name_stands_after_those_that_are_left_out(rutile, doc, argument):
    function = getattr(hollandite, doc["name"])
    given = [GIVEN.get(one["argument"], rutile) for one in doc["parameters"] if one["omitted"] is None]
    by_name = lambda **more: function(*given, **more)  # noqa: E731
    if doc["name"] in OF_ENERGIES:
        with pytest.raises(hollandite.HollanditeError) as usual:
            by_name()
        with pytest.raises(hollandite.HollanditeError) as named:
            by_name(**{argument["argument"]: argument["default"]})
        assert str(named.value) == str(usual.value)
    else:
        # The value that it has when it is left out changes nothing.
        assert by_name(**{argument["argument"]: argument["default"]}) == by_name()


def test_an_argument_by_name_is_heard(rutile):
    assert hollandite.void(rutile, probe=0.3) == hollandite.void(rutile, "atomic", 0.3) < hollandite.void(rutile)
    assert hollandite.substitute(rutile, "Ti", "V", from_2="O", to_2="S").formula == "VS2"
    with pytest.raises(hollandite.HollanditeError, match="to_3 => needs from_2 too"):
        hollandite.substitute(rutile, "Ti", "V", from_3="O", to_3="S")
