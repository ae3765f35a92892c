"""Packages that are not needed until one converts to them: what is missing is said with its remedy."""

from __future__ import annotations

from functools import wraps
from typing import Callable, ParamSpec, TypeVar

from . import _lib

#: The names under which pip knows packages, where they are not those of their modules.
_NAMES = {"sklearn": "scikit-learn", "adbc_driver_manager": "adbc-driver-manager", "IPython": "ipython"}

P = ParamSpec("P")
R = TypeVar("R")


def sentence(what: str, missing: ModuleNotFoundError) -> str:
    """What a package is missing for, and how to install it."""
    name = (missing.name or str(missing)).split(".")[0]
    name = _NAMES.get(name, name)
    return f"{what} needs the package {name}: pip install {name}"


def needs(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with an error of this package where another one is missing."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ModuleNotFoundError as missing:
            raise _lib.UsageError(sentence(function.__name__, missing)) from missing

    return call
