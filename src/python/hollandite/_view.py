"""A crystal to turn in a notebook: the viewer of the report pages, in a frame of its own."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from . import _lib
from ._structures import pack


class Page:
    """A page of HTML: shown in a notebook, kept by `save`."""

    def __init__(self, html: str, height: int, path: Path | None = None) -> None:
        self.html = html
        self.height = height
        #: The file; None where none was asked for.
        self.path = path

    def save(self, path: str | Path) -> None:
        """Writes the page to a file."""
        Path(path).write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        # A frame runs its own scripts and styles, and touches nothing of the notebook.
        return (
            f"<iframe srcdoc='{escape(self.html)}' sandbox='allow-scripts' width='100%' height='{self.height}' "
            "style='border:0'></iframe>"
        )

    def __repr__(self) -> str:
        return f"<page of {len(self.html) // 1024} KiB: save(path) keeps it, a notebook shows it>"


def view(crystal: Any, title: str | None = None, height: int = 420) -> Page:
    """The page of one crystal, of pymatgen, ASE or hollandite."""
    if not isinstance(crystal, _lib.Crystal):
        crystal = _lib.column([pack(crystal)]).to_list()[0]
    return Page(crystal._page(title or crystal.formula), height)
