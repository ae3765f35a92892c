"""Crystals that are in memory as files that an import reads: Parquet for what is a crystal, JSON for documents."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Mapping

from . import _lib
from ._structures import as_list, check_text, column, columns_of, elemental, kind, read

if TYPE_CHECKING:
    from ._connection import Connection

#: What an import calls the rows that have no source of their own.
SOURCE = "python"
#: Properties of a structure, and columns of a frame, that name it.
IDS = ("id", "material_id")


class Written:
    """The files of an import, and where its rows come from."""

    def __init__(
        self,
        session: Connection,
        structures: Any,
        ids: Iterable[Any] | None,
        source: str | None,
        properties: Mapping[str, Iterable[Any]],
        folder: Path,
    ) -> None:
        items, columns = _items(structures)
        if ids is None:
            ids = next((columns[name] for name in IDS if name in columns), None)
        columns = {name: values for name, values in columns.items() if name not in IDS}
        if not items:
            raise _lib.UsageError("there are no structures to import")
        self.source = source if source is not None or "source" in columns else SOURCE
        named = [None] * len(items) if ids is None else _of_length("ids", ids, len(items))
        named = [None if _missing(one) else str(one) for one in named]
        more = {name: _of_length(f"properties[{name!r}]", values, len(items)) for name, values in {**columns, **properties}.items()}
        documents, crystals = _sorted(items)
        names = _named(session, [name or _own(item) for name, item in zip(named, items)], items, self.source or SOURCE)
        self.files: list[Path] = []
        if crystals:
            table = {"id": [names[i] for i in crystals], "structure": column([items[i] for i in crystals])}
            table |= {name: column([_plain(values[i]) for i in crystals]) for name, values in more.items()}
            self.files.append(folder / "structures.parquet")
            session._register_columns("structures", table)
            session.sql(f"COPY structures TO {_quoted(self.files[-1])} STORED AS PARQUET")
        if documents:
            self.files.append(folder / "documents.jsonl")
            with self.files[-1].open("w", encoding="utf-8") as out:
                for i, fields in documents.items():
                    fields = {**fields, **{name: values[i] for name, values in more.items()}, "material_id": names[i]}
                    out.write(json.dumps(_plain(fields), default=str) + "\n")


def _items(structures: Any) -> tuple[list[Any], dict[str, list[Any]]]:
    """Each crystal or document, and the other columns of a frame or result."""
    fields = _document(structures)
    one = fields is not None and (kind(fields["structure"]) is not None or not hasattr(fields["structure"], "__iter__"))
    if one or kind(structures) is not None:
        return [structures], {}
    columns = columns_of(structures)
    if columns is not None and "structure" not in columns:
        raise _lib.UsageError(f"there is no column 'structure' in {', '.join(columns)}: pass the column or list that holds the crystals")
    if columns is not None:
        return as_list(columns.pop("structure")), {name: as_list(values) for name, values in columns.items()}
    if not hasattr(structures, "__iter__"):
        raise TypeError(f"{type(structures).__name__} is no list of structures")
    return as_list(structures), {}


def _sorted(items: list[Any]) -> tuple[dict[int, dict[str, Any]], list[int]]:
    """Which items are documents, as dicts by their numbers, and which are crystals."""
    documents: dict[int, dict[str, Any]] = {}
    crystals: list[int] = []
    for i, item in enumerate(items):
        check_text(item)
        fields = _document(item)
        if fields is not None:
            documents[i] = {**fields, "structure": _structure(fields["structure"])}
        elif kind(item) == "dict" or kind(item) == "pymatgen" and not (item.is_ordered and elemental(item.atomic_numbers)):
            documents[i] = {"structure": _structure(item)}
        elif item is None or kind(item) is not None:
            crystals.append(i)
        else:
            raise TypeError(
                f"item {i} is {type(item).__name__}: expected a structure of pymatgen or ASE, or a document with the field structure"
            )
    return documents, crystals


def _document(item: Any) -> Mapping[str, Any] | None:
    """A document of the Materials Project or an entry of pymatgen as a dict; None for anything else."""
    if hasattr(item, "entry_id") and hasattr(item, "structure"):
        return {"energy": item.energy, **item.data, "material_id": item.entry_id, "structure": item.structure}
    fields = item.model_dump() if hasattr(item, "model_dump") else item
    return fields if isinstance(fields, Mapping) and "structure" in set(fields) else None


def _crystal(structure: Any) -> _lib.Crystal | None:
    """A structure as a crystal; None where it is none, which the import says then."""
    try:
        return column([read(structure) if isinstance(structure, str) else structure]).to_list()[0] if kind(structure) is not None else None
    except (_lib.CrystalError, _lib.FormatError):
        return None


def _structure(structure: Any) -> Any:
    """The structure of a document as JSON has it; what is no crystal as it is."""
    crystal = _crystal(structure)
    if crystal is not None:
        return crystal.as_dict()
    return structure.as_dict() if hasattr(structure, "as_dict") else structure


def _own(item: Any) -> str | None:
    """The id among the properties of a structure or the fields of a document."""
    properties = _document(item) or getattr(item, "properties", None) or getattr(item, "info", None) or {}
    return next((str(properties[name]) for name in IDS[::-1] if not _missing(properties.get(name))), None)


def _named(session: Connection, names: list[str | None], items: list[Any], source: str) -> list[str]:
    """The names, and for what has none its source and content: the same crystal is called the same at every import."""
    nameless = [i for i, name in enumerate(names) if not name]
    if nameless:
        documents = [_document(items[i]) for i in nameless]
        crystals = column([_crystal(items[i] if fields is None else fields["structure"]) for i, fields in zip(nameless, documents)])
        seen: Counter[str] = Counter()
        for i, content in zip(nameless, session._call("structure_hash", crystals, {}).to_list()):
            name = f"{source}-{content[:16] if content else 'unreadable'}"
            seen[name] += 1
            names[i] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return [str(name) for name in names]


def _of_length(what: str, values: Any, count: int) -> list[Any]:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise _lib.UsageError(f"{what} is a list, one of each structure, and this is {values!r}")
    values = as_list(values)
    if len(values) != count:
        raise _lib.UsageError(f"{what} has {len(values)} values for {count} structures: give one of each")
    return values


def _missing(value: Any) -> bool:
    """None, NaN, and what pandas has for them."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """A value as JSON and Arrow have it: NaN is NULL, numbers of numpy are numbers."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if _missing(value) or (isinstance(value, float) and math.isinf(value)) else value


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
