"""Crystals to and from pymatgen and ASE, by whole arrays: a list of crystals is three runs of numbers."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from . import _lib
from ._needs import needs

if TYPE_CHECKING:
    import ase
    import pymatgen.core.structure


def kind(item: Any) -> str | None:
    """Which library an item is of: "pymatgen", "ase", "crystal", "dict" (`as_dict()` of pymatgen) or "text"; None for anything else.

    Neither library is imported: an item of theirs exists only where it is.
    """
    if isinstance(item, _lib.Crystal):
        return "crystal"
    if isinstance(item, str):
        return "text"
    if isinstance(item, Mapping):
        # A structure of pymatgen as its own dict; any other mapping is none.
        return "dict" if {"lattice", "sites"} <= set(item) else None
    for name, module, cls in [("pymatgen", "pymatgen.core.structure", "IStructure"), ("ase", "ase", "Atoms")]:
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(item, getattr(loaded, cls)):
            return name
    return None


def pack(item: Any) -> Any:
    """A structure of pymatgen or ASE as bytes: lattice, atomic numbers, fractions. Anything else as it is."""
    of = kind(item)
    if of == "pymatgen":
        if not item.is_ordered:
            raise _lib.CrystalError(
                f"{item.composition.reduced_formula} has partially occupied sites; order it first, or import its CIF with "
                "import_files(..., order=0.02)"
            )
        numbers = item.atomic_numbers
        if not elemental(numbers):
            raise _lib.CrystalError(f"{item.formula} has sites that are no element: replace its dummy species")
        return item.lattice.matrix.tobytes(), _whole(numbers), _floats(item.frac_coords)
    if of == "ase":
        if not all(item.pbc):
            raise _lib.CrystalError("these atoms are not periodic along a, b and c: set atoms.pbc = True, with a cell")
        return _floats(item.cell.array), _whole(item.numbers), _floats(item.get_scaled_positions(wrap=False))
    if of == "dict":
        return _lib.Crystal.read(json.dumps(item))
    if library(item) == "pymatgen" and type(item).__name__ == "Composition":
        raise _lib.CrystalError("a Composition has no sites: give a structure, or where a formula is taken str(composition)")
    if isinstance(item, os.PathLike):
        raise _lib.CrystalError(f"{os.fspath(item)} is a file: read it by hollandite.Crystal.read(path)")
    # A number of numpy is the number.
    return item.item() if hasattr(item, "dtype") and getattr(item, "ndim", None) == 0 else item


def elemental(numbers: Iterable[int]) -> bool:
    """Whether every site is of an element: pymatgen gives its dummy species numbers beyond them."""
    return all(0 < z <= 118 for z in numbers)


def _floats(array: Any) -> bytes:
    import numpy as np

    return np.ascontiguousarray(array, dtype=np.float64).tobytes()


def _whole(array: Any) -> bytes:
    import numpy as np

    return np.asarray(array, dtype=np.int32).tobytes()


def is_arrow(items: Any) -> bool:
    """Whether something is Arrow data as it stands."""
    return hasattr(items, "__arrow_c_array__") or hasattr(items, "__arrow_c_stream__")


def library(item: Any) -> str:
    """The package that an object is of."""
    return type(item).__module__.split(".")[0]


def column(items: Iterable[Any]) -> _lib.Column:
    """A column of crystals, texts or plain values."""
    # pandas says of a column of structures that it is Arrow data, which it cannot be.
    if is_arrow(items) and library(items) != "pandas":
        return _lib.column(items)
    items = list(items)
    kinds = {kind(item) for item in items}
    crystals = kinds & {"crystal", "pymatgen", "ase", "dict"}
    packed = []
    for i, item in enumerate(items):
        try:
            # Beside crystals a text is one too; among texts it may be a formula or a name.
            packed.append(read(item) if crystals and kind(item) == "text" else pack(item))
        except (_lib.CrystalError, _lib.FormatError) as error:
            raise type(error)(f"item {i}: {error}") from None
    if crystals or all(item is None or isinstance(item, PLAIN) for item in packed):
        return _lib.column(packed)
    # Dates, lists, dicts and what else has a type of Arrow.
    try:
        import pyarrow
    except ModuleNotFoundError:
        other = next(item for item in packed if item is not None and not isinstance(item, PLAIN))
        raise _lib.UsageError(f"a column of {type(other).__name__} needs pyarrow: pip install pyarrow") from None
    try:
        return _lib.column(pyarrow.array(packed))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError):
        return _lib.column(packed)


#: What a column holds without pyarrow.
PLAIN = (bool, int, float, str)


def columns_of(rows: Any) -> dict[str, Any] | None:
    """The columns of a frame, a result or a dict of columns by their names; None for anything else."""
    if isinstance(rows, Mapping):
        return None if kind(rows) is not None else dict(rows)
    names = getattr(rows, "column_names", None)
    names = list(names if names is not None else getattr(rows, "columns", ()))
    if not names:
        return None
    unambiguous(names)
    return {str(name): rows._rows.column(name) if hasattr(rows, "_rows") else rows[name] for name in names}


def unambiguous(names: list[Any]) -> None:
    """Refuses columns of one name where they go by their names."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _lib.UsageError(f"two columns are called {twice!r}: name them apart, as in SELECT a.{twice}, b.{twice} AS other")


