"""What takes the place of `$1` and `:name`: the values of numpy and pandas as those of Python, and what SQL cannot hold refused by name."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Mapping

from . import _lib


#: `IN` with one parameter.
_IN = re.compile(r"\bIN\s*\(\s*(\$\w+|:\w+|\?)\s*\)", re.I)


def bound(query: str, params: Any) -> Any:
    """The parameters of a statement."""
    if params is None:
        return None
    if isinstance(params, Mapping):
        values: dict[str, Any] = {name: _value(value, f":{name}") for name, value in params.items()}
        _no_list_in(query, {mark + name: value for name, value in values.items() for mark in ":$"})
        return values
    if isinstance(params, (str, bytes)) or not hasattr(params, "__iter__"):
        what = "one text: write [text]" if isinstance(params, str) else f"{type(params).__name__}: write [{params!r}]"
        raise TypeError(f"parameters are a list or a dict, and this is {what}")
    listed = [_value(value, f"${i}") for i, value in enumerate(params, 1)]
    _no_list_in(query, {f"${i}": value for i, value in enumerate(listed, 1)})
    return listed


def _no_list_in(query: str, values: Mapping[str, Any]) -> None:
    lists = {name for name, value in values.items() if isinstance(value, list)}
    asked = next((name for name in _IN.findall(query) if name in lists or name == "?" and len(lists) == len(values)), None)
    if asked is not None:
        raise _lib.UsageError(f"a list is one value, which IN ({asked}) compares with as a whole: write = ANY({asked})")


def _value(value: Any, name: str) -> Any:
    kind = type(value).__name__
    if kind in ("NAType", "NaTType"):
        return None
    if kind == "datetime64":
        moment = value.astype("datetime64[us]")
        if moment != value and str(value) != "NaT":
            raise _lib.UsageError(f"{name} is {value}: times go to the microsecond")
        # A day stays one.
        return value.item() if value.dtype.name == "datetime64[D]" else moment.item()
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _lib.UsageError(f"{name} is {value}: whole numbers go from -2**63 to 2**63 - 1; give float({value}) or a text")
    if isinstance(value, Decimal):
        if not value.is_nan() and Decimal(repr(float(value))) != value:
            raise _lib.UsageError(f"{name} is Decimal('{value}'), with more digits than a number here has: give float(..) or a text")
        return float(value)
    if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0:
        return [_value(one, name) for one in value]
    return value

