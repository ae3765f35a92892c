"""Names of the program as names of Python."""

from __future__ import annotations

import keyword


def name_of(name: str) -> str:
    """`where`, `batch_atoms`, and `from_`, which is a word of the language."""
    name = name.replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name
