"""Warnings of queries and commands, said where the person called."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

#: Packages between a cell and what it shows: their calls are not the user's.
_BETWEEN = {__package__, "IPython", "ipykernel", "traitlets"}


class HollanditeWarning(UserWarning):
    """Some rows of a query answered NULL, or a command met something to know of: the text says what and why."""


def warn(sentence: str) -> None:
    """Warns at the line that led here, of a cell or a program, each time: the next query is another one, though its text be the same."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).split(".")[0] in _BETWEEN:
        frame = frame.f_back
    if frame is None:
        return warnings.warn(sentence, HollanditeWarning)
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__")
    # Without a registry of what was said before.
    warnings.warn_explicit(sentence, HollanditeWarning, *place)
