"""Warnings of queries and commands, said where the person called."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import FrameType

_HERE = str(Path(__file__).parent)


class HollanditeWarning(UserWarning):
    """Some rows of a query answered NULL, or a command met something to know of: the text says what and why."""


def warn(sentence: str) -> None:
    """Warns at the line outside of this package that led here."""
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, HollanditeWarning, stacklevel=level)