def as_list(values: Any) -> list[Any]:
    """The values of a list, or of a column of any library."""
    return column(values).to_list() if is_arrow(values) and library(values) != "pandas" else list(values)


def crystals_of(rows: Any) -> Any:
    """The crystals of a result or a frame; anything else as it is."""
    if hasattr(rows, "to_crystals"):
        return rows.to_crystals()
    names = getattr(rows, "column_names", None) or getattr(rows, "columns", None)
    if names is None or isinstance(rows, Mapping):
        return rows
    if "structure" not in list(names):
        raise _lib.UsageError("the frame has no column 'structure': pass the column that holds the crystals")
    return rows["structure"]


def arrays(column: _lib.Column) -> Iterable[tuple[Any, Any, Any] | None]:
    """Lattice (3, 3), atomic numbers (n) and fractions (n, 3) of each row; None for NULL."""
    import numpy as np

    packed = column._packed()
    lattices = np.frombuffer(packed[0], dtype=np.float64).reshape(-1, 3, 3)
    numbers = np.frombuffer(packed[1], dtype=np.int32)
    places = np.frombuffer(packed[2], dtype=np.float64).reshape(-1, 3)
    begin = 0
    for lattice, end in zip(lattices, np.frombuffer(packed[3], dtype=np.int64)):
        yield (lattice, numbers[begin:end], places[begin:end]) if end > begin else None
        begin = end


#: A text that can only be meant as the name of a file: one line that ends like one, or begins like a folder.
_FILE = re.compile(r"[./~]*[^\n{]*\.(m?cif|vasp|poscar|json|(ext)?xyz|xsf|res|traj)|[/~][^\n{]*|([^\n{]*/)?(POSCAR|CONTCAR)[^\n ]*", re.I)


def check_text(crystal: Any) -> None:
    """Refuses the name of a file where a crystal is meant."""
    path = os.fspath(crystal) if isinstance(crystal, os.PathLike) else crystal
    if isinstance(path, str) and (path is not crystal or _FILE.fullmatch(path) or "\n" not in path and os.path.exists(path)):
        raise _lib.UsageError(
            f"{path!r} names a file: hollandite.Crystal.read(Path({path!r})) reads it, connect(..).import_files({path!r}) imports it"
        )


_parse = _lib.Crystal.read


def read(source: str | os.PathLike[str]) -> _lib.Crystal:
    """The crystal of a text, or of a file that a `Path` names: CIF, POSCAR, or JSON of pymatgen, the Materials Project or OPTIMADE."""
    if not isinstance(source, os.PathLike):
        check_text(source)
        return _parse(source)
    with open(source, encoding="utf-8") as file:
        text = file.read()
    try:
        return _parse(text)
    except _lib.FormatError as error:
        said = _lib.FormatError(f"{os.fspath(source)}: {error}")
        said.line, said.column, said.file = error.line, error.column, Path(source)
        raise said from None


setattr(_lib.Crystal, "read", staticmethod(read))


@cache
def _element(number: int) -> Any:
    """The element of pymatgen with this atomic number."""
    from pymatgen.core import Element

    return Element.from_Z(number)


def pymatgen_structures(column: _lib.Column) -> list[pymatgen.core.structure.Structure | None]:
    """Every crystal of a column as pymatgen has it."""
    from pymatgen.core import Lattice, Structure

    made: list[Structure | None] = []
    for row in arrays(column):
        if row is None:
            made.append(None)
            continue
        matrix, numbers, places = row
        # Copies: what was read is not to be written to.
        made.append(Structure(Lattice(matrix.copy()), [_element(int(z)) for z in numbers], places.copy()))
    return made


def ase_atoms(column: _lib.Column) -> list[ase.Atoms | None]:
    """Every crystal of a column as ASE has it, periodic along a, b and c."""
    from ase import Atoms

    made: list[Atoms | None] = []
    for row in arrays(column):
        if row is None:
            made.append(None)
            continue
        matrix, numbers, places = row
        made.append(Atoms(numbers=numbers, cell=matrix, positions=places @ matrix, pbc=True))
    return made


@needs
def to_pymatgen(crystal: _lib.Crystal) -> pymatgen.core.structure.Structure | None:
    """One crystal as pymatgen has it."""
    return pymatgen_structures(_lib.column([crystal]))[0]


@needs
def to_ase(crystal: _lib.Crystal) -> ase.Atoms | None:
    """One crystal as ASE has it."""
    return ase_atoms(_lib.column([crystal]))[0]


def crystals_like(column: _lib.Column, like: str | None) -> list[Any]:
    """The crystals of a column as objects of the library that the question came from."""
    if like == "pymatgen":
        return pymatgen_structures(column)
    if like == "ase":
        return ase_atoms(column)
    return column.to_list()
