"""What stands for a crystal or for many, in the types of functions.pyi. None of the libraries is imported: whatever looks like one is."""

from typing import Any, Iterable, Mapping, Protocol, TypeAlias, TypeVar

class _Pymatgen(Protocol):
    @property
    def lattice(self) -> Any: ...
    @property
    def frac_coords(self) -> Any: ...

class _Ase(Protocol):
    @property
    def pbc(self) -> Any: ...
    def get_scaled_positions(self) -> Any: ...

class _Series(Protocol):
    @property
    def dtype(self) -> Any: ...
    def __len__(self) -> int: ...
    def to_list(self) -> list[Any]: ...

class _Array(Protocol):
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object | None = None) -> Any: ...

class Rows(Protocol):
    """A result."""

    def to_crystals(self) -> list[Any]: ...

class Frame(Protocol):
    """A frame of polars or pandas, or a table of pyarrow."""

    @property
    def columns(self) -> Any: ...
    def __getitem__(self, name: Any, /) -> Any: ...

_T = TypeVar("_T")
#: An object of pymatgen or ASE, or a `hollandite.Crystal`: what comes back is of the same library.
Object = TypeVar("Object", bound=_Pymatgen | _Ase)
#: A column of pandas, polars or pyarrow: what comes back is one too.
Column = TypeVar("Column", bound=_Series | _Array)

#: The text of a CIF, POSCAR or JSON, or `as_dict()` of pymatgen.
Text: TypeAlias = str | Mapping[str, Any]
OneCrystal: TypeAlias = _Pymatgen | _Ase | Text
Many: TypeAlias = Iterable[_T | None]
Some: TypeAlias = _T | Iterable[_T | None]
