"""The rows of a statement, for whatever is done with them next."""

from __future__ import annotations

import re
import shutil
import sys
from html import escape
from typing import TYPE_CHECKING, Any, Iterator

from . import _lib
from ._needs import needs
from ._structures import ase_atoms, pymatgen_structures, unambiguous

if TYPE_CHECKING:
    import ase
    import pandas
    import polars
    import pyarrow
    import pymatgen.core.structure

    from ._view import Page

#: Rows that a result shows of itself.
SHOWN = 20


class Result:
    """The rows of a statement.

    They are computed when they are first asked for: `to_polars`, `to_pandas`, `fetchall` and their like compute all of them once and
    keep them, and to show the result computes the first few. Whatever reads Arrow takes the result itself: `polars.DataFrame(result)`,
    `pyarrow.table(result)`, `SELECT .. FROM result` of DuckDB; it is computed while they read.

    Columns may have one name, as in a join: `fetchall`, `to_pandas`, `to_arrow` and what is shown have them all, and whatever goes by
    their names (`dicts`, `result[..]`, `units`, `types`, `to_polars`) asks to name them apart.
    """

    __slots__ = ("_rows",)

    def __init__(self, rows: _lib.Result) -> None:
        self._rows = rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._rows.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._rows.__arrow_c_schema__()

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._rows.columns

    @property
    def units(self) -> dict[str, str | None]:
        """The unit of each column; None where it has none."""
        return dict(zip(self._names, self._rows.units))

    @property
    def types(self) -> dict[str, str]:
        """The type of each column, as Arrow calls it."""
        return dict(zip(self._names, self._rows.types))

    @property
    def _names(self) -> list[str]:
        """The names of the columns where they stand for them."""
        unambiguous(self.columns)
        return self.columns

    def collect(self) -> Result:
        """Computes the rows and keeps them; the same result."""
        self._rows.collect()
        return self

    def __len__(self) -> int:
        return len(self._rows)

    def __bool__(self) -> bool:
        # Whether there is a result: to count its rows would compute them.
        return True

    def __reduce__(self) -> Any:
        raise _lib.UsageError("the rows of a result stay in their process: pass on to_arrow(), to_polars() or to_crystals()")

    def __copy__(self) -> Result:
        # Nothing changes its rows.
        return self

    def __deepcopy__(self, memo: object) -> Result:
        return self

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row as a tuple; crystals are `hollandite.Crystal`, structs are dicts."""
        return self._rows.fetchall()

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row, None where there is none."""
        rows = self.fetchall()
        return rows[0] if rows else None

    def dicts(self) -> list[dict[str, Any]]:
        """Every row as a dict."""
        names = self._names
        return [dict(zip(names, row)) for row in self.fetchall()]

    def __getitem__(self, column: str) -> list[Any]:
        """The values of one column."""
        return self._column(column).to_list()

    def _column(self, name: str) -> _lib.Column:
        if not isinstance(name, str):
            raise TypeError(f"result[{name!r}]: a column goes by its name; fetchall() has the rows")
        unambiguous([one for one in self.columns if one == name])
        return self._rows.column(name)

    @needs
    def to_arrow(self) -> pyarrow.Table:
        """A table of pyarrow."""
        import pyarrow

        return pyarrow.table(self.collect())

    @needs
    def to_polars(self) -> polars.DataFrame:
        """A frame of polars; crystals are its structs."""
        import polars

        span = next((name for name in self._names if self.types[name].startswith("Interval")), None)
        if span is not None:
            raise _lib.UsageError(f"polars has no type for the interval {span}: select CAST({span} AS TEXT)")
        return polars.DataFrame(self.collect())

    @needs
    def to_pandas(self, structures: str = "pymatgen") -> pandas.DataFrame:
        """A frame of pandas. Crystals are structures of pymatgen where it is installed; `structures="ase"` makes them Atoms,
        `"crystal"` `hollandite.Crystal`. Whole numbers and truth values with NULL are of the types Int64, .. and boolean, with NA."""
        import pandas

        if structures not in ("pymatgen", "ase", "crystal"):
            raise _lib.UsageError(f"structures={structures!r}: expected 'pymatgen', 'ase' or 'crystal'")
        self.collect()
        columns = []
        for i, (name, kind) in enumerate(zip(self.columns, self._rows.types)):
            column = self._rows.column(i)
            crystals = name in self._rows._crystal_columns and column.is_crystals
            columns.append(pandas.Series(_crystals(column, structures), dtype=object) if crystals else _series(column, kind))
        frame = pandas.concat(columns, axis=1) if columns else pandas.DataFrame()
        frame.columns = pandas.Index(self.columns)
        frame.attrs["units"] = {name: unit for name, unit in zip(self.columns, self._rows.units) if unit}
        return frame

    @needs
    def to_pymatgen(self, column: str | None = None) -> list[pymatgen.core.structure.Structure | None]:
        """The crystals of a column, `structure` where none is named, as structures of pymatgen; None for NULL. A column `id` becomes
        their property "id"."""
        made = pymatgen_structures(self._crystals(column))
        for structure, name in zip(made, self._ids()):
            if structure is not None:
                structure.properties["id"] = name
        return made

    @needs
    def to_ase(self, column: str | None = None) -> list[ase.Atoms | None]:
        """The crystals of a column, `structure` where none is named, as Atoms of ASE; None for NULL. A column `id` stands in
        `atoms.info["id"]`."""
        made = ase_atoms(self._crystals(column))
        for atoms, name in zip(made, self._ids()):
            if atoms is not None:
                atoms.info["id"] = name
        return made

    def _ids(self) -> list[Any]:
        return self["id"] if self.columns.count("id") == 1 else []

    def to_crystals(self, column: str | None = None) -> list[_lib.Crystal | None]:
        """The crystals of a column as `hollandite.Crystal`; None for NULL."""
        return self._crystals(column).to_list()

    def _crystals(self, column: str | None) -> _lib.Column:
        return self._column(self._crystal_column(column))

    def _crystal_column(self, column: str | None) -> str:
        column = column if column is not None else self._rows._crystals
        if column is None:
            raise _lib.UsageError(
                f"no column holds crystals; there are {', '.join(self.columns)}: select one, as in SELECT id, structure FROM tmo"
            )
        if column in self.columns and column not in self._rows._crystal_columns:
            raise _lib.UsageError(f"column {column} holds no crystals; {', '.join(self._rows._crystal_columns) or 'none'} does")
        return column

    def view(self, row: int = 0, column: str | None = None, height: int = 420) -> Page:
        """The crystal of a row, as a model that a notebook shows and the mouse turns; rows count from 0."""
        from ._view import view

        column = self._crystal_column(column)
        if not isinstance(row, int) or row < 0:
            raise _lib.UsageError(f"row {row!r}: rows are numbered from 0")
        crystals = self._rows._first(column, row + 1).to_list()
        if len(crystals) <= row:
            raise _lib.UsageError(f"there is no row {row}: there are {len(crystals)}, numbered from 0")
        if crystals[row] is None:
            raise _lib.UsageError(f"{column} of row {row} is NULL")
        title = None
        if self.columns.count("id") == 1:
            title = str(self._rows._first("id", row + 1).to_list()[row])
        return view(crystals[row], title=title, height=height)

    def show(self, rows: int = SHOWN) -> None:
        """Prints the first rows."""
        print(self._text(rows), end="")

    def _text(self, rows: int) -> str:
        if not self.columns:
            return "done\n"
        return self._rows._table(rows, shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else None)

    def __repr__(self) -> str:
        return self._text(SHOWN).rstrip("\n")

    def _repr_html_(self) -> str:
        if not self.columns:
            return "<p>done</p>"
        cells, more = self._rows._cells(SHOWN)
        for i, name in enumerate(self.columns):
            if name in self._rows._crystal_columns:
                for row, crystal in zip(cells, self._rows._first(i, SHOWN).to_list()):
                    row[i] = row[i] if crystal is None else _said(crystal)
        numeric = [re.match(r"U?Int\d|Float|Decimal", kind) is not None for kind in self._rows.types]
        heads = "".join(
            f"<th style='text-align:{'right' if number else 'left'}'>{escape(name)}"
            + (f"<br><small style='font-weight:normal'>{escape(unit)}</small>" if unit else "")
            + "</th>"
            for name, unit, number in zip(self.columns, self._rows.units, numeric)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:{'right' if number else 'left'};white-space:pre-wrap'>{escape(text)}</td>"
                for text, number in zip(row, numeric)
            )
            + "</tr>"
            for row in cells
        )
        rest = f"<p><small>the first {len(cells)} rows</small></p>" if more else ""
        return f"<table class='hollandite'><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _crystals(column: _lib.Column, structures: str) -> list[Any]:
    if structures == "ase":
        return ase_atoms(column)
    if structures == "pymatgen":
        try:
            return pymatgen_structures(column)
        except ModuleNotFoundError:
            pass
    return column.to_list()


def _said(crystal: _lib.Crystal) -> str:
    """Formula, sites and cell."""
    a, b, c, *angles = crystal.parameters
    sites = f"{len(crystal)} atom{'s' if len(crystal) > 1 else ''}"
    return f"{crystal.formula} [{sites}]\n{a:.3f} {b:.3f} {c:.3f} Å, {' '.join(f'{angle:.1f}' for angle in angles)}°"


def _series(column: _lib.Column, kind: str) -> Any:
    """A column of pandas without pyarrow: numbers as numpy has them; NULL is NaN, None, or NA of whole numbers and truth values."""
    import numpy
    import pandas

    numbers = column._numbers()
    if numbers is not None:
        return pandas.Series(numpy.frombuffer(numbers[0], dtype=numbers[1]).copy())
    values = column.to_list()
    if re.fullmatch(r"U?Int\d+|Boolean", kind):
        # As floats they would lose digits.
        nullable = None in values
        return pandas.Series(values, dtype=kind.lower().replace("boolean", "bool") if not nullable else kind.replace("B", "b"))
    # A column of numbers without a number is one of numbers still.
    return pandas.Series(values, dtype=float if kind.startswith("Float") else None)
